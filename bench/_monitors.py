"""Monitors for bench/monitoring.py: ours, as it alerts and as it explains, and Kolmogorov-Smirnov tests by feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from _plants import Judged, Watch
from forestall.features.reference import Matrix
from forestall.monitoring.blocks import Blocks
from forestall.monitoring.drift import Drift, ago_of, drift
from forestall.monitoring.thresholds import THRESHOLDS, Thresholds
from _trials import ks_critical, ks_distance

ALERTS, INPUTS = "our alerts", "our drift of inputs"
BONFERRONI, PLAIN = "KS, p < 0.05 / features", "KS, p < 0.01 each"
MONITORS = (ALERTS, INPUTS, BONFERRONI, PLAIN)
RATE, RISK, OPINIONS = "ForestallAlarmRateChanged", "ForestallRiskDrift", "ForestallOpinionsDrift"
Said = dict[str, frozenset[str]]  # by monitor, what it says


@dataclass(frozen=True, eq=False)
class Stream:
    """What a plant's machines do in service: as they are judged, in pieces, and as they are counted."""

    judged: tuple[Judged, ...]
    blocks: Blocks

    def rows(self, start: int, end: int) -> Matrix:
        """Features of the decisions with an opinion from start to before end, [rows, features]."""
        pieces = []
        for one in self.judged:
            within = slice(*np.searchsorted(one.decisions, [start, end]))
            pieces.append(one.features[:, within][one.told[:, within]])
        return np.concatenate(pieces)


@dataclass(frozen=True, eq=False)
class Monitors:
    """All monitors over one reference. features: of its decisions with an opinion, each sorted, [features, rows]."""

    watch: Watch
    features: Matrix
    names: Sequence[str]

    def ours(self, stream: Stream, end: int) -> Said:
        """What ours says at the end of a week."""
        found = drift_at(self.watch, stream.blocks, end, THRESHOLDS)
        return {ALERTS: alerts_of(found), INPUTS: frozenset(one.name for one in found.inputs if one.holds)}

    def naive(self, stream: Stream, end: int) -> Said:
        """What tests of each feature say: those whose week differs."""
        rows = np.sort(stream.rows(end - self.watch.reference.length, end), axis=0)
        distance = ks_distance(rows.T, self.features)
        levels = {BONFERRONI: 0.05 / len(distance), PLAIN: 0.01}
        sizes = rows.shape[0], self.features.shape[1]
        return {name: self._named(distance > ks_critical(level, *sizes)) for name, level in levels.items()}

    def _named(self, which: npt.NDArray[np.bool_]) -> frozenset[str]:
        return frozenset(self.names[int(at)] for at in np.flatnonzero(which))


def drift_at(watch: Watch, blocks: Blocks, end: int, thresholds: Thresholds) -> Drift:
    """What the service finds at the end of a week: it looks at as many weeks as it reads from its store."""
    length = watch.reference.length
    ago = ago_of(blocks, length, end - length)
    kept = (ago >= 0) & (ago < thresholds.n + thresholds.alarm_rate_weeks - 1)
    return drift(watch.reference, blocks.take(kept), ago[kept], thresholds)


def alerts_of(found: Drift) -> frozenset[str]:
    """The alerts of Prometheus' rules, with their labels."""
    rates = [f"{RATE} {one.component}" for one in found.alarms if one.holds]
    risks = [f"{RISK} {one.name}" for one in found.risks if one.holds]
    return frozenset([*rates, *risks, *([OPINIONS] if found.opinions.holds else [])])
