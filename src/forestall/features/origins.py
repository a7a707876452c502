"""Rolling origins: what the pipeline would have made of the data if they had ended earlier.

Everything is computed again from the history up to that end, the reference too, so that an origin knows nothing of
what came after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.features import build
from forestall.features.labels import VALIDATION, fold_ends
from forestall.features.reference import Matrix, Reference

Checked = TypeVar("Checked", bound=BaseModel)
FOLD, COUNT = (
    "45d",
    3,
)  # what each origin validates on and is judged on, and how many there are before the test fold


def rolling(dataset: Dataset, last: Mapping[str, int]) -> dict[str, tuple[Dataset, int]]:
    """By name, each origin's dataset with its folds and its end: three that end before the test fold, and `all`."""
    end = max(last.values())
    ends = origin_ends(fold_ends(end, dataset)[VALIDATION], dataset.ticks(FOLD), COUNT)
    folded = with_split(dataset, FOLD, FOLD)
    return {str(number + 1): (folded, at) for number, at in enumerate(ends)} | {"all": (dataset, end)}


def origin_ends(end: int, step: int, count: int) -> list[int]:
    """The ends of `count` origins, `step` ticks apart, the last of them at `end`; rising."""
    return [end - step * number for number in reversed(range(count))]


def with_split(dataset: Dataset, validation: str, test: str, horizon: str | None = None) -> Dataset:
    """The dataset with other folds by time and, perhaps, another horizon with a gap as long."""
    split = {"validation": validation, "test": test}
    if horizon is None:
        return dataset.model_copy(update={"split": _changed(dataset.split, split)})
    split["gap"] = horizon
    decisions = _changed(dataset.decisions, {"horizons": [horizon]})
    return dataset.model_copy(update={"split": _changed(dataset.split, split), "decisions": decisions})


def _changed(section: Checked, values: Mapping[str, object]) -> Checked:
    """The section with other values, checked."""
    return type(section).model_validate({**section.model_dump(), **values})


def events_until(events: Events, end: int) -> Events:
    """The events known at `end`; the machines stay."""
    frames = {
        name: frame[frame["start" if name == "downtime" else "time"] <= end]
        for name, frame in vars(events).items()
        if name != "machines"
    }
    return Events(machines=events.machines, **frames)


def last_until(last: Mapping[str, int], end: int) -> dict[str, int]:
    """The time of each machine's last reading, as known at `end`."""
    return {machine: min(time, end) for machine, time in last.items()}


def until(chunks: build.Chunks, end: int) -> build.Chunks:
    """The telemetry known at `end`."""

    def known() -> Iterator[pd.DataFrame]:
        for frame in chunks():
            before = frame[frame["time"] <= end]
            if len(before):
                yield before

    return known


def features_at(
    chunks: build.Chunks, events: Events, dataset: Dataset, groups: tuple[str, ...], max_codes: int, end: int
) -> tuple[Reference, pd.DataFrame, Matrix]:
    """The reference, the decisions and the features [rows, features] as the pipeline makes them of data until `end`."""
    known, events = until(chunks, end), events_until(events, end)
    reference = build.fit_reference(known, events, dataset, groups, max_codes, end)
    parts = list(build.parts(known, events, dataset, reference, end))
    decisions = pd.concat([part.decisions for part in parts], ignore_index=True)
    return reference, decisions, np.concatenate([part.features for part in parts])
