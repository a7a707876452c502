"""Machines' own baselines, as they were renewed from the stored readings, or as a bundle handed them in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from sqlalchemy import Connection, bindparam, select

from forestall.features.history import Floats
from forestall.serving.baselines import ALWAYS, known_baselines
from forestall.serving.bundle import Bundle
from forestall.serving.store.machines import known_numbers, pieces
from forestall.serving.store.readings import PACKED
from forestall.serving.store.tables import baselines

At = tuple[int, int]  # a machine's number and a renewal


def kind_of(bundle: Bundle) -> str:
    """What besides readings and events a baseline depends on, as a digest: bundles of one kind share baselines."""
    reference, spans = bundle.reference, bundle.reference.spans
    sensors = bundle.plant.dataset.tables.telemetry.sensors
    ranges = {name: sensors[name].range for name in reference.sensors}
    lengths = (
        spans.interval,
        spans.baseline,
        spans.baseline_every,
        spans.horizon,
        bundle.plant.carry_forward,
    )
    text = json.dumps([ranges, reference.conditions, lengths])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shape_of(bundle: Bundle) -> tuple[int, int]:
    """Of a machine's baseline: sensors, and level, spread and slopes."""
    return len(bundle.reference.sensors), 2 + len(bundle.reference.conditions)


def stored_baselines(
    connection: Connection, numbers: Iterable[int], times: Iterable[int], bundle: Bundle
) -> dict[At, Floats]:
    """What is stored of some machines at some renewals, each [sensors, 2 + conditions]."""
    wanted = [baselines.c.kind == kind_of(bundle), baselines.c.time.in_(list(times))]
    found: dict[At, Floats] = {}
    for some in pieces(list(numbers)):
        query = select(baselines.c.machine_id, baselines.c.time, baselines.c["values"])
        for number, time, blob in connection.execute(query.where(baselines.c.machine_id.in_(some), *wanted)):
            found[number, time] = np.frombuffer(blob, dtype=PACKED).reshape(shape_of(bundle))
    return found


def write_baselines(connection: Connection, values: Mapping[At, Floats], bundle: Bundle) -> None:
    """Store baselines, in the place of those that are there."""
    kind = kind_of(bundle)
    gone = [{"number": number, "at": time} for number, time in values]
    rows = [
        {"machine_id": number, "kind": kind, "time": time, "values": value.astype(PACKED).tobytes()}
        for (number, time), value in values.items()
    ]
    if rows:
        same = (baselines.c.machine_id == bindparam("number"), baselines.c.time == bindparam("at"))
        connection.execute(baselines.delete().where(*same, baselines.c.kind == kind), gone)
        connection.execute(baselines.insert(), rows)


def forget_baselines(connection: Connection, since: Mapping[int, int]) -> None:
    """Take out machines' renewals from a time on, by number: something new is known of the history before them."""
    late = (baselines.c.machine_id == bindparam("number"), baselines.c.time >= bindparam("since"))
    rows = [{"number": number, "since": time} for number, time in since.items()]
    if rows:
        connection.execute(baselines.delete().where(*late, baselines.c.time > ALWAYS), rows)


def hand_in(connection: Connection, frame: pd.DataFrame, bundle: Bundle) -> None:
    """Keep a bundle's baselines (`baselines.parquet`) for machines whose stored history is too short for their own."""
    numbers = known_numbers(connection, frame["machine"].tolist())
    values = known_baselines(frame, bundle.reference).rows(list(numbers))
    known = {
        (number, ALWAYS): value
        for number, value in zip(numbers.values(), values, strict=True)
        if not np.isnan(value).all()
    }
    write_baselines(connection, known, bundle)
