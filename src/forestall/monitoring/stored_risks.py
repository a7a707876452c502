"""Risks over the longest horizon at some decisions, as the store has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from forestall.serving.store.machines import pieces
from forestall.serving.store.opinions import CURVE
from forestall.serving.store.tables import machines, models, risks

CELLS = ["machine", "component", "time", "risk"]


def stored_risks(
    connection: Connection, components: Sequence[str], model: int, times: Sequence[int]
) -> pd.DataFrame:
    """machine, component, time, risk, where a model had an opinion at these decisions.

    Args:
        components: the model's, in its order.
        model: its number in the store.
        times: in ticks.
    """
    parts = [_unpacked(rows, components) for rows in _rows(connection, model, times)]
    return pd.concat([*parts] or [no_risks()]).astype({"time": "int64", "risk": "float64"})


def other_models(connection: Connection, model: int, times: Sequence[int]) -> dict[int, list[str]]:
    """The components of every other model that judged a machine at these decisions, by its number."""
    found: set[int] = set()
    for some in pieces(sorted(connection.execute(select(machines.c.id)).scalars())):
        judged = select(risks.c.model_id).where(risks.c.machine_id.in_(some), risks.c.time.in_(times))
        found |= set(connection.execute(judged.distinct()).scalars())
    query = select(models.c.id, models.c.components).where(models.c.id.in_(found - {model}))
    return dict(connection.execute(query.order_by(models.c.id)).all())


def no_risks() -> pd.DataFrame:
    """The columns alone."""
    return pd.DataFrame(columns=CELLS, dtype=object).astype({"time": "int64", "risk": "float64"})


def _rows(connection: Connection, model: int, times: Sequence[int]) -> Iterator[list[tuple[str, int, bytes]]]:
    names = dict(connection.execute(select(machines.c.id, machines.c.name)).all())
    for some in pieces(sorted(names)):
        query = select(risks.c.machine_id, risks.c.time, risks.c.curves).where(
            risks.c.machine_id.in_(some),
            risks.c.time.in_(times),
            risks.c.model_id == model,
            risks.c.no_opinion == "",
        )
        rows = [(names[number], time, blob) for number, time, blob in connection.execute(query)]
        if rows:
            yield rows


def _unpacked(rows: list[tuple[str, int, bytes]], components: Sequence[str]) -> pd.DataFrame:
    shape = (len(rows), len(components), -1)
    curves = np.frombuffer(b"".join(blob for _, _, blob in rows), dtype=CURVE).reshape(shape)
    frame = pd.DataFrame(
        {
            "machine": np.repeat(np.array([name for name, _, _ in rows], dtype=object), len(components)),
            "component": np.tile(np.array(list(components), dtype=object), len(rows)),
            "time": np.repeat([time for _, time, _ in rows], len(components)),
            "risk": curves[:, :, -1].ravel().astype(np.float64),
        }
    )
    return frame.dropna(subset="risk")
