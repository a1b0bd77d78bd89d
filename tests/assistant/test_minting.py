import json
from typing import Any

import pytest

from phone_bridge.assistant import minting
from phone_bridge.assistant.keys import VoiceKey
from phone_bridge.assistant.minting import MintRequest, checked, name_in, parse, permit, random_id
from phone_bridge.assistant.problems import Problem
from phone_bridge.tools.catalogue import Policy

WISH: dict[str, Any] = {"user_id": "usr_alice", "scopes": ["events:read"], "ttl_seconds": 600}


def test_a_whole_request_is_taken_as_it_is() -> None:
    assert checked(WISH) == MintRequest("usr_alice", ("events:read",), 600)


def test_a_life_that_is_not_said_is_the_documented_one() -> None:
    assert checked({"user_id": "usr_alice", "scopes": []}).ttl_seconds == 300


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"user_id": None}, "missing_required_field", "user_id"),
        ({"scopes": None}, "missing_required_field", "scopes"),
        ({"user_id": 7}, "invalid_parameter", "user_id"),
        ({"user_id": ""}, "invalid_parameter", "user_id"),
        ({"user_id": "u" * (minting.MAX_NAME_CHARS + 1)}, "invalid_parameter", "user_id"),
        ({"scopes": "events:read"}, "invalid_parameter", "scopes"),
        ({"scopes": [7]}, "invalid_parameter", "scopes[0]"),
        ({"confirm": "sometimes"}, "invalid_parameter", "confirm"),
        ({"ttl_seconds": "600"}, "invalid_parameter", "ttl_seconds"),
        ({"ttl_seconds": minting.MIN_TTL_SECONDS - 1}, "invalid_parameter", "ttl_seconds"),
        ({"ttl_seconds": minting.MAX_TTL_SECONDS + 1}, "invalid_parameter", "ttl_seconds"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], code: str, param: str) -> None:
    wish = {key: value for key, value in {**WISH, **change}.items() if value is not None}
    with pytest.raises(Problem) as caught:
        checked(wish)
    assert (caught.value.code, caught.value.param) == (code, param)


@pytest.mark.parametrize("wish", [[], "usr_alice", None, 7])
def test_a_body_that_is_no_object_is_refused(wish: Any) -> None:
    with pytest.raises(Problem) as caught:
        checked(wish)
    assert caught.value.code == "invalid_parameter"


def test_the_limits_of_life_are_allowed() -> None:
    for ttl in (minting.MIN_TTL_SECONDS, minting.MAX_TTL_SECONDS):
        assert checked({**WISH, "ttl_seconds": ttl}).ttl_seconds == ttl


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000])
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse(body)
    assert caught.value.code == "invalid_json"


def test_a_body_may_be_so_long_and_no_longer() -> None:
    fits = json.dumps("a" * (minting.MAX_BODY_BYTES - 2)).encode()

    assert parse(fits)
    with pytest.raises(Problem) as caught:
        parse(fits + b" ")
    assert caught.value.status == 413


def test_a_name_in_a_header_may_be_so_long_and_no_longer() -> None:
    longest = "n" * minting.MAX_NAME_CHARS

    assert name_in({}, "idempotency-key") == ""
    assert name_in({"idempotency-key": longest}, "idempotency-key") == longest
    with pytest.raises(Problem) as caught:
        name_in({"idempotency-key": longest + "n"}, "idempotency-key")
    assert caught.value.param == "idempotency-key"


def test_what_waits_for_consent_can_be_said() -> None:
    assert checked({**WISH, "confirm": "all"}).confirm is Policy.ALL
    assert checked(WISH).confirm is Policy.DEFAULT


def key(kind: str, *scopes: str) -> VoiceKey:
    return VoiceKey("k", "0" * 64, kind, scopes)  # type: ignore[arg-type]  # the table below says which


@pytest.mark.parametrize(
    ("given", "scopes", "message"),
    [
        (key("sk_test"), ["webhooks:manage"], "'webhooks:manage'"),
        (key("sk_test"), ["events:read", "moon:land"], "'moon:land'"),
        (key("rk_test", "voice:invoke", "events:read"), ["events:read", "events:write"], "'events:write'"),
        (key("rk_test", "events:read"), ["events:read"], "lacks voice:invoke"),
        (key("cat", "events:read"), [], "lacks voice:invoke"),
        (key("pk_test", "events:read"), ["events:read"], "publishable"),
    ],
)
def test_a_key_passes_on_no_more_than_it_has(given: VoiceKey, scopes: list[str], message: str) -> None:
    with pytest.raises(Problem, match=message) as caught:
        permit(given, checked({**WISH, "scopes": scopes}))
    assert caught.value.code == "authorization_failed"


def test_a_key_passes_on_what_it_has() -> None:
    permit(key("sk_live"), checked({**WISH, "scopes": ["events:read", "alerts:write", "voice:invoke"]}))
    permit(key("rk_test", "voice:invoke", "events:read"), checked(WISH))
    permit(key("cat", "voice:invoke"), checked({**WISH, "scopes": []}))


def test_ids_are_their_prefix_and_twenty_letters() -> None:
    made = {random_id("hub") for _ in range(100)}

    assert len(made) == 100
    assert all(each.startswith("hub_") and len(each) == 24 and each[4:].isalnum() and each.islower() for each in made)
