import tomllib
from datetime import date
from typing import Any

import msgspec
import pytest

from phone_bridge.assistant import keys
from phone_bridge.assistant.keys import KINDS, MIN_SECRET_CHARS, SCOPES, SESSION_SCOPES, Keyring, VoiceKey, kind_of
from phone_bridge.errors import SettingsError
from phone_bridge.runtime.api_keys import MAX_KEY_CHARS, fingerprint

HASH = "0" * 64


def key(kind: Any = "sk_test", **more: Any) -> VoiceKey:
    return VoiceKey(**{"id": "k", "sha256": HASH, "kind": kind, **more})


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_key_shows_its_kind_and_no_two_are_alike(kind: Any) -> None:
    made = {keys.new(kind) for _ in range(20)}
    assert len(made) == 20
    assert all(kind_of(each) == kind and each.islower() for each in made)


def test_what_begins_otherwise_is_no_key() -> None:
    assert [kind_of(each) for each in ("", "sk_prod_1", "pb_1", "sk_test")] == [None] * 4


def test_a_secret_key_is_good_for_everything_and_the_others_for_what_they_name() -> None:
    assert key("sk_live").grant == SCOPES
    assert key("rk_test", scopes=("events:read",)).grant == {"events:read"}
    assert SESSION_SCOPES < SCOPES


def test_a_publishable_key_never_mints_whatever_it_was_given() -> None:
    assert key("sk_test").mints
    assert key("cat", scopes=("voice:invoke",)).mints
    assert not key("rk_test", scopes=("events:read",)).mints
    assert not key("pk_test", scopes=("voice:invoke",)).mints


def test_a_key_acts_for_the_accounts_it_names_and_a_secret_one_for_all_unless_it_names_some() -> None:
    assert key("sk_live").acts_for("cpa_1")
    assert not key("sk_live", accounts=("cpa_2",)).acts_for("cpa_1")
    assert not key("rk_live").acts_for("cpa_1")
    assert key("cat", accounts=("cpa_1",)).acts_for("cpa_1")


def test_a_key_opens_the_calendars_of_its_users() -> None:
    assert key().opens("usr_a")
    assert [key("rk_test", users=("usr_a",)).opens(user) for user in ("usr_a", "usr_b")] == [True, False]


def test_a_keys_last_day_is_its_last() -> None:
    last = key(expires=date(2026, 11, 21))
    assert not last.is_over(date(2026, 11, 21))
    assert last.is_over(date(2026, 11, 22))
    assert not key().is_over(date(9999, 1, 1))


def test_a_key_is_found_by_what_was_shown_and_only_as_the_kind_it_is() -> None:
    plain = keys.new("rk_test")
    ring = Keyring([key(sha256=fingerprint("sk_test_1")), key("rk_test", id="r", sha256=fingerprint(plain))])
    found = ring.find(plain)
    assert found is not None
    assert found.id == "r"
    assert ring.find("sk_test_2") is None
    disguised = Keyring([key("rk_test", sha256=fingerprint("sk_test_1"))])
    assert disguised.find("sk_test_1") is None


def test_a_key_of_the_other_mode_is_known_as_one() -> None:
    sandbox, live = Keyring([key("sk_test")]), Keyring([key("sk_live")])
    assert sandbox.is_of_the_other_mode("sk_live_1")
    assert live.is_of_the_other_mode("pk_test_1")
    assert not live.is_of_the_other_mode("sk_live_1")
    assert not live.is_of_the_other_mode("cat_1")
    assert (sandbox.live, live.live) == (False, True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (key(id="two words"), "needs an id"),
        (key(sha256="abc"), "needs sha256"),
        (key("rk_test", scopes=("moon:land",)), "a scope that there is not"),
        (key(version="2019-01-01"), "not served"),
        (key(accounts=("acct",)), "cpa_"),
        (key("sk_test", users=("usr_a",)), "restrict a key of kind rk_"),
        (key("rk_test"), "needs scopes"),
        (key("cat", scopes=("voice:invoke",)), "its one account"),
        (key("pk_test", scopes=("events:write",), users=("usr_a",)), "only read"),
        (key("pk_test", scopes=("events:read",)), "name the users"),
        (key("rk_test", scopes=("webhooks:manage",), users=("usr_a",)), "tell of all users"),
    ],
)
def test_a_key_that_cannot_be_is_refused_by_its_name(wrong: VoiceKey, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        keys.check([wrong])
    assert repr(wrong.id) in str(caught.value)
    assert wrong.sha256 not in str(caught.value) or wrong.sha256 == "abc"


def test_two_keys_of_one_name_and_keys_of_both_modes_are_refused() -> None:
    with pytest.raises(SettingsError, match="the same id"):
        keys.check([key(), key()])
    with pytest.raises(SettingsError, match="all of _test_ or all of _live_"):
        keys.check([key(), key("sk_live", id="l")])
    token = key("cat", id="c", scopes=("voice:invoke",), accounts=("cpa_1",))
    keys.check([key("sk_live", id="l"), token])


def test_what_is_written_down_is_read_again() -> None:
    made = key("rk_live", scopes=("events:read",), users=("usr_a",), accounts=("cpa_1",), expires=date(2027, 1, 31))
    (lines,) = tomllib.loads(keys.as_toml(made))["voice_keys"]
    assert msgspec.convert(lines, VoiceKey) == made


def test_an_operators_own_keys_are_secret_ones_that_nobody_guesses() -> None:
    (made,) = keys.operators(["sk_test_" + "x" * MIN_SECRET_CHARS])
    assert (made.id, made.kind, made.limited) == ("operator-1", "sk_test", True)
    for bad in (
        "sk_test_" + "x" * (MIN_SECRET_CHARS - 1),
        "sk_test_" + "x" * MAX_KEY_CHARS,
        "pk_test_" + "x" * 40,
        "x",
    ):
        with pytest.raises(SettingsError, match="PHONE_BRIDGE_VOICE_KEY"):
            keys.operators([bad])
