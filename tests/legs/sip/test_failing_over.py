"""Several servers of one trunk, of which some are dead (RFC 3263, 4.3): calls and registrations, in virtual time."""

from collections.abc import Sequence

import pytest

from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.access import Access
from phone_bridge.legs.sip.agent import Agent, Fact
from phone_bridge.legs.sip.calling import (
    LAST_SERVER_MS,
    MAX_SERVERS,
    NEXT_SERVER_MS,
    Answered,
    Calling,
    Failed,
    Outcome,
    Rang,
    Wanted,
)
from phone_bridge.legs.sip.dialog import TCP, Hop
from phone_bridge.legs.sip.locating import FAILED_MS, Turned
from phone_bridge.legs.sip.message import Fields, Request, read, response
from phone_bridge.legs.sip.registering import FIRST_RETRY_MS, Binding, NotRegistered, Registered
from phone_bridge.legs.sip.transaction import LIFE_MS
from tests.legs.sip import samples
from tests.legs.sip.samples import BRIDGE, START

A, B, C = (Hop(f"192.0.2.{n}", 5060) for n in (31, 32, 33))
TCP_A, TCP_B = Hop("192.0.2.31", 5060, TCP), Hop("192.0.2.32", 5060, TCP)
SOUND = sdp.offer("192.0.2.99", 30_000, 1)
CONTACT: Fields = (("Contact", "<sip:bob@192.0.2.99:5070>"), ("Content-Type", "application/sdp"))
ASKS: Fields = (("WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'),)
NAME = "provider"
RING_MS = 20_000


class Provider:
    """Servers that say what a test says, and whatever was sent to each of them."""

    def __init__(self) -> None:
        self.agent = Agent(Access((), b"secret"), lambda source: BRIDGE, samples.Ids())
        self.now = START
        self.sent: list[tuple[Hop, Request]] = []

    def called(self, *hops: Hop, ring_ms: int = RING_MS) -> Calling:
        wanted = Wanted(
            uri="sip:+4930123456@pbx.example",
            from_="<sip:bridge@pbx.example>",
            hop=hops[0],
            others=hops[1:],
            ring_ms=ring_ms,
            description=SOUND,
            username="bridge",
            password="sesame",
            trunk=NAME,
        )
        return self.agent.call(wanted, self.now)

    def hear(self) -> list[tuple[Hop, str]]:
        """Take what was sent; gives to whom, and the methods."""
        new = [(sent.to, message) for sent in self.agent.outgoing() if isinstance(message := read(sent.data), Request)]
        self.sent += new
        return [(hop, request.method) for hop, request in new]

    def last(self, hop: Hop, method: str) -> Request:
        self.hear()
        return next(request for to, request in reversed(self.sent) if (to, request.method) == (hop, method))

    def says(self, hop: Hop, code: int, fields: Fields = (), body: bytes = b"", to: str = "INVITE") -> Sequence[Fact]:
        text = response(self.last(hop, to), 200, tag=f"at-{hop.host}", fields=fields, body=body)
        return self.agent.receive(text.replace("200 OK", f"{code} So", 1).encode(), hop, self.now)

    def takes(self, hop: Hop) -> Sequence[Fact]:
        return self.says(hop, 200, CONTACT, SOUND)

    def wait(self, ms: int) -> list[Fact]:
        facts: list[Fact] = []
        until = self.now + ms
        while (due := self.agent.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            facts += self.agent.expire(self.now)
        self.now = until
        return facts

    def rung(self) -> list[Hop]:
        """Give to whom an INVITE has gone that was none before."""
        self.hear()
        return [hop for branch, hop in {r.branch: hop for hop, r in self.sent if r.method == "INVITE"}.items()]


def test_a_server_that_takes_no_call_is_followed_by_the_next_one_at_once() -> None:
    there = Provider()
    calling = there.called(A, B)
    there.says(A, 100)
    first = there.last(A, "INVITE")
    assert there.says(A, 503, (("Retry-After", "600"),)) == [Turned(NAME, A, 503)]
    assert there.hear() == [(A, "ACK"), (B, "INVITE")]
    second = there.last(B, "INVITE")
    same = (first.call_id, first.sequence, first.from_tag, first.uri, first.body)
    assert (second.call_id, second.sequence, second.from_tag, second.uri, second.body) == same
    assert first.branch != second.branch
    (answered,) = there.takes(B)
    assert isinstance(answered, Answered)
    assert answered.calling is calling
    assert answered.dialog.source == B, "the call keeps to where it was taken"
    assert there.agent.failures.last([A, B], there.now + FAILED_MS) == [B, A], "it has asked for ten minutes"


def test_a_silent_server_is_followed_by_the_next_one_and_asked_no_more() -> None:
    there = Provider()
    calling = there.called(A, B)
    assert there.wait(NEXT_SERVER_MS - 1) == []
    assert there.hear() == [(A, "INVITE")] * 4
    assert there.wait(1) == [Turned(NAME, A, 0)]
    assert there.hear() == [(B, "INVITE")]
    assert there.says(B, 180) == [Rang(calling, early=False)]
    there.wait(NEXT_SERVER_MS)
    assert (A, "INVITE") not in there.hear()
    assert there.agent.failures.last([A, B], there.now) == [B, A]


def test_when_all_are_silent_whoever_waits_hears_so_well_before_timer_b() -> None:
    there = Provider()
    calling = there.called(A, B, C)
    started = there.now
    facts: list[Fact] = []
    while not calling.over:
        facts += there.wait(100)
    assert facts == [Turned(NAME, A, 0), Turned(NAME, B, 0), Failed(calling, Outcome.UNREACHABLE, 0)]
    assert there.now - started == 2 * NEXT_SERVER_MS + LAST_SERVER_MS
    assert there.rung() == [A, B, C], "nobody twice"
    there.wait(2 * LIFE_MS)
    assert there.agent.deadline() is None, "all is forgotten"
    assert there.wait(0) == []


def test_one_call_is_tried_at_so_many_servers() -> None:
    there = Provider()
    calling = there.called(*(Hop("192.0.2.31", 5060 + n) for n in range(MAX_SERVERS + 3)))
    while not calling.over:
        there.wait(500)
    assert len(there.rung()) == MAX_SERVERS
    assert (MAX_SERVERS - 1) * NEXT_SERVER_MS + LAST_SERVER_MS < LIFE_MS


@pytest.mark.parametrize("code", [404, 486, 500, 600])
def test_a_refusal_of_the_call_is_no_failure_of_the_server(code: int) -> None:
    there = Provider()
    there.called(A, B)
    (failed,) = there.says(A, code)
    assert isinstance(failed, Failed)
    assert there.rung() == [A]
    assert there.agent.failures.last([A, B], there.now) == [A, B]


def test_what_has_rung_rings_nowhere_else() -> None:
    there = Provider()
    calling = there.called(A, B)
    there.says(A, 180)
    assert there.says(A, 503) == [Failed(calling, Outcome.OVERLOADED, 503)]
    assert there.rung() == [A]


def test_a_connection_that_fails_leads_to_the_next_server_and_one_that_is_lost_later_to_none() -> None:
    there = Provider()
    there.called(TCP_A, TCP_B)
    assert there.agent.part(TCP_A, there.now) == [Turned(NAME, TCP_A, 0)]
    assert there.hear() == [(TCP_A, "INVITE"), (TCP_B, "INVITE")]
    assert not there.agent.uses(TCP_A)
    assert there.agent.uses(TCP_B)
    again = Provider()
    calling = again.called(TCP_A, TCP_B)
    again.says(TCP_A, 100)
    assert again.agent.part(TCP_A, again.now) == [Failed(calling, Outcome.UNREACHABLE, 0)]
    assert again.rung() == [TCP_A], "it may ring behind it"


@pytest.mark.parametrize("settled", [False, True])
def test_who_answers_at_a_server_that_was_given_up_is_hung_up_on(settled: bool) -> None:
    there = Provider()
    calling = there.called(A, B)
    there.wait(NEXT_SERVER_MS)
    if settled:
        assert isinstance(there.takes(B)[0], Answered)
    there.hear()
    assert there.takes(A) == []
    assert there.hear() == [(Hop("192.0.2.99", 5070), "ACK"), (Hop("192.0.2.99", 5070), "BYE")]
    assert there.last(Hop("192.0.2.99", 5070), "BYE").to_tag == "at-192.0.2.31"
    assert there.takes(A) == []
    assert there.hear() == [(Hop("192.0.2.99", 5070), "ACK")], "once more, for it has come once more"
    if not settled:
        assert not calling.over
        (answered,) = there.takes(B)
        assert isinstance(answered, Answered)


def test_a_server_that_was_given_up_and_rings_after_all_is_told_to_stop() -> None:
    there = Provider()
    there.called(A, B)
    there.wait(NEXT_SERVER_MS)
    there.says(B, 180)
    there.hear()
    assert there.says(A, 180) == []
    assert there.hear() == [(A, "CANCEL")]
    assert there.last(A, "CANCEL").branch == there.last(A, "INVITE").branch
    assert there.says(A, 180) == []
    assert there.says(A, 487) == []
    assert there.hear() == [(A, "ACK")]
    assert isinstance(there.takes(B)[0], Answered)
    there.wait(2 * LIFE_MS)
    assert there.says(A, 180) == [], "it is forgotten"
    assert there.hear() == []


def test_a_call_is_cancelled_where_it_rings() -> None:
    there = Provider()
    calling = there.called(A, B)
    there.wait(NEXT_SERVER_MS)
    there.says(B, 180)
    there.agent.withdraw(calling, there.now)
    there.hear()
    cancels = [(hop, request.branch) for hop, request in there.sent if request.method == "CANCEL"]
    assert cancels == [(B, there.last(B, "INVITE").branch)]
    assert there.says(B, 487) == [Failed(calling, Outcome.CANCELED, 487)]


def test_a_call_that_was_taken_back_is_tried_nowhere_else() -> None:
    there = Provider()
    calling = there.called(A, B)
    there.agent.withdraw(calling, there.now)
    assert there.wait(NEXT_SERVER_MS) == [Failed(calling, Outcome.CANCELED, 0)]
    assert there.rung() == [A]
    again = Provider()
    calling = again.called(A, B)
    again.says(A, 100)
    again.agent.withdraw(calling, again.now)
    assert again.says(A, 503) == [Failed(calling, Outcome.CANCELED, 503)]
    assert again.rung() == [A]


def test_what_was_to_ring_for_less_than_a_server_may_be_silent_is_tried_nowhere_else() -> None:
    there = Provider()
    calling = there.called(A, B, ring_ms=NEXT_SERVER_MS - 1)
    assert there.wait(NEXT_SERVER_MS) == [Failed(calling, Outcome.UNREACHABLE, 0)], "nothing has rung"
    assert there.rung() == [A]


def test_each_server_is_shown_credentials_of_its_own_and_has_all_the_time_to_ring() -> None:
    there = Provider()
    calling = there.called(A, B)
    there.says(A, 401, ASKS)
    assert there.last(A, "INVITE").sequence == 2
    there.says(A, 100)
    there.wait(5_000)
    there.says(A, 503)
    assert "Authorization" not in there.last(B, "INVITE").headers.keys()  # noqa: SIM118 - no mapping
    there.wait(3_000)
    there.says(B, 401, ASKS)
    assert "Authorization" in there.last(B, "INVITE").headers.keys()  # noqa: SIM118 - no mapping
    there.says(B, 180)
    there.wait(RING_MS - 3_001)
    assert calling.withdrawn is None
    there.wait(1)
    assert calling.withdrawn is Outcome.NO_ANSWER


def test_a_server_that_answers_is_no_longer_last() -> None:
    there = Provider()
    there.called(A, B)
    there.wait(NEXT_SERVER_MS)
    there.called(A)
    there.says(A, 486)
    assert there.agent.failures.last([A, B], there.now) == [A, B]


# Registrations


class Registrars(Provider):
    """The same, for REGISTER."""

    def __init__(self, *hops: Hop) -> None:
        super().__init__()
        self.binding = Binding(name=NAME, user="u", domain="pbx.example", hop=hops[0], others=hops[1:], password="p")
        self.agent.register(self.binding, self.now)

    def answers(self, hop: Hop, code: int, fields: Fields = ()) -> Sequence[Fact]:
        return self.says(hop, code, fields, to="REGISTER")


def test_a_registrar_that_fails_is_followed_by_the_next_one_at_once_and_kept() -> None:
    there = Registrars(A, B, C)
    assert there.wait(NEXT_SERVER_MS) == [Turned(NAME, A, 0)]
    assert there.answers(B, 503) == [Turned(NAME, B, 503)]
    assert there.answers(C, 401, ASKS) == []
    assert there.answers(C, 200) == [Registered(NAME, 600)]
    there.hear()
    assert there.wait(450_000) == []
    assert there.hear() == [(C, "REGISTER")], "where it is held"
    assert there.answers(C, 503) == [Turned(NAME, C, 503)]
    assert there.answers(A, 200) == [Registered(NAME, 600)]
    there.agent.unregister(there.now)
    there.hear()
    assert (there.sent[-1][0], there.sent[-1][1].headers["Expires"]) == (A, "0")


def test_registrars_that_all_fail_are_left_alone_for_a_while() -> None:
    there = Registrars(A, B)
    there.answers(A, 503)
    assert there.wait(LIFE_MS) == [NotRegistered(NAME, 0, FIRST_RETRY_MS)]
    there.hear()
    there.wait(FIRST_RETRY_MS)
    assert there.answers(B, 503) == [Turned(NAME, B, 503)]
    assert there.answers(A, 503) == [NotRegistered(NAME, 503, 2 * FIRST_RETRY_MS)]
    assert there.agent.failures.last([C, A, B], there.now) == [C, A, B]


def test_a_lost_connection_is_followed_by_the_next_registrar() -> None:
    there = Registrars(TCP_A, TCP_B)
    there.answers(TCP_A, 200)
    assert there.agent.part(TCP_A, there.now) == [Turned(NAME, TCP_A, 0)]
    there.wait(0)
    assert there.hear() == [(TCP_B, "REGISTER")]
    assert there.answers(TCP_B, 200) == [Registered(NAME, 600)]


def test_a_registrar_that_holds_the_binding_keeps_it_when_the_dns_says_something_new() -> None:
    there = Registrars(A, B)
    there.answers(A, 200)
    there.agent.register(Binding(name=NAME, user="u", domain="pbx.example", hop=C, others=(A,)), there.now)
    there.hear()
    there.wait(450_000)
    assert there.hear() == [(A, "REGISTER")]
    assert there.answers(A, 503) == [Turned(NAME, A, 503)]
    there.answers(C, 200)
    there.agent.register(Binding(name=NAME, user="u", domain="pbx.example", hop=B), there.now)
    there.hear()
    there.wait(450_000)
    assert there.hear() == [(B, "REGISTER")], "the other is none any more"
