"""The client's end of a door's socket, in virtual time: raw messages in and out."""

import asyncio
import json
from typing import Any, Protocol

from tests.clock import settle


class Hearing(Protocol):
    """Whoever listens to a socket."""

    def message(self, data: str | bytes) -> None: ...

    def closed(self, code: int, reason: str) -> None: ...


class Line:
    """A socket that was accepted; what comes while nobody listens is kept."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.code: int | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self._listener: Hearing | None = None
        self._kept: list[str | bytes] = []
        self._over = asyncio.Event()

    # What a door sees of it

    def attach(self, listener: Hearing) -> None:
        self._listener = listener
        kept, self._kept = self._kept, []
        for number, data in enumerate(kept):
            if self._listener is not listener:
                self._kept = kept[number:]
                return
            listener.message(data)
        if self.code is not None:
            listener.closed(self.code, "")

    def detach(self) -> None:
        self._listener = None

    def send(self, message: str | bytes) -> None:
        if self.code is None:
            self.sent.append(message)

    def close(self, code: int = 1000, reason: str = "") -> None:
        if self.code is None:
            self.code = code
            self.writable.set()
            self._over.set()
            if self._listener is not None:
                asyncio.get_running_loop().call_soon(self._listener.closed, code, reason)

    async def wait_writable(self) -> None:
        await self.writable.wait()

    async def wait_closed(self) -> None:
        await self._over.wait()

    # What a test does with it

    def say(self, *messages: dict[str, Any] | str | bytes) -> None:
        for message in messages:
            data = json.dumps(message) if isinstance(message, dict) else message
            if self._listener is None:
                self._kept.append(data)
            else:
                self._listener.message(data)

    async def take(self) -> list[Any]:
        """Let happen what is due, and take what was sent since: JSON read, sound as it is."""
        seen = -1
        while seen != len(self.sent):
            seen = len(self.sent)
            await settle()
            await settle()
        taken, self.sent = self.sent, []
        return [json.loads(each) if isinstance(each, str) else each for each in taken]


def kinds(messages: list[Any]) -> list[str]:
    """Say what came by types alone, a run of sound as one."""
    tags = ["sound" if isinstance(each, bytes) or "audio.delta" in each["type"] else each["type"] for each in messages]
    return [tag for place, tag in enumerate(tags) if tag != "sound" or place == 0 or tags[place - 1] != tag]
