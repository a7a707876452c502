"""The pages at 10,000 machines of four parts, in Chromium, beside what one would use instead, in one run.

Painted: milliseconds until the first and the largest content, a new browser each time. Acts: from the click to the
page that shows it. Server: milliseconds of single requests. Beside them, as ratios: all opinions as one table of
`pandas.DataFrame.to_html`, opened in the same browser; and a Streamlit page of that table, if the folder
STREAMLIT is an environment with Streamlit in it.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
import pandas as pd

sys.path.append(str(Path(__file__).parents[1]))

import forestall  # noqa: F401  (pins the kernels)
from playwright.sync_api import Browser, Page, sync_playwright

from forestall.serving.bundle import load_bundle
from forestall.serving.fleet import fleet_table
from forestall.serving.store.database import open_store
from forestall.serving.store.opinions import OpinionFilter, ranked
from tests.serving.api.process import Served, serving, until
from tests.serving.page.many import judged_store, many_machines
from tests.serving.page.timing import acknowledge, paints, without_opinion

ROOT, BUNDLE = Path(), Path("models/bundle")
STREAMLIT = Path(os.environ.get("STREAMLIT", ".venv/streamlit")) / "bin/streamlit"
TIMES, FEW, REQUESTS = 20, 3, 200  # the others take half a minute each


def show(name: str, took: list[float]) -> float:
    """One line; the median in milliseconds."""
    p50, p99 = np.percentile(took, [50, 99])
    print(f"{name}: p50 {p50:,.0f} ms, p99 {p99:,.0f} ms ({len(took)} times)", flush=True)
    return float(p50)


def anew(browser: Browser, does: Callable[[Page], Any]) -> Any:
    """In a new browser, which has nothing in its cache."""
    with closing(browser.new_context(viewport={"width": 1400, "height": 900})) as context:
        context.set_default_timeout(180_000)
        return does(context.new_page())


def ours(served: Served, browser: Browser) -> float:
    """Of the first page and of acts; the median of its first paint."""
    url = str(served.client.base_url).rstrip("/")
    painted = [anew(browser, lambda page: paints(page, f"{url}/")) for _ in range(TIMES)]
    first = show("first contentful paint of /", [one for one, _ in painted])
    show("largest contentful paint of /", [one for _, one in painted])
    alarms = served.client.get(f"/v1/alarms?state=open&limit={TIMES}").json()["alarms"]
    page = browser.new_page()
    show("acknowledge, click to screen", [acknowledge(page, url, one["id"]) for one in alarms])
    show("filter, choice to screen", [without_opinion(page, url) for _ in range(TIMES)])
    return first


def requests(served: Served) -> None:
    """What the server takes for them, one at a time."""
    for path in ("/", "/fleet/rows", "/fleet/rows?status=no+opinion", "/fleet/rows?search=99", "/alarms"):
        show(f"GET {path}", [timed(lambda path=path: served.client.get(path)) for _ in range(REQUESTS)])
    alarms = served.client.get(f"/v1/alarms?state=open&limit={REQUESTS}").json()["alarms"]
    show("POST /alarms/{id}", [noted(served, one["id"]) for one in alarms])


def timed(ask: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    assert ask().status_code == 200
    return (time.perf_counter() - begun) * 1000


def noted(served: Served, number: int) -> float:
    text = served.client.get(f"/alarms/{number}").text
    hidden = {
        name: text.split(f'name="{name}" value="')[1].partition('"')[0] for name in ("form_token", "version")
    }
    form, headers = hidden | {"act": "note", "note": "seen"}, {"HX-Request": "true"}
    return timed(lambda: served.client.post(f"/alarms/{number}", data=form, headers=headers))


def table_of(file: Path) -> pd.DataFrame:
    """Every opinion, as the fleet's table has it."""
    bundle = load_bundle(BUNDLE)
    with closing(open_store(f"sqlite:///{file}", bundle)) as store, store.reading() as connection:
        return fleet_table(ranked(connection, OpinionFilter(), "risk", 1_000_000).opinions, bundle)


def static(table: pd.DataFrame, folder: Path, browser: Browser) -> float:
    """One page of `to_html`."""
    file = folder / "fleet.html"
    table.to_html(file, index=False)
    address = file.resolve().as_uri()
    painted = [anew(browser, lambda page: (*paints(page, address), loaded(page))) for _ in range(FEW)]
    first = show(f"to_html ({file.stat().st_size / 1e6:.0f} MB), first paint", [one[0] for one in painted])
    show("to_html, loaded", [one[2] for one in painted])
    return first


def loaded(page: Page) -> float:
    return float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))


def streamlit(table: pd.DataFrame, folder: Path, browser: Browser) -> float:
    """Until its table is there; before that it shows grey bars."""
    shutil.copy("bench/_streamlit.py", folder / "app.py")
    table.to_csv(folder / "fleet.csv", index=False)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = ["--server.headless=true", "--browser.gatherUsageStats=false", f"--server.port={port}"]
    command = [str(STREAMLIT), "run", "app.py", *quiet, "--", "fleet.csv"]
    with Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": ""}) as process:
        until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        took = [anew(browser, lambda page: table_shown(page, port)) for _ in range(FEW)]
        process.terminate()
    return show("Streamlit, its table", took)


def table_shown(page: Page, port: int) -> float:
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("[data-testid=stDataFrame] canvas", timeout=60_000)
    return float(page.evaluate("performance.now()"))


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        folder = Path(name)
        file = many_machines(judged_store(folder / "judged.db", ROOT), folder / "many.db", BUNDLE)
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        with serving(ROOT, "--database", f"sqlite:///{file}", "--recorded") as served:
            first = ours(served, browser)
            requests(served)
        table = table_of(file)
        print(f"  to_html / ours: {static(table, folder, browser) / first:.1f} times the first paint")
        if STREAMLIT.exists():
            print(
                f"  Streamlit / ours: {streamlit(table, folder, browser) / first:.1f} times the first paint"
            )


if __name__ == "__main__":
    main()
