"""The dataset file: what it allows, and how it says no."""

from pathlib import Path
from typing import Any

import pytest

from forestall.data.clock import is_counter
from forestall.data.dataset import Dataset
from forestall.data.settings import read_yaml, validate
from forestall.data.tables import LastRow
from forestall.errors import SettingsError
from tests import engines, plant

FILE = Path("plant.yaml")


def content() -> dict[str, Any]:
    return plant.dataset().model_dump(exclude_none=True)


def refused(changed: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        validate(Dataset, changed, FILE)
    return str(caught.value)


def change(path: str, value: Any) -> dict[str, Any]:
    """The plant's file with one key changed; None takes it out."""
    changed = content()
    *way, last = path.split(".")
    section: Any = changed
    for part in way:
        section = section[part]
    if value is None:
        del section[last]
    else:
        section[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("compnents", "components"),
        ("decisions.horizns", "horizons"),
        ("costs.prevent", "prevented"),
        ("tables.telemetri", "telemetry"),
        ("tables.telemetry.intervall", "interval"),
        ("tables.telemetry.sensors.volt.rnge", "range"),
        ("tables.failures.file", "files"),
        ("tables.failures.componet", "component"),
        ("components.pump.absent", "absent_on"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_likely_one(path: str, meant: str) -> None:
    assert refused(change(path, "x")) == f"plant.yaml: {path}: unknown key; did you mean {meant!r}?"


def test_an_unknown_key_unlike_any_other_lists_them() -> None:
    assert refused(change("split.xyzzy", 1)).endswith("allowed: by, gap, test, unseen_machines, validation.")


def test_an_unknown_key_beside_last_row() -> None:
    message = refused(change("tables.failures", {"last_row": True, "alife": []}))
    assert message == "plant.yaml: tables.failures.alife: unknown key; did you mean 'alive'?"


@pytest.mark.parametrize("path", ["windows", "decisions.every", "tables.telemetry", "tables.failures.files"])
def test_a_missing_key(path: str) -> None:
    assert f"plant.yaml: {path}: missing; add it." in refused(change(path, None)).splitlines()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("costs.failure", "much", "costs.failure: Input should be a valid number, found 'much'"),
        ("costs.failure", True, "costs.failure: Input should be a valid number, found True"),
        ("costs.prevented", 1.5, "costs.prevented: Input should be less than or equal to 1"),
        ("decisions.horizons", 24, "decisions.horizons: Input should be a valid list, found 24"),
        ("decisions.horizons", ["a day"], "decisions.horizons.0: write a number and a unit"),
        ("decisions.horizons", ["24h", "12h"], "decisions.horizons must rise: the shortest first"),
        ("tables.telemetry.files", 5, "tables.telemetry.files: Input should be a valid"),
        ("tables.telemetry.files", "/data/*.csv", "below the dataset's folder"),
        ("tables.telemetry.files", "../other.csv", "below the dataset's folder"),
        ("tables.telemetry.separator", "ab", "tables.telemetry.separator"),
        ("tables.telemetry.sensors", {}, "tables.telemetry.sensors"),
        ("tables.telemetry.sensors.volt.range", [5.0, 1.0], "`range` must be [lowest, highest]"),
        ("tables.telemetry.sensors.volt.range", [5.0], "sensors.volt.range"),
        ("tables.machines.attributes.age", "numbr", "Input should be 'category' or 'number', found 'numbr'"),
        ("split.by", "tme", "split.by: Input should be 'time' or 'machine', found 'tme'"),
        ("components", [], "components: Input should be a valid dictionary"),
    ],
)
def test_a_value_that_is_not_allowed(path: str, value: Any, says: str) -> None:
    assert says in refused(change(path, value))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("clock", {"kind": "counter"}, "a counter needs `unit`"),
        ("clock", {"unit": "cycles"}, "belong to kind: counter"),
        ("tables.telemetry.header", False, "`columns` names the columns"),
        ("tables.telemetry.columns", ["machine"], "`columns` names the columns"),
        ("tables.telemetry.tag", "tag", "needs both `tag` and `value`"),
        ("tables.failures", {"last_row": False}, "write `last_row: true`"),
        ("tables.failures", {"last_row": True}, "with several components, failures"),
        ("tables.failures.component", None, "with several components, failures"),
        ("tables.telemetry.interval", "2h", "decisions.every must be a multiple"),
        ("tables.telemetry.interval", "0h", "tables.telemetry.interval must be longer than nothing"),
        ("tables.telemetry.interval", "1cycles", "the unit must be one of s, min, h, d"),
        ("decisions.every", "0h", "decisions.every must be a multiple"),
        ("decisions.min_lead", "24h", "decisions.min_lead must be shorter"),
        ("windows.sensors", ["4h"], "windows.sensors must be multiples"),
        ("windows.events", ["0h"], "windows.events must be longer than nothing"),
        ("windows.baseline", "30weeks", "the unit must be one of"),
        ("split.gap", "23h", "split.gap must be at least the longest of decisions.horizons"),
        ("split.validation", "24h", "split.validation must be longer than split.gap"),
        ("split.test", "1d", "split.test must be longer than the longest of decisions.horizons"),
        ("split.validation", 0.2, "with by: time, `validation` and `test` are durations"),
        ("split.by", "machine", "with by: machine, `validation` and `test` are shares"),
        ("components.seal.absent_on", {"age": [3]}, "'age' is no category of tables.machines"),
        ("tables.machines", None, "'model' is no category of tables.machines"),
    ],
)
def test_values_that_do_not_fit_together(path: str, value: Any, says: str) -> None:
    assert says in refused(change(path, value))


def test_running_is_a_column_of_wide_telemetry() -> None:
    changed = content()
    changed["tables"]["telemetry"] |= {"tag": "t", "value": "v", "running": {"column": "r", "values": [1]}}
    assert "use a downtime table" in refused(changed)


@pytest.mark.parametrize(("counted", "by"), [(False, "time"), (False, "machine"), (True, "machine")])
def test_clocks_and_folds_are_told_apart(counted: bool, by: str) -> None:
    changed = (engines.dataset() if counted else plant.dataset()).model_dump(exclude_none=True)
    if by == "machine":
        changed["split"] |= {"by": by, "validation": 0.2, "test": 0.2, "unseen_machines": 0.0}
    dataset = validate(Dataset, changed, FILE)
    assert (dataset.own_clocks, dataset.split_by_machine) == (counted, by == "machine")
    assert is_counter(dataset.clock.unit) == dataset.clock.own == counted


def test_machines_with_clocks_of_their_own_are_split_by_machine() -> None:
    changed = content()
    changed["clock"] = {"kind": "counter", "unit": "h", "per_month": 600.0}
    changed["windows"] |= {"baseline": "240h", "baseline_every": "24h"}
    changed["split"] |= {"validation": "240h", "test": "240h", "gap": "24h"}
    assert "split with `by: machine`" in refused(changed)


@pytest.mark.parametrize(
    ("split", "says"),
    [
        ({"validation": 0.5, "test": 0.5}, "leave no machine to train on"),
        ({"validation": 0.2, "test": 0.2, "unseen_machines": 0.1}, "`unseen_machines` must be 0.0"),
    ],
)
def test_shares_of_machines_that_leave_none_or_are_counted_twice(split: dict[str, Any], says: str) -> None:
    changed = content()
    changed["split"] |= {"by": "machine", **split}
    assert says in refused(changed)


def test_a_counters_unit_can_stand_in_a_duration() -> None:
    changed = change("clock", {"kind": "counter", "unit": "Flight hours", "per_month": 60.0})
    assert "clock.unit: String should match pattern" in refused(changed)


def test_all_errors_are_told_at_once() -> None:
    changed = change("costs.failure", "much")
    changed["decisions"]["horizn"] = "24h"
    assert len(refused(changed).splitlines()) == 2


def test_failures_are_a_table_or_the_last_rows() -> None:
    changed = change("tables.failures", {"last_row": True, "alive": [3, "m4"]})
    changed["components"] = {"machine": {}}
    failures = validate(Dataset, changed, FILE).tables.failures
    assert failures == LastRow(last_row=True, alive=[3, "m4"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "not readable as YAML"),
        ("a: 1\na: 2\n", "not readable as YAML"),
        ("- a\n", "expected `key: value` lines, found list"),
        ("", "expected `key: value` lines, found NoneType"),
        ("a: \xff", "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_settings_file(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "plant.yaml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=says):
        read_yaml(file)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no such file\. Check `data.dataset` in params.yaml"):
        read_yaml(tmp_path / "plant.yaml")


def test_yaml_is_read_as_dvc_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("rate: 1e-3\nflag: yes\nat: 12:30\nid: 010\n")
    assert read_yaml(file) == {"rate": 0.001, "flag": "yes", "at": "12:30", "id": 10}


TELEMETRY = "tables.telemetry."


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("tables.errors.time_format", "%Q", "is no strptime pattern"),
        ("tables.errors.time_format", "%H:%M", "leaves out a part"),
        ("tables.errors.time_format", "%d.%m. %H:%M", "leaves out a part"),
        ("tables.errors.time_format", "%d.%m.%Y %I:%M", "%I needs %p"),
        (TELEMETRY + "files", "**x.csv", "is no glob"),
        (TELEMETRY + "encoding", "utf-9", "is no text encoding"),
        (TELEMETRY + "encoding", "base64", "is no text encoding"),
        (TELEMETRY + "separator", '"', "cannot separate cells"),
        (TELEMETRY + "separator", "ö", "cannot separate cells"),
        (TELEMETRY + "sensors", {"volt": {}, "v": {"column": "volt"}}, "two sensors have the column 'volt'"),
        (TELEMETRY + "sensors", {"time": {"column": "t"}}, "no sensor can be called 'time'"),
        (TELEMETRY + "sensors", {"tag": {}, "a": {}}, "no sensor can be called 'tag'"),
        (TELEMETRY + "sensors", {"running": {}, "a": {}}, "another name and `column: running`"),
        (
            "tables.machines.attributes",
            {"model": "category", "index": "number"},
            "'index'; rename the column",
        ),
        ("windows.events", ["4h"], "windows.events must be multiples of decisions.every"),
        ("windows.events", ["1d", "24h"], "windows.events must differ"),
        ("windows.sensors", ["3h", "180min"], "windows.sensors must differ"),
        ("windows.baseline", "24h", "windows.baseline must be longer than the longest of decisions.horizons"),
        ("windows.baseline_every", "1h", "windows.baseline_every must be at least decisions.every"),
        ("decisions.horizons", ["9" * 400 + "h"], "a duration is at most"),
        ("costs.failure", float("inf"), "costs.failure: Input should be a finite number"),
    ],
)
def test_what_cannot_be_is_refused_before_any_table_is_read(key: str, value: Any, said: str) -> None:
    assert said in refused(change(key, value))


@pytest.mark.parametrize(
    "pattern",
    ["%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%Y-%m", "%Y%j", "%d %b %y %H:%M:%S.%f", "%Y-%m-%dT%H:%M%z"],
)
def test_time_formats_of_real_exports(pattern: str) -> None:
    assert validate(Dataset, change("tables.errors.time_format", pattern), FILE).tables.errors
