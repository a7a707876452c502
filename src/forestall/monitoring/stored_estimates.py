"""What `estimate` needs of the store: risks at decisions a horizon apart, and what is known to have followed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from forestall.monitoring.estimate import Estimated, Known, estimated, known_after
from forestall.monitoring.outcomes import PENDING, Realised
from forestall.monitoring.service import Window
from forestall.monitoring.stored_risks import stored_risks
from forestall.serving.bundle import Bundle
from forestall.serving.store.tables import alarms, machines, risks
from forestall.serving.times import decision_at

PAIR = ["machine", "component"]


def stored_estimates(
    connection: Connection, bundle: Bundle, model: int, found: Realised, level: float, least: int
) -> dict[str, Estimated]:
    """By component, estimates of what is pending at the end of a window, checked on what is mature of it.

    Only what the model thought counts, not what another one did before it. Machines with clocks of their own have no
    span in common: of them nothing is estimated, and the result is empty.

    Args:
        model: the number of the bundle's model in the store. found: what `stored_outcomes` says of the window.
        level, least: see `estimate.estimated`.
    """
    if bundle.reference.own_clocks:
        return {}
    spans, window = bundle.reference.spans, found.window
    told = found.alarms.merge(_opened_by(connection, model, window), on=[*PAIR, "opened"])
    now = decision_at(window.until, spans)
    pending = decision_at(window.until - spans.horizon, spans)
    apart = -(-spans.horizon // spans.every) * spans.every
    times = list(range(pending, window.after, -apart))
    cells = stored_risks(connection, bundle.components, model, [*times, now])
    result = {}
    for name in bundle.components:
        own, about = cells[cells["component"] == name], told[told["component"] == name]
        at = own["time"]
        known = known_after(own[at < pending], found.failures, _hidden(about), spans.horizon)
        young = about[about["outcome"] == PENDING].sort_values("opened").drop_duplicates("machine")
        result[name] = estimated(
            known,
            _of_alarms(about[about["outcome"] != PENDING]),
            own.loc[at == now, "risk"].to_numpy(),
            own.loc[at == pending, "risk"].to_numpy(),
            young["risk"].to_numpy(dtype=np.float64),
            level,
            least,
        )
    return result


def _hidden(told: pd.DataFrame) -> pd.DataFrame:
    """When parts were replaced after an alarm, without a failure: machine, component, time."""
    hidden = told[(told["replaced"] >= 0) & (told["failure"] < 0)]
    return hidden[[*PAIR, "replaced"]].rename(columns={"replaced": "time"})


def _of_alarms(told: pd.DataFrame) -> Known:
    outcome = told["outcome"].to_numpy(dtype=object)
    return Known(told["risk"].to_numpy(dtype=np.float64), outcome == "right", outcome == "undetermined")


def _opened_by(connection: Connection, model: int, window: Window) -> pd.DataFrame:
    """machine, component, opened of the window's alarms that a model raised."""
    query = (
        select(machines.c.name, alarms.c.component, alarms.c.opened)
        .join(machines, machines.c.id == alarms.c.machine_id)
        .join(risks, (risks.c.machine_id == alarms.c.machine_id) & (risks.c.time == alarms.c.opened))
        .where(alarms.c.opened > window.after, alarms.c.opened <= window.until, risks.c.model_id == model)
    )
    frame = pd.DataFrame(connection.execute(query).all(), columns=[*PAIR, "opened"], dtype=object)
    return frame.astype({"opened": "int64"})
