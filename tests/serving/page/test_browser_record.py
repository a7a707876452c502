"""The record, the work card on paper, and who somebody is: in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from forestall.serving.api.start import open_service
from forestall.serving.store.alarms import FINDINGS
from tests.serving.api.process import until
from tests.serving.api.server import Running, key_for, running
from tests.serving.page.browsing import BUNDLE, ROOT, Visit, Visits, standing

pytestmark = pytest.mark.slow


def steps(page: Page) -> list[str]:
    """What is shown of the alarm budgets."""
    return [one.inner_text() for one in page.locator("[data-step]").all() if one.is_visible()]


def test_the_budget_is_chosen_by_keyboard(visit: Visit) -> None:
    """Each step tells its own: the more alarms are looked at, the fewer failures are missed."""
    page = visit.go("/record")
    visit.settle()
    slider = page.get_by_role("slider", name="Alarms a week")
    slider.focus()
    page.keyboard.press("Home")
    last, shown, missed = int(slider.get_attribute("max") or 0), list[str](), list[int]()
    for _ in range(last + 1):
        (step,) = steps(page)
        shown.append(step)
        found = re.search(r"(\d+) failures that are caught today", step)
        missed.append(int(found[1]) if found else 0)
        assert slider.get_attribute("aria-valuetext") == step.splitlines()[0]
        page.keyboard.press("ArrowRight")
    assert len(set(shown)) == last + 1
    assert missed == sorted(missed, reverse=True) and missed[0] > missed[-1]


def test_the_failures_that_a_budget_misses_are_listed(visit: Visit) -> None:
    page = visit.go("/record")
    page.get_by_role("slider", name="Alarms a week").press("Home")
    step = page.locator("[data-step]:visible")
    summary = step.locator("summary")
    summary.click()
    listed = step.locator("tbody tr")
    assert listed.count() == int((summary.inner_text()).split()[0])
    machine = listed.first.get_by_role("link").inner_text()
    listed.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(machine)


def test_the_model_card_is_there(visit: Visit) -> None:
    page = visit.go("/record")
    page.locator(".modelcard summary").click()
    expect(page.locator(".modelcard [lang=en] table").first).to_be_visible()


def test_a_work_card_is_one_page_for_each_part(fleet: Running, visit: Visit) -> None:
    alarm = standing(fleet)[0]
    name, part = alarm["machine"], alarm["component"]
    page = visit.go(f"/machines/{name}/card?component={part}")
    page.emulate_media(media="print")
    card = page.locator(".workcard")
    expect(card.get_by_role("heading", level=1)).to_have_text(f"{name} · {part}")
    reasons = fleet.client.get(f"/v1/machines/{name}").json()["components"]
    told = next(one for one in reasons if one["component"] == part)["reasons"]
    assert told
    expect(card.locator("h2 + ul:not(.boxes) li")).to_have_count(len(told))
    expect(card.locator(".boxes .box")).to_have_count(len(FINDINGS) + 1)
    assert not page.get_by_role("button", name="Print").is_visible()
    assert not page.locator(".top").is_visible()
    assert pages(page.pdf(format="A4")) == 1


def test_a_card_of_several_parts_breaks_between_them(fleet: Running, visit: Visit) -> None:
    name = standing(fleet)[0]["machine"]
    page = visit.go(f"/machines/{name}/card?component={standing(fleet)[0]['component']}")
    page.emulate_media(media="print")
    page.locator(".workcard").evaluate("one => one.after(one.cloneNode(true), one.cloneNode(true))")
    assert pages(page.pdf(format="A4")) == 3


def pages(document: bytes) -> int:
    """Of a PDF as Chromium writes it."""
    return len(re.findall(rb"/Type\s*/Page\b", document))


@pytest.fixture
def guarded(database: Path) -> Iterator[tuple[Running, str, str]]:
    """The service with keys: one that may write, and one that may read."""
    service = open_service(f"sqlite:///{database}", BUNDLE, "127.0.0.1", True, ROOT)
    write, read = key_for(service, "write", "Jo of the late shift"), key_for(service, "read", "a screen")
    with running(service) as one:
        yield one, write, read


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_one_signs_in_with_a_key_acts_and_signs_out(
    guarded: tuple[Running, str, str], visits: Visits
) -> None:
    api, write, _ = guarded
    visit = visits(api.url)
    page = visit.go("/?status=alarm")
    expect(page.get_by_label("API key")).to_be_focused()
    sign_in(page, "fst_wrong")
    expect(page.get_by_role("alert").filter(has_text="no valid key")).to_be_visible()
    visit.refused(401)
    sign_in(page, write)
    expect(page.locator("tbody tr.alarm").first).to_be_visible()
    assert page.url.endswith("/?status=alarm")
    page.locator("tr.alarm .since a").first.click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".trail")).to_contain_text("Jo of the late shift")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("API key")).to_be_visible()


def test_a_session_that_is_over_asks_to_sign_in_again(
    guarded: tuple[Running, str, str], visits: Visits
) -> None:
    api, write, _ = guarded
    visit = visits(api.url)
    page = visit.go("/")
    sign_in(page, write)
    expect(page.locator("#rows tbody")).to_be_visible()
    visit.context.clear_cookies()
    page.get_by_label("Status").select_option("alarm")
    expect(page.get_by_label("API key")).to_be_visible()
    visit.refused(401)


def test_who_may_only_look_has_no_buttons(guarded: tuple[Running, str, str], visits: Visits) -> None:
    api, _, read = guarded
    page = visits(api.url).go("/alarms")
    sign_in(page, read)
    page.locator("tbody th a").first.click()
    expect(page.get_by_text("Your key may look only")).to_be_visible()
    assert not page.locator("main form").count()


def test_german_is_chosen_and_kept(visit: Visit) -> None:
    page = visit.go("/?status=alarm")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Maschinen")
    assert page.url.endswith("/?status=alarm") and page.locator("html").get_attribute("lang") == "de"
    page.get_by_role("link", name="Bilanz").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Verlass")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("link", name="Record")).to_be_visible()


def test_a_german_browser_is_answered_in_german(fleet: Running, visits: Visits) -> None:
    page = visits(fleet.url, locale="de-DE").go("/alarms")
    expect(page.get_by_role("link", name="Zu erledigen")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_switched_and_kept(fleet: Running, visits: Visits, scheme: str) -> None:
    """Plots take the page's colours, and need not be drawn again."""
    visit = visits(fleet.url, color_scheme=scheme)
    page = visit.go("/")
    visit.settle()
    ink = "getComputedStyle(document.querySelector('#load svg text')).fill"
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(f"[{ground}, {ink}]")
    page.get_by_role("button", name="Light or dark").click()
    until(lambda: all(a != b for a, b in zip(page.evaluate(f"[{ground}, {ink}]"), before, strict=True)))
    switched = page.evaluate(ground)
    visit.go("/record")
    assert page.evaluate(ground) == switched
    page.reload()
    assert page.evaluate(ground) == switched
