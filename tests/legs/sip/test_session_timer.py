"""Session timers, an agent against callers and called who keep them, want them kept, or forget them."""

import pytest

from phone_bridge.legs.sip import session_timer
from phone_bridge.legs.sip.agent import Confirmed, Fact, Invited, Lapsed, Said
from phone_bridge.legs.sip.message import Fields, Request, Response, read, response
from phone_bridge.legs.sip.session_timer import MAX_SE_S, MIN_SE_S, SessionTimer, Wanted, wanted
from phone_bridge.legs.sip.transaction import LIFE_MS
from tests.legs.sip import samples
from tests.legs.sip.samples import START
from tests.legs.sip.test_agent import BODY, Line, ack, answered, within
from tests.legs.sip.test_calling import ANSWER, CONTACT, Peer


def invite(*fields: str) -> bytes:
    more = "".join(f"{field}\r\n" for field in fields).encode()
    return samples.raw("outside", "invite.sip").replace(b"Content-Type", more + b"Content-Type", 1)


def taken(line: Line, *fields: str) -> tuple[Invited, Response]:
    (invited,) = line.say(invite(*fields))
    assert isinstance(invited, Invited)
    line.agent.accept(invited.dialog, BODY, line.now)
    accepted = line.heard()[-1]
    assert isinstance(accepted, Response)
    (confirmed,) = line.say(ack(invited))
    assert isinstance(confirmed, Confirmed)
    return invited, accepted


def refresh(line: Line, invited: Invited, sequence: int, *fields: str) -> Response:
    update = within(invited, "9_bye.sip").replace(b"BYE", b"UPDATE").replace(b"CSeq: 7", f"CSeq: {sequence}".encode())
    more = "".join(f"{field}\r\n" for field in fields).encode()
    update = update.replace(b"branch=", f"branch=z9hG4bKu{sequence};was=".encode())
    (said,) = line.say(update.replace(b"Content-Length", more + b"Content-Length"))
    assert isinstance(said, Said)
    leg = samples.leg()
    leg.receive(said.text, line.now)
    (text,) = leg.outgoing()
    assert isinstance(text, str)
    line.agent.send(invited.dialog, text, line.now)
    found = line.heard()[-1]
    assert isinstance(found, Response)
    return found


def test_a_caller_that_keeps_the_session_up_is_let_and_one_that_forgets_is_hung_up_on() -> None:
    line = Line()
    asks = ("Supported: timer", "Session-Expires: 180")
    invited, accepted = taken(line, *asks)
    assert accepted.headers["Session-Expires"] == "180;refresher=uac"
    assert accepted.options("Require") == {"timer"}
    assert line.wait(START + 140_000) == []
    assert refresh(line, invited, 20, *asks).headers["Session-Expires"] == "180;refresher=uac"
    assert line.wait(START + 140_000 + 147_000) == []
    assert line.wait(START + 140_000 + 148_000) == [Lapsed(invited.dialog)]
    assert line.codes() == ["BYE"]


def test_a_session_whose_time_is_not_spoken_of_any_more_has_none() -> None:
    line = Line()
    invited, _ = taken(line, "Supported: timer", "Session-Expires: 90")
    assert "Session-Expires" not in str(refresh(line, invited, 20).headers)
    assert line.wait(START + 1_000_000) == []


def test_a_caller_that_wants_us_to_keep_it_up_is_told_by_update() -> None:
    line = Line()
    invited, accepted = taken(line, "Supported: timer", "Session-Expires: 100;refresher=uas", "Allow: INVITE, UPDATE")
    assert accepted.headers["Session-Expires"] == "100;refresher=uas"
    assert line.wait(START + 50_000) == []
    ((data, _),) = line.agent.outgoing()
    update = read(data)
    assert isinstance(update, Request)
    assert (update.method, update.headers["Session-Expires"]) == ("UPDATE", "100;refresher=uac")
    assert line.say(answered(data, 200)) == []
    line.wait(START + 100_000)
    ((data, _),) = line.agent.outgoing()
    assert line.say(answered(data, 481)) == [Lapsed(invited.dialog)]
    assert line.codes() == ["BYE"]


def test_a_caller_that_does_not_answer_has_vanished() -> None:
    line = Line()
    invited, _ = taken(line, "Supported: timer", "Session-Expires: 100;refresher=uas", "Allow: INVITE, UPDATE")
    assert line.wait(START + 50_000 + LIFE_MS) == [Lapsed(invited.dialog)]


@pytest.mark.parametrize(
    "asks",
    [
        ("Session-Expires: 180",),
        ("Supported: timer",),
        ("Supported: timer", "Session-Expires: soon"),
        ("Supported: timer", "Session-Expires: 180;refresher=uas"),
    ],
)
def test_without_what_it_takes_there_is_no_timer(asks: tuple[str, ...]) -> None:
    line = Line()
    _, accepted = taken(line, *asks)
    assert "Session-Expires" not in str(accepted.headers)
    assert line.wait(START + 1_000_000) == []


def test_an_interval_that_is_too_small_is_refused_at_the_beginning_and_later() -> None:
    line = Line()
    assert line.say(invite("Supported: timer", "Session-Expires: 89")) == []
    (refusal,) = line.heard()
    assert isinstance(refusal, Response)
    assert (refusal.code, refusal.headers["Min-SE"]) == (422, str(MIN_SE_S))


@pytest.mark.parametrize(("says", "ours"), [("120;refresher=uas", False), ("120;refresher=uac", True)])
def test_who_is_called_says_who_keeps_it_up(says: str, ours: bool) -> None:
    peer = Peer()
    peer.called()
    assert peer.request("INVITE").options("Supported") >= {"timer"}
    fields: Fields = (*CONTACT, ("Session-Expires", says), ("Allow", "INVITE, BYE, UPDATE"))
    peer.answer(200, fields=fields, body=ANSWER)
    peer.hear()
    facts: list[Fact] = peer.wait(60_000)
    assert facts == []
    assert peer.methods() == (["UPDATE"] if ours else [])
    if ours:
        text = response(peer.request("UPDATE"), 200)
        peer.agent.receive(text.encode(), peer.hop, peer.now)
    facts = peer.wait(28_000)
    assert [type(fact) for fact in facts] == ([] if ours else [Lapsed])


def test_what_a_message_says_has_bounds() -> None:
    request = read(invite("Session-Expires: 100000;refresher=UAC"))
    assert wanted(request) == Wanted(MAX_SE_S, "uac")
    assert wanted(read(invite("Session-Expires: 10000000"))) is None
    short = SessionTimer(90, ours=False, now=0)
    assert short.deadline() == (90 - 30) * 1000
    assert SessionTimer(1_800, ours=False, now=0).deadline() == (1_800 - session_timer.EXPIRY_MARGIN_S) * 1000
