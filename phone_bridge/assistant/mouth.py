"""How a session answers: one response for one turn, spoken sentence by sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from phone_bridge.audio.format import Format
from phone_bridge.audio.path import Path
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.voice import Speech, Voice, spoken
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.serving import Manners


class Mouth:
    """The response that is being given, if one is.

    It begins with the first thing that is said or proposed and ends with ``finish``. After a cancel the rest of the
    turn is mute: ``begin`` gives no response any more until ``finish``. ``manners`` says how the client wants it.
    """

    def __init__(
        self,
        voice: Voice,
        *,
        send: Callable[[s.Happening], None],
        writable: Callable[[], Awaitable[None]],
        way: Callable[[Format], Path],
        new_id: Callable[[str], str],
        now: Callable[[], int],
        manners: Callable[[], Manners] = Manners,
    ) -> None:
        self._voice = voice
        self._send = send
        self._writable = writable
        self._way = way
        self._new_id = new_id
        self._now = now
        self._manners = manners
        self._heard_out = 0  # when all that was sent of this response will have been heard
        self._response = ""
        self._mute = False
        self._said = False
        self._failed = False

    @property
    def response(self) -> str:
        """The id of the running response; "" while there is none."""
        return self._response

    @property
    def mute(self) -> bool:
        """True for the rest of a turn whose response was cancelled."""
        return self._mute

    def begin(self) -> str:
        """Begin the turn's response, if it has not begun; "" in a turn that was cancelled."""
        if not self._response and not self._mute:
            self._response = self._new_id("rsp")
            self._said = self._failed = False
            self._heard_out = self._now()
            self._send(s.ReplyBegan(self._response))
        return self._response

    async def say(self, text: str) -> None:
        """Speak ``text`` as part of the response; raises Unavailable when only its words could be sent."""
        response = self.begin()
        if not response:
            return
        self._send(s.ReplyWords(response, f" {text}" if self._said else text))
        self._said = True
        if self._manners().speaks:
            await self._speak(text, response)

    async def _speak(self, text: str, response: str) -> None:
        way: Path | None = None
        try:
            async with aclosing(spoken(self._voice, text)) as pieces:
                async for speech in pieces:
                    way = way or self._way(speech.format)
                    await self._play(response, speech, way)
                    if self._response != response:
                        return
        except Unavailable:
            self._failed = True
            raise

    async def _play(self, response: str, speech: Speech, way: Path) -> None:
        """Send ``speech``, as long as the response goes on."""
        manners = self._manners()
        step = speech.format.size(manners.chunk_ms)
        for start in range(0, len(speech.audio), step):
            await self._writable()
            if self._response != response:
                return
            chunk = speech.audio[start : start + step]
            self._send(s.ReplySound(response, way.push(chunk)))
            self._heard_out = max(self._heard_out, self._now()) + speech.format.ms(len(chunk))
            # At the least, other calls get their turn: a long sentence is not worth one of their frames.
            await asyncio.sleep(max(0, self._heard_out - manners.lead_ms - self._now()) / 1000)

    def cancel(self, reason: str = "client_cancelled") -> None:
        """End the response at once and stay mute until the turn is over."""
        self._mute = True
        self._done("cancelled", reason)

    def finish(self) -> None:
        """End the turn, and its response if one was begun and not cancelled."""
        if self._response:
            self._done("failed" if self._failed else "completed", "speech_unavailable" if self._failed else "")
        self._mute = False

    def _done(self, status: str, reason: str) -> None:
        self._send(s.ReplyEnded(self._response, status, reason))
        self._response = ""
