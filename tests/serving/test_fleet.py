"""The fleet at its latest time, where every machine has a clock of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forestall.features import build
from forestall.features.baselines import own_baselines
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.deviations import Deviations
from forestall.serving.export import write_bundle
from forestall.serving.fleet import fleet_table, worst_first
from forestall.serving.opinions import latest, opinions_of
from forestall.serving.reason_texts import describe
from tests import engines
from tests.serving.conftest import Made, served

TELEMETRY, EVENTS, DATASET = engines.telemetry(), engines.events(), engines.dataset()
END, LAST = int(TELEMETRY["time"].max()), engines.last_cycles()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    def chunks():  # type: ignore[no-untyped-def]
        return iter([TELEMETRY])

    reference = build.fit_reference(chunks, EVENTS, DATASET, engines.FEATURE_GROUPS, 3, END)
    (part,) = build.parts(chunks, EVENTS, DATASET, reference, END)
    folder = tmp_path_factory.mktemp("bundle")
    made = Made(part.decisions, part.features, reference)
    write_bundle(folder, made.fit("random_forest"), reference, served(DATASET))
    return load_bundle(folder)


def fleet(bundle: Bundle, telemetry: pd.DataFrame) -> pd.DataFrame:
    end = int(telemetry["time"].max())
    (history,) = build.histories(lambda: iter([telemetry]), EVENTS, DATASET, end)
    own = own_baselines(history, bundle.reference.spans, ())
    return worst_first(fleet_table(opinions_of(history, own, bundle), bundle)).set_index("machine")


def test_each_machine_is_judged_at_its_own_last_cycle(bundle: Bundle) -> None:
    together = fleet(bundle, TELEMETRY)
    assert together["time"].to_dict() == LAST
    for machine in ("5", "23"):
        alone = fleet(bundle, TELEMETRY[TELEMETRY["machine"] == machine])
        columns = ["time", "risk", "status", "reasons"]
        assert list(alone.loc[machine, columns]) == list(together.loc[machine, columns])


def test_failed_machines_have_no_risk_and_stand_last(bundle: Bundle) -> None:
    statuses = fleet(bundle, TELEMETRY)["status"].tolist()
    assert statuses == [""] * 6 + ["no opinion: too short a history"] + [
        "no opinion: history ended with its failure"
    ] * (engines.ENGINES - 7)


def test_a_history_of_less_than_a_decision_is_too_short(bundle: Bundle) -> None:
    (history,) = build.histories(lambda: iter([TELEMETRY]), EVENTS, DATASET, END)
    young = replace(history, last=history.last * 0)
    spans = replace(bundle.reference.spans, history=0)
    eager = replace(bundle, reference=replace(bundle.reference, spans=spans))
    now = latest(young, own_baselines(young, spans, ()), eager)
    assert set(now.no_opinion) == {"too short a history", "history ended with its failure"}


def test_reasons_are_in_the_counters_unit(bundle: Bundle) -> None:
    row = np.zeros(len(bundle.reference.features), dtype=np.float32)
    names = [feature.name for feature in bundle.reference.features]
    row[names.index("s1.own.10cycles")] = 4.0
    row[names.index("machine.replaced")], row[names.index("machine.replaced.known")] = 12, 1
    about = Deviations(np.full(20, np.nan), level=1.0, spread=1.0, unit="")
    seen = describe("s1", row, 0 * row, bundle.reference, about)
    assert seen.text == "s1 4.0 sd above this machine's normal over 10 cycles"
    lasting = describe("s1", row, 0 * row, bundle.reference, replace(about, values=np.array([0.0, 4.0, 4.0])))
    assert lasting.text == "s1 4.0 sd above this machine's normal for 2 cycles"
    age = describe("age of machine", row, 0 * row, bundle.reference)
    assert (age.text, age.unit) == ("machine replaced 12 cycles ago, training median 0 cycles", "cycles")
