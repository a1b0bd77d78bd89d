"""One call by SIP as a wire: its dialog's messages are text, its packets of RTP are bytes.

The bridge paces the sound itself. Every 20 ms, in whole milliseconds from the call's beginning, one frame goes out and
one is heard, whatever the network does; so a mark comes back when the sound before it has been played, to the frame,
and silence never stops the clock.
"""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from phone_bridge.audio.format import Format
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.audio.tones import ToneDetector
from phone_bridge.call.commands import Flush, HangUp, LegCommand, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip import rtp, sdp
from phone_bridge.legs.sip.dialog import Dialog, Place, is_address
from phone_bridge.legs.sip.jitter import JitterBuffer
from phone_bridge.legs.sip.message import Fields, Request, read, response
from phone_bridge.legs.sip.telephone_event import Keys, relayed

MEDIA_TIMEOUT_MS = 60_000
"""How long a caller who is not on hold may send no sound before the call counts as lost."""

MAX_QUEUED_MS = 600_000
"""The most sound that waits to be played; what is older than that goes first."""

CATCH_UP_MS = 200
"""Frames that are late by no more than this follow at once; after a longer stall they go on from now."""

_SDP: Fields = (("Content-Type", "application/sdp"),)
_COMFORT_NOISE = 13


class Numbers(Struct, frozen=True, kw_only=True):
    """Where a stream of RTP begins; RFC 3550, 5.1 wants all three drawn at random."""

    ssrc: int
    sequence: int
    timestamp: int


class Playout:
    """Sound that waits for its turn, with marks in it."""

    def __init__(self, format: Format) -> None:
        self._frame = format.size(FRAME_MS)
        self._silence = format.silence
        self._most = format.size(MAX_QUEUED_MS)
        self._sound = bytearray()
        self._taken = 0  # all that was taken so far
        self._marks: deque[tuple[int, str]] = deque()  # each with how much must have been taken

    def put(self, audio: bytes, mark: str) -> None:
        """Add sound, and a mark behind it."""
        self._sound += audio
        excess = len(self._sound) - self._most
        if excess > 0:
            del self._sound[:excess]
            self._taken += excess
        if mark:
            self._marks.append((self._taken + len(self._sound), mark))

    def take(self) -> bytes:
        """Take one frame, filled up with silence."""
        frame = bytes(self._sound[: self._frame])
        del self._sound[: self._frame]
        self._taken += len(frame)
        return frame + self._silence * (self._frame - len(frame))

    def reached(self) -> list[str]:
        """Take the marks before which nothing is left."""
        marks = []
        while self._marks and self._marks[0][0] <= self._taken:
            marks.append(self._marks.popleft()[1])
        return marks

    def flush(self) -> list[str]:
        """Throw away what waits, and take its marks."""
        self._taken += len(self._sound)
        self._sound.clear()
        return self.reached()


class SipLeg:
    """A call that was taken: ``agreed`` is how sound goes, ``here`` where the peer sends its own."""

    def __init__(self, dialog: Dialog, agreed: sdp.Agreed, here: Place, numbers: Numbers, now: int) -> None:
        self.dialog = dialog
        self.far_end = rtp.FarEnd()
        self.format = agreed.format
        self._agreed = agreed
        self._here = here
        self._version = 1
        self._numbers = numbers
        self._packets = 0
        self._frames = 0  # of the line's time, heard or not
        self._turn = now
        self._heard_at = now
        self._over = False
        self._playout = Playout(agreed.format)
        self._jitter = JitterBuffer(agreed.format)
        self._keys = Keys()
        self._tones = ToneDetector(agreed.format) if agreed.events is None else None
        self._told: list[Event] = []  # facts that wait for the next turn
        self._outgoing: list[str | bytes] = []
        self._point()

    @property
    def late_packets(self) -> int:
        """How many packets of the caller's came after their turn."""
        return self._jitter.late

    @property
    def lost_frames(self) -> int:
        """For how many frames of the caller's others stood."""
        return self._jitter.lost

    # What comes in

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        """Take a packet, or a message of the dialog; sound is heard in its turn, at ``deadline``."""
        if self._over:
            return []
        try:
            return self._packet(data, now) if isinstance(data, bytes) else self._message(data)
        except RemoteError as error:
            return [LegTrouble(error.code)]

    def _packet(self, data: bytes, now: int) -> list[Event]:
        packet = rtp.unpack(data)
        if packet.payload_type == self._agreed.payload:
            self._heard_at = now
            self._jitter.push(packet)
            return []
        if packet.payload_type == self._agreed.events:
            self._heard_at = now
            return _pressed(self._keys.push(packet))
        return [] if packet.payload_type == _COMFORT_NOISE else [LegTrouble("unknown_payload_type")]

    def _message(self, text: str) -> list[Event]:
        message = read(text.encode(errors="replace"))
        if not isinstance(message, Request):
            return []
        match message.method:
            case "BYE":
                self.dialog.over = True
                self._outgoing.append(response(message, 200))
                self._end()
                return [LegClosed()]
            case "INFO":
                key = relayed(message.body) if message.content_type.startswith("application/dtmf") else ""
                self._outgoing.append(response(message, 200))
                return _pressed(key)
            case "INVITE" | "UPDATE":
                self._described_anew(message)
            case "ACK" if message.body:
                self._agree(sdp.read(message.body))
        return []

    def _described_anew(self, request: Request) -> None:
        """Answer a re-INVITE: hold, resume, a new address (RFC 3264, 8); the codec stays what it was."""
        contact: Fields = (("Contact", self.dialog.contact),)
        self._version += 1
        if not request.body:
            body = sdp.offer(*self._here, self._version) if request.method == "INVITE" else b""
            self._outgoing.append(response(request, 200, fields=(*contact, *(_SDP if body else ())), body=body))
            return
        try:
            theirs = sdp.read(request.body)
            self._agree(theirs)
        except RemoteError:
            self._outgoing.append(response(request, 488))
            raise
        body = sdp.answer(theirs, self._agreed, *self._here, self._version)
        self._outgoing.append(response(request, 200, fields=(*contact, *_SDP), body=body))

    def _agree(self, theirs: sdp.Description) -> None:
        self._agreed = sdp.agree(theirs, self.format)
        self._point()

    def _point(self) -> None:
        if self._agreed.sends and is_address(self._agreed.host):  # a name is not looked up: the caller speaks first
            self.far_end.describe(self._agreed.host, self._agreed.port)

    # What goes out

    def send(self, command: LegCommand, now: int) -> None:
        """Take a duty: sound and a mark, throwing away what waits, or a BYE."""
        if self._over:
            return
        if isinstance(command, Play):
            self._playout.put(command.audio, command.mark)
        elif isinstance(command, Flush):
            self._told += _marks(self._playout.flush())
        elif isinstance(command, HangUp):
            self._hang_up()

    def outgoing(self) -> list[bytes | str]:
        """Take the packets and messages that wait to be sent."""
        waiting, self._outgoing = self._outgoing, []
        return waiting

    def deadline(self) -> int | None:
        """Say when the next frame is due; at once when a flush has given marks back."""
        if self._told:
            return self._turn - FRAME_MS
        return None if self._over else self._turn

    def expire(self, now: int) -> list[Event]:
        """Send what is due by ``now``, and hear as much."""
        facts, self._told = self._told, []
        if self._over:
            return facts
        if now - self._turn > CATCH_UP_MS:
            missed = (now - self._turn) // FRAME_MS
            self._frames += missed  # the timestamps show the hole
            self._turn += missed * FRAME_MS
        while self._turn <= now:
            facts += self._take_turn()
            self._turn += FRAME_MS
        if self._agreed.hears and now - self._heard_at > MEDIA_TIMEOUT_MS:
            self._hang_up()
            facts.append(LegClosed("lost"))
        return facts

    def _take_turn(self) -> Iterable[Event]:
        facts: list[Event] = [*_marks(self._playout.reached())]
        if self._agreed.sends:
            self._outgoing.append(self._framed(self._playout.take()))
        self._frames += 1
        heard = self._jitter.pop()
        facts.append(CallerHeard(heard))
        if self._tones is not None:
            facts += [DigitPressed(key) for key in self._tones.push(heard)]
        return facts

    def _framed(self, sound: bytes) -> bytes:
        numbers = self._numbers
        packet = rtp.Packet(
            self._agreed.payload,
            (numbers.sequence + self._packets) % rtp.SEQUENCES,
            (numbers.timestamp + self._frames * len(sound)) % rtp.TIMESTAMPS,
            numbers.ssrc,
            sound,
            not self._packets,
        )
        self._packets += 1
        return packet.pack()

    def leave(self) -> None:
        """Hang up on a caller who has been put through."""
        if not self._over:
            self._hang_up()
            self._told = [LegClosed()]

    def _hang_up(self) -> None:
        if not self.dialog.over:
            self.dialog.over = True
            self._outgoing.append(self.dialog.request("BYE"))
        self._end()

    def _end(self) -> None:
        self._over = True


def _marks(names: list[str]) -> list[Event]:
    return [MarkReached(name) for name in names]


def _pressed(key: str) -> list[Event]:
    return [DigitPressed(key)] if key else []
