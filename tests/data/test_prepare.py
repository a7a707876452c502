"""Raw tables to clean ones, whatever their shape and size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.data import prepare, read, store
from forestall.data.dataset import Clock
from tests import plant
from tests.data.case import TELEMETRY, Case


def large(case: Case, machines: int = 12, hours: int = 200) -> None:
    """Telemetry of many machines, by time as loggers write it, with gaps, copies and shared slots."""
    rng = np.random.default_rng(5)
    case.one_component()
    frame = pd.DataFrame(
        {
            "machine": np.tile([f"m{n}" for n in range(machines)], hours),
            "time": np.repeat(pd.date_range("2024-01-01", periods=hours, freq="40min"), machines),
            "volt": rng.normal(170, 15, machines * hours),
            "spin": rng.normal(450, 50, machines * hours),
        }
    )
    frame.loc[rng.random(len(frame)) < 0.1, "volt"] = np.nan
    frame = pd.concat([frame[rng.random(len(frame)) > 0.05], frame.head(50)])
    case.write("telemetry", frame.to_csv(index=False, date_format="%Y-%m-%d %H:%M:%S"))
    case.write("failures", "machine,time\nm1,2024-01-03 04:00:00\n")


def test_more_rows_than_memory_holds(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    large(case)
    whole = case.run(carry_forward=2)
    monkeypatch.setattr(prepare, "BUCKET_BYTES", 20_000)
    monkeypatch.setattr(read, "PIECE_BYTES", 9_000)
    pieces = case.run(carry_forward=2)
    assert pieces.repairs == whole.repairs
    assert (pieces.summary.rows_in, len(pieces.summary.spans)) == (whole.summary.rows_in, 12)
    assert pieces.telemetry["machine"].tolist() != whole.telemetry["machine"].tolist(), "several buckets"
    for machine in whole.telemetry["machine"].unique():
        for column in ("time", "running", "volt", "spin"):
            assert (
                pieces.of(machine)[column].to_numpy().tobytes()
                == whole.of(machine)[column].to_numpy().tobytes()
            )


def test_long_telemetry_in_several_buckets(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    large(case)
    frame = pd.read_csv(case.folder / "telemetry.csv").drop_duplicates(["machine", "time"])
    case.write("telemetry", frame.to_csv(index=False))
    wide = case.run()
    case.write("telemetry", frame.melt(["machine", "time"], var_name="tag").to_csv(index=False))
    case.tables["telemetry"] |= {"tag": "tag", "value": "value"}
    long = case.run()
    pd.testing.assert_frame_equal(long.telemetry, wide.telemetry)
    monkeypatch.setattr(prepare, "BUCKET_BYTES", 20_000)
    buckets = case.run().telemetry.sort_values(["machine", "time"], ignore_index=True)
    pd.testing.assert_frame_equal(buckets, wide.telemetry)


def test_long_telemetry_with_tags_of_other_names(case: Case) -> None:
    case.tables["telemetry"] |= {"tag": "tag", "value": "value", "where": {"quality": "good"}}
    case.tables["telemetry"]["sensors"] = {"volt": {"column": "U1"}, "spin": {}}
    rows = [
        "a,2024-01-01 01:00:00,U1,1,good",
        "a,2024-01-01 01:00:00,spin,5,good",
        "a,2024-01-01 01:00:00,spin,6,bad",
        "a,2024-01-01 02:00:00,U1,2,good",
        "a,2024-01-01 02:00:00,U1,2,good",
        "a,2024-01-01 03:00:00,spin,7,good",
    ]
    case.write("telemetry", "machine,time,tag,value,quality\n" + "\n".join(rows) + "\n")
    found = case.run()
    np.testing.assert_array_equal(found.of("a")["volt"], [1, 2, np.nan])
    np.testing.assert_array_equal(found.of("a")["spin"], [5, np.nan, 7])
    assert found.repairs[("telemetry", "", "exact duplicate removed")] == 1


def test_sensors_in_columns_of_other_names(case: Case) -> None:
    case.write("telemetry", TELEMETRY.replace("volt", "U1 [V]"))
    case.tables["telemetry"]["sensors"]["volt"]["column"] = "U1 [V]"
    assert case.run().of("b")["volt"].tolist() == [160.5, 161.5]


def test_daily_telemetry_is_known_at_its_offset(case: Case) -> None:
    case.tables["telemetry"]["interval"] = "24h"
    case.content["decisions"] |= {"every": "24h", "offset": "6h"}
    case.content["windows"]["sensors"] = ["24h", "48h"]
    case.write("telemetry", "machine,time,volt,spin\na,2024-01-01 06:00:00,1,2\na,2024-01-03 06:00:00,2,3\n")
    found = case.run(carry_forward=1).of("a")
    assert found["time"].tolist() == [plant.START + 6 * plant.HOUR + n * plant.DAY for n in range(4)]
    assert found["volt"].tolist() == [1, 1, 2, 2]
    assert found["measured"].tolist() == [True, False, True, False]


def test_machines_with_a_counter_for_a_clock(case: Case) -> None:
    case.one_component()
    case.content["clock"] = {"kind": "counter", "unit": "cycles", "per_month": 60.0}
    case.tables["telemetry"]["interval"] = "1cycles"
    case.tables["failures"] = {"last_row": True, "alive": [2]}
    spans = {"every": 1, "offset": 0, "min_lead": 2, "history": 5, "stale": 5}
    case.content["decisions"] = {name: f"{n}cycles" for name, n in spans.items()} | {"horizons": ["30cycles"]}
    case.content["windows"] = {
        "sensors": ["5cycles"],
        "events": ["5cycles"],
        "baseline": "60cycles",
        "baseline_every": "10cycles",
    }
    case.content["split"] = {
        "by": "machine",
        "validation": 0.2,
        "test": 0.2,
        "gap": "30cycles",
        "unseen_machines": 0.0,
    }
    case.write("telemetry", "machine,time,volt,spin\n1,1,5,6\n1,2,6,7\n1,3,7,8\n2,1,5,6\n2,2,4,5\n")
    found = case.run()
    assert found.telemetry["time"].tolist() == [1, 2, 3, 1, 2]
    assert found.events.failures.to_numpy().tolist() == [["1", 3, "machine"]]


def test_the_counts(case: Case) -> None:
    summary = case.run().summary
    assert (summary.rows_in, summary.rows_out) == (5, 5)
    assert summary.spans.to_numpy().tolist() == [
        ["a", plant.START + plant.HOUR, plant.START + 3 * plant.HOUR],
        ["b", plant.START + plant.HOUR, plant.START + 2 * plant.HOUR],
    ]


@pytest.mark.parametrize("clock", [Clock(), Clock(kind="counter", unit="cycles", per_month=30.0)])
def test_prepared_tables_come_back_as_they_were_written(tmp_path: Path, case: Case, clock: Clock) -> None:
    out = tmp_path / "out"
    out.mkdir()
    found = case.run()
    with store.TelemetryWriter(out, clock) as writer:
        writer.write(found.of("a"))
        writer.write(found.of("b"))
    store.write_events(out, found.events, clock)
    first, second = store.read_telemetry(out, clock)
    pd.testing.assert_frame_equal(first, found.of("a"))
    pd.testing.assert_frame_equal(second, found.of("b"))
    for name, frame in vars(store.read_events(out, clock)).items():
        pd.testing.assert_frame_equal(frame, getattr(found.events, name))


def test_each_machines_last_reading(tmp_path: Path, case: Case) -> None:
    with store.TelemetryWriter(tmp_path, Clock()) as writer:
        writer.write(case.run().telemetry)
    expected = {"a": plant.START + 3 * plant.HOUR, "b": plant.START + 2 * plant.HOUR}
    assert store.last_readings(tmp_path, Clock()) == expected


def test_a_packed_table_is_dealt_out_by_what_it_holds(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    large(case)
    frame = pd.read_csv(case.folder / "telemetry.csv").assign(volt=lambda one: one["volt"].round())
    text = len(frame.to_csv(index=False))
    frame.to_parquet(case.folder / "telemetry.parquet")
    case.tables["telemetry"]["files"] = "telemetry.parquet"
    assert text / 2 < read.text_bytes(case.folder / "telemetry.parquet", 4) < 2 * text
    monkeypatch.setattr(prepare, "BUCKET_BYTES", text // 3)
    machines = case.run().telemetry["machine"].unique().tolist()
    assert machines != sorted(machines), "several buckets"


def test_what_a_killed_run_left_in_the_scratch_folder_is_removed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(case)
    scratch = case.folder.with_name("scratch")
    scratch.mkdir()
    (scratch / "0.parquet").write_bytes(b"half a file")
    monkeypatch.setattr(prepare, "BUCKET_BYTES", 20_000)
    case.run()
    assert not scratch.exists()


def test_a_stop_without_an_end_goes_on(case: Case) -> None:
    case.tables["downtime"] = {"files": "off.csv", "machine": "machine", "start": "start", "end": "end"}
    case.write(
        "off", "machine,start,end\na,2024-01-01 02:00:00,\nb,2024-01-01 00:30:00,2024-01-01 01:30:00\n"
    )
    found = case.run()
    assert found.of("a")["running"].tolist() == [True, True, False]
    assert found.of("b")["running"].tolist() == [False, True]
    written = store.to_arrow(found.events.downtime, case.dataset.clock)
    read_again = store.from_arrow(written, case.dataset.clock)
    assert read_again["end"].tolist() == found.events.downtime["end"].tolist()


def test_stops_that_all_go_on(case: Case) -> None:
    case.tables["downtime"] = {"files": "off.csv", "machine": "machine", "start": "start", "end": "end"}
    case.write("off", "machine,start,end\na,2024-01-01 01:00:00,\n")
    assert case.run().of("a")["running"].tolist() == [True, False, False]
