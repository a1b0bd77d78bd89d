"""The one door: what must hold for every wire, whatever carrier or assistant speaks on it.

``check_leg`` and ``check_session`` take a way to make a fresh wire and messages that its peer sent, good and broken.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import Format
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.permit import Permit
from phone_bridge.errors import LocalError, RemoteError
from phone_bridge.runtime.pump import LegWire
from phone_bridge.sessions.dialect import SessionWire

Message = str | bytes
Wire = LegWire | SessionWire

FACTS = get_args(e.Event)
OUTCOMES = {"executed", "failed", "declined", "expired"}
STATUSES = {"completed", "cancelled", "failed", "incomplete"}
ENDS = {"ended", "expired", "lost", "refused", "unavailable"}
CLOSE_CODES = [*range(1000, 1016), *range(3000, 3005), *range(4000, 4500)]
START = 1_000_000  # on the call's clock, which has run for long
DAY_MS = 86_400_000
ACTION = e.Action("cancel_event", {"event_id": "evt_1"})

LEG_DUTIES: list[c.LegCommand] = [
    c.Play(b"\x7f" * 160, ""),
    c.Play(b"\x7f" * 800, "0.1"),
    c.Play(b"", "0.2"),
    c.Play(b"", ""),
    c.Flush(),
    c.Play(b"\x01", 'a mark with "quotes" and \\'),
    c.HangUp("completed"),
]


def session_duties(leg: Format) -> list[c.SessionCommand]:
    return [
        c.Listen(leg.silence * (leg.size(20) // len(leg.silence))),
        c.Listen(leg.silence),
        c.Listen(b""),
        c.Tell("move lunch to one"),
        c.CancelReply("nobody's reply"),
        c.Truncate("nobody's reply", 0),
        c.Truncate("nobody's reply", 12_345),
        c.HandOn((c.Turn("caller", "hello"), c.Turn("assistant", "Hello.")), (c.Done(ACTION, "executed"),)),
        c.HandOn((), (), answer=False),
        c.CloseSession("completed"),
    ]


def check_leg(make: Callable[[], LegWire], said: Sequence[Message], broken: Sequence[Message]) -> None:
    """See that a leg's wire keeps its promises."""
    leg = make().format
    _check_listening(make, leg, said, broken)
    _check_speaking(make, LEG_DUTIES)
    _check_after_the_end(make(), said, LEG_DUTIES)


def check_session(
    make: Callable[[Format], SessionWire], legs: Sequence[Format], said: Sequence[Message], broken: Sequence[Message]
) -> None:
    """See that a session's wire keeps its promises towards a leg of each format."""
    for leg in legs:

        def make_one(leg: Format = leg) -> SessionWire:
            return make(leg)

        _check_listening(make_one, leg, said, broken)
        _check_speaking(make_one, session_duties(leg))
        _check_after_the_end(make_one(), said, session_duties(leg))
        _check_consent(make_one, said)
        _check_results(make_one, said)
        _check_ends(make_one(), said)


# Hearing


def _check_listening(make: Callable[[], Wire], leg: Format, said: Sequence[Message], broken: Sequence[Message]) -> None:
    assert said
    assert broken
    wire, facts = make(), 0
    for number, message in enumerate(said):
        facts += len(_hear(wire, message, START + number, leg))
    assert facts, "nothing that the peer says means anything"
    for message in broken:
        _hear(make(), message, START, leg)
        _hear(wire, message, START + len(said), leg)
    _hear(wire, said[0], START + len(said), leg)  # lives on, or says in one word why it cannot
    wire, now = make(), START
    for message in said:
        _hear(wire, message, now, leg)
        now = _check_deadline(wire, now, leg)
    _check_mutilated(make, leg, [*said, *broken])


def _check_mutilated(make: Callable[[], Wire], leg: Format, messages: Sequence[Message]) -> None:
    texts = [message for message in messages if isinstance(message, str)]
    runs = [message for message in messages if isinstance(message, bytes)]

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def mutilated(data: st.DataObject) -> None:
        wire = make()
        now = START
        for _ in range(data.draw(st.integers(1, 4))):
            now += data.draw(st.sampled_from([0, 1, 20, 600, DAY_MS]))
            _hear(wire, data.draw(_cut(runs) | _message(texts) if texts else _cut(runs)), now, leg)
            now = _check_deadline(wire, now, leg)

    mutilated()


@st.composite
def _cut(draw: st.DrawFn, runs: Sequence[bytes]) -> Message:
    """Draw noise, or bytes of the peer's that were cut, joined, or changed in one place."""
    run = draw(st.sampled_from([*runs, b"\0"]))
    place = draw(st.integers(0, len(run)))
    return run[:place] + draw(st.binary(max_size=4)) + draw(st.sampled_from([run[place:], b"", run]))


@st.composite
def _message(draw: st.DrawFn, texts: Sequence[str]) -> Message:
    """Draw noise, or a message that was cut, doubled, or changed in one place."""
    text = draw(st.sampled_from(texts))
    place = draw(st.integers(0, len(text)))
    match draw(st.integers(0, 5)):
        case 0:
            return draw(st.binary(max_size=40))
        case 1:
            return draw(st.text(max_size=40))
        case 2:
            return text[:place]
        case 3:
            return text[:place] + draw(st.text(max_size=3)) + text[place:]
        case 4:
            return text + draw(st.sampled_from(texts))
    return text


def _hear(wire: Wire, message: Message, now: int, leg: Format) -> list[e.Event]:
    """Receive: facts, or a RemoteError with a stable code, and nothing else."""
    try:
        facts = wire.receive(message, now)
    except RemoteError as error:
        _check_code(error.code)
        return []
    for fact in facts:
        _check_fact(fact, now, leg)
    return facts


def _check_code(code: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", code), "programs rely on the code"


def _check_fact(fact: e.Event, now: int, leg: Format) -> None:
    assert type(fact) in FACTS
    match fact:
        case e.CallerHeard(audio) | e.AssistantSpoke(audio=audio):
            assert audio, "an empty run of sound is no fact"
            assert len(audio) % leg.sample_bytes == 0, "half a sample"
        case e.VoiceStarted(at) | e.VoiceStopped(at):
            assert at <= now, "nobody speaks in the future"
        case e.DigitPressed(digit):
            assert len(digit) == 1
            assert digit in "0123456789*#ABCD"
        case e.ReplyEnded(status=status):
            assert status in STATUSES
        case e.ActionSettled(outcome=outcome):
            assert outcome in OUTCOMES
        case e.SessionClosed(reason=reason):
            assert reason in ENDS
        case e.LegTrouble(code=code):
            _check_code(code)
        case e.SessionTrouble(code=code):
            assert code, "the peer's own word, whatever it is"


# Time


def _check_deadline(wire: Wire, now: int, leg: Format) -> int:
    """A deadline is a whole millisecond; expiring when it is due moves it on, and before it is due does nothing.

    Gives the time that it is then.
    """
    due = wire.deadline()
    if due is None:
        return now
    assert isinstance(due, int)
    if due > now:
        assert wire.expire(due - 1) == []
        assert wire.deadline() == due
    at = max(now, due)
    for fact in wire.expire(at):
        _check_fact(fact, at, leg)
    again = wire.deadline()
    assert again is None or again > at, "a deadline that does not move makes the pump spin"
    return at


# Speaking


def _check_speaking(make: Callable[[], Wire], duties: Sequence[c.Command]) -> None:
    """Everything that is asked for is taken, and what waits is handed over once, in the order of the asking."""
    together, apart = make(), make()
    first = together.outgoing()
    assert apart.outgoing() == first
    one_by_one: list[Message] = []
    for duty in duties:
        _send(together, duty, START)
        _send(apart, duty, START)
        one_by_one += apart.outgoing()
    at_once = together.outgoing()
    assert at_once == one_by_one
    assert all([*first, *at_once]), "an empty message"
    assert together.outgoing() == []


def _send(wire: Wire, duty: c.Command, now: int) -> None:
    send: Callable[[c.Command, int], None] = wire.send  # type: ignore[assignment]  # the wire's own kind of duty
    send(duty, now)


def _check_after_the_end(wire: Wire, said: Sequence[Message], duties: Sequence[c.Command]) -> None:
    """A wire whose peer has said everything, its farewell too, takes duties and messages still."""
    now = START
    for message in said:
        now += 20
        try:
            wire.receive(message, now)
        except RemoteError:
            continue
    for duty in duties:
        _send(wire, duty, now)
    wire.outgoing()
    due = wire.deadline()
    if due is not None:
        wire.expire(max(now, due))


# Sessions alone


def _check_consent(make: Callable[[], SessionWire], said: Sequence[Message]) -> None:
    """A proposal is answered once, and a yes counts only for exactly what was proposed; all else is our own mistake.

    A session that proposes nothing calls functions, which wait for their results, and takes no yes at all.
    """
    wire = make()
    question = _first(wire, said, e.ConfirmationAsked)
    _refuses(wire, _yes("never proposed", ACTION))
    if question is None:
        called = _first(make(), said, e.ToolCalled)
        assert called is not None, "the samples hold no proposal and no function call"
        _refuses(wire, _yes(called.id, called.action))
        return
    changed = e.Action(question.action.name, {**question.action.parameters, "more": 1})
    _refuses(wire, _yes(question.id, changed))
    wire.outgoing()
    _refuses(wire, c.Answer(question.id, question.action, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT))
    assert wire.outgoing() == [], "a yes without a permit was sent"
    wire.send(_yes(question.id, question.action), START)
    assert len(wire.outgoing()) == 1
    _refuses(wire, _yes(question.id, question.action))
    assert wire.outgoing() == []


def _check_results(make: Callable[[], SessionWire], said: Sequence[Message]) -> None:
    """A function that was called gets one result, which the peer is told; a result to anything else is our mistake."""
    wire = make()
    called = _first(wire, said, e.ToolCalled)
    if called is None:
        return
    wire.outgoing()
    assert isinstance(called.action.parameters, dict)
    _refuses(wire, c.GiveResult("never called", "{}"))
    assert wire.outgoing() == []
    wire.send(c.GiveResult(called.id, '{"ok":"a result of its own"}'), START)
    told = wire.outgoing()
    assert any("a result of its own" in str(message) for message in told), "the result was kept back"
    _refuses(wire, c.GiveResult(called.id, "{}"))
    assert wire.outgoing() == []
    for message in said:  # what is said twice is called once
        try:
            facts = wire.receive(message, START)
        except RemoteError:
            continue
        assert called not in facts


Fact = TypeVar("Fact", bound=e.Event)


def _first(wire: SessionWire, said: Sequence[Message], kind: type[Fact]) -> Fact | None:
    """Hear until the first fact of ``kind``."""
    for message in said:
        try:
            found = [fact for fact in wire.receive(message, START) if isinstance(fact, kind)]
        except RemoteError:
            continue
        if found:
            return found[0]
    return None


def _yes(id: str, action: e.Action) -> c.Answer:
    return c.Answer(id, action, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, permit=Permit(action, START))


def _refuses(wire: SessionWire, answer: c.Answer | c.GiveResult) -> None:
    try:
        wire.send(answer, START)
    except LocalError:
        return
    raise AssertionError("a yes or a result was taken that nobody asked for")


def _check_ends(wire: SessionWire, said: Sequence[Message]) -> None:
    """Whatever the socket's closing code, it is the end, with a reason that the call knows."""
    for code in CLOSE_CODES:
        end = wire.closed(code)
        assert type(end) is e.SessionClosed
        assert end.reason in ENDS
    assert wire.closed(1006).reason == "lost"
