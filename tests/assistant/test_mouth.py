import asyncio
import itertools
from collections.abc import AsyncIterator, Callable

import pytest

from phone_bridge.assistant.mouth import Mouth
from phone_bridge.audio.format import LINEAR_16K, PCMU_8K, Format
from phone_bridge.audio.path import Path, path
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.voice import Speech
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.serving import CHUNK_MS, LEAD_MS
from tests.clock import run_virtual, settle


class Room:
    """A mouth whose voice says each letter for 50 ms, and what came out of it."""

    def __init__(self) -> None:
        self.sent: list[s.Happening] = []
        self.hoarse = False
        self.after_chunk: Callable[[], None] | None = None
        numbers = itertools.count(1)
        self.mouth = Mouth(
            self,
            send=self.sent.append,
            writable=self.writable,
            way=self.way,
            new_id=lambda kind: f"{kind}_{next(numbers)}",
            now=lambda: int(asyncio.get_running_loop().time() * 1000),
        )

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        if self.hoarse:
            raise Unavailable("no voice")
        return Speech(bytes(LINEAR_16K.size(50 * len(text))), LINEAR_16K)

    async def close(self) -> None: ...

    def stream_by_letter(self) -> None:
        """Have a voice that gives each letter as it is said."""

        async def stream(text: str, *, language: str = "en") -> AsyncIterator[Speech]:
            for letter in text:
                yield await self.speak(letter)

        self.stream = stream

    async def writable(self) -> None:
        if self.after_chunk is not None and self.sound():
            self.after_chunk()

    def way(self, format: Format) -> Path:
        return path(format, PCMU_8K)

    def sound(self) -> list[bytes]:
        return [each.audio for each in self.sent if isinstance(each, s.ReplySound)]


def done(status: str, reason: str = "", name: str = "rsp_1") -> s.ReplyEnded:
    return s.ReplyEnded(name, status, reason)


def test_a_response_begins_with_its_first_words_and_ends_once() -> None:
    room = Room()
    room.mouth.finish()
    assert room.sent == []

    run_virtual(room.mouth.say("Hi."))
    assert room.mouth.response == "rsp_1"
    room.mouth.finish()
    assert room.sent[0] == s.ReplyBegan("rsp_1")
    assert room.sent[-1] == done("completed")
    assert room.mouth.response == ""


def test_sentences_are_parted_by_a_blank_in_their_words() -> None:
    room = Room()
    run_virtual(room.mouth.say("One."))
    run_virtual(room.mouth.say("Two."))

    assert [each.text for each in room.sent if isinstance(each, s.ReplyWords)] == ["One.", " Two."]


def test_speech_is_cut_into_chunks_and_converted_as_one() -> None:
    room = Room()
    run_virtual(room.mouth.say("x" * 9))  # 450 ms

    assert [len(each) for each in room.sound()[:2]] == [PCMU_8K.size(CHUNK_MS)] * 2
    assert b"".join(room.sound()) == path(LINEAR_16K, PCMU_8K).push(bytes(LINEAR_16K.size(450)))


def test_speech_runs_so_far_ahead_of_its_hearing_and_no_further() -> None:
    async def story() -> None:
        room = Room()
        saying = asyncio.create_task(room.mouth.say("x" * 140))  # 7 s
        for passed_ms in range(0, 2000, 100):
            for _ in range(10):
                await settle()
            sent_ms = sum(PCMU_8K.ms(len(each)) for each in room.sound())
            assert LEAD_MS + passed_ms - 5 <= sent_ms <= LEAD_MS + passed_ms + CHUNK_MS
            await asyncio.sleep(0.1)
        await saying
        assert len(room.sound()) == 7000 // CHUNK_MS

    run_virtual(story())


def test_a_cancel_is_not_held_up_by_speech_that_runs_ahead() -> None:
    async def story() -> None:
        room = Room()
        saying = asyncio.create_task(room.mouth.say("x" * 1000))
        await asyncio.sleep(1)
        room.mouth.cancel()
        async with asyncio.timeout(CHUNK_MS / 1000):
            await saying

    run_virtual(story())


def test_nothing_follows_a_cancel_until_the_turn_is_over() -> None:
    room = Room()
    room.after_chunk = room.mouth.cancel
    run_virtual(room.mouth.say("x" * 20))
    run_virtual(room.mouth.say("more"))

    assert len(room.sound()) == 1
    assert room.sent[-1] == done("cancelled", "client_cancelled")
    assert room.mouth.mute
    assert room.mouth.begin() == ""
    room.mouth.finish()
    assert room.sent[-1] == done("cancelled", "client_cancelled")
    assert not room.mouth.mute
    room.after_chunk = None
    run_virtual(room.mouth.say("Hi."))
    assert room.mouth.response == "rsp_2"


def test_a_response_without_its_voice_has_failed() -> None:
    room = Room()
    room.hoarse = True
    with pytest.raises(Unavailable):
        run_virtual(room.mouth.say("Hi."))
    room.mouth.finish()
    assert room.sent[1:] == [s.ReplyWords("rsp_1", "Hi."), done("failed", "speech_unavailable")]

    room.hoarse = False
    run_virtual(room.mouth.say("Hi."))
    room.mouth.finish()
    assert room.sent[-1] == done("completed", name="rsp_2")


def test_what_a_voice_has_said_goes_out_while_it_goes_on() -> None:
    room = Room()
    run_virtual(room.mouth.say("Hello"))
    whole = b"".join(room.sound())

    room = Room()
    room.stream_by_letter()
    run_virtual(room.mouth.say("Hello"))
    assert len(room.sound()) == 5
    assert len(b"".join(room.sound())) == len(whole)


def test_a_cancel_ends_a_voice_that_goes_on() -> None:
    room = Room()
    room.stream_by_letter()
    room.after_chunk = room.mouth.cancel
    run_virtual(room.mouth.say("Hello"))
    assert len(room.sound()) == 1
