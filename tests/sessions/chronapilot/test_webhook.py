"""ChronaPilot's webhooks: whose they are, and what is said to whoever is rung for one."""

import hmac
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import RemoteError
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot.webhook import LATE, LEAVE, TOLERANCE_S, Notice, event_request, signed

SECRET, NOW, BODY = "whsec_one", 1_795_521_600, b'{"id":"whe_1"}'


def signature(body: bytes = BODY, secret: str = SECRET, at: int = NOW) -> str:
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, sha256).hexdigest()}"


def delivery(type: str, **about: Any) -> bytes:
    body = {"id": "whe_1", "type": type, "created": NOW, "livemode": False, "data": {"object": about}}
    return msgspec.json.encode(body)


def test_a_signature_over_time_and_body_is_theirs() -> None:
    assert signed(signature(), BODY, (SECRET,), NOW)
    assert signed(signature(secret="whsec_new"), BODY, (SECRET, "whsec_new"), NOW)  # while it is rotated
    assert signed(signature().replace(",v1=", f",v1={'0' * 64},v1="), BODY, (SECRET,), NOW)


@pytest.mark.parametrize(
    ("header", "body", "secrets"),
    [
        (signature(), BODY + b" ", (SECRET,)),
        (signature(), BODY, ("whsec_two",)),
        (signature(), BODY, ()),
        (signature(at=NOW - TOLERANCE_S - 1), BODY, (SECRET,)),
        (signature(at=NOW + TOLERANCE_S + 1), BODY, (SECRET,)),
        (signature() + ",t=1", BODY, (SECRET,)),
        (signature().replace("t=", "x="), BODY, (SECRET,)),
        ("", BODY, (SECRET,)),
        ("t=\N{SUPERSCRIPT TWO},v1=", BODY, (SECRET,)),
        ("t=" + "9" * 5_000, BODY, (SECRET,)),
    ],
)
def test_anything_else_is_not(header: str, body: bytes, secrets: tuple[str, ...]) -> None:
    assert not signed(header, body, secrets, NOW)


def test_the_oldest_signature_that_counts_is_five_minutes_old() -> None:
    assert signed(signature(at=NOW - TOLERANCE_S), BODY, (SECRET,), NOW)


@given(st.text(max_size=100), st.binary(max_size=50))
def test_no_header_and_no_body_raises_anything_but_a_refusal(header: str, body: bytes) -> None:
    assert not signed(header, body, (SECRET,), NOW)
    with pytest.raises(RemoteError):
        Notice.parse(b"{" + body)


@pytest.mark.parametrize(
    ("type", "about", "language", "words"),
    [
        (LEAVE, {"title": "Dentist"}, "en", "It is time to leave for Dentist."),
        (LEAVE, {}, "en", "It is time to leave for your next event."),
        (LEAVE, {"title": "Zahnarzt"}, "de-DE", "Zeit zum Aufbruch für: Zahnarzt."),
        (LATE, {"title": "Lunch", "minutes_late": 12}, "en", "You will probably be 12 minutes late for Lunch."),
        (LATE, {"title": "Lunch"}, "en", "You will probably be late for Lunch."),
        (LATE, {"minutes_late": 5}, "es-MX", "Es probable que llegue 5 minutos tarde a: su próximo evento."),
        (LATE, {}, "fr", "Vous serez probablement en retard pour : votre prochain événement."),
        (LATE, {"minutes_late": 5}, "de", "Sie kommen voraussichtlich 5 Minuten zu spät zu: Ihren nächsten Termin."),
    ],
)
def test_what_is_said(type: str, about: dict[str, Any], language: str, words: str) -> None:
    notice = Notice.parse(delivery(type, event_id="evt_1", **about))
    assert notice.worth_a_call
    assert notice.words(language) == words


def test_most_of_what_they_tell_is_worth_no_call() -> None:
    for type_ in ("event.created", "departure.computed", "event.late_confirmed", "something.new"):
        assert not Notice.parse(delivery(type_, event_id="evt_1")).worth_a_call


def test_the_event_itself_says_more_than_the_hint() -> None:
    notice = Notice.parse(delivery(LEAVE, event_id="evt_1"))
    request = event_request("https://api.test/", "sk_1", notice.event_id)
    assert request.url == "https://api.test/v1/events/evt_1"
    event = {"id": "evt_1", "title": "Dentist", "user_id": "usr_1"}
    whole = notice.with_event(Response(status=200, body=msgspec.json.encode(event)))
    assert (whole.title, whole.user_id, whole.worth_a_call) == ("Dentist", "usr_1", True)
    gone = notice.with_event(Response(status=200, body=msgspec.json.encode({**event, "is_cancelled": True})))
    assert not gone.worth_a_call
    for other in (Response(status=404), Response(status=200, body=b"{"), Response(status=200, body=b'{"id":"evt_2"}')):
        assert notice.with_event(other) == notice


def test_an_id_that_is_none_is_not_looked_up() -> None:
    assert Notice.parse(delivery(LEAVE, event_id="../users")).event_id == ""
