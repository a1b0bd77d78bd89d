"""Telnyx media streaming: JSON in text frames, much like Twilio's, with names in lower case and underscores.

Documented: the messages, that their order is not guaranteed, and that sound sent back must last 20 ms to 30 s.
Inferred: that a document's ``<Connect><Stream>`` ends as Twilio's does when its socket is closed; whether marks
return that were cleared, which nothing here relies on. Sound that comes out of its turn waits for what is missing.
Source: https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket
"""

from binascii import b2a_base64
from typing import Any
from xml.etree import ElementTree

import msgspec

from phone_bridge.audio.format import PCMA_8K, PCMU_8K, Format
from phone_bridge.call.events import Event, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.streaming import BINARY, MALFORMED, UNKNOWN_EVENT, StreamLeg, decoded, pressed

FORMATS: dict[str, Format] = {"PCMU": PCMU_8K, "PCMA": PCMA_8K}

REORDER_CHUNKS = 5
"""How many chunks may come before one that is missing; then it counts as lost, and silence stands for it."""


class MediaFormat(msgspec.Struct, frozen=True):
    """How a stream's sound is written."""

    encoding: str
    sample_rate: int = 8000
    channels: int = 1


class _Start(msgspec.Struct, frozen=True):
    media_format: MediaFormat


class _Media(msgspec.Struct, frozen=True):
    payload: bytes
    track: str = "inbound"
    chunk: int = 0


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Pressed(msgspec.Struct, frozen=True):
    digit: str


class Message(msgspec.Struct, frozen=True):
    """Any of its messages."""

    event: str
    stream_id: str = ""
    start: _Start | None = None
    media: _Media | None = None
    mark: _Named | None = None
    dtmf: _Pressed | None = None
    payload: Any = None


_message = msgspec.json.Decoder(Message, strict=False).decode
_write = msgspec.json.encode


def answer(url: str) -> str:
    """Write the TeXML document that brings a call to the media socket at ``url``."""
    response = ElementTree.Element("Response")
    sound = {"track": "inbound_track", "codec": "PCMU", "bidirectionalMode": "rtp", "bidirectionalCodec": "PCMU"}
    ElementTree.SubElement(ElementTree.SubElement(response, "Connect"), "Stream", {"url": url, **sound})
    ElementTree.SubElement(response, "Hangup")
    return ElementTree.tostring(response, "unicode", xml_declaration=True)


def begin(data: str | bytes, now: int) -> "TelnyxLeg | None":
    """Read one of the first messages; the leg with the start, None for another.

    Raises RemoteError ``unsupported_media_format``, ``malformed_stream``.
    """
    message = decoded(_message, data)
    if message is None or message.start is None:
        if message is None or message.event == "start":
            raise RemoteError("A stream of Telnyx's began with something else than its start.", code="malformed_stream")
        return None
    told = message.start.media_format
    spoken = FORMATS.get(told.encoding.upper())
    if spoken is None or told.sample_rate != spoken.rate or told.channels != 1:
        raise RemoteError(
            f"Telnyx streams {told.encoding} at {told.sample_rate} Hz on {told.channels} channel(s), where only mono "
            "PCMU or PCMA at 8000 Hz is spoken; set codec and bidirectionalCodec of the <Stream>.",
            code="unsupported_media_format",
        )
    return TelnyxLeg(spoken, now)


class TelnyxLeg(StreamLeg):
    """A started stream as a caller's line."""

    def __init__(self, format: Format, now: int) -> None:
        super().__init__(format, now)
        self._chunk = 0  # the one whose turn it is; 0 while nobody knows
        self._early: dict[int, bytes] = {}

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        if isinstance(data, bytes):
            return [LegTrouble(BINARY)]
        message = decoded(_message, data)
        if message is None:
            return [LegTrouble(MALFORMED)]
        match message:
            case Message(event="media", media=_Media() as media):
                return self._in_order(media, now) if media.track == "inbound" else []
            case Message(event="mark", mark=_Named(name)):
                return [MarkReached(name)]
            case Message(event="dtmf", dtmf=_Pressed(digit)):
                return pressed(digit)
            case Message(event="stop"):
                return self._ended()
            case Message(event="error"):
                return [LegTrouble("telnyx_error", str(message.payload)[:200])]
            case Message(event="media" | "mark" | "dtmf"):
                return [LegTrouble(MALFORMED)]
        return [LegTrouble(UNKNOWN_EVENT)]

    def _in_order(self, media: _Media, now: int) -> list[Event]:
        """Hear a chunk in its turn; what comes early waits, what comes late or twice is let go."""
        if media.chunk <= 0:
            return self._heard(media.payload, now)
        if not self._chunk or media.chunk > self._chunk + 50 * REORDER_CHUNKS or media.chunk + 1_000 < self._chunk:
            self._chunk, self._early = media.chunk, {}  # the first one, or a count that began anew
        if media.chunk < self._chunk:
            return [LegTrouble("stale_media")]
        self._early[media.chunk] = media.payload
        facts: list[Event] = []
        if len(self._early) > REORDER_CHUNKS:
            missing = min(self._early) - self._chunk
            silence = self.format.silence * (len(media.payload) // self.format.sample_bytes)
            facts += [fact for _ in range(missing) for fact in self._heard(silence, now)]
            self._chunk += missing
        while (payload := self._early.pop(self._chunk, None)) is not None:
            facts += self._heard(payload, now)
            self._chunk += 1
        return facts

    def _sound(self, frame: bytes) -> str:
        return f'{{"event":"media","media":{{"payload":"{b2a_base64(frame, newline=False).decode("ascii")}"}}}}'

    def _mark(self, name: str) -> str:
        return _write({"event": "mark", "mark": {"name": name}}).decode()

    def _clear(self) -> str:
        return '{"event":"clear"}'
