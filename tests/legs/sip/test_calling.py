"""The side that calls: an agent with a scripted peer, and time that goes from deadline to deadline."""

from ipaddress import ip_network

import pytest
from msgspec.structs import replace

from phone_bridge.legs.sip import digest, sdp
from phone_bridge.legs.sip.access import Access, Trunk
from phone_bridge.legs.sip.agent import Agent, Fact, Invited, Referred, Said
from phone_bridge.legs.sip.calling import Answered, Calling, Failed, Outcome, Rang, Wanted
from phone_bridge.legs.sip.dialog import Hop
from phone_bridge.legs.sip.message import Fields, Request, Response, read, response
from phone_bridge.legs.sip.transaction import LIFE_MS, T1_MS
from tests.legs.sip import samples
from tests.legs.sip.samples import BRIDGE, CALLER, START

PROXY = Hop("192.0.2.30", 5060)
OFFER = sdp.offer("192.0.2.1", 20_000, 1)
ANSWER = sdp.offer("192.0.2.99", 30_000, 1)
RING_MS = 20_000
CONTACT: Fields = (("Contact", "<sip:bob@192.0.2.99:5070>"), ("Content-Type", "application/sdp"))
MD5 = 'Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth,auth-int", opaque="o"'
SHA = 'Digest realm="pbx", nonce="n1", algorithm=SHA-256, qop="auth"'


class Peer:
    """Whoever is called: sees what the agent sends, and answers."""

    def __init__(self, hop: Hop = PROXY) -> None:
        self.agent = Agent(Access((), b"secret"), lambda source: BRIDGE, samples.Ids())
        self.now = START
        self.hop = hop
        self.sent: list[Request | Response] = []

    def called(self, **more: object) -> Calling:
        wanted = Wanted(
            uri="sip:+4930123456@pbx.example",
            from_="<sip:bridge@pbx.example>",
            hop=self.hop,
            ring_ms=RING_MS,
            description=OFFER,
            username="bridge",
            password="sesame",
            **more,  # type: ignore[arg-type]  # whatever a test wants of it
        )
        return self.agent.call(wanted, self.now)

    def hear(self) -> list[Request | Response]:
        heard = [read(sent.data) for sent in self.agent.outgoing()]
        self.sent += heard
        return heard

    def request(self, method: str) -> Request:
        self.hear()
        return next(m for m in reversed(self.sent) if isinstance(m, Request) and m.method == method)

    def methods(self) -> list[str]:
        return [m.method for m in self.hear() if isinstance(m, Request)]

    def answer(
        self, code: int, *, tag: str = "bob", fields: Fields = (), body: bytes = b"", to: str = "INVITE"
    ) -> list[Fact]:
        text = response(self.request(to), 200, tag=tag, fields=fields, body=body).replace("200 OK", f"{code} So", 1)
        return list(self.agent.receive(text.encode(), self.hop, self.now))

    def takes(self, tag: str = "bob") -> list[Fact]:
        return self.answer(200, tag=tag, fields=CONTACT, body=ANSWER)

    def wait(self, ms: int) -> list[Fact]:
        facts: list[Fact] = []
        until = self.now + ms
        while (due := self.agent.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            facts += self.agent.expire(self.now)
        self.now = until
        return facts


def test_a_call_rings_is_answered_and_ended() -> None:
    peer = Peer()
    calling = peer.called()
    invite = peer.request("INVITE")
    assert (str(invite.uri), invite.body) == ("sip:+4930123456@pbx.example", OFFER)
    assert peer.answer(100, tag="") == []
    assert peer.answer(180) == [Rang(calling, early=False)]
    assert peer.answer(183, fields=CONTACT, body=ANSWER) == [Rang(calling, early=True)]
    (answered,) = peer.takes()
    assert isinstance(answered, Answered)
    assert (answered.calling, answered.answer) == (calling, ANSWER)
    ack = peer.request("ACK")
    assert (str(ack.uri), ack.to_tag, ack.sequence) == ("sip:bob@192.0.2.99:5070", "bob", invite.sequence)
    assert ack.branch != invite.branch
    peer.agent.release(answered.dialog, peer.now)
    bye = peer.request("BYE")
    assert (bye.sequence, bye.to_tag, bye.from_tag) == (invite.sequence + 1, "bob", invite.from_tag)


def test_who_has_answered_may_speak_and_hang_up() -> None:
    peer = Peer()
    peer.called()
    (answered,) = peer.takes()
    ack = peer.request("ACK")
    bye = (
        f"BYE sip:{BRIDGE[0]} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKbob\r\n"
        f"From: <sip:bob@pbx>;tag=bob\r\nTo: <sip:bridge@pbx>;tag={ack.from_tag}\r\n"
        f"Call-ID: {ack.call_id}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
    )
    assert isinstance(answered, Answered)
    (said,) = peer.agent.receive(bye.encode(), PROXY, peer.now)
    assert isinstance(said, Said)
    assert said.dialog is answered.dialog


def test_a_route_is_gone_backwards() -> None:
    peer = Peer()
    peer.called()
    routes = (("Record-Route", "<sip:192.0.2.41;lr>, <sip:192.0.2.40:5080;lr>"),)
    text = response(peer.request("INVITE"), 200, tag="bob", fields=(*routes, *CONTACT), body=ANSWER)
    peer.agent.receive(text.encode(), PROXY, peer.now)
    (sent,) = peer.agent.outgoing()
    assert sent.to == Hop("192.0.2.40", 5080)
    assert sent.data.index(b"Route: <sip:192.0.2.40:5080;lr>") < sent.data.index(b"Route: <sip:192.0.2.41;lr>")


def test_a_telephone_behind_nat_is_spoken_with_where_it_is() -> None:
    peer = Peer(Hop("198.51.100.7", 61_000))
    peer.called(direct=True)
    peer.takes()
    assert [sent.to for sent in peer.agent.outgoing()] == [peer.hop]


@pytest.mark.parametrize(
    ("code", "challenge", "field"), [(401, MD5, "Authorization"), (407, SHA, "Proxy-Authorization")]
)
def test_a_peer_that_asks_is_shown_credentials_that_fit(code: int, challenge: str, field: str) -> None:
    peer = Peer()
    peer.called()
    first = peer.request("INVITE")
    asks = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    assert peer.answer(code, fields=((asks, "Bearer x"), (asks, challenge))) == []
    assert peer.methods() == ["ACK", "INVITE"]
    second = peer.request("INVITE")
    assert (second.sequence, second.call_id, second.from_tag) == (first.sequence + 1, first.call_id, first.from_tag)
    text = second.headers[field]
    second.headers.set("Authorization", text)
    shown = digest.shown(second)
    assert shown is not None
    assert digest.fits(shown, "INVITE", "sesame")
    assert not digest.fits(shown, "INVITE", "other")
    assert isinstance(peer.takes()[0], Answered)
    assert field in peer.request("ACK").headers.keys()  # noqa: SIM118 - no mapping


def test_credentials_that_do_not_help_are_shown_once_and_a_stale_nonce_is_replaced() -> None:
    peer = Peer()
    calling = peer.called()
    assert peer.answer(401, fields=(("WWW-Authenticate", MD5),)) == []
    stale = MD5.replace("n1", "n2") + ", stale=true"
    assert peer.answer(401, fields=(("WWW-Authenticate", stale),)) == []
    assert 'nonce="n2"' in peer.request("INVITE").headers["Authorization"]
    assert peer.answer(401, fields=(("WWW-Authenticate", MD5),)) == [Failed(calling, Outcome.FORBIDDEN, 401)]


def test_a_peer_that_asks_for_ever_is_given_up() -> None:
    peer = Peer()
    calling = peer.called()
    for _ in range(digest.MAX_CHALLENGES):
        assert peer.answer(401, fields=(("WWW-Authenticate", MD5 + ", stale=true"),)) == []
    assert peer.answer(401, fields=(("WWW-Authenticate", MD5 + ", stale=true"),)) == [
        Failed(calling, Outcome.FORBIDDEN, 401)
    ]


@pytest.mark.parametrize(
    "asks", ["Digest", "Basic realm=x", MD5.replace("MD5", "MD4"), 'Digest qop="auth-int"', "x" * 2_000]
)
def test_what_cannot_be_answered_is_forbidden(asks: str) -> None:
    peer = Peer()
    calling = peer.called()
    facts = peer.answer(401, fields=(("WWW-Authenticate", asks),))
    facts = facts or peer.answer(401, fields=(("WWW-Authenticate", asks),))
    assert facts == [Failed(calling, Outcome.FORBIDDEN, 401)]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (486, Outcome.BUSY),
        (600, Outcome.BUSY),
        (603, Outcome.BUSY),
        (480, Outcome.NO_ANSWER),
        (408, Outcome.NO_ANSWER),
        (403, Outcome.FORBIDDEN),
        (404, Outcome.REFUSED),
        (302, Outcome.REFUSED),
        (503, Outcome.OVERLOADED),
        (699, Outcome.REFUSED),
    ],
)
def test_a_refusal_is_acknowledged_whenever_it_comes_and_told_once(code: int, outcome: Outcome) -> None:
    peer = Peer()
    calling = peer.called()
    fields = (("Contact", "<sip:elsewhere@192.0.2.77>"), ("Retry-After", "120;duration=60"))
    assert peer.answer(code, fields=fields) == [Failed(calling, outcome, code, 120)]
    assert peer.answer(code, fields=fields) == []
    assert [m.method for m in peer.sent if isinstance(m, Request)] == ["INVITE", "ACK"], "a redirection is not followed"
    assert peer.methods() == ["ACK"]
    ack = peer.request("ACK")
    assert (ack.branch, ack.to_tag) == (peer.request("INVITE").branch, "bob")


def test_an_invite_is_repeated_until_anything_is_answered() -> None:
    peer = Peer()
    calling = peer.called()
    peer.hear()
    assert peer.wait(8 * T1_MS) == []
    assert peer.methods() == ["INVITE"] * 3
    peer.answer(100, tag="")
    peer.wait(8 * T1_MS)
    assert peer.methods() == []
    assert not calling.over


def test_who_says_nothing_is_unreachable() -> None:
    peer = Peer()
    calling = peer.called()
    assert peer.wait(LIFE_MS) == [Failed(calling, Outcome.UNREACHABLE, 0)]


def test_who_cannot_be_connected_with_is_unreachable_at_once() -> None:
    peer = Peer(Hop("192.0.2.30", 5060, "tcp"))
    calling = peer.called()
    assert peer.agent.uses(peer.hop)
    assert peer.agent.part(peer.hop, peer.now) == [Failed(calling, Outcome.UNREACHABLE, 0)]
    assert not peer.agent.uses(peer.hop)


def test_what_rings_too_long_is_cancelled() -> None:
    peer = Peer()
    calling = peer.called()
    peer.answer(180)
    assert peer.wait(RING_MS) == []
    cancel = peer.request("CANCEL")
    invite = peer.request("INVITE")
    assert (cancel.branch, cancel.sequence, str(cancel.uri)) == (invite.branch, invite.sequence, str(invite.uri))
    assert peer.answer(200, to="CANCEL") == []
    assert peer.answer(487) == [Failed(calling, Outcome.NO_ANSWER, 487)]
    assert peer.methods() == ["ACK"]


def test_a_call_is_taken_back_once_the_peer_has_said_anything() -> None:
    peer = Peer()
    calling = peer.called()
    peer.agent.withdraw(calling, peer.now)
    assert peer.methods() == ["INVITE"]
    peer.answer(100, tag="")
    peer.agent.withdraw(calling, peer.now)
    assert peer.methods() == ["CANCEL"]
    assert peer.answer(487) == [Failed(calling, Outcome.CANCELED, 487)]


def test_who_answers_a_call_that_was_taken_back_is_hung_up_on() -> None:
    peer = Peer()
    calling = peer.called()
    peer.answer(180)
    peer.agent.withdraw(calling, peer.now)
    assert peer.takes() == [Failed(calling, Outcome.CANCELED, 200)]
    assert peer.methods() == ["ACK", "BYE"]


def test_who_does_not_stop_ringing_is_forgotten() -> None:
    peer = Peer()
    calling = peer.called()
    peer.answer(180)
    peer.agent.withdraw(calling, peer.now)
    assert peer.wait(LIFE_MS) == [Failed(calling, Outcome.CANCELED, 0)]


def test_an_answer_that_comes_again_is_acknowledged_again() -> None:
    peer = Peer()
    peer.called()
    peer.takes()
    first = peer.request("ACK")
    assert peer.takes() == []
    assert peer.request("ACK").branch == first.branch
    assert peer.methods() == []
    assert peer.wait(2 * LIFE_MS) == []
    assert peer.takes() == []
    assert peer.methods() == [], "by then nobody repeats it"


def test_of_two_who_answer_the_first_has_the_call() -> None:
    peer = Peer()
    calling = peer.called()
    peer.answer(180, tag="bob")
    peer.answer(180, tag="carol")
    (answered,) = peer.takes("carol")
    assert isinstance(answered, Answered)
    peer.hear()
    assert peer.takes("bob") == []
    acknowledged, ended = (m for m in peer.hear() if isinstance(m, Request))
    assert (acknowledged.method, acknowledged.to_tag) == ("ACK", "bob")
    assert (ended.method, ended.to_tag) == ("BYE", "bob")
    assert calling.over


def test_a_late_answer_to_nothing_is_nothing() -> None:
    peer = Peer()
    peer.called()
    stray = response(peer.request("INVITE"), 200, tag="x").replace("branch=", "branch=z9hG4bKstray;was=")
    assert peer.agent.receive(stray.encode(), PROXY, peer.now) == []


def test_a_password_is_not_shown_where_a_call_is_written() -> None:
    peer = Peer()
    assert "sesame" not in repr(peer.called().wanted)


# Whoever asks within the call who we are


def within(peer: Peer, code: int, challenge: str, method: str) -> list[Fact]:
    name = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    return peer.answer(code, fields=((name, challenge),), to=method)


def talking() -> tuple[Peer, Answered]:
    peer = Peer()
    peer.called()
    (answered,) = peer.takes()
    assert isinstance(answered, Answered)
    peer.hear()
    return peer, answered


@pytest.mark.parametrize(
    ("code", "challenge", "field"), [(401, MD5, "Authorization"), (407, SHA, "Proxy-Authorization")]
)
def test_a_bye_that_is_challenged_is_said_again_with_credentials(code: int, challenge: str, field: str) -> None:
    peer, answered = talking()
    peer.agent.release(answered.dialog, peer.now)
    first = peer.request("BYE")
    assert within(peer, code, challenge, "BYE") == []
    second = peer.request("BYE")
    assert (second.sequence, second.call_id, second.from_tag) == (first.sequence + 1, first.call_id, first.from_tag)
    assert second.branch != first.branch
    second.headers.set("Authorization", second.headers[field])
    shown = digest.shown(second)
    assert shown is not None
    assert digest.fits(shown, "BYE", "sesame")
    assert peer.answer(200, to="BYE") == []
    peer.wait(LIFE_MS)
    assert peer.methods() == []


def test_a_refer_that_is_challenged_is_told_of_once_it_is_settled() -> None:
    peer, answered = talking()
    peer.agent.refer(answered.dialog, "sip:carol@pbx.example", peer.now)
    assert within(peer, 407, MD5, "REFER") == []
    again = peer.request("REFER")
    assert again.headers["Refer-To"] == "<sip:carol@pbx.example>"
    assert within(peer, 407, MD5, "REFER") == [Referred(answered.dialog, 407)], "no use a second time"
    assert peer.methods() == []


def test_news_of_a_call_are_told_with_credentials_body_and_all() -> None:
    peer, answered = talking()
    request = answered.dialog.request("NOTIFY", (("Event", "refer"),), body=b"SIP/2.0 200 OK\r\n")
    peer.agent.send(answered.dialog, request, peer.now)
    within(peer, 401, MD5, "NOTIFY")
    stale = MD5.replace("n1", "n2") + ", stale=true"
    within(peer, 401, stale, "NOTIFY")
    again = peer.request("NOTIFY")
    assert (again.body, len(again.headers.getlist("Authorization"))) == (b"SIP/2.0 200 OK\r\n", 1)
    assert 'nonce="n2"' in again.headers["Authorization"]


def test_a_provider_that_has_called_us_is_shown_who_we_are_too() -> None:
    provider = Trunk(name="p", user_id="u", networks=(ip_network("192.0.2.0/24"),), credentials=("bridge", "sesame"))
    for trunk, known in [(provider, True), (replace(provider, credentials=("", "")), False)]:
        peer = Peer(CALLER)
        peer.agent = Agent(Access((trunk,), b"secret"), lambda source: BRIDGE, samples.Ids())
        (invited,) = peer.agent.receive(samples.raw("outside", "invite.sip"), CALLER, peer.now)
        assert isinstance(invited, Invited)
        peer.agent.accept(invited.dialog, OFFER, peer.now)
        peer.agent.release(invited.dialog, peer.now)
        first = peer.request("BYE")
        assert within(peer, 401, SHA, "BYE") == []
        assert (peer.request("BYE") is not first) is known
