"""What is spoken in RTP: the codecs by their payload types, and the format of a line that speaks each.

G.711 goes through a call as it comes. G.722 is decoded at the line's edge, for its octets say nothing by themselves.
RFC 3551, 4.5.2: its clock runs at 8000 Hz though it has twice as many samples, so 20 ms are 160 octets and 160 ticks in
every codec here.
"""

from collections.abc import Callable

from phone_bridge.audio.format import LINEAR_16K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.audio.g722 import Decoder, Encoder

PCMU, PCMA, G722 = 0, 8, 9
"""The static payload types of RFC 3551, 6."""

CLOCK_RATE = 8_000
FRAME_TICKS = CLOCK_RATE * FRAME_MS // 1_000

FORMATS: dict[int, Format] = {PCMU: PCMU_8K, PCMA: PCMA_8K, G722: LINEAR_16K}

NAMES = {PCMU: "PCMU", PCMA: "PCMA", G722: "G722"}

CODECS = (PCMU, PCMA)
"""What is spoken where nothing else is wished: whoever a call is handed on to speaks these, and not always G.722."""


def encoder(format: Format) -> Callable[[bytes], bytes]:
    """Make what writes one line's sound in ``format`` as payloads, in their order."""
    return Encoder().push if format == LINEAR_16K else _as_it_is


def decoder(format: Format) -> Callable[[bytes], bytes]:
    """Make what reads one line's payloads, in their order, as sound in ``format``."""
    return Decoder().push if format == LINEAR_16K else _as_it_is


def _as_it_is(payload: bytes) -> bytes:
    return payload
