"""What was edited while a stage ran is not recorded as what made its outputs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.clones import ROOT

STAGES = """
stages:
  demo:
    cmd: python src/demo.py
    deps: [src/demo.py, data/prepared]
    params:
      - train
      - data/raw/${data.dataset}.yaml:
          - clock
"""
SCRIPT = """
import forestall.pipeline.interpreter
from pathlib import Path
from forestall.pipeline import stage
def main():
    {body}
stage.run(main)
"""


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    for folder in ("src", "data/raw", "data/prepared"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("params.yaml", "data/raw/simulated.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "dvc.yaml").write_text(STAGES, encoding="utf-8")
    (tmp_path / "data/prepared/a.csv").write_text("a\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, body: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    (folder / "src/demo.py").write_text(SCRIPT.format(body=body), encoding="utf-8")
    command = [sys.executable, "src/demo.py"]
    variables = os.environ | (environment or {})
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=variables)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("Path('src/demo.py').open('a').write('#')", "src/demo.py"),
        ("Path('params.yaml').open('a').write('# ')", "params.yaml"),
        ("Path('data/raw/simulated.yaml').unlink()", "data/raw/simulated.yaml"),
        ("Path('data/prepared/b.csv').touch()", "data/prepared/b.csv"),
        ("[Path(f'data/prepared/{n}.csv').touch() for n in 'bcd']", "data/prepared/b.csv and 2 more"),
    ],
)
def test_what_changed_meanwhile_is_named_and_nothing_recorded(body: str, named: str, plant: Path) -> None:
    code, said = run(plant, body)
    assert code == 1
    assert (
        said == f"demo: {named} changed while this ran, so that it was made of neither state. Run it again.\n"
    )


@pytest.mark.parametrize(
    "body", ["Path('data/raw/other.yaml').touch()", "Path('metrics.json').touch()", "pass"]
)
def test_what_it_does_not_declare_may_change(body: str, plant: Path) -> None:
    code, said = run(plant, body)
    assert code == 0, said


def test_what_is_not_there_is_said_before_any_work(plant: Path) -> None:
    shutil.rmtree(plant / "data/prepared")
    code, said = run(plant, "raise SystemExit('it began')")
    assert code == 1
    assert said.startswith("demo: data/prepared: not here. `dvc pull` brings what was pushed, ")


def test_the_library_that_runs_is_the_declared_one(plant: Path) -> None:
    shutil.copytree(ROOT / "src/forestall", plant / "src/forestall")
    shutil.copytree(ROOT / "requirements", plant / "requirements")
    dvc_yaml = STAGES.replace("data/prepared]", "data/prepared, src/forestall/pipeline/steady.py]")
    (plant / "dvc.yaml").write_text(dvc_yaml, encoding="utf-8")
    assert run(plant, "pass")[0] == 0
    code, said = run(
        plant, "raise SystemExit('it began')", {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(ROOT / "src")}
    )
    assert code == 1
    assert said.startswith(
        f"demo: the library in {ROOT / 'src'} runs, not the one in src/ that the stage declares. "
    )
