"""Real Prometheus and Alertmanager watch the real service: who is told what breaks, and when it is over."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from forestall.monitoring.alert_levels import Durations
from forestall.serving.api import champion
from tests.pipeline.servers import postgresql_server
from tests.serving.api.process import until
from tests.serving.api.scraping import scored, vector
from tests.serving.api.server import key_for, opened, running
from tests.serving.api.watching import asking, watching

TIMES = Durations().scaled(0.01)  # 2 min are 1.2 s, an hour is 36 s
QUIET = 40.0  # seconds: longer than any alert's time
BOUND = 20.0  # seconds until people are told, and until they are told that it is over


@pytest.mark.slow
def test_what_breaks_is_told_once_and_when_it_is_over(
    whole_bundle: Path, tmp_path: Path, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champion, "SECONDS", 0.05)
    folder = Path(shutil.copytree(whole_bundle, tmp_path / "bundle"))
    with postgresql_server() as database, running(opened(folder, database.url())) as api:
        scored(api)
        vector(api)
        key = key_for(api.service, "read")
        api.client.headers["Authorization"] = f"Bearer {key}"
        with watching(tmp_path, api.url, key, TIMES) as seen, asking(api):
            until(seen.scraping)
            time.sleep(QUIET)
            assert seen.told == []

            manifest = folder / "manifest.json"
            whole = manifest.read_bytes()
            manifest.write_bytes(whole[:100])
            until(lambda: ("tickets", "ForestallBundleRefused", "firing") in seen.told, BOUND)
            manifest.write_bytes(whole)
            until(lambda: ("tickets", "ForestallBundleRefused", "resolved") in seen.told, BOUND)
            assert len(seen.told) == 2

            database.stop()
            until(lambda: ("people", "ForestallStoreDown", "firing") in seen.told, BOUND)
            until(lambda: "ForestallErrors" in seen.silenced(), BOUND)
            database.start()
            until(lambda: ("people", "ForestallStoreDown", "resolved") in seen.told, BOUND)
            time.sleep(5)  # longer than the window of errors
            assert len(seen.told) == 4, seen.told
