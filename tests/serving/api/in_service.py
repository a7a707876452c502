"""A small plant that was in service for two weeks, with a reference to compare with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from forestall.monitoring.outcomes import Realised
from forestall.monitoring.reference import MONITORING, MonitoringReference, write_reference
from forestall.monitoring.service import Window
from forestall.monitoring.stored_outcomes import stored_outcomes
from forestall.monitoring.thresholds import THRESHOLDS
from tests import plant
from tests.serving.api.conftest import END
from tests.serving.api.replay import send
from tests.serving.api.server import Running, opened, running

DAYS = 14


def with_reference(folder: Path, reference: MonitoringReference) -> None:
    """Add a reference of monitoring to the small plant's bundle."""
    write_reference(folder, reference, plant.dataset().clock)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"][MONITORING] = hashlib.sha256((folder / MONITORING).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


@contextmanager
def two_weeks(folder: Path, store: Path) -> Iterator[Running]:
    """Twenty days of readings, and then two weeks that come by the day."""
    with running(opened(folder, store)) as api:
        begin = END - DAYS * plant.DAY
        times = [begin - 20 * plant.DAY, *range(begin, END + 1, plant.DAY)]
        for low, high in pairwise(times):
            send(api, low, high)
            api.service.serving.live.score_due()
        yield api


def realised_in(served: Running) -> Realised:
    """What became of its alarms and failures."""
    bundle = served.service.serving.bundle
    window = Window(END - THRESHOLDS.outcome_horizons * bundle.reference.spans.horizon, END)
    with served.service.serving.store.reading() as connection:
        return stored_outcomes(connection, bundle, window)
