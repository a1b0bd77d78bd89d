import json
from typing import Any

import pytest

from phone_bridge.assistant import minting
from phone_bridge.assistant.minting import ApiKey, MintRequest, checked, name_in, parse, random_id
from phone_bridge.assistant.problems import Problem
from phone_bridge.errors import SettingsError

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
        ({"scopes": ["events:read", "webhooks:manage"]}, "authorization_failed", "scopes"),
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


@pytest.mark.parametrize("secret", ["sk_live_abc", "pk_test_abc", "", "abc"])
def test_only_secret_test_keys_are_taken(secret: str) -> None:
    with pytest.raises(SettingsError):
        ApiKey("a", secret)


def test_a_key_does_not_show_its_secret() -> None:
    assert "hush" not in repr(ApiKey("bridge", "sk_test_hush"))


def test_ids_are_their_prefix_and_twenty_letters() -> None:
    made = {random_id("hub") for _ in range(100)}

    assert len(made) == 100
    assert all(each.startswith("hub_") and len(each) == 24 and each[4:].isalnum() and each.islower() for each in made)
