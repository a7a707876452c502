"""Baselines that are handed in give the same features as those from months of history."""

from __future__ import annotations

import numpy as np

from forestall.features import build, matrix
from forestall.features.baselines import own_baselines, own_frame
from forestall.serving.baselines import known_baselines
from tests import plant
from tests.serving.conftest import Made

EVENTS, DATASET = plant.events(6, 60), plant.dataset()
TELEMETRY = plant.with_signal(plant.telemetry(6, 60), EVENTS)
END = int(TELEMETRY["time"].max())


def test_a_short_history_with_its_baseline_has_the_features_of_a_long_one(made: Made) -> None:
    reference = made.reference
    (whole,) = build.histories(lambda: iter([TELEMETRY.assign(measured=True)]), EVENTS, DATASET, END)
    own = own_baselines(whole, reference.spans, ())
    until = np.full(len(whole.machines), END)
    frame = own_frame(
        whole.machines, own_baselines(whole, reference.spans, (), until), until, ["volt", "spin"], ()
    )
    recent = TELEMETRY[TELEMETRY["time"] > END - reference.spans.lookback]
    (short,) = build.histories(lambda: iter([recent.assign(measured=True)]), EVENTS, DATASET, END)
    handed = known_baselines(frame, reference).of(short.machines)
    expected = matrix.feature_matrix(whole, own, reference)[:, -1]
    assert matrix.feature_matrix(short, handed, reference)[:, -1].tobytes() == expected.tobytes()


def test_a_machine_without_a_baseline_is_given_its_models(made: Made) -> None:
    recent = TELEMETRY[TELEMETRY["time"] > END - made.reference.spans.lookback]
    (short,) = build.histories(lambda: iter([recent.assign(measured=True)]), EVENTS, DATASET, END)
    nobody = own_frame(
        [], own_baselines(short, made.reference.spans, ()), np.empty(0, np.int64), ["volt", "spin"], ()
    )
    normal = matrix.normal_of(
        short, known_baselines(nobody, made.reference).of(short.machines), made.reference
    )
    assert (normal.level == normal.model_level).all()
    assert not normal.known.any()
