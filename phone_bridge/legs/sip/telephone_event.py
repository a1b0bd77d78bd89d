"""Keys as named telephone events in RTP (RFC 4733, 2): one press is many packets, and counts once."""

from collections import deque
from struct import Struct as Layout
from typing import NamedTuple

from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.rtp import TIMESTAMPS, Packet, ahead

DIGITS = "0123456789*#ABCD"
"""The events of RFC 4733, 3.2, by their numbers."""

RESTART = 8_000
"""A key whose timestamp is further back than this many samples is a new one: the sender's clock began anew."""

KEY_MS, GAP_MS, PAUSE_MS = 100, 100, 500
"""How long a key of ours is down, how long it is silent after it, and how long for a ``w``."""

END_PACKETS = 3
"""How often the end of a key is sent (2.5.1.4)."""

PAUSE = "w"

_layout = Layout("!BBH")


class Turn(NamedTuple):
    """What goes out in one turn: a ``digit`` that is down since ``frames`` turns, this one counted, or silence."""

    digit: str = ""
    frames: int = 0
    last: bool = False


class Presses:
    """The keys that we press, one after another, a turn of 20 ms at a time."""

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque()

    def __bool__(self) -> bool:
        return bool(self._turns)

    def add(self, digits: str) -> None:
        """Press ``digits`` after what is being pressed; a ``w`` among them is a pause."""
        down = KEY_MS // FRAME_MS
        for digit in digits:
            if digit != PAUSE:
                self._turns += [Turn(digit, frames, frames == down) for frames in range(1, down + 1)]
            self._turns += [Turn()] * ((PAUSE_MS if digit == PAUSE else GAP_MS) // FRAME_MS)

    def next(self) -> Turn:
        """Give what goes out in the next turn; there has to be one."""
        return self._turns.popleft()


def pack(digit: str, *, end: bool, duration: int, volume: int = 10) -> bytes:
    """Write the payload of one packet of a key; ``duration`` is in samples since the key went down."""
    return _layout.pack(DIGITS.index(digit), (0x80 if end else 0) | volume, duration)


class Keys:
    """Find the keys in the packets of telephone events.

    All packets of one press have the timestamp of its beginning, so a press counts with the first of them that
    comes, be it the last that was sent.
    """

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None  # ssrc and timestamp of the last press

    def push(self, packet: Packet) -> str:
        """Take a packet; gives the key with the first one of its press, otherwise an empty text.

        Raises RemoteError ``malformed_telephone_event``.
        """
        if len(packet.payload) < _layout.size:
            raise RemoteError("A packet of a telephone event is too short.", code="malformed_telephone_event")
        event, _, _ = _layout.unpack_from(packet.payload)
        if event >= len(DIGITS):
            return ""  # a flash, a fax tone: nothing that a caller keys
        if self._last is not None and self._last[0] == packet.ssrc:
            newer = ahead(packet.timestamp, self._last[1], TIMESTAMPS)
            if -RESTART < newer <= 0:
                return ""
        self._last = (packet.ssrc, packet.timestamp)
        return DIGITS[event]


def relayed(body: bytes) -> str:
    """Find the key in an INFO's body, ``application/dtmf-relay`` or ``application/dtmf``; an empty text for none."""
    text = body.decode("ascii", "replace").strip()
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip().lower() == "signal":
            text = value.strip()
            break
    if text in ("10", "11"):
        text = DIGITS[int(text)]
    return text.upper() if len(text) == 1 and text.upper() in DIGITS else ""
