"""What is spoken in RTP: the codecs by their payload types, and the format of a line that speaks each.

A call has the format of the codec that it began in. G.711 goes through it as it comes. G.722 is decoded at the line's
edge, for its octets say nothing by themselves; and where a call goes on in another codec, its sound is converted there.
RFC 3551, 4.5.2: its clock runs at 8000 Hz though it has twice as many samples, so 20 ms are 160 octets and 160 ticks in
every codec here.
"""

from collections.abc import Callable

from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.audio.g722 import Decoder, Encoder
from phone_bridge.audio.path import path

PCMU, PCMA, G722 = 0, 8, 9
"""The static payload types of RFC 3551, 6."""

CLOCK_RATE = 8_000
FRAME_TICKS = CLOCK_RATE * FRAME_MS // 1_000

FORMATS: dict[int, Format] = {PCMU: PCMU_8K, PCMA: PCMA_8K, G722: LINEAR_16K}

NAMES = {PCMU: "PCMU", PCMA: "PCMA", G722: "G722"}

CODECS = (PCMU, PCMA)
"""What is spoken where nothing else is wished: the wide band costs more, and many a line carries none of it."""


def encoder(codec: int, format: Format) -> Callable[[bytes], bytes]:
    """Make what writes one line's sound in ``format`` as payloads of ``codec``, in their order."""
    convert = path(format, FORMATS[codec])
    if codec != G722:
        return bytes if convert.identity else convert.push  # bytes of bytes are the very same
    encode = Encoder().push
    return encode if convert.identity else lambda sound: encode(convert.push(sound))


def decoder(codec: int, format: Format) -> Callable[[bytes], bytes]:
    """Make what reads one line's payloads of ``codec``, in their order, as sound in ``format``."""
    convert = path(FORMATS[codec], format)
    if codec != G722:
        return bytes if convert.identity else convert.push  # bytes of bytes are the very same
    decode = Decoder().push
    return decode if convert.identity else lambda payload: convert.push(decode(payload))


def leading(format: Format, codecs: tuple[int, ...]) -> tuple[int, ...]:
    """Put what carries ``format`` as it is before the other ``codecs``."""
    return tuple(sorted(codecs, key=lambda codec: FORMATS[codec] != format))
