"""Releases are exchanged under a service that is being asked: no request is lost, and each answer is of one of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from forestall.retraining import served
from forestall.retraining.history import Promotion, read_history
from forestall.serving.api import champion
from tests.serving.api.process import Served, started, until, wait_for
from tests.serving.api.server import opened, running
from tests.serving.predict_body import body

SWAPS, CLIENTS = 50, 3


def promoted(folder: Path, version: str, number: int) -> None:
    with served.exclusively(folder):
        before = served.champion(folder)
        served.exchange(folder, Promotion(number, version, before, "c0ffee", 0, "Ann", "passed"))


@pytest.mark.slow
def test_no_request_is_lost_over_fifty_exchanges(
    whole_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champion, "SECONDS", 0.02)
    folder, over = tmp_path / "served", threading.Event()
    with served.exclusively(folder):
        versions = [served.lay_down(folder, whole_bundle, revision) for revision in ("aaa", "bbb")]
    promoted(folder, versions[0], 1)
    with running(opened(folder / "champion", tmp_path / "store.sqlite")) as api:

        def ask(machine: str) -> Counter[tuple[int, str]]:
            answers, asked = Counter[tuple[int, str]](), body(machine)
            with httpx.Client(base_url=api.url, timeout=30) as client:
                while not over.is_set():
                    answer = client.post("/predict", json=asked)
                    answers[answer.status_code, answer.json().get("model", "")] += 1
            return answers

        with ThreadPoolExecutor(CLIENTS) as clients:
            asking = [clients.submit(ask, f"m{number}") for number in range(CLIENTS)]
            for number in range(SWAPS):
                version = versions[(number + 1) % 2]
                promoted(folder, version, number + 2)
                until(lambda version=version: api.client.get("/health/ready").json()["model"] == version)  # type: ignore[misc]
            over.set()
        answers = sum((one.result() for one in asking), Counter[tuple[int, str]]())
    assert set(answers) == {(200, version) for version in versions}
    assert min(answers.values()) > SWAPS
    assert len(read_history(folder).done) == SWAPS + 1


@pytest.mark.slow
def test_an_exchange_while_the_service_starts(workspace: Path, tmp_path: Path) -> None:
    """At whatever moment of its start: it ends with the release that was exchanged last, and answers of that alone."""
    folder = tmp_path / "served"
    with served.exclusively(folder):
        versions = [served.lay_down(folder, workspace / "models/bundle", one) for one in ("aaa", "bbb")]
    promoted(folder, versions[0], 1)
    for number, seconds in enumerate((0.5, 1.0, 1.5, 2.0, 2.5), 2):
        version = versions[(number + 1) % 2]
        with started(workspace, "--bundle", str(folder / "champion")) as service:
            time.sleep(seconds)
            promoted(folder, version, number)
            wait_for(service)
            until(lambda version=version, service=service: answered_by(service) == version)  # type: ignore[misc]
            service.kill()


def answered_by(service: Served) -> str:
    return str(service.client.post("/predict", json=body("m1")).json()["model"])
