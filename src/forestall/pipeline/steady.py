"""Whether what a stage declares is there, is the code that runs, and stayed as it was meanwhile.

DVC hashes deps when a stage has ended: what was edited meanwhile would stand in dvc.lock as what made the outputs.
`interpreter` imports this before anything else of the library is read, and `stage` asks at the end.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from forestall.errors import ForestallError

PARAMS = "params.yaml"
PIPELINES = {"src": "dvc.yaml", "studies": "studies/dvc.yaml"}
DATASET = "${data.dataset}"
THIS = "src/forestall/pipeline/steady.py"

Stamp = tuple[int, int, int]


def stamps(script: Path) -> dict[str, Stamp]:
    """Time, size and inode of every file that the script's stages declare, as far as it is there."""
    files = (file for path in declared(script) for file in _files(Path(path)))
    return {str(file): _stamp(file) for file in files}


def declared(script: Path) -> list[str]:
    """The deps and files of params of the stages that run a script; none where no dvc.yaml here runs it."""
    pipeline = _yaml(Path(PIPELINES.get(script.parent.name, "")))
    every = (pipeline.get("stages") or {}).values()
    found = {path for stage in every if f"python {script}" in str(stage.get("cmd")) for path in _paths(stage)}
    name = str((_yaml(Path(PARAMS)).get("data") or {}).get("dataset")) if found else ""
    return sorted(path.replace(DATASET, name) for path in found)


def require() -> None:
    """Ask for all that the stage declares, which DVC does only for what no stage makes.

    Raises:
        ForestallError: something is not there, or another copy of the library runs than the declared one.
    """
    paths = declared(Path(sys.argv[0]))
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        raise ForestallError(
            f"{', '.join(missing)}: not here. `dvc pull` brings what was pushed, `dvc repro` makes what a stage makes; "
            "`forestall missing` says more."
        )
    if THIS in paths and not Path(THIS).samefile(__file__):
        raise ForestallError(
            f"the library in {Path(__file__).parents[2]} runs, not the one in src/ that the stage declares. "
            "Unset PYTHONSAFEPATH, or whatever else keeps the script's folder from Python's path."
        )


def check() -> None:
    """Compare with what was there when this was imported.

    Raises:
        ForestallError: a file that the stage is made of was changed, added or removed.
    """
    now = stamps(Path(sys.argv[0]))
    edited = sorted(path for path in BEFORE.keys() | now.keys() if BEFORE.get(path) != now.get(path))
    if edited:
        others = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
        raise ForestallError(
            f"{edited[0]}{others} changed while this ran, so that it was made of neither state. Run it again."
        )


def _paths(stage: dict[str, Any]) -> Iterator[str]:
    yield PARAMS
    yield from (dep for dep in stage.get("deps") or [] if isinstance(dep, str))
    for entry in stage.get("params") or []:
        if isinstance(entry, dict):
            yield from entry


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    elif path.is_file():
        yield path


def _stamp(file: Path) -> Stamp:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _yaml(file: Path) -> dict[str, Any]:
    """A file's mapping; empty where there is none: who runs the stage has read it before."""
    try:
        content = YAML(typ="safe").load(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (YAMLError, UnicodeDecodeError):
        content = None
    return content if isinstance(content, dict) else {}


BEFORE = stamps(Path(sys.argv[0]))
