"""The record says what the pipeline measured, of the model that is served, and never breaks on files half written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from forestall.serving.page.formats import Formats
from forestall.serving.page.record import card_html, how_sure, month_chart
from forestall.serving.page.record_rows import Month, Record
from forestall.serving.page.record_tables import MODEL, RULE, TABLES, read_record
from tests import plant
from tests.serving.api.server import Running
from tests.serving.page.html_page import Page
from tests.serving.page.services import ROOT, get, raised, said

CARD = "reports/model_card.md"
RECORDED = [*(f"metrics/{name}.csv" for name in TABLES), "metrics/rule.json"]
FILES = [*RECORDED, CARD]
Workspace = Path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The repository's own record, to be changed, and a card: the repository's is there only after a run."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    for name in RECORDED:
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / CARD).write_text("# Model card\n\n## Intended use\n\nTo show the pipeline at work.\n")
    return tmp_path


@pytest.fixture
def shown(desk: Running, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Page]:
    """The record's page over it."""
    monkeypatch.setattr(desk.service, "record", workspace)
    return lambda: get(desk, "/record")


def table(name: str) -> pd.DataFrame:
    frame = pd.read_csv(ROOT / "metrics" / f"{name}.csv", dtype={"value": str} if name == "slices" else None)
    return frame[frame["fold"] == "test"] if "fold" in frame else frame


def known(workspace: Path) -> Record:
    found = read_record(workspace)
    assert found is not None
    return found


def failed(month: Month) -> tuple[int, int]:
    """Failures caught, and all; the recorded months have enough of both to be known."""
    assert month.caught is not None and month.missed is not None
    return month.caught, month.caught + month.missed


@pytest.mark.parametrize("policy", [MODEL, RULE])
def test_the_months_add_up_to_the_test_fold(workspace: Workspace, policy: str) -> None:
    whole = table("policies").set_index("policy").loc[policy]
    months = [one for one in known(workspace).months if one.policy == policy]
    caught = round(whole["event_recall"] * whole["failures"])
    assert sum(failed(one)[0] for one in months) == caught
    assert sum(failed(one)[1] for one in months) == whole["failures"]
    assert sum(one.false for one in months) == round(whole["alarms"] * (1 - whole["alarm_precision"]))


def test_the_failures_are_those_of_the_months(workspace: Workspace) -> None:
    record = known(workspace)
    months = [one for one in record.months if one.policy == MODEL]
    assert len(record.failures) == sum(failed(one)[1] for one in months)
    for month in months:
        those = [one for one in record.failures if one.time.startswith(month.month)]
        assert sum(one.caught for one in those) == month.caught


def test_the_page_tells_the_figures(shown: Callable[[], Page]) -> None:
    page, formats = shown(), Formats("en")
    policies = table("policies").set_index("policy")
    lead = {
        key: (formats.share(row["event_recall"]), formats.share(row["alarm_precision"]))
        for key, row in policies.loc[[MODEL, RULE]].iterrows()
    }
    for key, text in ((MODEL, "record_lead"), (RULE, "record_rule")):
        assert said(text, caught=lead[key][0], right=lead[key][1]) in page.text
    row = next(row for row in page.rows() if row[0] == said("run_to_failure"))
    cost = float(policies["cost_per_machine_month"].to_dict()["run_to_failure"])
    assert row[1:5] == ["–"] * 4 and row[5].startswith(formats.money(cost))
    for component, rule in known(ROOT).rules.items():
        assert f"{component}: {rule}" in [one.text for one in page.all("li")]


def test_each_budget_lists_what_it_would_miss(shown: Callable[[], Page]) -> None:
    page = shown()
    budgets, misses = table("budget"), table("budget_misses")
    steps = page.all("div", class_="step")
    assert len(steps) == len(budgets) == len(page.all("option"))
    for step, budget in zip(steps, budgets.to_dict("records"), strict=True):
        assert said("budget_said", budget=int(budget["budget"])) in step.text
        count = int((misses["budget"] == budget["budget"]).sum())
        assert count == budget["missed"]
        told = said("would_miss", count=count) if count else said("misses_none")
        assert told in step.text
    one = misses.iloc[0]
    assert any(row[:2] == [one["machine"], one["component"]] for row in page.rows())
    assert page.all("a", href=f"/machines/{one['machine']}")


def test_the_slider_begins_at_the_budget_in_use(shown: Callable[[], Page], workspace: Workspace) -> None:
    budgets = known(workspace).budgets
    in_use = known(workspace).alarms_per_week
    policy = table("policies").set_index("policy").loc[MODEL]
    assert in_use is not None and in_use == pytest.approx(7 * policy["alarms"] / 83, rel=1e-4)
    place = int(shown().one("input", id="budget").attributes["value"])
    assert abs(budgets[place].alarms_per_week - in_use) == min(
        abs(one.alarms_per_week - in_use) for one in budgets
    )


def test_a_record_of_another_model_is_said_to_be_one(shown: Callable[[], Page]) -> None:
    assert said("other_record") in shown().text  # of the fleet's four parts, and the served model has two


@pytest.fixture
def own(workspace: Workspace) -> Workspace:
    """As if the motor were the pump of the plant that is served."""
    failures = pd.read_csv(workspace / "metrics/failures.csv")
    failures = failures[failures["component"] == "motor"].assign(component="pump", threshold=0.1)
    failures.to_csv(workspace / "metrics/failures.csv", index=False)
    slices = pd.read_csv(workspace / "metrics/slices.csv", dtype=str).replace({"value": {"motor": "pump"}})
    slices.to_csv(workspace / "metrics/slices.csv", index=False)
    return workspace


def test_how_sure_an_alarm_is(own: Workspace, shown: Callable[[], Page], desk: Running) -> None:
    assert said("other_record") not in shown().text
    slices = table("slices")
    motor = slices[(slices["policy"] == MODEL) & (slices["value"] == "motor")].iloc[0]
    sure = how_sure(desk.service)["pump"]
    assert (sure.alarms, sure.precision) == (motor["alarms"], motor["alarm_precision"])
    page = get(desk, f"/alarms/{raised(desk.service, 'm2', plant.START).id}")
    told = said("how_sure", alarms=sure.alarms, right=Formats("en").share(motor["alarm_precision"]))
    assert told in page.text


def test_another_threshold_is_another_model(own: Workspace, shown: Callable[[], Page], desk: Running) -> None:
    failures = pd.read_csv(own / "metrics/failures.csv").assign(threshold=0.11)
    failures.to_csv(own / "metrics/failures.csv", index=False)
    assert said("other_record") in shown().text and how_sure(desk.service) == {}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_being_written(shown: Callable[[], Page], workspace: Workspace, name: str) -> None:
    content = (workspace / name).read_bytes()
    header = content.index(b"\n") if b"\n" in content else 3
    cuts = (0, header + 1, len(content) // 2, len(content) - 9)
    for cut in cuts:
        (workspace / name).write_bytes(content[:cut])
        record = read_record(workspace)
        page = shown() if record else None
        assert page is None or said("budget_title") in page.text, cut
    (workspace / name).write_bytes(content[: len(content) - 2])
    page = shown()
    assert said("no_record") in page.text or said("budget_title") in page.text
    (workspace / name).unlink()
    assert (said("no_record") in shown().text) is (name != "reports/model_card.md")
    (workspace / name).write_bytes(b"\xff\xfe\x00" + content)
    assert said("no_record") in shown().text
    (workspace / name).write_bytes(content)
    assert said("budget_title") in shown().text, "it is read again"


def test_rows_of_no_use(shown: Callable[[], Page], workspace: Workspace) -> None:
    policies = workspace / "metrics/policies.csv"
    text = policies.read_text()
    for changed in (
        text.replace("test,model", "test,another"),
        text.replace("3217.35", ""),
        text.replace("3217.35", "inf"),
        text.replace("3217.35", "many"),
        text.replace("fold,", "folds,"),
    ):
        policies.write_text(changed)
        assert said("no_record") in shown().text
    policies.write_text(text)
    (workspace / "metrics/rule.json").write_text("[1]")
    assert said("no_record") in shown().text


def test_names_stay_as_they_are_written(shown: Callable[[], Page], workspace: Workspace) -> None:
    """`007` is no 7, `NA` is a name, and neither is an address of another machine."""
    misses = workspace / "metrics/budget_misses.csv"
    misses.write_text("budget,machine,component,time\n1,007,NA,2024-10-03T22:39:00\n2,<b>,1.0,12\n")
    failures = workspace / "metrics/failures.csv"
    header = failures.read_text().splitlines()[0]
    failures.write_text(f"{header}\ntest,010,null,2024-10-03T22:39:00,no,no signal,0.1,0.2,,\n")
    page = shown()
    links = {one.attributes["href"] for one in page.all("a") if "/machines/" in one.attributes["href"]}
    assert links == {"/machines/007", "/machines/%3Cb%3E", "/machines/010"}
    cells = [row[:2] for row in page.rows()]
    assert ["007", "NA"] in cells and ["<b>", "1.0"] in cells and ["010", "null"] in cells


def test_without_a_folder_there_is_no_record(desk: Running) -> None:
    assert desk.service.record is None
    assert said("no_record_do") in get(desk, "/record").text


def test_the_plot_of_the_months_has_both_policies(workspace: Workspace) -> None:
    record = known(workspace)
    spec = month_chart(record.months, Formats("de"))
    values = spec["data"]["values"]
    assert len(values) == 3 * len(record.months)
    assert {one["policy"] for one in values} == {said(MODEL, "de"), said(RULE, "de")}
    assert sum(one["count"] for one in values) == sum(failed(one)[1] + one.false for one in record.months)


HARMFUL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<b onclick=alert(1)>x</b>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x](https://evil.example/a.png "onerror=alert(1)")',
    '[x](https://a.example "\\" onmouseover=alert(1) x=")',
    "[x]: javascript:alert(1)\n\n[x]",
    "| <script> |\n|---|\n| </table><script>alert(1)</script> |",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


@pytest.mark.parametrize("text", HARMFUL)
def test_a_card_cannot_do_harm(text: str) -> None:
    page = Page(f"<main>{card_html(text)}</main>")
    tags = {one.name for one in page.elements}
    assert tags <= {"main", "p", "a", "pre", "code", "div", "table", "thead", "tbody", "tr", "th", "td"}
    for one in page.elements:
        allowed = {"href", "title", "class", "tabindex", "role", "aria-label"}
        assert set(one.attributes) <= allowed
        assert one.attributes.get("href", "https://").startswith("https://")


def test_a_card_is_shown_below_the_pages_headings(shown: Callable[[], Page], workspace: Workspace) -> None:
    (workspace / "reports/model_card.md").write_text(
        "# Top\n\n#### Deep\n\n| a | b |\n|---|---|\n| 1 | **2** |\n"
    )
    page = shown()
    assert len(page.all("h1")) == 1
    assert "Top" in [one.text for one in page.all("h2")] and page.one("h5").text == "Deep"
    assert ["1", "2"] in page.rows()
    assert page.all("div", lang="en")[-1].text.startswith("Top")
