"""What a speech synthesiser must offer, whoever makes it."""

from typing import Protocol

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
