"""What a challenger thinks beside the champion: its risks, apart from those that people see, and what they took."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, select

from forestall.features.history import Floats
from forestall.serving.bundle import Bundle
from forestall.serving.store.baselines import At, write_baselines
from forestall.serving.store.machines import Machine, pieces
from forestall.serving.store.opinions import CURVE, DecisionRisks
from forestall.serving.store.shadow_tables import shadow_risks, shadows
from forestall.serving.store.tables import machines

UNSCORED = "it could not be scored"  # in the place of why there is no opinion


@dataclass(frozen=True)
class Shadow:
    """A model beside another; the numbers are those of models.

    placed: when it was put there, in seconds since 1970. since: the decision at which it began, in ticks: from the next
    one on all was asked of it. machines: how often one was scored, which took `seconds`, and the champion
    `champion_seconds`. failures: how many of these gave nothing; problem: what the last one said.
    """

    model: int
    champion: int
    placed: int
    since: int
    machines: int = 0
    seconds: float = 0.0
    champion_seconds: float = 0.0
    failures: int = 0
    problem: str = ""


def shadow_of(connection: Connection, model: int) -> Shadow | None:
    """What is known of a model in shadow; None if it never was."""
    row = connection.execute(select(shadows).where(shadows.c.model_id == model)).one_or_none()
    return None if row is None else Shadow(*row)


def add_to_shadow(connection: Connection, more: Shadow) -> None:
    """Add what was done to what is known of a model.

    If it was put there anew, or stands beside another champion, that begins again, and what it thought before is
    forgotten.
    """
    known = shadow_of(connection, more.model)
    row = {"model_id": more.model, "champion_id": more.champion, "placed": more.placed, "since": more.since}
    done = {name: getattr(more, name) for name in ("machines", "seconds", "champion_seconds", "failures")}
    if known is None or (known.champion, known.placed) != (more.champion, more.placed):
        connection.execute(shadow_risks.delete().where(shadow_risks.c.model_id == more.model))
        connection.execute(shadows.delete().where(shadows.c.model_id == more.model))
        connection.execute(shadows.insert(), row | done | {"problem": more.problem})
        return
    values: dict[str, object] = {name: shadows.c[name] + value for name, value in done.items()}
    if more.problem:
        values["problem"] = more.problem
    connection.execute(shadows.update().where(shadows.c.model_id == more.model).values(values))


def write_shadow_risks(
    connection: Connection, model: int, decisions: Sequence[DecisionRisks], ahead: Collection[int]
) -> None:
    """A model's risks of decisions in the place of those that it gave before.

    Args:
        ahead: the machines, by number, whose later decisions are of a clock that was ahead, and go.
    """
    own = shadow_risks.c.model_id == model
    last = max((one.time for one in decisions), default=0)
    for some in pieces(sorted(ahead)):
        late = (shadow_risks.c.machine_id.in_(some), shadow_risks.c.time > last)
        connection.execute(shadow_risks.delete().where(own, *late))
    rows = [
        {
            "machine_id": one.number,
            "time": one.time,
            "model_id": model,
            "no_opinion": one.no_opinion,
            "curves": one.curves.astype(CURVE).tobytes(),
        }
        for one in decisions
    ]
    if rows:
        same = (shadow_risks.c.machine_id == bindparam("number"), shadow_risks.c.time == bindparam("at"))
        gone = [{"number": one.number, "at": one.time} for one in decisions]
        connection.execute(shadow_risks.delete().where(own, *same), gone)
        connection.execute(shadow_risks.insert(), rows)


def keep_baselines(
    connection: Connection, new: Mapping[At, Floats], seen: Mapping[int, Machine], bundle: Bundle
) -> None:
    """Keep baselines that were renewed beside the champion, but of machines of which nothing new is known.

    The champion may have forgotten a machine's baselines meanwhile, or be about to, for late readings: what was made
    without these must not stand in the place of what it makes next.
    """
    held = select(machines.c.id, machines.c.scored_version, machines.c.unsettled)
    fresh: dict[int, int | None] = {}
    for some in pieces(sorted({number for number, _ in new})):
        rows = connection.execute(
            held.where(machines.c.id.in_(some)).order_by(machines.c.id).with_for_update(key_share=True)
        )
        fresh |= {number: unsettled for number, version, unsettled in rows if version == seen[number].version}
    known = {at: value for at, value in new.items() if at[0] in fresh and _settled(fresh[at[0]], at[1])}
    write_baselines(connection, known, bundle)


def _settled(unsettled: int | None, time: int) -> bool:
    return unsettled is None or unsettled > time


def unscored(numbers: Sequence[int], times: Sequence[int], bundle: Bundle) -> list[DecisionRisks]:
    """What stands in the place of risks where there was an error."""
    shape = (len(bundle.components), len(bundle.reference.spans.horizons))
    nothing = np.full(shape, np.nan, dtype=np.float32)
    return [DecisionRisks(number, time, UNSCORED, nothing) for number in numbers for time in times]
