"""The way from the fleet to an alarm, on a small plant; the one test with a browser that is quick."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import plant
from tests.serving.api.conftest import END
from tests.serving.api.replay import send
from tests.serving.api.server import Running, opened, running
from tests.serving.page.browsing import Visits


@pytest.fixture
def small(whole_bundle: Path, tmp_path: Path) -> Iterator[Running]:
    """The service two days before the end of the small plant's history, when a pump is about to fail."""
    service = opened(whole_bundle, tmp_path / "forestall.sqlite")
    assert service.champion.serving is not None
    with running(service) as one:
        send(one, 0, END - 2 * plant.DAY)
        service.champion.serving.live.score_due()
        yield one


def test_from_the_fleet_to_an_alarm_that_is_acknowledged(
    small: Running, request: pytest.FixtureRequest
) -> None:
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("no browser is installed: .ci/services, which make test-all runs, installs one")
    visits: Visits = request.getfixturevalue("visits")
    visit = visits(small.url)
    page = visit.go("/")
    row = page.locator("tr.alarm").first
    name = row.locator("th a").inner_text()
    row.locator("th a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_role("link", name="To the alarm").first.click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".outcome")).to_contain_text("on record")
    expect(page.get_by_role("heading", name="acknowledged")).to_be_visible()
