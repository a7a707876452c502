"""What the seed of a fit does to the cost, as the study of seeds measured it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from forestall.evaluation.tables import COST
from forestall.features.labels import VALIDATION
from forestall.pipeline.recorded import table_of
from forestall.pipeline.revisions import Workspace
from forestall.pipeline.side import Side

SEEDS = Path("studies/results/seeds.json")


def seed_spread(root: Path, fold: str = VALIDATION) -> float | None:
    """The standard deviation of a fold's cost over seeds, as the study measured it."""
    return _spread_in(Workspace(root).text(SEEDS.as_posix()), fold)


def seed_spreads(base: Side, head: Side, root: Path, fold: str) -> list[float | None]:
    """The spread that base and head have, one where they are equal; the workspace's if neither has any."""
    own = [_spread_in(side.revision.text(SEEDS.as_posix()), fold) for side in (base, head)]
    known = [one for one in dict.fromkeys(own) if one is not None]
    return [*known] or [seed_spread(root, fold)]


def two_spreads(base: Side, head: Side, spreads: list[float | None]) -> Iterator[str]:
    """What to know where the spread differs."""
    if len(spreads) > 1:
        before, after = spreads
        yield (
            f"The spread over seeds differs ({before:.3g} in {base.revision.name}, {after:.3g} in "
            f"{head.revision.name}): the word is the one of both that is less favourable to {head.revision.name}."
        )


def spread_note(root: Path, head: Side, failures: float | None, fold: str) -> Iterator[str]:
    """What to know of the spread over seeds if it is that of another model or, as far as can be told, of other data.

    Args:
        failures: in the fold that is judged.
    """
    todo = "`dvc repro studies/dvc.yaml:seeds` measures it; until then the interval may be too narrow."
    table = table_of(Workspace(root).text(SEEDS.with_suffix(".csv").as_posix()), ["fold", "failures"])
    if seed_spread(root, fold) is None or table is None:
        yield f"The spread over seeds is not known: {todo}"
        return
    seen = pd.to_numeric(table.loc[table["fold"] == fold, "failures"], errors="coerce").max()
    study = _content(Workspace(root).text(SEEDS.as_posix()))
    measured = {"dataset": study.get("dataset"), "family": study.get("family"), "failures": seen}
    judged = {"dataset": head.dataset_name, "family": head.params.train.family, "failures": failures}
    other = [
        f"{name} {measured[name]}, not {judged[name]}" for name in measured if measured[name] != judged[name]
    ]
    if other:
        yield f"The spread over seeds was measured elsewhere ({'; '.join(other)}): {todo}"


def _spread_in(text: str | None, fold: str) -> float | None:
    spread = _content(text).get(fold, {}).get(COST)
    return float(spread) if spread is not None else None


def _content(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError:  # half merged, say: as good as none
        return {}
    return found if isinstance(found, dict) else {}
