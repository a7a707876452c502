"""Who may do what, and what nobody may see."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from forestall.errors import ForestallError
from forestall.serving.api.logs import AsJson
from forestall.serving.api.problems import Problem
from forestall.serving.api.security import check_role, is_loopback
from forestall.serving.api.start import open_service
from forestall.serving.store.keys import Key, create_key, list_keys, revoke_key
from tests.serving.api.server import Running, fields, key_for, opened, running
from tests.serving.store.stores import Addresses

PATH = {"id": "1", "table": "failures", "machine": "m1", "model": "forestall", "version": "1"}


@pytest.fixture(scope="module")
def keyed(whole_bundle: Path, addresses_of_a_kind: Addresses) -> Iterator[tuple[Running, dict[str, str]]]:
    """A service with a key of each role, over each kind of database."""
    service = opened(whole_bundle, addresses_of_a_kind.new())
    keys = {
        "read": key_for(service, "read"),
        "write": key_for(service, "write"),
        "admin": key_for(service, "admin"),
    }
    with running(service) as api:
        yield api, keys


def get(api: Running, path: str, **headers: str) -> httpx.Response:
    return api.client.get(path, headers=headers)


def test_roles(keyed: tuple[Running, dict[str, str]]) -> None:
    api, keys = keyed
    for role, allowed in (("read", 403), ("write", 200), ("admin", 200)):
        assert get(api, "/v1/machines", Authorization=f"Bearer {keys[role]}").status_code == 200
        assert get(api, "/v1/machines", **{"X-API-Key": keys[role]}).status_code == 200
        sent = api.send("/v1/readings", [], Authorization=f"bearer {keys[role]}")
        assert sent.status_code == allowed
    refused = api.send("/v1/readings", [], Authorization=f"Bearer {keys['read']}")
    assert "may read" in refused.json()["detail"]


def test_every_route_but_health_and_openapi_wants_a_key(keyed: tuple[Running, dict[str, str]]) -> None:
    api, _ = keyed
    api.service.keys.failures.per_second = 1e9
    document = api.client.get("/openapi.json").json()
    checked = 0
    for path, operations in document["paths"].items():
        for method in operations:
            url = path
            for parameter, value in PATH.items():
                url = url.replace(f"{{{parameter}}}", value)
            response = api.client.request(method, url, json={})
            open_to_all = path.startswith(("/health/", "/v2/health/"))
            assert response.status_code == (200 if open_to_all else 401), (method, path)
            checked += 1
    assert checked > 15


@pytest.mark.parametrize("change", ["id", "secret", "prefix", "empty", "long", "utf8"])
def test_a_key_that_is_none(keyed: tuple[Running, dict[str, str]], change: str) -> None:
    api, keys = keyed
    api.service.keys.failures.per_second = 1e9
    prefix, number, secret = keys["read"].split("_", 2)
    flipped = ("a" if secret[0] != "a" else "b") + secret[1:]
    shown = {
        "id": f"{prefix}_{'0' * len(number)}_{secret}",
        "secret": f"{prefix}_{number}_{flipped}",
        "prefix": f"xyz_{number}_{secret}",
        "empty": "fst_",
        "long": f"{prefix}_{number}_{secret}" * 50,
        "utf8": f"{prefix}_{number}_ü{secret[1:]}".encode().decode("latin-1"),
    }[change]
    response = api.client.get("/v1/machines", headers={b"Authorization": f"Bearer {shown}".encode("latin-1")})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    fields(response)


def test_wrong_keys_are_counted_by_address(keyed: tuple[Running, dict[str, str]]) -> None:
    api, keys = keyed
    api.service.keys.failures.per_second = 5
    api.service.keys.failures.buckets.clear()
    assert get(api, "/v1/machines", **{"X-API-Key": keys["read"]}).status_code == 200
    statuses = [get(api, "/v1/machines", **{"X-API-Key": "wrong"}).status_code for _ in range(30)]
    assert statuses[:10] == [401] * 10 and 429 in statuses
    assert get(api, "/v1/machines", **{"X-API-Key": keys["read"]}).status_code == 200


def test_wrong_keys_of_the_right_form_do_not_reach_the_database(
    keyed: tuple[Running, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, keys = keyed
    guard = api.service.keys
    guard.failures.per_second = 1
    guard.failures.buckets.clear()
    assert get(api, "/v1/machines", **{"X-API-Key": keys["read"]}).status_code == 200
    looked_up, find = list[str](), guard.find

    def counted(token: str) -> Key | None:
        looked_up.append(token)
        return find(token)

    monkeypatch.setattr(guard, "find", counted)
    guesses = [f"fst_{number:012x}_{'a' * 43}" for number in range(200)]
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda key: get(api, "/v1/machines", **{"X-API-Key": key}), guesses))
    refused = [one for one in answers if one.status_code == 429]
    assert {one.status_code for one in answers} == {401, 429} and refused[0].headers["retry-after"] == "1"
    assert len(looked_up) == len(answers) - len(refused) < 20
    # A key that is in use is let in all the while; one that was never seen has to come back.
    assert get(api, "/v1/machines", **{"X-API-Key": keys["read"]}).status_code == 200
    new = key_for(api.service, "read", "new")
    deadline = time.monotonic() + 10
    while get(api, "/v1/machines", **{"X-API-Key": new}).status_code == 429:
        assert time.monotonic() < deadline, "never let in"
        time.sleep(0.1)
    assert get(api, "/v1/machines", **{"X-API-Key": new}).status_code == 200
    left = guard.failures.buckets["127.0.0.1"][0]
    for _ in range(5):
        guard.found.clear()
        assert get(api, "/v1/machines", **{"X-API-Key": new}).status_code == 200
    assert guard.failures.buckets["127.0.0.1"][0] >= left  # a good key costs nothing


def test_a_key_that_was_typed_in_is_checked_by_the_same_rule(whole_bundle: Path, tmp_path: Path) -> None:
    service = opened(whole_bundle, tmp_path / "forestall.sqlite")
    assert asyncio.run(service.keys.is_open())
    text = key_for(service, "write")
    service.keys.looked = -1e9  # as after the seconds for which an answer is believed
    guard = service.keys
    guard.failures.per_second = 1

    async def typing() -> list[Key | int | None]:
        found: list[Key | int | None] = [await guard.is_open(), await guard.valid(text, "192.0.2.1")]
        for _ in range(30):
            try:
                found.append(await guard.valid(text[:-1] + "~", "192.0.2.1"))
            except Problem as problem:
                found.append(problem.status)
        # What one address tried costs another nothing, nor one that is right.
        return [*found, await guard.valid("\ud800", "192.0.2.2"), await guard.valid(text, "192.0.2.1")]

    is_open, first, *tries, other, last = asyncio.run(typing())
    assert is_open is False and other is None
    assert isinstance(first, Key) and first == last and first.role == "write"
    assert tries[0] is None and tries[-1] == 429 and set(tries) == {None, 429}
    check_role(first, "read")
    check_role(first, "write")
    with pytest.raises(Problem, match="may write; this needs a key that may admin"):
        check_role(first, "admin")


def test_without_a_model_keys_and_store_are_there(tmp_path: Path) -> None:
    service = open_service(f"sqlite:///{tmp_path / 'forestall.sqlite'}", tmp_path / "none", "127.0.0.1")
    assert service.champion.serving is None
    with service.store.writing() as connection:
        key, text = create_key(connection, "ann", "read", 1)
    assert asyncio.run(service.keys.valid(text, "192.0.2.1")) == key


def test_a_revoked_key_opens_nothing(whole_bundle: Path, tmp_path: Path) -> None:
    service = opened(whole_bundle, tmp_path / "forestall.sqlite")
    key = key_for(service, "read")
    serving = service.champion.serving
    assert serving is not None
    with running(service) as api:
        assert get(api, "/v1/machines", **{"X-API-Key": key}).status_code == 200
        with serving.store.writing() as connection:
            revoke_key(connection, list_keys(connection)[0].id, 1)
        service.keys.found.clear()  # as after the seconds for which a key that was found is believed
        assert get(api, "/v1/machines", **{"X-API-Key": key}).status_code == 401
        assert get(api, "/v1/machines").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "forestall.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Forwarded": "for=192.0.2.1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_without_keys_only_this_computer_is_served(api: Running, headers: dict[str, str]) -> None:
    assert get(api, "/v1/machines").status_code == 200
    assert get(api, "/v1/machines", Host="localhost:8000").status_code == 200
    assert get(api, "/v1/machines", **headers).status_code == 403


def test_without_keys_no_other_address_is_bound(whole_bundle: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'forestall.sqlite'}"
    for host in ("0.0.0.0", "::", "192.0.2.1", "forestall.example"):
        with pytest.raises(ForestallError, match="forestall keys add"):
            open_service(url, whole_bundle, host)
    service = open_service(url, whole_bundle, "127.0.0.1")
    key_for(service, "read")
    assert open_service(url, whole_bundle, "0.0.0.0").keys.closed


def test_loopback_addresses() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "")))


def test_headers_and_request_ids(api: Running) -> None:
    for path in ("/health/live", "/v1/machines", "/nowhere"):
        headers = get(api, path, **{"X-Request-ID": "line-7.a"}).headers
        assert headers["x-request-id"] == "line-7.a"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers or "uvicorn" in headers["server"]
    for bad in ("a b", "x" * 65, '"},{"'):
        assert get(api, "/health/live", **{"X-Request-ID": bad}).headers["x-request-id"] != bad


def test_the_log_is_json_and_holds_no_secret(
    keyed: tuple[Running, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    api, keys = keyed
    with caplog.at_level(logging.INFO, logger="forestall.serving"):
        get(api, f"/v1/machines?search={keys['read']}", Authorization=f"Bearer {keys['read']}")
        get(api, "/v1/mach%0Aines", Cookie="secret=1")
        deadline = time.monotonic() + 10  # an answer is sent before its line is written
        while sum(record.getMessage() == "request" for record in caplog.records) < 2:
            assert time.monotonic() < deadline, "no line for each request"
            time.sleep(0.01)
    lines = [AsJson().format(record) for record in caplog.records]
    requests = [json.loads(line) for line in lines if json.loads(line)["event"] == "request"]
    assert [one["status"] for one in requests] == [200, 404]
    assert requests[0]["key"] == keys["read"].split("_")[1] and requests[0]["request_id"]
    assert not any(
        keys["read"].split("_", 2)[2] in line or "secret" in line or "\n" in line for line in lines
    )


def test_unknown_paths_and_methods_are_problems(api: Running) -> None:
    assert fields(get(api, "/nowhere")) == []
    response = api.client.delete("/v1/machines")
    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    fields(response)
    assert api.client.delete("/v1/alarms/1").headers["allow"] == "GET, PATCH"


def test_what_fails_says_nothing_of_the_inside(
    whole_bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = opened(whole_bundle, tmp_path / "forestall.sqlite")
    serving = service.champion.serving
    assert serving is not None
    with running(service) as api:
        with serving.store.writing() as connection:
            connection.exec_driver_sql("DROP TABLE current")
        response = api.client.get("/v1/machines")
        assert response.status_code == 500 and "current" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
        fields(response)
        object.__setattr__(serving, "bundle", None)
        response = api.send("/predict", {"features": [1]})
        assert response.status_code == 500 and "NoneType" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
        fields(response)
    assert any("no such table" in str(record.exc_info) for record in caplog.records)
