"""What the store has of a champion and of a challenger beside it, for `shadow`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, select

from forestall.data.events import absent_pairs
from forestall.errors import ForestallError
from forestall.monitoring.shadow import Comparison, Work, comparison
from forestall.monitoring.shadow_alarms import Known, Thoughts
from forestall.monitoring.stored_outcomes import ends_of, events_within
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.store.machines import machines_frame, pieces
from forestall.serving.store.opinions import CURVE
from forestall.serving.store.shadow_tables import shadow_risks
from forestall.serving.store.shadows import shadow_of
from forestall.serving.store.tables import failures, machines, maintenance, risks
from forestall.training.judging import repair_span, rules_of
from forestall.training.series import Risk

EVER, NEVER = -(2**62), 2**62


def stored_comparison(connection: Connection, champion: Live, challenger: Live) -> Comparison:
    """How a challenger compares with the champion since it stands beside it; one that has scored nothing is not fit.

    Args:
        champion, challenger: over one store; they decide at the same times.
    """
    plant, own = champion.bundle.plant, champion.bundle.reference.own_clocks
    known = shadow_of(connection, challenger.model)
    begun = known is not None and known.champion == champion.model
    since, work = NEVER, Work()
    if known is not None and begun:
        since = known.since
        work = Work(known.machines, known.seconds, known.champion_seconds, known.failures, known.problem)
    after = EVER if begun and own else since
    theirs = _thoughts(connection, risks, champion, after)
    ours = _thoughts(connection, shadow_risks, challenger, after)
    return comparison(theirs, ours, _known(connection, champion.bundle, after), plant, since, work)


def _known(connection: Connection, bundle: Bundle, after: int) -> Known:
    dataset = bundle.plant.dataset
    first = max(after - rules_of(dataset, bundle.plant.quiet).horizon - repair_span(dataset), EVER)
    names = list(connection.execute(select(machines.c.name).order_by(machines.c.name)).scalars())
    return Known(
        failures=events_within(connection, failures, first, NEVER),
        maintenance=events_within(connection, maintenance, first, NEVER),
        absent=absent_pairs(machines_frame(connection, names, bundle), dataset),
        ends=ends_of(connection, bundle),
    )


def _thoughts(connection: Connection, table: Table, live: Live, after: int) -> Thoughts:
    """What a model thought at the decisions after a time."""
    names = dict(connection.execute(select(machines.c.id, machines.c.name)).all())
    columns = (table.c.machine_id, table.c.time, table.c.no_opinion, table.c.curves)
    query = select(*columns).where(table.c.time > after, table.c.model_id == live.model)
    frames, risk = [_frame([])], [np.empty((0, len(live.bundle.components)), dtype=np.float32)]
    for some in pieces(sorted(names)):
        rows = connection.execute(query.where(table.c.machine_id.in_(some))).all()
        frames.append(_frame([(names[number], time, why) for number, time, why, _ in rows]))
        risk.append(_longest([blob for *_, blob in rows], live.bundle, table.name))
    return Thoughts(pd.concat(frames, ignore_index=True), np.concatenate(risk), live.bundle.thresholds)


def _frame(rows: list[tuple[str, int, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["machine", "time", "no_opinion"], dtype=object).astype(
        {"time": "int64"}
    )


def _longest(blobs: list[bytes], bundle: Bundle, table: str) -> Risk:
    """The risks over the longest horizon, [rows, components]."""
    shape = (len(blobs), len(bundle.components), len(bundle.reference.spans.horizons))
    try:
        found: Risk = np.frombuffer(b"".join(blobs), dtype=CURVE).reshape(shape)[:, :, -1]
    except ValueError as error:
        raise ForestallError(
            f"Rows of {table} in the database are not as they were written ({error}). `forestall shadow --end`, then "
            "put the model there again: it begins anew."
        ) from error
    return found
