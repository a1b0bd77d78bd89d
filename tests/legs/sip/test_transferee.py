"""REFER and Replaces within an agent, in virtual time."""

import re
from ipaddress import ip_network

import pytest

from phone_bridge.errors import LocalError
from phone_bridge.legs.sip.access import Trunk
from phone_bridge.legs.sip.agent import Confirmed, Fact, Invited, Said
from phone_bridge.legs.sip.dialog import Hop
from phone_bridge.legs.sip.digest import Proof
from phone_bridge.legs.sip.message import CRLF, Request, Response, fragment, read, response
from phone_bridge.legs.sip.referring import LEAVE_MS
from phone_bridge.legs.sip.transferee import ReferAsked
from tests.legs.sip import samples
from tests.legs.sip.samples import CALLER
from tests.legs.sip.test_agent import ALICE, BODY, PBX, STRANGER, Line, ack

CAROL = Hop("192.0.2.20", 5060)
BYE = "9_bye.sip"


def within(invited: Invited, name: str, folder: str = "transfer", cseq: int = 0) -> bytes:
    data = samples.raw(folder, name).replace(b"=ours", f"={invited.dialog.tag}".encode())
    if cseq:
        data = re.sub(rb"CSeq: \d+", f"CSeq: {cseq}".encode(), data).replace(b"z9hG4bK", f"z9hG4bK{cseq}".encode())
    return data


def refer(line: Line, invited: Invited, name: str = "10_refer_blind.sip", source: Hop = CALLER) -> ReferAsked:
    (fact,) = line.say(within(invited, name), source)
    assert isinstance(fact, ReferAsked)
    return fact


def news(line: Line) -> list[int]:
    """Agree to what is told; gives the statuses."""
    told = [m for m in line.heard() if isinstance(m, Request) and m.method == "NOTIFY"]
    for request in told:
        line.say(response(request, 200).encode())
    return [fragment(request.body) for request in told]


def test_what_is_asked_is_agreed_to_and_told_of_until_it_is_done() -> None:
    line = Line()
    invited = line.taken()
    asked = refer(line, invited)
    assert asked.referral.uri.user == "carol"
    line.agent.agree(invited.dialog, line.now)
    accepted, trying = line.heard()
    assert isinstance(accepted, Response)
    assert isinstance(trying, Request)
    assert (accepted.code, accepted.cseq_method, fragment(trying.body)) == (202, "REFER", 100)
    line.say(response(trying, 200).encode())
    line.agent.tell(invited.dialog, 180, line.now)
    line.agent.tell(invited.dialog, 200, line.now)
    line.agent.tell(invited.dialog, 200, line.now)
    assert news(line) == [180, 200], "the last is told once"
    assert line.say(within(invited, "10_refer_blind.sip")) == [], "the same one again is one"
    assert line.codes() == [202]


def test_one_thing_is_asked_at_a_time() -> None:
    line = Line()
    invited = line.taken()
    refer(line, invited)
    assert line.say(within(invited, "11_refer_attended.sip")) == []
    assert line.codes() == [491]
    line.agent.decline(invited.dialog, 403, line.now)
    assert line.codes() == [403]
    refer(line, invited, "12_refer_silent.sip")
    with pytest.raises(LocalError):
        Line().agent.decline(invited.dialog, 403, line.now)


def test_who_wants_to_hear_nothing_hears_nothing() -> None:
    line = Line()
    invited = line.taken()
    refer(line, invited, "12_refer_silent.sip")
    line.agent.agree(invited.dialog, line.now)
    (accepted,) = line.heard()
    assert accepted.headers["Refer-Sub"] == "false"
    line.agent.tell(invited.dialog, 200, line.now)
    assert line.codes() == []


@pytest.mark.parametrize("answers", [True, False])
def test_who_has_forgotten_that_it_asked_is_told_no_more(answers: bool) -> None:
    line = Line()
    invited = line.taken()
    refer(line, invited)
    line.agent.agree(invited.dialog, line.now)
    _, trying = line.heard()
    assert isinstance(trying, Request)
    if answers:
        line.say(response(trying, 481).encode())
    else:
        line.wait(line.now + 40_000)
    line.heard()
    line.agent.tell(invited.dialog, 180, line.now)
    assert line.codes() == []


def test_a_request_that_makes_no_sense_is_refused() -> None:
    line = Line()
    invited = line.taken()
    assert line.say(within(invited, "10_refer_blind.sip").replace(b"sip:carol", b"mailto:carol")) == []
    assert line.codes() == [400]


def test_before_the_call_was_taken_nobody_is_asked_for() -> None:
    line = Line()
    invited = line.invited()
    line.heard()
    assert line.say(within(invited, "10_refer_blind.sip")) == []
    line.agent.accept(invited.dialog, BODY, line.now)
    line.say(within(invited, "11_refer_attended.sip"))
    assert [code for code in line.codes() if code != 200] == [491, 491]


def test_tags_alone_are_no_proof_of_who_asks() -> None:
    line = Line()
    invited = line.taken()
    assert line.say(within(invited, "10_refer_blind.sip"), STRANGER) == []
    assert line.codes() == [403]


def test_who_has_called_with_credentials_asks_with_them() -> None:
    line = Line(ALICE)
    invited = proven_call(line)
    plain = within(invited, "10_refer_blind.sip")
    assert line.say(plain) == []
    (refusal,) = line.heard()
    assert isinstance(refusal, Response)
    for cseq, password, code in [(20, "guessed", 401), (21, "sesame", 0)]:
        proof = Proof("alice", password, samples.Ids())
        assert proof.take(refusal, "REFER", "sip:192.0.2.1:5060")
        shown = "".join(f"{name}: {value}{CRLF}" for name, value in proof.fields)
        again = within(invited, "10_refer_blind.sip", cseq=cseq).replace(b"Refer-To", f"{shown}Refer-To".encode())
        facts = line.say(again)
        assert [type(fact) for fact in facts] == ([] if code else [ReferAsked])
        assert line.codes() == ([code] if code else [])


def proven_call(line: Line) -> Invited:
    line.say(samples.raw("outside", "invite.sip"))
    (refusal,) = line.heard()
    assert isinstance(refusal, Response)
    proof = Proof("alice", "sesame", samples.Ids())
    invite = samples.request("outside", "invite.sip")
    assert proof.take(refusal, "INVITE", str(invite.uri))
    shown = "".join(f"{name}: {value}{CRLF}" for name, value in proof.fields)
    data = samples.raw("outside", "invite.sip").replace(b"Contact:", f"{shown}Contact:".encode())
    (invited,) = line.say(data.replace(b"z9hG4bK", b"z9hG4bKproven"))
    assert isinstance(invited, Invited)
    line.agent.accept(invited.dialog, BODY, line.now)
    (fact,) = line.say(ack(invited))
    assert isinstance(fact, Confirmed)
    line.heard()
    return invited


def test_who_goes_while_it_is_tried_leaves_the_call_behind() -> None:
    line = Line()
    invited = line.taken()
    refer(line, invited)
    line.agent.agree(invited.dialog, line.now)
    assert line.say(within(invited, BYE, "said", 12)) == [], "nobody is told that the call is over"
    assert line.codes() == [202, "NOTIFY", 200]
    assert line.say(within(invited, "2_reinvite_hold.sip", "said", 13)) == []
    assert line.codes() == [481]
    line.agent.tell(invited.dialog, 200, line.now)
    line.agent.leave(invited.dialog, line.now)
    assert line.codes() == ["NOTIFY"]
    line.wait(line.now + LEAVE_MS)
    assert "BYE" not in line.codes()


def test_who_stays_is_hung_up_on_after_a_while() -> None:
    line = Line()
    invited = line.taken()
    line.agent.leave(invited.dialog, line.now)
    line.wait(line.now + LEAVE_MS - 1)
    assert line.codes() == []
    line.wait(line.now + 1)
    assert line.codes() == ["BYE"]
    line.agent.leave(invited.dialog, line.now)  # nobody is there any more
    assert line.codes() == []


def test_who_was_left_and_goes_is_answered_and_forgotten() -> None:
    line = Line()
    invited = line.taken()
    line.agent.leave(invited.dialog, line.now)
    assert line.say(within(invited, BYE, "said")) == []
    assert line.codes() == [200]
    line.wait(line.now + LEAVE_MS)
    assert line.codes() == []


@pytest.mark.parametrize("agreed", [True, False])
def test_a_call_that_is_over_owes_no_news(agreed: bool) -> None:
    line = Line()
    invited = line.taken()
    refer(line, invited)
    if agreed:
        line.agent.agree(invited.dialog, line.now)
        line.heard()
    line.agent.release(invited.dialog, line.now)
    first, bye = line.heard()
    assert bye.cseq_method == "BYE"
    assert (fragment(first.body) if isinstance(first, Request) else first.code) == 487
    line.agent.tell(invited.dialog, 200, line.now)
    assert line.codes() == []


# Somebody else in the caller's place


def taking(invited: Invited, old: bytes = b"", new: bytes = b"") -> bytes:
    return within(invited, "invite_replaces.sip").replace(old, new)


def test_a_known_caller_may_have_anothers_place() -> None:
    line = Line()
    invited = line.taken()
    (fact,) = line.say(taking(invited), CAROL)
    assert isinstance(fact, Invited)
    assert fact.replaces is invited.dialog
    line.agent.accept(fact.dialog, BODY, line.now)
    _, taken = line.heard()
    assert isinstance(taken, Response)
    assert (taken.code, "replaces" in taken.options("Supported")) == (200, True)
    assert line.say(within(invited, "2_reinvite_hold.sip", "said")) != [], "the other call goes on until then"


OTHERS = Trunk(name="others", user_id="usr_9", networks=(ip_network("203.0.113.0/24"),))
OURS = Trunk(name="ours", user_id=PBX.user_id, networks=(ip_network("203.0.113.0/24"),))
REFUSED = [
    (b"to-tag=", b"to-tag=x", 481),
    (b"from-tag=", b"from-tag=x", 481),
    (b"Replaces: 3", b"Replaces: 4", 481),
    (b"from-tag=theirs", b"from-tag=theirs;early-only", 486),
    (b"from-tag=theirs", b"from-tag=theirs;from-tag=b", 400),
    (b"Require: replaces", b"Replaces: a;to-tag=b;from-tag=c", 400),
]


@pytest.mark.parametrize(("old", "new", "code"), REFUSED)
def test_a_place_that_is_not_there_is_not_given(old: bytes, new: bytes, code: int) -> None:
    line = Line()
    assert line.say(taking(line.taken(), old, new), CAROL) == []
    assert line.codes() == [code]


def test_a_place_is_given_to_the_same_house_alone() -> None:
    for trunk, code in [(OTHERS, 403), (OURS, 100)]:
        line = Line(PBX, trunk)
        line.say(taking(line.taken()), Hop("203.0.113.5", 5060))
        assert line.codes() == [code]
    line = Line()
    assert line.say(taking(line.taken()), STRANGER) == []
    assert line.codes() == [], "a stranger is told nothing"


def test_a_place_is_not_given_while_it_rings_is_put_through_or_was_left() -> None:
    def code_after(step: str) -> int | str:
        line = Line()
        invited = line.invited() if step == "rings" else line.taken()
        if step == "asks":
            refer(line, invited)
        elif step == "left":
            line.agent.leave(invited.dialog, line.now)
        elif step == "over":
            invited.dialog.over = True
        line.heard()
        facts: list[Fact] = line.say(taking(invited), CAROL)
        assert facts == []
        (code,) = line.codes()
        return code

    assert [code_after(step) for step in ("rings", "asks", "left", "over")] == [481, 491, 603, 603]


def test_other_requests_are_the_calls_own_as_before() -> None:
    line = Line()
    invited = line.taken()
    refer(line, invited)
    (fact,) = line.say(within(invited, "2_reinvite_hold.sip", "said", 30))
    assert isinstance(fact, Said)
    assert isinstance(read(fact.text.encode()), Request)
