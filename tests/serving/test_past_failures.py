"""What is kept of past failures is what the model said before them, and not of what it was trained on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forestall.features.labels import OPINION, TRAIN
from forestall.serving.baselines import bundle_baselines
from forestall.serving.bundle import Bundle, BundleError, load_bundle
from forestall.serving.export import write_bundle, write_manifest
from forestall.serving.healthy import healthy_reference
from forestall.serving.past_failures import (
    PAST_FAILURES,
    _normal,
    bundle_past_failures,
    past_failures,
    write_past_failures,
)
from forestall.serving.patterns import LEAST_RISK, NONE, PastFailures, Pattern, patterns
from forestall.serving.run_ups import DECISIONS, FAILURES, RunUp, run_ups
from tests import plant
from tests.serving.conftest import Made, bundle_with_baselines, served

EVENTS = plant.events(6, 60)
TELEMETRY = plant.with_signal(plant.telemetry(6, 60), EVENTS)


@pytest.fixture(scope="module")
def folder(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle without past failures, as older ones are."""
    whole = tmp_path_factory.mktemp("past") / "bundle"
    whole.mkdir()
    return bundle_with_baselines(whole, made, TELEMETRY, EVENTS)


@pytest.fixture(scope="module")
def past(folder: Path, made: Made) -> PastFailures:
    bundle = load_bundle(folder)
    return past_failures(made.decisions, made.features, EVENTS, bundle_baselines(folder, bundle), bundle)


def test_each_pattern_is_that_of_the_decision(past: PastFailures, folder: Path, made: Made) -> None:
    bundle = load_bundle(folder)
    known = bundle_baselines(folder, bundle)
    at = made.decisions[["machine", "time"]].itertuples(index=False, name=None)
    position = {decision: row for row, decision in enumerate(at)}
    assert len(past.time) > 30
    for n in range(0, len(past.time), 5):
        row = made.features[[position[past.machine[n], past.time[n]]]]
        normal = _normal(past.machine[[n]], EVENTS, known, bundle)
        alone = patterns(row, healthy_reference(row, normal, bundle.reference), bundle)
        place = bundle.components.index(past.component[n])
        assert past.drops[n].tobytes() == np.ascontiguousarray(alone.drops[0, :, place]).tobytes()
        assert past.risk[n] == alone.risk[0, place]


def test_decisions_lead_up_to_a_failure_of_the_part_in_use(past: PastFailures, made: Made) -> None:
    frame = pd.DataFrame({"machine": past.machine, "component": past.component, "time": past.time})
    frame["failed"] = past.time + past.took
    decisions = made.decisions.set_index(["machine", "time"])
    failures = set(EVENTS.failures[["machine", "component", "time"]].itertuples(index=False, name=None))
    renewals = pd.concat([EVENTS.failures, EVENTS.maintenance])
    assert (past.took > 0).all() and (past.took <= 2 * plant.DAY).all() and (past.took > plant.DAY).any()
    assert (past.risk >= LEAST_RISK).all()
    for machine, component, time, failed in frame.itertuples(index=False):
        assert (machine, component, failed) in failures
        about = decisions.loc[(machine, time)]
        assert about["no_opinion"] == OPINION and about["fold"] != TRAIN
        between = renewals[(renewals["time"] >= time) & (renewals["time"] < failed)]
        assert between[(between["machine"] == machine) & (between["component"] == component)].empty


@pytest.mark.parametrize(
    ("risk", "warned"),
    [
        ([0.5, 0.1, 0.2, 0.5], 25),
        ([0.2, 0.2, 0.2, 0.2], 45),
        ([0.5, 0.5, 0.5, 0.1], NONE),
        ([0.1, 0.1, 0.1, 0.2], 15),
    ],
)
def test_warned_since_the_risk_stood_at_the_threshold(risk: list[float], warned: int) -> None:
    run_up = RunUp("m1", "pump", 145, np.arange(4), np.array([100, 110, 120, 130]))
    assert run_up.warned(np.array(risk, dtype=np.float32), 0.2) == warned


def test_few_decisions_of_the_latest_failures_are_kept(bundle: Bundle) -> None:
    spans = bundle.reference.spans
    long = replace(spans, horizons=(spans.horizon, 10 * plant.DAY))
    wide = replace(bundle, reference=replace(bundle.reference, spans=long))
    times = plant.START + spans.every * np.arange(1, 250 * 8 * 21)
    decisions = pd.DataFrame({"machine": "m0", "time": times, "no_opinion": OPINION, "fold": ""})
    failed = plant.START + 21 * plant.DAY * np.arange(1, 251)
    failures = pd.DataFrame({"machine": "m0", "time": failed, "component": "pump"})
    found = run_ups(decisions, replace(EVENTS, failures=failures, maintenance=failures.iloc[:0]), wide)
    assert [one.failed for one in found] == failed[-FAILURES:].tolist()
    assert {len(one.rows) for one in found} == {DECISIONS}
    assert all(one.failed - one.time[-1] == spans.every for one in found)


def test_what_was_before_a_replacement_is_of_another_part(bundle: Bundle) -> None:
    every, failed = bundle.reference.spans.every, plant.START + 21 * plant.DAY
    times = plant.START + every * np.arange(1, 250)
    decisions = pd.DataFrame({"machine": "m0", "time": times, "no_opinion": OPINION, "fold": ""})
    failures = pd.DataFrame({"machine": "m0", "time": [failed - 9 * every, failed], "component": "pump"})
    replaced = failures[1:].assign(time=failed - 5 * every)
    after = run_ups(decisions, replace(EVENTS, failures=failures, maintenance=replaced), bundle)[-1]
    assert after.time.tolist() == [failed - n * every for n in (4, 3, 2, 1)]
    again = run_ups(decisions, replace(EVENTS, failures=failures, maintenance=replaced[:0]), bundle)[-1]
    assert again.time[0] == failed - 8 * every


def test_the_bundle_has_them_hashed_and_the_same_to_the_byte(
    past: PastFailures, folder: Path, made: Made, tmp_path: Path
) -> None:
    model = made.fit("random_forest")
    for name in ("a", "b"):
        shutil.copytree(folder, tmp_path / name)
        write_past_failures(tmp_path / name, past, load_bundle(folder))
        write_manifest(tmp_path / name, model, made.reference, served())
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    bundle = load_bundle(tmp_path / "a")
    read = bundle_past_failures(tmp_path / "a", bundle)
    for name in ("machine", "component", "time", "took", "warned"):
        assert (getattr(read, name) == getattr(past, name)).all()
    np.testing.assert_allclose(read.drops, past.drops, atol=1e-5)
    (tmp_path / "b" / PAST_FAILURES).write_bytes(b"")
    with pytest.raises(BundleError, match=r"past_failures\.parquet: not the file"):
        load_bundle(tmp_path / "b")


def test_a_bundle_without_them_has_no_similar_failures(folder: Path) -> None:
    none = bundle_past_failures(folder, load_bundle(folder))
    strong = Pattern(0.9, np.full(none.drops.shape[1], 0.5, dtype=np.float32))
    assert none.similar("m0", "pump", strong, 2**62) == []


def test_a_plant_without_a_failure_has_none(folder: Path, made: Made, tmp_path: Path) -> None:
    bundle = load_bundle(folder)
    healthy = replace(EVENTS, failures=EVENTS.failures.iloc[:0])
    none = past_failures(made.decisions, made.features, healthy, bundle_baselines(folder, bundle), bundle)
    write_bundle(tmp_path, made.fit("random_forest"), made.reference, served())
    write_past_failures(tmp_path, none, bundle)
    write_manifest(tmp_path, made.fit("random_forest"), made.reference, served())
    assert len(bundle_past_failures(tmp_path, load_bundle(tmp_path)).time) == 0
