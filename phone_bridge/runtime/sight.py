"""How loud both sides of a call are, looked at in passing: one frame in five, for a picture of the call.

This stands on the way of every frame, so it does little, and the pump has it at hand in one place.
"""

from typing import Protocol

from phone_bridge.audio.format import Format
from phone_bridge.audio.level import loudness
from phone_bridge.call.timeline import STEP_MS
from phone_bridge.call.trace import Trace


class Seen(Protocol):
    """A call that is looked at."""

    trace: Trace

    @property
    def quiet_at(self) -> int:
        """When all that was sent will have been heard."""
        ...


class Sight:
    """See one ``call`` in ``format`` onto its trace's time line."""

    __slots__ = ("_began", "_call", "_loudness", "_step_bytes", "_timeline", "look_at", "stride")

    def __init__(self, call: Seen, format: Format) -> None:
        self.look_at = 0
        """When a frame of the caller's is looked at next, in milliseconds on the call's clock."""
        self.stride = 1
        """One in so many of the assistant's frames is looked at."""
        self._call = call
        self._began = call.trace.began
        self._timeline = call.trace.timeline
        self._loudness = loudness(format)
        self._step_bytes = format.size(STEP_MS)

    def caller(self, audio: bytes, now: int) -> None:
        """Look at a frame of the caller's."""
        at = now - self._began
        self.look_at = now + STEP_MS - at % STEP_MS
        self._timeline.caller(at, self._loudness(audio))

    def frame(self, audio: bytes) -> None:
        """Look at a frame that was sent just now, and stands for those before it that were not looked at."""
        size = len(audio)
        if size * self.stride == self._step_bytes:  # nearly always
            self._timeline.heard(self._call.quiet_at - self._began - STEP_MS, self._loudness(audio))
        elif size:
            self.spoken(audio, self.stride)
            self.stride = max(1, self._step_bytes // size)

    def spoken(self, audio: bytes, runs: int = 1) -> None:
        """Look at all of ``audio``, which with as much before it as makes ``runs`` of it will be heard at last."""
        size = self._step_bytes
        at = self._call.quiet_at - self._began - len(audio) * runs * STEP_MS // size
        for start in range(0, len(audio), size):
            self._timeline.heard(at + start // size * STEP_MS, self._loudness(audio[start : start + size]))

    def flushed(self, now: int) -> None:
        """Know that what was to sound from now on is not heard."""
        self._timeline.unheard(now - self._began)
