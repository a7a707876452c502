"""The fleet's list and a machine's page, in a browser."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from forestall.serving.page.words import say
from tests.serving.api.process import until
from tests.serving.api.server import Running
from tests.serving.page.browsing import WIDTHS, Visit, Visits, fits, standing

pytestmark = pytest.mark.slow
# Of each plot, how many marks it has, and which of them lie outside of it; paths of nothing are not counted.
DRAWN = """() => [...document.querySelectorAll(".plot")].map((plot) => {
  const svg = plot.querySelector("svg").getBoundingClientRect();
  const marks = [...plot.querySelectorAll("svg .mark-line path, svg .mark-symbol path, svg .mark-rect path, "
    + "svg .mark-area path, svg .mark-rule line")].map((one) => one.getBoundingClientRect())
    .filter((one) => one.width + one.height > 0);
  const outside = marks.filter((one) => one.left < svg.left - 2 || one.right > svg.right + 2
    || one.top < svg.top - 2 || one.bottom > svg.bottom + 2);
  return { id: plot.id, marks: marks.length, outside: outside.length,
           over: svg.width > plot.getBoundingClientRect().width + 1 };
})"""


def rows(page: Page) -> list[str]:
    """Machine and part of each row."""
    return [text.replace("\n", " ") for text in page.locator("tbody th[scope=row]").all_inner_texts()]


def drawn(page: Page) -> list[str]:
    """The plots, each of which has marks, and all of them within it."""
    found: list[dict[str, Any]] = page.evaluate(DRAWN)
    assert [one for one in found if not one["marks"] or one["outside"] or one["over"]] == []
    return [one["id"] for one in found]


def test_the_list_is_filtered_searched_and_ordered(visit: Visit) -> None:
    page = visit.go("/")
    everyone = rows(page)
    assert len(everyone) == 40
    page.get_by_label("Status").select_option("alarm")
    expect(page.locator("tbody tr:not(.alarm)")).to_have_count(0)
    alarms = rows(visit.settle())
    assert alarms and alarms == everyone[: len(alarms)]
    page.get_by_label("Status").select_option("")
    name = everyone[20].split()[0]
    page.locator("#search").press_sequentially(name[-4:].lower())
    until(lambda: {one.split()[0] for one in rows(page)} == {name})
    page.locator("#search").fill("")
    page.get_by_label("Order").select_option("machine")
    until(lambda: len(rows(page)) == 40)
    assert rows(visit.settle()) == sorted(rows(page)) != sorted(everyone)
    part = everyone[0].split()[1]
    page.get_by_label("Part").select_option(part)
    until(lambda: {one.split()[1] for one in rows(page)} == {part})


def test_enter_searches_and_leaves_one_where_one_is(visit: Visit) -> None:
    page = visit.go("/")
    page.locator("#search").fill("M00047")
    page.keyboard.press("Enter")
    until(lambda: {one.split()[0] for one in rows(page)} == {"M00047"})
    field = visit.settle().locator("#search")
    assert field.evaluate("one => one === document.activeElement")


def test_the_list_goes_on_to_its_end(visit: Visit) -> None:
    page = visit.go("/")
    more = page.locator(".more button")
    while more.is_visible():
        with page.expect_response(lambda one: "/fleet/rows" in one.url):
            more.click()
        visit.settle()
    found = rows(visit.settle())
    assert len(found) == len(set(found)) == 480
    assert page.locator("tbody tr.not-applicable").count() and page.locator("tbody tr.no-opinion").count()


def test_nothing_found_says_what_to_do(visit: Visit) -> None:
    page = visit.go("/")
    page.locator("#search").fill("nobody's")
    expect(page.get_by_role("heading", name="No machine fits")).to_be_visible()
    page.get_by_role("link", name="Show all machines").click()
    expect(page.locator("tbody tr.alarm").first).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_plots_are_drawn_and_nothing_is_wider_than_the_window(
    fleet: Running, visits: Visits, width: int
) -> None:
    visit = visits(fleet.url, viewport={"width": width, "height": 900})
    alarm = standing(fleet)[0]
    for path in ("/", f"/machines/{alarm['machine']}", "/record"):
        visit.go(path)
        page = visit.settle()
        assert drawn(page)
        fits(page)
    for path in (
        f"/alarms/{alarm['id']}",
        "/alarms",
        f"/machines/{alarm['machine']}/card",
        "/sign-in",
        "/in-service",
    ):
        fits(visit.go(path))


def test_sensors_are_loaded_when_they_come_into_view(fleet: Running, visits: Visits) -> None:
    visit, asked = visits(fleet.url), list[str]()
    visit.page.on("request", lambda one: asked.append(one.url))
    visit.go(f"/machines/{standing(fleet)[0]['machine']}")
    page = visit.settle()
    assert not [one for one in asked if one.endswith("/sensors")]
    page.get_by_role("heading", name="Sensors").scroll_into_view_if_needed()
    expect(page.locator("#sensor-1 svg")).to_be_visible()
    found = drawn(visit.settle())
    assert {"risks", "line", "sensor-1", "sensor-2"} <= set(found)
    assert len([one for one in asked if one.endswith("/sensors")]) == 1


def test_a_window_made_narrow_draws_again(fleet: Running, visits: Visits) -> None:
    visit = visits(fleet.url)
    visit.go(f"/machines/{standing(fleet)[0]['machine']}")
    visit.settle().set_viewport_size({"width": 400, "height": 800})
    page = visit.page
    until(lambda: page.locator("#risks svg").bounding_box()["width"] < 400)  # type: ignore[index]
    assert drawn(page)
    fits(page)


def test_another_day_of_the_visit_is_other_advice(fleet: Running, visits: Visits) -> None:
    visit = visits(fleet.url)
    page = visit.go(f"/machines/{standing(fleet)[0]['machine']}")
    day, advice = page.get_by_label("Next planned visit"), page.locator("#parts .advice")
    soon = date.fromisoformat(day.get_attribute("min") or "") + timedelta(days=2)
    day.fill(soon.isoformat())
    expect(page.locator("#parts")).to_contain_text(say("page.visit_said"))
    first = advice.all_text_contents()
    assert first
    day.fill((soon + timedelta(days=3)).isoformat())
    until(lambda: advice.all_text_contents() not in ([], first))
    day.fill("")
    expect(page.locator("#parts")).to_contain_text(say("page.visit_expected", {"day": "\0"}).split("\0")[0])


def test_a_day_may_be_typed_slowly(fleet: Running, visits: Visits) -> None:
    """Each digit of its year makes another date; none but a whole one is asked about, and the typing goes on."""
    visit = visits(fleet.url)
    page = visit.go(f"/machines/{standing(fleet)[0]['machine']}")
    day = page.get_by_label("Next planned visit")
    day.focus()
    page.keyboard.type("03122031", delay=500)
    until(lambda: page.locator("#parts").inner_text().startswith(say("page.visit_said")))
    assert day.input_value() in ("2031-03-12", "2031-12-03")
    assert day.evaluate("one => one === document.activeElement")


def test_similar_failures_are_shown_at_once_where_there_is_an_alarm(fleet: Running, visits: Visits) -> None:
    visit, told = visits(fleet.url), 0
    for alarm in standing(fleet):
        page = visit.go(f"/machines/{alarm['machine']}")
        part = visit.settle().locator(".part.alarm").filter(has_text="Similar past failures")
        told += part.get_by_role("link").filter(has_text="M0").count()
        expect(page.locator(".part.alarm [id^=similar]").first).not_to_be_empty()
    assert told


def test_similar_failures_of_another_part_are_asked_for(fleet: Running, visits: Visits) -> None:
    visit = visits(fleet.url)
    for alarm in standing(fleet):
        page = visit.go(f"/machines/{alarm['machine']}")
        ask = page.get_by_role("button", name="Similar past failures").first
        if ask.count():
            ask.click()
            shown = page.locator(f"#{ask.get_attribute('aria-controls')}")
            expect(shown).to_contain_text("failure")
            return
    pytest.fail("no machine with an alarm has another part to ask about")
