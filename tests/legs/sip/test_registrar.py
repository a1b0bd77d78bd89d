"""Desk phones that register with us: an agent, and what they say."""

import pytest

from phone_bridge.legs.sip import digest
from phone_bridge.legs.sip.access import REALM, Access, Trunk
from phone_bridge.legs.sip.agent import Agent
from phone_bridge.legs.sip.dialog import Hop
from phone_bridge.legs.sip.message import Response, read
from phone_bridge.legs.sip.registrar import LEAST_S, MAX_CONTACTS, MOST_S, USUAL_S
from tests.legs.sip import samples
from tests.legs.sip.samples import BRIDGE, START

DESK = Trunk(name="desk", user_id="usr", username="alice", password="sesame", desk_phone=True)
DOOR = Trunk(name="door", user_id="usr", username="door", password="sesame")
PHONE = Hop("198.51.100.7", 61_000, "tcp")
HERE = "sip:alice@10.0.0.2:5060"


class Office:
    """An agent with desk phones."""

    def __init__(self) -> None:
        self.agent = Agent(Access([DESK, DOOR], b"secret"), lambda source: BRIDGE, samples.Ids())
        self.now = START
        self.count = 0

    def say(self, *fields: str, user: str = "alice", proven: bool = True, hop: Hop = PHONE) -> Response | None:
        self.count += 1
        shown = (f"Authorization: {self._shown()}",) if proven else ()
        lines = (
            f"REGISTER sip:{REALM} SIP/2.0",
            f"Via: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bKr{self.count}",
            "From: <sip:alice@phone-bridge>;tag=x",
            f"To: <sip:{user}@phone-bridge>",
            "Call-ID: r",
            f"CSeq: {self.count} REGISTER",
            *fields,
            *shown,
            "Content-Length: 0",
        )
        self.agent.receive(("\r\n".join(lines) + "\r\n\r\n").encode(), hop, self.now)
        answers = [read(sent.data) for sent in self.agent.outgoing()]
        if not answers:
            return None
        assert isinstance(answers[-1], Response)
        return answers[-1]

    def _shown(self) -> str:
        asked = digest.Asked(
            field="Authorization",
            realm=REALM,
            nonce=digest.make_nonce(b"secret", self.now),
            algorithm="MD5",
            opaque="",
            qop="auth",
            stale=False,
        )
        return digest.credentials(asked, "REGISTER", f"sip:{REALM}", "alice", "sesame", "c")

    def code(self, *fields: str, **more: str) -> int:
        answer = self.say(*fields, **more)  # type: ignore[arg-type]  # the user alone
        assert answer is not None
        return answer.code


def test_a_phone_proves_itself_is_known_and_says_goodbye() -> None:
    office = Office()
    asked = office.say(f"Contact: <{HERE}>", proven=False)
    assert asked is not None
    assert (asked.code, office.agent.desk_phone("desk", office.now)) == (401, None)
    answer = office.say(f"Contact: <{HERE}>;expires=120")
    assert answer is not None
    assert (answer.code, answer.headers["Contact"]) == (200, f"<{HERE}>;expires=120")
    bound = office.agent.desk_phone("desk", office.now)
    assert bound is not None
    assert (bound.uri, bound.hop) == (HERE, PHONE)
    assert office.agent.uses(PHONE)
    assert office.code(f"Contact: <{HERE}>;expires=0") == 200
    assert office.agent.desk_phone("desk", office.now) is None


def test_a_phone_is_forgotten_in_time_or_with_its_connection() -> None:
    office = Office()
    office.say(f"Contact: <{HERE}>")
    assert office.agent.desk_phone("desk", office.now + USUAL_S * 1000 - 1) is not None
    assert office.agent.desk_phone("desk", office.now + USUAL_S * 1000) is None
    office.say(f"Contact: <{HERE}>", "Expires: 99999999")
    assert office.agent.desk_phone("desk", office.now + MOST_S * 1000) is None
    office.agent.part(PHONE, office.now)
    assert office.agent.desk_phone("desk", office.now) is None


def test_a_phone_in_two_places_is_called_where_it_spoke_from_last() -> None:
    office = Office()
    for number in (1, 2, 1):
        office.say(f"Contact: <sip:alice@10.0.0.{number}>")
    bound = office.agent.desk_phone("desk", office.now)
    assert bound is not None
    assert bound.uri == "sip:alice@10.0.0.1"
    everywhere = office.say()
    assert everywhere is not None
    assert len(everywhere.headers.getlist("Contact")) == 2
    assert office.code("Contact: *", "Expires: 0") == 200
    assert office.agent.desk_phone("desk", office.now) is None


def test_no_more_places_of_a_phone_are_known_than_fit() -> None:
    office = Office()
    codes = [office.code(f"Contact: <sip:alice@10.0.0.{number}>") for number in range(MAX_CONTACTS + 1)]
    assert codes == [200] * MAX_CONTACTS + [403]


@pytest.mark.parametrize(
    ("fields", "user", "code"),
    [
        ((f"Contact: <{HERE}>",), "bob", 403),
        (("Contact: *",), "alice", 400),
        ((f"Contact: <{HERE}>;expires={LEAST_S - 1}",), "alice", 423),
    ],
)
def test_what_a_phone_may_not_is_refused(fields: tuple[str, ...], user: str, code: int) -> None:
    office = Office()
    assert office.code(*fields, user=user) == code
    assert office.agent.desk_phone("desk", office.now) is None


def test_who_has_credentials_and_is_no_desk_phone_registers_nowhere() -> None:
    office = Office()
    office.agent = Agent(Access([DOOR], b"secret"), lambda source: BRIDGE, samples.Ids())
    assert office.say(f"Contact: <{HERE}>") is None
