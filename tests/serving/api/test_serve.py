"""`forestall serve` and `forestall keys`, as commands."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pandas as pd
import pytest

from forestall.cli import main
from tests.serving.api.conftest import END, EVENTS, TELEMETRY


def forestall(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forestall.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def workspace(whole_bundle: Path, tmp_path: Path) -> Path:
    """A folder with a bundle and its dataset's tables."""
    shutil.copytree(whole_bundle, tmp_path / "models" / "bundle")
    raw = tmp_path / "data" / "raw" / "test"
    raw.mkdir(parents=True)

    def write(frame: pd.DataFrame, name: str) -> None:
        times = frame["time"].astype("datetime64[s]") if "time" in frame else None
        (frame if times is None else frame.assign(time=times)).to_csv(raw / name, index=False)

    write(TELEMETRY.drop(columns="running"), "telemetry.csv")
    write(EVENTS.errors, "errors.csv")
    write(EVENTS.maintenance, "maint.csv")
    write(EVENTS.failures, "failures.csv")
    write(EVENTS.machines, "machines.csv")
    return tmp_path


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "forestall.cli", "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        try:
            for _ in range(600):
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                try:
                    client.get("/health/live")
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield process, client
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


def test_a_workspace_is_served_in_one_command(workspace: Path) -> None:
    with serving(workspace, "--recorded") as (process, client):
        assert (
            client.get("/health/ready")
            .json()["latest"]
            .startswith(time.strftime("%Y-%m-%d", time.gmtime(END)))
        )
        for _ in range(100):
            found = client.get("/v1/machines").json()["machines"]
            if len(found) == 12:
                break
            time.sleep(0.1)
        assert found[0]["risk"] and len(found) == 12
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
        assert process.stderr is not None
        lines = process.stderr.read().splitlines()
        assert any("filling it from data/raw/test" in line for line in lines)
        assert all(json.loads(line)["level"] == "info" for line in lines if line.startswith("{"))
    with serving(workspace, "--recorded") as (_, client):
        assert len(client.get("/v1/machines").json()["machines"]) == 12


def test_what_was_acknowledged_survives_a_kill(workspace: Path) -> None:
    with serving(workspace, "--recorded") as (process, client):
        stamps = [f"2024-03-05T{hour:02}:{minute:02}:00Z" for hour in range(24) for minute in range(60)]
        kept = []
        for number, stamp in enumerate(stamps):
            if number == 150:
                process.kill()
            try:
                sent = client.post("/v1/readings", json=[{"machine": "m1", "time": stamp, "volt": 170.0}])
            except httpx.HTTPError:
                break
            assert sent.status_code == 200
            kept.append(stamp)
        assert 100 < len(kept) < len(stamps)
    with serving(workspace, "--recorded") as (_, client):
        query: dict[str, str | int] = {"after": "2024-03-04T23:59:59Z", "limit": 5000}
        there = client.get("/v1/machines/m1/readings", params=query).json()["readings"]
        assert {row["time"] for row in there} >= set(kept)


def test_keys_are_made_listed_and_revoked(workspace: Path) -> None:
    made = forestall(workspace, "keys", "add", "line 7", "--role", "write")
    key = made.stdout.strip()
    assert key.startswith("fst_") and key not in made.stderr
    identifier = key.split("_")[1]
    listed = forestall(workspace, "keys", "list").stdout
    assert identifier in listed and "line 7" in listed and key.split("_", 2)[2] not in listed
    assert forestall(workspace, "keys", "revoke", identifier).returncode == 0
    assert "revoked" in forestall(workspace, "keys", "list").stdout
    again = forestall(workspace, "keys", "revoke", identifier)
    assert (again.returncode, again.stderr.startswith("forestall: ")) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--host", "0.0.0.0"], "forestall keys add"),
        (["--port", "70000"], "--port 70000"),
        (["--rate", "0"], "--rate 0"),
        (["--database", "mysql://somewhere/x"], "mysql"),
        (["--database", "no address"], "no database"),
    ],
)
def test_what_cannot_be_served(
    arguments: list[str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *arguments]) == 1
    assert why in capsys.readouterr().err


def test_starting_loads_no_training() -> None:
    code = "import sys, forestall.serving.api.app, forestall.serving.api.start; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"sklearn", "scipy", "joblib", "skl2onnx", "onnx", "dvc", "alembic", "matplotlib"}
