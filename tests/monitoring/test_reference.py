"""The reference counts the validation fold, week by week, and is read as it was written."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forestall.data.events import absent_pairs
from forestall.errors import ForestallError
from forestall.features.labels import OPINION, TRAIN, VALIDATION
from forestall.monitoring.blocks import OPINIONS, block_length, block_start
from forestall.monitoring.inputs import input_values, inputs_of
from forestall.monitoring.reference import (
    MONITORING,
    MonitoringReference,
    monitoring_reference,
    read_reference,
    write_reference,
)
from forestall.monitoring.watched import watched_inputs
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.export import write_bundle
from forestall.training.alarms import open_alarms
from forestall.training.series import Rules, risk_matrix, series_of
from tests import plant
from tests.serving.conftest import Made, served

EVENTS = plant.events(6, 60)
FIELDS = ("machine", "start", "alarms", "risks", "inputs", "opinions")


@pytest.fixture
def reference(monitored: MonitoringReference) -> MonitoringReference:
    return monitored


def test_every_decision_of_the_fold_is_counted_once(
    reference: MonitoringReference, made: Made, bundle: Bundle
) -> None:
    decisions = made.decisions
    told = (decisions["fold"] == VALIDATION) & (decisions["no_opinion"] == OPINION)
    assert told.sum() > 100 and reference.length == 7 * plant.DAY
    for row, (machine, start) in enumerate(
        zip(reference.blocks.machine, reference.blocks.start, strict=True)
    ):
        ours = (
            told
            & (decisions["machine"] == machine)
            & (decisions["time"].between(start, start + 7 * plant.DAY - 1))
        )
        assert reference.blocks.opinions[row, 0] == ours.sum()
        starts = reference.inputs.starts
        assert (np.add.reduceat(reference.blocks.inputs[row], starts[:-1]) == ours.sum()).all()
    assert reference.blocks.opinions[:, 0].sum() == told.sum()


def test_a_part_that_a_machine_lacks_has_no_machine_time(
    reference: MonitoringReference, bundle: Bundle
) -> None:
    time = reference.exposure(reference.blocks)
    absent = absent_pairs(EVENTS.machines, bundle.plant.dataset)
    assert absent
    for place, component in enumerate(reference.components):
        lacking = np.array([(machine, component) in absent for machine in reference.blocks.machine])
        judged = reference.blocks.opinions[:, 0] > 0
        assert ((time[:, place] > 0) == (judged & ~lacking)).all()


def test_alarms_are_those_of_the_rules(reference: MonitoringReference, made: Made, bundle: Bundle) -> None:
    rows = (made.decisions["fold"] == VALIDATION).to_numpy()
    some, spans = made.decisions[rows], bundle.reference.spans
    absent = absent_pairs(EVENTS.machines, bundle.plant.dataset)
    series = series_of(some, bundle.components, absent, EVENTS.failures, EVENTS.maintenance, 2**62)
    rules = Rules(spans.horizon, 2 * plant.HOUR, bundle.plant.quiet)
    risk = risk_matrix(series, some, bundle.risk(made.features[rows]))
    alarms = open_alarms(series, risk, bundle.thresholds, rules)
    assert len(alarms) > 5
    for place, component in enumerate(bundle.components):
        assert reference.blocks.alarms[:, place].sum() == (alarms["component"] == component).sum()
    first = alarms.iloc[0]
    week = block_start(np.array([first["opened"]]), reference.length)[0]
    at = (reference.blocks.machine == first["machine"]) & (reference.blocks.start == week)
    assert reference.blocks.alarms[at, bundle.components.index(first["component"])] >= 1


def test_a_missing_value_is_told_from_one_that_is_there(made: Made, bundle: Bundle) -> None:
    inputs = inputs_of(bundle.reference)
    names = [feature.name for feature in bundle.reference.features]
    assert {one.name for one in inputs} >= {"volt", "spin", "errors"}
    rows = made.features[:5].copy()
    sensor = next(one for one in inputs if one.name == "volt")
    part = next(one for one in inputs if one.known is not None)
    assert names[sensor.place].startswith("volt.own.")
    rows[1, sensor.place] = np.float32(bundle.reference.fills[sensor.place])
    rows[:, part.known] = [1, 0, 1, 0, 1]
    rows[0, sensor.place] = 0.5
    values = input_values(rows, inputs)
    assert np.isnan(values[1, inputs.index(sensor)]) and values[0, inputs.index(sensor)] == 0.5
    assert np.isnan(values[:, inputs.index(part)]).tolist() == [False, True, False, True, False]


def whole(folder: Path, made: Made, reference: MonitoringReference) -> Bundle:
    """A bundle with a reference in it."""
    folder.mkdir()
    write_reference(folder, reference, plant.dataset().clock)
    write_bundle(folder, made.fit("random_forest"), made.reference, served())
    return load_bundle(folder)


def test_it_is_read_as_it_was_written_always_the_same_bytes(
    tmp_path: Path, made: Made, reference: MonitoringReference
) -> None:
    bundle = whole(tmp_path / "one", made, reference)
    found = read_reference(tmp_path / "one", bundle)
    assert found is not None
    for name in FIELDS:
        assert (getattr(found.blocks, name) == getattr(reference.blocks, name)).all()
    about = ("length", "every", "components", "risks", "inputs")
    assert all(getattr(found, name) == getattr(reference, name) for name in about)
    whole(tmp_path / "two", made, found)
    assert (tmp_path / "one" / MONITORING).read_bytes() == (tmp_path / "two" / MONITORING).read_bytes()
    (tmp_path / "one" / MONITORING).write_bytes(b"other")
    with pytest.raises(ForestallError, match="not the file"):
        load_bundle(tmp_path / "one")


def test_that_of_the_next_bundle_is_not_taken_for_it(
    tmp_path: Path, made: Made, reference: MonitoringReference
) -> None:
    bundle = whole(tmp_path / "one", made, reference)
    another = replace(reference, every=2 * reference.every)
    write_reference(tmp_path / "one", another, plant.dataset().clock)
    with pytest.raises(ForestallError, match="another bundle's"):
        read_reference(tmp_path / "one", bundle)


def test_a_bundle_without_one_is_served_without_one(bundle_folder: Path, bundle: Bundle) -> None:
    assert read_reference(bundle_folder, bundle) is None
    assert watched_inputs(bundle, None) is None


def test_without_a_validation_fold_there_is_none(made: Made, bundle: Bundle) -> None:
    with pytest.raises(ForestallError, match="validation"):
        monitoring_reference(made.decisions.assign(fold=TRAIN), made.features, EVENTS, bundle)


def test_on_a_counter_a_block_is_a_span_of_the_counter(counting_folder: Path, tmp_path: Path) -> None:
    bundle = load_bundle(shutil.copytree(counting_folder, tmp_path / "counting"))
    spans = bundle.reference.spans
    length = block_length(spans, bundle.reference.unit)
    assert length >= 7 and length % spans.every == 0
    assert length - spans.every < 7


def test_why_there_is_no_opinion_is_counted(
    reference: MonitoringReference, made: Made, bundle: Bundle
) -> None:
    gone = made.decisions.copy()
    row = np.flatnonzero((gone["fold"] == VALIDATION).to_numpy())[5]
    gone.loc[gone.index[row], ["fold", "no_opinion"]] = ["", OPINIONS[2]]
    found = monitoring_reference(gone, made.features, EVENTS, bundle).blocks.opinions.sum(axis=0)
    expected = reference.blocks.opinions.sum(axis=0) + np.array([-1, 0, 1, 0, 0])
    assert found.tolist() == expected.tolist()
