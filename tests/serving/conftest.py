"""A small fitted model and its bundle, made once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forestall.data.dataset import Dataset
from forestall.data.events import Events
from forestall.data.store import write_frame
from forestall.features import build
from forestall.features.baselines import own_baselines, own_frame
from forestall.features.files import BASELINES
from forestall.features.reference import Reference
from forestall.monitoring.reference import MonitoringReference, monitoring_reference
from forestall.monitoring.watched import WatchedInputs, watched_inputs
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.export import write_bundle
from forestall.serving.plant import Plant
from forestall.serving.store.database import Store, open_store
from forestall.serving.store.machines import add_machines, attributes_of
from forestall.training.fit import FittedModel, Recipe, fit_model
from tests import engines, plant
from tests.serving.store.stores import KINDS, Addresses, addresses

FAMILIES: dict[str, dict[str, Any]] = {
    "extra_trees": {"trees": 20, "min_leaf": 2, "max_features": 0.3},
    "random_forest": {"trees": 20, "min_leaf": 3, "max_features": 0.3, "max_samples": 0.5},
    "hist_gradient_boosting": {"iterations": 20, "learning_rate": 0.1, "leaves": 8, "l2": 1.0},
    "logistic_regression": {"c": 0.1},
    "decision_tree": {"depth": 5, "min_leaf": 5},
    "mlp": {"hidden": 8, "iterations": 20},
}


@dataclass(frozen=True)
class Made:
    """Decisions, features and the reference of a small plant."""

    decisions: pd.DataFrame
    features: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    reference: Reference

    def fit(self, family: str, calibration: str = "sigmoid") -> FittedModel:
        """A fitted model with thresholds."""
        model = fit_model(
            self.decisions,
            self.features,
            [feature.name for feature in self.reference.features],
            list(self.reference.components),
            len(self.reference.spans.horizons),
            Recipe(family, FAMILIES[family], calibration, 2000, 5, 0),  # type: ignore[arg-type]
            lambda text: None,
        )
        model.thresholds = dict.fromkeys(self.reference.components, 0.1)
        return model


def served(dataset: Dataset | None = None) -> Plant:
    """The small plant as a bundle says it, or another."""
    return Plant("test", dataset or plant.dataset(), carry_forward=2, quiet=2)


@pytest.fixture(scope="session")
def made() -> Made:
    dataset, events = plant.dataset(), plant.events(6, 60)
    telemetry = plant.with_signal(plant.clean_telemetry(6, 60), events)
    end = int(telemetry["time"].max())

    def chunks():  # type: ignore[no-untyped-def]
        return iter([telemetry])

    groups = ("sensors", "levels", "gaps", "errors", "replacements", "schedule", "machine")
    reference = build.fit_reference(chunks, events, dataset, groups, 3, end)
    (part,) = build.parts(chunks, events, dataset, reference, end)
    return Made(part.decisions, part.features, reference)


@pytest.fixture(scope="session")
def bundle_folder(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, made.fit("random_forest"), made.reference, served())
    return folder


def bundle_with_baselines(
    folder: Path, made: Made, telemetry: pd.DataFrame, events: Events, without: tuple[str, ...] = ()
) -> Path:
    """A bundle of the small plant, with its machines' baselines at the end of the telemetry."""
    spans, end = made.reference.spans, int(telemetry["time"].max())
    (history,) = build.histories(
        lambda: iter([telemetry.assign(measured=True)]), events, plant.dataset(), end
    )
    until = np.full(len(history.machines), end)
    frame = own_frame(
        history.machines, own_baselines(history, spans, (), until), until, list(made.reference.sensors), ()
    )
    clock = plant.dataset().clock
    write_frame(folder / BASELINES, frame[~frame["machine"].isin(without)], clock)
    write_bundle(folder, made.fit("random_forest"), made.reference, served())
    return folder


@pytest.fixture(scope="session")
def counting_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of engines that count cycles, with their baselines; the plant has no table but its readings."""
    whole, events, dataset = engines.telemetry(), engines.events(), engines.dataset()

    def chunks():  # type: ignore[no-untyped-def]
        return iter([whole])

    end = int(whole["time"].max())
    reference = build.fit_reference(chunks, events, dataset, engines.FEATURE_GROUPS, 3, end)
    (part,) = build.parts(chunks, events, dataset, reference, end)
    folder = tmp_path_factory.mktemp("counting") / "bundle"
    folder.mkdir()
    (history,) = build.histories(chunks, events, dataset, end)
    last = np.array([engines.last_cycles()[machine] for machine in history.machines])
    own = own_baselines(history, reference.spans, (), last)
    frame = own_frame(history.machines, own, last, list(reference.sensors), ())
    write_frame(folder / BASELINES, frame, dataset.clock)
    model = Made(part.decisions, part.features, reference).fit("random_forest")
    write_bundle(folder, model, reference, served(dataset))
    return folder


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    return load_bundle(bundle_folder)


@pytest.fixture(scope="session")
def monitored(made: Made, bundle: Bundle) -> MonitoringReference:
    """The small plant's reference of monitoring."""
    return monitoring_reference(made.decisions, made.features, plant.events(6, 60), bundle)


@pytest.fixture(scope="session")
def counter(bundle: Bundle, monitored: MonitoringReference) -> WatchedInputs:
    """Counts inputs in its bins."""
    found = watched_inputs(bundle, monitored)
    assert found is not None
    return found


@pytest.fixture(scope="session", params=KINDS)
def addresses_of_a_kind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Addresses]:
    with addresses(request.param, tmp_path_factory.mktemp("stores")) as found:
        yield found


def empty_store(address: str, bundle: Bundle) -> Store:
    """One with the small plant's machines."""
    opened = open_store(address, bundle)
    with opened.writing() as connection:
        add_machines(connection, attributes_of(plant.events(6, 60).machines))
    return opened


@pytest.fixture
def store(addresses_of_a_kind: Addresses, bundle: Bundle) -> Iterator[Store]:
    """An empty store with the small plant's machines, on each kind of database."""
    opened = empty_store(addresses_of_a_kind.new(), bundle)
    yield opened
    opened.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False
    ).returncode:
        pytest.skip("a small disk can only be mounted as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
