"""What a speech synthesiser must offer, whoever makes it."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol, runtime_checkable

import msgspec

from phone_bridge.audio.format import Format


class Speech(msgspec.Struct, frozen=True, gc=False):
    """Spoken words as sound."""

    audio: bytes
    format: Format


class Voice(Protocol):
    """A synthesiser of speech."""

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        """Say ``text``; raises Unavailable when the synthesiser cannot be had."""
        ...

    async def close(self) -> None:
        """Let its processes go; nothing can be spoken afterwards."""
        ...


@runtime_checkable
class StreamingVoice(Protocol):
    """A synthesiser that is slower than it is far away: what it has said can be heard while it goes on."""

    def stream(self, text: str, *, language: str = "en") -> AsyncIterator[Speech]:
        """Say ``text`` piece by piece, all in one format; raises Unavailable when the synthesiser cannot go on."""
        ...


async def spoken(voice: Voice, text: str) -> AsyncGenerator[Speech, None]:
    """Say ``text`` piece by piece where ``voice`` can, or else in one."""
    if isinstance(voice, StreamingVoice):
        async for speech in voice.stream(text):
            yield speech
    else:
        yield await voice.speak(text)
