"""The features that one revision's model wants, computed by this code from another revision's tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from forestall.comparison.paired import same_decisions
from forestall.data import store
from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.features import build, matrix
from forestall.features.baselines import own_baselines
from forestall.features.history import Spans, spans_of
from forestall.features.reference import Matrix, Reference
from forestall.pipeline.revisions import NotComparableError

GRID = ("interval", "every", "offset")


def features_for(
    reference: Reference,
    prepared: Path,
    dataset: Dataset,
    known: tuple[Events, dict[str, int]],
    at: pd.DataFrame,
) -> Matrix:
    """The features of a model with that reference at some decisions of these tables, [rows, features].

    Args:
        prepared, dataset, known: the tables, what they mean, their events and last readings. at: machine and time.

    Raises:
        NotComparableError: the model cannot be asked about these tables.
    """
    events, last = known
    end = max(last.values())
    _check(reference, dataset)

    def chunks() -> store.Frames:
        return store.read_telemetry(prepared, dataset.clock)

    _check_features(reference, chunks, events, dataset, end)
    parts = list(build.parts(chunks, events, dataset, reference, end))
    rows = pd.concat([part.decisions for part in parts], ignore_index=True)
    if not same_decisions(rows[["machine", "time"]], at[["machine", "time"]]):
        raise NotComparableError(
            "this code makes other decisions of head's tables than head did; run `dvc repro`"
        )
    return np.concatenate([part.features for part in parts])


def _check(reference: Reference, dataset: Dataset) -> None:
    """Raise if the model wants what these tables do not have."""
    for what in _differing(reference, dataset):
        raise NotComparableError(what)


def _differing(reference: Reference, dataset: Dataset) -> Iterator[str]:
    telemetry, machines = dataset.tables.telemetry, dataset.tables.machines
    own, theirs = set(reference.sensors), set(telemetry.sensors)
    if reference.sensors != tuple(telemetry.sensors):
        named = ", ".join(sorted(own ^ theirs)) or "their order"
        yield f"the sensors differ ({named}), and base's model needs its own"
    if reference.conditions != telemetry.conditions:
        yield "the operating conditions differ, and base's model needs its own"
    if reference.unit != dataset.clock.unit:
        yield f"the clocks differ ({reference.unit} and {dataset.clock.unit})"
    if _grid(reference.spans) != _grid(spans_of(dataset)):
        yield "the times of decisions differ (`decisions.every`, `decisions.offset` or the interval of the telemetry)"
    wanted = {*reference.attributes, *reference.categories}
    if missing := wanted - set(machines.attributes if machines else {}):
        yield f"base's model needs the machines' {', '.join(sorted(missing))}, which head's tables do not have"


def _grid(spans: Spans) -> list[int]:
    return [getattr(spans, name) for name in GRID]


def _check_features(
    reference: Reference, chunks: build.Chunks, events: Events, dataset: Dataset, end: int
) -> None:
    """Raise if this code computes other features than the model was fitted on; one machine tells."""
    frame = next(chunks())
    if missing := set(reference.sensors) - set(frame):
        raise NotComparableError(f"head's tables lack {', '.join(sorted(missing))}; run `dvc repro`")
    one = frame[frame["machine"] == frame["machine"].iloc[0]]
    history = next(build.histories(lambda: iter([one]), events, dataset, end))
    own = own_baselines(history, reference.spans, reference.condition_places)
    names = [feature.name for feature in matrix.raw_features(history, own, reference)[0]]
    wanted = [feature.name for feature in reference.features]
    if names != wanted:
        odd = sorted(set(names) ^ set(wanted)) or ["their order"]
        more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
        raise NotComparableError(
            f"this code computes other features than base's model wants ({', '.join(odd[:3])}{more})"
        )
