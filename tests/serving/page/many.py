"""A fleet of many machines in a store: each a copy of one of the default fleet's, with its opinions and alarms."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from forestall.features.reference import Reference
from forestall.serving.api.start import fill_if_empty, open_service
from forestall.serving.bundle import load_bundle
from forestall.serving.opinions import Opinion
from forestall.serving.store.alarms import end_alarm, raise_alarm
from forestall.serving.store.database import Store, open_store
from forestall.serving.store.machines import add_machines, known_machines, known_numbers, mark_scored
from forestall.serving.store.opinions import OpinionFilter, model_number, ranked, write_opinions
from forestall.serving.store.readings import Readings, add_readings

MACHINES, PAST_ALARMS = 10_000, 20_000
WEEK = 7 * 86_400


def judged_store(file: Path, workspace: Path) -> Path:
    """The store of a workspace's fleet, every machine of which is judged, in `file`."""
    folder = workspace / "models/bundle"
    service = open_service(f"sqlite:///{file}", folder, "127.0.0.1", True, workspace)
    fill_if_empty(service, folder, workspace / "data/raw", lambda text: None)
    assert service.champion.serving is not None
    service.champion.serving.store.close()
    service.store.close()
    return file


def many_machines(judged: Path, file: Path, bundle_folder: Path, count: int = MACHINES) -> Path:
    """A store of `count` machines and their four parts each, the default fleet's among them, in `file`."""
    bundle = load_bundle(bundle_folder)
    store = open_store(f"sqlite:///{shutil.copy(judged, file)}", bundle)
    with store.writing() as connection:
        opinions = ranked(connection, OpinionFilter(), "risk", 100_000).opinions
        known = known_machines(connection)
        names = [f"P{number:05}" for number in range(count - len(known))]
        models = list(known)
        copied = {name: models[place % len(models)] for place, name in enumerate(names)}
        add_machines(connection, {name: known[model].attributes for name, model in copied.items()})
        numbers = known_numbers(connection, names)
        until = max(one.time for one in opinions)
        _add_readings(connection, store, names, until, bundle.reference)
        _add_opinions(connection, numbers, copied, opinions)
        _add_alarms(connection, numbers, until)
        mark_scored(connection, known_machines(connection, names), until, model_number(connection, bundle))
    store.close()
    return file


def _add_readings(
    connection: Connection, store: Store, names: list[str], until: int, reference: Reference
) -> None:
    """Of each machine the first and the last one."""
    sensors = reference.sensors
    rows, rng = 2 * len(names), np.random.default_rng(0)
    times = np.tile(np.array([until - 90 * 86_400, until]), len(names))
    values = rng.uniform(1, 20, (rows, len(sensors))).round(3)
    machines = [name for name in names for _ in range(2)]
    add_readings(
        connection, store, Readings(machines, times, np.ones(rows, bool), sensors, values), reference
    )


def _add_opinions(
    connection: Connection, numbers: dict[str, int], copied: dict[str, str], opinions: list[Opinion]
) -> None:
    """Those of the copied machine; the risks a little lower, so that no two are the same."""
    rng, of = np.random.default_rng(1), dict[str, list[Opinion]]()
    for one in opinions:
        of.setdefault(one.machine, []).append(one)
    made = []
    for name, model in copied.items():
        for one in of[model]:
            curve = tuple(risk * rng.uniform(0.7, 1.0) for risk in one.curve[-1:])
            made.append(replace(one, machine=name, curve=(*[min(r, *curve) for r in one.curve[:-1]], *curve)))
    write_opinions(connection, numbers, made)


def _add_alarms(connection: Connection, numbers: dict[str, int], until: int) -> None:
    """One that stands of each part in alarm, and past ones of the weeks before."""
    rng, names = np.random.default_rng(2), list(numbers)
    for place in range(PAST_ALARMS):
        opened = until - 86_400 - 3_600 * int(rng.integers(1, 24 * 300)) - place % 3_600
        number = numbers[names[int(rng.integers(len(names)))]]
        alarm = raise_alarm(connection, number, "bearing", opened, 0.5, 0.4, opened)
        end_alarm(connection, alarm.id, opened + WEEK // 2, "quiet")
    for one in ranked(connection, OpinionFilter("alarm"), "risk", 100_000).opinions:
        if one.machine in numbers:
            raise_alarm(
                connection, numbers[one.machine], one.component, until, one.curve[-1], one.threshold, until
            )
