"""A plant whose machines count their own cycles, served: filled from its table, sent to, ranked, asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forestall.serving.api.start import fill_if_empty, open_service
from forestall.serving.bundle import load_bundle
from tests import engines
from tests.serving.api.server import Running, fields, running
from tests.serving.feeding import batch_of
from tests.serving.store.stores import Addresses

CYCLES, LAST = engines.telemetry(), engines.last_cycles()
ALIVE, GONE = sorted(engines.LEFT), ["1", "2", "3"]
SENT = 5  # of each engine that is alive, the last cycles come over HTTP


@pytest.fixture(scope="module")
def garage(
    counting_folder: Path, addresses_of_a_kind: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    raw = tmp_path_factory.mktemp("raw")
    (raw / "test").mkdir()
    table = engines.table()
    table = table[table["engine"].astype(str).isin([*ALIVE, *GONE])]
    alive = table["engine"].astype(str).isin(ALIVE)
    late = alive & (table["cycle"] > table["engine"].astype(str).map(LAST) - SENT)
    table[~late].to_csv(raw / "test" / "engines.csv", index=False)
    service = open_service(addresses_of_a_kind.new(), counting_folder, "127.0.0.1")
    fill_if_empty(service, counting_folder, raw, lambda _: None)
    with running(service) as api:
        yield api


def rows(engine: str, low: int, high: int) -> list[dict[str, Any]]:
    frame = CYCLES[(CYCLES["machine"] == engine) & CYCLES["time"].between(low, high)]
    columns = ["machine", "time", "running", *engines.SENSORS]
    return [{str(name): cell for name, cell in row.items()} for row in frame[columns].to_dict("records")]


@pytest.fixture(scope="module")
def sent(garage: Running) -> Running:
    """With the last cycles, one at a time."""
    for step in range(SENT - 1, -1, -1):
        batch = [row for one in ALIVE for row in rows(one, LAST[one] - step, LAST[one] - step)]
        assert garage.send("/v1/readings", batch).json() == {"received": 7, "new": 7, "known": 0}
    return garage


def ranked(api: Running) -> dict[str, dict[str, Any]]:
    api.service.serving.live.score_due()
    page = api.client.get("/v1/machines", params={"limit": 500}).json()
    assert page["next"] is None
    return {one["machine"]: one for one in page["machines"]}


def test_the_ranking_has_the_bits_of_the_batch(sent: Running, counting_folder: Path) -> None:
    bundle = load_bundle(counting_folder)
    batch = batch_of(CYCLES[CYCLES["machine"].isin([*ALIVE, *GONE])], engines.events(), bundle)
    found, order = ranked(sent), list(ranked(sent))
    assert set(found) == {*ALIVE, *GONE}
    assert found["44"]["status_reason"] == "too short a history" and LAST["44"] < 30
    for machine in set(ALIVE) - {"44"}:
        one = found[machine]
        expected = batch.curves[batch.machines.index(machine), LAST[machine] - 1, 0]
        assert one["time"] == LAST[machine]
        assert np.array(list(one["risk"].values()), dtype=np.float32).tobytes() == expected.tobytes()
        assert list(one["risk"]) == ["30cycles"]
    gone = {name for name, one in found.items() if one["status_reason"] == "history ended with its failure"}
    assert gone == set(GONE) and set(order[: len(ALIVE)]) == set(ALIVE)


def test_one_engine_in_detail(sent: Running) -> None:
    answer = sent.client.get("/v1/machines/5").json()
    assert (answer["first_reading"], answer["last_reading"]) == (1, LAST["5"])
    assert (answer["data_age"], answer["time_unit"]) == (0.0, "cycles")
    assert answer["components"][0]["trend"][-1]["time"] == LAST["5"]
    query = {"after": LAST["5"] - 3, "until": LAST["5"] - 1}
    got = sent.client.get("/v1/machines/5/readings", params=query).json()["readings"]
    assert got == rows("5", LAST["5"] - 2, LAST["5"] - 1)
    assert sent.client.get("/health/ready").json()["latest"] == max(LAST[one] for one in (*ALIVE, *GONE))


def test_a_history_alone_is_judged_alike(sent: Running) -> None:
    found = ranked(sent)
    for engine in ALIVE:
        history = [{k: v for k, v in row.items() if k != "machine"} for row in rows(engine, 1, LAST[engine])]
        answer = sent.send("/predict", {"machine": engine, "readings": history})
        (one,) = answer.json()["components"]
        assert (one["risk"], one["time"]) == (found[engine]["risk"], LAST[engine]), answer.text


@pytest.mark.parametrize("time", ["2024-01-01T00:00:00Z", "12", 1.5, True, None, 10**19])
def test_a_cycle_that_is_none(garage: Running, time: Any) -> None:
    row = {"machine": "5", "time": time, "s1": 640.0}
    said = garage.send("/v1/readings", [row])
    assert (said.status_code, fields(said)) == (422, ["readings[0].time"])
    history = {"readings": [{"time": time, "s1": 640.0}]}
    assert garage.send("/predict", history).status_code == 422


def test_readings_as_csv_and_a_new_engine(garage: Running) -> None:
    table = pd.DataFrame(rows("1", 1, 60)).assign(machine="new", running="true").to_csv(index=False)
    assert garage.send("/v1/readings", table, "text/csv").json()["new"] == 60
    opinion = ranked(garage)["new"]
    assert (opinion["time"], opinion["status"]) == (60, "normal")


def test_an_alarm_is_closed_with_the_cycle_in_which_it_failed(sent: Running) -> None:
    ranked(sent)
    alarm = sent.client.get("/v1/alarms", params={"limit": 1}).json()["alarms"][0]
    assert isinstance(alarm["opened"], int)
    change = {"state": "closed", "finding": "confirmed", "found": alarm["opened"] + 1}
    path, version = f"/v1/alarms/{alarm['id']}", {"If-Match": '"1"'}
    closed = sent.client.patch(path, json=change, headers=version)
    assert closed.status_code == 200, closed.text
    lines = sent.client.get("/v1/export/failures").text.splitlines()
    assert f"{alarm['machine']},{alarm['opened'] + 1},machine,feedback" in lines
    assert lines[0] == "machine,time,component,source"
    assert sent.client.get("/v1/export/maintenance").text == "machine,time,component,source\n"


@pytest.mark.parametrize("found", ["--5", "1.0", "five", "1_0", "9" * 19])
def test_a_cycle_in_text_that_is_none(garage: Running, found: str) -> None:
    change = {"state": "closed", "finding": "confirmed", "found": found}
    said = garage.client.patch("/v1/alarms/1", json=change, headers={"If-Match": '"1"'})
    assert (said.status_code, fields(said)) == (422, ["found"])
    said = garage.send("/v1/readings", f"machine,time,s1\n5,{found},640\n", "text/csv")
    assert (said.status_code, fields(said)) == (422, ["readings[0].time"])
