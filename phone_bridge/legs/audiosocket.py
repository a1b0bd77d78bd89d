"""Asterisk's AudioSocket: frames of linear sound over TCP, and next to nothing else.

Each frame is a kind, a length of two bytes (big-endian) and a payload. The first one names the stream by a UUID that
the dialplan chose. There are no marks and nothing to clear: whoever sends sets the pace, a frame each 20 ms, and
Asterisk plays a frame as it comes. So what was played is known by the pace; that nothing is buffered is what Asterisk's
documentation implies, not what it says. Silence is sent, too, for a channel that hears nothing is taken for dead.
Source: https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/
"""

import struct

from phone_bridge.audio.format import LINEAR_8K
from phone_bridge.call.events import Event, LegTrouble
from phone_bridge.errors import RemoteError
from phone_bridge.legs.streaming import MALFORMED, StreamLeg, pressed

HANG_UP, ID, DTMF, SLIN, ERROR = 0x00, 0x01, 0x03, 0x10, 0xFF
"""Kinds of frames."""

ID_BYTES = 16

OTHER_RATES = range(0x11, 0x19)
"""Kinds of sound at other rates than 8 kHz, which newer versions of Asterisk may send."""

_header = struct.Struct("!BH")


class Frames:
    """Cut what comes over TCP into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def push(self, data: bytes) -> None:
        """Take bytes, cut anywhere."""
        self._rest += data

    def pop(self) -> tuple[int, bytes] | None:
        """Give the next whole frame, its kind and its payload."""
        if len(self._rest) < _header.size:
            return None
        kind, length = _header.unpack_from(self._rest)
        end = _header.size + length
        if len(self._rest) < end:
            return None
        payload, self._rest = self._rest[_header.size : end], self._rest[end:]
        return kind, payload


def named(frames: Frames, data: bytes) -> str | None:
    """Take the first bytes of a connection, and give the stream's UUID once it is whole.

    Raises RemoteError ``stream_not_started`` where anything else comes first.
    """
    frames.push(data)
    frame = frames.pop()
    if frame is None:
        return None
    kind, payload = frame
    if kind != ID or len(payload) != ID_BYTES:
        raise RemoteError("A connection for AudioSocket began with something else.", code="stream_not_started")
    digits = payload.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def pack(kind: int, payload: bytes = b"") -> bytes:
    """Write a frame."""
    return _header.pack(kind, len(payload)) + payload


class AudioSocketLeg(StreamLeg):
    """A named connection as a caller's line; ``frames`` has what came behind the name."""

    def __init__(self, frames: Frames, now: int) -> None:
        super().__init__(LINEAR_8K, now, lead_ms=0, marks=False, steady=True)
        self._frames = frames

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        if isinstance(data, str):
            return [LegTrouble(MALFORMED)]
        self._frames.push(data)
        facts: list[Event] = []
        while not self._over and (frame := self._frames.pop()) is not None:
            facts += self._fact(*frame, now)
        return facts

    def _fact(self, kind: int, payload: bytes, now: int) -> list[Event]:
        if kind == SLIN:
            return self._heard(payload, now)
        if kind == DTMF:
            return pressed(payload.decode("latin-1"))
        if kind == HANG_UP:
            return self._ended()
        if kind == ERROR:
            return [LegTrouble("asterisk_error", payload.hex())]
        if kind in OTHER_RATES:
            raise RemoteError(
                "Asterisk sends AudioSocket sound at another rate than 8000 Hz; have the channel speak slin.",
                code="unsupported_media_format",
            )
        return [LegTrouble("unknown_event")]

    def _sound(self, frame: bytes) -> bytes:
        return pack(SLIN, frame)

    def _goodbye(self) -> bytes:
        return pack(HANG_UP)
