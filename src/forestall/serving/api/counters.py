"""What this process counts of itself: requests, and what it thought of machines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from threading import Lock
from typing import Any, Literal

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics

from forestall.features import labels
from forestall.features.reference import Matrix
from forestall.serving.api import metric_names
from forestall.serving.api.metric import Metric
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import Opinion

Band = Literal["low", "raised", "alarm"]
Source = Literal["live", "request"]
Limit = Literal["concurrency", "rate"]
BANDS: tuple[Band, ...] = ("low", "raised", "alarm")
SOURCES: tuple[Source, ...] = ("live", "request")
REASONS = (labels.SHORT, labels.STALE, labels.OFF, labels.FAILED)
SHADOW_DECISIONS = ("scored", "failed", "dropped")
SHADOW_REQUESTS = ("agreed", "disagreed", "unfit", "failed", "dropped")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"  # routes and methods that there are not: what strangers make up is no label
ERRORS = (500, 503)
AT_ONCE = 64  # requests, or rows of one
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds

# They would be a second series for each; process_start_time_seconds says the same of all.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Counters:
    """The counters of one service. Those of predictions may be counted from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter(metric_names.REQUESTS)
        self.bands: dict[tuple[str, Source], tuple[Counter, ...]] = {}
        self.waiting: deque[tuple[Matrix, Bundle]] = deque()
        self.settling = Lock()
        self.answered: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.refused = self._counter(metric_names.REFUSED)
        self.predictions = self._counter(metric_names.PREDICTIONS)
        self.no_opinions = self._counter(metric_names.NO_OPINIONS)
        self.state_errors = self._counter(metric_names.STATE_ERRORS)
        self.shadow_decisions = self._counter(metric_names.SHADOW_DECISIONS)
        self.shadow_requests = self._counter(metric_names.SHADOW_REQUESTS)
        self.shadow_seconds = self._counter(metric_names.SHADOW_SECONDS)
        about = metric_names.DURATION
        self.duration = Histogram(
            about.name, about.help, about.labels, buckets=BUCKETS, registry=self.registry
        )
        ProcessCollector(registry=self.registry)
        for limit in ("concurrency", "rate"):
            self.refused.labels(limit)
        for outcome in SHADOW_DECISIONS:
            self.shadow_decisions.labels(outcome)
        for outcome in SHADOW_REQUESTS:
            self.shadow_requests.labels(outcome)
        for source in SOURCES:
            self.shadow_seconds.labels(source)
            for reason in REASONS:
                self.no_opinions.labels(reason, source)

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.help, metric.labels, registry=self.registry)

    def know(self, components: Sequence[str]) -> None:
        """Begin at 0: of a series that is not there until its first count, that count is no increase."""
        for component in components:
            for source in SOURCES:
                self._of_bands(component, source)

    def request(self, route: Any, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            route: what the framework found for it; None if nothing.
            status: 0 if the client went away before.
        """
        asked = getattr(route, "path", OTHER), method, status
        if asked not in self.answered:
            self.answered[asked] = self._of_requests(*asked)
        answered, duration = self.answered[asked]
        answered.inc()
        duration.observe(seconds)
        if status == 429:
            self.refused.labels("rate").inc()

    def _of_requests(self, path: str, method: str, status: int) -> tuple[Counter, Histogram]:
        method = method if method in METHODS else OTHER
        for error in ERRORS:  # begin at 0, as in `know`
            self.requests.labels(path, method, error)
        return self.requests.labels(path, method, status or "none"), self.duration.labels(path)

    def opinions(self, opinions: Iterable[Opinion], source: Source) -> None:
        """Count opinions; a component that a machine does not have is none."""
        for one in opinions:
            if one.curve:
                risk, limit = np.float32(one.curve[-1]), np.float32(one.threshold)
                self._of_bands(one.component, source)[int(risk >= limit / 2) + int(risk >= limit)].inc()
            elif one.status == "no opinion":
                self.no_opinions.labels(one.no_risk, source).inc()

    def risks(self, risk: Matrix, bundle: Bundle) -> None:
        """Count risks over the longest horizon, [rows, components], that a request was answered with.

        Those of many requests are counted together, by `settle`: one by one it would take a twentieth of a request.
        """
        self.waiting.append((risk, bundle))
        if len(self.waiting) >= AT_ONCE or len(risk) > AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Count what was left to be counted; before it is read."""
        with self.settling:
            taken = [self.waiting.popleft() for _ in range(len(self.waiting))]
        for _, some in groupby(taken, key=lambda one: id(one[1])):
            risks, bundles = zip(*some, strict=True)
            self._count(np.concatenate(risks), bundles[0])

    def _count(self, risk: Matrix, bundle: Bundle) -> None:
        limits = np.array(list(bundle.thresholds.values()), dtype=np.float32)
        bands = (risk >= limits / 2).astype(np.int64) + (risk >= limits)
        for component, column in zip(bundle.components, bands.T, strict=True):
            counts = np.bincount(column, minlength=len(BANDS)).tolist()
            for counter, count in zip(self._of_bands(component, "request"), counts, strict=True):
                counter.inc(count)

    def _of_bands(self, component: str, source: Source) -> tuple[Counter, ...]:
        """Kept: to look them up takes longer than to count."""
        found = self.bands.get((component, source))
        if found is None:
            found = tuple(self.predictions.labels(component, band, source) for band in BANDS)
            self.bands[component, source] = found
        return found
