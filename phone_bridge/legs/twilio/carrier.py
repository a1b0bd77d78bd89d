"""Twilio's side of a Media Stream, for the simulator and the tests: what it says, and how strictly it listens."""

from binascii import b2a_base64
from collections.abc import Callable

import msgspec

from phone_bridge.legs.twilio.messages import INBOUND, StreamStart

MALFORMED_MESSAGE = 31950
INVALID_MESSAGE = 31951
"""Codes of https://www.twilio.com/docs/api/errors; Twilio itself reports each once a stream."""


class Played(msgspec.Struct, frozen=True, gc=False):
    """The bridge sent sound to play; mu-law at 8 kHz, appended to what is buffered."""

    audio: bytes


class Marked(msgspec.Struct, frozen=True, gc=False):
    """The bridge asked for ``name`` back when what is buffered was played or thrown away, at once if nothing is."""

    name: str


class Cleared(msgspec.Struct, frozen=True, gc=False):
    """The bridge asked to throw away what is buffered; its marks go back at once."""


class Complaint(msgspec.Struct, frozen=True, gc=False):
    """Twilio skipped a message of the bridge's, and warns the account's owner with ``code``."""

    code: int
    message: str


class _Strict(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, rename="camel"):
    """Nothing beside what is documented."""


class _Payload(_Strict, frozen=True):
    payload: bytes


class _Label(_Strict, frozen=True):
    name: str


class _Media(_Strict, frozen=True, tag_field="event", tag="media"):
    stream_sid: str
    media: _Payload


class _Mark(_Strict, frozen=True, tag_field="event", tag="mark"):
    stream_sid: str
    mark: _Label


class _Clear(_Strict, frozen=True, tag_field="event", tag="clear"):
    stream_sid: str


_decode: Callable[[str], _Media | _Mark | _Clear] = msgspec.json.Decoder(_Media | _Mark | _Clear).decode


class CarrierStream:
    """The carrier's end of one bidirectional stream: each saying is one text frame, numbered as Twilio numbers them."""

    def __init__(self, start: StreamStart) -> None:
        self.start = start
        self._sequence = 0
        self._chunk = 0
        self._tail = f'"streamSid":{_quote(start.stream_sid)}}}'

    def connected(self) -> str:
        """Say hello; the first message of all, and the only one without a number."""
        return '{"event":"connected","protocol":"Call","version":"1.0.0"}'

    def started(self) -> str:
        """Say whose stream this is."""
        return self._say("start", f'"start":{msgspec.json.encode(self.start).decode()}')

    def media(self, audio: bytes, timestamp: int) -> str:
        """Carry ``audio`` of the caller's (mu-law), which began ``timestamp`` milliseconds into the stream."""
        self._chunk += 1
        payload = b2a_base64(audio, newline=False).decode("ascii")
        return self._say(
            "media",
            f'"media":{{"track":"{INBOUND}","chunk":"{self._chunk}","timestamp":"{timestamp}","payload":"{payload}"}}',
        )

    def dtmf(self, digit: str) -> str:
        """Tell of a key that the caller pressed."""
        return self._say("dtmf", f'"dtmf":{{"track":"inbound_track","digit":{_quote(digit)}}}')

    def mark(self, name: str) -> str:
        """Give a mark back."""
        return self._say("mark", f'"mark":{{"name":{_quote(name)}}}')

    def stop(self) -> str:
        """Say that the stream has stopped or the call has ended."""
        account, call = _quote(self.start.account_sid), _quote(self.start.call_sid)
        return self._say("stop", f'"stop":{{"accountSid":{account},"callSid":{call}}}')

    def receive(self, data: str | bytes) -> Played | Marked | Cleared | Complaint:
        """Read one frame of the bridge's as strictly as Twilio does: extra fields, too, make a message invalid."""
        if not isinstance(data, str):
            return Complaint(MALFORMED_MESSAGE, "a binary frame")
        try:
            message = _decode(data)
        except (ValueError, RecursionError) as error:
            return Complaint(INVALID_MESSAGE, str(error))
        if message.stream_sid != self.start.stream_sid:
            return Complaint(INVALID_MESSAGE, "wrong streamSid")
        match message:
            case _Media(media=media):
                return Played(media.payload)
            case _Mark(mark=mark):
                return Marked(mark.name)
        return Cleared()

    def _say(self, event: str, body: str) -> str:
        self._sequence += 1
        return f'{{"event":"{event}","sequenceNumber":"{self._sequence}",{body},{self._tail}'


def _quote(text: str) -> str:
    return msgspec.json.encode(text).decode()
