"""No view has a fault that axe-core finds, its best practices included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from forestall.serving.api.start import open_service
from tests.serving.api.server import Running, key_for, running
from tests.serving.page.browsing import BUNDLE, ROOT, Visit, Visits

pytestmark = pytest.mark.slow
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}


def faults(page: Page) -> list[str]:
    """What axe-core finds: the rule, what it says, and where."""
    found: list[dict[str, Any]] = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:150]} ({node['failureSummary'][:200]})"
        for rule in found
        for node in rule["nodes"]
    ]


def _sensors(page: Page) -> None:
    page.locator("#line").scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#sensor-1 svg")).to_be_attached()


def _details(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")


def _refused(page: Page) -> None:
    page.locator("[name=finding][value=confirmed]").check()
    page.locator("#found").fill("2031-01-01T08:00")
    page.locator("[value=close]").click()
    expect(page.locator(".outcome .problem")).to_be_visible()


def _closed(page: Page) -> None:
    page.locator("[name=finding][value='no fault found']").check()
    page.locator("#note").fill("well")
    page.locator("[value=close]").click()
    expect(page.locator(".outcome .done")).to_be_visible()


def _offline(page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator("#notice")).to_be_visible()


def _wrong_key(page: Page) -> None:
    page.locator("#key").fill("fst_wrong")
    page.locator("main button").click()
    expect(page.locator("#refused")).to_be_visible()


def _nothing(page: Page) -> None:
    pass


# By name: the address, of an alarm's machine and number, and what is done there.
VIEWS: Mapping[str, tuple[str, Callable[[Page], None]]] = {
    "fleet": ("/", _nothing),
    "fleet, filtered to nothing": ("/?search=nobody", _nothing),
    "fleet without opinions": ("/?status=no+opinion", _nothing),
    "machine": ("/machines/{machine}", _details),
    "machine with sensors": ("/machines/{machine}", _sensors),
    "alarm": ("/alarms/{id}", _nothing),
    "alarm, refused": ("/alarms/{id}", _refused),
    "alarm, offline": ("/alarms/{id}", _offline),
    "alarm, closed": ("/alarms/{id}", _closed),
    "alarms": ("/alarms", _nothing),
    "alarms, none": ("/alarms?show=closed", _nothing),
    "record": ("/record", _details),
    "in service": ("/in-service", _details),
    "card": ("/machines/{machine}/card?component={component}", _nothing),
    "card of nothing": ("/machines/M00001/card?component=none", _nothing),
    "error": ("/alarms/99999", _nothing),
}


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(fleet: Running, visits: Visits, view: str) -> None:
    """Light and dark, wide and narrow, English and German; what changes an alarm takes the next one each time."""
    for language in ("en-GB", "de-DE"):
        for scheme in ("light", "dark"):
            for width in (360, 1400):
                path, do = VIEWS[view]
                settings = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
                visit = visits(fleet.url, locale=language, **settings)
                _shown(visit, fleet, path, do)
                assert faults(visit.page) == [], (language, scheme, width)
                visit.faults[:] = [one for one in visit.faults if not _told(one)]
                visit.page.close()


def _shown(visit: Visit, api: Running, path: str, do: Callable[[Page], None]) -> None:
    alarm = api.client.get("/v1/alarms?state=open").json()["alarms"][0]
    visit.go(path.format(**alarm))
    do(visit.settle())


def _told(text: str) -> bool:
    """Whether it is what the browser says of a refusal, of an address where there is nothing, of no connection."""
    return any(one in text for one in ("404", "422", "ERR_INTERNET_DISCONNECTED", "htmx:sendError"))


@pytest.fixture
def guarded(database: Any) -> Iterator[Running]:
    """The service with a key."""
    service = open_service(f"sqlite:///{database}", BUNDLE, "127.0.0.1", True, ROOT)
    key_for(service, "write")
    with running(service) as one:
        yield one


@pytest.mark.parametrize("do", [_nothing, _wrong_key])
@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_one_signs_in(
    guarded: Running, visits: Visits, do: Callable[[Page], None], language: str, scheme: str
) -> None:
    for width in (360, 1400):
        settings = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        visit = visits(guarded.url, locale=language, **settings)
        visit.go("/")
        do(visit.settle())
        assert faults(visit.page) == [], width
        visit.faults[:] = [one for one in visit.faults if "401" not in one]
