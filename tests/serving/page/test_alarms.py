"""What people do about an alarm: taken once, refused with reasons, never lost, and kept for the next model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from forestall.serving.page import alarms
from forestall.serving.store.alarms import Alarm, audit_of, end_alarm, get_alarm
from forestall.serving.store.machines import add_machines
from tests import plant
from tests.serving.api.server import Running
from tests.serving.feeding import stamp
from tests.serving.page.html_page import Page
from tests.serving.page.services import HOSTILE, NONE, Form, get, post, raised, said

T, HOUR = plant.START + 10 * plant.DAY, plant.HOUR
LATER = T + 5 * HOUR
SEEN = f"{datetime.fromtimestamp(LATER, UTC):%Y-%m-%dT%H:%M}"  # as a browser's input gives it
NOTHING_FOUND = {"finding": "no fault found"}
_places = iter(range(100_000))


@pytest.fixture
def alarm(desk: Running) -> Iterator[Alarm]:
    """A new alarm about m0's pump, that has not ended."""
    yield raised(desk.service, "m0", T + next(_places))


def held(api: Running, alarm: Alarm) -> Alarm:
    with api.service.store.reading() as connection:
        return get_alarm(connection, alarm.id)


def sent(
    api: Running, alarm: Alarm, act: str, fields: Mapping[str, str] = NONE, piece: bool = False
) -> httpx.Response:
    """The form of the alarm's page as it is now, with what somebody changed in it."""
    page = get(api, f"/alarms/{alarm.id}")
    form = {name: page.value(name) for name in ("form_token", "version")}
    headers = {"hx-request": "true"} if piece else {}
    return post(api, f"/alarms/{alarm.id}", form | {"act": act, **fields}, **headers)


def exported(api: Running, kind: str) -> list[str]:
    return api.client.get(f"/v1/export/{kind}").text.splitlines()[1:]


def test_an_alarm_is_acknowledged_assigned_noted_and_closed(desk: Running) -> None:
    alarm = raised(desk.service, "m5", T)
    page = get(desk, f"/alarms/{alarm.id}")
    assert [one.attributes["value"] for one in page.all("button", name="act")] == [
        "acknowledge",
        "take",
        "note",
        "close",
    ]
    assert said("no_trail") in page.text
    for act, fields, state in (
        ("acknowledge", {"assignee": "", "note": ""}, "acknowledged"),
        ("take", {"assignee": " Jo ", "note": "hums\r\nloudly"}, "in work"),
        ("note", {"assignee": "Ed", "note": "hums"}, "in work"),
        ("close", {"finding": "confirmed", "found": SEEN, "replaced": "yes", "note": "worn"}, "closed"),
    ):
        done = sent(desk, alarm, act, fields)
        assert (done.status_code, done.headers["location"]) == (303, f"/alarms/{alarm.id}")
        assert held(desk, alarm).state == state
    after = held(desk, alarm)
    assert (after.assignee, after.note, after.finding, after.version) == ("Ed", "worn", "confirmed", 5)
    page = get(desk, f"/alarms/{alarm.id}")
    assert said("is_closed") in page.text and not page.all("button", name="act")
    when = page.all("ul", class_="changes")[-1].text
    assert "11 Jan 2024, 05:00" in when and said("change_replaced") in when
    assert [one.text for one in page.all("strong")] == ["local"] * 4 and "hums loudly" in page.text
    row = "m5,2024-01-11 05:00:00,pump,feedback"
    assert row in exported(desk, "failures") and row in exported(desk, "maintenance")


def test_to_take_an_alarm_on_is_to_be_assigned(desk: Running, alarm: Alarm) -> None:
    sent(desk, alarm, "take", {"assignee": ""})
    assert (held(desk, alarm).state, held(desk, alarm).assignee) == ("in work", "local")


@pytest.mark.parametrize(
    ("finding", "fields", "kinds"),
    [
        ("no fault found", {"replaced": "yes"}, set()),
        ("replaced unseen", {}, {"maintenance"}),
        ("replaced unseen", {"replaced": "yes"}, {"maintenance"}),
        ("confirmed", {}, {"failures"}),
        ("confirmed", {"replaced": "yes"}, {"failures", "maintenance"}),
    ],
)
def test_what_was_found_becomes_a_label(desk: Running, finding: str, fields: Form, kinds: set[str]) -> None:
    one = raised(desk.service, "m4", T + next(_places))
    tables = ("failures", "maintenance")
    before = {kind: len(exported(desk, kind)) for kind in tables}
    at = f"{datetime.fromtimestamp(one.opened + 3600, UTC):%Y-%m-%d %H:%M:%S}"
    assert sent(desk, one, "close", {"finding": finding, "found": at, **fields}).status_code == 303
    assert {kind for kind in tables if len(exported(desk, kind)) > before[kind]} == kinds
    assert all(any(row == f"m4,{at},pump,feedback" for row in exported(desk, kind)) for kind in kinds)


REFUSED = [
    ({"act": "close"}, "finding"),
    ({"act": "close", "finding": "maybe"}, "finding"),
    ({"act": "close", "finding": "confirmed"}, "found"),
    ({"act": "close", "finding": "confirmed", "found": "yesterday"}, "found"),
    ({"act": "close", "finding": "confirmed", "found": "2024-02-31T10:00"}, "found"),
    ({"act": "close", "finding": "confirmed", "found": "2024-01-01T00:00"}, "found"),
    ({"act": "close", "finding": "replaced unseen", "found": "9999-12-31T23:59"}, "found"),
    ({"act": "close", "finding": "replaced unseen", "found": "²"}, "found"),
    ({"act": "acknowledge", "assignee": "a" * 201}, "assignee"),
    ({"act": "note", "note": "a" * 10_001}, "note"),
    ({"act": "note", "note": "a\x00b"}, "note"),
]


@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize(("fields", "text"), REFUSED)
def test_a_refusal_keeps_what_was_typed(
    desk: Running, alarm: Alarm, fields: Form, text: str, piece: bool
) -> None:
    typed = {"note": "a long\nstory", **fields}
    refused = sent(desk, alarm, typed["act"], typed, piece)
    page = Page(refused.text)
    assert refused.status_code == 422 and said(f"refused_{text}") in page.text
    assert bool(page.all("html")) is not piece
    assert page.value("note") == typed["note"]
    if "assignee" in typed:
        assert page.value("assignee") == typed["assignee"]
    if "found" in typed:
        assert page.value("found") == typed["found"]
        chosen = [
            one.attributes["value"] for one in page.all("input", type="radio") if "checked" in one.attributes
        ]
        assert chosen == [typed["finding"]]
    assert held(desk, alarm) == alarm


@pytest.mark.parametrize(
    "fields",
    [
        {"act": ""},
        {"act": "explode"},
        {"version": ""},
        {"version": "-1"},
        {"version": "²"},
        {"version": "9" * 30},
    ],
)
def test_a_form_that_no_page_of_ours_sends(desk: Running, alarm: Alarm, fields: Form) -> None:
    refused = sent(desk, alarm, "note", {"note": "x"} | fields)
    assert refused.status_code == 422 and said("about_422") in Page(refused.text).text
    assert held(desk, alarm) == alarm


def test_two_at_once_do_not_overwrite_each_other(desk: Running, alarm: Alarm) -> None:
    page = get(desk, f"/alarms/{alarm.id}")
    form = {name: page.value(name) for name in ("form_token", "version")}
    path = f"/alarms/{alarm.id}"
    first = post(desk, path, form | {"act": "take", "assignee": "Ann", "note": "Ann's"})
    second = post(desk, path, form | {"act": "note", "assignee": "Bob", "note": "Bob's long story"})
    assert (first.status_code, second.status_code) == (303, 412)
    assert (held(desk, alarm).assignee, held(desk, alarm).note) == ("Ann", "Ann's")
    shown = Page(second.text)
    assert said("refused_stale") in shown.text and "Ann's" in shown.text
    assert (shown.value("assignee"), shown.value("note")) == ("Bob", "Bob's long story")
    again = {name: shown.value(name) for name in ("form_token", "version", "assignee", "note")}
    assert post(desk, path, again | {"act": "note"}).status_code == 303
    assert (held(desk, alarm).assignee, held(desk, alarm).state) == ("Bob", "in work")
    with desk.service.store.reading() as connection:
        trail = audit_of(connection, alarm.id)
    assert [entry.after.get("note") for entry in trail] == ["Ann's", "Bob's long story"]


def test_what_was_typed_is_not_lost_to_who_closed_it_meanwhile(desk: Running, alarm: Alarm) -> None:
    page = get(desk, f"/alarms/{alarm.id}")
    form = {name: page.value(name) for name in ("form_token", "version")}
    sent(desk, alarm, "close", NOTHING_FOUND)
    late = post(desk, f"/alarms/{alarm.id}", form | {"act": "note", "note": "Bob's long story"})
    shown = Page(late.text)
    assert late.status_code == 412 and said("is_closed") in shown.text
    assert said("you_wrote") in shown.text and "Bob's long story" in shown.text
    refused = post(desk, f"/alarms/{alarm.id}", form | {"version": "2", "act": "note", "note": "later"})
    assert refused.status_code == 422 and said("refused_state") in Page(refused.text).text


def test_of_many_at_the_same_moment_one_wins(desk: Running, alarm: Alarm) -> None:
    page = get(desk, f"/alarms/{alarm.id}")
    form = {name: page.value(name) for name in ("form_token", "version")}

    def take(name: str) -> int:
        fields = form | {"act": "take", "assignee": name}
        return httpx.post(f"{desk.url}/alarms/{alarm.id}", data=fields, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(take, "abcdefgh"))
    assert sorted(statuses) == [303] + [412] * 7
    assert held(desk, alarm).assignee == "abcdefgh"[statuses.index(303)]


def test_nothing_found_in_a_part_that_failed_needs_a_word(desk: Running) -> None:
    alarm = raised(desk.service, "m3", T)
    failure = {"kind": "failures", "machine": "m3", "time": stamp(LATER), "component": "pump"}
    assert desk.send("/v1/events", [failure]).status_code == 200
    with desk.service.store.writing() as connection:
        end_alarm(connection, alarm.id, LATER, "failed")
    refused = sent(desk, alarm, "close", NOTHING_FOUND | {"note": ""})
    page = Page(refused.text)
    assert refused.status_code == 409
    assert said("refused_contradiction", failed="11 Jan 2024, 05:00") in page.text
    assert [
        one.attributes["value"] for one in page.all("input", type="radio") if "checked" in one.attributes
    ] == ["no fault found"]
    done = sent(desk, alarm, "close", NOTHING_FOUND | {"note": "another machine was meant"})
    assert done.status_code == 303
    trail = get(desk, f"/alarms/{alarm.id}").one("ul", class_="changes").text
    assert said("change_failed") in trail and "11 Jan 2024, 05:00" in trail


def test_a_piece_of_a_page_is_answered_with_a_piece(desk: Running, alarm: Alarm) -> None:
    done = sent(desk, alarm, "acknowledge", piece=True)
    page = Page(done.text)
    assert done.status_code == 200 and said("kept") in page.text and not page.all("html")
    assert page.value("version") == "2"


def test_what_people_write_is_text(desk: Running, alarm: Alarm) -> None:
    text = "</textarea><script>alert(1)</script>\u202e \"q\" 'q' {{ 7*7 }} &amp; <!-- "
    assert sent(desk, alarm, "note", {"assignee": HOSTILE, "note": text}).status_code == 303
    for path in (f"/alarms/{alarm.id}", "/alarms"):
        content = desk.client.get(path).text
        assert HOSTILE not in content and "<script>alert(1)" not in content
        Page(content)
    page = get(desk, f"/alarms/{alarm.id}")
    assert (page.value("note"), page.value("assignee")) == (text.strip(), HOSTILE)


@pytest.mark.parametrize("number", ["77777", "0", "-1", "x", "2147483648", "1.5", "%00"])
def test_an_alarm_that_is_none(desk: Running, number: str) -> None:
    assert said("about_404") in get(desk, f"/alarms/{number}", status=404).text
    form = {
        "form_token": get(desk, f"/alarms/{raised(desk.service, 'm1', T + next(_places)).id}").value(
            "form_token"
        )
    }
    refused = post(desk, f"/alarms/{number}", form | {"act": "note", "version": "1"})
    assert refused.status_code == 404 and said("about_404") in Page(refused.text).text


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"note=" + b"a" * (8 * 1024 * 1024), FORM, 413),
        (b"&".join(b"f%d=1" % number for number in range(51)), FORM, 400),
        (b"note=\xff\xfe", FORM, 400),
        (b"note=%ff", FORM, 400),
        (b"note=%ED%A0%80", FORM, 400),
        (b"", FORM, 403),
        (b"%%%&&&===", FORM, 403),
        (b"{}", "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"note=a", FORM + "; charset=utf-16", 415),
    ],
)
def test_what_is_no_form(desk: Running, alarm: Alarm, content: bytes, kind: str, status: int) -> None:
    refused = desk.send(f"/alarms/{alarm.id}", content, kind)
    assert refused.status_code == status and Page(refused.text).all("h2")
    assert refused.headers["content-type"].startswith("text/html") and held(desk, alarm) == alarm


def test_the_list_by_what_is_to_do(desk: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk.service.store.writing() as connection:
        add_machines(connection, {HOSTILE: {"model": "large", "age": 1.0}})
    mine = [raised(desk.service, HOSTILE, T + number) for number in range(5)]
    sent(desk, mine[0], "acknowledge")
    sent(desk, mine[1], "close", NOTHING_FOUND)
    monkeypatch.setattr(alarms, "ROWS", 2)

    def listed(show: str) -> list[str]:
        found, page = [], Page(shown(show))
        while True:
            found += [one.attributes["href"] for one in page.all("a") if one.attributes["href"][8:].isdigit()]
            more = page.all("button", hx_target="closest tr")
            if not more:
                return found
            page = Page(desk.client.get(more[0].attributes["hx-get"], headers={"hx-request": "true"}).text)
            assert not page.all("html")

    def shown(show: str) -> str:
        return desk.client.get("/alarms", params={"show": show, "machine": HOSTILE}).text

    paths = [f"/alarms/{one.id}" for one in reversed(mine)]
    assert listed("all") == paths
    standing = {f"/alarms/{one.id}" for one in mine if one.ended is None}
    not_closed = [path for path in paths if path != paths[3]]
    assert listed("todo") == [path for path in not_closed if path in standing]
    assert listed("over") == [path for path in not_closed if path not in standing]
    assert listed("closed") == [paths[3]]
    assert said("no_alarms") in desk.client.get("/alarms?show=over&machine=M0").text
    assert get(desk, "/alarms?show=closed").one("a", aria_current="page", href="/alarms?show=closed")


@pytest.mark.parametrize(
    ("query", "status"), [("show=none", 404), ("cursor=none", 422), ("cursor=WzFd", 422)]
)
def test_a_list_that_is_none(desk: Running, query: str, status: int) -> None:
    assert said(f"about_{status}") in get(desk, f"/alarms?{query}", status=status).text
