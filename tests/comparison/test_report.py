"""The report in Markdown: names that people gave never break it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from forestall.comparison.changes import Changes
from forestall.comparison.gate import Ruling
from forestall.comparison.paired import Difference, Verdict
from forestall.comparison.report import SHOWN, Report, markdown
from forestall.comparison.text import coded, number, signed, verbatim

COST = Difference("cost_per_machine_month", 1000.0, 900.0, -100.0, -150.0, -50.0)
NOTHING = Changes({}, {}, [], {}, {})
SLICE = {
    "slice": "model",
    "value": "CP-40",
    "failures": 9,
    "event_recall_base": 0.8,
    "event_recall_head": 0.5,
    "cost_per_machine_month_base": 1000.0,
    "cost_per_machine_month_head": 1200.0,
}
REPORT = Report(
    base={"name": "main", "commit": "0123456789abcdef"},
    head={"name": "workspace", "commit": None},
    changes=NOTHING,
    notes=[],
    figures={"validation": [COST], "test": [COST]},
    verdict=Verdict("better", -160.0, -40.0),
    failures={},
    alarms={},
    slices=[],
    rulings=[Ruling("calibration", True, "fine")],
)


def cells(line: str) -> list[str]:
    """A row's cells as GitHub's Markdown splits them: at bars that no backslash stands before."""
    return line.replace("\\|", "\0").strip("|").split("|")


def test_the_word_stands_in_the_heading_and_the_interval_below() -> None:
    lines = markdown(REPORT, gated=False).splitlines()
    assert lines[0] == "## workspace against main (0123456): better"
    assert "-160 to -40" in lines[2]
    assert "| cost_per_machine_month | 1,000 | 900 | -100 | -150 to -50 |" in lines
    assert "### Validation fold (decides)" in lines
    assert "### Test fold (for reporting, decides nothing)" in lines
    assert "Gate" not in markdown(REPORT, gated=False)
    assert "Nothing." in lines


def test_without_an_interval_the_report_says_why() -> None:
    none = Verdict("no evidence", None, None)

    def said(difference: float | None, judged: bool = True) -> list[str]:
        row = replace(COST, difference=difference, low=None, high=None)
        shown = replace(REPORT, figures={"validation": [row]}, verdict=none, judged=judged)
        return markdown(shown, gated=False).splitlines()[:3:2]

    assert said(0.0)[0].endswith(": no evidence of a difference in cost")
    assert said(0.0)[1].endswith("is the same in both.")
    assert "too few" in said(-100.0)[1] and "not defined" in said(None)[1]
    assert said(400.0, judged=False)[0].endswith(": not compared")
    assert said(400.0, judged=False)[1].endswith("see the notes.")


def test_the_gate_says_passed_only_if_all_its_rules_do() -> None:
    assert "### Gate: passed" in markdown(REPORT, gated=True)
    failed = replace(REPORT, rulings=[*REPORT.rulings, Ruling("floor", False, "0.1 | 0.2")])
    text = markdown(failed, gated=True)
    assert "### Gate: NOT passed" in text
    assert "| floor | **failed** | 0.1 \\| 0.2 |" in text
    assert not failed.passed


@pytest.mark.parametrize(
    "name",
    [
        "M|1",
        "`rm`",
        "a``b|",
        "*x*",
        "<b>",
        "[link](x)",
        "@someone",
        "line\nbreak",
        "Pumpe 3",
        "größe_1",
        "_x_",
    ],
)
def test_names_of_machines_slices_and_branches_stay_what_they_are(name: str) -> None:
    part = {"machine": name, "component": "seal"}
    report = replace(
        REPORT,
        base={"name": name, "commit": None},
        alarms={"newly_alarmed": [part], "no_longer": []},
        failures={"validation": {"newly_caught": [{**part, "time": "2024-01-01"}], "newly_missed": []}},
        slices=[SLICE | {"value": name}],
        changes=replace(NOTHING, params={"a.b": (name, None)}, code=[name]),
    )
    lines = markdown(report, gated=False).splitlines()
    assert {len(cells(line)) for line in lines if line.startswith("| model")} == {7}
    shown = verbatim(name)
    assert "\n" not in shown
    assert shown.strip("` ").replace("`", "") == " ".join(name.split()).replace("`", "")
    assert f"{shown} seal" in lines
    assert f"- code: {coded(name)}" in lines


def test_plain_names_are_plain_and_others_are_code_that_their_backticks_do_not_end() -> None:
    assert verbatim("M00012") == "M00012"
    assert verbatim("feature/new-pump") == "feature/new-pump"
    assert verbatim("a`b") == "``a`b``"
    assert verbatim("`a`") == "`` `a` ``"
    assert coded("") == "`  `"


def test_long_lists_are_cut_and_say_so() -> None:
    rows = [{"machine": f"M{n}", "component": "seal"} for n in range(SHOWN + 5)]
    text = markdown(replace(REPORT, alarms={"newly_alarmed": rows, "no_longer": []}), gated=False)
    assert f"M{SHOWN - 1} seal and 5 more" in text
    assert f"### Machines newly alarmed: {SHOWN + 5}" in text


def test_what_is_undefined_is_a_dash() -> None:
    row = Difference(COST.metric, None, 900.0, None, None, None)
    lines = markdown(replace(REPORT, figures={"validation": [row]}), gated=False).splitlines()
    assert "| cost_per_machine_month | - | 900 | - |  |" in lines
    assert (number(0.123456), number(1234.5), signed(2.0), signed(-0.5)) == ("0.123", "1,234", "+2", "-0.5")


def test_a_note_of_several_lines_stays_a_quotation() -> None:
    lines = markdown(replace(REPORT, notes=["one\ntwo", "three"]), gated=False).splitlines()
    assert [line for line in lines if line.startswith(">")] == ["> one two", "> three"]


def test_of_many_changes_the_first_are_listed_and_the_others_counted() -> None:
    params: dict[str, Any] = {f"p{number}": (None, "word " * 50) for number in range(SHOWN + 5)}
    lines = markdown(replace(REPORT, changes=Changes(params, {}, [], {}, {})), gated=False).splitlines()
    found = [line for line in lines if line.startswith("- params: `p")]
    assert len(found) == SHOWN and max(map(len, found)) < 140
    assert "- params: 5 more" in lines


def test_names_in_reasons_and_notes_can_forge_nothing() -> None:
    name = "<b>\n## all: better [here](http://a.example) \x1b]0;title\x07 \u202e"
    ruling = Ruling("slice floor", False, f"below 0.1: model: {name} 0")
    text = markdown(replace(REPORT, notes=[f"Only a records {name}."], rulings=[ruling]), gated=True)
    assert "\n## all" not in text
    assert "<b>" not in text and " [here]" not in text
    assert all(one.isprintable() or one == "\n" for one in text)
