"""jambonz' ``listen`` verb, or FreeSWITCH's mod_audio_fork behind it: linear sound in binary frames both ways.

Documented: the subprotocol, one text frame at first with ``sampleRate`` and ``mixType``, key presses as
``{"event":"dtmf"}`` with ``passDtmf``, ``bidirectionalAudio.streaming``, and ``killAudio``. Its newer versions know
marks as well, whose answers no page at hand shows; so what was played is inferred from the pace, which sends no more
ahead than a short buffer needs. Inferred: that the verb after ``listen``, here ``hangup``, follows when the socket is
closed.
Source: https://docs.jambonz.org/verbs/verbs/listen
"""

import msgspec

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, Format
from phone_bridge.call.events import Event, LegTrouble
from phone_bridge.errors import RemoteError
from phone_bridge.legs.streaming import MALFORMED, UNKNOWN_EVENT, StreamLeg, decoded, pressed

SUBPROTOCOL = "audio.jambonz.org"
RATE = 16_000
LEAD_MS = 100
FORMATS: dict[int, Format] = {each.rate: each for each in (LINEAR_8K, LINEAR_16K, LINEAR_24K)}


class Preamble(msgspec.Struct, frozen=True, rename="camel"):
    """What the first text frame says of the sound."""

    sample_rate: int
    mix_type: str = "mono"


class Message(msgspec.Struct, frozen=True):
    """A later text frame."""

    event: str = ""
    dtmf: str | None = None


_preamble = msgspec.json.Decoder(Preamble, strict=False).decode
_message = msgspec.json.Decoder(Message, strict=False).decode
_write = msgspec.json.encode


def answer(url: str) -> str:
    """Write the verbs that bring a call to the media socket at ``url``."""
    bidirectional = {"enabled": True, "streaming": True, "sampleRate": RATE}
    listen = {
        "verb": "listen",
        "url": url,
        "mixType": "mono",
        "sampleRate": RATE,
        "passDtmf": True,
        "bidirectionalAudio": bidirectional,
    }
    return _write([{"verb": "answer"}, listen, {"verb": "hangup"}]).decode()


def begin(data: str | bytes, now: int) -> "JambonzLeg | None":
    """Read the preamble; raises RemoteError ``unsupported_media_format``, ``malformed_stream``."""
    told = decoded(_preamble, data)
    if told is None:
        raise RemoteError("jambonz' socket began with something else than its call.", code="malformed_stream")
    spoken = FORMATS.get(told.sample_rate)
    if spoken is None or told.mix_type != "mono":
        raise RemoteError(
            f"jambonz sends {told.mix_type[:20]} sound at {told.sample_rate} Hz; set the listen verb's mixType to mono "
            "and its sampleRate to 8000, 16000 or 24000, the same for bidirectionalAudio.",
            code="unsupported_media_format",
        )
    return JambonzLeg(spoken, now)


class JambonzLeg(StreamLeg):
    """A socket whose preamble was read as a caller's line."""

    def __init__(self, format: Format, now: int) -> None:
        super().__init__(format, now, lead_ms=LEAD_MS, marks=False)

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        if isinstance(data, bytes):
            return self._heard(data, now)
        message = decoded(_message, data)
        if message is None:
            return [LegTrouble(MALFORMED)]
        if message.event == "dtmf":
            return pressed(message.dtmf)
        return [LegTrouble(UNKNOWN_EVENT)]

    def _sound(self, frame: bytes) -> bytes:
        return frame

    def _clear(self) -> str:
        return '{"type":"killAudio"}'
