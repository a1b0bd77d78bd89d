"""The caller's line: frames, keys, marks and both recordings, aligned to the sample."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.simulator.caller import FRAME_BYTES, SILENT_FRAME, Caller, Manners
from phone_bridge.simulator.line import (
    CallerHungUp,
    FrameSpoken,
    KeyPressed,
    Line,
    LineFact,
    MarkPlayed,
    StepBegun,
)
from phone_bridge.simulator.script import HangUp, Press, Say, Step

WORDS = bytes(range(1, 101)) * 4


def line(*steps: Step, now: int = 0) -> Line:
    return Line(Caller(steps, {"words": WORDS}, Manners(stay=True)), now)


def of(facts: Sequence[LineFact], kind: type) -> list[LineFact]:
    return [fact for fact in facts if isinstance(fact, kind)]


def test_a_frame_is_told_when_it_is_whole() -> None:
    phone = line(Say("words", after_ms=0), now=1000)
    assert phone.advance(1019) == [StepBegun(Say("words", after_ms=0), 1000)]
    assert phone.advance(1040) == [FrameSpoken(WORDS[:160], 1020), FrameSpoken(WORDS[160:320], 1040)]
    assert phone.deadline() == 1060


def test_a_late_owner_gets_every_frame_at_its_own_time() -> None:
    facts = line().advance(100)
    assert facts == [FrameSpoken(SILENT_FRAME, at) for at in (20, 40, 60, 80, 100)]


def test_a_key_is_told_when_its_tone_ends() -> None:
    facts = line(Press("5", after_ms=0)).advance(200)
    assert of(facts, KeyPressed) == [KeyPressed("5", 100)]


def test_marks_between_two_frames_are_told_at_their_own_millisecond() -> None:
    phone = line()
    phone.advance(5)
    phone.playout.play(b"\x01" * 81)
    phone.playout.mark("end")
    assert phone.deadline() == 16
    assert phone.advance(16) == [MarkPlayed("end", 16)]
    assert phone.deadline() == 20


def test_hanging_up_is_told_once() -> None:
    facts = line(HangUp(after_ms=40)).advance(200)
    assert of(facts, CallerHungUp)[0] == CallerHungUp(40)
    assert of(facts, StepBegun) == [StepBegun(HangUp(after_ms=40), 40)]


def test_what_is_said_and_what_is_heard_stand_at_the_same_place() -> None:
    phone = line(Say("words", after_ms=40))
    phone.advance(40)
    phone.playout.play(WORDS)
    phone.advance(107)
    said, heard = phone.tracks(107)
    assert len(said) == len(heard) == 107 * 8
    assert heard[40 * 8 :][: len(WORDS)] == WORDS
    assert said[40 * 8 : 80 * 8] == WORDS[: 2 * FRAME_BYTES]


@given(steps=st.lists(st.integers(0, 70), min_size=1, max_size=20))
def test_both_tracks_are_the_same_however_often_time_is_passed(steps: list[int]) -> None:
    end = sum(steps)
    whole, cut = line(Say("words", after_ms=60)), line(Say("words", after_ms=60))
    for phone in (whole, cut):
        phone.playout.play(WORDS)
    whole_facts = whole.advance(end)
    cut_facts, now = [], 0
    for step in steps:
        now += step
        cut_facts += cut.advance(now)
    assert cut_facts == whole_facts
    assert cut.tracks(end) == whole.tracks(end)
    assert cut.tracks(end)[1] == (WORDS + PCMU_8K.silence * end * 8)[: end * 8]
