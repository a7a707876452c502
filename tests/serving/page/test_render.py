"""What every page carries: policies that let nothing foreign in, files that may be kept, errors that are pages."""

from __future__ import annotations

import gzip
import re

import pytest

from forestall import drawing
from forestall.serving.api.middleware import SECURITY
from forestall.serving.page.render import json_of, path_of
from forestall.serving.page.static_files import HTMX, OWN, address_of
from tests.serving.api.server import Running
from tests.serving.page.html_page import Page
from tests.serving.page.services import get, said

PAGES = [
    "/",
    "/fleet/rows",
    "/fleet/news",
    "/alarms",
    "/alarms/1",
    "/alarms/77777",
    "/machines/m1",
    "/machines/m1/advice",
    "/machines/m1/sensors",
    "/machines/m1/similar?component=pump",
    "/machines/m1/card",
    "/machines/nobody",
    "/record",
    "/in-service",
    "/sign-in",
    "/?cursor=none",
]
STATIC = [*OWN, HTMX, *drawing.scripts()]


def policy_of(text: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in text.split(";")}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_lets_nothing_foreign_in_and_is_not_kept(told: Running, path: str) -> None:
    headers = told.client.get(path).headers
    policy = policy_of(headers["content-security-policy"])
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert {policy[name][0] for name in ("script-src", "style-src", "connect-src", "form-action")} == {
        "'self'"
    }
    assert not re.search("unsafe|http|\\*", headers["content-security-policy"])
    assert headers["cache-control"] == "no-store, private"
    assert headers["referrer-policy"] == "same-origin"  # without one, forms would come from nowhere
    for name, value in SECURITY[:2]:
        assert headers.get_list(name.decode()) == [value.decode()]
    assert headers["x-request-id"]


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/fleet/news"])
def test_a_page_keeps_to_its_own_policy(told: Running, path: str) -> None:
    page = Page(told.client.get(path).text)
    for one in page.elements:
        assert "style" not in one.attributes, one
        assert not [name for name in one.attributes if re.match("on|hx-on|hx-vars", name)], one
        for name in ("src", "href", "action", "hx-get", "hx-post"):
            assert re.match("/(?!/)|#|$", one.attributes.get(name, "")), one
        if one.name == "script":
            assert "src" in one.attributes or one.attributes["type"] == "application/json"
    assert not page.all("style")
    for one in page.all("input", type="hidden"):
        assert one.attributes["name"] in ("next", "form_token", "version")


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/fleet/news"])
def test_a_page_can_be_read_by_all(told: Running, path: str) -> None:
    page = Page(told.client.get(path).text)
    names = [one.attributes["id"] for one in page.elements if "id" in one.attributes]
    assert len(names) == len(set(names))
    labelled = {one.attributes["for"] for one in page.all("label") if "for" in one.attributes}
    for one in page.elements:
        if one.name in ("input", "select", "textarea") and one.attributes.get("type") not in (
            "hidden",
            "radio",
            "checkbox",
        ):
            assert "hidden" in one.attributes or one.attributes["id"] in labelled, one
        if one.name in ("a", "button"):
            assert one.text or one.attributes.get("aria-label"), one
        for name in ("aria-labelledby", "aria-describedby", "aria-controls"):
            assert one.attributes.get(name, names[0] if names else "") in [*names, ""], one
    if page.all("html"):
        assert page.one("h1").text and page.one("title").text and page.one("main")


@pytest.mark.parametrize("name", STATIC)
def test_a_file_may_be_kept_for_good(told: Running, name: str) -> None:
    plain = told.client.get(address_of(name), headers={"accept-encoding": "identity"})
    assert plain.status_code == 200 and "content-encoding" not in plain.headers
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["vary"] == "accept-encoding"
    kind = plain.headers["content-type"].partition(";")[0]
    assert kind == {"css": "text/css", "svg": "image/svg+xml"}.get(name[-3:], "text/javascript")
    with told.client.stream("GET", address_of(name), headers={"accept-encoding": "br, gzip"}) as packed:
        content = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(content) == plain.content
    assert len(content) < len(plain.content) or len(content) < 400


def test_a_file_of_another_release_is_this_ones_and_not_kept(told: Running) -> None:
    old = told.client.get("/static/0123456789abcdef/page.css")
    assert old.status_code == 200 and old.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["none.js", "..%2Fpages.py", "texts.json", "%2e%2e%2f%2e%2e%2fpage.py", "a" * 500]
)
def test_a_file_that_is_none(told: Running, name: str) -> None:
    for digest in ("0", "..", address_of("page.css").split("/")[2]):
        response = told.client.get(f"/static/{digest}/{name}")
        assert response.status_code == 404 and "immutable" not in response.headers.get("cache-control", "")


@pytest.mark.parametrize("path", [*PAGES, address_of("page.css")])
def test_head_is_get_without_what_is_in_it(told: Running, path: str) -> None:
    whole, head = told.client.get(path), told.client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "cache-control", "content-security-policy"):
        assert head.headers.get(name) == whole.headers.get(name)


def test_what_is_not_possible_says_what_is(told: Running) -> None:
    for path, allowed in (("/", "GET, HEAD"), ("/alarms/1", "GET, HEAD, POST"), ("/sign-out", "POST")):
        refused = told.client.put(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


def test_the_api_is_as_it_was(told: Running) -> None:
    usual = {name.decode(): value.decode() for name, value in SECURITY}
    for path, status in (
        ("/v1/machines", 200),
        ("/v1/alarms/77777", 404),
        ("/health/ready", 200),
        ("/nothing", 404),
    ):
        response = told.client.get(path)
        assert response.status_code == status and response.headers["content-type"].startswith("application/")
        assert {name: response.headers.get(name) for name in usual} == usual
    document = told.client.get("/openapi.json").json()
    assert all(
        path.startswith(("/v1/", "/v2", "/predict", "/health", "/metrics", "/openapi"))
        for path in document["paths"]
    )


def test_all_that_is_asked_for_by_a_page_is_there(told: Running) -> None:
    asked = set()
    for path in PAGES[3:]:
        for one in Page(told.client.get(path).text).elements:
            asked |= {one.attributes[name] for name in ("src", "href", "hx-get") if one.attributes.get(name)}
    asked = {address.partition("#")[0] for address in asked} - {""}
    assert len(asked) > 20
    for address in asked:
        machine = address.removeprefix("/machines/").startswith("M0")  # of the record's own plant
        assert told.client.get(address).status_code == (404 if machine else 200), address


def test_addresses_and_json_hold_whatever_is_in_them() -> None:
    assert path_of("machines", "a/b?c#d e%") == "/machines/a%2Fb%3Fc%23d%20e%25"
    assert "<" not in json_of({"a": "</script><!--"}) and json_of({"a": float("nan")}) == '{"a":null}'


def test_an_address_of_nothing_is_a_page_for_who_browses(told: Running) -> None:
    browsing = {"accept": "text/html,*/*;q=0.8"}
    assert said("about_404") in get(told, "/nothing/like%3Cb%3E", status=404, headers=browsing).text
    for path in ("/v1/nothing", "/static/0/none"):
        found = told.client.get(path, headers=browsing)
        assert (found.status_code, found.headers["content-type"]) == (404, "application/problem+json")


def test_an_error_is_said_with_its_number(told: Running) -> None:
    page = get(told, "/alarms/77777", status=404, headers={"x-request-id": "abc-1"})
    assert "abc-1" in page.text
    piece = get(told, "/alarms/77777", status=404, headers={"hx-request": "true"})
    assert not piece.all("html") and piece.one("div", role="alert")
