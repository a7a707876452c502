"""An Airflow of the test's own, with the committed DAG: all its processes, on SQLite, and somebody who signs in."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.pipeline.clones import ROOT
from tests.pipeline.servers import HERE, free_port, own_program

DAGS = ROOT / "deploy/airflow"
DAG = "forestall_retraining"
PERSON = "anna"
ENDED = ("success", "failed")


@dataclass(frozen=True)
class Airflow:
    """client: of its API, signed in."""

    client: httpx.Client

    def begin(self) -> str:
        """Start a run by hand; its name."""
        return str(self._asked("POST", f"dags/{DAG}/dagRuns", {"logical_date": None})["dag_run_id"])

    def unpause(self) -> None:
        """Let the DAG run, by its schedule too."""
        self._asked("PATCH", f"dags/{DAG}", {"is_paused": False})

    def runs(self) -> list[str]:
        """Their names, the first one first."""
        found = self._asked("GET", f"dags/{DAG}/dagRuns?order_by=run_after")
        return [one["dag_run_id"] for one in found["dag_runs"]]

    def states(self, run: str) -> dict[str, tuple[str | None, int]]:
        """By task, its state and the number of the last try."""
        found = self._asked("GET", f"dags/{DAG}/dagRuns/{run}/taskInstances")["task_instances"]
        return {one["task_id"]: (one["state"], one["try_number"]) for one in found}

    def question(self, run: str, seconds: int = 600) -> dict[str, Any]:
        """What somebody is asked, once the run waits for it."""
        until(lambda: self.states(run)["approve"][0] in ("awaiting_input", *ENDED), seconds)
        return self._asked("GET", f"dags/{DAG}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails")

    def answer(self, run: str, option: str, reason: str = "") -> None:
        """Say it, as the page does."""
        # A person takes longer, too. Airflow 3.3.2 ends the process that asked five seconds later, and takes an answer
        # before that for a failure.
        time.sleep(15)
        content = {"chosen_options": [option], "params_input": {"reason": reason}}
        self._asked("PATCH", f"dags/{DAG}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails", content)

    def ask_again(self, run: str) -> None:
        """Clear the question and what follows from it."""
        content = {"dry_run": False, "dag_run_id": run, "task_ids": ["approve"], "include_downstream": True}
        self._asked("POST", f"dags/{DAG}/clearTaskInstances", content | {"only_failed": False})

    def end(self, run: str, seconds: int = 600) -> dict[str, tuple[str | None, int]]:
        """How its tasks ended."""
        until(lambda: self._asked("GET", f"dags/{DAG}/dagRuns/{run}")["state"] in ENDED, seconds)
        return self.states(run)

    def _asked(self, method: str, path: str, content: Any = None) -> dict[str, Any]:
        answer = self.client.request(method, f"/api/v2/{path}", json=content)
        assert answer.is_success, (path, answer.status_code, answer.text)
        found: dict[str, Any] = answer.json()
        return found


def until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait for it; twice a second, as each look keeps Airflow from its work."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.5)


@contextmanager
def airflow(folder: Path, **variables: str) -> Iterator[Airflow]:
    """It runs, and knows the DAG, with further variables in the environment of its workers."""
    port, password = free_port(), secrets.token_hex()
    (folder / "passwords.json").write_text(json.dumps({PERSON: password}), encoding="utf-8")
    program = own_program("airflow", "airflow")
    # It starts its parts by their name.
    path = {"PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"}
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(
            [program, "standalone"],
            env=os.environ | path | _settings(folder, port) | variables,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            with httpx.Client(base_url=f"http://{HERE}:{port}", timeout=30) as client:
                until(lambda: _knows_the_dag(client, password, started), 300)
                yield Airflow(client)
        finally:
            os.killpg(started.pid, signal.SIGTERM)
            started.wait(60)
            with suppress(ProcessLookupError):  # its parts, which end as they like
                os.killpg(started.pid, signal.SIGKILL)


def _settings(folder: Path, port: int) -> dict[str, str]:
    """Nobody but this computer is asked or told; ports of its own; a second instead of five minutes before a retry."""
    settings = {
        "CORE__DAGS_FOLDER": str(DAGS),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": "2",
        "CORE__EXECUTION_API_SERVER_URL": f"http://{HERE}:{port}/execution/",
        "CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{PERSON}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "API__HOST": HERE,
        "API__PORT": str(port),
        "API__BASE_URL": f"http://{HERE}:{port}",
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {"AIRFLOW_HOME": str(folder), **{f"AIRFLOW__{name}": value for name, value in settings.items()}}


def _knows_the_dag(client: httpx.Client, password: str, started: subprocess.Popen[bytes]) -> bool:
    """Whether it lets the person in, and has read the DAG."""
    assert started.poll() is None, "it has ended; its log is in its folder"
    try:
        token = client.post("/auth/token", json={"username": PERSON, "password": password})
        if not token.is_success:
            return False
        client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        return client.get(f"/api/v2/dags/{DAG}").is_success
    except httpx.TransportError:
        return False
