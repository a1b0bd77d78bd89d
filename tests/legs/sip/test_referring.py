import pytest

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import MAX_FIELD_CHARS, Request, fragment, read
from phone_bridge.legs.sip.referring import MAX_HEADERS, SUBSCRIBED_S, Referral, news, read_referral
from phone_bridge.legs.sip.replacing import Replaces
from tests.legs.sip import samples

TO = "<sip:carol@192.0.2.20>"


def asked(name: str = "10_refer_blind.sip", old: str = "", new: str = "") -> Referral:
    request = read(samples.text("transfer", name).replace(old, new).encode())
    assert isinstance(request, Request)
    return read_referral(request)


def test_a_blind_transfer_names_somebody() -> None:
    found = asked()
    assert (str(found.uri), found.replaces, found.silent, found.id) == ("sip:carol@192.0.2.20", None, False, 10)
    assert found.by == "<sip:jane@192.0.2.10>"


def test_an_attended_transfer_names_whom_to_replace() -> None:
    found = asked("11_refer_attended.sip")
    assert str(found.uri) == "sip:carol@192.0.2.20:5062;transport=udp"
    assert found.replaces == Replaces(call_id="12adf2f34456gs5", to_tag="12345", from_tag="54321")
    assert found.by == "<sip:jane@192.0.2.10>"


def test_an_attended_transfer_by_linphone() -> None:
    found = asked("13_refer_softphone.sip")
    assert (str(found.uri), found.by) == ("sip:bob@office.example", "sip:alice@office.example")
    assert found.replaces == Replaces(call_id="tpJeqYhNTG", to_tag="GIwVAgS", from_tag="ugzgCao55")


def test_who_wants_to_hear_nothing_says_so() -> None:
    found = asked("12_refer_silent.sip")
    assert (found.silent, found.uri.user, found.by) == (True, "+4930999999", "")


@pytest.mark.parametrize("to", ["sip:carol@192.0.2.20", "Carol <sip:carol@192.0.2.20>;q=1"])
def test_an_address_needs_no_brackets_and_may_have_a_name(to: str) -> None:
    assert asked(old=TO, new=to).uri.user == "carol"


BROKEN = [
    (TO, ""),
    (TO, "<mailto:carol@example.org>"),
    (TO, "<sip:carol@192.0.2.20?Replaces=x>"),
    (TO, "<sip:carol@192.0.2.20?Replaces=%ff>"),
    (TO, "<sip:c@h?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc&replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>"),
    (TO, "<sip:c@h?" + "&".join(["x=1"] * (MAX_HEADERS + 1)) + ">"),
    (TO, "<sip:c@" + "h" * MAX_FIELD_CHARS + ">"),
    (f"Refer-To: {TO}", f"Refer-To: {TO}\r\nr: {TO}"),
    (f"Refer-To: {TO}\r\n", ""),
    ("Referred-By: <sip:jane@192.0.2.10>", "Referred-By: nobody at all"),
    ("Referred-By: <sip:jane@192.0.2.10>", "Referred-By: <sip:jane@" + "h" * MAX_FIELD_CHARS + ">"),
]


@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_what_names_nobody_or_several_is_a_named_error(old: str, new: str) -> None:
    with pytest.raises(RemoteError) as raised:
        asked(old=old, new=new)
    assert raised.value.code == "malformed_sip"


def test_news_are_told_until_they_are_final() -> None:
    fields, body = news(asked(), 180, "<sip:192.0.2.1>")
    assert (fragment(body), body) == (180, b"SIP/2.0 180 Ringing\r\n")
    assert ("Subscription-State", f"active;expires={SUBSCRIBED_S}") in fields
    assert ("Event", "refer;id=10") in fields
    fields, body = news(asked(), 484, "<sip:192.0.2.1>")
    assert fragment(body) == 484
    assert ("Subscription-State", "terminated;reason=noresource") in fields
