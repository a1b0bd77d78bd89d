"""Plivo's audio streams: JSON in text frames, with checkpoints where Twilio has marks.

Documented: ``start`` with its ``mediaFormat``, ``media``, ``dtmf``, ``playAudio``, ``clearAudio``, ``checkpoint`` and
the ``playedStream`` that answers it. Inferred from public programs that speak it, for the pages were not at hand:
that ``stop`` ends a stream, and that a call whose ``<Stream>`` has ``keepCallAlive`` goes on with the next element,
here ``<Hangup>``, when the socket is closed.
"""

from binascii import b2a_base64
from xml.etree import ElementTree

import msgspec

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, PCMU_8K, Format
from phone_bridge.call.events import Event, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.streaming import BINARY, MALFORMED, UNKNOWN_EVENT, StreamLeg, decoded, pressed

FORMATS: dict[tuple[str, int], Format] = {
    ("audio/x-mulaw", 8000): PCMU_8K,
    ("audio/x-l16", 8000): LINEAR_8K,
    ("audio/x-l16", 16000): LINEAR_16K,
}
_HARMLESS_EVENTS = ("clearedAudio", "incorrectPayload")


class MediaFormat(msgspec.Struct, frozen=True, rename="camel"):
    """How a stream's sound is written."""

    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000


class _Start(msgspec.Struct, frozen=True, rename="camel"):
    stream_id: str
    media_format: MediaFormat = MediaFormat()


class _Media(msgspec.Struct, frozen=True):
    payload: bytes
    track: str = "inbound"


class _Pressed(msgspec.Struct, frozen=True):
    digit: str


class Message(msgspec.Struct, frozen=True):
    """Any of its messages."""

    event: str
    start: _Start | None = None
    media: _Media | None = None
    dtmf: _Pressed | None = None
    name: str | None = None


_message = msgspec.json.Decoder(Message, strict=False).decode
_write = msgspec.json.encode


def answer(url: str) -> str:
    """Write the document that brings a call to the media socket at ``url``."""
    response = ElementTree.Element("Response")
    attributes = {"bidirectional": "true", "keepCallAlive": "true", "contentType": "audio/x-mulaw;rate=8000"}
    ElementTree.SubElement(response, "Stream", attributes).text = url
    ElementTree.SubElement(response, "Hangup")
    return ElementTree.tostring(response, "unicode", xml_declaration=True)


def begin(data: str | bytes, now: int) -> "PlivoLeg | None":
    """Read one of the first messages; the leg with the start, None for another.

    Raises RemoteError ``unsupported_media_format``, ``malformed_stream``.
    """
    message = decoded(_message, data)
    if message is None or message.start is None:
        if message is None or message.event == "start":
            raise RemoteError("A stream of Plivo's began with something else than its start.", code="malformed_stream")
        return None
    told = message.start.media_format
    spoken = FORMATS.get((told.encoding, told.sample_rate))
    if spoken is None:
        raise RemoteError(
            f"Plivo streams {told.encoding} at {told.sample_rate} Hz; set the <Stream>'s contentType to "
            "audio/x-mulaw;rate=8000 or to audio/x-l16 at 8000 or 16000.",
            code="unsupported_media_format",
        )
    return PlivoLeg(message.start, spoken, now)


class PlivoLeg(StreamLeg):
    """A started stream as a caller's line."""

    def __init__(self, start: _Start, format: Format, now: int) -> None:
        super().__init__(format, now)
        self._id = start.stream_id
        told = start.media_format
        kind = _write({"contentType": told.encoding, "sampleRate": told.sample_rate}).decode()[:-1]
        self._play_audio = f'{{"event":"playAudio","media":{kind},"payload":"'

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        if isinstance(data, bytes):
            return [LegTrouble(BINARY)]
        message = decoded(_message, data)
        match message:
            case Message(event="media", media=_Media() as media):
                return self._heard(media.payload, now) if media.track == "inbound" else []
            case Message(event="playedStream", name=str(name)):
                return [MarkReached(name)]
            case Message(event="dtmf", dtmf=_Pressed(digit)):
                return pressed(digit)
            case Message(event="stop"):
                return self._ended()
            case Message(event=event) if event in _HARMLESS_EVENTS:
                return []
            case None | Message(event="media" | "playedStream" | "dtmf"):
                return [LegTrouble(MALFORMED)]
        return [LegTrouble(UNKNOWN_EVENT)]

    def _sound(self, frame: bytes) -> str:
        return f'{self._play_audio}{b2a_base64(frame, newline=False).decode("ascii")}"}}}}'

    def _mark(self, name: str) -> str:
        return _write({"event": "checkpoint", "streamId": self._id, "name": name}).decode()

    def _clear(self) -> str:
        return _write({"event": "clearAudio", "streamId": self._id}).decode()
