"""Machines that count their own time: each one's data end with its own history, and what comes then is unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.errors import InputError
from forestall.features import build, labels
from forestall.features.checks import check_folds
from forestall.features.history import History, lay_out, spans_of
from forestall.features.reference import Reference
from tests import engines, plant

DATASET = engines.dataset()
SPANS = spans_of(DATASET)
TELEMETRY, EVENTS = engines.telemetry(), engines.events()
END = int(TELEMETRY["time"].max())
LAST = engines.last_cycles()
ALIVE, FAILED = "23", "1"


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build.fit_reference(lambda: iter([TELEMETRY]), EVENTS, DATASET, engines.FEATURE_GROUPS, 3, END)


@pytest.fixture(scope="module")
def decisions(reference: Reference) -> pd.DataFrame:
    (part,) = build.parts(lambda: iter([TELEMETRY]), EVENTS, DATASET, reference, END)
    assert len(part.features) == len(part.decisions)
    return part.decisions


def history_of(**engine_rows: pd.DataFrame) -> History:
    rows = pd.concat([frame.assign(machine=name) for name, frame in engine_rows.items()])
    return lay_out(rows, EVENTS, list(engines.SENSORS), SPANS, int(rows["time"].max()))


def first_cycles(count: int) -> pd.DataFrame:
    return TELEMETRY[TELEMETRY["machine"] == FAILED].head(count)


def test_decisions_end_with_the_own_history(decisions: pd.DataFrame) -> None:
    assert decisions.groupby("machine")["time"].max().to_dict() == LAST


def test_no_failure_in_what_was_seen_is_unknown_when_the_horizon_is_longer(decisions: pd.DataFrame) -> None:
    own = decisions[decisions["machine"] == ALIVE].set_index("time")
    last_known = LAST[ALIVE] - engines.HORIZON
    assert (own.loc[:last_known, "label.machine"] == 0).all()
    assert (own.loc[last_known + 1 :, "label.machine"] == labels.UNKNOWN).all()
    assert (own.loc[last_known + 1 :, "fold"] == labels.NO_FOLD).all()
    assert own.loc[last_known, "fold"] == labels.VALIDATION


def test_a_failure_ahead_is_known_to_the_last_decision_before_it(decisions: pd.DataFrame) -> None:
    own = decisions[decisions["machine"] == FAILED].set_index("time")
    failure = LAST[FAILED]
    assert (own.loc[failure - engines.HORIZON : failure - 1, "label.machine"] == 1).all()
    assert (own.loc[failure - engines.HORIZON : failure - 1, "fold"] == labels.TRAIN).all()
    assert list(own.loc[failure, ["label.machine", "fold"]]) == [labels.UNKNOWN, labels.NO_FOLD]


def test_one_part_may_be_unknown_while_another_fails() -> None:
    dataset = engines.dataset(components={"machine": {}, "pump": {}}, tables=with_failures_table())
    history = history_of(**{FAILED: TELEMETRY[TELEMETRY["machine"] == FAILED]})
    last = build.decisions_of(history, EVENTS, dataset, END).set_index("time").loc[LAST[FAILED] - 1]
    assert list(last[["label.machine", "label.pump", "fold"]]) == [1, labels.UNKNOWN, labels.TRAIN]


def with_failures_table() -> dict[str, object]:
    failures = {"files": "f.csv", "machine": "machine", "time": "time", "component": "component"}
    return DATASET.tables.model_dump(exclude_none=True) | {"failures": failures}


def test_a_failure_after_the_last_reading_is_not_lost() -> None:
    failures = EVENTS.failures.assign(time=EVENTS.failures["time"] + 3)
    assert labels.own_ends({FAILED: LAST[FAILED], ALIVE: LAST[ALIVE]}, failures) == {
        FAILED: LAST[FAILED] + 3,
        ALIVE: LAST[ALIVE],
    }


def test_with_a_calendar_all_data_end_together() -> None:
    dataset, telemetry, events = plant.dataset(), plant.clean_telemetry(2, 40), plant.events(2, 40)
    early = (telemetry["machine"] == "m0") & (telemetry["time"] > plant.START + 30 * plant.DAY)
    end = int(telemetry["time"].max())
    history = lay_out(telemetry[~early], events, ["volt", "spin"], spans_of(dataset), end)
    own = build.decisions_of(history, events, dataset, end).set_index("machine").loc["m0"]
    unknown = own["time"] + plant.DAY > end
    assert (own.loc[~unknown, "label.pump"] >= 0).all()
    assert (own.loc[unknown & (own["label.pump"] != 1), "label.pump"] == labels.UNKNOWN).all()


def test_models_baselines_come_from_each_machines_own_last_healthy_cycles(reference: Reference) -> None:
    normal = reference.model_baselines[""]
    for sensor, level in zip(engines.SENSORS, (640.0, 1590.0, 47.0, 9050.0), strict=True):
        assert normal[sensor][0] == pytest.approx(level, abs=0.4)
        assert normal[sensor][1] == pytest.approx(1.0, abs=0.25)


def test_own_baselines_are_those_at_the_own_end() -> None:
    frame = build.latest_baselines(lambda: iter([TELEMETRY]), EVENTS, DATASET, END).set_index("machine")
    assert frame.loc[[m for m in LAST if m != "44"], "s1.level"].notna().all()
    alone = TELEMETRY[TELEMETRY["machine"] == FAILED]
    one = build.latest_baselines(lambda: iter([alone]), EVENTS, DATASET, LAST[FAILED])
    assert one["s1.level"].item() == frame.loc[FAILED, "s1.level"]


def test_the_last_decision_is_not_after_the_last_reading() -> None:
    coarse = replace(SPANS, every=10)
    history = history_of(a=first_cycles(39), b=first_cycles(60), c=first_cycles(7))
    steps = dict(zip(history.machines, history.own_last_steps(coarse).tolist(), strict=True))
    assert steps == {"a": 2, "b": 5, "c": -1}


def test_a_machine_that_failed_and_was_not_seen_again_is_gone() -> None:
    rows = TELEMETRY[TELEMETRY["machine"].isin([ALIVE, FAILED])]
    history = lay_out(rows, EVENTS, list(engines.SENSORS), SPANS, END)
    gone = labels.failed_for_good(history, DATASET)
    assert dict(zip(history.machines, gone.tolist(), strict=True)) == {FAILED: True, ALIVE: False}
    repaired = replace(history, last=history.last + 1)
    assert not labels.failed_for_good(repaired, DATASET).any()


def test_silence_after_a_failure_on_a_calendar_may_be_its_repair() -> None:
    telemetry, events = plant.clean_telemetry(1, 20), plant.events(1, 20)
    end = int(telemetry["time"].max())
    failed = replace(events, failures=events.failures.assign(time=end))
    history = lay_out(telemetry, failed, ["volt", "spin"], spans_of(plant.dataset()), end)
    assert not labels.failed_for_good(history, plant.dataset()).any()


def test_a_fold_without_machines_is_refused(decisions: pd.DataFrame) -> None:
    check_folds(decisions, DATASET, "data/prepared")
    for fold in (labels.VALIDATION, labels.TEST):
        without = decisions[decisions["fold"] != fold]
        says = f"^data/prepared: the {fold} fold is empty. Raise `split.{fold}`.*add machines"
        with pytest.raises(InputError, match=says):
            check_folds(without, DATASET, "data/prepared")


def test_ages_are_in_the_counters_unit() -> None:
    dataset = engines.dataset()
    work = pd.DataFrame({"machine": [ALIVE], "time": [50], "component": ["machine"]})
    events = replace(EVENTS, maintenance=work.astype({"machine": object, "component": object}))
    rows = TELEMETRY[TELEMETRY["machine"] == ALIVE]
    fitted = build.fit_reference(
        lambda: iter([TELEMETRY]), events, dataset, ("replacements", "schedule"), 3, END
    )
    (part,) = build.parts(lambda: iter([rows]), events, dataset, fitted, END)
    names = [feature.name for feature in fitted.features]
    at = part.features[(part.decisions["time"] == 60).to_numpy()][0]
    assert at[names.index("machine.replaced")] == at[names.index("visit.cycles")] == np.float32(10)
