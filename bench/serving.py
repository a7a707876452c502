"""The service beside what one would write instead, in one run: ratios of requests a second and of 99th percentiles.

One worker each, four clients. A vector of features: against the tutorials' Flask and joblib server with the same
forest, and against `mlflow models serve` if .venv/mlflow is there (`.ci/setup mlflow .venv/mlflow`). A machine's
history of 200 readings: against an echo that parses the same body with the same schema. What counting for /metrics
costs a vector, and a challenger in shadow any request. Then readings taken in per
second, the first page of a ranking of 10,000 machines, and the time from start to ready.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import forestall  # noqa: F401  (pins the kernels)
from forestall.data import store as tables
from forestall.features.files import read_features
from forestall.retraining import served
from forestall.retraining.history import Promotion
from forestall.serving.bundle import Bundle, load_bundle
from forestall.serving.opinions import Opinion
from forestall.serving.store.database import open_store
from forestall.serving.store.machines import add_machines, known_numbers
from forestall.serving.store.opinions import write_opinions

BUNDLE, PREPARED, MLFLOW = Path("models/bundle"), Path("data/prepared"), Path(".venv/mlflow")
CLIENTS, SECONDS, READINGS, BATCH, MACHINES, ROUNDS = 4, 5.0, 200, 2_000, 10_000, 15
Figures = dict[str, float]


@contextmanager
def serving(*command: str, path: str = "/predict", port: int) -> Iterator[float]:
    """A server process while the block runs, its log in a file; how long it took until it answered, in seconds."""
    with tempfile.TemporaryFile("w+") as log:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            while not answers(port, path):
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(log.read())
                time.sleep(0.01)
            yield time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(timeout=30)


def answers(port: int, path: str) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
    except urllib.error.HTTPError as error:
        return error.code != 503
    except OSError:
        return False
    return True


def server(name: str, *more: str, path: str = "/predict", port: int) -> Any:
    return serving(sys.executable, "bench/_servers.py", name, str(port), *more, path=path, port=port)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def post(scratch: Path, name: str, path: str, content: Any) -> str:
    """A whole request in a file."""
    body = json.dumps(content).encode()
    head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines = [*head, f"Content-Length: {len(body)}", "", ""]
    (scratch / name).write_bytes("\r\n".join(lines).encode() + body)
    return str(scratch / name)


def load(port: int, requests: list[str], seconds: float = SECONDS) -> Figures:
    asked = {"port": port, "requests": requests, "seconds": seconds}
    command = [sys.executable, "bench/_load.py"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: Figures = json.loads(done.stdout)
    return found | {"per_second": found["requests"] / found["seconds"]}


def vectors(bundle: Bundle, scratch: Path) -> None:
    names = [feature.name for feature in bundle.reference.features]
    _, features = read_features(Path("data/features"), names, bundle.plant.dataset.clock)
    row = [round(float(value), 6) for value in features[-1]]
    sent = [post(scratch, "vector", "/predict", {"features": row})] * CLIENTS
    found = {}
    for name, more in (("ours", [str(scratch / "a.db")]), ("flask", [])):
        port = free_port()
        with server(name, *more, port=port):
            found[name] = load(port, sent)
    if (MLFLOW / "bin/mlflow").exists():
        found["mlflow"] = mlflow(row, scratch)
    for name in found:
        show(f"vector, {name}", found[name])
    for name in [name for name in found if name != "ours"]:
        more = found["ours"]["per_second"] / found[name]["per_second"]
        share = found["ours"]["p99_ms"] / found[name]["p99_ms"]
        print(f"  ours / {name}: {more:.1f} times the requests a second, {share:.3f} of its p99")


def counting(bundle: Bundle, scratch: Path) -> None:
    """The service and the same without counters, in turn: the ratio of the quietest rounds, and quartiles of all."""
    row = [float(value) for value in bundle.reference.fills]
    sent, ports = [post(scratch, "counted", "/predict", {"features": row})], (free_port(), free_port())
    with (
        server("ours", str(scratch / "counted.db"), port=ports[0]),
        server("uncounted", str(scratch / "uncounted.db"), port=ports[1]),
    ):
        p50 = np.array([[load(port, sent, 1.0)["p50_ms"] for port in ports] for _ in range(ROUNDS)])
    ratio = p50[:, 0].min() / p50[:, 1].min()
    low, high = np.quantile(p50[:, 0] / p50[:, 1], [0.25, 0.75])
    print(f"counting for /metrics: {ratio:.3f} times the p50 of a vector without ({low:.3f} to {high:.3f})")


def shadow(bundle: Bundle, scratch: Path) -> None:
    """The service without and with a challenger, in turn: the quietest rounds, and quartiles of the ratios of all."""
    row = [float(value) for value in bundle.reference.fills]
    vector = [post(scratch, "shadowed", "/predict", {"features": row})] * CLIENTS
    history = [post(scratch, f"shadowed-{n}", "/predict", one) for n, one in enumerate(bodies(bundle))]
    ports, folders = (free_port(), free_port()), (scratch / "alone", scratch / "both")
    for folder in folders:
        with served.exclusively(folder):
            first, other = (served.lay_down(folder, BUNDLE, commit * 40) for commit in "ab")
            served.exchange(folder, Promotion(1, first, "", "a" * 40, 0, "bench", "first"))
            if folder == folders[1]:
                served.put_in_shadow(folder, other)
    with (
        server("ours", str(scratch / "alone.db"), str(folders[0] / "champion"), port=ports[0]),
        server("ours", str(scratch / "both.db"), str(folders[1] / "champion"), port=ports[1]),
    ):
        for name, sent in (("vector", vector), (f"{READINGS} readings", history)):
            rounds = [[load(port, sent, 1.0) for port in ports if settled(ports[1])] for _ in range(ROUNDS)]
            for figure in ("p50_ms", "p99_ms"):
                times = np.array([[one[figure] for one in pair] for pair in rounds])
                alone, both = times.min(axis=0)
                low, high = np.quantile(times[:, 1] / times[:, 0], [0.25, 0.75])
                print(
                    f"{name}, {figure[:3]}: {alone:.2f} ms alone, {both:.2f} ms with a challenger; of all rounds"
                )
                print(f"  {low:.2f} to {high:.2f} times", flush=True)
        for name, value in shadow_figures(ports[1]).items():
            if name.startswith("requests"):
                print(f"  {name}: {value:,.0f}")


def settled(port: int) -> bool:
    """Once a challenger has worked off what waits for it, which would slow down whoever is measured then."""
    before = -1.0
    while (spent := shadow_figures(port)['seconds_total{source="request"}']) > before:
        before = spent
        time.sleep(0.3)
    return True


def shadow_figures(port: int) -> Figures:
    """What /metrics says of a challenger."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as said:
        lines = [
            line.split() for line in said.read().decode().splitlines() if line.startswith("forestall_shadow_")
        ]
    return {name.removeprefix("forestall_shadow_"): float(value) for name, value in lines}


def mlflow(row: list[float], scratch: Path) -> Figures:
    """`mlflow models serve` of a scikit-learn forest with one worker: the parts' classifiers as one model."""
    folder, port = scratch / "mlflow", free_port()
    environment = os.environ | {"PYTHONPATH": "src", "MLFLOW_DISABLE_ENV_CREATION": "true"}
    subprocess.run([MLFLOW / "bin/python", "bench/_mlflow.py", folder], check=True, env=environment)
    sent = [post(scratch, "mlflow-vector", "/invocations", {"inputs": [row]})] * CLIENTS
    command = [str(MLFLOW / "bin/mlflow"), "models", "serve", "-m", str(folder), "-p", str(port)]
    with serving(*command, "-w", "1", "--env-manager", "local", path="/ping", port=port):
        return load(port, sent)


def histories(bundle: Bundle, scratch: Path) -> None:
    sent = [post(scratch, f"history-{n}", "/predict", one) for n, one in enumerate(bodies(bundle))]
    found = {}
    for name, more in (("ours", [str(scratch / "a.db")]), ("echo", []), ("bare_echo", [])):
        port = free_port()
        with server(name, *more, port=port):
            found[name] = load(port, sent)
            show(f"{READINGS} readings, {name}", found[name])
    for name in ("echo", "bare_echo"):
        print(f"  ours / {name}: {found['ours']['p99_ms'] / found[name]['p99_ms']:.1f} times its p99")


def bodies(bundle: Bundle) -> list[dict[str, Any]]:
    """The last READINGS of some machines, with the errors of that time and all replacements."""
    clock, sensors = bundle.plant.dataset.clock, list(bundle.reference.sensors)
    events = tables.read_events(PREPARED, clock)
    telemetry = next(tables.read_telemetry(PREPARED, clock))
    made = []
    for machine in telemetry["machine"].unique()[:CLIENTS]:
        rows = telemetry[telemetry["machine"] == machine].tail(READINGS)
        said: dict[str, Any] = {"machine": machine, "readings": records(rows[["time", "running", *sensors]])}
        for name, column in (("errors", "code"), ("maintenance", "component"), ("failures", "component")):
            frame = getattr(events, name)
            kept = (frame["machine"] == machine) & ((name != "errors") | (frame["time"] > rows["time"].min()))
            said[name] = records(frame.loc[kept, ["time", column]])
        (about,) = events.machines[events.machines["machine"] == machine].to_dict("records")
        attributes = {str(name): value for name, value in about.items() if name != "machine"}
        made.append(said | {"attributes": attributes})
    return made


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    stamps = [f"{np.datetime64(time, 's')}Z" for time in frame["time"]]
    rows = frame.assign(time=stamps).astype(object)
    return [{str(k): v for k, v in row.items()} for row in rows.where(rows.notna(), None).to_dict("records")]


def taking_in(bundle: Bundle, scratch: Path) -> None:
    """Batches of new readings, one after another."""
    database, port, sensors = scratch / "in.db", free_port(), list(bundle.reference.sensors)
    opened = open_store(f"sqlite:///{database}", bundle)
    with opened.writing() as connection:
        add_machines(connection, {f"m{n}": {} for n in range(100)})
    opened.close()
    rng = np.random.default_rng(0)
    batches = []
    for number in range(30):
        times = 1_700_000_000 + 3600 * (number * (BATCH // 100) + np.arange(BATCH) // 100)
        rows = [
            {"machine": f"m{n % 100}", "time": f"{np.datetime64(int(time), 's')}Z"}
            | {
                name: round(float(value), 3)
                for name, value in zip(sensors, rng.uniform(1, 20, len(sensors)), strict=True)
            }
            for n, time in enumerate(times)
        ]
        batches.append(json.dumps({"readings": rows}).encode())
    with server("ours", str(database), path="/health/live", port=port):
        began = time.perf_counter()
        for body in batches:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/readings", body)
            request.add_header("Content-Type", "application/json")
            urllib.request.urlopen(request).read()
        took = time.perf_counter() - began
    print(
        f"taking in: {len(batches) * BATCH / took:,.0f} readings a second, in batches of {BATCH:,} over HTTP"
    )


def ranking(bundle: Bundle, scratch: Path) -> None:
    """A store in which every machine has opinions, and the first page of its ranking; the time to start, too."""
    database, port = scratch / "rank.db", free_port()
    opened, rng = open_store(f"sqlite:///{database}", bundle), np.random.default_rng(0)
    with opened.writing() as connection:
        add_machines(connection, {f"m{n}": {} for n in range(MACHINES)})
        numbers = known_numbers(connection, [f"m{n}" for n in range(MACHINES)])
        opinions = [
            Opinion(
                name,
                part,
                1_700_000_000,
                "",
                threshold,
                tuple(np.sort(rng.random(3)).tolist()),
                (),
                (1.0, 2.0, 3.0),
            )
            for name in numbers
            for part, threshold in bundle.thresholds.items()
        ]
        write_opinions(connection, numbers, opinions)
    opened.close()
    with server("ours", str(database), path="/health/live", port=port) as took:
        head = "GET /v1/machines HTTP/1.1\r\nHost: localhost\r\n\r\n"
        (scratch / "page").write_text(head)
        found = load(port, [str(scratch / "page")])
    show(f"first page of {MACHINES:,} machines, one client", found)
    print(f"start: {took:.2f} s until it answers")


def show(name: str, found: Figures) -> None:
    print(
        f"{name}: {found['per_second']:,.0f} requests/s, p50 {found['p50_ms']:.2f} ms, p99 {found['p99_ms']:.2f} ms",
        flush=True,
    )


def main() -> None:
    bundle = load_bundle(BUNDLE)
    parts = {one.__name__: one for one in (vectors, histories, counting, shadow, taking_in, ranking)}
    with tempfile.TemporaryDirectory() as name:
        for one in sys.argv[1:] or parts:
            parts[one](bundle, Path(name))


if __name__ == "__main__":
    main()
