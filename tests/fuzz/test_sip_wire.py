"""SIP from its first byte: whatever a datagram holds, the documented errors are the only way out."""

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import agent as a
from phone_bridge.legs.sip import rtp, sdp
from phone_bridge.legs.sip.message import Request, read, rendered, response
from phone_bridge.legs.sip.referring import read_referral
from phone_bridge.legs.sip.replacing import read_replaces, replaced
from phone_bridge.legs.sip.transferee import ReferAsked
from tests.conformance.door import _hear as hear  # facts that are facts, or a RemoteError with a code
from tests.fuzz.profiles import examples
from tests.legs.sip import samples
from tests.legs.sip.test_agent import Line

FOLDERS = ("outside", "said", "transfer", "broken")
MESSAGES = [samples.raw(folder, name) for folder in FOLDERS for name in samples.names(folder)]
BODIES = [read(samples.raw("outside", "invite.sip")).body, sdp.offer("192.0.2.1", 5000, 1)]
PACKETS = [samples.sound(1).pack(), samples.key("5", 2, 160).pack()]
BITS = [
    b"",
    b"\r\n",
    b"\r\n ",
    b":",
    b";",
    b",",
    b'"',
    b"<",
    b">",
    b"=",
    b"%00",
    b"\0",
    b"\xff",
    b"sip:",
    b"tag=",
    b"99999999999",
]
STEPS_MS = [0, 1, 20, 500, 32_000, 86_400_000]


def assert_named(error: RemoteError, *codes: str) -> None:
    assert error.code in codes


@st.composite
def mangled(draw: st.DrawFn, data: list[bytes]) -> bytes:
    """Draw a sample that was changed in up to three places, cut, doubled, or is noise."""
    message = draw(st.sampled_from(data))
    for _ in range(draw(st.integers(0, 3))):
        place, length = draw(st.integers(0, len(message))), draw(st.integers(0, 12))
        message = message[:place] + draw(st.sampled_from(BITS) | st.binary(max_size=3)) + message[place + length :]
    match draw(st.integers(0, 5)):
        case 0:
            return message[: draw(st.integers(0, len(message)))]
        case 1:
            return message + draw(st.sampled_from(data))
        case 2:
            return draw(st.binary(max_size=60))
    return message


@examples(250)
@given(mangled(MESSAGES))
def test_a_message_is_read_or_a_named_error(data: bytes) -> None:
    try:
        message = read(data)
    except RemoteError as error:
        assert_named(error, "malformed_sip")
        return
    if isinstance(message, Request):
        response(message, 200, tag="t")
        again = read(rendered(message).encode())
        assert (again.call_id, again.sequence, again.branch) == (message.call_id, message.sequence, message.branch)


TRANSFERS = [samples.raw("transfer", name) for name in samples.names("transfer")]


@examples(250)
@given(mangled(TRANSFERS))
def test_whom_to_call_and_whom_to_replace_is_read_or_a_named_error(data: bytes) -> None:
    try:
        message = read(data)
        if not isinstance(message, Request):
            return
        named = replaced(message)
        assert named is None or read_replaces(named.written()) == named
        read_referral(message)
    except RemoteError as error:
        assert_named(error, "malformed_sip")


TAG = Line().taken().dialog.tag.encode()
TAKEN = [data.replace(b"=ours", b"=" + TAG) for data in MESSAGES]


@examples(150)
@given(st.lists(st.tuples(st.sampled_from(STEPS_MS), mangled(TAKEN), st.integers(0, 4)), max_size=8))
def test_a_call_is_put_through_or_not_whatever_is_asked(said: list[tuple[int, bytes, int]]) -> None:
    line = Line()
    line.taken()
    for wait, data, turn in said:
        line.wait(line.now + wait)
        for fact in line.say(data):
            if isinstance(fact, a.Invited):
                line.agent.accept(fact.dialog, sdp.offer("192.0.2.1", 5000, 1), line.now)
            elif isinstance(fact, ReferAsked):
                decide(line, fact, turn)
        line.heard()


def decide(line: Line, asked: ReferAsked, turn: int) -> None:
    if turn == 0:
        line.agent.decline(asked.dialog, 403, line.now)
        return
    line.agent.agree(asked.dialog, line.now)
    for code in (180, 486)[: turn - 1]:
        line.agent.tell(asked.dialog, code, line.now)
    if turn > 3:
        line.agent.leave(asked.dialog, line.now)


@examples(150)
@given(mangled(BODIES))
def test_a_description_is_agreed_to_or_a_named_error(data: bytes) -> None:
    try:
        theirs = sdp.read(data)
        agreed = sdp.agree(theirs)
    except RemoteError as error:
        assert_named(error, "malformed_sdp", "no_common_codec")
        return
    assert sdp.read(sdp.answer(theirs, agreed, "192.0.2.1", 5000, 1)).audio is not None


@examples(150)
@given(mangled(PACKETS))
def test_a_packet_is_read_or_a_named_error(data: bytes) -> None:
    try:
        packet = rtp.unpack(data)
    except RemoteError as error:
        assert_named(error, "malformed_rtp")
        return
    assert len(packet.payload) <= len(data)


talk = st.lists(st.tuples(st.sampled_from(STEPS_MS), mangled(MESSAGES)), min_size=1, max_size=8)


@examples(100)
@given(talk)
def test_an_agent_goes_on_whatever_is_said_and_answers_in_whole_messages(said: list[tuple[int, bytes]]) -> None:
    line = Line()
    for wait, data in said:
        line.wait(line.now + wait)
        for fact in line.say(data):
            if isinstance(fact, a.Invited):
                line.agent.accept(fact.dialog, sdp.offer("192.0.2.1", 5000, 1), line.now)
        line.heard()


@examples(100)
@given(st.lists(st.tuples(st.sampled_from(STEPS_MS), mangled(MESSAGES) | mangled(PACKETS), st.booleans()), max_size=8))
def test_a_leg_gives_facts_whatever_comes(said: list[tuple[int, bytes, bool]]) -> None:
    leg, now = samples.leg(), samples.START
    for wait, data, as_text in said:
        now += wait
        hear(leg, data.decode(errors="replace") if as_text else data, now, leg.format)
        due = leg.deadline()
        if due is not None and due <= now:
            leg.expire(now)
        for message in leg.outgoing():
            if isinstance(message, str):
                read(message.encode())
