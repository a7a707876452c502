"""One running service for the tests that change nothing of it but its readings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forestall.data.store import write_frame
from forestall.features import build
from forestall.features.baselines import own_baselines, own_frame
from forestall.serving.export import write_bundle
from tests import plant
from tests.serving.api.server import Running, opened, running
from tests.serving.conftest import Made, served

DATASET, EVENTS = plant.dataset(), plant.events(6, 60)
EVENTS = replace(EVENTS, maintenance=EVENTS.maintenance.query("machine != 'm5' or component != 'seal'"))
TELEMETRY = plant.with_signal(plant.telemetry(6, 60), EVENTS)
END = int(TELEMETRY["time"].max())


@pytest.fixture(scope="session")
def whole_bundle(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with the machines' baselines."""
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    folder.mkdir()
    (history,) = build.histories(lambda: iter([TELEMETRY.assign(measured=True)]), EVENTS, DATASET, END)
    until = np.full(len(history.machines), END)
    own = own_baselines(history, made.reference.spans, (), until)
    write_frame(
        folder / "baselines.parquet",
        own_frame(history.machines, own, until, ["volt", "spin"], ()),
        DATASET.clock,
    )
    write_bundle(folder, made.fit("random_forest"), made.reference, served())
    return folder


@pytest.fixture(scope="module")
def api(whole_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service without keys, on this computer."""
    with running(opened(whole_bundle, tmp_path_factory.mktemp("store") / "forestall.sqlite")) as one:
        yield one
