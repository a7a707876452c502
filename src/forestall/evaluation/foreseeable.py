"""What is foreseeable at all: per component the onset of any signal, and the ceiling of recall against lead time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forestall.data.clock import hour_of
from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.evaluation.ceiling import chance_of_spans, reached, shows
from forestall.evaluation.signals import Before, before_failures, effects, healthy_ranks, onset_steps
from forestall.features.columns import Feature, span_name
from forestall.features.events import replacements
from forestall.features.history import spans_of
from forestall.features.reference import Matrix

REACH = 4  # how many horizons before a failure are looked at
SIGNALS = ("sensors", "errors")
SEED = 0


@dataclass(frozen=True)
class Foreseeable:
    """effects: component, source, feature, lead_h, effect, low, high, failures. onsets: component, source, feature,
    onset_h, effect. ceiling: component, lead_h, at, by, low, high, chance, failures. Times are hours, or a counter's
    units.
    """

    effects: pd.DataFrame
    onsets: pd.DataFrame
    ceiling: pd.DataFrame


def foreseeable(
    decisions: pd.DataFrame, features: Matrix, described: Sequence[Feature], events: Events, dataset: Dataset
) -> Foreseeable:
    """Study all components on some decisions with an opinion (machine, time, label.<component>).

    Args:
        features: [rows, F], described by `described`.
        events: those of the period that is studied.
    """
    spans, (hour, _) = spans_of(dataset), hour_of(dataset.clock.unit)
    kept = [number for number, feature in enumerate(described) if feature.group in SIGNALS]
    signals, values = [described[number] for number in kept], features[:, kept]
    renewals = replacements(events.maintenance, events.failures)
    horizon = spans.horizon // spans.every
    tables: list[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]] = []
    for component in dataset.components:
        before = before_failures(
            decisions, component, events.failures, renewals, spans.every, REACH * horizon, spans.lookback
        )
        effect = _effects(values, signals, before, dataset)
        onset = _onsets(effect, spans.every / hour)
        ceiling = _ceiling(values, before, decisions, horizon, dataset)
        tables.append(tuple(one.assign(component=component) for one in (effect, onset, ceiling)))  # type: ignore[arg-type]
    joined = [pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True)]
    first = [one[["component", *one.columns.drop("component")]] for one in joined]
    return Foreseeable(first[0].drop(columns="step"), *first[1:])


def _effects(values: Matrix, signals: Sequence[Feature], before: Before, dataset: Dataset) -> pd.DataFrame:
    """The clearest feature of each source over the shortest window, by lead: longer ones smear the onset."""
    (hour, _), spans = hour_of(dataset.clock.unit), spans_of(dataset)
    windows = {"sensors": min(spans.sensors), "errors": min(spans.events)}
    short = {group: f".{span_name(window, dataset.clock.unit)}" for group, window in windows.items()}
    columns = [n for n, feature in enumerate(signals) if feature.name.endswith(short[feature.group])]
    ranks = healthy_ranks(values[:, columns], before)
    middle, low, high = effects(ranks, before.machine, SEED)
    failures, steps = (~np.isnan(ranks[:, :, 0])).sum(axis=0), np.arange(1, len(middle) + 1)
    onset = onset_steps(middle, low, high)
    parts = []
    for source in dict.fromkeys(signals[n].source for n in columns):
        own = [place for place, n in enumerate(columns) if signals[n].source == source]
        best = max(own, key=lambda place: (onset[place], _size(middle[:, place])))
        table = {"lead_h": steps * spans.every / hour, "effect": middle[:, best], "low": low[:, best]}
        table |= {
            "high": high[:, best],
            "failures": failures,
            "step": np.where(steps <= onset[best], steps, 0),
        }
        parts.append(pd.DataFrame({"source": source, "feature": signals[columns[best]].name, **table}))
    return pd.concat(parts, ignore_index=True)


def _size(effect: npt.NDArray[np.float64]) -> float:
    return float(np.nan_to_num(np.abs(effect - 0.5)).mean())


def _onsets(effect: pd.DataFrame, step: float) -> pd.DataFrame:
    """Each source's onset, 0 without one, and its effect in the last step before failures; the earliest first."""
    grouped = effect.groupby(["source", "feature"], sort=False)
    table = grouped.agg(onset_h=("step", "max"), effect=("effect", "first")).reset_index()
    table["onset_h"] *= step
    return table.sort_values("onset_h", ascending=False, kind="stable", ignore_index=True)


def _ceiling(
    values: Matrix, before: Before, decisions: pd.DataFrame, horizon: int, dataset: Dataset
) -> pd.DataFrame:
    """Shares of failures that show at a lead, and at it or an earlier one of the horizon."""
    spans, (hour, _) = spans_of(dataset), hour_of(dataset.clock.unit)
    at, beyond = shows(values, before, max(horizon // 2, 1))
    ahead = at[:, :horizon]
    by, low, high = (one[:, 0] for one in effects(reached(ahead)[:, :, None], before.machine, SEED))
    owner = np.unique(before.healthy_machine.astype(str), return_inverse=True)[1]
    chance = chance_of_spans(beyond, owner, decisions["time"].to_numpy()[before.healthy], spans.horizon)
    known = (~np.isnan(ahead)).sum(axis=0)
    share = np.divide(np.nansum(ahead, axis=0), known, out=np.full(horizon, np.nan), where=known > 0)
    failures = int((~np.isnan(ahead)).any(axis=1).sum())
    lead = np.arange(1, horizon + 1) * spans.every / hour
    columns = {"lead_h": lead, "at": share, "by": by, "low": low, "high": high}
    return pd.DataFrame(columns | {"chance": chance, "failures": failures})


def summary(found: Foreseeable, dataset: Dataset) -> dict[str, Any]:
    """Per component its onset, by what, and its ceiling at the shortest lead; warnings where the horizon is longer."""
    hour, unit = hour_of(dataset.clock.unit)
    horizon = dataset.ticks(dataset.decisions.horizon) / hour
    components, warnings = {}, []
    for component in dataset.components:
        onset = found.onsets[found.onsets["component"] == component].iloc[0]
        top = found.ceiling[found.ceiling["component"] == component].iloc[0]
        figures = {"onset_h": float(onset["onset_h"]), "signal": onset["feature"] if onset["onset_h"] else ""}
        figures |= {name: float(top[name]) for name in ("by", "low", "high") if not np.isnan(top[name])}
        components[component] = {k if k != "by" else "ceiling": v for k, v in figures.items()} | {
            "chance": float(top["chance"]),
            "failures": int(top["failures"]),
        }
        if onset["onset_h"] + dataset.ticks(dataset.decisions.every) / hour < horizon:
            warnings.append(_warning(component, float(onset["onset_h"]), horizon, unit))
    return {"horizon_h": horizon, "components": components, "warnings": warnings}


def _warning(component: str, onset: float, horizon: float, unit: str) -> str:
    since = f"begins {onset:g} {unit} before failures at the earliest" if onset else "was not found"
    return (
        f"{component}: a signal {since}; the horizon of {horizon:g} {unit} asks for more than the data show"
    )
