"""/metrics: what it says is right, in both formats, and no label is made up by strangers."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from forestall.serving.api import metric_names, model_metric_names
from forestall.serving.api.app import create_app
from forestall.serving.api.limits import ConcurrencyLimit, Rate
from forestall.serving.api.metric_names import METRICS, reference_page, series_labels
from forestall.serving.api.metrics import families
from forestall.serving.api.service import Service
from forestall.serving.api.state import Sample
from tests.serving.api.process import until
from tests.serving.api.scraping import said_by, scored, scraped, series, value, vector
from tests.serving.api.server import Running, fields, key_for, opened, running
from tests.serving.conftest import Made

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "monitoring.md"
WEEKLY = (
    model_metric_names.ALARM_RATE,
    model_metric_names.ALARM_RATE_P,
    model_metric_names.ALARM_RATE_CHANGED,
    model_metric_names.DRIFT,
    model_metric_names.DRIFT_THRESHOLD,
    model_metric_names.DRIFTED,
)
LATE = (
    model_metric_names.RECALL,
    model_metric_names.PRECISION,
    model_metric_names.FALSE_ALARMS,
    model_metric_names.LEAD_TIME,
    model_metric_names.COST,
    model_metric_names.EXPECTED_FAILURES,
    model_metric_names.ESTIMATED_RECALL,
    model_metric_names.ESTIMATED_PRECISION,
)
AS_OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}


def test_the_reference_page_is_that_of_the_code() -> None:
    write = "python -c 'from forestall.serving.api.metric_names import *; print(reference_page(), end=\"\")'"
    assert PAGE.read_text(encoding="utf-8") == reference_page(), f"write it again: {write}"


def test_names_keep_to_the_conventions() -> None:
    assert len({one.name for one in METRICS}) == len(METRICS) > 25
    for one in METRICS:
        assert one.name.startswith(("forestall_", "process_"))
        assert one.name.endswith("_total") == (one.kind == "counter")
        assert one.name.endswith("_info") == (one.kind == "info")
        assert one.help.endswith(".") and "\n" not in one.help and "|" not in one.help
        assert "machine" not in one.labels


def test_all_that_is_exported_is_declared_and_the_other_way_round(api: Running) -> None:
    scored(api)
    vector(api)
    said = scraped(api)
    declared = series_labels()
    # A recording has no age, and its first scoring is of less than a week; no outcome of its alarms is known; nothing
    # is in shadow.
    absent = {"forestall_data_age_seconds", metric_names.SHADOW.name} | {one.name for one in (*WEEKLY, *LATE)}
    assert {name for name, _ in said} == set(declared) - absent
    for name, labels in said:
        left_out = {"data_hash", "revision"} if name == "forestall_model_info" else set()
        assert {label for label, _ in labels} == set(declared[name]) - left_out, name


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is in Debian's package prometheus")
def test_promtool_finds_nothing(api: Running) -> None:
    vector(api)
    text = api.client.get("/metrics").text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_both_formats_say_the_same(service: Service) -> None:
    with running(service) as api:
        vector(api)
        plain, other = api.client.get("/metrics"), api.client.get("/metrics", headers=AS_OPENMETRICS)
        assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert other.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        found = list(openmetrics.text_string_to_metric_families(other.text))  # type: ignore[no-untyped-call]
        names = {one.name for family in found for one in family.samples}
        assert names == {name for name, _ in said_by(plain.text)}
        (info,) = [family for family in found if family.name == "forestall_model"]
        assert info.type == "info"
        assert info.samples[0].labels == {"version": service.champion.version, "dataset": "test"}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/openmetrics-text;version=x", "☃;;;=,", "," * 4000]
)
def test_any_accept_is_answered(api: Running, accept: str) -> None:
    response = api.client.get("/metrics", headers={b"accept": accept.encode()})
    assert response.status_code == 200


def test_requests_are_counted_by_route(service: Service) -> None:
    with running(service) as api:
        for number in range(3):
            api.client.get(f"/v1/machines/m{number}")
            vector(api)
        api.send("/predict", {"features": []})
        api.client.put("/predict")
        said = scraped(api)
    requests = "forestall_http_requests_total"
    machine = "/v1/machines/{machine}"
    assert value(said, requests, route=machine, method="GET", status="200") == 3
    assert value(said, requests, route="/predict", method="POST", status="200") == 3
    assert value(said, requests, route="/predict", method="POST", status="422") == 1
    assert value(said, requests, route="/predict", method="PUT", status="405") == 1
    assert value(said, requests, route=machine, method="GET", status="500") == 0
    duration = "forestall_http_request_duration_seconds"
    assert value(said, f"{duration}_count", route="/predict") == 5
    assert 0 < value(said, f"{duration}_sum", route=machine) < 30
    assert value(said, f"{duration}_bucket", route=machine, le="10.0") == 3


def test_strangers_make_no_series(service: Service) -> None:
    with running(service) as api:
        api.client.get("/nothing")
        api.client.request("PROPFIND", "/nothing")
        api.client.get("/v1/machines/none")
        before = scraped(api)
        for number in range(300):
            api.client.get(f"/nothing/{number}?of={number}")
            api.client.get(f"/%22{number}%0A")
            api.client.get(f"/v1/machines/none{number}")
            api.client.request(("PROPFIND", "MKCOL", "TRACE")[number % 3], f"/{number}")
        after = scraped(api)
    assert set(after) == set(before) | {key for key in after if ("route", "/metrics") in key[1]}
    other = {"route": "other", "method": "GET", "status": "404"}
    assert value(after, "forestall_http_requests_total", **other) == 601


def test_what_was_refused_is_counted(service: Service) -> None:
    service.rate = Rate(3)
    service.concurrency = ConcurrencyLimit(0)
    with running(service) as api:
        assert api.client.get("/v1/machines").status_code == 503
        assert scraped(api)  # also while too many requests are answered
        service.concurrency.most = 10
        while api.client.get("/v1/machines").status_code == 200:
            pass
        time.sleep(1)
        said = scraped(api)
    assert value(said, "forestall_http_refused_total", limit="concurrency") == 1
    assert value(said, "forestall_http_refused_total", limit="rate") == 1
    assert value(said, "forestall_http_requests_in_flight") == 0


def test_who_may_read(service: Service) -> None:
    key = key_for(service, "read")
    with running(service) as api:
        assert fields(api.client.get("/metrics")) == []
        assert api.client.get("/metrics").status_code == 401
        answer = api.client.get("/metrics", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200 and said_by(answer.text)
    assert "/metrics" in create_app(service).app.app.openapi()["paths"]  # type: ignore[attr-defined]


HOSTILE = ['pump "2"', "line\nbreak", "back\\slash", "Wälzlager", "{a='b'}", "# EOF", "é" * 200]


def test_hostile_names_are_labels_as_they_are() -> None:
    samples = [Sample(metric_names.ALARMS_RAISED, n, (name,)) for n, name in enumerate(HOSTILE)]

    class Exporter:
        def collect(self) -> Any:
            return families(samples)

    for write, read in (
        (generate_latest, parser.text_string_to_metric_families),
        (generate_openmetrics, openmetrics.text_string_to_metric_families),
    ):
        text = write(Exporter()).decode()
        found = {s.labels["component"]: s.value for family in read(text) for s in family.samples}
        assert found == {name: number for number, name in enumerate(HOSTILE)}


def test_another_bundle_is_told(whole_bundle: Path, made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(whole_bundle, folder)
    with running(opened(folder, tmp_path / "forestall.sqlite")) as api:
        before = scraped(api)
        (folder / "manifest.json").write_text("{}")
        until(lambda: value(scraped(api), "forestall_bundle_refused") == 1)
        shutil.copytree(whole_bundle, folder, dirs_exist_ok=True)
        manifest = (folder / "manifest.json").read_text()
        (folder / "manifest.json").write_text(
            manifest.replace('"dataset": "test"', '"revision": "abc", "dataset": "test"')
        )
        until(lambda: value(scraped(api), "forestall_bundle_refused") == 0)
        after = scraped(api)
    ((labels, *more),) = [series(after, "forestall_model_info")]
    assert not more and dict(labels)["revision"] == "abc"
    taken = "forestall_bundle_accepted_timestamp_seconds"
    assert value(after, taken) > value(before, taken)
