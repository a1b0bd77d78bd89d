"""One call by SIP as a wire: its dialog's messages are text, its packets of RTP are bytes.

The bridge paces the sound itself. Every 20 ms, in whole milliseconds from the call's beginning, one frame goes out and
one is heard, whatever the network does; so a mark comes back when the sound before it has been played, to the frame,
and silence never stops the clock.
"""

from msgspec import Struct, structs

from phone_bridge.audio.fade import fallen, risen
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.audio.tones import ToneDetector, dtmf
from phone_bridge.call.commands import Flush, HangUp, LegCommand, Play
from phone_bridge.call.events import (
    CallerChanged,
    CallerHeard,
    CallerHeld,
    DigitPressed,
    Event,
    LegClosed,
    LegTrouble,
    MarkReached,
)
from phone_bridge.errors import RemoteError
from phone_bridge.legs.playout import Playout
from phone_bridge.legs.sip import rtcp, rtp, sdp
from phone_bridge.legs.sip.codec import CLOCK_RATE, FRAME_TICKS, decoder, encoder, leading
from phone_bridge.legs.sip.comfort_noise import PAYLOAD, ComfortNoise
from phone_bridge.legs.sip.dialog import Dialog, Place, is_address
from phone_bridge.legs.sip.jitter import JitterBuffer
from phone_bridge.legs.sip.message import Fields, Request, read, response
from phone_bridge.legs.sip.srtp import Seal, Srtp
from phone_bridge.legs.sip.telephone_event import END_PACKETS, KEY_MS, Keys, Presses, Turn, pack, relayed

MEDIA_TIMEOUT_MS = 60_000
"""How long a caller may send neither sound nor a report before the call counts as lost; who has us on hold may."""

CATCH_UP_MS = 200
"""Frames that are late by no more than this follow at once; after a longer stall they go on from now."""

_NOTHING = -1
"""A payload type that no packet has."""

_SDP: Fields = (("Content-Type", "application/sdp"),)


class Numbers(Struct, frozen=True, kw_only=True):
    """Where a stream of RTP begins; RFC 3550, 5.1 wants all three drawn at random."""

    ssrc: int
    sequence: int
    timestamp: int
    key: bytes = b""
    """What our sound is sealed with, where it is."""

    def __repr__(self) -> str:
        return f"Numbers(ssrc={self.ssrc})"


class SipLeg:
    """A call that was taken: ``agreed`` is how sound goes, ``here`` where the peer sends its own."""

    def __init__(self, dialog: Dialog, agreed: sdp.Agreed, here: Place, numbers: Numbers, now: int) -> None:
        self.dialog = dialog
        self.far_end = rtp.FarEnd()
        self.control_end = rtp.FarEnd()
        """Where reports go, which have a port of their own unless the peer uses one for both."""
        self.format = agreed.format
        """What the call's sound is in from its beginning to its end, whatever codec the wire has meanwhile."""
        self._agreed = agreed
        self._here = here
        self._seal: Seal | None = None
        self._version = 1
        self._numbers = numbers
        self._packets = 0
        self._frames = 0  # of the line's time, heard or not
        self._turn = now
        self._over = False
        self._playout = Playout(agreed.format)
        self._presses = Presses()
        self._pressed_at = 0  # the timestamp at which the key went down
        self._listen_anew()
        self._told: list[Event] = [] if agreed.sends else [CallerHeld(held=True)]  # facts for the next turn
        self._outgoing: list[str | bytes] = []
        self._point()

    def _listen_anew(self) -> None:
        """Know nothing of what was said and heard before: it was another stream."""
        self._heard_at = self._turn
        codec = self._agreed.codec
        self._hears = self._says = self._agreed.payload
        self._encode = self._spoken = encoder(codec, self.format)
        self._jitter = JitterBuffer(self.format, decoder(codec, self.format))
        self._noise = ComfortNoise(self.format)
        self._control = rtcp.Control(self._numbers.ssrc, CLOCK_RATE, self._turn)
        self._keys = Keys()
        self._tones = self._listener()

    def _listener(self) -> ToneDetector | None:
        return ToneDetector(self.format) if self._agreed.events is None else None

    @property
    def mux(self) -> bool:
        """Whether reports go where the sound goes."""
        return self._agreed.control_port == self._agreed.port

    def measured(self) -> list[tuple[str, float]]:
        """Take what was found out of the line's quality since the last time."""
        return self._control.measured()

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
        if self._seal is not None:
            data = self._seal.open(data)
        if rtcp.is_control(data):
            self._heard_at = now  # who does not speak, and sends no silence, is there all the same
            self._control.receive(data, now)
            return []
        packet = rtp.unpack(data)
        is_sound = packet.payload_type == self._hears
        self._control.reception.take(packet, now, sound=is_sound)
        if is_sound:
            self._heard_at = now
            if self._noise.sounds:
                self._noise.stop()
            self._jitter.push(packet)
            return []
        if packet.payload_type == self._agreed.payload:
            return self._heard_anew(packet, now)
        if packet.payload_type == PAYLOAD:
            self._heard_at = now
            self._noise.set(packet.payload)
            return []
        if packet.payload_type == self._agreed.events:
            self._heard_at = now
            return _pressed(self._keys.push(packet))
        return [LegTrouble("unknown_payload_type")]

    def _heard_anew(self, packet: rtp.Packet, now: int) -> list[Event]:
        """Hear the first of what was agreed on last; until it comes, what was spoken before is (RFC 3264, 8.3.2)."""
        self._hears, self._heard_at = packet.payload_type, now
        self._noise.stop()
        self._jitter.change(decoder(self._agreed.codec, self.format), packet.timestamp)
        self._jitter.push(packet)
        return []

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
                return self._described_anew(message)
            case "ACK" if message.body:
                return self._agree(sdp.read(message.body))
        return []

    def _described_anew(self, request: Request) -> list[Event]:
        """Answer a re-INVITE: hold, resume, a new address, another codec (RFC 3264, 8)."""
        contact: Fields = (("Contact", self.dialog.contact),)
        self._version += 1
        if not request.body:
            key, wish, codecs = self._numbers.key, self._wish, leading(self._agreed.format, self._agreed.codecs)
            offer = sdp.offer(*self._here, self._version, key=key, wish=wish, codecs=codecs)
            body = offer if request.method == "INVITE" else b""
            self._outgoing.append(response(request, 200, fields=(*contact, *(_SDP if body else ())), body=body))
            return []
        try:
            theirs = sdp.read(request.body)
            facts = self._agree(theirs)
        except RemoteError:
            self._outgoing.append(response(request, 488))
            raise
        body = sdp.answer(theirs, self._agreed, *self._here, self._version, key=self._numbers.key)
        self._outgoing.append(response(request, 200, fields=(*contact, *_SDP), body=body))
        return facts

    def _agree(self, theirs: sdp.Description) -> list[Event]:
        before, self._agreed = self._agreed, sdp.agree(theirs, self._wish, self._agreed.codecs)
        if (before.payload, before.codec) != (self._agreed.payload, self._agreed.codec):
            self._speak_anew(before)
        if (self._agreed.events is None) != (self._tones is not None):
            self._tones = self._listener()
        self._point()
        if self._agreed.sends == before.sends:
            return []
        self._heard_at = self._turn
        return [CallerHeld(before.sends)]

    def _speak_anew(self, before: sdp.Agreed) -> None:
        """Go on in another codec, softly; whoever hears on hears one frame more as before."""
        agreed, old, new = self._agreed, self._spoken, encoder(self._agreed.codec, self.format)
        if self._hears == agreed.payload:
            self._hears = _NOTHING  # the next packet is the first of the new codec

        def last(sound: bytes) -> bytes:
            self._encode = first
            return old(fallen(sound, self.format))

        def first(sound: bytes) -> bytes:
            self._encode = self._spoken = new
            self._says = agreed.payload
            return new(risen(sound, self.format))

        same = (before.host, before.port, before.sends) == (agreed.host, agreed.port, True)
        self._encode = last if same else first

    @property
    def _wish(self) -> Srtp:
        """Whether sound is sealed, which no description changes later on."""
        return Srtp.OFF if self._agreed.crypto is None else Srtp.REQUIRE

    def _point(self) -> None:
        theirs, ours = self._agreed.crypto, sdp.sealing(self._agreed, self._numbers.key)
        if theirs is not None and ours is not None and (self._seal is None or not self._seal.theirs.same_as(theirs)):
            if self._seal is not None:  # under our old key only another stream may begin anew (RFC 3711, 9.1)
                self._numbers = structs.replace(self._numbers, ssrc=(self._numbers.ssrc + 1) % rtp.SOURCES)
                self._control = rtcp.Control(self._numbers.ssrc, CLOCK_RATE, self._turn)
            self._seal = Seal(ours, theirs)
        if self._agreed.sends and is_address(self._agreed.host):  # a name is not looked up: the caller speaks first
            self.far_end.describe(self._agreed.host, self._agreed.port)
            self.control_end.describe(self._agreed.host, self._agreed.control_port)

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
        if self._seal is not None:
            return [each if isinstance(each, str) else self._seal.seal(each) for each in waiting]
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
        if now >= self._control.due:
            self._outgoing.append(self._control.report(now, self._timestamp, self._jitter.wait_ms))
        if self._agreed.hears and self._agreed.sends and now - self._heard_at > MEDIA_TIMEOUT_MS:
            self._hang_up()
            facts.append(LegClosed("lost"))
        return facts

    def _take_turn(self) -> list[Event]:
        facts = _marks(self._playout.reached()) if self._playout.marked else []
        if self._agreed.sends:
            if self._presses:
                self._press(self._presses.next())
            else:
                self._outgoing.append(self._framed(self._playout.take()))
        self._frames += 1
        heard = self._jitter.pop()
        if self._jitter.rests:
            heard = self._noise.take() or heard
        facts.append(CallerHeard(heard))
        if self._tones is not None:
            facts += [DigitPressed(key) for key in self._tones.push(heard)]
        return facts

    @property
    def _timestamp(self) -> int:
        return (self._numbers.timestamp + self._frames * FRAME_TICKS) % rtp.TIMESTAMPS

    @property
    def waiting_ms(self) -> int:
        """How much waits to be played."""
        return self.format.ms(self._playout.waiting)

    def press(self, digits: str) -> None:
        """Press keys for the other side; what sounds waits meanwhile."""
        self._presses.add(digits)

    def _press(self, turn: Turn) -> None:
        events, size = self._agreed.events, self.format.size(FRAME_MS)
        if not turn.digit:
            self._outgoing.append(self._framed(self.format.silence * (size // self.format.sample_bytes)))
            return
        if events is None:
            tone = dtmf(turn.digit, self.format, tone_ms=KEY_MS, gap_ms=0)
            self._outgoing.append(self._framed(tone[(turn.frames - 1) * size : turn.frames * size]))
            return
        if turn.frames == 1:
            self._pressed_at = self._timestamp
        payload = pack(turn.digit, end=turn.last, duration=turn.frames * FRAME_TICKS)
        for _ in range(END_PACKETS if turn.last else 1):
            self._outgoing.append(self._packed(events, self._pressed_at, payload, marker=turn.frames == 1))

    def _framed(self, sound: bytes) -> bytes:
        payload = self._encode(sound)  # before it is known by what number it goes
        return self._packed(self._says, self._timestamp, payload, marker=not self._packets)

    def _packed(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> bytes:
        numbers = self._numbers
        self._control.sent(len(payload))
        sequence = (numbers.sequence + self._packets) % rtp.SEQUENCES
        self._packets += 1
        return rtp.pack(payload_type, sequence, timestamp, numbers.ssrc, payload, marker)

    def change(self, dialog: Dialog, agreed: sdp.Agreed, here: Place, numbers: Numbers) -> None:
        """Go on with somebody else, in whatever codec; what is left to be said is said to them."""
        self.dialog, self._agreed, self._here, self._numbers = dialog, agreed, here, numbers
        self.far_end, self.control_end = rtp.FarEnd(), rtp.FarEnd()
        self._seal, self._version, self._packets = None, 1, 0
        self._listen_anew()
        self._told.append(CallerChanged())
        if not agreed.sends:
            self._told.append(CallerHeld(held=True))
        self._point()

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
        if goodbye := self._control.goodbye(self._turn, self._timestamp):
            self._outgoing.append(goodbye)
        self._over = True


def _marks(names: list[str]) -> list[Event]:
    return [MarkReached(name) for name in names]


def _pressed(key: str) -> list[Event]:
    return [DigitPressed(key)] if key else []
