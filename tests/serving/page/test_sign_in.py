"""Who gets in, for how long, and what they may do; what other sites, proxies and guessers may not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from sqlalchemy import select

from forestall.serving.api.security import SECONDS, Keys
from forestall.serving.page.visitor import SESSION
from forestall.serving.store import tables
from forestall.serving.store.alarms import get_alarm
from forestall.serving.store.keys import list_keys, revoke_key
from forestall.serving.store.sessions import IDLE, LIFETIME
from tests.serving.api.server import Running, key_for, opened, running
from tests.serving.page.html_page import Page
from tests.serving.page.services import get, post, raised, said

HEADER = "X-Remote-User"


@pytest.fixture(scope="module")
def locked(whole_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with keys, behind a proxy that names people, with an alarm."""
    service = opened(whole_bundle, tmp_path_factory.mktemp("locked") / "forestall.sqlite")
    service = replace(service, person_header=HEADER)
    key_for(service, "admin", "first")
    raised(service)
    with running(service) as one:
        yield one


@pytest.fixture(scope="module")
def key(locked: Running) -> str:
    return key_for(locked.service, "write", "Ann")


@pytest.fixture(autouse=True)
def forget(locked: Running) -> Iterator[None]:
    """Each test comes as somebody new, and not after wrong keys."""
    locked.client.cookies.clear()
    locked.service.keys.failures.buckets.clear()
    yield
    locked.client.cookies.clear()


def sign_in(api: Running, key: str, wanted: str = "/", **headers: str) -> httpx.Response:
    return post(api, "/sign-in", {"key": key, "next": wanted}, **headers)


def wanted_by(page: Page) -> str:
    """Where the form for a key leads to; the one for the language comes before it."""
    return page.value("next", 1)


def session_of(response: httpx.Response) -> Morsel[str]:
    """The session's cookie as it was set; the client keeps none."""
    return SimpleCookie(response.headers["set-cookie"])[SESSION]


def signed_in(api: Running, key: str) -> dict[str, str]:
    """The header of a new session."""
    cookie = {"cookie": f"{SESSION}={session_of(sign_in(api, key)).value}"}
    api.client.cookies.clear()
    return cookie


def form_of(api: Running, **headers: str) -> dict[str, str]:
    """What the first form of the alarm's page carries beside what people write."""
    page = get(api, "/alarms/1", headers=headers)
    return {name: page.value(name) for name in ("form_token", "version")}


def note(api: Running, text: str, form: dict[str, str], **headers: str) -> httpx.Response:
    return post(api, "/alarms/1", {**form, "act": "note", "note": text}, **headers)


def noted(api: Running) -> str:
    with api.service.store.reading() as connection:
        return get_alarm(connection, 1).note


def test_who_is_not_signed_in_is_asked_to_and_led_back(locked: Running, key: str) -> None:
    for path in (
        "/",
        "/alarms?show=all",
        "/machines/a%2Fb%3Fc%23d%20%25?visit=2024-01-01",
        "/record",
        "/in-service",
    ):
        asked = locked.client.get(path)
        assert (asked.status_code, asked.headers["cache-control"]) == (303, "no-store, private")
        page = get(locked, asked.headers["location"])
        led = sign_in(locked, key, wanted_by(page))
        assert (led.status_code, led.headers["location"]) == (303, path)
        locked.client.cookies.clear()


def test_a_piece_of_a_page_sends_the_whole_page_to_sign_in(locked: Running) -> None:
    asked = locked.client.get("/fleet/rows", headers={"hx-request": "true"})
    assert (asked.status_code, asked.headers["hx-redirect"]) == (401, "/sign-in?next=%2F")
    assert asked.content == b""


def test_the_cookie_is_kept_from_scripts_and_other_sites(locked: Running, key: str) -> None:
    cookie = session_of(sign_in(locked, f"  {key}\n"))
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "lax", "/")
    assert (cookie["secure"], int(cookie["max-age"]), cookie["domain"]) == ("", LIFETIME, "")
    assert key not in cookie.value
    locked.client.cookies.clear()
    assert session_of(sign_in(locked, key, **{"x-forwarded-proto": "https"}))["secure"] is True


def test_a_wrong_key_opens_nothing(locked: Running) -> None:
    for wrong in ("", "fst_1_2", "fst_0123456789ab_" + "a" * 43, "ключ\x00", "a" * 100_000):
        refused = sign_in(locked, wrong, "/alarms")
        page = Page(refused.text)
        assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
        assert said("key_refused") in page.text and wanted_by(page) == "/alarms"
        assert page.value("key") == ""
        locked.service.keys.failures.buckets.clear()


def test_guessing_is_slowed_down_and_a_right_key_is_not(locked: Running, key: str) -> None:
    assert sign_in(locked, key).status_code == 303
    statuses = [sign_in(locked, "fst_0123456789ab_" + "a" * 43).status_code for _ in range(15)]
    assert statuses[0] == 401 and statuses[-1] == 429
    refused = sign_in(locked, "wrong")
    assert "retry-after" in refused.headers and said("about_429") in Page(refused.text).text
    # The one who is known is not kept out by others at the same address.
    assert sign_in(locked, key).status_code == 303


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "HTTPS:/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\r\nSet-Cookie: a=b",
    "/\x00",
    "//[evil",
    "https://[",
    "/\u2028/evil.example",
    "//user@evil.example:80/",
    "",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nobody_is_led_elsewhere(locked: Running, key: str, wanted: str) -> None:
    assert sign_in(locked, key, wanted).headers["location"] == "/"
    chosen = post(locked, "/language", {"language": "de", "next": wanted})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
    assert wanted_by(get(locked, f"/sign-in?next={quote(wanted)}")) == "/"


@pytest.mark.parametrize(
    "wanted", ["/%2F/evil.example", "/%5Cevil.example", "/.//evil.example", "/a b", "/é"]
)
def test_what_stays_here_is_led_to_here(locked: Running, key: str, wanted: str) -> None:
    location = sign_in(locked, key, wanted).headers["location"]
    there = httpx.URL("https://forestall.example/sign-in").join(location)
    assert (there.scheme, there.host) == ("https", "forestall.example")


def test_signing_out_ends_the_session(locked: Running, key: str) -> None:
    mine, other = signed_in(locked, key), signed_in(locked, key)
    page = get(locked, "/alarms/1", headers=mine)
    assert said("sign_out", person="Ann") in page.text
    left = post(locked, "/sign-out", {}, **mine)
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert session_of(left).value == "" and int(session_of(left)["max-age"]) == 0
    assert locked.client.get("/", headers=mine).status_code == 303
    assert note(locked, "too late", form_of(locked, **other), **mine).status_code == 303
    get(locked, "/", headers=other)


def test_a_revoked_key_ends_its_sessions_at_once(locked: Running) -> None:
    text = key_for(locked.service, "write", "gone")
    mine = signed_in(locked, text)
    get(locked, "/", headers=mine)
    with locked.service.store.writing() as connection:
        (number,) = [one.id for one in list_keys(connection) if one.name == "gone"]
        revoke_key(connection, number, int(time.time()))
    begun = time.monotonic()
    while locked.client.get("/", headers=mine).status_code == 200:
        assert time.monotonic() - begun < SECONDS
    assert sign_in(locked, text).status_code in (303, 401)  # keys are believed for a moment …
    time.sleep(SECONDS - (time.monotonic() - begun))
    assert sign_in(locked, text).status_code == 401  # … and not longer


@pytest.mark.parametrize(("column", "ago"), [("expires", 0), ("seen", IDLE)])
def test_a_session_that_is_over_opens_nothing(locked: Running, key: str, column: str, ago: int) -> None:
    mine = signed_in(locked, key)
    get(locked, "/", headers=mine)
    with locked.service.store.writing() as connection:
        connection.execute(tables.sessions.update().values({column: int(time.time()) - ago}))
    assert locked.client.get("/", headers=mine).status_code == 303
    sign_in(locked, key)
    with locked.service.store.reading() as connection:
        assert len(connection.execute(select(tables.sessions.c.digest)).all()) == 1  # the old are forgotten


def test_who_may_only_read_may_not_act(locked: Running) -> None:
    mine = signed_in(locked, key_for(locked.service, "read", "guest"))
    page = get(locked, "/alarms/1", headers=mine)
    assert said("may_not_act") in page.text
    assert not [one for one in page.all("form") if one.attributes["action"].startswith("/alarms")]
    before = noted(locked)
    refused = note(locked, "mine", {"version": "1"}, **mine)
    assert refused.status_code == 403 and said("may_not_act") in Page(refused.text).text
    assert noted(locked) == before


def test_a_form_needs_the_token_of_its_own_session(locked: Running, key: str) -> None:
    mine, other = signed_in(locked, key), signed_in(locked, key)
    form, before = form_of(locked, **mine), noted(locked)
    for token in ("", "wrong", "é", form_of(locked, **other)["form_token"], form["form_token"][:-1]):
        refused = note(locked, "foreign", {**form, "form_token": token}, **mine)
        assert refused.status_code == 403 and said("old_form") in Page(refused.text).text
    refused = note(locked, "foreign", {"version": form["version"]}, **mine)
    assert (refused.status_code, noted(locked)) == (403, before)
    assert note(locked, "my own", form, **mine).status_code == 303
    assert noted(locked) == "my own"


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://["},
    {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example", "x-forwarded-host": "plant.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_form_of_another_site_is_refused(locked: Running, key: str, headers: dict[str, str]) -> None:
    mine = signed_in(locked, key)
    form, before = form_of(locked, **mine), noted(locked)
    refused = [
        note(locked, "foreign", form, **mine, **headers),
        sign_in(locked, key, **headers),
        post(locked, "/sign-out", {}, **mine, **headers),
        post(locked, "/language", {"language": "de"}, **headers),
    ]
    for one in refused:
        assert (one.status_code, "set-cookie" in one.headers) == (403, False)
        assert said("other_site") in Page(one.text).text
    assert noted(locked) == before
    get(locked, "/", headers=mine)


def test_a_form_of_the_own_site_is_taken(locked: Running, key: str) -> None:
    mine = signed_in(locked, key)
    host = urlsplit(locked.url).netloc
    for headers in (
        {"origin": f"http://{host}", "sec-fetch-site": "same-origin"},
        {"origin": "https://plant.example", "x-forwarded-host": "plant.example"},
        {"sec-fetch-site": "none"},
    ):
        assert note(locked, str(headers), form_of(locked, **mine), **mine, **headers).status_code == 303


def trail(api: Running) -> list[str]:
    with api.service.store.reading() as connection:
        return list(connection.execute(select(tables.audit.c.who).order_by(tables.audit.c.id)).scalars())


def test_the_proxys_person_is_believed_with_its_key(locked: Running) -> None:
    proxy = {"x-api-key": key_for(locked.service, "write", "proxy"), HEADER.lower(): "Jo Doe"}
    page = get(locked, "/alarms/1", headers=proxy)
    assert page.one("span", class_="person").text == "Jo Doe (proxy)"
    assert not page.all("form", action="/sign-out")
    form = form_of(locked, **proxy)
    # Somebody else's form, though by the same proxy.
    assert note(locked, "Ed's", form, **proxy | {HEADER.lower(): "Ed"}).status_code == 403
    assert note(locked, "Jo's", form, **proxy).status_code == 303
    assert (trail(locked)[-1], noted(locked)) == ("Jo Doe (proxy)", "Jo's")
    shown = get(locked, "/alarms/1", headers=proxy)
    assert "Jo Doe (proxy)" in [one.text for one in shown.all("strong")]


@pytest.mark.parametrize(
    ("sent", "person"),
    [
        ("Jörg Müller".encode(), "Jörg Müller (umlauts)"),
        ("Jörg".encode("latin-1"), "Jörg (umlauts)"),
        (b"", "umlauts"),
        (b"a\tb", "umlauts"),
        ("a\u202eb".encode(), "umlauts"),
        (b"x" * 300, "x" * 190 + " (umlauts)"),
        (b"<b>", "<b> (umlauts)"),
    ],
)
def test_a_person_of_any_name(locked: Running, sent: bytes, person: str) -> None:
    with locked.service.store.writing() as connection:
        for one in list_keys(connection):
            if one.name == "umlauts" and one.revoked is None:
                revoke_key(connection, one.id, 1)
    key = key_for(locked.service, "read", "umlauts")
    headers = [(b"x-api-key", key.encode()), (HEADER.encode(), sent)]
    response = locked.client.get("/", headers=headers)
    assert Page(response.text).one("span", class_="person").text == person


def test_two_persons_are_none(locked: Running) -> None:
    """A proxy that adds its header to the visitor's own lets the visitor choose a name: neither is believed."""
    key = key_for(locked.service, "read", "adding")
    headers = [("x-api-key", key), (HEADER, "the boss"), (HEADER, "Jo")]
    assert Page(locked.client.get("/", headers=headers).text).one("span", class_="person").text == "adding"


def test_a_person_without_the_proxys_key_is_nobody(locked: Running, key: str) -> None:
    for headers in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer fst_1_2"}):
        asked = locked.client.get("/", headers={HEADER: "Jo Doe", **headers})
        assert asked.status_code == 303 and asked.headers["location"].startswith("/sign-in")
    # Who is signed in here is who they are, whatever they send.
    page = get(locked, "/", headers={**signed_in(locked, key), HEADER: "Jo Doe"})
    assert "Jo Doe" not in page.text


def test_without_the_option_the_header_is_nothing(
    locked: Running, whole_bundle: Path, tmp_path: Path
) -> None:
    service = opened(whole_bundle, tmp_path / "plain.sqlite")
    key = key_for(service, "read", "proxy")
    with running(service) as api:
        page = get(api, "/", headers={"x-api-key": key, HEADER: "Jo Doe"})
        assert page.one("span", class_="person").text == "proxy"


def test_without_keys_only_this_computer_is_served(desk: Running) -> None:
    page = get(desk, "/")
    assert page.one("span", class_="person").text == said("this_computer")
    for headers in (
        {"host": "plant.example"},
        {"host": "127.0.0.1.evil.example"},
        {"x-forwarded-for": "10.0.0.1"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ):
        refused = desk.client.get("/", headers=headers)
        assert refused.status_code == 403 and said("about_403") in Page(refused.text).text
    for host in ("localhost:8000", "[::1]:8000", "127.0.0.1"):
        get(desk, "/", headers={"host": host})


def test_the_first_key_closes_the_pages(desk: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = desk.service.keys
    monkeypatch.setattr(desk.service, "keys", Keys(keys.find, keys.every, loopback=False))
    asked = desk.client.get("/")
    assert parse_qs(urlsplit(asked.headers["location"]).query) == {"next": ["/"]}
