"""The dashboard has the types that Grafana declares; a wrong field, kind, word or number is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forestall.monitoring.dashboard.board import dashboard_text

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".venv/grafana/node_modules"
TYPES = ROOT / ".ci/grafana/dashboard_types.ts"
OPTIONS = "--noEmit --strict --skipLibCheck --target es2022 --module nodenext --moduleResolution nodenext"
Json = dict[str, Any]


def said_of(boards: dict[str, Json], folder: Path) -> dict[str, list[str]]:
    """Of each, the lines that TypeScript's compiler says are wrong, and what it says."""
    if not INSTALLED.is_dir() or shutil.which("node") is None:
        pytest.fail("Grafana's types are not installed: run .ci/services")
    (folder / "node_modules").symlink_to(INSTALLED)
    shutil.copy(TYPES, folder)
    names = {f"board{number}": name for number, name in enumerate(boards)}
    texts = {file: as_typescript(boards[name]) for file, name in names.items()}
    for file, text in texts.items():
        (folder / f"{file}.ts").write_text(text, encoding="utf-8")
    command = [
        "node",
        str(INSTALLED / "typescript/bin/tsc"),
        *OPTIONS.split(),
        *(f"{file}.ts" for file in texts),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    errors = re.findall(r"^(\w+)\.ts\((\d+),\d+\): (.*)$", done.stdout, flags=re.MULTILINE)
    assert bool(errors) == bool(done.returncode) and not done.stderr, done.stdout + done.stderr
    found: dict[str, list[str]] = {name: [] for name in boards}
    for file, number, message in errors:
        found[names[file]].append(f"{texts[file].splitlines()[int(number) - 1].strip()} {message}")
    return found


def as_typescript(board: Json) -> str:
    """JSON is an expression of TypeScript: it is checked to its fields and words, unlike an imported file."""
    text = f"import type {{ Dashboard }} from './{TYPES.stem}';\nexport const it: Dashboard = "
    return text + json.dumps(board, indent=1)


def of(look: str, *path: str | int) -> Callable[[Json], Any]:
    """Part of the first panel of a kind."""

    def found(board: Json) -> Any:
        part = next(one for one in board["panels"] if one["type"] == look)
        for step in path:
            part = part[step]
        return part

    return found


def whole(board: Json) -> Json:
    return board


DEFAULTS = ("fieldConfig", "defaults")
WRONG: dict[str, tuple[Callable[[Json], Any], str, Any]] = {
    "a field of the dashboard": (whole, "panel", []),
    "a text for a number": (whole, "schemaVersion", "42"),
    "a number that is none of the few": (whole, "graphTooltip", 3),
    "a kind of panel": (of("timeseries"), "type", "graph"),
    "a field of a panel": (of("timeseries"), "nullPointMode", "null"),
    "an option of another kind of panel": (of("timeseries", "options"), "colorMode", "value"),
    "an option's word": (of("stat", "options"), "graphMode", "bars"),
    "a curve's word": (of("timeseries", *DEFAULTS, "custom"), "drawStyle", "lines"),
    "a curve's field in a table": (of("table", *DEFAULTS, "custom"), "drawStyle", "line"),
    "a cell's word": (of("table", *DEFAULTS, "custom", "cellOptions"), "type", "colour"),
    "a scheme of colours": (of("stat", *DEFAULTS, "color"), "mode", "palette"),
    "a threshold's value": (of("stat", *DEFAULTS, "thresholds", "steps", 0), "value", "0"),
    "a place of the legend": (of("timeseries", "options", "legend"), "placement", "left"),
    "a field of a query": (of("timeseries", "targets", 0), "legend", "x"),
    "a source of data by its number": (of("timeseries", "datasource"), "uid", "P1809F7CD0C75ACF3"),
    "a query of a row": (of("row"), "targets", []),
    "a kind of variable": (lambda board: board["templating"]["list"][0], "type", "source"),
    "an order of a variable's values": (lambda board: board["templating"]["list"][1], "sort", 11),
    "an annotation's query in its former place": (
        lambda board: board["annotations"]["list"][0],
        "expr",
        "up",
    ),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Of the dashboard and all that is made wrong in it, in one run of the compiler."""
    boards = {name: json.loads(dashboard_text()) for name in ("right", "an option too few", *WRONG)}
    del of("stat", "options")(boards["an option too few"])["reduceOptions"]
    for name, (part, field, value) in WRONG.items():
        part(boards[name])[field] = value
    return said_of(boards, tmp_path_factory.mktemp("types"))


@pytest.mark.slow
def test_the_dashboard_is_accepted(said: dict[str, list[str]]) -> None:
    assert said["right"] == []


@pytest.mark.slow
def test_an_option_too_few_is_refused(said: dict[str, list[str]]) -> None:
    assert "Property 'reduceOptions' is missing" in said["an option too few"][0]


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_where_it_stands(name: str, said: dict[str, list[str]]) -> None:
    assert any(one.startswith(f'"{WRONG[name][1]}":') for one in said[name]), said[name]
