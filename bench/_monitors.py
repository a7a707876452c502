"""Monitors for bench/monitoring.py: ours, as it alerts and as it explains, and Kolmogorov-Smirnov tests by feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import ks_2samp

from _plants import Judged, Watch
from forestall.features.reference import Matrix
from forestall.monitoring.blocks import Blocks
from forestall.monitoring.drift import Drift, ago_of, drift
from forestall.monitoring.thresholds import THRESHOLDS, Thresholds

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
    """All monitors over one reference. features: rows of the reference weeks with an opinion, [rows, features]."""

    watch: Watch
    features: Matrix
    names: Sequence[str]

    def said(self, stream: Stream, end: int) -> Said:
        """What each says at the end of a week."""
        return self.ours(stream.blocks, end) | self.naive(stream, end)

    def ours(self, blocks: Blocks, end: int) -> Said:
        """Ours alone."""
        found = drift_at(self.watch, blocks, end, THRESHOLDS)
        return {ALERTS: alerts_of(found), INPUTS: frozenset(one.name for one in found.inputs if one.holds)}

    def naive(self, stream: Stream, end: int) -> Said:
        """Kolmogorov-Smirnov tests alone: the features whose week differs."""
        rows = stream.rows(end - self.watch.reference.length, end)
        pairs = zip(rows.T, self.features.T, strict=True)
        p = np.array([ks_2samp(now, known, method="asymp").pvalue for now, known in pairs])
        return {BONFERRONI: self._named(p < 0.05 / len(p)), PLAIN: self._named(p < 0.01)}

    def _named(self, which: npt.NDArray[np.bool_]) -> frozenset[str]:
        return frozenset(self.names[at] for at in np.flatnonzero(which))


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
