"""A stage gets what it declared and nothing else; its errors are one message."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from forestall.errors import SettingsError
from forestall.pipeline import stage

ROOT = Path(__file__).parents[2]
SCRIPT = """
from forestall.errors import ForestallError
from forestall.pipeline import stage
def main():
    {body}
stage.run(main)
"""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with params.yaml and its dataset file, as the current one."""
    (tmp_path / "data/raw").mkdir(parents=True)
    for name in ("params.yaml", "data/raw/simulated.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_script(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """Run a script `demo.py` that is a stage with this body."""
    (folder / "demo.py").write_text(SCRIPT.format(body=body), encoding="utf-8")
    return subprocess.run([sys.executable, "demo.py"], cwd=folder, capture_output=True, text=True)


def test_declared_sections_are_there(plant: Path) -> None:
    settings = stage.load(params=["train"], dataset=["clock", "tables"])
    assert settings.params.train.family == "extra_trees"
    assert settings.dataset.interval == settings.dataset.ticks("1h") == 3600


def test_undeclared_sections_are_not(plant: Path) -> None:
    settings = stage.load(params=["train"], dataset=["clock"])
    with pytest.raises(AttributeError, match="alarm"):
        _ = settings.params.alarm
    with pytest.raises(AttributeError, match="costs"):
        _ = settings.dataset.costs


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("params.yaml", "alarm.quiet=0", "params.yaml: alarm.quiet: "),
        ("params.yaml", "data.dataset=nowhere", "data/raw/nowhere.yaml: no such file"),
        ("data/raw/simulated.yaml", "costs.failure=0", "data/raw/simulated.yaml: costs.failure: "),
    ],
)
def test_all_settings_are_checked_before_any_work(plant: Path, file: str, change: str, message: str) -> None:
    apply_overrides(plant / file, [change])
    with pytest.raises(SettingsError, match=message):
        stage.load(params=["prepare"], dataset=["clock"])


def test_a_stage_without_sections_of_the_dataset_file_does_not_look_at_it(plant: Path) -> None:
    (plant / "data/raw/simulated.yaml").unlink()
    settings = stage.load(params=["simulate"], dataset=[])
    assert settings.params.simulate.seed
    with pytest.raises(AttributeError, match="clock"):
        _ = settings.dataset.clock


def test_an_undeclared_section_says_what_to_declare(plant: Path) -> None:
    result = run_script(plant, 'stage.load(params=[], dataset=["clock"]).dataset.costs')
    assert result.returncode == 1 and "Declare 'costs' in the stage's stage.load(...)" in result.stderr


def test_an_error_is_one_message(tmp_path: Path) -> None:
    result = run_script(tmp_path, 'raise ForestallError("a.csv, row 3: no time. Correct it.")')
    assert (result.returncode, result.stderr) == (1, "demo: a.csv, row 3: no time. Correct it.\n")


@pytest.mark.parametrize(
    ("number", "todo"), [("ENOSPC", "Free some disk space"), ("EACCES", "the right to it")]
)
def test_what_the_system_refuses_is_one_message(tmp_path: Path, number: str, todo: str) -> None:
    result = run_script(tmp_path, f'import errno; raise OSError(errno.{number}, "no", "data/x.parquet")')
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1
    assert "data/x.parquet" in result.stderr and todo in result.stderr


def test_a_defect_keeps_its_traceback(tmp_path: Path) -> None:
    result = run_script(tmp_path, "1 / 0")
    assert result.returncode == 1 and "ZeroDivisionError" in result.stderr


def test_progress_is_sparse_in_logs(tmp_path: Path) -> None:
    result = run_script(tmp_path, "[stage.progress(f'step {n}') for n in range(1000)]")
    lines = result.stderr.splitlines()
    assert result.returncode == 0 and result.stdout == ""
    assert lines[0] == "step 0" and len(lines) == 2 and lines[1].startswith("demo: ")


def test_what_a_person_interrupts_is_said_without_a_traceback(plant: Path) -> None:
    body = (
        "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler); "  # as nohup takes it away
        "signal.raise_signal(signal.SIGINT); time.sleep(60)"
    )
    result = run_script(plant, body)
    assert result.returncode == 130
    assert result.stderr == "demo: interrupted. `dvc repro` runs it again.\n"
