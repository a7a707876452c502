"""A store filled from a plant's tables thinks what the batch thinks at their end, and again after new exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.data.events import Events
from forestall.errors import InputError
from forestall.features.baselines import own_baselines, own_frame
from forestall.serving.bundle import Bundle
from forestall.serving.live import Live
from forestall.serving.opinions import Opinion, history_of, opinions_of
from forestall.serving.reach import before_end
from forestall.serving.store.database import Store, open_store
from forestall.serving.store.fill import fill
from forestall.serving.store.machines import known_machines, machine_named
from forestall.serving.store.opinions import OpinionFilter, ranked
from tests import plant
from tests.serving.feeding import between, send
from tests.serving.store.stores import Addresses

DAYS = 60
EVENTS = plant.events(6, DAYS)
HAS_SEAL = (EVENTS.maintenance["machine"] != "m5") | (EVENTS.maintenance["component"] != "seal")
EVENTS = replace(EVENTS, maintenance=EVENTS.maintenance[HAS_SEAL])
FRAME = plant.with_signal(plant.telemetry(6, DAYS), EVENTS).assign(running=True)
STOP = [plant.START + day * plant.DAY for day in (50, 51)]
STOPS = pd.DataFrame({"machine": ["m1"], "start": STOP[:1], "end": STOP[1:]})
END = int(FRAME["time"].max())
NAMES = {"maintenance": "maint"}


def with_stops() -> dict[str, object]:
    """The small plant's tables with one of stops."""
    tables = plant.dataset().tables.model_dump(mode="json", exclude_none=True)
    return tables | {
        "downtime": {"files": "downtime.csv", "machine": "machine", "start": "start", "end": "end"}
    }


DATASET = plant.dataset(tables=with_stops())


def write(folder: Path, until: int = END) -> Path:
    """The small plant's tables as they would be exported at a time."""
    folder.mkdir(exist_ok=True)
    between(FRAME, 0, until).drop(columns="running").pipe(_stamped).to_csv(
        folder / "telemetry.csv", index=False
    )
    for kind in ("errors", "maintenance", "failures"):
        frame = between(getattr(EVENTS, kind), 0, until).pipe(_stamped)
        frame.to_csv(folder / f"{NAMES.get(kind, kind)}.csv", index=False)
    STOPS.pipe(_stamped).to_csv(folder / "downtime.csv", index=False)
    EVENTS.machines.to_csv(folder / "machines.csv", index=False)
    return folder


def _stamped(frame: pd.DataFrame) -> pd.DataFrame:
    times = [name for name in ("time", "start", "end") if name in frame]
    return frame.assign(**{name: frame[name].to_numpy().astype("datetime64[s]") for name in times})


def filled(store: Store, folder: Path, bundle: Bundle, baselines: pd.DataFrame | None = None) -> int:
    """The store filled from a folder, and scored at its end."""
    nothing = pd.DataFrame({"machine": pd.Series(dtype=object)})
    nothing = nothing.assign(**{f"{s}.{k}": 0.0 for s in ("volt", "spin") for k in ("level", "spread")})
    handed = nothing if baselines is None else baselines
    stopping = replace(bundle, plant=replace(bundle.plant, dataset=DATASET))
    count = fill(store, folder, stopping, handed, lambda text: None, folder / "scratch")
    Live.over(store, bundle, None).score_due()
    return count


def thought(store: Store) -> list[Opinion]:
    with store.reading() as connection:
        return ranked(connection, OpinionFilter(), "machine", 1000).opinions


def expected(bundle: Bundle, until: int = END) -> list[Opinion]:
    """The batch's opinions at the end of all tables."""
    frame = between(FRAME, 0, until)
    known = {kind: between(getattr(EVENTS, kind), 0, until) for kind in ("errors", "maintenance", "failures")}
    history = history_of(frame, Events(machines=EVENTS.machines, downtime=STOPS, **known), bundle, until)
    own = own_baselines(history, bundle.reference.spans, ())
    return sorted(opinions_of(history, own, bundle), key=lambda one: (one.machine, one.component))


def test_a_filled_store_thinks_what_the_batch_thinks(store: Store, bundle: Bundle, tmp_path: Path) -> None:
    count = filled(store, write(tmp_path / "raw"), bundle)
    assert thought(store) == expected(bundle)
    with store.reading() as connection:
        machine = machine_named(connection, "m2")
    assert machine is not None
    assert (machine.first, machine.last) == (FRAME["time"].min(), END)
    slots = before_end(bundle) // plant.HOUR
    assert 0.9 * 6 * slots < count <= 6 * slots < len(FRAME)
    assert not (tmp_path / "raw/scratch").exists()


def test_filling_again_changes_nothing(store: Store, bundle: Bundle, tmp_path: Path) -> None:
    filled(store, write(tmp_path / "raw"), bundle)
    with store.reading() as connection:
        before = known_machines(connection)
    assert filled(store, tmp_path / "raw", bundle) == 0
    with store.reading() as connection:
        assert known_machines(connection) == before


def test_a_new_export_goes_on_top(store: Store, bundle: Bundle, tmp_path: Path) -> None:
    middle = plant.START + 45 * plant.DAY
    filled(store, write(tmp_path / "raw", middle), bundle)
    assert thought(store) == expected(bundle, middle)
    filled(store, write(tmp_path / "raw"), bundle)
    assert thought(store) == expected(bundle)


def test_readings_of_a_filled_store_may_be_sent_again(store: Store, bundle: Bundle, tmp_path: Path) -> None:
    filled(store, write(tmp_path / "raw"), bundle)
    last = FRAME[(FRAME["time"] > END - 5 * plant.DAY) & FRAME[["volt", "spin"]].notna().any(axis=1)]
    assert send(store, last, bundle).new == 0
    stopped = between(FRAME[FRAME["machine"] == "m1"], int(STOPS["start"][0]), int(STOPS["end"][0]))
    assert send(store, stopped, bundle).known > 0


def test_a_bad_table_leaves_the_store_as_it_was(store: Store, bundle: Bundle, tmp_path: Path) -> None:
    folder = write(tmp_path / "raw")
    with (folder / "telemetry.csv").open("a") as file:
        file.write("m1,2024-01-05 00:00:00,1,2\n")
    with store.reading() as connection:
        before = known_machines(connection)
    with pytest.raises(InputError, match="two different readings"):
        filled(store, folder, bundle)
    with store.reading() as connection:
        assert known_machines(connection) == before


def test_where_tables_are_too_short_the_bundles_baselines_stand_in(
    addresses_of_a_kind: Addresses, bundle: Bundle, tmp_path: Path
) -> None:
    folder = write(tmp_path / "raw")
    history = history_of(FRAME, EVENTS, bundle, END)
    until = np.full(6, END)
    own = own_baselines(history, bundle.reference.spans, (), until)
    frame = own_frame(history.machines, own, until, ["volt", "spin"], ())
    table = pd.read_csv(folder / "telemetry.csv", parse_dates=["time"])
    recent = table[table["time"] > pd.Timestamp(END - 3 * plant.DAY, unit="s")]
    recent.to_csv(folder / "telemetry.csv", index=False)
    found = []
    for baselines in (None, frame):
        store = open_store(addresses_of_a_kind.new(), bundle)
        filled(store, folder, bundle, baselines)
        found.append([(one.machine, one.component, one.curve) for one in thought(store)])
        store.close()
    wanted = [(one.machine, one.component, one.curve) for one in expected(bundle)]
    assert found[1] == wanted
    assert found[0] != wanted
