"""What all streams of sound over a socket have in common, whatever the words of their carrier.

Sound goes out in frames of 20 ms, at most ``lead_ms`` ahead of the moment at which it is heard, so that no carrier's
buffer has to hold more and a flush leaves nothing to be heard. Where a wire returns marks, they go out in their place
and its word counts; where it has none, a mark is reached when the sound before it must have been played, which is
inferred from the pace and from nothing else.
"""

from collections import deque
from collections.abc import Callable
from typing import TypeVar

import msgspec

from phone_bridge.audio.format import Format
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.call.commands import Flush, HangUp, LegCommand, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.pace import MESSAGES_PER_SECOND, Pace
from phone_bridge.legs.patience import Patience
from phone_bridge.legs.playout import Playout

DIGITS = "0123456789*#ABCD"

QUIET_MS = 500
"""When the line has said nothing for so long, silence is supplied, so that the session can hear a turn end."""

MAX_PAD_MS = 2_000
"""The most silence that is supplied at once."""

LEAD_MS = 400
"""How far ahead of its hearing sound is given to a carrier that buffers it."""

SHORT_MS = 40
"""When no more than this is left with the carrier, a frame that is not full yet is filled up with silence and sent."""

CATCH_UP_MS = 200
"""Frames that are late by no more than this follow at once; after a longer stall they go on from now."""

UNKNOWN_EVENT = "unknown_event"
MALFORMED = "malformed_message"
BINARY = "binary_frame"
_IN_ORDER = (1000, 1001, 1005)  # RFC 6455, 7.4.1
_HARMLESS = frozenset({UNKNOWN_EVENT})


class StreamLeg:
    """One stream; its wire's own words are said by the methods ``_read`` to ``_goodbye`` of its class.

    ``steady`` sends silence where there is nothing to say, for a far end that takes a pause for the end.
    """

    closing: HangUp | None = None
    """What the call said when it let the leg go; the pump sends what waits and closes the socket."""

    def __init__(
        self, format: Format, now: int, *, lead_ms: int = LEAD_MS, marks: bool = True, steady: bool = False
    ) -> None:
        self.format = format
        self._steady = steady
        self._lead = lead_ms
        self._marks = marks
        self._frame = format.size(FRAME_MS)
        self._playout = Playout(format)
        self._sent_to = now  # until when the far end has something to play
        self._inferred: deque[tuple[int, str]] = deque()  # marks, each with when the sound before it is over
        self._fed_at: int | None = now
        self._over = False
        self._pace = Pace(now)
        self._patience = Patience(_HARMLESS)
        self._outgoing: list[str | bytes] = []

    # The wire's own words

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        """Translate one message."""
        raise NotImplementedError

    def _sound(self, frame: bytes) -> str | bytes:
        """Write a frame of sound."""
        raise NotImplementedError

    def _mark(self, name: str) -> str:
        """Write a mark; asked only where the wire has marks."""
        raise NotImplementedError

    def _clear(self) -> str | bytes:
        """Write what empties the carrier's buffer; empty where the wire has no word for it."""
        return ""

    def _goodbye(self) -> str | bytes:
        """Write what hangs up; empty where closing the socket does."""
        return ""

    # What comes in

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        """Translate one message; raises RemoteError ``message_rate``, ``malformed_stream`` and what its wire says."""
        if not self._pace.spend(len(data), now):
            raise RemoteError(
                f"The carrier's stream brought more than {MESSAGES_PER_SECOND} messages a second for too long, "
                "so the stream ends.",
                code="message_rate",
            )
        if self._over:
            return []
        facts = self._read(data, now)
        for fact in facts:
            if isinstance(fact, LegTrouble):
                self._patience.try_with(fact, now)
        return facts

    def _heard(self, sound: bytes, now: int) -> list[Event]:
        """Take the caller's sound; half a sample is trouble."""
        if not sound or len(sound) % self.format.sample_bytes:
            return [LegTrouble("bad_payload")]
        self._fed_at = now
        return [CallerHeard(sound)]

    def closed(self, code: int) -> LegClosed:
        """Take a socket that was closed in order for a caller who hangs up: not every wire has another word for it."""
        return LegClosed() if code in _IN_ORDER else LegClosed("lost")

    def _ended(self) -> list[Event]:
        self._over, self._fed_at = True, None
        return [LegClosed()]

    # What goes out

    def send(self, command: LegCommand, now: int) -> None:
        """Take a duty: sound and a mark, throwing away what waits, or the end."""
        if self._over:
            return
        if isinstance(command, Play):
            self._play(command, now)
        elif isinstance(command, Flush):
            self._flush(now)
        else:
            self.closing = command
            self._over, self._fed_at = True, None
            self._say(self._goodbye())

    def _play(self, play: Play, now: int) -> None:
        if not (self._steady or self._playout.waiting or self._inferred):
            self._sent_to = max(self._sent_to, now)  # the far end has been silent until now
        self._playout.put(play.audio, play.mark)
        self._give(now)

    def _flush(self, now: int) -> None:
        self._playout.flush()
        self._inferred.clear()
        if not self._steady:
            self._sent_to = min(self._sent_to, now)
        self._say(self._clear())

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outgoing = self._outgoing, []
        return waiting

    def _say(self, message: str | bytes) -> None:
        if message:
            self._outgoing.append(message)

    def _give(self, now: int) -> None:
        """Give the carrier what is due by ``now``, and the marks behind it."""
        self._pass_marks()
        while (due := self._due()) is not None and due <= now:
            if now - self._sent_to > CATCH_UP_MS:
                self._sent_to = now
            self._say(self._sound(self._playout.take()))
            self._sent_to += FRAME_MS
            self._pass_marks()

    def _due(self) -> int | None:
        """Say when the next frame goes out."""
        waiting = self._playout.waiting
        if not waiting:
            return self._sent_to if self._steady else None
        return self._sent_to - (self._lead if waiting >= self._frame else min(self._lead, SHORT_MS))

    def _pass_marks(self) -> None:
        for name in self._playout.reached():
            if self._marks:
                self._say(self._mark(name))
            else:
                self._inferred.append((self._sent_to, name))

    # Time

    def deadline(self) -> int | None:
        """Say when the next frame is due, a mark is reached, or the line has been quiet for too long."""
        if self._over:
            return None
        times = [
            self._due(),
            self._inferred[0][0] if self._inferred else None,
            self._fed_at + QUIET_MS if self._fed_at is not None else None,
        ]
        return min(time for time in times if time is not None)

    def expire(self, now: int) -> list[Event]:
        """Give what is due by ``now``, tell of the marks that were reached, and supply silence for a quiet line."""
        if self._over:
            return []
        self._give(now)
        facts: list[Event] = []
        while self._inferred and self._inferred[0][0] <= now:
            facts.append(MarkReached(self._inferred.popleft()[1]))
        if self._fed_at is not None and now >= self._fed_at + QUIET_MS:
            silence = self.format.size(min(now - self._fed_at, MAX_PAD_MS)) // self.format.sample_bytes
            self._fed_at = now
            facts.append(CallerHeard(self.format.silence * silence))
        return facts


T = TypeVar("T")


def decoded(decode: Callable[[str], T], data: str | bytes) -> T | None:
    """Read a text message by ``decode``; None for a binary one, and for one that makes no sense."""
    if isinstance(data, bytes):
        return None
    try:
        return decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def pressed(digit: object) -> list[Event]:
    """Tell of a key, if it is one."""
    if isinstance(digit, str) and len(digit) == 1 and digit.upper() in DIGITS:
        return [DigitPressed(digit.upper())]
    return [LegTrouble(MALFORMED)]
