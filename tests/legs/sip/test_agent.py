from ipaddress import ip_network

import pytest

from phone_bridge.errors import LocalError
from phone_bridge.legs.sip import agent as a
from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.access import Access, Trunk
from phone_bridge.legs.sip.agent import Agent, Confirmed, Fact, Invited, Referred, Said, Unconfirmed, Withdrawn
from phone_bridge.legs.sip.dialog import Hop
from phone_bridge.legs.sip.message import Request, Response, read
from phone_bridge.legs.sip.transaction import LIFE_MS, T1_MS, T4_MS
from tests.legs.sip import samples
from tests.legs.sip.samples import BRIDGE, CALLER, START

STRANGER = Hop("198.51.100.66", 5060)
PBX = Trunk(name="pbx", user_id="usr_1", networks=(ip_network("192.0.2.0/24"),))
ALICE = Trunk(name="alice", user_id="usr_2", username="alice", password="sesame")
BODY = sdp.offer("192.0.2.1", 20_000, 1)


class Line:
    """A caller's view of an agent: says samples, and sees what comes back."""

    def __init__(self, *trunks: Trunk) -> None:
        self.agent = Agent(Access(trunks or (PBX,), b"secret"), lambda source: BRIDGE, samples.Ids())
        self.now = START

    def say(self, data: bytes, source: Hop = CALLER) -> list[Fact]:
        return list(self.agent.receive(data, source, self.now))

    def codes(self) -> list[int | str]:
        return [message.code if isinstance(message, Response) else message.method for message in self.heard()]

    def heard(self) -> list[Request | Response]:
        return [read(datagram.data) for datagram in self.agent.outgoing()]

    def wait(self, until: int) -> list[Fact]:
        facts: list[Fact] = []
        while (due := self.agent.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            facts += self.agent.expire(self.now)
        self.now = until
        return facts

    def invited(self, name: str = "invite.sip") -> Invited:
        (fact,) = self.say(samples.raw("outside", name))
        assert isinstance(fact, Invited)
        return fact

    def taken(self) -> Invited:
        invited = self.invited()
        self.agent.accept(invited.dialog, BODY, self.now)
        (fact,) = self.say(ack(invited))
        assert isinstance(fact, Confirmed)
        self.agent.outgoing()
        return invited


def within(invited: Invited, name: str) -> bytes:
    return samples.raw("said", name).replace(b"tag=ours", f"tag={invited.dialog.tag}".encode())


def ack(invited: Invited, sequence: int = 1) -> bytes:
    data = within(invited, "6_ack_with_answer.sip").replace(b"CSeq: 6", f"CSeq: {sequence}".encode())
    return data.replace(b"branch=z9hG4bKb6", f"branch=z9hG4bKack{sequence}".encode())


def cancel(name: str = "invite.sip") -> bytes:
    head = samples.raw("outside", name).partition(b"Content-Type")[0]
    return head.replace(b"INVITE", b"CANCEL") + b"Content-Length: 0\r\n\r\n"


def test_a_call_is_tried_rung_taken_and_known() -> None:
    line = Line()
    invited = line.invited()
    assert (invited.trunk, invited.offer is not None) == (PBX, True)
    line.agent.ring(invited.dialog, line.now)
    line.agent.accept(invited.dialog, BODY, line.now)
    assert line.codes() == [100, 180, 200]
    assert line.say(ack(invited)) == [Confirmed(invited.dialog, read(ack(invited)).body)]
    assert line.say(ack(invited)) == [], "once"
    assert line.wait(START + LIFE_MS) == []
    assert line.codes() == []


def test_an_invite_that_comes_again_is_one_call() -> None:
    line = Line()
    invited = line.invited()
    line.agent.ring(invited.dialog, line.now)
    line.agent.outgoing()
    assert line.say(samples.raw("outside", "invite.sip")) == []
    assert line.codes() == [180]


def test_a_200_is_sent_again_until_it_is_acknowledged() -> None:
    line = Line()
    invited = line.invited()
    line.agent.accept(invited.dialog, BODY, line.now)
    line.agent.outgoing()
    assert line.wait(START + 4 * T1_MS) == []
    assert line.codes() == [200, 200]
    line.say(ack(invited))
    line.wait(START + LIFE_MS)
    assert line.codes() == []


def test_a_call_that_is_never_acknowledged_is_hung_up() -> None:
    line = Line()
    invited = line.invited()
    line.agent.accept(invited.dialog, BODY, line.now)
    assert line.wait(START + LIFE_MS) == [Unconfirmed(invited.dialog)]
    assert line.codes()[-1] == "BYE"


def test_a_caller_who_gives_up_withdraws_the_call() -> None:
    line = Line()
    invited = line.invited()
    line.agent.ring(invited.dialog, line.now)
    line.agent.outgoing()
    assert line.say(cancel()) == [Withdrawn(invited.dialog)]
    answers = line.heard()
    assert [(m.code, m.cseq_method) for m in answers if isinstance(m, Response)] == [(200, "CANCEL"), (487, "INVITE")]
    assert {m.to_tag for m in answers} == {invited.dialog.tag}
    line.agent.accept(invited.dialog, BODY, line.now)
    assert line.codes() == [], "what was withdrawn cannot be taken"
    line.say(ack(invited).replace(b"branch=z9hG4bKack1", b"branch=z9hG4bKb1"))
    line.wait(START + LIFE_MS)
    assert 487 not in line.codes(), "its ACK stops the refusal"


def test_a_caller_who_gives_up_too_late_has_a_call() -> None:
    line = Line()
    invited = line.invited()
    line.agent.accept(invited.dialog, BODY, line.now)
    line.agent.outgoing()
    assert line.say(cancel()) == []
    assert line.codes() == [200]
    assert line.say(ack(invited)) != []


def test_a_cancel_of_nothing_is_not_answered() -> None:
    line = Line()
    assert line.say(cancel()) == []
    assert line.codes() == []
    assert line.agent.dropped == 1


def test_a_refusal_says_when_to_try_again_and_is_repeated() -> None:
    line = Line()
    invited = line.invited()
    line.agent.refuse(invited.dialog, 503, line.now)
    _, refusal = line.heard()
    assert refusal.headers.get("Retry-After") == str(a.RETRY_AFTER_S)
    line.wait(START + T1_MS)
    assert line.codes() == [503]
    line.agent.refuse(invited.dialog, 503, line.now)
    assert line.codes() == []


def test_what_is_said_within_a_call_goes_to_its_leg_once_and_its_answer_back() -> None:
    line = Line()
    invited = line.taken()
    bye = within(invited, "9_bye.sip")
    (said,) = line.say(bye)
    assert isinstance(said, Said)
    leg = samples.leg()
    leg.receive(said.text, START)
    for text in leg.outgoing():
        assert isinstance(text, str)
        line.agent.send(invited.dialog, text, line.now)
    assert line.codes() == [200]
    assert line.say(bye) == []
    assert line.codes() == [200], "the answer again"


def test_a_request_that_is_older_than_the_last_is_refused() -> None:
    line = Line()
    invited = line.taken()
    line.say(within(invited, "9_bye.sip"))
    assert line.say(within(invited, "2_reinvite_hold.sip")) == []
    assert line.codes() == [500]


def test_a_new_description_is_answered_again_until_it_is_acknowledged() -> None:
    line = Line()
    invited = line.taken()
    (said,) = line.say(within(invited, "2_reinvite_hold.sip"))
    assert isinstance(said, Said)
    leg = samples.leg()
    leg.receive(said.text, START)
    (text,) = leg.outgoing()
    assert isinstance(text, str)
    line.agent.send(invited.dialog, text, line.now)
    line.wait(START + T1_MS)
    assert line.codes() == [200, 200]
    assert line.say(within(invited, "3_reinvite_resume.sip")) == []
    assert line.codes() == [491], "one at a time"
    (acknowledged,) = line.say(ack(invited, 3))
    assert isinstance(acknowledged, Said)
    line.wait(START + LIFE_MS)
    assert 200 not in line.codes()


def test_a_request_of_ours_is_sent_to_the_next_hop_until_it_is_answered() -> None:
    line = Line()
    invited = line.taken()
    line.agent.send(invited.dialog, invited.dialog.request("BYE"), line.now)
    ((data, to),) = line.agent.outgoing()
    assert to == CALLER
    line.wait(START + T1_MS)
    ((again, _),) = line.agent.outgoing()
    assert again == data
    answer = data.replace(data.partition(b"\r\n")[0], b"SIP/2.0 200 OK")
    assert line.say(answer) == []
    line.wait(START + T1_MS + T4_MS)
    assert line.codes() == []


def test_a_call_that_is_let_go_is_hung_up_once() -> None:
    line = Line()
    invited = line.taken()
    line.agent.release(invited.dialog, line.now)
    line.agent.release(invited.dialog, line.now)
    assert line.codes() == ["BYE"]
    assert line.say(within(invited, "9_bye.sip")) == []
    assert line.codes() == [481]


def test_a_call_that_is_let_go_before_it_was_taken_is_refused() -> None:
    line = Line()
    invited = line.invited()
    line.agent.release(invited.dialog, line.now)
    assert line.codes() == [100, 503]


def test_hanging_up_before_the_call_was_taken_withdraws_it() -> None:
    line = Line()
    invited = line.invited()
    assert line.say(within(invited, "9_bye.sip")) == [Withdrawn(invited.dialog)]
    assert line.codes() == [100, 200, 487]


def test_hanging_up_without_having_acknowledged_is_hanging_up() -> None:
    line = Line()
    invited = line.invited()
    line.agent.accept(invited.dialog, BODY, line.now)
    line.agent.outgoing()
    assert line.say(within(invited, "9_bye.sip")) == [Withdrawn(invited.dialog)]
    assert line.codes() == [200]
    assert line.wait(START + LIFE_MS) == []
    assert line.codes() == []


def test_a_description_before_the_call_was_taken_must_wait() -> None:
    line = Line()
    invited = line.invited()
    assert line.say(within(invited, "2_reinvite_hold.sip")) == []
    assert line.codes() == [100, 491]


def test_whoever_keeps_the_line_alive_within_a_call_is_answered() -> None:
    line = Line()
    invited = line.taken()
    data = within(invited, "9_bye.sip").replace(b"BYE", b"OPTIONS")
    assert line.say(data) == []
    assert line.codes() == [200]
    assert line.say(data.replace(b"OPTIONS", b"PUBLISH").replace(b"CSeq: 7", b"CSeq: 8")) == []
    assert line.codes() == [405]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("options.sip", 200),
        ("register.sip", 405),
        ("invite_srtp_only.sip", 488),
    ],
)
def test_what_is_no_call_is_answered_by_its_status(name: str, code: int) -> None:
    line = Line()
    assert line.say(samples.raw("outside", name)) == []
    assert line.codes() == [code]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"Content-Type: application/sdp", b"Content-Type: text/plain", 415),
        (b"v=0", b"v=1", 400),
        (b"To: <sip:bridge@192.0.2.1>", b"To: <sip:bridge@192.0.2.1>;tag=gone", 481),
    ],
)
def test_an_invite_that_cannot_be_taken_is_answered_by_its_status(old: bytes, new: bytes, code: int) -> None:
    line = Line()
    assert line.say(samples.raw("outside", "invite.sip").replace(old, new)) == []
    assert line.codes() == [code]


def test_a_call_that_comes_by_two_ways_is_taken_once() -> None:
    line = Line()
    line.invited()
    line.agent.outgoing()
    assert line.say(samples.raw("outside", "invite.sip").replace(b"z9hG4bKb1", b"z9hG4bKfork")) == []
    assert line.codes() == [482]


@pytest.mark.parametrize("name", ["invite_softphone.sip", "invite_multipart.sip"])
def test_what_real_stacks_say_beside_the_offer_is_left_alone(name: str) -> None:
    offer = Line().invited(name).offer
    assert offer is not None
    assert offer.audio() is not None


def test_an_invite_may_come_without_an_offer() -> None:
    assert Line().invited("invite_without_offer.sip").offer is None


@pytest.mark.parametrize("name", samples.names("outside"))
def test_a_stranger_is_told_nothing(name: str) -> None:
    line = Line()
    assert line.say(samples.raw("outside", name), STRANGER) == []
    assert line.codes() == []
    assert line.agent.dropped == 1


def test_a_stranger_is_asked_for_credentials_by_an_invite_alone() -> None:
    line = Line(ALICE)
    assert line.say(samples.raw("outside", "options.sip"), STRANGER) == []
    assert line.codes() == []
    line.say(samples.raw("outside", "invite.sip"), STRANGER)
    (asked,) = line.heard()
    assert isinstance(asked, Response)
    assert asked.code == 401
    assert "Digest" in asked.headers["WWW-Authenticate"]
    assert line.agent.deadline() is None, "who is asked costs nothing"


def test_nonsense_is_dropped_without_a_word() -> None:
    line = Line()
    for name in samples.names("broken"):
        line.say(samples.raw("broken", name), STRANGER)
    line.say(b"\r\n\r\n")
    line.say(b"\0")
    assert line.codes() == []


def test_no_more_requests_are_worked_at_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(a, "MAX_TRANSACTIONS", 2)
    line = Line()
    for number in range(4):
        line.say(samples.raw("outside", "options.sip").replace(b"z9hG4bKo1", f"z9hG4bK{number}".encode()))
    assert line.codes() == [200, 200]
    line.wait(START + LIFE_MS)
    line.say(samples.raw("outside", "options.sip"))
    assert line.codes() == [200]


def test_answers_go_where_the_request_came_from_as_its_via_wants() -> None:
    line = Line()
    line.say(samples.raw("outside", "options.sip"), Hop("192.0.2.77", 61_000))
    assert line.agent.outgoing()[0].to == Hop("192.0.2.77", 5060)
    asked = samples.raw("outside", "options.sip").replace(b";branch=z9hG4bKo1", b";rport;branch=z9hG4bKo2")
    line.say(asked, Hop("192.0.2.77", 61_000))
    assert line.agent.outgoing()[0].to == Hop("192.0.2.77", 61_000)


def test_an_old_telephone_s_branch_names_no_transaction_alone() -> None:
    line = Line()
    old = samples.raw("outside", "options.sip").replace(b"z9hG4bKo1", b"1")
    line.say(old)
    line.say(old.replace(b"CSeq: 1", b"CSeq: 2"))
    assert line.codes() == [200, 200]


def test_what_belongs_to_nobody_is_our_own_mistake() -> None:
    line = Line()
    invited = line.invited()
    line.agent.refuse(invited.dialog, 486, line.now)
    with pytest.raises(LocalError):
        line.agent.ring(invited.dialog, line.now)


# REFER


def notify(invited: Invited, status: str, sequence: int, event: str = "refer", state: str = "active") -> bytes:
    body = f"SIP/2.0 {status}\r\n".encode()
    data = within(invited, "9_bye.sip").replace(b"BYE", b"NOTIFY").replace(b"CSeq: 7", f"CSeq: {sequence}".encode())
    data = data.replace(b"branch=", f"branch=z9hG4bKn{sequence};was=".encode())
    fields = f"Event: {event}\r\nSubscription-State: {state}\r\nContent-Length: {len(body)}".encode()
    return data.replace(b"Content-Length: 0", fields) + body


def referred(line: Line, invited: Invited) -> bytes:
    line.agent.refer(invited.dialog, "sip:+493012345@pbx.example", line.now)
    ((data, _),) = line.agent.outgoing()
    refer = read(data)
    assert isinstance(refer, Request)
    assert (refer.method, refer.headers["Refer-To"]) == ("REFER", "<sip:+493012345@pbx.example>")
    return data


def answered(data: bytes, code: int) -> bytes:
    return data.replace(data.partition(b"\r\n")[0], f"SIP/2.0 {code} So".encode())


def test_the_other_side_calls_somebody_and_tells_what_came_of_it() -> None:
    line = Line()
    invited = line.taken()
    data = referred(line, invited)
    assert line.say(answered(data, 202)) == []
    assert line.say(notify(invited, "100 Trying", 10)) == []
    assert line.say(notify(invited, "200 OK", 11)) == [Referred(invited.dialog, 200)]
    assert line.say(notify(invited, "200 OK", 12)) == []
    assert line.codes() == [200, 200, 481]


def test_an_end_of_news_without_news_is_one() -> None:
    line = Line()
    invited = line.taken()
    referred(line, invited)
    assert line.say(notify(invited, "100 Trying", 10, state="terminated;reason=timeout")) == [
        Referred(invited.dialog, 100)
    ]


def test_a_side_that_calls_nobody_says_so_or_nothing() -> None:
    line = Line()
    invited = line.taken()
    assert line.say(answered(referred(line, invited), 603)) == [Referred(invited.dialog, 603)]
    referred(line, invited)
    assert line.wait(START + LIFE_MS) == [Referred(invited.dialog, 0)]


def test_news_of_anything_else_is_not_wanted() -> None:
    line = Line()
    invited = line.taken()
    assert line.say(notify(invited, "200 OK", 10, event="presence")) == []
    assert line.say(notify(invited, "200 OK", 11)) == []
    assert line.codes() == [489, 481]


# What callers require (RFC 3261, 8.2.2.3; RFC 3262)


def test_what_nobody_here_knows_cannot_be_required() -> None:
    line = Line()
    data = samples.raw("outside", "invite_requires_100rel.sip").replace(b"100rel", b"magic, 100rel")
    assert line.say(data) == []
    (refusal,) = line.heard()
    assert isinstance(refusal, Response)
    assert (refusal.code, refusal.headers["Unsupported"]) == (420, "magic")


def prack(invited: Invited, sequence: int, rack: str) -> bytes:
    data = within(invited, "9_bye.sip").replace(b"BYE", b"PRACK").replace(b"CSeq: 7", f"CSeq: {sequence}".encode())
    data = data.replace(b"branch=", f"branch=z9hG4bKp{sequence};was=".encode())
    data = data.replace(b"Content-Length", f"RAck: {rack}\r\nContent-Length".encode())
    return data.replace(read(data).call_id.encode(), invited.dialog.call_id.encode())


def test_a_caller_who_wants_to_be_sure_that_it_rings_is_told_until_it_knows() -> None:
    line = Line()
    (invited,) = line.say(samples.raw("outside", "invite_requires_100rel.sip"))
    assert isinstance(invited, Invited)
    line.agent.ring(invited.dialog, line.now)
    rung = line.heard()[-1]
    assert isinstance(rung, Response)
    assert (rung.code, rung.headers["Require"], rung.headers["RSeq"]) == (180, "100rel", "1")
    line.wait(START + T1_MS)
    assert line.codes() == [180]
    sequence = invited.request.sequence
    assert line.say(prack(invited, 10, f"2 {sequence} INVITE")) == []
    assert line.say(prack(invited, 11, f"1 {sequence} INVITE")) == []
    assert line.codes() == [481, 200]
    line.wait(START + LIFE_MS)
    assert line.codes() == []


def test_a_caller_who_never_says_that_it_knows_is_not_told_for_ever() -> None:
    line = Line()
    (invited,) = line.say(samples.raw("outside", "invite_requires_100rel.sip"))
    assert isinstance(invited, Invited)
    line.agent.ring(invited.dialog, line.now)
    line.wait(START + 2 * LIFE_MS)
    assert 10 <= len(line.codes()) <= 12
