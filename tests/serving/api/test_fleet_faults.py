"""A quiet month, other machines, another bundle: what is told of them at the default fleet."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path

import pytest

from forestall.data import store
from forestall.features.files import read_features
from forestall.monitoring.reference import MONITORING, monitoring_reference, write_reference
from forestall.serving.bundle import MANIFEST, load_bundle
from tests.serving.api.fleet_weeks import BUNDLE, ROOT, SINCE, Fleet, fill, join
from tests.serving.api.plant_watch import (
    OPINIONS,
    RISK,
    SCRAPE,
    STALE,
    TIMES,
    Started,
    drifted,
    filled,
    fleet,
    sent,
    started,
    told,
)
from tests.serving.api.process import until
from tests.serving.api.scraping import series, value
from tests.serving.feeding import stamp

__all__ = ["filled", "fleet", "started"]

FOR_LONG = TIMES.lasting + 2 * SCRAPE + 1  # seconds in which any alert of the plant would be sent
NOT_KNOWN_YET = {
    "vibration",
    "pressure",
    "current",
    "speed",
    "load",
}  # of machines without a baseline of their own


@pytest.mark.slow
def test_of_a_quiet_month_nothing_is_told_and_of_the_season_after_it_one_ticket(
    started: Started, filled: Path, fleet: Fleet
) -> None:
    """The test fold's first four whole weeks, in the order of the calendar, and the one after them."""
    with started(filled, fleet) as (weeks, seen):
        until(seen.scraping)
        for _ in range(4):
            week = weeks.passes()
            time.sleep(FOR_LONG)
            assert drifted(week, "risk") | drifted(week, "opinions") == set()
        assert seen.told == []
        assert drifted(week, "input") == {"temperature"}
        assert drifted(weeks.passes(), "risk") == {"seal"}
        told(seen, RISK, "seal")
        assert sent(seen) == {("tickets", RISK)}


@pytest.mark.slow
def test_a_model_of_machines_that_falls_silent_is_told_at_once_and_one_that_joins_to_nobody(
    started: Started, fleet: Fleet, tmp_path: Path
) -> None:
    every = set(fleet.events.machines["machine"])
    new, gone = fleet.machines("CP-80"), fleet.machines("MD-32")
    before = fill(tmp_path / "without.sqlite", fleet.of(every - new))
    with started(before, fleet.of(every - gone)) as (weeks, seen):
        with weeks.unseen():
            join(weeks, new)
        week = weeks.passes()
        assert drifted(week, "input") | drifted(week, "risk") | drifted(week, "opinions") == set()
        told(seen, STALE)
        week = weeks.passes()
        assert drifted(week, "opinions") and drifted(week, "risk") == set()
        assert drifted(week, "input") > NOT_KNOWN_YET
        told(seen, OPINIONS)

        rows = [{"kind": "downtime", "machine": name, "start": stamp(SINCE)} for name in gone]
        with weeks.unseen():
            assert weeks.api.send("/v1/events", rows).is_success
        assert value(weeks.passes(), "forestall_machines_stale") == 0
        told(seen, STALE, status="resolved")
        assert sent(seen) == {("tickets", STALE), ("tickets", OPINIONS)}


def with_thresholds(folder: Path, share: float) -> Path:
    """The default fleet's bundle with a share of its thresholds, and the reference that goes with them."""
    if not (ROOT / "data/features/features.parquet").exists():
        pytest.skip("the default fleet's features are not here: dvc repro")
    shutil.copytree(BUNDLE, folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["thresholds"] = {name: share * limit for name, limit in manifest["thresholds"].items()}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    bundle = load_bundle(folder)
    clock, names = bundle.plant.dataset.clock, [one.name for one in bundle.reference.features]
    decisions, features = read_features(ROOT / "data/features", names, clock)
    events = store.read_events(ROOT / "data/prepared", clock)
    write_reference(folder, monitoring_reference(decisions, features, events, bundle), clock)
    digest = hashlib.sha256((folder / MONITORING).read_bytes()).hexdigest()
    manifest["sha256"][MONITORING] = digest
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_of_another_bundle_nothing_is_told_and_its_first_part_of_a_week_is_not_compared(
    started: Started, filled: Path, fleet: Fleet, tmp_path: Path
) -> None:
    other = with_thresholds(tmp_path / "other", 0.5)
    served = Path(shutil.copytree(BUNDLE, tmp_path / "bundle"))
    with started(filled, fleet, served) as (weeks, seen):
        weeks.passes()
        assert series(weeks.passes(days=5), "forestall_drift_psi")
        version = weeks.api.service.serving.version
        with weeks.unseen():
            shutil.copytree(other, served, dirs_exist_ok=True)
            until(lambda: weeks.api.service.serving.version != version)
        assert not series(weeks.said(), "forestall_drift_psi")
        for days, compared in ((2, False), (7, True), (7, True)):
            week = weeks.passes(days=days)
            assert bool(series(week, "forestall_drift_psi")) == compared
        time.sleep(FOR_LONG)
        assert seen.told == []
