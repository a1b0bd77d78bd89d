"""What Twilio says on a media stream, message by message, decoded straight into typed values.

Every message is one JSON object in a text frame, told apart by ``event``. Twilio writes its numbers as strings and may
one day not; both are read. Fields it adds are ignored, and so are whole events that nobody here has heard of.
Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec

from phone_bridge.call.events import LegTrouble

MAX_MESSAGE_CHARS = 65_536
"""Longer messages are skipped unread; a real one of 20 ms of sound has about 400 characters."""

SHOWN_EVENT_CHARS = 40
"""How much of an unknown event's name a trouble repeats."""

INBOUND = "inbound"
"""The track that carries the caller."""


class Fault(StrEnum):
    """Why a message was skipped: the ``code`` of a LegTrouble."""

    BINARY = "binary_frame"
    OVERSIZED = "oversized_message"
    NOT_JSON = "not_json"
    MALFORMED = "malformed_message"
    BAD_PAYLOAD = "bad_payload"
    OUT_OF_TURN = "out_of_turn"
    WRONG_STREAM = "wrong_stream"
    UNKNOWN_EVENT = "unknown_event"
    WRONG_TRACK = "wrong_track"
    STALE_MEDIA = "stale_media"
    LONG_GAP = "long_gap"


class MediaFormat(msgspec.Struct, frozen=True, rename="camel"):
    """How the sound of a stream is written; what Twilio leaves out is what it has always been."""

    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000
    channels: int = 1


Name = Annotated[str, msgspec.Meta(min_length=1)]
Digit = Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-D*#]\Z")]


class StreamStart(msgspec.Struct, frozen=True, rename="camel"):
    """Whose sound a stream carries, and what the ``<Parameter>`` elements of its TwiML said."""

    call_sid: Name
    stream_sid: str = ""
    account_sid: str = ""
    tracks: tuple[str, ...] = (INBOUND,)
    media_format: MediaFormat = MediaFormat()
    custom_parameters: dict[str, str] = {}


class Media(msgspec.Struct, frozen=True, gc=False):
    """Some sound, decoded; ``timestamp`` is in milliseconds from the stream's start, and -1 where it is not said."""

    payload: bytes
    track: str = INBOUND
    chunk: int = 0
    timestamp: int = -1


class Dtmf(msgspec.Struct, frozen=True, gc=False):
    """A key that the caller pressed."""

    digit: Digit


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A label of ours."""

    name: str


class _Event(msgspec.Struct, frozen=True, gc=False, rename="camel", tag_field="event"):
    """What all messages share."""


class Connected(_Event, frozen=True, tag="connected"):
    """The socket's first message; it says nothing of a call."""


class Started(_Event, frozen=True, gc=True, tag="start"):
    """The stream begins."""

    start: StreamStart
    stream_sid: str = ""


class Heard(_Event, frozen=True, tag="media"):
    """The line carried sound."""

    media: Media
    stream_sid: str = ""


class Pressed(_Event, frozen=True, tag="dtmf"):
    """The caller pressed a key."""

    dtmf: Dtmf
    stream_sid: str = ""


class Reached(_Event, frozen=True, tag="mark"):
    """A mark came back: played up to it, or cleared."""

    mark: Mark
    stream_sid: str = ""


class Stopped(_Event, frozen=True, tag="stop"):
    """The stream has stopped or the call has ended."""

    stream_sid: str = ""


Message = Heard | Reached | Pressed | Started | Stopped | Connected


class _AnyEvent(msgspec.Struct):
    event: str


_KNOWN = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})
_UNREADABLE = (ValueError, RecursionError)  # msgspec's own errors, lone surrogates and nesting without end

_decode: Callable[[str], Message] = msgspec.json.Decoder(Message, strict=False).decode
_decode_event: Callable[[str], _AnyEvent] = msgspec.json.Decoder(_AnyEvent).decode


def read(data: str | bytes) -> Message | LegTrouble:
    """Read one frame as the carrier sent it (text is ``str``); what cannot be read comes back as a trouble."""
    if not isinstance(data, str):
        return LegTrouble(Fault.BINARY, "a media stream has text frames only")
    if len(data) > MAX_MESSAGE_CHARS:
        return LegTrouble(Fault.OVERSIZED, f"a message of {len(data)} characters")
    try:
        return _decode(data)
    except _UNREADABLE as error:
        return _diagnose(data, error)


def _diagnose(data: str, error: Exception) -> LegTrouble:
    """Say what is wrong with a message; never with a value of it, which may be the caller's."""
    try:
        event = _decode_event(data).event
    except msgspec.ValidationError:
        return LegTrouble(Fault.MALFORMED, "no object with an event")
    except _UNREADABLE:
        return LegTrouble(Fault.NOT_JSON)
    if event not in _KNOWN:
        return LegTrouble(Fault.UNKNOWN_EVENT, event[:SHOWN_EVENT_CHARS])
    text = str(error)
    return LegTrouble(Fault.BAD_PAYLOAD if "base64" in text else Fault.MALFORMED, text)
