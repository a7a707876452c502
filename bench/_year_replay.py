"""The replay of bench/year.py: two services, the same traffic; one is retrained, the other stays as it is."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from _year_plant import Plan, deliveries, write_plant
from _year_repository import (
    Made,
    Retrained,
    cache_bytes,
    dataset_objects,
    first_release,
    from_scratch,
    made_repository,
    retrain,
)
from _year_service import Arm, Truth, asking, deliver, history_of, served
from forestall.monitoring.outcomes import Realised
from forestall.monitoring.service import Window
from forestall.monitoring.stored_outcomes import stored_outcomes
from forestall.pipeline.stage import read_dataset
from forestall.serving.bundle import load_bundle
from forestall.serving.store.database import connect
from tests.pipeline.repository import git

RETRAINED, FROZEN = "retrained", "frozen"
PROJECT, WHOLE, DONE = "project", "whole", "done.json"
Say = Callable[[str], None]
PATIENCE = 600  # looks, ten a second, for the new model


@dataclass(frozen=True)
class Month:
    """A month's end. exchange: seconds from the link's exchange until an answer is the new model's; 0 without one.

    during: requests while it was retrained and exchanged; failed: those that were not answered. added: bytes that DVC
    stores more than before, in all and of the plant's tables; whole: all that it stores, and all tables.
    """

    month: str
    done: Retrained
    version: str
    exchange: float
    during: int
    failed: int
    added: tuple[int, int]
    whole: tuple[int, int]


@dataclass
class Year:
    """What came of it. realised: by arm, from the first day in service to the last.

    scratch: seconds of the processor that the last candidate's revision takes with an empty cache.
    """

    plan: Plan
    first: str
    scratch: float = 0.0
    months: list[Month] = field(default_factory=list)
    realised: dict[str, Realised] = field(default_factory=dict)
    scraped: dict[str, dict[pd.Timestamp, str]] = field(default_factory=dict)
    failed: dict[str, list[str]] = field(default_factory=dict)


def replay(plan: Plan, how: Made, place: Path, say: Say, to_the_end: bool = True) -> Year:
    """The plant's time in service, in a folder that is empty; the repository stays there.

    Args:
        to_the_end: whether it is asked for a retrain at the last month's end, too, of which no figure is the better.
    """
    write_plant(plan, place / WHOLE, place)
    folder = made_repository(place / PROJECT, place / WHOLE, plan, how)
    say(f"the repository is made; first release: {first_release(folder)}")
    year = Year(plan, git(folder, "rev-parse", "HEAD"))
    shutil.copytree(folder / "models/served/champion", place / FROZEN)
    with ExitStack() as stack:
        bundles = {RETRAINED: folder / "models/served/champion", FROZEN: place / FROZEN}
        arms = [
            stack.enter_context(served(name, folder, bundle, place / f"{name}.sqlite"))
            for name, bundle in bundles.items()
        ]
        for month in plan.months:
            last = live_through(arms, place / WHOLE, month, folder)
            say(f"{month}: delivered")
            if to_the_end or month != plan.last:
                year.months.append(retrained(arms[0], folder, month, last))
                say(f"{month}: {told(year.months[-1])}")
            keep(year, arms, place)
    if to_the_end and year.months[-1].done.branch:
        year.scratch = from_scratch(folder, year.months[-1].done.revision, place / "again")
    save(year, place / DONE)
    return loaded(place)


def keep(year: Year, arms: list[Arm], place: Path) -> None:
    """What is known by now, so that a year that is cut short is not lost."""
    for arm in arms:
        year.scraped[arm.name], year.failed[arm.name] = arm.scraped, arm.failed
        (place / "scraped" / arm.name).mkdir(parents=True, exist_ok=True)
        for at, said in arm.scraped.items():
            (place / "scraped" / arm.name / f"{at:%Y-%m-%d}.txt").write_text(said, encoding="utf-8")


def live_through(arms: list[Arm], whole: Path, month: str, folder: Path) -> dict[str, Any]:
    """A month is sent to all; the last history of a machine, to ask with."""
    sensors = read_dataset("mill", folder).tables.telemetry.sensors
    ranges = {name: sensor.range for name, sensor in sensors.items() if sensor.range is not None}
    truth, history = Truth.of(whole), dict[str, Any]()
    for one in deliveries(whole, month, ranges):
        for arm in arms:
            deliver(arm, one, truth)
        history = history_of(one.readings)
    return history


def retrained(arm: Arm, folder: Path, month: str, history: dict[str, Any]) -> Month:
    """`forestall retrain --if-due --promote` at the end of a month, while the service is asked."""
    tables = dataset_objects(folder, "HEAD")
    before, asked, failed = cache_bytes(folder), arm.asked, len(arm.failed)
    champion = folder / "models/served/champion"
    with asking(arm, history) as first:
        done = retrain(folder, arm.url)
        version = champion.readlink().name
        for _ in range(PATIENCE):
            if version in first:
                break
            time.sleep(0.1)
    exchange = first[version] - champion.lstat().st_mtime if done.promoted else 0.0
    answering = arm.version()
    now = dataset_objects(folder, done.revision)
    whole = cache_bytes(folder)
    new = sum(size for name, size in now.items() if name not in tables)
    return Month(
        month, done, answering, exchange, arm.asked - asked, len(arm.failed) - failed,
        (whole - before, new), (whole, sum(now.values())),
    )  # fmt: skip


def told(one: Month) -> str:
    """In a line."""
    done = one.done
    if not done.branch:
        return f"not due: {done.said.strip().splitlines()[-1]}"
    verdict = "promoted" if done.promoted else f"refused ({'; '.join(done.failed)})"
    return (
        f"{verdict} in {done.seconds:.0f} s, answers as {one.version} after {one.exchange:.1f} s; "
        f"{one.during} requests meanwhile, {one.failed} failed"
    )


def outcomes(database: Path, bundle: Path, plan: Plan) -> Realised:
    """What became of the alarms and failures in service, by the evaluation's ledger."""
    start = int(pd.Timestamp(plan.history).timestamp())
    end = pd.Period(plan.last, "M").end_time.floor("s") + pd.Timedelta(seconds=1)
    store = connect(f"sqlite:///{database}", may_be_new=False)
    with store.reading() as connection:
        found = stored_outcomes(connection, load_bundle(bundle), Window(start, int(end.timestamp())))
    store.close()
    return found


def save(year: Year, file: Path) -> None:
    """What cannot be read again from the databases and from what was scraped."""
    kept = {"plan": asdict(year.plan), "first": year.first, "scratch": year.scratch, "failed": year.failed}
    kept["months"] = [asdict(one) for one in year.months]
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def loaded(place: Path) -> Year:
    """A year that was replayed in a folder."""
    kept = json.loads((place / DONE).read_text(encoding="utf-8"))
    plan = Plan(**kept["plan"])
    months = [Month(**one | {"done": Retrained(**one["done"])}) for one in kept["months"]]
    year = Year(plan, kept["first"], kept.get("scratch", 0.0), months, failed=kept["failed"])
    for name in (RETRAINED, FROZEN):
        year.realised[name] = outcomes(place / f"{name}.sqlite", place / FROZEN, plan)
        files = sorted((place / "scraped" / name).glob("*.txt"))
        year.scraped[name] = {pd.Timestamp(file.stem): file.read_text(encoding="utf-8") for file in files}
    return year
