"""What Prometheus would have said in the year of bench/year.py: the rules' own expressions, over what was scraped.

What /metrics said at each delivery becomes a TSDB of the plant's time (`promtool tsdb create-blocks-from`), and a real
Prometheus over it is asked for each expression at each of these times. The rules of the model wait an hour, between two
deliveries a week apart: an expression that is true at one of them holds until the next.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pandas as pd

from forestall.monitoring.alert_levels import Durations, Levels
from forestall.monitoring.alerts import Alert, model_alerts
from tests.pipeline.servers import HERE, free_port

Scraped = Mapping[str, Mapping[pd.Timestamp, str]]
COLUMNS = ["arm", "time", "alert", "of"]


def alerts_in(scraped: Scraped, place: Path) -> pd.DataFrame:
    """`COLUMNS`: which alert of the model was on at which delivery of which arm, and of what.

    Args:
        place: an empty folder.
    """
    rules = model_alerts(Durations(), Levels())
    text = "".join(samples(scraped, series_of(rules)))
    (place / "scraped.txt").write_text(text + "# EOF\n", encoding="utf-8")
    words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "scraped.txt", "tsdb"]
    subprocess.run(words, cwd=place, check=True, capture_output=True)
    with prometheus(place) as url, httpx.Client(base_url=url) as client:
        times = sorted({at for one in scraped.values() for at in one})
        rows = [row for rule in rules for at in times for row in on(client, rule, at)]
    return pd.DataFrame(rows, columns=COLUMNS)


def series_of(rules: list[Alert]) -> set[str]:
    """That the expressions name."""
    return {name for rule in rules for name in re.findall(r"forestall_\w+", rule.expr)}


def samples(scraped: Scraped, names: set[str]) -> Iterator[str]:
    """OpenMetrics of these series, with times; series by series, as the format wants it."""
    for name in sorted(names):
        yield f"# TYPE {name} gauge\n"
        for arm, looks in scraped.items():
            for at, said in sorted(looks.items()):
                for labels, number in re.findall(rf"^{name}(?:{{(.*)}})? (\S+)", said, re.MULTILINE):
                    every = ",".join(filter(None, (f'job="{arm}"', labels)))
                    yield f"{name}{{{every}}} {number} {at.timestamp():.0f}\n"


def on(client: httpx.Client, rule: Alert, at: pd.Timestamp) -> Iterator[tuple[str, pd.Timestamp, str, str]]:
    """Of an alert, by arm and what it is of, where its expression is true at a time."""
    answer = client.get("/api/v1/query", params={"query": rule.expr, "time": at.timestamp()}).json()
    if answer["status"] != "success":
        raise RuntimeError(f"{rule.name}: {answer}")
    for one in answer["data"]["result"]:
        labels = one["metric"]
        yield labels["job"], at, rule.name, labels.get("component", labels.get("name", ""))


@contextmanager
def prometheus(place: Path) -> Iterator[str]:
    """Over a TSDB that is there, whatever its age; its address."""
    port = free_port()
    (place / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    words = ["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--storage.tsdb.retention.time=100y"]
    program = shutil.which("prometheus")
    assert program is not None, "Prometheus is not installed: run .ci/services"
    with (place / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *words, f"--web.listen-address={HERE}:{port}"], cwd=place, stderr=log
        )
    try:
        url = f"http://{HERE}:{port}"
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{url}/-/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("Prometheus does not answer; its log is beside its settings")
