"""A plant's service for bench/year.py: a real process, and what plant, people and Prometheus do with it over HTTP."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pandas as pd

from _year_plant import Delivery
from tests.pipeline.servers import HERE, free_port

HURRIED = Path(__file__).with_name("_hurried.py")
HORIZON, EVERY = pd.Timedelta(days=7), pd.Timedelta(hours=12)  # decisions of the simulated plant
WATCHED = "forestall_watch_timestamp_seconds"
DUE, JUDGED = "forestall_scoring_due_machines", "bearing"  # a part that every pump has
PATIENCE, PAUSE = 900.0, 0.2


class FailedRequestError(Exception):
    """The service did not answer as it should."""


@dataclass
class Arm:
    """A service. scraped: by the plant's time, what /metrics said. asked, failed: requests, and those not answered."""

    name: str
    database: Path
    client: httpx.Client
    process: subprocess.Popen[bytes]
    scraped: dict[pd.Timestamp, str] = field(default_factory=dict)
    asked: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of the database."""
        return f"sqlite:///{self.database}"

    def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        """An answer.

        Raises:
            FailedRequestError: it is an error, which is kept.
        """
        self.asked += 1
        try:
            answer = self.client.request(method, path, **content)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            said = error.response.text if isinstance(error, httpx.HTTPStatusError) else repr(error)
            self.failed.append(f"{method} {path}: {said[:500]}")
            raise FailedRequestError(self.failed[-1]) from error
        return answer

    def version(self) -> str:
        """Of the model that answers."""
        return str(self.request("GET", "/health/ready").json()["model"])

    def metrics(self) -> str:
        """What Prometheus would read."""
        return self.request("GET", "/metrics").text


@contextmanager
def served(name: str, folder: Path, bundle: Path, database: Path) -> Iterator[Arm]:
    """`forestall serve --recorded` in a plant's repository, once it answers."""
    port = free_port()
    words = ["serve", "--recorded", "--port", str(port), "--bundle", str(bundle)]
    words += ["--database", f"sqlite:///{database}"]
    with (folder.parent / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, str(HURRIED), *words], cwd=folder, stderr=log)
        with httpx.Client(base_url=f"http://{HERE}:{port}", timeout=120) as client:
            try:
                _wait_for(client, process)
                yield Arm(name, database, client, process)
            finally:
                process.terminate()
                process.wait(60)


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(int(PATIENCE / 0.2)):
        if process.poll() is not None:
            raise FailedRequestError("the service has ended; its log is beside the repository")
        try:
            client.get("/health/live").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise FailedRequestError("the service does not answer")


def deliver(arm: Arm, delivery: Delivery, truth: Truth) -> None:
    """What the plant sends; once it is judged, what people make of the alarms, and what monitoring says by then."""
    if delivery.events:
        arm.request("POST", "/v1/events", json={"events": delivery.events})
    arm.request("POST", "/v1/readings", content=delivery.readings, headers={"Content-Type": "text/csv"})
    settle(arm, delivery.until.floor(EVERY))
    answer_alarms(arm, delivery.until, truth)
    arm.scraped[delivery.until] = watched(arm)


def settle(arm: Arm, decision: pd.Timestamp) -> None:
    """Until every machine was judged at a decision."""
    for _ in range(int(PATIENCE / 0.2)):
        page = arm.request("GET", "/v1/machines", params={"component": JUDGED, "limit": 500}).json()
        assert page["next"] is None, "a fleet of one page"
        if all(pd.Timestamp(one["time"]).tz_localize(None) >= decision for one in page["machines"]):
            return
        time.sleep(0.2)
    raise FailedRequestError(f"machines are not judged at {decision}")


def watched(arm: Arm) -> str:
    """/metrics with drift and outcomes of what is known now: nobody else asks, so that a new look begins with it."""
    since = time.time()
    for _ in range(int(PATIENCE)):
        said = arm.metrics()
        if value(said, WATCHED) > since and value(said, DUE) == 0:
            return said
    raise FailedRequestError("monitoring says nothing new")


def value(said: str, name: str) -> float:
    """Of a metric without labels; 0 where it is not there yet."""
    found = [line.split()[-1] for line in said.splitlines() if line.startswith(f"{name} ")]
    return float(found[0]) if found else 0.0


@dataclass(frozen=True)
class Truth:
    """What the plant's people find: failures and replacements (machine, component, time)."""

    failures: pd.DataFrame
    maintenance: pd.DataFrame

    @classmethod
    def of(cls, whole: Path) -> Truth:
        """From the plant's tables."""
        return cls(
            *(
                pd.read_csv(whole / f"{name}.csv", parse_dates=["time"])
                for name in ("failures", "maintenance")
            )
        )

    def finding(self, alarm: dict[str, Any]) -> dict[str, Any]:
        """How an alarm whose horizon is over is closed."""
        opened = pd.Timestamp(alarm["opened"]).tz_localize(None)
        for finding, frame in (("confirmed", self.failures), ("replaced unseen", self.maintenance)):
            own = (frame["machine"] == alarm["machine"]) & (frame["component"] == alarm["component"])
            when = frame.loc[own & frame["time"].between(opened, opened + HORIZON, "right"), "time"]
            if len(when):
                return {"finding": finding, "found": f"{when.min():%Y-%m-%dT%H:%M:%SZ}"}
        return {"finding": "no fault found"}


def answer_alarms(arm: Arm, now: pd.Timestamp, truth: Truth) -> None:
    """New alarms are acknowledged; those whose horizon is over are closed with what was found."""
    for alarm in list(alarms_in(arm, ("open", "acknowledged"))):
        version = alarm["version"]
        if alarm["state"] == "open":
            version = change(arm, alarm["id"], version, {"state": "acknowledged", "assignee": "day shift"})
        if pd.Timestamp(alarm["opened"]).tz_localize(None) + HORIZON <= now:
            change(arm, alarm["id"], version, {"state": "closed", **truth.finding(alarm)})


def alarms_in(arm: Arm, states: Sequence[str]) -> Iterator[dict[str, Any]]:
    """All alarms in these states."""
    cursor: str | None = None
    while True:
        asked: dict[str, Any] = {"state": list(states), "limit": 100} | ({"cursor": cursor} if cursor else {})
        page = arm.request("GET", "/v1/alarms", params=asked).json()
        yield from page["alarms"]
        cursor = page["next"]
        if cursor is None:
            return


def change(arm: Arm, number: int, version: int, what: dict[str, Any]) -> int:
    """The alarm's version after it."""
    answer = arm.request("PATCH", f"/v1/alarms/{number}", json=what, headers={"If-Match": f'"{version}"'})
    return int(answer.json()["version"])


@contextmanager
def asking(arm: Arm, history: dict[str, Any]) -> Iterator[dict[str, float]]:
    """People and programs ask all the while, each path in turn; when which model answered first, by version."""
    stop, first = Event(), dict[str, float]()

    def ask() -> None:
        while not stop.wait(PAUSE):
            try:
                first.setdefault(arm.version(), time.time())
                arm.request("GET", "/v1/machines", params={"limit": 5})
                arm.request("POST", "/predict", json=history)
            except FailedRequestError:
                continue  # it is kept in `failed`

    thread = Thread(target=ask)
    thread.start()
    try:
        yield first
    finally:
        stop.set()
        thread.join(60)


def history_of(readings: bytes) -> dict[str, Any]:
    """The recent history of the first machine of a delivery, as POST /predict is asked."""
    from io import BytesIO

    frame = pd.read_csv(BytesIO(readings))
    some = frame[frame["machine"] == frame["machine"].iloc[0]]
    plain = some.drop(columns="machine").astype(object).where(some.notna(), None)
    return {"machine": some["machine"].iloc[0], "readings": plain.to_dict("records")}
