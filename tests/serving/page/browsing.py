"""The real service on the default fleet, and visitors' browsers that hear whatever goes wrong in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from forestall.serving.api.start import open_service
from tests.serving.api.process import until
from tests.serving.api.server import Running, running
from tests.serving.page.many import judged_store

ROOT = Path(__file__).parents[3]
BUNDLE, RAW = ROOT / "models/bundle", ROOT / "data/raw"
WIDTHS = (360, 390, 768, 1400)
# Playwright's own waiting for a condition is a use of eval, which the policy forbids.
BUSY = """() => document.readyState !== "complete"
  || document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added") !== null
  || [...document.querySelectorAll(".plot")].some((one) => one.querySelector("svg") === null)"""
# Wider than the window, though it does not scroll by itself.
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("main, main *, header *")].filter(
    (one) => one.checkVisibility() && !one.closest(".scroll, .visually-hidden, .skip, svg svg, thead")
      && one.getBoundingClientRect().right > room + 1);
  return [document.documentElement.scrollWidth > room ? "the page scrolls sideways" : "",
          ...out.map((one) => one.outerHTML.slice(0, 120))].filter(Boolean);
}"""


@dataclass
class Visit:
    """A page of a browser of its own.

    faults: what the console said, what scripts threw, and requests to elsewhere; a test that makes some on purpose
    empties it.
    """

    url: str
    page: Page
    faults: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        """Its cookies, and whether it is connected."""
        return self.page.context

    def go(self, path: str) -> Page:
        """To an address of the service, with its plots."""
        self.page.goto(self.url + path)
        return self.page

    def settle(self) -> Page:
        """Until all is loaded and in its place, and all plots are drawn."""
        until(lambda: not self.page.evaluate(BUSY))
        return self.page

    def refused(self, status: int) -> None:
        """A refusal, which the browser writes into its console as well."""
        told = (f"status of {status}", f"Error Code {status}")
        assert [one for one in self.faults if told[0] in one]
        self.faults[:] = [one for one in self.faults if not any(text in one for text in told)]


Visits = Callable[..., Visit]


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the default fleet, every machine of which is judged."""
    if not (RAW / "simulated/telemetry").exists() or not (BUNDLE / "model.onnx").exists():
        pytest.skip("the default fleet and its model are not here: dvc repro")
    file = tmp_path_factory.mktemp("judged") / "forestall.sqlite"
    return judged_store(file, ROOT)


@pytest.fixture
def database(judged: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copy(judged, tmp_path / "forestall.sqlite"))


@pytest.fixture
def fleet(database: Path) -> Iterator[Running]:
    """The service on the default fleet."""
    with running(open_service(f"sqlite:///{database}", BUNDLE, "127.0.0.1", True, ROOT)) as one:
        yield one


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """Browsers of visitors at an address; nothing may have gone wrong in them in the end."""
    opened: list[Visit] = []

    def visit(url: str, **settings: Any) -> Visit:
        settings = {"viewport": {"width": 1400, "height": 900}, "locale": "en-GB"} | settings
        one = Visit(url, browser.new_context(**settings).new_page())
        one.page.set_default_timeout(10_000)
        one.page.on("console", lambda said: _heard(one, said.text))
        one.page.on("pageerror", lambda error: one.faults.append(str(error)))
        one.page.on("request", lambda sent: _ours(one, sent.url))
        opened.append(one)
        return one

    yield visit
    for one in opened:
        one.context.close()
    assert [one.faults for one in opened if one.faults] == []


def _heard(visit: Visit, text: str) -> None:
    """What htmx says of a search that a later one has replaced is no fault."""
    if not text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
        visit.faults.append(text)


def _ours(visit: Visit, address: str) -> None:
    if not address.startswith((visit.url + "/", "data:")):
        visit.faults.append(f"asked of another computer: {address}")


@pytest.fixture
def visit(fleet: Running, visits: Visits) -> Visit:
    """One visitor, who is English and has a wide screen."""
    return visits(fleet.url)


def standing(api: Running) -> list[dict[str, Any]]:
    """The alarms that stand and that nobody has looked at, the newest first."""
    listed: list[dict[str, Any]] = api.client.get("/v1/alarms?state=open").json()["alarms"]
    return [one for one in listed if one["ended"] is None]


def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate(TOO_WIDE) == []
