import json
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from phone_bridge.assistant.front import (
    REQUESTS_AT_A_TIME,
    REQUESTS_PER_SECOND,
    Asked,
    Caller,
    Front,
    Visit,
)
from phone_bridge.assistant.keys import Keyring, VoiceKey
from phone_bridge.assistant.performer import Clocks
from phone_bridge.assistant.versions import CURRENT, SUPERSEDED
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.runtime.api_keys import fingerprint

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
OLD = next(iter(SUPERSEDED))
SECRET, READER, TOKEN, OVER = "sk_test_secret", "rk_test_reader", "cat_token", "rk_test_over"
KEYS = (
    VoiceKey("secret", fingerprint(SECRET), accounts=("cpa_1",)),
    VoiceKey("reader", fingerprint(READER), "rk_test", ("events:read",), ("usr_a",), version=OLD),
    VoiceKey("token", fingerprint(TOKEN), "cat", ("events:read",), accounts=("cpa_9",)),
    VoiceKey("over", fingerprint(OVER), "rk_test", ("events:read",), expires=date(2026, 11, 20)),
)


class Desk:
    """A front in the test's own time."""

    def __init__(self, *keys: VoiceKey) -> None:
        self.now = 0
        clocks = Clocks(lambda: self.now, lambda: START + timedelta(milliseconds=self.now))
        self.front = Front(Keyring(keys or KEYS), clocks, lambda prefix: f"{prefix}_1")

    def visit(self, key: str = SECRET, body: Any = None, **headers: str) -> Visit:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = Asked(
            endpoint="POST /v1/things",
            headers={"authorization": f"Bearer {key}", **given},
            body=b"" if body is None else json.dumps(body).encode(),
        )
        return self.front.visit(asked)

    def ask(self, key: str = SECRET, scope: str = "events:read", **headers: str) -> Response:
        with self.visit(key, **headers) as visit:
            caller = visit.admit(scope)
            visit.answer({"key": caller.key.id, "account": caller.account})
        return visit.response


def body(response: Response) -> Any:
    return json.loads(response.body)


def code(response: Response) -> tuple[int, str, str]:
    error = body(response)["error"]
    assert error["request_id"] == "req_1"
    assert error["doc_url"].endswith(error["code"].replace("_", "-"))
    return response.status, error["code"], error.get("param", "")


# Who asks


def test_a_key_is_let_in_and_told_its_version_and_what_is_left() -> None:
    desk = Desk()
    desk.ask()
    desk.now = 250
    response = desk.ask()
    assert (response.status, body(response)) == (200, {"key": "secret", "account": ""})
    seconds = int(START.timestamp())
    assert response.headers == {
        "content-type": "application/json",
        "chronapilot-version": CURRENT,
        "x-ratelimit-limit": str(REQUESTS_PER_SECOND),
        "x-ratelimit-remaining": str(REQUESTS_PER_SECOND - 2),
        "x-ratelimit-reset": str(seconds + 1),
    }


@pytest.mark.parametrize("key", ["", "sk_test_nobody", "rk_test_secret"])
def test_who_shows_no_key_of_ours_is_refused_and_told_nothing_else(key: str) -> None:
    response = Desk().ask(key)
    assert code(response) == (401, "authentication_failed", "")
    assert not any(name.startswith(("x-", "chronapilot")) for name in response.headers)


def test_a_key_of_the_other_mode_is_told_so() -> None:
    assert "takes test keys, and a live key" in body(Desk().ask("sk_live_secret"))["error"]["message"]
    live = Desk(VoiceKey("l", fingerprint("sk_live_1"), "sk_live"))
    assert "takes live keys, and a test key" in body(live.ask("sk_test_1"))["error"]["message"]


def test_a_key_whose_last_day_has_passed_is_told_so() -> None:
    response = Desk().ask(OVER)
    assert code(response) == (401, "authentication_failed", "")
    assert "over has expired" in body(response)["error"]["message"]


def test_a_key_without_the_scope_is_told_which_it_lacks() -> None:
    response = Desk().ask(READER, "events:write")
    assert code(response) == (403, "authorization_failed", "events:write")
    assert response.headers["chronapilot-version"] == OLD


def test_a_secret_key_may_act_for_its_accounts_and_a_token_for_its_one() -> None:
    desk = Desk()
    assert body(desk.ask(SECRET, chronapilot_account="cpa_1"))["account"] == "cpa_1"
    assert body(desk.ask(TOKEN))["account"] == "cpa_9"
    assert body(desk.ask(TOKEN, chronapilot_account="cpa_9"))["account"] == "cpa_9"
    for key, account in ((SECRET, "cpa_2"), (TOKEN, "cpa_1"), (READER, "cpa_1")):
        assert code(desk.ask(key, chronapilot_account=account)) == (403, "authorization_failed", "Chronapilot-Account")


def test_a_caller_is_held_to_the_users_of_the_key() -> None:
    bound, free = Caller(KEYS[1]), Caller(KEYS[0])
    assert (bound.user_of(None, "usr_z"), free.user_of(None, "usr_z")) == ("usr_a", "usr_z")
    assert free.user_of("usr_b", "usr_z") == "usr_b"
    with pytest.raises(Refused, match="does not open"):
        bound.user_of("usr_b", "usr_z")


# In which version


def test_the_version_is_the_keys_own_or_the_requests() -> None:
    desk = Desk()
    assert desk.ask(READER).headers["chronapilot-deprecation-date"] == SUPERSEDED[OLD]
    asked = desk.ask(READER, chronapilot_version=CURRENT)
    assert asked.headers["chronapilot-version"] == CURRENT
    assert "chronapilot-deprecation-date" not in asked.headers
    assert code(desk.ask(chronapilot_version="soon")) == (400, "invalid_parameter", "Chronapilot-Version")


# How often


def test_a_key_may_ask_so_often_in_a_second_and_no_more() -> None:
    desk = Desk()
    for _ in range(REQUESTS_PER_SECOND):
        assert desk.ask().status == 200
    refused = desk.ask()
    assert code(refused) == (429, "rate_limit_exceeded", "")
    assert (refused.headers["retry-after"], refused.headers["x-ratelimit-remaining"]) == ("1", "0")
    assert desk.ask(TOKEN).status == 200
    desk.now = 1000
    assert desk.ask().status == 200


def test_so_many_requests_of_a_key_may_be_under_way_and_no_more() -> None:
    desk = Desk()
    under_way = [desk.visit() for _ in range(REQUESTS_AT_A_TIME)]
    for visit in under_way:
        visit.admit("")
    refused = desk.ask()
    assert (code(refused), refused.headers["retry-after"]) == ((429, "rate_limit_exceeded", ""), "1")
    under_way[0].__exit__(None, None, None)
    assert desk.ask().status == 200


def test_a_key_without_limits_is_told_of_none() -> None:
    desk = Desk(VoiceKey("bridge", fingerprint(SECRET), limited=False))
    for _ in range(REQUESTS_PER_SECOND + 1):
        response = desk.ask()
        assert response.status == 200
    assert "x-ratelimit-limit" not in response.headers


# Once


def create(desk: Desk, wish: Any, *, fails: Exception | None = None, **headers: str) -> Response:
    with desk.visit(body=wish, **headers) as visit:
        visit.admit("")
        if visit.is_new(visit.body()):
            if fails is not None:
                raise fails
            visit.answer({"deed": visit.deed, "at": desk.now}, 201)
    return visit.response


def test_the_same_request_again_has_the_same_answer_and_another_is_a_conflict() -> None:
    desk = Desk()
    first = create(desk, {"a": 1, "b": 2}, idempotency_key="n")
    desk.now = 5000
    again = create(desk, {"b": 2, "a": 1}, idempotency_key="n")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["chronapilot-idempotent-replay"] == "true"
    assert code(create(desk, {"a": 2}, idempotency_key="n"))[:2] == (409, "idempotency_key_in_use")
    assert create(desk, {"a": 1, "b": 2}).body != first.body


def test_a_deed_has_the_name_of_its_request_so_that_it_is_not_done_twice() -> None:
    assert body(create(Desk(), {}, idempotency_key="n"))["deed"] == "rest:secret::POST /v1/things:n"
    assert body(create(Desk(), {}))["deed"] == "req_1"


def test_a_refusal_is_remembered_and_a_failure_is_not() -> None:
    desk = Desk()
    refused = create(desk, {}, fails=Refused("no", code="resource_missing"), idempotency_key="n")
    assert code(refused)[:2] == (404, "resource_missing")
    assert create(desk, {}, idempotency_key="n").status == 404
    assert create(desk, {}, fails=Unavailable("gone"), idempotency_key="m").status == 503
    assert create(desk, {}, idempotency_key="m").status == 201


def test_the_same_request_while_the_first_is_under_way_is_asked_to_wait() -> None:
    desk = Desk()
    first = desk.visit(body={}, idempotency_key="n")
    first.admit("")
    assert first.is_new(first.body())
    second = create(desk, {}, idempotency_key="n")
    assert (code(second)[:2], second.headers["retry-after"]) == ((409, "idempotency_key_in_use"), "1")
    first.answer({}, 201)
    first.__exit__(None, None, None)
    assert create(desk, {}, idempotency_key="n").headers["chronapilot-idempotent-replay"] == "true"


def test_a_request_that_is_broken_off_leaves_its_name_free() -> None:
    desk = Desk()
    with pytest.raises(KeyboardInterrupt):
        create(desk, {}, fails=KeyboardInterrupt(), idempotency_key="n")  # type: ignore[arg-type]  # as a cancel comes
    assert create(desk, {}, idempotency_key="n").status == 201


# What goes wrong


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 201),
        ("application/octet-stream", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_is_json(content_type: str, status: int) -> None:
    assert create(Desk(), {}, content_type=content_type).status == status


def test_our_own_mistake_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = create(Desk(), {}, fails=ValueError("marzipan"))
    assert code(response)[:2] == (500, "internal_error")
    assert b"marzipan" not in response.body
    assert "! the voice API failed" in caplog.text
