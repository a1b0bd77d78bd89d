"""A call that is run again from its file does what it did, and a file that is none is refused in words."""

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_16K, PCMU_8K, Format
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.journal import MAGIC, MAX_FILE_BYTES, MAX_SOUND_BYTES, Journal
from phone_bridge.call.machine import Call
from phone_bridge.call.past import Past
from phone_bridge.call.recording import Step, decode, replay
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Asked, Said, Trace
from phone_bridge.errors import LocalError, RemoteError
from tests.call.desk import CANCEL, FRAME, Desk
from tests.call.facts import FACTS, KINDS, facts_of, silent
from tests.call.test_consent import STEPS, Witness, step


class Taped(Call):
    """A call with its journal, and its own account of what it was given and did."""

    def __init__(self, format: Format, rules: Rules, now: int, past: Past | None = None) -> None:
        super().__init__(format, rules, now, past)
        self.silence = format.silence
        self.journal = Journal(format, rules, past, now)
        self.steps: list[Step] = []

    def begin(self, now: int) -> list[c.Command]:
        self.journal.begin(now)
        return self.did(now, None, super().begin(now))

    def process(self, event: e.Event, now: int) -> list[c.Command]:
        self.journal.note(event, now)
        return self.did(now, event, super().process(event, now))

    def expire(self, now: int) -> list[c.Command]:
        self.journal.tick(now)
        return self.did(now, None, super().expire(now))

    def did(self, now: int, fact: e.Event | None, duties: list[c.Command]) -> list[c.Command]:
        self.steps.append(Step(now, silent(fact, self.silence), [silent(duty, self.silence) for duty in duties]))
        return duties

    def again(self) -> tuple[list[Step], Call]:
        recording = decode(self.journal.encode())
        call = recording.call()
        return list(replay(recording, call)), call


class TapedDesk(Witness):
    def __init__(self) -> None:
        super().__init__()
        self.taped = self.call = Taped(PCMU_8K, Rules(answer_ms=20_000), 0)
        for left in (self.done, self._marks, self._voice, self.prompts):
            left.clear()
        self._take(self.call.begin(0))


def hear(desk: Desk, number: int) -> None:
    """Let something happen that the steps of consent leave out."""
    match number % 5:
        case 0:
            desk.tell(e.CallerHeard(b"\x07" * (number % 400)))
        case 1:
            desk.tell(*[e.CallerHeard(FRAME)] * (number % 9))
        case 2:
            desk.tell(e.AssistantSaid(f"rsp_{number % 4}", "some words of it"))
        case 3:
            desk.tell(e.SessionTrouble("nonsense"), e.LegTrouble("late"))
        case _:
            desk.tell(e.EndRequested() if number % 3 == 0 else e.SessionClosed("lost"), e.SessionOpened())


def left(trace: Trace) -> dict[str, Any]:
    """All that a call leaves behind but the loudness of its sound, which no journal keeps."""
    return {**vars(trace), "timeline": trace.timeline.events}


@settings(max_examples=200, deadline=None)
@given(STEPS, st.lists(st.integers(0, 4_000), max_size=8), st.sampled_from(["hangup", "lost"]))
def test_a_call_that_is_run_again_does_what_it_did(
    steps: list[tuple[str, int]], others: list[int], reason: str
) -> None:
    desk = TapedDesk()
    desk.tell(e.SessionOpened())
    for kind, number in steps:
        step(desk, kind, number)
        if others and number % 3 == 0:
            hear(desk, others.pop())
    desk.tell(e.LegClosed(reason))
    again, call = desk.taped.again()
    assert again == desk.taped.steps
    assert left(call.trace) == left(desk.call.trace)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(FACTS, st.integers(0, 3_000)), max_size=30))
def test_a_call_that_is_given_anything_is_run_again_until_it_breaks_in_the_same_place(
    facts: list[tuple[e.Event, int]],
) -> None:
    taped, now, broken = Taped(LINEAR_16K, Rules(greeting="Hello."), 7), 7, None
    taped.begin(now)
    for fact, later in facts:
        now += later
        try:
            taped.process(fact, now)
            taped.expire(now)
        except Exception as error:  # noqa: BLE001 - a nonsensical fact may be our own bug, and it is to be seen again
            broken = repr(error)
            break
    recording = decode(taped.journal.encode())
    again, failed = tell(replay(recording, recording.call()))
    assert (again, failed) == (taped.steps, broken)


def tell(steps: Iterator[Step]) -> tuple[list[Step], str | None]:
    told: list[Step] = []
    try:
        for each in steps:
            told.append(each)  # noqa: PERF402 - what was told before the failure counts
    except Exception as error:  # noqa: BLE001 - compared
        return told, repr(error)
    return told, None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), later=st.integers(-10, 5_000))
def test_every_kind_of_fact_comes_back(kind: type[e.Event], data: st.DataObject, later: int) -> None:
    facts = data.draw(st.lists(facts_of(kind), min_size=1, max_size=4))
    journal = Journal(PCMU_8K, Rules(), None, 0)
    for number, fact in enumerate(facts):
        journal.note(fact, number * later)
    assert [(each.at, each.fact) for each in decode(journal.encode()).given()] == [
        (number * later, silent(fact, b"\xff")) for number, fact in enumerate(facts)
    ]


def test_what_the_call_was_made_of_comes_back() -> None:
    rules = Rules(language="de", greeting="Grüß Gott.", auto_confirm=frozenset({"create_event"}), answer_ms=9_000)
    asked = Asked("act_1", CANCEL, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, 4_000, result={"ok": [1, None]})
    past = Past(60_000, (Said(3, "caller", "cancel it"),), (asked,))
    taped = Taped(LINEAR_16K, rules, 1_000, past)
    taped.begin(1_000)
    taped.process(e.SessionOpened(), 1_200)
    taped.process(e.LegClosed(), 1_500)
    again, call = taped.again()
    assert again == taped.steps
    assert call.trace.actions == taped.trace.actions
    recording = decode(taped.journal.encode("leg_lost"))
    assert (recording.format, recording.began, recording.blind_ms, recording.error) == (
        LINEAR_16K,
        1_000,
        None,
        "leg_lost",
    )


def test_the_past_is_that_of_the_calls_beginning() -> None:
    """What the session says later of an earlier action changes the call's record, and must not change its file."""
    asked = Asked("act_1", CANCEL, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, 4_000)
    taped = Taped(PCMU_8K, Rules(), 0, Past(9_000, (), (asked,)))
    taped.begin(0)
    taped.process(e.SessionOpened(), 10)
    taped.process(e.ActionSettled("act_1", "executed", CANCEL, {"ok": True}), 20)
    assert taped.trace.actions[0].outcome == "executed"
    anew = decode(taped.journal.encode()).call()
    anew.begin(0)
    assert anew.trace.actions[0].outcome == ""


def test_a_bug_is_reproduced_at_its_step() -> None:
    taped = Taped(PCMU_8K, Rules(), 0)
    taped.begin(0)
    with pytest.raises(LocalError, match="cannot begin"):
        taped.begin(1)
    recording = decode(taped.journal.encode())
    steps = replay(recording, recording.call())
    assert list(islice(steps, 1)) == taped.steps
    with pytest.raises(LocalError, match="cannot begin"):
        next(steps)


# Files that are none


def recorded() -> bytes:
    desk = TapedDesk()
    desk.opened().asked()
    desk.reply("rsp_1", 300, text="Hello.")
    desk.tell(*[e.CallerHeard(FRAME)] * 9, e.DigitPressed("1"), e.LegClosed())
    return desk.taped.journal.encode()


WHOLE = recorded()
PLAIN = zlib.decompress(WHOLE[len(MAGIC) :])
HEAD, _, LOG = PLAIN.partition(b"\n")


def packed(plain: bytes) -> bytes:
    return MAGIC + zlib.compress(plain)


def head(**changes: Any) -> bytes:
    return packed(msgspec.json.encode(msgspec.json.decode(HEAD) | changes) + b"\n" + LOG)


def fact(written: bytes, number: int = 0) -> bytes:
    return packed(HEAD + b"\n" + bytes((0xC5, 0, number, len(written))) + written)


PROMPT = [kind.__name__ for kind in KINDS].index("PromptReady")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "does not begin as a journal"),
        (b"RIFF....WAVE", "does not begin as a journal"),
        (b"phone_bridge journal 2\n" + WHOLE, "version 2, and this bridge reads version 1"),
        (MAGIC, "cut off"),
        (WHOLE[:-1], "cut off"),
        (WHOLE[: len(WHOLE) // 2], "cut off"),
        (WHOLE[:-4] + b"abcd", "damaged"),
        (MAGIC + b"no zlib", "damaged"),
        (WHOLE + b"x", "something follows"),
        (packed(bytes(MAX_FILE_BYTES + 1)), "too big"),
        (packed(b""), "head"),
        (packed(b"{}\n"), "head"),
        (packed(b"[" * 100_000), "head"),
        (head(past={"ms": "long ago"}), "head"),
        (head(format={"encoding": "pcmu", "rate": 0}), "no line has 0 samples"),
        (head(format={"encoding": "opus", "rate": 8000}), "head"),
        (head(rules={"answer_ms": "soon"}), "head"),
        (head(kinds=["CallerFainted"] * 99), "no fact CallerFainted"),
        (packed(HEAD + b"\n\x05"), "like the last one"),
        (packed(HEAD + b"\n\x45"), "like the last one"),
        (packed(HEAD + b"\n\xc3\x00\x01"), "no entry begins with 195"),
        (packed(HEAD + b"\n\xff\x00"), "no entry begins with 255"),
        (packed(HEAD + b"\n\xc1"), "midst of a number"),
        (packed(HEAD + b"\n\xc1" + b"\xff" * 11), "too long"),
        (packed(HEAD + b"\n\xc4\x00\x01\x05ab"), "midst of an entry"),
        (packed(HEAD + b"\n\xc4\x00\x01\x01\xff"), "no text"),
        (packed(HEAD + b"\n\xc2\x00\xff\xff\xff\x7f"), "no run of sound is so long"),
        (fact(b"{}", 99), "no fact 99"),
        (fact(b'{"audio": -1}'), "no run of sound"),
        (fact(b'{"audio": "x"}'), "no run of sound"),
        (fact(b"{}"), "a CallerHeard is not"),
        (fact(b"[]"), "a CallerHeard is not"),
        (fact(b"{", 1), "a DigitPressed is not"),
        (fact(b'{"digit": 1}', 1), "a DigitPressed is not"),
        (fact(b'{"prompt": "~1", "parts": ["x"]}', PROMPT), "a PromptReady is not"),
        (fact(b'{"prompt": "~1", "parts": [%d, 1]}' % MAX_SOUND_BYTES, PROMPT), "more sound than any"),
    ],
)
def test_a_file_that_is_no_journal_is_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(RemoteError, match=says) as refused:
        decode(data)
    assert str(refused.value).startswith("The file is no journal that can be read: ")
    assert refused.value.code == "journal_unreadable"


def read(data: bytes) -> None:
    """Read ``data`` as far as it is a journal; the documented error is the only way out."""
    try:
        recording = decode(data)
    except RemoteError:
        return
    assert all(isinstance(each.at, int) for each in recording.given())


@pytest.mark.parametrize("cut", range(0, len(WHOLE), 7))
def test_a_file_is_read_whole_or_not_at_all(cut: int) -> None:
    with pytest.raises(RemoteError):
        decode(WHOLE[:cut])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", MAGIC, MAGIC[:-2]]))
def test_any_bytes_are_read_or_refused(data: bytes, lead: bytes) -> None:
    read(lead + data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_facts_behind_a_good_head_are_read_or_refused(log: bytes) -> None:
    read(packed(HEAD + b"\n" + log))


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(PLAIN) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_good_file_with_some_bytes_changed_is_read_or_refused(place: int, put: bytes, take: int) -> None:
    read(packed(PLAIN[:place] + put + PLAIN[place + take :]))
    at = place % len(WHOLE)
    read(WHOLE[:at] + put + WHOLE[at + take :])
