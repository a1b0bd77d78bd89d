"""The server's side of ChronaPilot's socket: what clients send as typed values, and the formats a session is set to."""

from typing import Any

import msgspec

from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Encoding, Format
from phone_bridge.audio.path import Path, path
from phone_bridge.sessions.chronapilot.messages import (
    OUTPUT_FORMATS,
    AudioAppend,
    ClientMessage,
    InvalidMessage,
    SessionSettings,
    SessionState,
    SessionUpdate,
    read_client_message,
)

SAMPLE_RATES = (8000, 16000, 24000)
"""Rates, in hertz, that a client may ask for."""

_FORMATS = {"g711_ulaw": PCMU_8K, "g711_alaw": PCMA_8K}


class ChronaPilotServerWire:
    """One client's socket; its sound reaches us in the format ``ear``, and our sound goes out in ``output``.

    Sound from the client is PCM16, as documented, whatever ``output_format`` it asks for.
    """

    def __init__(self, ear: Format = LINEAR_16K) -> None:
        self._ear = ear
        self._input = LINEAR_24K
        self._output = LINEAR_24K
        self._output_format = OUTPUT_FORMATS[0]
        self._to_ear = path(self._input, ear)

    @property
    def output(self) -> Format:
        """The format that the client wants to hear."""
        return self._output

    def receive(self, data: bytes | str) -> ClientMessage:
        """Read one message; sound comes converted, settings checked. Raises InvalidMessage."""
        message = read_client_message(data)
        if isinstance(message, AudioAppend):
            if len(message.audio) % 2:
                raise _invalid("a sample of PCM16 is two bytes", "invalid_audio", "audio", message)
            return msgspec.structs.replace(message, audio=self._to_ear.push(message.audio))
        if isinstance(message, SessionUpdate):
            _check(message)
        return message

    def apply(self, settings: SessionSettings) -> None:
        """Use the formats of a ``session.update`` that ``receive`` has let through."""
        if settings.input_sample_rate is not None and settings.input_sample_rate != self._input.rate:
            self._input = Format(Encoding.LINEAR16, settings.input_sample_rate)
            self._to_ear = path(self._input, self._ear)
        self._output_format = settings.output_format or self._output_format
        rate = settings.output_sample_rate or self._output.rate
        if settings.output_format is not None and settings.output_sample_rate is None:
            rate = LINEAR_24K.rate
        self._output = _FORMATS.get(self._output_format, Format(Encoding.LINEAR16, rate))

    def voice(self, format: Format) -> Path:
        """Make the way of our own sound in ``format`` to the client."""
        return path(format, self._output)

    def state(self, **known: Any) -> SessionState:
        """Describe the session's formats, together with what else is ``known`` of it."""
        rates = (self._input.rate, self._output.rate)
        return SessionState(
            object="voice_session",
            input_format=OUTPUT_FORMATS[0],
            output_format=self._output_format,
            sample_rate=rates[0] if rates[0] == rates[1] else None,
            input_sample_rate=rates[0],
            output_sample_rate=rates[1],
            **known,
        )


def _check(update: SessionUpdate) -> None:
    settings = update.session
    if settings.output_format is not None and settings.output_format not in OUTPUT_FORMATS:
        choice = ", ".join(OUTPUT_FORMATS)
        raise _invalid(f"output_format is one of {choice}", "invalid_parameter", "session.output_format", update)
    for name in ("input_sample_rate", "output_sample_rate"):
        if getattr(settings, name) not in (None, *SAMPLE_RATES):
            raise _invalid(f"{name} is one of {SAMPLE_RATES}", "invalid_parameter", f"session.{name}", update)


def _invalid(message: str, code: str, param: str, source: AudioAppend | SessionUpdate) -> InvalidMessage:
    return InvalidMessage(message, code=code, param=param, event_id=source.event_id)
