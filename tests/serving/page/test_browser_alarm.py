"""What people do with an alarm: alone, two at once, without a connection, over a slow one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.serving.api.process import serving, started, until
from tests.serving.api.server import Running
from tests.serving.page.browsing import BUNDLE, BUSY, ROOT, Visit, Visits, standing

pytestmark = pytest.mark.slow
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


def alarm_of(visit: Visit, api: Running) -> dict[str, Any]:
    """The newest of the alarms that stand, opened."""
    alarm = standing(api)[0]
    visit.go(f"/alarms/{alarm['id']}")
    return alarm


def act(page: Page, name: str) -> None:
    """A button, and what comes of it."""
    with page.expect_response(lambda one: one.request.method == "POST"):
        page.get_by_role("button", name=name).click()
    until(lambda: not page.evaluate(BUSY))
    expect(page.locator(".outcome")).to_contain_text("on record")


def close(page: Page, finding: str, note: str, found: str = "") -> None:
    """The form for closing, filled and sent."""
    page.get_by_label(finding).check()
    if found:
        page.get_by_label("When was it seen, or replaced?").fill(found)
    page.locator("#note").fill(note)
    page.get_by_role("button", name="Close the alarm").click()


def stored(api: Running, number: int) -> dict[str, Any]:
    """The alarm as the API tells it."""
    found: dict[str, Any] = api.client.get(f"/v1/alarms/{number}").json()
    return found


def test_it_is_acknowledged_assigned_and_noted_and_the_trail_says_who(fleet: Running, visit: Visit) -> None:
    number, page = alarm_of(visit, fleet)["id"], visit.page
    act(page, "Acknowledge")
    page.get_by_label("Assigned to").fill("Jo Müller")
    page.locator("#note").fill("hums <b>& rattles")
    act(page, "Take it on")
    page.locator("#note").fill("quiet again")
    act(page, "Save")
    trail = page.locator(".trail").inner_text()
    for one in (
        "State: acknowledged",
        "State: in work",
        "Assigned to: Jo Müller",
        "hums <b>& rattles",
        "quiet again",
    ):
        assert one in trail
    assert trail.count("local") == 3
    found = stored(fleet, number)
    assert (found["state"], found["assignee"], found["note"]) == ("in work", "Jo Müller", "quiet again")
    row = visit.go("/").locator("tr.alarm").filter(has_text="Jo Müller")
    expect(row).to_contain_text("in work")


@pytest.mark.parametrize("finding", ["confirmed", "no fault found", "replaced unseen"])
def test_it_is_closed_with_a_finding(fleet: Running, visit: Visit, finding: str) -> None:
    alarm, page = alarm_of(visit, fleet), visit.page
    when = datetime.fromisoformat(alarm["opened"]).astimezone(UTC) + timedelta(hours=2)
    dated = finding != "no fault found"
    page.get_by_label(finding).check()
    assert page.get_by_label("When was it seen, or replaced?").is_visible() == dated
    assert page.get_by_label("The part was replaced").is_visible() == (finding == "confirmed")
    close(page, finding, "seen", when.strftime("%Y-%m-%dT%H:%M") if dated else "")
    expect(page.get_by_role("heading", name=f"closed: {finding}")).to_be_visible()
    found = stored(fleet, alarm["id"])
    assert (found["state"], found["finding"], found["note"]) == ("closed", finding, "seen")
    assert f"Finding: {finding}" in page.locator(".trail").inner_text()
    page.goto(f"{visit.url}/alarms?show=closed")
    expect(page.locator("tbody tr")).to_contain_text([alarm["machine"]])


def test_a_refusal_says_what_is_wrong_and_keeps_what_was_typed(fleet: Running, visit: Visit) -> None:
    number, page = alarm_of(visit, fleet)["id"], visit.page
    close(page, "confirmed", "it was loose", "2031-01-01T08:00")
    expect(page.locator(".outcome")).to_contain_text("not in the future")
    assert page.locator("#note").input_value() == "it was loose"
    assert page.get_by_label("confirmed").is_checked()
    assert page.get_by_label("When was it seen, or replaced?").input_value() == "2031-01-01T08:00"
    assert stored(fleet, number)["state"] == "open"
    visit.refused(422)


def test_two_at_once_do_not_overwrite_each_other(fleet: Running, visits: Visits) -> None:
    one, two = visits(fleet.url), visits(fleet.url)
    number = alarm_of(one, fleet)["id"]
    two.go(f"/alarms/{number}")
    one.page.get_by_label("Assigned to").fill("Ann")
    act(one.page, "Take it on")
    two.page.get_by_label("Assigned to").fill("Bob")
    two.page.locator("#note").fill("I go and look")
    two.page.get_by_role("button", name="Take it on").click()
    expect(two.page.locator(".outcome")).to_contain_text("Somebody else was faster")
    two.refused(412)
    assert two.page.get_by_label("Assigned to").input_value() == "Bob"
    assert two.page.locator("#note").input_value() == "I go and look"
    expect(two.page.locator(".facts")).to_contain_text("Ann")
    found = stored(fleet, number)
    assert (found["assignee"], found["note"], found["version"]) == ("Ann", "", 2)
    act(two.page, "Save")
    found = stored(fleet, number)
    assert (found["assignee"], found["note"], found["version"]) == ("Bob", "I go and look", 3)


def test_two_close_it_at_once_and_the_first_finding_stands(fleet: Running, visits: Visits) -> None:
    one, two = visits(fleet.url), visits(fleet.url)
    number = alarm_of(one, fleet)["id"]
    two.go(f"/alarms/{number}")
    close(one.page, "no fault found", "all well")
    expect(one.page.locator(".outcome")).to_contain_text("on record")
    close(two.page, "no fault found", "I saw it differently")
    expect(two.page.locator(".outcome")).to_contain_text("Somebody else was faster")
    two.refused(412)
    assert stored(fleet, number)["note"] == "all well"
    assert "I saw it differently" in two.page.locator("#alarm").inner_text()


def test_without_a_connection_nothing_is_lost(fleet: Running, visit: Visit) -> None:
    number, page = alarm_of(visit, fleet)["id"], visit.page
    visit.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("no connection")
    page.locator("#note").fill("written in the cellar")
    page.get_by_role("button", name="Acknowledge").click()
    until(lambda: any("ERR_INTERNET_DISCONNECTED" in one for one in visit.faults))
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    assert page.locator("#note").input_value() == "written in the cellar"
    assert stored(fleet, number)["state"] == "open"
    visit.faults.clear()
    visit.context.set_offline(False)
    expect(page.locator("#notice")).to_be_hidden()
    act(page, "Acknowledge")
    assert stored(fleet, number)["note"] == "written in the cellar"


def test_a_service_that_is_killed_under_a_page(database: Path, visits: Visits) -> None:
    """The notice says so; what was typed is still there, and the service that comes back takes it, once it has shown
    a form of its own: without keys it knows those of the one before it no more."""
    told = ("--database", f"sqlite:///{database}", "--bundle", str(BUNDLE), "--recorded")
    with serving(ROOT, *told) as first:
        port = first.client.base_url.port
        visit = visits(f"http://127.0.0.1:{port}")
        number = first.client.get("/v1/alarms?state=open").json()["alarms"][0]["id"]
        page = visit.go(f"/alarms/{number}")
        page.locator("#note").fill("do not lose me")
        first.kill()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_role("alert")).to_contain_text("no connection")
        assert page.locator("#note").input_value() == "do not lose me"
        visit.faults.clear()
    with started(ROOT, *told, "--port", str(port)) as second:
        until(lambda: second.process.poll() is None and answers(port))
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator(".outcome")).to_contain_text("send it again")
        visit.refused(403)
        act(page, "Acknowledge")
        expect(page.locator("#notice")).to_be_hidden()
        expect(page.locator(".facts")).to_contain_text("do not lose me")


def answers(port: int | None) -> bool:
    """Whether the service does."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
    except httpx.TransportError:
        return False


def test_over_a_slow_network_what_matters_comes_first(fleet: Running, visits: Visits) -> None:
    visit = visits(fleet.url)
    slow(visit)
    page = visit.page
    page.goto(f"{visit.url}/", wait_until="commit")
    expect(page.locator("tbody tr.alarm").first).to_be_visible()
    until(lambda: page.evaluate("performance.getEntriesByName('first-contentful-paint').length") == 1)
    assert page.evaluate("typeof vegaLite") == "undefined"
    until(lambda: page.evaluate("typeof htmx !== 'undefined' && htmx.version.length > 0"))
    page.get_by_label("Status").select_option("alarm")
    expect(page.locator("tbody tr.normal")).to_have_count(0)
    assert page.evaluate("typeof vegaLite") == "undefined", "the filter waited for the plots"
    page.set_default_timeout(30_000)
    expect(page.locator("#load svg")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("button", ["Acknowledge", "Take it on", "Close the alarm"])
def test_a_double_click_acts_once(fleet: Running, visits: Visits, button: str) -> None:
    visit, sent = visits(fleet.url), list[str]()
    number, page = alarm_of(visit, fleet)["id"], visit.page
    visit.settle()
    slow(visit)
    page.on("request", lambda one: sent.append(one.method))
    page.get_by_label("no fault found").check()
    page.locator("#note").fill("all well")
    page.get_by_role("button", name=button).dblclick()
    expect(page.locator(".outcome")).to_contain_text("on record")
    time.sleep(1.0)  # a second request would be on its way
    page.evaluate("0")
    assert sent == ["POST"] and stored(fleet, number)["version"] == 2


def slow(visit: Visit) -> None:
    """400 ms to the service and 50 kB a second."""
    tools = visit.context.new_cdp_session(visit.page)
    tools.send("Network.enable")
    tools.send("Network.emulateNetworkConditions", SLOW)
