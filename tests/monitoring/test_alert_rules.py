"""Alerts: the committed files are those of the code, name what is exported, and fire when they should, once."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from forestall.data.settings import read_yaml
from forestall.monitoring.alert_levels import Durations, duration
from forestall.monitoring.alert_rules import rules, rules_yaml
from forestall.serving.api.metric_names import METRICS, series_labels
from tests.monitoring.alert_cases import CASES, promtool_tests
from tests.monitoring.promql import assert_asks_for_what_is_exported

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/forestall.rules.yml"
PROMETHEUS = ROOT / "deploy/prometheus/prometheus.yml"
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
RUNBOOKS = ROOT / "docs/how-to/alerts.md"
ALERTS = {one["alert"]: one for group in rules()["groups"] for one in group["rules"]}


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed: run .ci/services")
    return found


def ran(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_committed_rules_are_those_of_the_code() -> None:
    write = "python -m forestall.monitoring.alert_rules > deploy/prometheus/forestall.rules.yml"
    assert RULES.read_text(encoding="utf-8") == rules_yaml(), f"write it again: {write}"
    assert read_yaml(RULES) == rules()


@pytest.mark.parametrize("name", ALERTS)
def test_an_expression_asks_for_what_is_exported(name: str) -> None:
    assert_asks_for_what_is_exported(ALERTS[name]["expr"])


def test_plant_metrics_are_not_added_up_nor_told_by_instance() -> None:
    plant = {series for one in METRICS if one.of == "plant" for series in one.series}
    for alert in ALERTS.values():
        for metric in plant & set(re.findall(r"\w+", alert["expr"])):
            assert re.search(rf"(max|min) by \([^)]*\) \({metric}\b", alert["expr"]), alert["alert"]
        outer = re.findall(r"\b(?:by|on) \(([^)]*)\)", alert["expr"])
        assert all("instance" not in one or "unless" in alert["expr"] for one in outer)


def test_drift_of_inputs_has_no_alert() -> None:
    asked = [
        of for one in ALERTS.values() for of in re.findall(r'forestall_drifted\{of="(\w+)"\}', one["expr"])
    ]
    assert sorted(asked) == ["opinions", "risk"]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    text = RUNBOOKS.read_text(encoding="utf-8")
    sections = re.findall(r"^### (\w+)$", text, flags=re.MULTILINE)
    assert sections == list(ALERTS)
    for name, section in zip(sections, re.split(r"^### \w+$", text, flags=re.MULTILINE)[1:], strict=True):
        assert ALERTS[name]["annotations"]["runbook_url"] == f"docs/how-to/alerts.md#{name.lower()}"
        for part in ("It means", "Look at", "Do", "No problem"):
            assert f"\n- **{part}** " in section, (name, part)


def test_runbooks_name_metrics_that_are_exported() -> None:
    named = set(re.findall(r"\bforestall_\w+", RUNBOOKS.read_text(encoding="utf-8")))
    assert named and named <= set(series_labels())


def test_every_alert_says_what_it_is_in_words() -> None:
    for alert in ALERTS.values():
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"]["description"].endswith(".")
        assert not re.search(r"forestall_", str(alert["annotations"]))


def test_a_scale_shortens_every_duration_and_nothing_else() -> None:
    def shape(text: str) -> str:
        return re.sub(r"\b\d+(h|m|s|ms)\b|(?<=> )(21600|3600|600|216|36|6)\b", "T", text)

    fast, slow = rules_yaml(Durations().scaled(0.01)), rules_yaml()
    assert shape(fast) == shape(slow)
    assert not re.search(r"\b\d+[hm]\b", fast)
    assert duration(Durations().scaled(0.01).soon) == "1200ms"
    with pytest.raises(ValueError, match="above 0, not 0"):
        Durations().scaled(0)


def test_what_is_silenced_and_by_what_are_alerts() -> None:
    inhibitions = read_yaml(ALERTMANAGER)["inhibit_rules"]
    for one in inhibitions:
        assert one["equal"] == ["job"]
        matchers = one["source_matchers"] + one["target_matchers"]
        named = {name for text in matchers for name in re.findall(r"Forestall\w+", text)}
        assert named and named <= set(ALERTS)


def test_every_alert_is_among_the_cases() -> None:
    assert {case.alert for case in CASES} == set(ALERTS)


@pytest.mark.slow
def test_alerts_fire_after_their_time_once_and_resolve(tmp_path: Path) -> None:
    # JSON is YAML.
    (tmp_path / "tests.yml").write_text(json.dumps(promtool_tests(str(RULES))), encoding="utf-8")
    assert "SUCCESS" in ran(program("promtool"), "test", "rules", str(tmp_path / "tests.yml"))


@pytest.mark.slow
def test_promtool_and_amtool_read_the_files(tmp_path: Path) -> None:
    for scale in (1.0, 0.01):
        text = rules_yaml(Durations().scaled(scale))
        (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
        assert f"SUCCESS: {len(ALERTS)} rules" in ran(
            program("promtool"), "check", "rules", str(tmp_path / "rules.yml")
        )
    key = tmp_path / "key"
    key.write_text("secret", encoding="utf-8")
    text = PROMETHEUS.read_text(encoding="utf-8").replace("/etc/prometheus/forestall.key", str(key))
    (tmp_path / "prometheus.yml").write_text(
        text.replace("forestall.rules.yml", "rules.yml"), encoding="utf-8"
    )
    ran(program("promtool"), "check", "config", "--lint-fatal", str(tmp_path / "prometheus.yml"))
    assert "SUCCESS" in ran(program("amtool"), "check-config", str(ALERTMANAGER))


@pytest.mark.slow
@pytest.mark.parametrize(("severity", "receiver"), [("page", "people"), ("ticket", "tickets")])
def test_pages_go_to_people_and_tickets_to_a_program(severity: str, receiver: str) -> None:
    command = ["config", "routes", "test", "--config.file", str(ALERTMANAGER), f"severity={severity}"]
    assert ran(program("amtool"), *command).split() == [receiver]
