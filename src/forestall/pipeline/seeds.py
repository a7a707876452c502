"""What the seed of a fit does to the cost, as the study of seeds measured it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from forestall.evaluation.tables import COST
from forestall.features.labels import VALIDATION
from forestall.pipeline.recorded import table_of
from forestall.pipeline.revisions import Workspace

SEEDS = Path("studies/results/seeds.json")


def seed_spread(root: Path) -> float | None:
    """The standard deviation of the validation fold's cost over seeds, as the study measured it."""
    file = root / SEEDS
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError:  # half merged, say: as good as none
        return None
    spread = found.get(VALIDATION, {}).get(COST)
    return float(spread) if spread is not None else None


def spread_note(root: Path, failures: float | None) -> Iterator[str]:
    """What to know of the spread over seeds if it is not that of these data, as far as failures tell.

    Args:
        failures: in the validation fold that is judged.
    """
    todo = "`dvc repro studies/dvc.yaml:seeds` measures it; until then the interval may be too narrow."
    table = table_of(Workspace(root).text(SEEDS.with_suffix(".csv").as_posix()), ["fold", "failures"])
    if seed_spread(root) is None or table is None:
        yield f"The spread over seeds is not known: {todo}"
        return
    seen = pd.to_numeric(table.loc[table["fold"] == VALIDATION, "failures"], errors="coerce").max()
    if seen != failures:
        yield (
            f"The spread over seeds was measured on other data ({seen:.0f} failures in its validation fold, "
            f"not {failures or 0:.0f}): {todo}"
        )
