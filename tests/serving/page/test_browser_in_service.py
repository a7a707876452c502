"""The page of the model in service with all that it can tell, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from forestall.serving.page.words import say
from tests.serving.api.server import Running
from tests.serving.page.browsing import WIDTHS, Visits, fits
from tests.serving.page.test_browser_axe import faults
from tests.serving.page.test_in_service import PATH, whole

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_all_is_within_the_window(
    in_service: Running, visits: Visits, language: str, scheme: str
) -> None:
    whole(in_service)
    for width in WIDTHS:
        settings = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        visit = visits(in_service.url, locale=language, **settings)
        visit.go(PATH)
        page = visit.settle()
        for plot in ("#months", "#shares"):
            assert page.locator(f"{plot} svg .mark-rect path").count() >= 3
        fits(page)
        page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")
        assert faults(page) == [], width
        fits(page)


def test_a_machine_that_moved_it_is_a_click_away(in_service: Running, visits: Visits) -> None:
    whole(in_service)
    page = visits(in_service.url).go("/")
    page.get_by_role("link", name=say("page.nav_service")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(say("page.service_title"))
    link = page.locator(".most a").first
    name = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
