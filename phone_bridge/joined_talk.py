"""A caller who is put through by us: they hear it ring, and are then together with whoever has picked up.

The bridge stands between the two and passes on what each says, as a carrier does. It listens to nothing, keeps nothing
of it and says nothing. Facts in, duties out, like a call: the same pump drives both.
"""

from collections.abc import Callable
from typing import Any

from phone_bridge.audio.format import Format
from phone_bridge.audio.tones import RINGBACK_EVERY_MS, ringback
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Phase
from phone_bridge.call.trace import Trace
from phone_bridge.call.view import View
from phone_bridge.errors import LocalError


class JoinedTalk:
    """Let one caller wait, and talk for ``limit_ms`` at most; ``trace`` is that of the call so far.

    When the phase is ENDED and ``returned`` is there, nobody has come and the caller is still on the line.
    """

    asking = proving = recordable = False
    lag_ms = quiet_at = unheard_ms = 0  # nothing of ours sounds that somebody would have to have heard

    def __init__(self, format: Format, trace: Trace, limit_ms: int) -> None:
        self.trace = trace
        self.phase = Phase.NEW
        self.returned = False
        """Whether the caller goes back to where they were."""
        self._ringing = ringback(format)
        self._limit_ms = limit_ms
        self._due: int | None = None  # the next ring, or the end
        self._together = False
        self._out: list[c.Command] = []
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            e.CallerHeard: self._caller_heard,
            e.DigitPressed: self._digit_pressed,
            e.LegClosed: self._leg_closed,
            e.EndRequested: self._end_requested,
        }

    def masks(self, now: int) -> bool:
        """Whether a key may be one of a PIN: none is."""
        return False

    def private(self, now: int) -> bool:
        """Whether what the caller does now is for no recording: all of it."""
        return True

    def sounding(self, now: int) -> bool:
        """Whether it matters that the caller speaks while something sounds: it never does."""
        return False

    def view(self, now: int) -> View:
        """Show the talk as it is now: nobody looks into it."""
        return View(self.phase.value, now - self.trace.began)

    def begin(self, now: int) -> list[c.Command]:
        """Let the caller hear it ring."""
        self.phase = Phase.TALKING
        self._ring(now)
        return self._drain()

    def process(self, event: e.Event, now: int) -> list[c.Command]:
        """Take one fact of the caller's in; others say nothing."""
        if self.phase is Phase.NEW:
            raise LocalError(f"{type(event).__name__} came before the talk began")
        handle = self._handlers.get(type(event))
        if handle is not None and self.phase is Phase.TALKING:
            handle(event, now)
        return self._drain()

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        return self._due if self.phase is Phase.TALKING else None

    def expire(self, now: int) -> list[c.Command]:
        """Ring again, or end a talk that is as long as one may be."""
        if self.phase is Phase.TALKING and self._due is not None and now >= self._due:
            if self._together:
                self._hang_up()
            else:
                self._ring(now)
        return self._drain()

    # Whoever is called

    def join(self, now: int) -> list[c.Command]:
        """Let the two hear each other from now on."""
        if self.phase is Phase.TALKING:
            self._together, self._due = True, now + self._limit_ms
            self.trace.ending("transfer")
            self._out.append(c.Flush())
        return self._drain()

    def spoke(self, audio: bytes, now: int) -> list[c.Command]:
        """Take in what the other one says, in the caller's format."""
        if self._together and self.phase is Phase.TALKING:
            self._out.append(c.Play(audio))
        return self._drain()

    def part(self, now: int) -> list[c.Command]:
        """Know that the other one has hung up."""
        if self._together and self.phase is Phase.TALKING:
            self._hang_up()
        return self._drain()

    def give_up(self, now: int) -> list[c.Command]:
        """Know that nobody comes; the caller goes back."""
        if not self._together and self.phase is Phase.TALKING:
            self.returned, self.phase = True, Phase.ENDED
            self._out.append(c.Flush())
        return self._drain()

    # The caller

    def _caller_heard(self, event: e.CallerHeard, now: int) -> None:
        if self._together:
            self._out.append(c.Listen(event.audio))

    def _digit_pressed(self, event: e.DigitPressed, now: int) -> None:
        if self._together:
            self._out.append(c.Press(event.digit))

    def _leg_closed(self, event: e.LegClosed, now: int) -> None:
        self.trace.ending("caller")
        self.phase = Phase.ENDED

    def _end_requested(self, event: e.EndRequested, now: int) -> None:
        self.trace.ending(event.by)
        self._hang_up()

    def _ring(self, now: int) -> None:
        self._due = now + RINGBACK_EVERY_MS
        self._out.append(c.Play(self._ringing))

    def _hang_up(self) -> None:
        self._out.append(c.HangUp("transferred"))
        self.phase = Phase.ENDED

    def _drain(self) -> list[c.Command]:
        out, self._out = self._out, []
        return out
