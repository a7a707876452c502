"""The small tables of a plant, and what the dataset file says of its components and failures.

Every frame has the columns of its table: `machine`, `time` in ticks, `code` or `component`, …
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from forestall.data.cells import one_of
from forestall.data.dataset import Dataset
from forestall.data.tables import LastRow


@dataclass(frozen=True)
class Events:
    """The small tables of a plant; absent ones are empty frames."""

    errors: pd.DataFrame
    maintenance: pd.DataFrame
    failures: pd.DataFrame
    machines: pd.DataFrame
    downtime: pd.DataFrame


def absent_pairs(machines: pd.DataFrame, dataset: Dataset) -> set[tuple[str, str]]:
    """The (machine, component) pairs that do not exist, by `absent_on`."""
    pairs: set[tuple[str, str]] = set()
    for name, component in dataset.components.items():
        for attribute, values in component.absent_on.items():
            lacking = one_of(machines[attribute], values)
            pairs |= {(machine, name) for machine in machines.loc[lacking, "machine"]}
    return pairs


def is_last_row(dataset: Dataset) -> LastRow | None:
    """The rule by which failures are the ends of histories, if that is how this plant records them."""
    failures = dataset.tables.failures
    return failures if isinstance(failures, LastRow) else None
