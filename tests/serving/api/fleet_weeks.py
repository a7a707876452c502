"""Weeks of the default fleet's test fold, sent as its plant would send them, with or without something wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from forestall.data.events import Events
from forestall.data.prepare import prepare
from forestall.data.read_events import read_events
from forestall.data.repairs import Repairs
from forestall.serving.api import state
from forestall.serving.bundle import load_bundle
from forestall.serving.live import Live
from forestall.serving.reach import before_end
from forestall.serving.store.database import open_store
from forestall.serving.store.events import KINDS
from forestall.serving.store.machines import add_machines, attributes_of
from tests.plant import DAY
from tests.serving.api.process import until
from tests.serving.api.scraping import Said, scraped, worked_out
from tests.serving.api.server import Running
from tests.serving.feeding import between, events_between, send, send_events

ROOT = Path(__file__).parents[3]
BUNDLE, RAW = ROOT / "models/bundle", ROOT / "data/raw/simulated"
WEEK = 7 * DAY
SINCE = 1_727_913_600  # 2024-10-03: the first whole week of the test fold begins
MONTHS = [f"2024-{month:02d}.csv" for month in range(6, 12)]
Change = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Fleet:
    """What the plant recorded from June to November: readings as they were sent, and all that happened."""

    telemetry: pd.DataFrame
    events: Events

    def of(self, machines: set[str]) -> Fleet:
        """Some of the machines alone."""
        frames = {kind: _of(getattr(self.events, kind), machines) for kind in ("machines", *KINDS)}
        return Fleet(_of(self.telemetry, machines), Events(**frames))

    def machines(self, model: str) -> set[str]:
        """Those of one model."""
        table = self.events.machines
        return set(table["machine"][table["model"] == model])


def _of(frame: pd.DataFrame, machines: set[str]) -> pd.DataFrame:
    some: pd.DataFrame = frame[frame["machine"].isin(machines)].reset_index(drop=True)
    return some


def read_fleet(scratch: Path) -> Fleet:
    """From the plant's own tables, as a store is filled from them."""
    if not all((RAW / "telemetry" / month).exists() for month in MONTHS) or not BUNDLE.exists():
        pytest.skip("the default fleet and its model are not here: dvc repro")
    dataset = load_bundle(BUNDLE).plant.dataset
    raw = scratch / "raw"
    (raw / "telemetry").mkdir(parents=True)
    for file in [*RAW.glob("*.csv"), *(RAW / "telemetry" / month for month in MONTHS)]:
        (raw / file.relative_to(RAW)).symlink_to(file.resolve())
    stops = read_events(raw, dataset, Repairs([]))[0].downtime
    without = dataset.tables.model_copy(update={"downtime": None})
    frames: list[pd.DataFrame] = []
    plain = dataset.model_copy(update={"tables": without})
    events, _, _ = prepare(raw, plain, 0, frames.append, lambda _: None, scratch / "pieces")
    telemetry = pd.concat(frames, ignore_index=True)
    sent = telemetry[list(dataset.tables.telemetry.sensors)].notna().any(axis=1)
    return Fleet(telemetry[sent].drop(columns="measured"), replace(events, downtime=stops))


def fill(file: Path, fleet: Fleet) -> Path:
    """A store of the fleet when the test fold's first whole week begins; every machine is judged."""
    bundle = load_bundle(BUNDLE)
    store = open_store(f"sqlite:///{file}", bundle)
    with store.writing() as connection:
        add_machines(connection, attributes_of(fleet.events.machines))
    send(store, between(fleet.telemetry, SINCE - before_end(bundle), SINCE), bundle)
    send_events(store, events_between(fleet.events, 0, SINCE), bundle)
    Live.over(store, bundle, lambda: SINCE).score_due()
    store.close()
    return file


@dataclass
class Weeks:
    """A plant whose weeks pass one by one, each between two looks of the service at its store.

    now: the plant's time, by which the service judges.
    """

    api: Running
    fleet: Fleet
    patch: pytest.MonkeyPatch
    now: int = SINCE

    def passes(self, change: Change = lambda frame: frame, days: float = 7) -> Said:
        """A week, or a part of one, is sent and scored; what /metrics says then."""
        with self.unseen():
            after = self.now + round(days * DAY)
            self._send("/v1/events", _event_rows(events_between(self.fleet.events, self.now, after)))
            self._send("/v1/readings", change(between(self.fleet.telemetry, self.now, after).copy()))
            self.now = after
        return self.said()

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """What is done is done, and scored, between two looks at the store."""
        self.patch.setattr(state, "EVERY", float("inf"))
        scraped(self.api)  # a look that has begun ends
        yield
        until(lambda: not self.api.service.serving.live.due(), 120)
        self.patch.setattr(state, "EVERY", 0.0)

    def said(self) -> Said:
        """What /metrics says now."""
        return worked_out(self.api)

    def _send(self, path: str, rows: pd.DataFrame) -> None:
        columns = {name: _stamps(rows[name]) for name in ("time", "start", "end") if name in rows}
        response = self.api.send(path, rows.assign(**columns).to_csv(index=False), "text/csv")
        assert response.status_code == 200, response.text


def _event_rows(events: Events) -> pd.DataFrame:
    frames = [getattr(events, kind).assign(kind=kind) for kind in KINDS]
    rows: pd.DataFrame = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    return rows


def _stamps(ticks: pd.Series[float]) -> pd.Series[str]:
    texts: pd.Series[str] = pd.to_datetime(ticks, unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return texts


def join(weeks: Weeks, machines: set[str]) -> None:
    """Machines are made known; they send nothing yet."""
    table = _of(weeks.fleet.events.machines, machines).drop(columns=["machine"])
    names = _of(weeks.fleet.events.machines, machines)["machine"]
    for name, row in zip(names, table.to_dict("records"), strict=True):
        response = weeks.api.client.put(f"/v1/machines/{name}", json={"attributes": row})
        assert response.is_success, response.text
