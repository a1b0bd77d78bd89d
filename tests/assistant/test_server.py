import asyncio
import json
from typing import Any

import pytest

from phone_bridge.assistant.keys import VoiceKey
from phone_bridge.assistant.performer import Faculties
from phone_bridge.assistant.server import KEPT, MINTS_PER_HOUR, SOCKETS_PER_KEY, VoiceService
from phone_bridge.assistant.session import VoiceSession
from phone_bridge.errors import SettingsError
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot import messages as m
from tests.assistant.house import KEYS, PLAIN, SCOPES, SECRET, Client, House, Loudness, Opened, play

BRIDGE, OTHER = KEYS


def body(response: Response) -> dict[str, Any]:
    read = json.loads(response.body)
    assert isinstance(read, dict)
    return read


def code(response: object) -> tuple[int, str]:
    assert isinstance(response, Response)
    return response.status, body(response)["error"]["code"]


def bearer(key: VoiceKey = BRIDGE) -> dict[str, str]:
    return {"authorization": f"Bearer {PLAIN[key.id]}"}


# Minting


def test_a_session_is_minted_for_a_user() -> None:
    async def story(house: House) -> None:
        response = house.mint(ttl_seconds=600, headers={"chronapilot-account": "cpa_1"})

        assert (response.status, response.headers["content-type"]) == (201, "application/json")
        minted = body(response)
        assert minted.pop("session_token").count(".") == 2
        assert minted == {
            "id": "hub_1",
            "object": "voice_session",
            "user_id": "usr_alice",
            "scopes": ["calendars:read", "events:read", "events:write"],
            "status": "pending",
            "created_at": "2026-11-21T09:00:00Z",
            "expires_at": "2026-11-21T09:10:00Z",
            "livemode": False,
            "connected_account_id": "cpa_1",
        }

    play(story)


def test_our_own_client_can_mint_open_and_leave_it() -> None:
    async def story(house: House) -> None:
        dialect = ChronaPilot(base_url="http://bridge.test", key=PLAIN["bridge"], user_id="usr_alice")
        request = dialect.mint("nonce")
        headers = {name.lower(): value for name, value in request.headers.items()}
        ticket = dialect.minted(house.service.mint(headers, request.body))
        token = ticket.url.partition("?session=")[2]
        async with house.open(token) as client:
            assert client.session is not None
            assert client.session.id == ticket.session_id
        farewell = dialect.farewell(ticket)
        assert farewell.url.endswith("/v1/voice/sessions/hub_1")
        deleted = house.service.delete(bearer(), ticket.session_id)
        assert (deleted.status, body(deleted)["status"]) == (200, "closed")

    play(story)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer sk_test_nobody"},
        {"authorization": "Bearer sk_live_bridge"},
        {"authorization": f"Basic {PLAIN['bridge']}"},
        {"authorization": "Bearer ünicode"},
    ],
)
def test_without_a_key_of_this_service_nothing_is_answered(headers: dict[str, str]) -> None:
    async def story(house: House) -> None:
        house.mint()
        for response in (
            house.service.mint(headers, b"{}"),
            house.service.get(headers, "hub_1"),
            house.service.delete(headers, "hub_1"),
        ):
            assert code(response) == (401, "authentication_failed")

    play(story)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"{", (400, "invalid_json")),
        (b"[]", (400, "invalid_parameter")),
        (b'{"user_id":"usr_alice"}', (400, "missing_required_field")),
        (b'{"user_id":"usr_alice","scopes":["apikeys:manage"]}', (403, "authorization_failed")),
        (b'{"user_id":"usr_alice","scopes":[],"ttl_seconds":1801}', (400, "invalid_parameter")),
        (b'{"user_id":"usr_alice","scopes":[],"ttl_seconds":29}', (400, "invalid_parameter")),
        (b'"' + b"a" * 70_000 + b'"', (413, "payload_too_large")),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_in_the_envelope(given: bytes, expected: tuple[int, str]) -> None:
    async def story(house: House) -> None:
        response = house.service.mint(bearer(), given)
        assert code(response) == expected
        error = body(response)["error"]
        assert error["request_id"] == "req_1"
        assert error["doc_url"].endswith(expected[1].replace("_", "-"))

    play(story)


def test_a_user_is_minted_so_many_sessions_an_hour_and_no_more() -> None:
    async def story(house: House) -> None:
        for _ in range(MINTS_PER_HOUR):
            assert house.mint(OTHER).status == 201
        refused = house.mint(OTHER)
        assert code(refused) == (429, "rate_limit_exceeded")
        assert refused.headers["retry-after"] == "3600"
        assert body(refused)["error"]["retry_after_seconds"] == 3600
        assert house.mint(OTHER, user_id="usr_bob").status == 201

        await asyncio.sleep(3600)
        assert house.mint(OTHER).status == 201

    play(story)


def test_the_bridges_own_key_knows_no_such_limits() -> None:
    async def story(house: House) -> None:
        sockets = [house.open() for _ in range(MINTS_PER_HOUR + 1)]
        for socket in sockets:
            await socket.__aenter__()
        for socket in sockets:
            await socket.__aexit__(None, None, None)

    play(story)


# Idempotency


def test_the_same_request_again_mints_no_second_session() -> None:
    async def story(house: House) -> None:
        first = house.mint(headers={"idempotency-key": "n1"})
        again = house.service.mint(
            {**bearer(), "idempotency-key": "n1"},
            json.dumps({"ttl_seconds": 1800, "scopes": SCOPES, "user_id": "usr_alice"}, indent=1).encode(),
        )
        assert again.body == first.body
        assert again.headers["chronapilot-idempotent-replay"] == "true"
        assert "chronapilot-idempotent-replay" not in first.headers
        assert body(house.mint(headers={"idempotency-key": "n2"}))["id"] == "hub_2"

    play(story)


def test_the_same_name_for_another_request_is_a_conflict() -> None:
    async def story(house: House) -> None:
        house.mint(headers={"idempotency-key": "n1"})
        other = house.mint(headers={"idempotency-key": "n1"}, user_id="usr_bob")
        assert code(other) == (409, "idempotency_key_in_use")

    play(story)


def test_names_are_each_keys_and_each_accounts_own() -> None:
    async def story(house: House) -> None:
        named = {"idempotency-key": "n1"}
        ids = [
            body(house.mint(headers=named))["id"],
            body(house.mint(OTHER, headers=named))["id"],
            body(house.mint(headers={**named, "chronapilot-account": "cpa_1"}))["id"],
        ]
        assert len(set(ids)) == 3

    play(story)


def test_a_refusal_is_replayed_too_unless_it_was_for_too_many() -> None:
    async def story(house: House) -> None:
        named = {"idempotency-key": "n1"}
        refused = house.mint(headers=named, scopes=["apikeys:manage"])
        assert house.mint(headers=named, scopes=["apikeys:manage"]).body == refused.body

        for _ in range(MINTS_PER_HOUR):
            house.mint(OTHER)
        assert house.mint(OTHER, headers=named).status == 429
        await asyncio.sleep(3600)
        assert house.mint(OTHER, headers=named).status == 201

    play(story)


# Looking up and deleting


def test_a_session_can_be_looked_up_through_its_life() -> None:
    async def story(house: House) -> None:
        token = house.token(ttl_seconds=60)

        def shown() -> dict[str, Any]:
            return body(house.service.get(bearer(), "hub_1"))

        assert shown()["status"] == "pending"
        async with house.open(token):
            await asyncio.sleep(5)
            assert (shown()["status"], shown()["opened_at"]) == ("open", "2026-11-21T09:00:00Z")
            assert "session_token" not in shown()
            await asyncio.sleep(2)
        assert shown()["status"] == "closed"
        assert (shown()["closed_reason"], shown()["duration_seconds"]) == ("error", 7)
        assert shown()["closed_at"] == "2026-11-21T09:00:07Z"

    play(story)


@pytest.mark.parametrize(
    ("close_code", "reason"),
    [
        (1000, "client_close"),
        (1001, "client_close"),
        (1005, "client_close"),
        (1006, "error"),
        (1012, "server_shutdown"),
    ],
)
def test_the_reason_of_the_end_is_kept(close_code: int, reason: str) -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            client.lose(close_code)
        assert body(house.service.get(bearer(), "hub_1"))["closed_reason"] == reason

    play(story)


def test_a_session_that_is_never_opened_expires() -> None:
    async def story(house: House) -> None:
        token = house.token(ttl_seconds=60)
        await asyncio.sleep(60)
        assert body(house.service.get(bearer(), "hub_1"))["status"] == "expired"
        assert code(house.service.open(token)) == (401, "session_token_expired")

    play(story)


def test_a_session_that_expired_on_its_socket_says_so() -> None:
    async def story(house: House) -> None:
        async with house.open(ttl_seconds=60):
            await asyncio.sleep(61)
        assert body(house.service.get(bearer(), "hub_1"))["status"] == "expired"

    play(story)


def test_what_is_not_ones_own_is_not_found() -> None:
    async def story(house: House) -> None:
        house.mint()
        for session_id, key in (("hub_1", OTHER), ("hub_9", BRIDGE), ("", BRIDGE)):
            assert code(house.service.get(bearer(key), session_id)) == (404, "resource_missing")
            assert code(house.service.delete(bearer(key), session_id)) == (404, "resource_missing")

    play(story)


def test_deleting_closes_the_socket_and_lets_none_in_any_more() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token) as client:
            deleted = house.service.delete(bearer(), "hub_1")
            assert (deleted.status, body(deleted)["closed_reason"]) == (200, "api_close")
            assert client.closed == (4410, "api_close")
        assert code(house.service.open(token)) == (409, "session_closed")
        assert house.service.delete(bearer(), "hub_1").body == deleted.body

    play(story)


def test_ended_sessions_are_forgotten_some_time_after() -> None:
    async def story(house: House) -> None:
        house.mint(ttl_seconds=60)
        await asyncio.sleep(60 + KEPT.total_seconds() - 1)
        house.mint()
        assert house.service.get(bearer(), "hub_1").status == 200
        await asyncio.sleep(1)
        house.mint()
        assert code(house.service.get(bearer(), "hub_1")) == (404, "resource_missing")

    play(story)


# Sockets


@pytest.mark.parametrize("token", ["", "a.b.c"])
def test_a_socket_without_a_token_of_ours_is_refused_before_its_handshake(token: str) -> None:
    async def story(house: House) -> None:
        assert code(house.service.open(token)) == (401, "authentication_failed")

    play(story)


def test_a_token_of_another_process_is_refused() -> None:
    async def story(house: House) -> None:
        token = house.token()
        assert code(House().service.open(token)) == (401, "authentication_failed")

    play(story)


def test_the_newer_socket_takes_the_place_of_the_older_one() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token) as older, house.open(token) as newer:
            assert older.closed == (4009, "superseded")
            assert newer.closed is None
            await asyncio.sleep(1)
            assert body(house.service.get(bearer(), "hub_1"))["status"] == "open"

    play(story)


def test_a_token_opens_again_after_its_socket_has_gone() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token):
            pass
        async with house.open(token):
            shown = body(house.service.get(bearer(), "hub_1"))
            assert shown["status"] == "open"
            assert "closed_reason" not in shown

    play(story)


def test_a_key_has_so_many_live_sockets_and_no_more() -> None:
    async def story(house: House) -> None:
        def token(user: int) -> str:
            return str(body(house.mint(OTHER, user_id=f"usr_{user}"))["session_token"])

        tokens = [token(user) for user in range(SOCKETS_PER_KEY)]
        sockets = [house.open(each) for each in tokens]
        for socket in sockets:
            await socket.__aenter__()
        refused = house.service.open(token(99))
        assert code(refused) == (429, "rate_limit_exceeded")
        assert isinstance(house.service.open(tokens[0]), VoiceSession)  # it would take its own place
        await sockets[0].__aexit__(None, None, None)
        assert isinstance(house.service.open(token(100)), VoiceSession)
        for socket in sockets[1:]:
            await socket.__aexit__(None, None, None)

    play(story)


def test_a_session_left_before_it_is_served_closes_its_socket_at_once() -> None:
    async def story(house: House) -> None:
        session = house.service.open(house.token())
        assert isinstance(session, VoiceSession)
        session.leave(4410, "api_close")
        client = Client()
        await house.service.serve(session, client)
        assert (client.closed, client.sent) == ((4410, "api_close"), [])

    play(story)


def test_a_socket_that_is_lost_before_it_is_served_ends_the_session() -> None:
    async def story(house: House) -> None:
        session = house.service.open(house.token())
        assert isinstance(session, VoiceSession)

        class Lost(Client):
            def send(self, message: str | bytes) -> None: ...

        client = Lost()
        client.lose()
        await house.service.serve(session, client)
        assert session.close_reason == "error"

    play(story)


def test_a_server_that_stops_closes_every_session() -> None:
    async def story(house: House) -> None:
        async with house.open() as one, house.open() as two:
            house.service.close()
            assert one.closed == two.closed == (1001, "server_shutdown")

    play(story)


def test_a_route_that_is_cancelled_closes_its_session() -> None:
    async def story(house: House) -> None:
        opened: Opened = house.open()
        client = await opened.__aenter__()
        opened._serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opened._serving
        assert client.closed == (1001, "server_shutdown")
        assert body(house.service.get(bearer(), "hub_1"))["closed_reason"] == "server_shutdown"

    play(story)


def test_scopes_decide_the_tools() -> None:
    async def story(house: House) -> None:
        async with house.open(scopes=["events:read"]) as client:
            client.tell(m.SessionUpdate(session=m.SessionSettings()))
            (updated,) = await client.take()
            assert isinstance(updated, m.SessionUpdated)
            assert updated.session.tools == ["get_next_event"]

    play(story)


def test_a_secret_that_is_too_short_is_refused_at_once() -> None:
    async def story(house: House) -> None:
        script = house.script
        faculties = Faculties(Loudness, script, script, script, script)
        with pytest.raises(SettingsError):
            VoiceService(KEYS, faculties, house.clocks, secret=SECRET[:-1])
        VoiceService(KEYS, faculties, house.clocks, secret=SECRET)

    play(story)
