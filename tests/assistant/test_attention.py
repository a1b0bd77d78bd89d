import asyncio
from collections.abc import Callable, Coroutine, Sequence

import pytest

from phone_bridge.assistant.attention import WHOLE_TURN_MS, Attention, is_whole
from phone_bridge.assistant.ports import (
    Expecting,
    Heard,
    Mood,
    Notice,
    SpeechBegan,
    SpeechEnded,
    SpeechPaused,
    SpeechWentOn,
)
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.errors import Unavailable
from tests.clock import run_virtual, settle

WISH = "cancel my next meeting"
FRAME = bytes(LINEAR_16K.size(20))
PAUSED = SpeechPaused(0, b"so far")
BOTH = Expecting(), Expecting(Mood.CONSENT)


class Cues:
    """An endpointer that notices what the test tells it to, at the next sound."""

    def __init__(self) -> None:
        self.next: list[Notice] = []
        self.cleared = 0

    def push(self, audio: bytes) -> Sequence[Notice]:
        now, self.next = self.next, []
        return now

    def flush(self) -> Sequence[Notice]:
        return self.push(b"")

    def clear(self) -> None:
        self.cleared += 1


class Ears:
    """An ear that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, Expecting]] = []
        self.answers: list[asyncio.Future[Heard]] = []

    def prepare(self, expecting: Expecting) -> None:
        raise AssertionError("nobody begins a conversation here")

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        self.asked.append((utterance, expecting))
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]

    async def answer(self, text: str) -> None:
        await settle()
        self.answers[-1].set_result(Heard(text))
        await settle()


class Room:
    def __init__(self) -> None:
        self.cues, self.ear, self.expecting = Cues(), Ears(), Expecting()
        self.attention = Attention(self.cues, self.ear, lambda: self.expecting)

    def hears(self, *cues: Notice, ms: int = 20) -> list[SpeechBegan | SpeechEnded]:
        """Push ``ms`` of sound, with the cues in its first frame."""
        self.cues.next = list(cues)
        return [event for _ in range(ms // 20) for event in self.attention.push(FRAME)]


def the_end(found: list[SpeechBegan | SpeechEnded]) -> SpeechEnded:
    (ended,) = found
    assert isinstance(ended, SpeechEnded)
    return ended


def play(story: Callable[[Room], Coroutine[None, None, None]]) -> None:
    async def told() -> None:
        await story(Room())

    run_virtual(told())


def test_a_whole_wish_ends_the_turn_after_a_short_silence_and_is_heard_once() -> None:
    async def story(room: Room) -> None:
        assert room.hears(SpeechBegan(0), PAUSED, ms=160) == [SpeechBegan(0)]
        await room.ear.answer(WISH)
        assert room.hears(ms=WHOLE_TURN_MS - 180) == []
        ended = the_end(room.hears())
        assert ended == SpeechEnded(0, PAUSED.utterance)
        assert room.cues.cleared == 1
        assert (await room.attention.hear(ended.utterance, room.expecting)).text == WISH
        assert len(room.ear.asked) == 1

    play(story)


def test_words_that_come_late_end_the_turn_when_they_come() -> None:
    async def story(room: Room) -> None:
        assert room.hears(PAUSED, ms=400) == []
        await room.ear.answer(WISH)
        assert len(room.hears()) == 1
        assert room.hears(ms=400) == []

    play(story)


@pytest.mark.parametrize("text", ["", "move the meeting to", "cancel the", "on friday"])
def test_what_is_not_whole_waits_for_the_whole_silence_and_is_heard_once(text: str) -> None:
    async def story(room: Room) -> None:
        room.hears(PAUSED)
        await room.ear.answer(text)
        assert room.hears(ms=480) == []
        ended = the_end(room.hears(SpeechEnded(10, b"so far and some silence")))
        assert (await room.attention.hear(ended.utterance, room.expecting)).text == text
        assert len(room.ear.asked) == 1

    play(story)


def test_an_answer_to_a_proposal_is_never_cut_short() -> None:
    async def story(room: Room) -> None:
        room.expecting = Expecting(Mood.CONSENT)
        room.hears(PAUSED)
        await room.ear.answer(WISH)
        assert room.hears(ms=600) == []

    play(story)


def test_who_speaks_on_is_not_interrupted_and_heard_anew() -> None:
    async def story(room: Room) -> None:
        room.hears(PAUSED)
        await room.ear.answer(WISH)
        assert room.hears(SpeechWentOn(200), ms=800) == []
        ended = the_end(room.hears(SpeechEnded(900, b"all of it")))
        hearing = asyncio.create_task(room.attention.hear(ended.utterance, room.expecting))
        await room.ear.answer("cancel my next meeting with anna")
        assert (await hearing).text.endswith("anna")

    play(story)


def test_one_pause_at_a_time_is_heard_ahead() -> None:
    async def story(room: Room) -> None:
        room.hears(PAUSED)
        await settle()
        room.hears(SpeechWentOn(200))
        room.hears(SpeechPaused(400, b"more"))
        await settle()
        assert len(room.ear.asked) == 1
        await room.ear.answer(WISH)
        assert room.hears(ms=800) == []

    play(story)


def test_words_heard_for_another_question_do_not_count() -> None:
    async def story(room: Room) -> None:
        room.hears(PAUSED)
        await room.ear.answer("no")
        ended = the_end(room.hears(SpeechEnded(0, b"so far")))
        hearing = asyncio.create_task(room.attention.hear(ended.utterance, Expecting(Mood.CONSENT)))
        await room.ear.answer("nope")
        assert (await hearing).text == "nope"
        assert [expecting for _, expecting in room.ear.asked] == list(BOTH)

    play(story)


def test_an_ear_that_fails_ahead_is_told_to_who_asks() -> None:
    async def story(room: Room) -> None:
        room.hears(PAUSED)
        await settle()
        room.ear.answers[0].set_exception(Unavailable("no ear today"))
        await settle()
        assert room.hears(ms=480) == []
        ended = the_end(room.hears(SpeechEnded(0, b"so far")))
        with pytest.raises(Unavailable, match="no ear today"):
            await room.attention.hear(ended.utterance, room.expecting)

    play(story)


def test_a_turn_can_be_ended_or_forgotten_by_others() -> None:
    async def story(room: Room) -> None:
        room.cues.next = [SpeechEnded(300, b"flushed")]
        assert room.attention.flush() == [SpeechEnded(300, b"flushed")]
        room.hears(PAUSED)
        await room.ear.answer(WISH)
        room.attention.clear()
        assert room.hears(ms=800) == []

    play(story)


@pytest.mark.parametrize("text", [WISH, "what do i have tomorrow", "am i free on thursday at four", "goodbye"])
def test_whole_wishes_are_told_from(text: str) -> None:
    assert is_whole(text)


@pytest.mark.parametrize("text", ["schedule a meeting with", "remind me to", "at four", "the blue one", ""])
def test_the_beginnings_of_wishes(text: str) -> None:
    assert not is_whole(text)
