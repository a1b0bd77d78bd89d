import asyncio
from collections.abc import AsyncIterator

from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.runtime.voice import Speech, StreamingVoice, Voice, spoken


class Whole:
    async def speak(self, text: str, *, language: str = "en") -> Speech:
        return Speech(text.encode(), LINEAR_16K)

    async def close(self) -> None: ...


class Piecewise(Whole):
    async def stream(self, text: str, *, language: str = "en") -> AsyncIterator[Speech]:
        for word in text.split():
            yield Speech(word.encode(), LINEAR_16K)


def pieces(voice: Voice) -> list[bytes]:
    async def listen() -> list[bytes]:
        return [speech.audio async for speech in spoken(voice, "how are you")]

    return asyncio.run(listen())


def test_a_voice_is_heard_piece_by_piece_where_it_can_be() -> None:
    assert not isinstance(Whole(), StreamingVoice)
    assert pieces(Whole()) == [b"how are you"]
    assert pieces(Piecewise()) == [b"how", b"are", b"you"]
