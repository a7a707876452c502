"""What differs between two revisions besides their scores, read from their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from forestall.comparison import changes
from forestall.comparison.changes import Changes
from forestall.comparison.factors import ENVIRONMENT_LOCK
from forestall.pipeline.params import PARAMS
from forestall.pipeline.revisions import Revision, RevisionError, git
from forestall.pipeline.side import PREPARED, Side

CODE = ("src", "dvc.yaml")


def changes_of(base: Side, head: Side, root: Path) -> Changes:
    """All that differs; a file that cannot be read is left out on both sides, and among the sides' problems."""
    pinned = (changes.packages(side.revision.text(ENVIRONMENT_LOCK) or "") for side in (base, head))
    params, files = ([_readable(side, path) for side in (base, head)] for path in (_params, _dataset))
    data = [_data(side, file or {}) for side, file in zip((base, head), files, strict=True)]
    return Changes(
        params=_differing(params, "") | _differing(files, "dataset"),
        data=changes.differing(*data),
        code=changed_code(base.revision, head.revision, root),
        packages=changes.differing(*pinned),
        stages=changes.stage_changes(base.lock, head.lock),
    )


def changed_code(base: Revision, head: Revision, root: Path) -> list[str]:
    """Files of code that differ; in the workspace those that Git does not know yet, too."""
    ends = [one.commit for one in (base, head) if one.commit is not None]
    if not ends:
        return []
    found = _names(root, "diff", "--name-only", "--no-renames", "--relative", *ends)
    if len(ends) == 1:
        found += _names(root, "ls-files", "--others", "--exclude-standard")
    return sorted(found)


def _names(root: Path, *words: str) -> list[str]:
    return [name for name in git(root, *words, "-z", "--", *CODE).stdout.split("\0") if name]


def _params(side: Side) -> dict[str, Any]:
    return side.mapping(str(PARAMS))


def _dataset(side: Side) -> dict[str, Any]:
    return side.mapping(side.dataset_file)


def _readable(side: Side, read: Callable[[Side], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return read(side)
    except RevisionError as error:
        side.add(str(error))
        return None


def _differing(both: list[dict[str, Any] | None], beginning: str) -> changes.Pairs:
    """Keys that differ between two files' contents; nothing if one could not be read."""
    before, after = both
    if before is None or after is None:
        return {}
    return changes.differing(changes.flat(before, beginning), changes.flat(after, beginning))


def _data(side: Side, file: dict[str, Any]) -> changes.Flat:
    """What metrics/data.json says of the tables, their columns, and the hash of what was made of them."""
    sensors: Any = file
    for part in ("tables", "telemetry", "sensors"):
        sensors = sensors.get(part) if isinstance(sensors, dict) else None
    columns = {"sensors": ", ".join(map(str, sensors))} if isinstance(sensors, dict) else {}
    return side.figures("metrics/data.json") | columns | {PREPARED: changes.output_hash(side.lock, PREPARED)}
