"""`forestall serve` and `forestall keys`, as commands."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from forestall.cli import main
from tests.serving.api.conftest import END
from tests.serving.api.process import serving


def test_a_workspace_is_served_in_one_command(workspace: Path) -> None:
    with serving(workspace, "--recorded") as served:
        client, process = served.client, served.process
        assert (
            client.get("/health/ready")
            .json()["latest"]
            .startswith(time.strftime("%Y-%m-%d", time.gmtime(END)))
        )
        found = client.get("/v1/machines").json()["machines"]
        assert found[0]["risk"] and len(found) == 12
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
        lines = served.log()
        assert any("filling it from data/raw/test" in line for line in lines)
        assert all(json.loads(line)["level"] == "info" for line in lines if line.startswith("{"))
    with serving(workspace, "--recorded") as served:
        assert len(served.client.get("/v1/machines").json()["machines"]) == 12


def test_a_bundle_that_is_refused_at_the_start_is_explained(workspace: Path) -> None:
    (workspace / "models" / "bundle" / "model.onnx").write_bytes(b"")
    with serving(workspace, "--recorded") as served:
        assert served.client.get("/health/ready").status_code == 503
        served.process.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in served.log()]
    (refused,) = [line for line in lines if line["event"] == "bundle refused"]
    assert "model.onnx" in refused["problem"]


def test_keys_are_made_listed_and_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def keys(*words: str) -> tuple[int, str, str]:
        return main(["keys", *words]), *capsys.readouterr()

    _, made, told = keys("add", "line 7", "--role", "write")
    key = made.strip()
    assert key.startswith("fst_") and key not in told
    identifier = key.split("_")[1]
    _, listed, _ = keys("list")
    assert identifier in listed and "line 7" in listed and key.split("_", 2)[2] not in listed
    assert keys("revoke", identifier)[0] == 0
    assert "revoked" in keys("list")[1]
    code, _, why = keys("revoke", identifier)
    assert (code, why.startswith("forestall: ")) == (1, True)


@pytest.fixture(autouse=True)
def other_tests_logs() -> Iterator[None]:
    """What `serve` makes of the loggers in this process is undone."""
    loggers = [logging.getLogger(name) for name in ("forestall", "uvicorn", "alembic")]
    kept = [(one.handlers, one.propagate, one.level) for one in loggers]
    yield
    for one, (handlers, propagate, level) in zip(loggers, kept, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


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


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://u:s3cret@127.0.0.1:1/db?bogus=1",
        "postgresql+psycopg://u:x@s3cret@127.0.0.1:1/db",
    ],
)
def test_an_address_of_the_environment_that_is_none(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORESTALL_DATABASE_URL", address)
    for verb in (["serve"], ["keys", "list"]):
        assert main(verb) == 1
        why = capsys.readouterr().err
        assert why.startswith("forestall: ") and "FORESTALL_DATABASE_URL" in why
        assert "s3cret" not in why


def test_starting_loads_no_training() -> None:
    code = "import sys, forestall.serving.api.app, forestall.serving.api.start; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"sklearn", "scipy", "joblib", "skl2onnx", "onnx", "dvc", "alembic", "matplotlib"}
