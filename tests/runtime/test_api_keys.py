"""Keys of the API as they are made, written down, checked and found."""

import tomllib
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import SettingsError
from phone_bridge.runtime import api_keys
from phone_bridge.runtime.api_keys import (
    MAX_KEY_CHARS,
    MAX_USER_CHARS,
    SCOPES,
    ApiKey,
    as_toml,
    check,
    fingerprint,
    operators,
    shown,
)

PLAIN = "pb_not-a-real-key"
KEY = ApiKey("billing", fingerprint(PLAIN), ("calls:read",), date(2026, 11, 30))


def test_a_new_key_is_random_and_long_enough() -> None:
    keys = {api_keys.new() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("pb_") and len(key) == 3 + 43 for key in keys)  # 32 bytes are 43 characters


def test_the_key_that_was_shown_is_found_wherever_it_stands() -> None:
    keys = operators(("first", "second", "third"))
    assert [shown(plain, keys) for plain in ("first", "second", "third")] == list(keys)
    assert [key.scopes for key in keys] == [SCOPES] * 3


@given(st.text())
def test_nothing_else_is_a_key(given_key: str) -> None:
    assert shown(given_key, (KEY,)) is None
    assert shown(given_key, ()) is None


@pytest.mark.parametrize("given_key", ["", KEY.sha256, PLAIN + "x", PLAIN.upper(), "\ud800", PLAIN + "\0"])
def test_what_looks_like_it_is_no_key(given_key: str) -> None:
    assert shown(given_key, (KEY,)) is None


def test_a_key_may_be_so_long_and_no_longer() -> None:
    longest = "k" * MAX_KEY_CHARS
    assert shown(longest, operators((longest,))) is not None
    assert shown(longest + "k", operators((longest + "k",))) is None


def test_a_key_is_good_for_its_scopes_until_its_last_day_has_passed() -> None:
    assert KEY.allows("calls:read")
    assert not KEY.allows("calls:write")
    assert [KEY.is_over(date(2026, 11, day)) for day in (29, 30)] == [False, False]
    assert KEY.is_over(date(2026, 12, 1))
    assert not operators(("k",))[0].is_over(date.max)


def test_every_key_is_tried_by_its_hash_and_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(given_hash: str, kept: str) -> bool:
        compared.append((given_hash, kept))
        return given_hash == kept

    monkeypatch.setattr("hmac.compare_digest", compare)
    keys = operators(("first", "second", "third"))
    assert shown("first", keys) == keys[0]
    assert compared == [(keys[0].sha256, key.sha256) for key in keys]


OF_ONE = ApiKey("tenant", KEY.sha256, ("calls:read",), users=("usr_a", 'us"r_b'))


def test_a_key_of_some_users_is_good_for_nobody_else() -> None:
    assert [OF_ONE.sees(user) for user in ("usr_a", "usr_c", "")] == [True, False, False]
    assert KEY.sees("usr_c")


@pytest.mark.parametrize("key", [KEY, OF_ONE, *operators(("a",))], ids=lambda key: key.id)
def test_what_is_written_down_is_read_again(key: ApiKey) -> None:
    (read,) = tomllib.loads(as_toml(key))["api_keys"]
    assert msgspec.convert(read, ApiKey) == key
    assert PLAIN not in as_toml(key)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": ""}, "needs an id"),
        ({"id": 'a"\n'}, "needs an id"),
        ({"id": "a" * 65}, "needs an id"),
        ({"sha256": PLAIN}, "needs sha256"),
        ({"sha256": KEY.sha256.upper()}, "needs sha256"),
        ({"scopes": ()}, "needs scopes"),
        ({"scopes": ("calls:read", "all")}, "calls:read, calls:write"),
        ({"users": ("usr_a", "")}, "users of which one is empty"),
        ({"users": ("u" * (MAX_USER_CHARS + 1),)}, "too long"),
        ({"users": ("usr_a",), "scopes": ("calls:read", "metrics:read")}, "metrics:read cannot be kept to them"),
    ],
)
def test_a_key_that_cannot_work_is_named_and_not_shown(change: dict[str, object], says: str) -> None:
    wrong = msgspec.structs.replace(KEY, **change)
    for refused in (lambda: check([wrong]), lambda: as_toml(wrong)):
        with pytest.raises(SettingsError, match=says) as caught:
            refused()
        assert PLAIN not in str(caught.value)


def test_two_keys_of_one_id_are_refused() -> None:
    check([KEY, msgspec.structs.replace(KEY, id="other")])
    with pytest.raises(SettingsError, match="same id"):
        check([KEY, KEY])
