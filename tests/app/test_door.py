"""Who may use the API."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from phone_bridge.app.door import FAILURE_SECONDS, FORWARDED, MAX_ADDRESSES, MAX_FAILURES, Door, Failures
from phone_bridge.runtime.api_keys import SCOPES, ApiKey, fingerprint
from phone_bridge.settings import Settings
from tests.app.premises import Premises, json_of, play

OWN, OLD_OWN, READER, OVER = "the-own-key", "the-old-own-key", "pb_reader", "pb_over"
KEYS = (
    ApiKey("reader", fingerprint(READER), ("calls:read", "metrics:read")),
    ApiKey("over", fingerprint(OVER), SCOPES, date(2026, 11, 20)),
)
LOCAL = {"host": "127.0.0.1:8080"}


class Visitor:
    """Someone at the door, at a time of the test's choice."""

    def __init__(self, settings: Settings) -> None:
        self.now = 1_000.0
        self._door = Door(settings, clock=lambda: self.now, today=lambda: date(2026, 11, 21))

    def asks(self, request: Request) -> int:
        refusal = self._door.refuse(request, "calls:read")
        return 200 if refusal is None else refusal.status_code

    def ask(self, scope: str = "calls:read", *, client: str = "127.0.0.1", **headers: str) -> tuple[int, str, Response]:
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        request = Request(
            {"type": "http", "method": "GET", "scheme": "http", "path": "/", "headers": named, "client": (client, 5)}
        )
        refusal = self._door.refuse(request, scope)
        if refusal is None:
            return 200, "", Response()
        error = msgspec.json.decode(refusal.body)["error"]
        assert set(error) == {"type", "code", "message"}
        assert not any(secret in error["message"] for secret in (OWN, OLD_OWN, READER, OVER))
        return refusal.status_code, error["code"], refusal

    def allowed(self, key: str, **headers: str) -> list[str]:
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        named.append((b"authorization", f"Bearer {key}".encode()))
        request = Request(
            {
                "type": "http",
                "method": "GET",
                "scheme": "http",
                "path": "/",
                "headers": named,
                "client": ("127.0.0.1", 5),
            }
        )
        return [scope for scope in ("calls:read", "calls:write") if self._door.allows(request, scope)]

    def show(self, key: str, scope: str = "calls:read", **more: Any) -> tuple[int, str]:
        return self.ask(scope, authorization=f"Bearer {key}", **more)[:2]


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(Settings(api_key=f"{OWN}, {OLD_OWN}", api_keys=KEYS))


@pytest.fixture
def nobody() -> Visitor:
    return Visitor(Settings())


# By key


@pytest.mark.parametrize("scope", SCOPES)
def test_the_operators_own_keys_are_good_for_everything(visitor: Visitor, scope: str) -> None:
    assert visitor.show(OWN, scope) == visitor.show(OLD_OWN, scope) == (200, "")


@pytest.mark.parametrize("scope", SCOPES)
def test_another_key_is_good_for_its_scopes_alone(visitor: Visitor, scope: str) -> None:
    expected = (200, "") if scope in KEYS[0].scopes else (403, "insufficient_scope")
    assert visitor.show(READER, scope) == expected


def test_a_missing_scope_is_named(visitor: Visitor) -> None:
    _, _, refusal = visitor.ask("calls:write", authorization=f"Bearer {READER}")
    assert refusal.headers["www-authenticate"] == (
        'Bearer realm="phone-bridge", error="insufficient_scope", scope="calls:write"'
    )


def test_a_key_that_has_expired_is_told_so(visitor: Visitor) -> None:
    assert visitor.show(OVER) == (401, "expired_api_key")


@pytest.mark.parametrize(
    "header", ["Bearer other", OWN, f"Basic {OWN}", f"Bearer {OWN}x", f"Bearer {OWN},{OLD_OWN}", "Bearer", "Bearer é"]
)
def test_anything_else_is_no_key(visitor: Visitor, header: str) -> None:
    status, code, refusal = visitor.ask(authorization=header)
    assert (status, code) == (401, "invalid_api_key")
    assert refusal.headers["www-authenticate"].startswith('Bearer realm="phone-bridge"')


@given(header=st.text(st.characters(max_codepoint=255)))
def test_no_header_opens_the_door_or_breaks_it(header: str) -> None:
    visitor = Visitor(Settings(api_key=OWN))
    request = Request(
        {"type": "http", "method": "GET", "path": "/", "headers": [(b"authorization", header.encode("latin-1"))]}
    )
    assert visitor.asks(request) == 401


def test_the_schemes_name_may_be_written_in_any_case(visitor: Visitor) -> None:
    assert visitor.ask(authorization=f"bearer  {OWN} ")[0] == 200


def test_with_keys_this_machine_needs_one_too(visitor: Visitor) -> None:
    status, code, refusal = visitor.ask(**LOCAL)
    assert (status, code) == (401, "invalid_api_key")
    assert refusal.headers["www-authenticate"] == 'Bearer realm="phone-bridge"'


def test_keys_of_programs_alone_close_the_door_too() -> None:
    assert Visitor(Settings(api_keys=KEYS)).ask(**LOCAL)[0] == 401


# By guessing


def test_whoever_guesses_is_slowed_down_and_nobody_else(visitor: Visitor) -> None:
    for _ in range(MAX_FAILURES):
        assert visitor.show("guess", client="192.0.2.1") == (401, "invalid_api_key")
    status, code, refusal = visitor.ask(authorization=f"Bearer {OWN}", client="192.0.2.1")
    assert (status, code, refusal.headers["retry-after"]) == (429, "too_many_attempts", str(FAILURE_SECONDS))
    assert visitor.show(OWN, client="192.0.2.2") == (200, "")
    visitor.now += FAILURE_SECONDS - 0.5
    assert visitor.ask(client="192.0.2.1")[2].headers["retry-after"] == "1"
    visitor.now += 0.5
    assert visitor.show(OWN, client="192.0.2.1") == (200, "")


def test_a_slip_now_and_then_slows_nobody_down(visitor: Visitor) -> None:
    for _ in range(10 * MAX_FAILURES):
        assert visitor.show("slip")[0] == 401
        visitor.now += FAILURE_SECONDS / (MAX_FAILURES - 1)


def test_who_shows_no_key_is_not_guessing(visitor: Visitor) -> None:
    assert {visitor.ask()[0] for _ in range(2 * MAX_FAILURES)} == {401}
    assert visitor.show(OWN) == (200, "")


def test_one_network_of_ipv6_is_one_client(visitor: Visitor) -> None:
    for last in range(MAX_FAILURES):
        visitor.show("guess", client=f"2001:db8:0:1::{last:x}")
    assert visitor.show(OWN, client="2001:db8:0:1:ffff::1")[0] == 429
    assert visitor.show(OWN, client="2001:db8:0:2::1")[0] == 200


def test_no_flood_of_addresses_is_remembered_for_ever() -> None:
    failures = Failures(lambda: 0.0)
    for number in range(MAX_ADDRESSES + 10):
        failures.count(f"client {number}")
    assert len(failures) == MAX_ADDRESSES


def test_the_log_tells_of_guessing_without_the_guess(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(MAX_FAILURES + 5):
        visitor.show("almost-the-key", client="192.0.2.1")
    assert [record.getMessage() for record in caplog.records] == [
        f"x an address has shown {MAX_FAILURES} wrong API keys; it has to wait"
    ]


# Without a key


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "localhost:1", "[::1]:8080", "127.3.2.1"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_without_a_key_this_machine_is_served(nobody: Visitor, host: str, client: str) -> None:
    assert nobody.ask("calls:write", client=client, host=host)[0] == 200


@pytest.mark.parametrize("client", ["192.0.2.1", "10.0.0.7", "::ffff:10.0.0.7", "testclient", ""])
def test_without_a_key_no_other_machine_is(nobody: Visitor, client: str) -> None:
    assert nobody.ask(client=client, **LOCAL)[:2] == (403, "api_key_required")


@pytest.mark.parametrize("host", ["alice.tunnel.example", "bridge.test:8080", "localhost.evil.example", "10.0.0.7", ""])
def test_without_a_key_a_tunnel_to_this_machine_is_not(nobody: Visitor, host: str) -> None:
    assert nobody.ask(host=host)[:2] == (403, "api_key_required")


@pytest.mark.parametrize("name", FORWARDED)
def test_without_a_key_nothing_that_came_through_a_proxy_is(nobody: Visitor, name: str) -> None:
    for value in ("127.0.0.1", "for=127.0.0.1", ""):
        assert nobody.ask(**LOCAL, **{name: value})[:2] == (403, "api_key_required")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://[", "x"])
def test_without_a_key_no_page_of_another_site_is(nobody: Visitor, origin: str) -> None:
    assert nobody.ask(origin=origin, **LOCAL)[:2] == (403, "api_key_required")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_without_a_key_our_own_page_is_served(nobody: Visitor, origin: str) -> None:
    assert nobody.ask(origin=origin, **LOCAL)[0] == 200


@pytest.mark.parametrize("forged", ["127.0.0.1", "127.0.0.1, 127.0.0.1", "::1"])
def test_a_server_that_believes_its_proxy_believes_no_stranger(tmp_path: Path, forged: str) -> None:
    """uvicorn takes the client's address from a proxy on this machine, whatever a stranger told that proxy."""

    async def story(house: Premises) -> None:
        answer = await house.ask("GET", "/v1/calls", headers={"X-Forwarded-For": forged, "Host": "127.0.0.1"})
        assert (answer.status, json_of(answer)["error"]["code"]) == (403, "api_key_required")
        assert (await house.ask("GET", "/v1/calls", headers={"Host": "127.0.0.1"})).status == 200

    play(tmp_path, story)


def test_behind_a_proxy_of_this_machine_one_clients_guesses_slow_no_other_down(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async def status(client: str, key: str) -> int:
            headers = {"X-Forwarded-For": f"127.0.0.1, {client}", "Authorization": f"Bearer {key}"}
            return (await house.ask("GET", "/v1/calls", headers=headers)).status

        for _ in range(MAX_FAILURES):
            assert await status("203.0.113.5", "guess") == 401
        assert await status("203.0.113.5", OWN) == 429
        assert await status("203.0.113.6", OWN) == 200

    play(tmp_path, story, api_key=OWN)


def test_what_else_a_visitor_may_do_is_told_without_a_refusal(visitor: Visitor) -> None:
    assert [visitor.allowed(key) for key in (OWN, READER, "wrong", "")] == [
        ["calls:read", "calls:write"],
        ["calls:read"],
        [],
        [],
    ]
    assert visitor.show(OWN) == (200, ""), "asking counts no failures"


def test_without_any_key_this_machine_may_do_everything() -> None:
    alone = Visitor(Settings())
    assert alone.allowed("", **LOCAL) == ["calls:read", "calls:write"]
    assert alone.allowed("", host="bridge.example") == []
