"""A new bundle is swapped in without dropping a request; a refused one leaves the old one serving."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from forestall.serving.answering import version_of
from forestall.serving.api import champion
from forestall.serving.bundle import load_bundle
from forestall.serving.export import write_bundle
from tests.serving.api.process import until
from tests.serving.api.server import Running, fields, opened, running
from tests.serving.conftest import Made, served


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is looked at more often than in service."""
    monkeypatch.setattr(champion, "SECONDS", 0.05)


@pytest.fixture
def folder(whole_bundle: Path, tmp_path: Path) -> Path:
    """A bundle's folder, which the test may change."""
    return Path(shutil.copytree(whole_bundle, tmp_path / "bundle"))


@pytest.fixture
def api(folder: Path, tmp_path: Path) -> Iterator[Running]:
    """A service that watches the folder."""
    with running(opened(folder, tmp_path / "forestall.sqlite")) as one:
        yield one


def ready(api: Running) -> httpx.Response:
    return api.client.get("/health/ready")


def test_a_new_bundle_takes_over_without_a_failed_request(
    made: Made, whole_bundle: Path, tmp_path: Path
) -> None:
    folder, other = tmp_path / "bundle", tmp_path / "other"
    shutil.copytree(whole_bundle, folder)
    other.mkdir()
    shutil.copy(whole_bundle / "baselines.parquet", other)
    write_bundle(other, made.fit("extra_trees"), made.reference, served())
    vector = {"features": list(made.reference.fills)}
    statuses: list[int] = []
    stop = threading.Event()
    with running(opened(folder, tmp_path / "forestall.sqlite")) as api:

        def ask() -> None:
            with httpx.Client(base_url=api.url) as client:
                while not stop.is_set():
                    statuses.append(client.post("/predict", json=vector).status_code)

        before, old = ready(api).json()["model"], api.send("/predict", vector).json()["risk"]
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: len(statuses) > 10)
        for file in other.iterdir():
            shutil.copy(file, folder / file.name)
        until(lambda: ready(api).json().get("model") != before)
        seen = len(statuses)
        until(lambda: len(statuses) > seen + 10)
        stop.set()
        for thread in threads:
            thread.join(10)
        assert set(statuses) == {200}
        assert api.send("/predict", vector).json()["risk"] != old


def test_a_link_that_is_exchanged_meanwhile_gives_no_bundle_the_version_of_another(
    made: Made, whole_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, other = tmp_path / "bundle", tmp_path / "other"
    other.mkdir()
    shutil.copy(whole_bundle / "baselines.parquet", other)
    write_bundle(other, made.fit("extra_trees"), made.reference, served())
    folder.symlink_to(whole_bundle)

    def exchanged(_: Path) -> str:
        folder.unlink()
        folder.symlink_to(other)
        return version_of(other)

    monkeypatch.setattr(champion, "version_of", exchanged)
    one = champion.Champion(folder, lambda bundle, _: bundle)
    one.look()
    one.look()
    assert one.version == version_of(other)
    assert one.serving is not None and one.serving.manifest == load_bundle(other).manifest


@pytest.mark.parametrize("harm", ["bytes", "manifest", "pickle", "format"])
def test_a_refused_bundle_leaves_the_old_one(
    api: Running, folder: Path, whole_bundle: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    before = ready(api).json()
    assert before["refused"] is False
    manifest = json.loads((folder / "manifest.json").read_text())
    if harm == "bytes":
        model = bytearray((folder / "model.onnx").read_bytes())
        model[-1] ^= 1
        (folder / "model.onnx").write_bytes(model)
    elif harm == "manifest":
        (folder / "manifest.json").write_text("{")
    elif harm == "pickle":
        (folder / "model.onnx").write_bytes(b"\x80\x04\x95cos\nsystem\n.")
    else:
        (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    until(lambda: ready(api).json()["refused"])
    assert ready(api).json()["model"] == before["model"]
    assert api.send("/predict", {"features": manifest["reference"]["fills"]}).status_code == 200
    assert any(record.getMessage() == "bundle refused" for record in caplog.records)
    shutil.copytree(whole_bundle, folder, dirs_exist_ok=True)
    until(lambda: not ready(api).json()["refused"])


def test_a_bundle_of_another_dataset_is_refused(
    api: Running, folder: Path, made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    before = ready(api).json()
    write_bundle(folder, made.fit("random_forest"), made.reference, replace(served(), name="mill"))
    until(lambda: ready(api).json()["refused"])
    assert any("this bundle is of 'mill'" in str(vars(record)) for record in caplog.records)
    assert ready(api).json() == before | {"refused": True}


def test_without_a_bundle_it_starts_and_says_so(tmp_path: Path, whole_bundle: Path) -> None:
    folder = tmp_path / "bundle"
    with running(opened(folder, tmp_path / "forestall.sqlite")) as api:
        response = ready(api)
        assert (response.status_code, fields(response)) == (503, ["model"])
        assert api.send("/predict", {"features": [1]}).status_code == 503
        assert api.client.get("/health/live").json() == {"status": "alive"}
        shutil.copytree(whole_bundle, folder)
        until(lambda: ready(api).status_code == 200)


def test_stale_readings_are_not_ready(whole_bundle: Path, tmp_path: Path) -> None:
    with running(opened(whole_bundle, tmp_path / "forestall.sqlite", recorded=False)) as api:
        assert ready(api).json()["latest"] is None
        old = {"machine": "m1", "time": "2024-02-01T10:00:00Z", "volt": 170.0}
        assert api.send("/v1/readings", [old]).status_code == 200
        assert fields(ready(api)) == ["readings"]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        assert api.send("/v1/readings", [old | {"time": now}]).status_code == 200
        assert ready(api).json()["latest"] == now
