"""`forestall …`, run in a real temporary repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from forestall.cli import main, parser
from forestall.data.dataset import Dataset
from forestall.data.settings import read_yaml, validate
from forestall.pipeline.show import COST, costs, scores, verdict
from tests import plant

ROOT = Path(__file__).parents[2]
TABLES = (
    "telemetry/2024-01.csv",
    "errors.csv",
    "maintenance.csv",
    "failures.csv",
    "machines.csv",
    "downtime.csv",
)
PERHAPS = "Not dearer than the model on this dataset, if not surely cheaper: one-line rule. It is simpler."


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git and DVC repository with a dataset file `mine`, as the current folder."""
    folder = tmp_path / "repository"
    (folder / "data/raw").mkdir(parents=True)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    shutil.copyfile(ROOT / "data/raw/simulated.yaml", folder / "data/raw/mine.yaml")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
    return folder


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder with the tables that the dataset file names, and one more file."""
    folder = tmp_path / "export"
    for name in (*TABLES, "telemetry/readme.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("machine,time\n", encoding="utf-8")
    return folder


def test_dataset_add_copies_the_named_tables_under_dvc(repository: Path, tables: Path) -> None:
    assert main(["dataset", "add", "mine", str(tables)]) == 0
    target = repository / "data/raw/mine"
    assert sorted(f.relative_to(target).as_posix() for f in target.rglob("*.*")) == sorted(TABLES)
    assert (repository / "data/raw/mine.dvc").is_file()


def test_dataset_add_does_not_overwrite(
    repository: Path, tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "data/raw/mine").mkdir()
    assert main(["dataset", "add", "mine", str(tables)]) == 1
    assert "Remove it first: rm -r data/raw/mine" in capsys.readouterr().err


def test_what_it_says_of_tables_under_dvc_helps(
    repository: Path, tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dataset", "add", "mine", str(tables)]) == 0
    assert main(["dataset", "add", "mine", str(tables)]) == 1
    command = capsys.readouterr().err.partition("Remove it first: ")[2].split()
    subprocess.run([sys.executable, "-m", *command], check=True, cwd=repository)
    assert main(["dataset", "add", "mine", str(tables)]) == 0


def test_dataset_add_names_the_missing_table(
    repository: Path, tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tables / "failures.csv").unlink()
    assert main(["dataset", "add", "mine", str(tables)]) == 1
    assert "failures.csv" in capsys.readouterr().err
    assert not (repository / "data/raw/mine").exists()


def test_dataset_add_needs_the_dataset_file(
    repository: Path, tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dataset", "add", "other", str(tables)]) == 1
    assert "data/raw/other.yaml: no such file" in capsys.readouterr().err


def test_dataset_init_writes_a_valid_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = pd.date_range("2024-01-01", periods=48, freq="h").astype(str)
    telemetry = pd.DataFrame({"machine": "m1", "time": hours, "volt": [n / 10 for n in range(48)]})
    failures = pd.DataFrame({"machine": ["m1"], "time": ["2024-01-02 05:00:00"], "component": ["pump"]})
    folder, out = tmp_path / "tables", tmp_path / "mine.yaml"
    folder.mkdir()
    telemetry.to_csv(folder / "telemetry.csv", index=False)
    failures.to_csv(folder / "failures.csv", index=False)
    assert main(["dataset", "init", str(folder), "--out", str(out)]) == 0
    assert validate(Dataset, read_yaml(out), out).interval == 3600
    assert main(["dataset", "init", str(folder), "--out", str(out)]) == 1
    assert "is not overwritten" in capsys.readouterr().err


def test_show_before_a_run_says_what_to_do(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show"]) == 1
    assert capsys.readouterr().err.startswith(
        "forestall: metrics/policies.csv: no such file. Run `dvc repro`"
    )


def test_show(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "metrics").mkdir()
    model = {"fold": "test", "policy": "model", "event_recall": 0.512, COST: 3180.58}
    rule = {
        "fold": "test",
        "policy": "one_line_rule",
        "event_recall": 0.25,
        "alarm_precision": None,
        COST: 4234.2,
    }
    unseen = {"fold": "unseen", "policy": "one_line_rule", "event_recall": 0.75}
    pd.DataFrame([model, rule, unseen]).to_csv("metrics/policies.csv", index=False)
    than = {"fold": "test", "policy": "model - one_line_rule", "metric": COST, "value": -1053.6}
    pd.DataFrame([than | {"low": -1364.1, "high": 20.04}]).to_csv("metrics/intervals.csv", index=False)
    skill = {"component": "seal", "horizon": 24, "brier_skill": 0.95}
    pd.DataFrame([skill]).to_csv("metrics/calibration.csv", index=False)
    write_fleet(repository)
    shutil.copyfile(ROOT / "data/raw/simulated.yaml", repository / "data/raw/simulated.yaml")
    assert main(["show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[-2:] == ["0.512", "0.25"] for line in lines)
    assert any(line.split()[-2:] == ["-", "-"] for line in lines)
    assert "one-line rule 4,234 -1,054 (-1,364 to +20)" in [" ".join(line.split()) for line in lines]
    assert "The model is not surely cheaper than: one-line rule." in lines
    assert any(line.startswith("Too good to be foresight: seal") for line in lines)
    machines = [line.split()[0] for line in lines if "%" in line and "95 %" not in line]
    assert machines == ["0012"] + [f"m{number}" for number in range(9)]
    assert lines[-1].endswith("source .venv/bin/activate")


@pytest.mark.parametrize(
    ("rule", "low", "high", "said"),
    [
        (90.0, 5.0, 15.0, ["Cheaper than the model on this dataset: one-line rule. Use it."]),
        (99.0, -1.0, 3.0, [PERHAPS]),
        (100.0, 0.0, 0.0, [PERHAPS]),
        (101.0, -7.0, 5.0, ["The model is not surely cheaper than: one-line rule."]),
        (101.0, -1.5, -0.5, []),
    ],
)
def test_show_says_when_the_rule_is_better(rule: float, low: float, high: float, said: list[str]) -> None:
    policies = {"model": {COST: 100.0}, "one_line_rule": {COST: rule}, "as_run": {COST: 120.0}}
    policies["perfect_foresight"] = {COST: 10.0}
    assert verdict(policies, {"one_line_rule": {"low": low, "high": high}, "as_run": {"high": -9.0}}) == said


def test_without_an_interval_nothing_is_sure() -> None:
    policies = {"model": {COST: 100.0}, "one_line_rule": {COST: 101.0}, "fixed_interval": {COST: 120.0}}
    said = ["The model is not surely cheaper than: fixed interval, one-line rule."]
    assert verdict(policies, {}) == said


def test_a_policy_without_an_interval_shows_its_cost_alone() -> None:
    lines = costs({"model": {COST: 100.0}, "as_run": {COST: 120.0}}, {}).splitlines()
    assert ["plant", "as", "run", "120"] in [line.split() for line in lines]
    assert ["fixed", "interval", "-"] in [line.split() for line in lines]


def write_fleet(folder: Path) -> None:
    """Predictions in which machine 0012 comes first, for its seal, and one machine has no risk."""
    rows: list[dict[str, object]] = [
        {"machine": f"m{number}", "component": "motor", "risk": 0.5 - number / 100, "reasons": "hot"}
        for number in range(12)
    ]
    rows += [
        {"machine": "0012", "component": "motor", "risk": 0.1},
        {"machine": "0012", "component": "seal", "risk": 0.9, "reasons": "wet " * 80},
        {"machine": "gone", "component": "seal", "status": "no opinion: stale"},
    ]
    (folder / "data/predictions").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / "data/predictions/fleet.csv", index=False)


def test_lead_times_are_shown_in_the_clocks_unit() -> None:
    policies = {"model": {"lead_time_median_h": 17.0}}
    assert "median lead time, cycles" in scores(policies, "cycles")
    assert "median lead time, h " in scores(policies, "h")


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    for file, said in ((tmp_path, "Is a directory"), (tmp_path / "none/a.json", "there is no folder")):
        assert main(["compare", "HEAD", "HEAD", "--json", str(file)]) == 1
        assert f"{file} cannot be written: {said}" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("end", "code", "says"),
    [("/dev/full", 1, "forestall: [Errno 28] No space left on device\n"), (None, 0, "")],
)
def test_output_that_nobody_takes_ends_without_a_traceback(
    tables: Path, end: str | None, code: int, says: str
) -> None:
    command = [sys.executable, "-c", "from forestall.cli import main; raise SystemExit(main())"]
    command += ["dataset", "init", str(tables_of_a_plant(tables))]
    if end is None:
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open(end, os.O_WRONLY)
    run = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (run.returncode, run.stderr) == (code, says)


def tables_of_a_plant(folder: Path) -> Path:
    """Telemetry from which a dataset file can be proposed."""
    frame = plant.telemetry(days=30).drop(columns="running")
    frame.assign(time=pd.to_datetime(frame["time"], unit="s")).to_csv(folder / "sensors.csv", index=False)
    for name in TABLES:
        (folder / name).unlink()
    return folder


def test_the_default_model_is_what_was_promoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parser().parse_args(["serve"]).bundle == Path("models/bundle")
    (tmp_path / "models/served/releases/one").mkdir(parents=True)
    (tmp_path / "models/served/champion").symlink_to("releases/one")
    assert parser().parse_args(["serve"]).bundle == Path("models/served/champion")
