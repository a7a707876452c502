"""One running service for the tests that change nothing of it but its readings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forestall.monitoring.reference import MonitoringReference
from forestall.serving.api import state
from forestall.serving.api.service import Service
from tests import plant
from tests.serving.api.server import Running, opened, running
from tests.serving.conftest import Made, bundle_with_baselines
from tests.serving.store.stores import Addresses

EVENTS = plant.events(6, 60)
EVENTS = replace(EVENTS, maintenance=EVENTS.maintenance.query("machine != 'm5' or component != 'seal'"))
TELEMETRY = plant.with_signal(plant.telemetry(6, 60), EVENTS)
END = int(TELEMETRY["time"].max())


@pytest.fixture(scope="session")
def whole_bundle(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with the machines' baselines."""
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    folder.mkdir()
    return bundle_with_baselines(folder, made, TELEMETRY, EVENTS)


@pytest.fixture(scope="session")
def watched_bundle(
    whole_bundle: Path, monitored: MonitoringReference, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same with a reference of monitoring."""
    from tests.serving.api.in_service import with_reference

    folder = Path(shutil.copytree(whole_bundle, tmp_path_factory.mktemp("watched") / "bundle"))
    with_reference(folder, monitored)
    return folder


@pytest.fixture(scope="session")
def in_service(watched_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service after two weeks at work."""
    from tests.serving.api.in_service import two_weeks  # it needs this module's tables

    with two_weeks(watched_bundle, tmp_path_factory.mktemp("in_service") / "store.sqlite") as one:
        yield one


@pytest.fixture(scope="module")
def api(whole_bundle: Path, addresses_of_a_kind: Addresses) -> Iterator[Running]:
    """The service without keys, on this computer, over each kind of database."""
    with running(opened(whole_bundle, addresses_of_a_kind.new())) as one:
        yield one


@pytest.fixture
def workspace(whole_bundle: Path, tmp_path: Path) -> Path:
    """A folder with a bundle and its dataset's tables."""
    shutil.copytree(whole_bundle, tmp_path / "models" / "bundle")
    raw = tmp_path / "data" / "raw" / "test"
    raw.mkdir(parents=True)

    def write(frame: pd.DataFrame, name: str) -> None:
        times = frame["time"].astype("datetime64[s]") if "time" in frame else None
        (frame if times is None else frame.assign(time=times)).to_csv(raw / name, index=False)

    write(TELEMETRY.drop(columns="running"), "telemetry.csv")
    write(EVENTS.errors, "errors.csv")
    write(EVENTS.maintenance, "maint.csv")
    write(EVENTS.failures, "failures.csv")
    write(EVENTS.machines, "machines.csv")
    return tmp_path


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is asked with every scrape."""
    monkeypatch.setattr(state, "EVERY", 0.0)


@pytest.fixture
def service(whole_bundle: Path, tmp_path: Path) -> Service:
    return opened(whole_bundle, tmp_path / "forestall.sqlite")
