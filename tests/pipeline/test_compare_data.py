"""`forestall compare` where the data differ: new rows, another dataset, components and sensors; and DVC experiments."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forestall.comparison.paired import cost_of
from forestall.comparison.report import Report
from forestall.features.labels import TEST
from forestall.pipeline.compare import compare
from forestall.pipeline.resolve import revision
from tests.pipeline.clones import command, repro, set_values
from tests.pipeline.repository import first_run, git, notes_of

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main has run."""
    return first_run(tmp_path_factory.mktemp("project"))


def against_main(folder: Path, head: str = "workspace") -> Report:
    return compare(revision("main", folder), revision(head, folder), folder)


def cost(report: Report) -> dict[str, Any]:
    return asdict(cost_of(report.figures["validation"]))


def brought(
    folder: Path, name: str, change: Callable[[Path], None], values: dict[str, object], drop: str
) -> None:
    """A dataset of that name: the simulated tables, changed, under DVC; its file without one of its parts."""
    from ruamel.yaml import YAML

    tables = shutil.copytree(folder / "data/raw/simulated", folder / f"data/raw/{name}")
    change(tables)
    yaml = YAML()
    content = yaml.load((folder / "data/raw/simulated.yaml").read_text(encoding="utf-8"))
    *way, last = drop.split(".")
    part = content
    for key in way:
        part = part[key]
    del part[last]
    with (folder / f"data/raw/{name}.yaml").open("w", encoding="utf-8") as out:
        yaml.dump(content, out)
    done = command(folder, "dvc", "add", f"data/raw/{name}")
    assert done.returncode == 0, done.stdout
    set_values(folder, "params.yaml", {"data.dataset": name, **values})


def without_seals(tables: Path) -> None:
    for name in ("failures", "maintenance"):
        frame = pd.read_csv(tables / f"{name}.csv", dtype=str)
        frame[frame["component"] != "seal"].to_csv(tables / f"{name}.csv", index=False)


def without_current(tables: Path) -> None:
    for file in (tables / "telemetry").glob("*.csv"):
        pd.read_csv(file, dtype=str).drop(columns="current").to_csv(file, index=False)


def test_with_new_rows_both_are_asked_about_heads_decisions(project: Path) -> None:
    git(project, "checkout", "-qb", "more", "main")
    set_values(project, "params.yaml", {"simulate.days": 250})
    repro(project)
    report = against_main(project)
    (note,) = notes_of(report)
    assert note.startswith(
        "The data differ: main's model, too, is asked about workspace's decisions. Only workspace"
    )
    released = compare(revision("main", project), revision("workspace", project), project, TEST)
    assert notes_of(released)[0].endswith("which flatters main.")
    assert cost(report)["base"] is not None
    assert cost(report)["low"] <= cost(report)["difference"] <= cost(report)["high"]
    assert report.changes.data["data/prepared"][0] != report.changes.data["data/prepared"][1]
    assert any("rows" in name for name in report.changes.data)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "more days")


def test_of_another_dataset_the_components_that_both_know_are_compared(project: Path) -> None:
    git(project, "checkout", "-qb", "fewer", "main")
    command(project, "dvc", "checkout")
    brought(project, "fewer", without_seals, {}, "components.seal")
    repro(project)
    report = against_main(project)
    assert "The datasets differ: simulated's model is asked about fewer's machines." in report.notes
    assert "The components differ; only those that both know are compared." in report.notes
    assert cost(report)["base"] is not None
    assert report.changes.params["data.dataset"] == ("simulated", "fewer")
    assert not [row for row in report.slices if row["value"] == "seal"]
    git(project, "add", "-A")
    git(project, "commit", "-qm", "fewer parts")
    back = compare(revision("fewer", project), revision("main", project), project)
    assert cost(back)["head"] is not None
    assert not any("records a cost" in note for note in back.notes)


def test_other_sensors_are_said_and_the_rest_is_compared_as_recorded(project: Path) -> None:
    git(project, "checkout", "-qfb", "blind", "main")
    command(project, "dvc", "checkout")
    brought(project, "blind", without_current, {}, "tables.telemetry.sensors.current")
    repro(project)
    report = against_main(project)
    ruling = next(one for one in report.rulings if one.rule == "not worse than base")
    assert ruling.reason == "the sensors differ (current), and base's model needs its own"
    assert not report.passed
    assert cost(report)["base"] is not None
    assert cost(report)["low"] is None
    assert report.alarms
    assert report.changes.data["sensors"][0] != report.changes.data["sensors"][1]


def test_two_experiments_are_compared_by_name(project: Path) -> None:
    git(project, "checkout", "-qf", "main")
    command(project, "dvc", "checkout")
    for number, name in ((3, "three"), (4, "four")):
        done = command(project, "dvc", "exp", "run", "--name", name, "-S", f"train.seed={number}")
        assert done.returncode == 0, done.stdout
    report = compare(revision("three", project), revision("four", project), project)
    assert notes_of(report) == []
    assert report.changes.params == {"train.seed": (3, 4)}
    assert cost(report)["low"] is not None
