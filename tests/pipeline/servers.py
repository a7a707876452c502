"""Servers that a test starts on this computer and stops: files over HTTP, PostgreSQL, MLflow, and bad ones."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

HERE = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(words: list[str], port: int, seconds: int = 10, **how: Any) -> Iterator[None]:
    """A server that listens there, until the end; it has so long to begin."""
    server = subprocess.Popen(words, **how)
    try:
        _wait_for(port, seconds)
        yield
    finally:
        server.terminate()
        server.wait()


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """The folder's files over HTTP; its address."""
    port = free_port()
    words = [sys.executable, "-m", "http.server", str(port), "--bind", HERE, "--directory", str(folder)]
    with running(words, port, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        yield f"http://{HERE}:{port}"


@dataclass(frozen=True)
class PostgreSQL:
    """A running server: host and port, the password of its superuser `postgres`, and how it is started."""

    host: str
    password: str
    control: tuple[str, ...]
    settings: tuple[str, ...]
    pid_file: Path

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql+psycopg://postgres:{self.password}@{self.host}/{database}"

    def start(self) -> None:
        """Begin to answer."""
        _as_other_user(*self.control, *self.settings, "start")

    def stop(self) -> None:
        """End, whoever is connected."""
        _as_other_user(*self.control, "-m", "fast", "stop")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """None of its processes runs, but the system still takes connections for them."""
        first = int(self.pid_file.read_text(encoding="utf-8").split()[0])
        os.kill(first, signal.SIGSTOP)  # before its children are listed: it makes no others then
        children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii")
        processes = [first, *map(int, children.split())]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)


@contextmanager
def postgresql() -> Iterator[tuple[str, str]]:
    """A PostgreSQL of the test's own: host and port, and the password of its superuser `postgres`."""
    with postgresql_server() as server:
        yield server.host, server.password


@contextmanager
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL of the test's own, to be stopped and started."""
    programs, port, password = _programs(), free_port(), secrets.token_hex()
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    (folder / "password").write_text(password, encoding="utf-8")
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, _other_user())
    data = str(folder / "data")
    settings = f"-c listen_addresses={HERE} -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    try:
        given = ("-U", "postgres", "-A", "scram-sha-256", "--pwfile", str(folder / "password"))
        _as_other_user(str(programs / "initdb"), "-D", data, *given, "-E", "UTF8", "--no-locale", "--no-sync")
        control = (str(programs / "pg_ctl"), "-D", data, "-w", "-s")
        how = ("-o", settings, "-l", str(folder / "log"))
        server = PostgreSQL(f"{HERE}:{port}", password, control, how, folder / "data" / "postmaster.pid")
        server.start()
        try:
            yield server
        finally:
            if server.pid_file.exists():
                server.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """An MLflow server with its database (SQLite) and its files in a folder; its address."""
    port = free_port()
    words = ["server", "--host", HERE, "--port", str(port), "--workers", "1"]
    words += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        f"{folder}/files",
    ]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [own_program("mlflow", "python"), "-m", "mlflow", *words],
            env=os.environ | quiet,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_for(port, seconds=120)
            yield f"http://{HERE}:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def own_program(environment: str, program: str) -> str:
    """A program of an environment of its own, which has not this project.

    Args:
        environment: mlflow, airflow or kubeflow.
    """
    found = Path(__file__).parents[2] / ".venv" / environment / "bin" / program
    if not found.is_file():
        pytest.fail(f"{environment} is not installed: run .ci/services")
    return str(found)


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that takes what it is sent and never answers; its address."""
    with socket.socket() as listening:
        listening.bind((HERE, 0))
        listening.listen()
        yield f"http://{HERE}:{listening.getsockname()[1]}"


@contextmanager
def refusing_server(status: int) -> Iterator[str]:
    """A server that answers everything with one HTTP status; its address."""

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        do_POST = do_GET  # noqa: N815  (the names are http.server's)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer((HERE, 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HERE}:{server.server_port}"
        server.shutdown()


def _programs() -> Path:
    """The folder of PostgreSQL's own programs; Debian keeps them off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path))
    if not found:
        pytest.fail("PostgreSQL's server is not installed: run .ci/services")
    return found[-1].parent


def _other_user() -> str:
    """Whom PostgreSQL runs as when the tests run as root, which it refuses."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_other_user(*words: str) -> None:
    other: dict[str, Any] = {"user": _other_user(), "extra_groups": []} if os.geteuid() == 0 else {}
    # The server outlives pg_ctl and would keep a pipe open.
    subprocess.run(words, cwd="/", check=True, stdout=subprocess.DEVNULL, **other)


def _wait_for(port: int, seconds: int = 10) -> None:
    """Until something listens there."""
    for _ in range(10 * seconds):
        with socket.socket() as probe:
            if probe.connect_ex((HERE, port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on {port}")
