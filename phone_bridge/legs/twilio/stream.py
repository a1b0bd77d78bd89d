"""Our side of a Twilio Media Stream.

A stream is opened in two steps, so that nothing is paid for before the caller's token is checked::

    opening = Opening()                        # the socket was accepted
    start = opening.receive(text, now)         # until a StreamStart comes back; then check its token
    wire = TwilioStream(start)                 # now a session may be opened, and the pump may run

A bidirectional stream has no word for hanging up: ``<Connect>`` ends when its socket is closed, and its ``action`` then
decides what comes next. So HangUp puts nothing on the wire; it sets ``closing``, and the pump closes the socket.
"""

from binascii import b2a_base64
from typing import ClassVar

import msgspec

from phone_bridge.audio.format import PCMU_8K, Format
from phone_bridge.call.commands import Flush, HangUp, LegCommand, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.patience import Patience
from phone_bridge.legs.twilio.messages import (
    INBOUND,
    Connected,
    Fault,
    Heard,
    Media,
    MediaFormat,
    Message,
    Pressed,
    Reached,
    Started,
    Stopped,
    StreamStart,
    read,
)

MAX_PAD_MS = 2_000
"""The longest silence put into one gap, and how far the carrier's clock may jump back before it is believed."""

JITTER_MS = 10
"""Timestamps that run ahead by less are not yet a gap; small differences add up and are padded together."""

QUIET_MS = 500
"""When the line has said nothing for so long, silence is supplied, so that the session can hear a turn end."""

CHUNK_WINDOW = 1_000
"""A chunk number at most so far behind the last one is late or doubled; further behind, the count has begun anew."""

_SAMPLES_PER_MS = PCMU_8K.size(1)
_MAX_PAD = PCMU_8K.size(MAX_PAD_MS)
_JITTER = PCMU_8K.size(JITTER_MS)
_NOTHING_HEARD = -(1 << 80)  # before any timestamp that a message can hold
_HARMLESS = frozenset({Fault.UNKNOWN_EVENT, Fault.WRONG_TRACK, Fault.STALE_MEDIA, Fault.LONG_GAP})
_MU_LAW = MediaFormat()
_encode = msgspec.json.Encoder().encode


class Opening:
    """The first words of a stream, up to its ``start``."""

    def __init__(self) -> None:
        self._patience = Patience(_HARMLESS)

    def receive(self, data: str | bytes, now: int) -> StreamStart | LegTrouble | LegClosed | None:
        """Read one message: the start that was waited for, one that was skipped, an early end, or a mere hello.

        Raises RemoteError: ``unsupported_media_format`` for anything but mono mu-law at 8 kHz, ``malformed_stream``.
        """
        message = read(data)
        match message:
            case Connected():
                return None
            case Stopped():
                return LegClosed()
            case Started() if sid := message.start.stream_sid or message.stream_sid:
                return _understood(msgspec.structs.replace(message.start, stream_sid=sid))
            case Started():
                trouble = LegTrouble(Fault.MALFORMED, "a start without a streamSid")
            case LegTrouble():
                trouble = message
            case _:
                trouble = LegTrouble(Fault.OUT_OF_TURN, "before the start")
        return self._patience.try_with(trouble, now)


def _understood(start: StreamStart) -> StreamStart:
    if start.media_format != _MU_LAW:
        raise RemoteError(
            f"The carrier's stream carries {start.media_format.encoding} at {start.media_format.sample_rate} Hz on "
            f"{start.media_format.channels} channel(s), where only mono mu-law at 8000 Hz is spoken; "
            "take audioFormat and sampleRate off the <Stream>.",
            code="unsupported_media_format",
        )
    return start


class TwilioStream:
    """A started stream as a wire between the carrier and the call.

    The caller's sound comes out without holes: what Twilio leaves out is filled with silence, by the timestamps
    when the next sound arrives, and by the clock when nothing arrives at all. A chunk number decides what is new,
    a timestamp decides only where a gap was, so that no new sound is ever lost to a clock.
    """

    format: ClassVar[Format] = PCMU_8K

    def __init__(self, start: StreamStart) -> None:
        self.start = start
        self.closing: HangUp | None = None
        """What the call said when it let the leg go; the pump sends what waits and closes the socket."""
        self._live_sid: str | None = start.stream_sid
        self._patience = Patience(_HARMLESS)
        self._chunk = 0
        self._heard_to = _NOTHING_HEARD  # in samples on the carrier's clock; never runs back while that clock does not
        self._fed_at: int | None = None
        sid = _quote(start.stream_sid)
        self._media = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'
        self._mark = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":'
        self._clear = f'{{"event":"clear","streamSid":{sid}}}'
        self._outgoing: list[str | bytes] = []

    def receive(self, data: str | bytes, now: int) -> list[Event]:
        """Translate one message; raises RemoteError ``malformed_stream`` when too many made no sense."""
        message = read(data)
        if type(message) is Heard and message.stream_sid == self._live_sid:
            return self._hear(message.media, now)
        return self._take(message, now)

    def send(self, command: LegCommand, now: int) -> None:
        """Queue the message that fulfils a duty: media with its mark, clear; HangUp only sets ``closing``."""
        if isinstance(command, Play):  # a class pattern would cost a third of this method
            if command.audio:
                payload = b2a_base64(command.audio, newline=False).decode("ascii")
                self._outgoing.append(f'{self._media}{payload}"}}}}')
            if command.mark:
                self._outgoing.append(f"{self._mark}{_quote(command.mark)}}}}}")
        elif isinstance(command, Flush):
            self._outgoing.append(self._clear)
        else:
            self.closing = command

    def outgoing(self) -> list[str | bytes]:
        """Take the messages that wait to be sent, in their order."""
        waiting, self._outgoing = self._outgoing, []
        return waiting

    def deadline(self) -> int | None:
        """Say when the line will have been quiet for too long; None before its first sound and after its end."""
        return None if self._fed_at is None else self._fed_at + QUIET_MS

    def expire(self, now: int) -> list[Event]:
        """Supply the silence that the carrier has not sent since its last sound, at most MAX_PAD_MS of it."""
        if self._fed_at is None or now < self._fed_at + QUIET_MS:
            return []
        silence = PCMU_8K.silence * min(PCMU_8K.size(now - self._fed_at), _MAX_PAD)
        self._fed_at = now
        self._heard_to += len(silence)
        return [CallerHeard(silence)]

    def _hear(self, media: Media, now: int) -> list[Event]:
        if media.track != INBOUND:
            return [LegTrouble(Fault.WRONG_TRACK)]
        if media.chunk > 0:
            if 0 <= self._chunk - media.chunk < CHUNK_WINDOW:
                return [LegTrouble(Fault.STALE_MEDIA)]
            self._chunk = media.chunk
        payload = media.payload
        if not payload:
            return []
        self._fed_at = now
        heard_to = self._heard_to
        at = media.timestamp * _SAMPLES_PER_MS
        if -_MAX_PAD < at - heard_to < _JITTER:
            self._heard_to = heard_to + len(payload)
            return [CallerHeard(payload)]
        return self._mend(at, payload)

    def _mend(self, at: int, payload: bytes) -> list[Event]:
        """Follow the carrier's clock to where it jumped, with silence in between if that is ahead."""
        gap = at - self._heard_to if self._heard_to != _NOTHING_HEARD else 0
        self._heard_to = at + len(payload)
        if gap <= 0:
            return [CallerHeard(payload)]
        facts: list[Event] = [CallerHeard(PCMU_8K.silence * min(gap, _MAX_PAD)), CallerHeard(payload)]
        if gap > _MAX_PAD:
            facts.append(LegTrouble(Fault.LONG_GAP, f"{PCMU_8K.ms(gap)} ms were missing, {MAX_PAD_MS} ms were padded"))
        return facts

    def _take(self, message: Message | LegTrouble, now: int) -> list[Event]:
        """Take anything but our own sound, which never comes here."""
        if isinstance(message, LegTrouble):
            trouble = message
        elif self._live_sid is None or isinstance(message, Connected | Started):
            trouble = LegTrouble(Fault.OUT_OF_TURN)
        elif isinstance(message, Heard) or message.stream_sid != self._live_sid:
            trouble = LegTrouble(Fault.WRONG_STREAM)
        else:
            return [self._fact(message)]
        return [self._patience.try_with(trouble, now)]

    def _fact(self, message: Reached | Pressed | Stopped) -> Event:
        match message:
            case Reached(mark=mark):
                return MarkReached(mark.name)
            case Pressed(dtmf=dtmf):
                return DigitPressed(dtmf.digit)
            case Stopped():
                self._live_sid = self._fed_at = None
                return LegClosed()


def _quote(text: str) -> str:
    return _encode(text).decode()
