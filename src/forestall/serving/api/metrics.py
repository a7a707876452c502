"""GET /metrics: this process's counters and the plant's state, in Prometheus' text format or as OpenMetrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS_1_0_0
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector as Exporter

from forestall.serving.api import metric_names
from forestall.serving.api.access import Reader
from forestall.serving.api.fleet_state import alarm_samples, machine_samples, time_samples
from forestall.serving.api.metric import Metric
from forestall.serving.api.openapi import ASKING, problem_answers
from forestall.serving.api.service import Service
from forestall.serving.api.state import Collector, Sample, State
from forestall.serving.api.watch import Watch
from forestall.serving.bundle import Bundle

# What tells the plant's state, in one thread, one after another; each sample is of a metric of `metric_names`.
COLLECTORS: tuple[Collector, ...] = (machine_samples, alarm_samples, time_samples)
ROUTER = APIRouter(tags=["health"])
OPENMETRICS = "application/openmetrics-text"
EXAMPLE = """\
# HELP forestall_store_up Whether the database answered in time when last asked for the plant's state.
# TYPE forestall_store_up gauge
forestall_store_up 1.0
"""
TEXT = {"schema": {"type": "string"}, "example": EXAMPLE}
OK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "OK",
        "content": {"text/plain": TEXT, OPENMETRICS: TEXT | {"example": EXAMPLE + "# EOF\n"}},
    }
}


@ROUTER.get("/metrics", responses={**OK, **problem_answers(*ASKING)}, response_class=Response)
async def metrics(request: Request, _: Reader) -> Response:
    """Metrics for Prometheus, as OpenMetrics where that is accepted. What the store says is at most 15 s old."""
    exported: Exported = request.app.state.metrics
    is_open = OPENMETRICS in request.headers.get("accept", "")
    text = await exported.text(is_open)
    return Response(text, media_type=OPENMETRICS_1_0_0 if is_open else CONTENT_TYPE_PLAIN_0_0_4)


def install(app: FastAPI, service: Service) -> None:
    """Give the application what the route answers with."""
    app.state.watch = Watch(service, service.champion.folder)
    app.state.metrics = Exported(service, app.state.watch)


class Exported(Exporter):
    """All metrics of one service."""

    def __init__(self, service: Service, watch: Watch) -> None:
        self.service, self.watch = service, watch
        # One that may wait for the store, one that writes: the common threads may all be waiting for the store, too.
        self.threads = ThreadPoolExecutor(2, "metrics")
        self.state = State(service, COLLECTORS, self.threads)

    async def text(self, is_open: bool) -> bytes:
        """The metrics as text, OpenMetrics or not."""
        await asyncio.gather(self.state.refresh(), self.watch.state.refresh())
        write = generate_openmetrics if is_open else generate_latest
        return await asyncio.get_running_loop().run_in_executor(self.threads, write, self)

    def collect(self) -> Iterator[Family]:
        """Every metric that there is something to say of."""
        self.service.counters.settle()
        yield from self.service.counters.registry.collect()
        state = list(self.state.samples)
        found = list(self.watch.state.samples)
        yield from families([*self._own(), *self._of_store(), *self._ages(state), *state, *found])

    def _own(self) -> Iterator[Sample]:
        champion = self.service.champion
        yield Sample(metric_names.IN_FLIGHT, self.service.concurrency.taken)
        yield Sample(metric_names.BUNDLE_REFUSED, bool(champion.refused))
        challenger = self.service.shadow.challenger
        yield Sample(metric_names.SHADOW_REFUSED, challenger.refused)
        if (beside := challenger.in_shadow) is not None:
            yield _named(metric_names.SHADOW, beside.version, beside.bundle)
        if champion.serving is None:
            return
        yield Sample(metric_names.BUNDLE_ACCEPTED, champion.accepted_at)
        yield _named(metric_names.MODEL, champion.serving.version, champion.serving.bundle)

    def _of_store(self) -> Iterator[Sample]:
        yield Sample(metric_names.STORE_UP, self.state.up)
        yield Sample(metric_names.STORE_FULL, self.service.store.condition.full)
        if self.state.read_at is not None:
            yield Sample(metric_names.STATE_TIME, self.state.read_at)
        # By the same clock, so that their difference says how far monitoring is behind.
        yield Sample(metric_names.WATCH_TIME, self.watch.state.read_at or 0)

    def _ages(self, state: Iterable[Sample]) -> Iterator[Sample]:
        """Reckoned now: data grow older while the store is away."""
        serving = self.service.champion.serving
        if serving is None or serving.live.now is None:
            return
        for one in state:
            if one.metric == metric_names.LATEST_READING:
                yield Sample(metric_names.DATA_AGE, serving.live.now() - one.value)


def _named(metric: Metric, version: str, bundle: Bundle) -> Sample:
    known = {"version": version} | bundle.manifest
    return Sample(metric, 1, tuple(str(known.get(label, "")) for label in metric.labels))


def families(samples: Iterable[Sample]) -> list[Family]:
    """Samples by metric, as the writers of both formats take them; a label without a value is left out."""
    found: dict[Metric, Family] = {}
    for sample in samples:
        metric = sample.metric
        if metric not in found:
            plain = metric.name.removesuffix("_total").removesuffix("_info")
            found[metric] = Family(plain, metric.help, metric.kind)
        labels = dict(zip(metric.labels, sample.labels, strict=True))
        named = {name: value for name, value in labels.items() if value}
        found[metric].add_sample(metric.name, named, float(sample.value))
    return list(found.values())
