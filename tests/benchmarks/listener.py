"""A caller whose play-out buffer is exact: what was played, what a ``clear`` threw away, and what came after it."""

import asyncio
from collections.abc import Callable, Iterator

from phone_bridge.legs.twilio.carrier import Cleared, Complaint, Marked, Played
from phone_bridge.simulator.playout import Playout
from tests.benchmarks.far_ends import Ends
from tests.benchmarks.load import FRAME_MS, Ear, Marks, now_ms


class ExactCaller:
    """The carrier's end of one call; marks go back ``late_ms()`` after they were reached, in their order.

    ``on_clear`` is called with the bytes that were played since the last ``forget``, ``on_mark`` with every mark that
    was reached by playing.
    """

    def __init__(self, ends: Ends, frames: Iterator[bytes], marks: Marks, late_ms: Callable[[], float]) -> None:
        self._codec, self._socket = ends.codec, ends.carrier
        self._frames = frames
        self._marks = marks
        self._late_ms = late_ms
        self._timestamp = 0
        self._mark_due = 0.0
        self._cleared = False
        self.playout = Playout(now_ms())
        self.media_bytes = 0
        self.bytes_after_clear = 0
        self.lost = False
        self.on_clear: Callable[[int], None] = _nothing
        self.on_mark: Callable[[], None] = _nothing
        self._socket.attach(Ear(self._message, self._closed))

    def forget(self) -> None:
        """Begin to count anew: what comes from now on is meant to be heard."""
        self.media_bytes = 0
        self._cleared = False

    async def hear_out(self) -> None:
        """Wait until something was played to its end, such as the greeting."""
        while not self.media_bytes or self.playout.buffered:
            await asyncio.sleep(0.02)
            self._advance(now_ms())

    def speak(self) -> None:
        """Send one frame of the caller's."""
        self._socket.send(self._codec.media(next(self._frames), self._timestamp))
        self._timestamp += FRAME_MS

    def press(self, digit: str) -> None:
        """Press a key."""
        self._socket.send(self._codec.dtmf(digit))

    def turn(self, now: int) -> None:
        """Play until ``now``, if a mark is due."""
        due = self.playout.deadline()
        if due is not None and due <= now:
            self._advance(now)

    def _advance(self, now: int) -> None:
        for reached in self.playout.advance(now).marks:
            self._give_back(reached.name, now)
            self.on_mark()

    def _give_back(self, name: str, now: int) -> None:
        self._mark_due = max(self._mark_due, now + self._late_ms())
        self._marks.put(self._mark_due, self._return_mark, name)

    def _return_mark(self, name: str) -> None:
        self._socket.send(self._codec.mark(name))

    def _message(self, data: str | bytes) -> None:
        now = now_ms()
        self._advance(now)
        match self._codec.receive(data):
            case Played(audio):
                self._play(audio)
            case Marked(name):
                for back in self.playout.mark(name):
                    self._give_back(back, now)
            case Cleared():
                played = self.media_bytes - self.playout.buffered
                for back in self.playout.clear():
                    self._give_back(back, now)
                self._cleared = True
                self.on_clear(played)
            case Complaint(code, message):
                raise RuntimeError(f"the bridge sent what a carrier skips with {code}: {message}")

    def _play(self, audio: bytes) -> None:
        if self._cleared:
            self.bytes_after_clear += len(audio)
            return
        self.media_bytes += len(audio)
        self.playout.play(audio)

    def _closed(self, code: int, reason: str) -> None:
        self.lost = True


def _nothing(*_: object) -> None:
    pass
