"""`forestall serve` as a process of its own, which can be killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

import httpx


@dataclass(frozen=True)
class Served:
    """A running service, a client of it, and what it has written to standard error so far."""

    process: subprocess.Popen[str]
    client: httpx.Client
    written: list[str]
    reader: Thread

    def log(self) -> list[str]:
        """All lines, once the process has ended."""
        self.reader.join(10)
        return self.written

    def kill(self) -> None:
        """As the system does when memory is short."""
        self.process.kill()
        self.process.wait(10)


def forestall(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A verb of the command, run in a folder, with further environment variables."""
    command = [sys.executable, "-m", "forestall.cli", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Served]:
    """`forestall serve` in a workspace, once it answers."""
    with started(folder, *arguments) as served:
        wait_for(served)
        yield served


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Served]:
    """`forestall serve` in a workspace, not waited for."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "forestall.cli", "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    written: list[str] = []
    # A pipe that nobody reads is full after a few hundred requests, and the service would wait.
    reader = Thread(target=_read, args=[process.stderr, written], daemon=True)
    reader.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        try:
            yield Served(process, client, written, reader)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


def _read(pipe: IO[str], into: list[str]) -> None:
    into.extend(line.rstrip("\n") for line in iter(pipe.readline, ""))


def wait_for(served: Served, seconds: float = 60) -> None:
    """Until the service answers."""

    def answers() -> bool:
        assert served.process.poll() is None, "\n".join(served.log())
        try:
            return served.client.get("/health/live").status_code == 200
        except httpx.TransportError:
            return False

    until(answers, seconds)


def until(holds: Callable[[], bool], seconds: float = 30) -> float:
    """Wait until something holds; how many seconds that took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - begun
