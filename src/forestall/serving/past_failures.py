"""The patterns before a plant's past failures: made of its features when a bundle is exported, and kept in it.

They are shown beside a risk and decide nothing, so that those of the test fold are among them, too; what lies in the
future of a risk is left out when it is asked for (`PastFailures.similar`). Those of the training fold are not: see
`run_ups`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forestall.data import store
from forestall.data.events import Events
from forestall.features.history import History
from forestall.features.matrix import normal_of
from forestall.features.reference import Matrix
from forestall.features.sensors import Normal
from forestall.serving.baselines import KnownBaselines
from forestall.serving.bundle import Bundle
from forestall.serving.healthy import healthy_reference
from forestall.serving.patterns import LEAST_RISK, PastFailures, Texts, patterns, sources_of, telling
from forestall.serving.run_ups import run_ups

PAST_FAILURES = "past_failures.parquet"
ROWS_AT_A_TIME = 500
DIGITS = 5
COLUMNS = ("machine", "component", "time", "took", "warned", "risk")
DROP = "drop."


def past_failures(
    decisions: pd.DataFrame, features: Matrix, events: Events, known: KnownBaselines, bundle: Bundle
) -> PastFailures:
    """The patterns before failures, at decisions where they tell anything.

    Args:
        decisions: machine, time, no_opinion and fold, each machine's in order of time.
        features: theirs, filled, [rows, features].
        events: the small tables of the plant.
        known: the machines' latest baselines, in place of those of the time, which are not kept. It makes a difference
            only with `levels` among the groups of features.
    """
    ahead = [_nothing()]
    for one in run_ups(decisions, events, bundle):
        place = bundle.components.index(one.component)
        risk = bundle.risk(features[one.rows])[:, place]
        about = {"machine": one.machine, "component": one.component, "place": place, "row": one.rows}
        times = {"time": one.time, "took": one.failed - one.time}
        warned = one.warned(risk, bundle.thresholds[one.component])
        part = pd.DataFrame(about | times | {"warned": warned, "risk": risk})
        ahead.append(part[risk >= LEAST_RISK])
    frame = pd.concat(ahead, ignore_index=True)
    drops = _drops(frame, features, events, known, bundle)
    told = telling(frame["risk"].to_numpy(), drops)
    return _of(frame[told], drops[told], bundle)


def _nothing() -> pd.DataFrame:
    kinds: dict[str, Any] = dict.fromkeys(("machine", "component"), object)
    kinds |= dict.fromkeys(("place", "row", "time", "took", "warned"), np.int64) | {"risk": np.float32}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _drops(
    frame: pd.DataFrame, features: Matrix, events: Events, known: KnownBaselines, bundle: Bundle
) -> Matrix:
    """The drops of decisions (row, machine, place), [decisions, sources]; each row of features is scored once."""
    rows, first, which = np.unique(frame["row"].to_numpy(), return_index=True, return_inverse=True)
    machines = frame["machine"].to_numpy(dtype=object)[first]
    found: Matrix = np.empty((len(rows), len(sources_of(bundle)), len(bundle.components)), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        some = slice(start, start + ROWS_AT_A_TIME)
        seen = features[rows[some]]
        healthy = healthy_reference(seen, _normal(machines[some], events, known, bundle), bundle.reference)
        found[some] = patterns(seen, healthy, bundle).drops
    return found[which, :, frame["place"].to_numpy()]


def _normal(machines: Texts, events: Events, known: KnownBaselines, bundle: Bundle) -> Normal:
    """The baselines of some rows' machines, [rows, 1, …]."""
    names, row = np.unique(machines.astype(str), return_inverse=True)
    reference = bundle.reference
    one_step = (len(names), reference.spans.width)
    history = History(
        machines=names.tolist(),
        start=0,
        readings=np.full((*one_step, len(reference.sensors)), np.nan),
        running=np.ones(one_step, dtype=np.bool_),
        first=np.zeros(len(names), dtype=np.int64),
        last=np.zeros(len(names), dtype=np.int64),
        events=events,
    )
    return normal_of(history, known.of(names.tolist()), reference).at(row, np.zeros_like(row))


def _of(frame: pd.DataFrame, drops: Matrix, bundle: Bundle) -> PastFailures:
    columns = {name: frame[name].to_numpy() for name in COLUMNS}
    return PastFailures(bundle.reference.own_clocks, **columns, drops=drops)


def write_past_failures(folder: Path, past: PastFailures, bundle: Bundle) -> None:
    """As a file of the bundle: a row for each decision, risks and drops to DIGITS digits."""
    frame = pd.DataFrame({name: getattr(past, name) for name in COLUMNS})
    frame["risk"] = np.round(past.risk, DIGITS)
    drops = pd.DataFrame(np.round(past.drops, DIGITS), columns=_columns(bundle), index=frame.index)
    store.write_frame(folder / PAST_FAILURES, pd.concat([frame, drops], axis=1), bundle.plant.dataset.clock)


def bundle_past_failures(folder: Path, bundle: Bundle) -> PastFailures:
    """Those in a bundle's folder, whose hashes `load_bundle` has checked; none if it was exported without them."""
    if PAST_FAILURES not in bundle.manifest["sha256"]:
        return _of(_nothing(), np.empty((0, len(sources_of(bundle))), dtype=np.float32), bundle)
    frame = store.read_frame(folder / PAST_FAILURES, bundle.plant.dataset.clock)
    return _of(frame, frame[_columns(bundle)].to_numpy(dtype=np.float32), bundle)


def _columns(bundle: Bundle) -> list[str]:
    return [DROP + source for source in sources_of(bundle)]
