"""Asterisk's chan_websocket: sound in binary frames, control in text frames, as plain words or as JSON.

Documented: both ways of writing control, ``MEDIA_START`` with the format, ``DTMF_END``, ``FLUSH_MEDIA``, ``HANGUP``,
and a queue of about a thousand frames, which the pace never fills. Marks came in a later version than the rest, so
none are asked for: what was played is inferred from the pace, which is Asterisk's own, a frame each 20 ms.
Source: https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket/
"""

import msgspec

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Format
from phone_bridge.call.events import Event, LegTrouble
from phone_bridge.errors import RemoteError
from phone_bridge.legs.streaming import MALFORMED, UNKNOWN_EVENT, StreamLeg, pressed

LEAD_MS = 100
FORMATS: dict[str, Format] = {
    "ulaw": PCMU_8K,
    "alaw": PCMA_8K,
    "slin": LINEAR_8K,
    "slin16": LINEAR_16K,
    "slin24": LINEAR_24K,
}
_NOTICES = frozenset(
    {"MEDIA_START", "MEDIA_XOFF", "MEDIA_XON", "STATUS", "MEDIA_BUFFERING_COMPLETED", "QUEUE_DRAINED"}
    | {"MEDIA_MARK_PROCESSED"}
)


class Notice(msgspec.Struct, frozen=True):
    """What Asterisk tells."""

    event: str
    format: str = ""
    digit: str = ""


_json = msgspec.json.Decoder(Notice, strict=False).decode


def read(text: str) -> Notice | None:
    """Read a control message in either way of writing; None for what is none."""
    try:
        if text.lstrip().startswith("{"):
            return _json(text)
        event, *fields = text.split()
        named = dict(field.split(":", 1) for field in fields if ":" in field)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return None
    return Notice(event, named.get("format", ""), named.get("digit", ""))


def begin(data: str | bytes, now: int) -> "ChanWebSocketLeg | None":
    """Read one of the first messages; the leg with ``MEDIA_START``, None for sound before it.

    Raises RemoteError ``unsupported_media_format``, ``malformed_stream``.
    """
    if isinstance(data, bytes):
        return None
    notice = read(data)
    if notice is None or notice.event != "MEDIA_START":
        raise RemoteError("Asterisk's socket began with something else than MEDIA_START.", code="malformed_stream")
    spoken = FORMATS.get(notice.format)
    if spoken is None:
        raise RemoteError(
            f"Asterisk's socket carries {notice.format[:20]!r}; dial it with c(ulaw), c(alaw), c(slin), c(slin16) or "
            "c(slin24).",
            code="unsupported_media_format",
        )
    return ChanWebSocketLeg(spoken, now, as_json=data.lstrip().startswith("{"))


class ChanWebSocketLeg(StreamLeg):
    """A started channel as a caller's line."""

    def __init__(self, format: Format, now: int, *, as_json: bool) -> None:
        super().__init__(format, now, lead_ms=LEAD_MS, marks=False)
        self._as_json = as_json

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        if isinstance(data, bytes):
            return self._heard(data, now)
        notice = read(data)
        if notice is None:
            return [LegTrouble(MALFORMED)]
        if notice.event == "DTMF_END":
            return pressed(notice.digit)
        return [] if notice.event in _NOTICES else [LegTrouble(UNKNOWN_EVENT)]

    def _sound(self, frame: bytes) -> bytes:
        return frame

    def _clear(self) -> str:
        return self._command("FLUSH_MEDIA")

    def _goodbye(self) -> str:
        return self._command("HANGUP")

    def _command(self, name: str) -> str:
        return f'{{"command":"{name}"}}' if self._as_json else name
