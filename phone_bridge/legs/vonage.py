"""Vonage's voice WebSocket: linear sound in binary frames, commands and events as JSON in text frames.

Documented: ``websocket:connected`` with the ``content-type``, ``websocket:dtmf``, ``clear`` and
``websocket:cleared``, ``notify`` and the ``websocket:notify`` that comes when the sound before it was played, and a
buffer of a minute, which the pace never fills. Inferred: that a call whose only action was this socket is over when
the socket is.
Source: https://developer.vonage.com/voice/voice-api/concepts/websockets
"""

from typing import Any

import msgspec

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, Format
from phone_bridge.call.events import Event, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.streaming import MALFORMED, UNKNOWN_EVENT, StreamLeg, decoded, pressed

CONTENT_TYPE = "audio/l16;rate=16000"
FORMATS: dict[str, Format] = {
    "audio/l16;rate=8000": LINEAR_8K,
    CONTENT_TYPE: LINEAR_16K,
    "audio/l16;rate=24000": LINEAR_24K,
}
MARK = "mark"
"""Under which name a mark stands in a notification's payload."""


class Message(msgspec.Struct, frozen=True):
    """Any of its events."""

    event: str
    content_type: str = msgspec.field(name="content-type", default="")
    digit: str | None = None
    payload: Any = None


_message = msgspec.json.Decoder(Message, strict=False).decode
_write = msgspec.json.encode


def answer(url: str) -> str:
    """Write the call control object that brings a call to the media socket at ``url``."""
    endpoint = {"type": "websocket", "uri": url, "content-type": CONTENT_TYPE, "headers": {}}
    return _write([{"action": "connect", "endpoint": [endpoint]}]).decode()


def begin(data: str | bytes, now: int) -> "VonageLeg | None":
    """Read one of the first messages; the leg with ``websocket:connected``, None for another.

    Raises RemoteError ``unsupported_media_format``, ``malformed_stream``.
    """
    if isinstance(data, bytes):
        return None  # sound before anybody can hear it
    message = decoded(_message, data)
    if message is None:
        raise RemoteError("Vonage's socket began with something else than an event.", code="malformed_stream")
    if message.event != "websocket:connected":
        return None
    spoken = FORMATS.get(message.content_type.replace(" ", "").lower())
    if spoken is None:
        raise RemoteError(
            f"Vonage's socket carries {message.content_type[:40]!r}; set the endpoint's content-type to "
            f"{CONTENT_TYPE}.",
            code="unsupported_media_format",
        )
    return VonageLeg(spoken, now)


class VonageLeg(StreamLeg):
    """A connected socket as a caller's line."""

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        if isinstance(data, bytes):
            return self._heard(data, now)
        message = decoded(_message, data)
        match message:
            case Message(event="websocket:notify", payload={"mark": str(name)}):
                return [MarkReached(name)]
            case Message(event="websocket:dtmf", digit=str(digit)):
                return pressed(digit)
            case Message(event="websocket:cleared" | "websocket:connected"):
                return []
            case None | Message(event="websocket:notify" | "websocket:dtmf"):
                return [LegTrouble(MALFORMED)]
        return [LegTrouble(UNKNOWN_EVENT)]

    def _sound(self, frame: bytes) -> bytes:
        return frame

    def _mark(self, name: str) -> str:
        return _write({"action": "notify", "payload": {MARK: name}}).decode()

    def _clear(self) -> str:
        return '{"action":"clear"}'
