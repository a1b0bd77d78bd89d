"""The way back of a caller who was handed over: which addresses are allowed, and what is signed."""

import hmac
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import RemoteError, SettingsError
from phone_bridge.handover import (
    MAX_ACTIONS,
    MAX_REF_CHARS,
    MAX_RETURN_URLS,
    MAX_URL_CHARS,
    MAX_WORD_CHARS,
    MIN_KEY_BYTES,
    Result,
    WayBack,
    address,
    check,
    way_back,
)

KEY = "k" * MIN_KEY_BYTES
BACK = "https://ivr.example.com/back"
STUDIO = "https://webhooks.twilio.com/v1/Accounts/AC1/Flows/FW1?FlowEvent=return"


def told(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))


def by_hand(key: str, pairs: dict[str, str]) -> str:
    text = "\n".join(f"{name}={value}" for name, value in sorted(pairs.items()))
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def refusal(url: str, *allowed: str, ref: str = "") -> str:
    with pytest.raises(RemoteError) as caught:
        way_back(allowed or (BACK,), KEY, url, ref)
    return caught.value.code


# What is told


def test_what_was_done_is_told_and_signed() -> None:
    actions = [("cancel_event", "confirmed", "executed"), ("create_event", "declined", "")]
    result = Result(call="call_1", call_sid="CA1", ended="completed", actions=actions, digits="1")
    pairs = told(address(WayBack(url=BACK, key=KEY, ref="ticket 4711"), result, 1_000))
    signature = pairs.pop("pb_signature")
    assert pairs == {
        "pb_actions": "cancel_event:confirmed:executed,create_event:declined:",
        "pb_at": "1000",
        "pb_call": "call_1",
        "pb_call_sid": "CA1",
        "pb_digits": "1",
        "pb_ended": "completed",
        "pb_ref": "ticket 4711",
    }
    assert signature == by_hand(KEY, pairs)


def test_the_query_that_an_address_has_stays() -> None:
    url = address(WayBack(url=STUDIO, key=KEY), Result(call_sid="CA1", ended="busy"), 1_000)
    assert url.startswith(STUDIO + "&pb_at=1000&")
    assert told(url)["FlowEvent"] == "return"


def test_of_many_actions_the_last_are_told() -> None:
    actions = [(f"do_{number}", "declined", "") for number in range(MAX_ACTIONS + 1)]
    pairs = told(address(WayBack(url=BACK, key=KEY), Result(call_sid="CA1", ended="completed", actions=actions), 0))
    assert pairs["pb_actions"].split(",")[0] == "do_1:declined:"
    assert pairs["pb_actions"].count(",") == MAX_ACTIONS - 1


def test_no_name_of_a_tool_can_pass_for_two_and_none_is_endless() -> None:
    actions = [("a,b:confirmed\n=", "declined", ""), ("x" * 100, "declined", "")]
    pairs = told(address(WayBack(url=BACK, key=KEY), Result(call_sid="CA1", ended="completed", actions=actions), 0))
    assert pairs["pb_actions"] == f"a_b_confirmed__:declined:,{'x' * MAX_WORD_CHARS}:declined:"


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_told_no_line_can_be_added_and_the_signature_fits(ref: str, error: str, digits: str) -> None:
    result = Result(call_sid="CA1", ended="failed", error=error, digits=digits)
    pairs = told(address(WayBack(url=BACK, key=KEY, ref=ref), result, 5))
    signature = pairs.pop("pb_signature")
    assert signature == by_hand(KEY, pairs)
    assert not any("\n" in value for value in pairs.values())


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(WayBack(url=BACK, key=KEY))


# Where callers may be sent


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        (BACK, BACK),
        (BACK, BACK + "?flow=1&a=b"),
        (BACK, "https://IVR.example.com/back"),
        (STUDIO, STUDIO),
        ("http://127.0.0.1:9000/back", "http://127.0.0.1:9000/back"),
    ],
)
def test_an_address_that_the_route_names_is_allowed(allowed: str, url: str) -> None:
    assert way_back((allowed,), KEY, url, "r") == WayBack(url=url, key=KEY, ref="r")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/back",
        "//ivr.example.com/back",
        "http://ivr.example.com/back",
        "https://ivr.example.com/back/",
        "https://ivr.example.com/backdoor",
        "https://ivr.example.com/",
        "https://ivr.example.com:8443/back",
        "https://ivr.example.com.evil.example/back",
        "https://evil.example/https://ivr.example.com/back",
        "https://ivr.example.com@evil.example/back",
        "https://user@ivr.example.com/back",
        "https://evil.example\\@ivr.example.com/back",
        "https://ivr.example.com/back/../admin",
        "https://ivr.example.com/x/%2e%2e/back",
        "https://ivr.example.com/back#fragment",
        "https://ivr.example.com/back#rc=2",
        "https://ivr.example.com/back\n",
        " https://ivr.example.com/back",
        "https://ivr.example.com/b\u0430ck",
        "https://ivr.example.com:port/back",
        "https://[ivr.example.com/back",
        "javascript:alert(1)",
        "file:///etc/passwd",
        BACK + "?pb_ended=completed",
        BACK + "?a=1&%70b_ended=completed",
        BACK + "?" + "x" * MAX_URL_CHARS,
    ],
)
def test_no_other_address_is(url: str) -> None:
    assert refusal(url) == "return_url_not_allowed"


def test_an_address_with_a_query_allows_that_one_alone() -> None:
    assert refusal(STUDIO + "&more=1", STUDIO) == "return_url_not_allowed"
    assert refusal(STUDIO.partition("?")[0], STUDIO) == "return_url_not_allowed"


def test_without_an_address_none_is_allowed_and_the_message_says_how_to_mend_it() -> None:
    with pytest.raises(RemoteError, match=r"\('https://ivr.example.com/back'\): write it into the route's return_urls"):
        way_back((), "", BACK + "?secret=1")


def test_an_address_may_be_as_long_as_the_limit_and_no_longer() -> None:
    query = "?" + "x" * (MAX_URL_CHARS - len(BACK) - 1)
    assert way_back((BACK,), KEY, BACK + query).url == BACK + query
    assert refusal(BACK + query + "x") == "return_url_not_allowed"


def test_a_reference_has_its_limit_too() -> None:
    assert way_back((BACK,), KEY, BACK, "x" * MAX_REF_CHARS).ref == "x" * MAX_REF_CHARS
    assert refusal(BACK, ref="x" * (MAX_REF_CHARS + 1)) == "ref_malformed"
    assert refusal(BACK, ref="a\nb") == "ref_malformed"


# What an operator may write


def test_what_can_be_used_is_let_pass() -> None:
    check((BACK, STUDIO), KEY, "here")
    check((), "", "here")
    check((BACK,) * MAX_RETURN_URLS, KEY, "here")


@pytest.mark.parametrize(
    ("urls", "key", "mend"),
    [
        ((BACK,), "", "both return_urls and their key"),
        ((), KEY, "both return_urls and their key"),
        ((BACK,), KEY[1:], "openssl rand -hex 32"),
        ((BACK,) * (MAX_RETURN_URLS + 1), KEY, "50 at most"),
        (("http://ivr.example.com/back",), KEY, "write it as https://host/path"),
        (("https://user:word@ivr.example.com/back",), KEY, "write it as https://host/path"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place_and_its_mend(urls: Any, key: str, mend: str) -> None:
    with pytest.raises(SettingsError, match=mend) as caught:
        check(urls, key, "phone-bridge.toml, line 1")
    assert str(caught.value).startswith("phone-bridge.toml, line 1 ")
    if key:
        assert key not in str(caught.value)
