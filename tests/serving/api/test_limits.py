"""One client does not starve the others, and memory does not grow with addresses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from forestall.serving.api import limits
from forestall.serving.api.limits import ConcurrencyLimit, Rate
from forestall.serving.api.problems import Problem
from tests.serving.api.server import Running, fields, opened, running


def test_a_bucket_fills_again() -> None:
    clock = [0.0]
    rate = Rate(2, lambda: clock[0])
    for _ in range(4):
        rate.take("a")
    with pytest.raises(Problem) as caught:
        rate.take("a")
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "1"})
    rate.take("b")
    clock[0] = 0.5
    rate.take("a")


def test_clients_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_CLIENTS", 100)
    rate = Rate(5, lambda: 0.0)
    for number in range(1000):
        rate.take(str(number))
    assert len(rate.buckets) <= 100


def test_too_many_requests_of_one_client(whole_bundle: Path, tmp_path: Path) -> None:
    service = opened(whole_bundle, tmp_path / "forestall.sqlite")
    service.rate = Rate(3)
    with running(service) as api:
        responses = [api.client.get("/v1/machines") for _ in range(12)]
        assert [one.status_code for one in responses[:6]] == [200] * 6
        late = next(one for one in responses if one.status_code == 429)
        assert late.headers["retry-after"] == "1" and fields(late) == []
        assert api.client.get("/health/ready").status_code == 200


def test_too_many_requests_at_once(whole_bundle: Path, tmp_path: Path) -> None:
    service = opened(whole_bundle, tmp_path / "forestall.sqlite")
    service.concurrency = ConcurrencyLimit(1)
    with running(service) as api:
        begun, go_on = threading.Event(), threading.Event()

        def slow() -> Iterator[bytes]:
            begun.set()
            yield b"["
            go_on.wait(10)
            yield b"]"

        answers: list[int] = []

        def send() -> None:
            answers.append(
                api.client.post(
                    "/v1/readings", content=slow(), headers={"Content-Type": "application/json"}
                ).status_code
            )

        thread = threading.Thread(target=send)
        thread.start()
        begun.wait(10)
        while service.concurrency.taken == 0:
            pass
        full = api.client.get("/v1/machines")
        assert (full.status_code, full.headers["retry-after"]) == (503, "1")
        assert api.client.get("/health/live").status_code == 200
        go_on.set()
        thread.join(10)
        assert answers == [200]
        assert api.client.get("/v1/machines").status_code == 200


def test_a_body_that_does_not_come(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forestall.serving.api.body.SECONDS", 0.2)
    go_on = threading.Event()

    def stuck() -> Iterator[bytes]:
        yield b"["
        go_on.wait(1)
        yield b"]"

    response = api.client.post("/v1/readings", content=stuck(), headers={"Content-Type": "application/json"})
    assert response.status_code == 408


def test_what_was_counted_can_be_given_back() -> None:
    rate = Rate(1, lambda: 0.0)
    for _ in range(10):
        rate.take("a")
        rate.give_back("a")
    for _ in range(2):
        rate.take("a")
    with pytest.raises(Problem):
        rate.take("a")
