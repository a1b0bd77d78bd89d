"""Registration, an agent against a scripted registrar."""

import pytest

from phone_bridge.legs.sip import registering as r
from phone_bridge.legs.sip.access import LEARNT_MS, Access, Trunk
from phone_bridge.legs.sip.agent import Agent, Fact
from phone_bridge.legs.sip.dialog import Hop
from phone_bridge.legs.sip.message import Fields, Request, read, response
from phone_bridge.legs.sip.registering import Binding, NotRegistered, Registered
from phone_bridge.legs.sip.transaction import LIFE_MS
from tests.legs.sip import samples
from tests.legs.sip.samples import BRIDGE, START

REGISTRAR = Hop("192.0.2.30", 5060, "tcp")
NAME = "provider"
ASKS: Fields = (("WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'),)


class Registrar:
    """Hears REGISTERs, and answers."""

    def __init__(self, hop: Hop = REGISTRAR) -> None:
        self.agent = Agent(Access((), b"secret"), lambda source: BRIDGE, samples.Ids())
        self.now = START
        self.hop = hop
        self.heard: list[Request] = []
        self.agent.register(Binding(name=NAME, user="bridge", domain="pbx.example", hop=hop, password="p"), self.now)

    def hear(self) -> list[Request]:
        heard = [message for sent in self.agent.outgoing() if isinstance(message := read(sent.data), Request)]
        self.heard += heard
        return heard

    def answer(self, code: int, *fields: tuple[str, str]) -> list[Fact]:
        self.hear()
        text = response(self.heard[-1], 200, tag="r", fields=fields).replace("200 OK", f"{code} So", 1)
        return list(self.agent.receive(text.encode(), self.hop, self.now))

    def wait(self, ms: int) -> list[Fact]:
        facts: list[Fact] = []
        until = self.now + ms
        while (due := self.agent.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            facts += self.agent.expire(self.now)
        self.now = until
        return facts


def test_a_binding_is_proven_granted_refreshed_and_given_back() -> None:
    there = Registrar()
    (first,) = there.hear()
    assert (str(first.uri), first.headers["Expires"]) == ("sip:pbx.example", "600")
    assert str(first.contact[0].uri) == "sip:bridge@192.0.2.1:5060;transport=tcp"
    assert there.answer(401, *ASKS) == []
    (second,) = there.hear()
    assert (second.call_id, second.sequence) == (first.call_id, first.sequence + 1)
    assert 'username="bridge"' in second.headers["Authorization"]
    contact = ("Contact", f"<sip:other@192.0.2.9>;expires=5, {second.headers['Contact']};expires=100")
    assert there.answer(200, contact) == [Registered(NAME, 100)]
    assert there.agent.registered == [NAME]
    assert there.agent.uses(REGISTRAR)
    there.wait(75_000 - 1)
    assert there.hear() == []
    there.wait(1)
    (third,) = there.hear()
    assert third.sequence == second.sequence + 1
    assert there.answer(200, ("Expires", "60")) == [Registered(NAME, 60)]
    there.agent.unregister(there.now)
    (last,) = there.hear()
    assert last.headers["Expires"] == "0"
    assert there.answer(401, *ASKS) == []
    assert there.hear()[0].headers["Expires"] == "0"
    assert there.answer(200) == []
    assert there.agent.registered == []
    assert there.wait(3_600_000) == []
    assert there.hear() == []


def test_a_registrar_that_fails_is_left_alone_longer_each_time() -> None:
    there = Registrar()
    waits = []
    for _ in range(8):
        (failed,) = there.answer(500)
        assert isinstance(failed, NotRegistered)
        waits.append(failed.retry_ms)
        there.wait(failed.retry_ms - 1)
        assert there.hear() == []
        there.wait(1)
        assert len(there.hear()) == 1
    assert waits[:3] == [r.FIRST_RETRY_MS, 2 * r.FIRST_RETRY_MS, 4 * r.FIRST_RETRY_MS]
    assert max(waits) == waits[-1] == r.LAST_RETRY_MS
    assert there.answer(200) == [Registered(NAME, 600)]
    there.wait(450_000)
    assert there.answer(500) == [NotRegistered(NAME, 500, r.FIRST_RETRY_MS)]


def test_a_registrar_says_how_long_it_wants_to_be_left_alone() -> None:
    there = Registrar()
    assert there.answer(503, ("Retry-After", "90")) == [NotRegistered(NAME, 503, 90_000)]
    there.wait(90_000)
    assert there.answer(503, ("Retry-After", "99999999")) == [NotRegistered(NAME, 503, r.LAST_RETRY_MS)]


def test_a_registrar_that_says_nothing_is_known_by_that() -> None:
    there = Registrar()
    assert there.wait(LIFE_MS) == [NotRegistered(NAME, 0, r.FIRST_RETRY_MS)]


def test_a_connection_that_is_lost_is_told_before_and_after_the_answer() -> None:
    there = Registrar()
    assert there.agent.part(REGISTRAR, there.now) == [NotRegistered(NAME, 0, r.FIRST_RETRY_MS)]
    there.wait(r.FIRST_RETRY_MS)
    assert there.answer(200) == [Registered(NAME, 600)]
    assert there.agent.part(REGISTRAR, there.now) == [NotRegistered(NAME, 0, r.FIRST_RETRY_MS)]
    moved = Binding(name=NAME, user="bridge", domain="pbx.example", hop=Hop("192.0.2.31", 5060, "tcp"))
    there.agent.register(moved, there.now)
    there.wait(r.FIRST_RETRY_MS)
    assert {sent.to for sent in there.agent.outgoing()} == {moved.hop}


def test_a_password_that_is_wrong_is_not_shown_again_and_again() -> None:
    there = Registrar()
    assert there.answer(401, *ASKS) == []
    assert there.answer(401, *ASKS) == [NotRegistered(NAME, 401, r.FIRST_RETRY_MS)]
    there.wait(r.FIRST_RETRY_MS)
    assert "Authorization" not in there.hear()[-1].headers.keys()  # noqa: SIM118 - no mapping


@pytest.mark.parametrize(
    ("least", "asked"), [("1800", "1800"), ("60", None), ("99999999999999", None), ("x", None), ("", None)]
)
def test_a_registrar_that_wants_it_longer_gets_it(least: str, asked: str | None) -> None:
    there = Registrar()
    facts = there.answer(r.INTERVAL_TOO_BRIEF, ("Min-Expires", least))
    if asked is None:
        assert facts == [NotRegistered(NAME, r.INTERVAL_TOO_BRIEF, r.FIRST_RETRY_MS)]
    else:
        assert there.hear()[-1].headers["Expires"] == asked


@pytest.mark.parametrize(("granted", "holds"), [("1", r.MIN_EXPIRES_S), ("2000000000", r.MAX_EXPIRES_S)])
def test_what_is_granted_has_bounds(granted: str, holds: int) -> None:
    assert Registrar().answer(200, ("Expires", granted)) == [Registered(NAME, holds)]


def test_a_binding_does_not_show_its_password() -> None:
    assert "p" not in repr(Binding(name="x", user="u", domain="d", hop=REGISTRAR, password="p")).removeprefix("Binding")


def test_calls_come_from_where_the_registrar_is_to_whom_it_knows_us_as() -> None:
    sales, support = (Trunk(name=name, user_id=name, user=name) for name in ("sales", "support"))
    access = Access((sales, support), b"secret")
    assert not access.may_be("192.0.2.30")
    for name in ("sales", "support"):
        access.learn(name, ["192.0.2.30", "192.0.2.32"], 0)
    assert access.may_be("192.0.2.30")
    assert access.at("192.0.2.30", "support") is support
    assert access.at("192.0.2.30", "nobody") is sales
    assert access.at("192.0.2.31", "sales") is None
    assert access.at("192.0.2.32", "sales") is sales


def test_an_address_that_is_the_registrar_s_no_more_is_known_for_a_day() -> None:
    sales = Trunk(name="sales", user_id="u")
    access = Access((sales,), b"secret")
    access.learn("sales", ["192.0.2.30"], 0)
    access.learn("sales", ["192.0.2.31"], LEARNT_MS - 1)
    assert (access.at("192.0.2.30"), access.at("192.0.2.31")) == (sales, sales)
    access.learn("sales", ["192.0.2.31"], LEARNT_MS)
    assert (access.at("192.0.2.30"), access.at("192.0.2.31")) == (None, sales)
