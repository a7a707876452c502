"""The pages by keyboard alone, enlarged, with forced colours, and without motion."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.serving.api.process import until
from tests.serving.api.server import Running
from tests.serving.page.browsing import BUSY, Visit, Visits, fits, standing

pytestmark = pytest.mark.slow
FOCUSED = "document.activeElement"
# Seen: an outline, or the browser's own look of a control that has one.
OUTLINED = f"""() => {{
  const style = getComputedStyle({FOCUSED});
  return {FOCUSED} !== document.body && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}}"""
MANY = 60


def tab_to(page: Page, name: str, backwards: bool = False) -> None:
    """On and on until a thing of that name has the focus; all on the way show that they have it."""
    passed = []
    for _ in range(MANY):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        told = page.evaluate(f"({FOCUSED}.labels?.[0] ?? {FOCUSED}).innerText || {FOCUSED}.ariaLabel || ''")
        if page.evaluate(f"{FOCUSED} !== document.body"):
            assert page.evaluate(OUTLINED), f"{told!r} does not show that it has the focus"
        if told.strip().startswith(name):
            return
        passed.append(told.strip()[:30])
    pytest.fail(f"{name!r} is not reached: {passed}")


def settled(page: Page) -> None:
    until(lambda: not page.evaluate(BUSY))


def test_from_the_first_link_to_an_alarm_that_is_closed(fleet: Running, visit: Visit) -> None:
    alarm = next(one for one in standing(fleet) if one["component"])
    page = visit.go("/")
    visit.settle()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "Find a machine")
    page.keyboard.type(alarm["machine"])
    until(lambda: page.locator("tbody tr").count() <= 4)
    tab_to(page, alarm["machine"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(alarm["machine"])
    settled(page)
    tab_to(page, "To the alarm")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="open", exact=True)).to_be_visible()
    settled(page)
    tab_to(page, "Acknowledge")
    page.keyboard.press("Enter")
    expect(page.locator(".outcome")).to_be_focused()
    tab_to(page, "Note")
    page.keyboard.type("looked at by keyboard")
    tab_to(page, "confirmed")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("no fault found")).to_be_checked()
    tab_to(page, "Close the alarm")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="closed: no fault found")).to_be_visible()
    expect(page.locator(".outcome")).to_be_focused()
    assert fleet.client.get(f"/v1/alarms/{alarm['id']}").json()["state"] == "closed"


def test_after_a_refusal_one_is_where_it_is_told(fleet: Running, visit: Visit) -> None:
    page = visit.go(f"/alarms/{standing(fleet)[0]['id']}")
    page.get_by_label("confirmed").check()
    page.get_by_role("button", name="Close the alarm").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".outcome")).to_be_focused()
    visit.refused(422)


def test_further_rows_are_gone_on_from(visit: Visit) -> None:
    page = visit.go("/")
    visit.settle()
    more = page.locator(".more button")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").nth(40).locator("th a")).to_be_focused()
    assert page.evaluate(OUTLINED)


def test_a_filter_keeps_the_focus(visit: Visit) -> None:
    page = visit.go("/")
    page.get_by_label("Status").focus()
    page.keyboard.press("ArrowDown")
    until(lambda: page.locator("tbody tr:not(.alarm)").count() == 0)
    visit.settle()
    expect(page.get_by_label("Status")).to_be_focused()


def test_nothing_moves_for_whom_motion_is_too_much(fleet: Running, visits: Visits) -> None:
    page = visits(fleet.url, reduced_motion="reduce").go("/")
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
      const style = getComputedStyle(one);
      return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none";
    }).map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(moving) == []
    page.evaluate("document.querySelector('#rows').classList.add('htmx-request')")
    assert page.evaluate(moving) == []


def test_forced_colours_leave_marks_bars_and_focus(fleet: Running, visits: Visits) -> None:
    """What is drawn stands out from what is behind it, and a risk can still be read off its bar."""
    visit = visits(fleet.url, forced_colors="active", color_scheme="dark")
    page = visit.go("/")
    visit.settle()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for selector in (".mark.alarm", ".bar.alarm .fill", ".bar .limit"):
        assert page.locator(selector).first.evaluate("one => getComputedStyle(one).fill") != ground
    fill, track = (
        page.locator(f".bar.alarm {one}").first.evaluate("one => getComputedStyle(one).fill")
        for one in (".fill", ".track")
    )
    assert fill != track
    page.keyboard.press("Tab")
    assert page.evaluate(OUTLINED)


@pytest.mark.parametrize("path", ["/", "machine", "alarm", "/alarms", "/record", "/in-service", "card"])
def test_enlarged_to_twice_its_size_all_is_within_the_window(
    fleet: Running, visits: Visits, path: str
) -> None:
    alarm = standing(fleet)[0]
    machine = f"/machines/{alarm['machine']}"
    named = {"machine": machine, "alarm": f"/alarms/{alarm['id']}", "card": f"{machine}/card"}
    visit = visits(fleet.url, viewport={"width": 640, "height": 450}, device_scale_factor=2)
    visit.go(named.get(path, path))
    fits(visit.settle())
