import json
from typing import Any

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError, Refused, RemoteError, SettingsError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot.dialect import MAX_TTL_SECONDS, MIN_TTL_SECONDS
from phone_bridge.sessions.dialect import Dialect

SETTINGS: dict[str, Any] = {"base_url": "https://api.example.com", "key": "sk_test_secret", "user_id": "usr_alice"}
MINTED = b'{"id":"hub_1","object":"voice_session","session_token":"aaa.bbb.ccc","expires_at":"2026-11-21T09:30:00Z"}'


def chronapilot(**settings: Any) -> ChronaPilot:
    return ChronaPilot(**{**SETTINGS, **settings})


def answer(status: int, body: Any = b"", **headers: str) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=data
    )


def envelope(code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": "some_error", "code": code, "message": "Words.", "request_id": "req_1", **more}}


def test_it_is_a_dialect() -> None:
    dialect: Dialect = chronapilot()
    assert dialect.wire(PCMU_8K).outgoing()


def test_a_mint_asks_for_a_session_of_one_user() -> None:
    request = chronapilot(scopes=("events:read",), ttl_seconds=600).mint("nonce-1")

    assert (request.method, request.url) == ("POST", "https://api.example.com/v1/voice/sessions")
    assert json.loads(request.body) == {"user_id": "usr_alice", "scopes": ["events:read"], "ttl_seconds": 600}
    assert request.headers == {
        "Authorization": "Bearer sk_test_secret",
        "Chronapilot-Version": "2026-05-20",
        "Content-Type": "application/json",
        "Idempotency-Key": "nonce-1",
    }


def test_a_mint_takes_the_longest_useful_life_and_documented_scopes_by_itself() -> None:
    body = json.loads(chronapilot().mint("n").body)

    assert body["ttl_seconds"] == MAX_TTL_SECONDS == 1800
    assert set(body["scopes"]) == {"calendars:read", "events:read", "events:write", "alerts:read"}


def test_a_connect_account_is_named_and_a_version_may_be_left_to_the_key() -> None:
    headers = chronapilot(account="cpa_1", version="").mint("n").headers

    assert headers["Chronapilot-Account"] == "cpa_1"
    assert "Chronapilot-Version" not in headers


@pytest.mark.parametrize(
    ("base", "socket"),
    [
        ("https://api.example.com/", "wss://api.example.com/v1/voice/realtime?session=aaa.bbb.ccc"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/voice/realtime?session=aaa.bbb.ccc"),
    ],
)
def test_a_minted_session_is_opened_at_the_same_place(base: str, socket: str) -> None:
    ticket = chronapilot(base_url=base).minted(answer(201, MINTED))

    assert (ticket.url, ticket.session_id, ticket.headers) == (socket, "hub_1", {})


def test_a_token_cannot_leave_its_query_parameter() -> None:
    ticket = chronapilot().minted(answer(200, {"id": "hub_1", "session_token": "a&b=c d"}))

    assert ticket.url.endswith("?session=a%26b%3Dc%20d")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        {"id": "hub_1"},
        {"id": "hub_1", "session_token": ""},
        {"id": "", "session_token": "a"},
        {"id": "../api_keys", "session_token": "a"},
        {"id": 7, "session_token": "a"},
    ],
)
def test_an_answer_that_is_no_session_is_a_remote_error(body: Any) -> None:
    with pytest.raises(RemoteError) as caught:
        chronapilot().minted(answer(200, body))
    assert caught.value.code == "invalid_mint"


@pytest.mark.parametrize(
    ("response", "code", "retry_after_ms"),
    [
        (answer(429, envelope("rate_limit_exceeded", retry_after_seconds=2.5)), "rate_limit_exceeded", 2500),
        (
            answer(429, envelope("rate_limit_exceeded", retry_after_seconds=9), retry_after="3"),
            "rate_limit_exceeded",
            3000,
        ),
        (answer(429, b"slow down", retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), "http_429", None),
        (answer(500, b""), "http_500", None),
        (answer(503, envelope("service_unavailable")), "service_unavailable", None),
        (answer(409, envelope("idempotency_key_in_use"), retry_after="1"), "idempotency_key_in_use", 1000),
    ],
)
def test_what_may_pass_is_unavailable(response: Response, code: str, retry_after_ms: int | None) -> None:
    with pytest.raises(Unavailable) as caught:
        chronapilot().minted(response)
    assert (caught.value.code, caught.value.retry_after_ms) == (code, retry_after_ms)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer(400, envelope("invalid_parameter")), "invalid_parameter"),
        (answer(401, envelope("authentication_failed")), "authentication_failed"),
        (answer(403, envelope("authorization_failed")), "authorization_failed"),
        (answer(404, b"nothing here"), "http_404"),
        (answer(409, envelope("idempotency_key_in_use")), "idempotency_key_in_use"),
        (answer(410, envelope("connection_expired")), "connection_expired"),
        (answer(400, envelope("Not A Code!")), "http_400"),
    ],
)
def test_what_will_not_pass_is_refused_with_the_apis_code(response: Response, code: str) -> None:
    with pytest.raises(Refused) as caught:
        chronapilot().minted(response)
    assert caught.value.code == code


def test_a_status_that_answers_nothing_is_a_remote_error() -> None:
    with pytest.raises(RemoteError) as caught:
        chronapilot().minted(answer(302))
    assert caught.value.code == "unexpected_status"


def test_errors_never_repeat_what_the_api_says_of_us() -> None:
    with pytest.raises(Refused) as caught:
        chronapilot().minted(answer(401, envelope("authentication_failed", message="The key sk_test_secret is wrong.")))
    assert "sk_test" not in str(caught.value)


def test_no_answer_at_all_is_our_own_mistake() -> None:
    with pytest.raises(LocalError):
        chronapilot().minted(None)


def test_the_farewell_deletes_the_session() -> None:
    dialect = chronapilot(account="cpa_1")
    request = dialect.farewell(dialect.minted(answer(200, MINTED)))

    assert (request.method, request.url) == ("DELETE", "https://api.example.com/v1/voice/sessions/hub_1")
    assert request.headers["Authorization"] == "Bearer sk_test_secret"
    assert request.headers["Chronapilot-Account"] == "cpa_1"


def test_the_wire_configures_the_session_with_what_is_set_and_nothing_else() -> None:
    plain = chronapilot().wire(PCMU_8K).outgoing()
    full = chronapilot(voice="sage", model="m1", tools=("get_next_event",), output_format="g711_ulaw").wire(PCMU_8K)

    assert [json.loads(each) for each in plain] == [{"type": "session.update", "session": {"output_format": "pcm16"}}]
    assert [json.loads(each)["session"] for each in full.outgoing()] == [
        {"voice": "sage", "model": "m1", "tools": ["get_next_event"], "output_format": "g711_ulaw"}
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "api.example.com"},
        {"base_url": "ftp://api.example.com"},
        {"base_url": "https://api.example.com/v1"},
        {"base_url": "https://"},
        {"key": ""},
        {"user_id": ""},
        {"ttl_seconds": MIN_TTL_SECONDS - 1},
        {"ttl_seconds": MAX_TTL_SECONDS + 1},
        {"output_format": "opus"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        chronapilot(**wrong)
    assert "sk_test" not in str(caught.value)


def test_the_limits_of_life_are_allowed() -> None:
    assert chronapilot(ttl_seconds=MIN_TTL_SECONDS).ttl_seconds == 30
    assert chronapilot(ttl_seconds=MAX_TTL_SECONDS).ttl_seconds == 1800


def test_its_secret_is_not_shown() -> None:
    assert "secret" not in repr(chronapilot())


@pytest.mark.parametrize(
    ("times", "life_ms"),
    [
        ({}, 600_000),
        ({"created_at": "2026-11-21T09:00:00Z", "expires_at": "2026-11-21T09:05:00Z"}, 300_000),
        ({"created_at": "2026-11-21T09:00:00Z", "expires_at": "2026-11-21T19:00:00Z"}, 600_000),
        ({"created_at": "2026-11-21T09:00:00Z", "expires_at": "2026-11-21T08:00:00Z"}, 600_000),
        ({"expires_at": "2026-11-21T09:05:00Z"}, 600_000),
        ({"created_at": "2026-11-21T09:00:00Z", "expires_at": "2026-11-21T09:05:00"}, 600_000),
    ],
)
def test_a_ticket_tells_how_long_its_session_lives(times: dict[str, str], life_ms: int) -> None:
    ticket = chronapilot(ttl_seconds=600).minted(answer(201, {"id": "hub_1", "session_token": "t", **times}))
    assert ticket.life_ms == life_ms


def test_the_event_that_an_action_touched_is_asked_for() -> None:
    dialect = chronapilot(account="cpa_1")
    request = dialect.look_up(Action("cancel_event", {"event_id": "evt_1"}))
    assert request is not None
    assert (request.method, request.url) == ("GET", f"{dialect.base_url}/v1/events/evt_1")
    assert request.headers["Authorization"].startswith("Bearer ")
    assert request.headers["Chronapilot-Account"] == "cpa_1"
    assert dialect.look_up(Action("create_event", {"title": "Tea"})) is None
