"""Opinions: the last one of each machine and component, and the risks of all decisions for the trend."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, literal, select, tuple_

from forestall.features.labels import FAILED
from forestall.features.reference import Matrix
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import NOT_APPLICABLE, Opinion, Status
from forestall.serving.reasons import Reason
from forestall.serving.store.machines import AT_A_TIME, ignoring, pieces
from forestall.serving.store.tables import current, machines, models, risks

CURVE = np.dtype("<f4")
By = Literal["risk", "soon", "machine"]
Place = tuple[Any, ...]  # where a page ends: the values of KEYS; numbers and texts
KEYS = {
    "risk": (current.c.rank, current.c.machine_id, current.c.component),
    "soon": (current.c.soon, current.c.machine_id, current.c.component),
    "machine": (machines.c.name, current.c.component),
}


@dataclass(frozen=True)
class OpinionFilter:
    """Which opinions a ranking lists; None and the empty text ask for all. search: a part of the machine's name."""

    status: Status | None = None
    component: str | None = None
    min_risk: float | None = None
    search: str = ""


@dataclass(frozen=True)
class Ranked:
    """A page of opinions, and where the next one begins: None after the last."""

    opinions: list[Opinion]
    next: Place | None


@dataclass(frozen=True)
class Point:
    """What was thought of a machine's component at a decision; time in ticks; without a risk no curve."""

    time: int
    no_opinion: str
    curve: tuple[float, ...]


@dataclass(frozen=True)
class DecisionRisks:
    """A machine's risks at one decision: curves [components, horizons], NaN where there is none.

    no_opinion: empty, or why there is none of any component.
    """

    number: int
    time: int
    no_opinion: str
    curves: Matrix


def write_opinions(connection: Connection, numbers: Mapping[str, int], opinions: Sequence[Opinion]) -> None:
    """Opinions in the place of those that their machines had."""
    for some in pieces(list(numbers.values())):
        connection.execute(current.delete().where(current.c.machine_id.in_(some)))
    if opinions:
        connection.execute(current.insert(), [_row(numbers[one.machine], one) for one in opinions])


def ranked(
    connection: Connection, wanted: OpinionFilter, by: By, limit: int, after: Place | None = None
) -> Ranked:
    """Opinions, the highest risk first or by machine's name; those without a risk come after those with one.

    Args:
        by: `risk` over the longest horizon, or `soon`, over the shortest: where waiting costs soonest.
        after: what the page before said is next.
    """
    key = KEYS[by]
    query = select(current, machines.c.name).join(machines, machines.c.id == current.c.machine_id)
    query = _filtered(query, wanted)
    if wanted.search:
        query = query.where(_named_like(connection, wanted.search))
    query = query.order_by(*key).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*(literal(value) for value in after)))
    rows = list(connection.execute(query))
    more = len(rows) > limit
    place = tuple(getattr(rows[limit - 1], column.name) for column in key) if more else None
    return Ranked([_opinion(row) for row in rows[:limit]], place)


def opinions_about(connection: Connection, machine: str) -> list[Opinion]:
    """The last opinions of one machine, the highest risk first; none if it was never scored."""
    query = select(current, machines.c.name).join(machines, machines.c.id == current.c.machine_id)
    rows = connection.execute(query.where(machines.c.name == machine).order_by(*KEYS["risk"]))
    return [_opinion(row) for row in rows]


def trends(
    connection: Connection, machine: str, components: Sequence[str], after: int
) -> dict[str, list[Point]]:
    """By component of a machine, what was thought of it at each decision after a time in ticks, the earliest first."""
    query = (
        select(risks.c.time, risks.c.no_opinion, risks.c.curves, models.c.components, models.c.horizons)
        .join(machines, machines.c.id == risks.c.machine_id)
        .join(models, models.c.id == risks.c.model_id)
        .where(machines.c.name == machine, risks.c.time > after)
        .order_by(risks.c.time)
    )
    found: dict[str, list[Point]] = {component: [] for component in components}
    for time, no_opinion, blob, judged, horizons in connection.execute(query):
        curves = np.frombuffer(blob, dtype=CURVE).reshape(len(judged), len(horizons))
        for component, points in found.items():
            curve = tuple(curves[judged.index(component)].tolist()) if component in judged else ()
            points.append(Point(time, no_opinion, () if np.isnan(curve).any() else curve))
    return found


def write_risks(connection: Connection, model: int, decisions: Sequence[DecisionRisks]) -> None:
    """Risks of decisions in the place of what was there; one machine's are those of a span without a gap."""
    spans: dict[int, tuple[int, int]] = {}
    for one in decisions:
        low, high = spans.get(one.number, (one.time, one.time))
        spans[one.number] = (min(low, one.time), max(high, one.time))
    within = risks.c.time.between(bindparam("low"), bindparam("high"))
    gone = [{"number": number, "low": low, "high": high} for number, (low, high) in spans.items()]
    if gone:
        connection.execute(risks.delete().where(risks.c.machine_id == bindparam("number"), within), gone)
    rows = [
        {
            "machine_id": one.number,
            "time": one.time,
            "no_opinion": one.no_opinion,
            "model_id": model,
            "curves": one.curves.astype(CURVE).tobytes(),
        }
        for one in decisions
    ]
    if rows:
        connection.execute(risks.insert(), rows)


def forget_risks(connection: Connection, numbers: Collection[int], after: int) -> None:
    """Take out the risks of some machines' decisions after a time: those of a clock that was ahead."""
    for some in pieces(sorted(numbers)):
        connection.execute(risks.delete().where(risks.c.machine_id.in_(some), risks.c.time > after))


def longest_risks(
    connection: Connection, numbers: Sequence[int], after: int, component: str
) -> dict[tuple[int, int], float]:
    """By machine's number and decision, a component's risk over the longest horizon, where there was an opinion."""
    found: dict[tuple[int, int], float] = {}
    shapes = {row.id: row for row in connection.execute(select(models))}
    for some in pieces(list(numbers)):
        query = select(risks.c.machine_id, risks.c.time, risks.c.model_id, risks.c.curves)
        query = query.where(risks.c.machine_id.in_(some), risks.c.time >= after)
        for number, time, model, blob in connection.execute(query):
            components, horizons = shapes[model].components, shapes[model].horizons
            if component in components:
                row = np.frombuffer(blob, dtype=CURVE).reshape(len(components), len(horizons))
                risk = float(row[components.index(component), -1])
                if not np.isnan(risk):
                    found[number, time] = risk
    return found


def model_number(connection: Connection, bundle: Bundle) -> int:
    """The number of a bundle's model here."""
    digest = hashlib.sha256(json.dumps(bundle.manifest, sort_keys=True).encode()).hexdigest()
    row = {
        "digest": digest,
        "components": bundle.components,
        "horizons": list(bundle.reference.spans.horizons),
    }
    connection.execute(ignoring(connection, models), row)
    return int(connection.execute(select(models.c.id).where(models.c.digest == digest)).scalar_one())


def _filtered(query: Select[Any], wanted: OpinionFilter) -> Select[Any]:
    if wanted.status is not None:
        query = query.where(current.c.status == wanted.status)
    if wanted.component is not None:
        query = query.where(current.c.component == wanted.component)
    if wanted.min_risk is not None:
        query = query.where(current.c.rank <= -wanted.min_risk)
    return query


def _named_like(connection: Connection, text: str) -> ColumnElement[bool]:
    """Few machines are named by their numbers: no index of the ranking leads to a part of a name."""
    like = machines.c.name.icontains(text, autoescape=True)
    few = connection.execute(select(machines.c.id).where(like).limit(AT_A_TIME + 1)).scalars().all()
    return current.c.machine_id.in_(few) if len(few) <= AT_A_TIME else like


def _row(number: int, one: Opinion) -> dict[str, Any]:
    life = [None if np.isinf(value) else value for value in one.life]
    return {
        "machine_id": number,
        "component": one.component,
        "time": one.time,
        "no_risk": one.no_risk,
        "status": one.status,
        "rank": -one.curve[-1] if one.curve else _last(one),
        "soon": -one.curve[0] if one.curve else _last(one),
        "threshold": one.threshold,
        "curve": list(one.curve),
        "reasons": [vars(reason) for reason in one.reasons],
        "life": life,
    }


def _last(one: Opinion) -> float:
    """The rank of what has no risk: machines that have failed stand after those that may be judged again."""
    if one.status == NOT_APPLICABLE:
        return 3.0
    return 2.0 if one.no_risk == FAILED else 1.0


def _opinion(row: Row[Any]) -> Opinion:
    return Opinion(
        machine=row.name,
        component=row.component,
        time=row.time,
        no_risk=row.no_risk,
        threshold=row.threshold,
        curve=tuple(row.curve),
        reasons=tuple(Reason(**reason) for reason in row.reasons),
        life=tuple(np.inf if value is None else value for value in row.life),
    )
