"""Predictions are counted in their bands, whoever asked for them."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import numpy as np

from forestall.serving.api.counters import Counters
from forestall.serving.api.service import Service
from forestall.serving.bundle import Bundle
from forestall.serving.opinions import Opinion
from tests.serving.api.conftest import END
from tests.serving.api.scraping import scored, scraped, value
from tests.serving.api.server import Running, running
from tests.serving.feeding import stamp

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "monitoring.md"
AS_OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}


def test_predictions_by_band(service: Service, soon: None) -> None:
    with running(service) as api:
        scored(api)
        thresholds, live = service.serving.bundle.thresholds, Counter[tuple[str, str]]()
        begun = scraped(api)
        asked = send_vectors(api, thresholds)
        said = scraped(api)
        for one in api.client.get("/v1/machines", params={"limit": 500}).json()["machines"]:
            if one["status"] in ("alarm", "normal"):
                live[one["component"], band(one["risk"]["24h"], thresholds[one["component"]])] += 1
    name, checked = "forestall_predictions_total", 0
    for component in thresholds:
        for which in ("low", "raised", "alarm"):
            labels = {"component": component, "band": which}
            assert value(said, name, **labels, source="request") == asked[component, which]
            assert value(said, name, **labels, source="live") >= live[component, which]
            checked += asked[component, which] > 0
    assert checked >= 4
    scored_now = sum(value(begun, name, component=c, band=b, source="live") for c, b in asked | live)
    assert scored_now >= sum(live.values()) > 5


def send_vectors(api: Running, thresholds: dict[str, float]) -> Counter[tuple[str, str]]:
    """Random vectors to /predict and /v2; how many risks of each component and band were answered."""
    rng, found = np.random.default_rng(0), Counter[tuple[str, str]]()
    reference = api.service.serving.bundle.reference
    rows = (np.array(reference.fills) * rng.uniform(0.5, 2.0, (200, len(reference.fills)))).tolist()
    first = api.send("/predict", {"features": rows}).json()
    tensor = {"name": "features", "shape": [len(rows), len(rows[0])], "datatype": "FP32", "data": rows}
    second = api.send("/v2/models/forestall/infer", {"inputs": [tensor]}).json()["outputs"][0]
    longest = np.array(second["data"]).reshape(second["shape"])[:, :, -1].tolist()
    for row in [*first["risk"], *longest]:
        for component, risk in zip(thresholds, row, strict=True):
            found[component, band(risk, thresholds[component])] += 1
    return found


def band(risk: float, threshold: float) -> str:
    risk, threshold = float(np.float32(risk)), float(np.float32(threshold))
    return "alarm" if risk >= threshold else "raised" if risk >= threshold / 2 else "low"


def test_a_risk_at_the_threshold_is_an_alarm_and_at_half_of_it_raised(bundle: Bundle) -> None:
    counters, threshold = Counters(), float(np.float32(0.119))
    below = float(np.nextafter(np.float32(threshold), np.float32(0)))
    low = float(np.nextafter(np.float32(threshold / 2), np.float32(0)))
    risks = {threshold: "alarm", below: "raised", threshold / 2: "raised", low: "low"}
    for risk in risks:
        counters.opinions([Opinion("m", "seal", 0, "", 0.119, (risk,))], "live")
    counters.opinions([Opinion("m", "seal", 0, "not applicable", 0.119)], "live")
    counters.opinions([Opinion("m", "seal", 0, "stale sensors", 0.119)], "live")
    found = {name: counters.predictions.labels("seal", name, "live")._value.get() for name in risks.values()}
    assert found == {"alarm": 1, "raised": 2, "low": 1}
    assert counters.no_opinions.labels("stale sensors", "live")._value.get() == 1


def test_nothing_is_lost_between_threads(bundle: Bundle) -> None:
    counters, rng = Counters(), np.random.default_rng(0)
    risks = [rng.random((1 + n % 3 * 40, len(bundle.components)), dtype=np.float32) for n in range(300)]

    def tell() -> None:
        for risk in risks:
            counters.risks(risk, bundle)
            counters.settle()

    threads = [threading.Thread(target=tell) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counters.settle()
    found = counters.registry.collect()
    total = sum(s.value for one in found if one.name == "forestall_predictions" for s in one.samples)
    assert total == 6 * sum(risk.size for risk in risks)


def test_a_history_that_is_too_short_is_no_opinion(service: Service) -> None:
    with running(service) as api:
        rows = [{"time": stamp(END), "volt": 170.0, "spin": 450.0}]
        assert api.send("/predict", {"machine": "m1", "readings": rows}).status_code == 200
        said = scraped(api)
    assert value(said, "forestall_no_opinions_total", reason="too short a history", source="request") >= 1
