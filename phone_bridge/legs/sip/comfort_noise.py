"""Comfort noise (RFC 3389): what a line sounds like while its telephone sends nothing, by the level that it names.

A session that hears a line fall dead takes it for lost, and so does a caller's ear. The noise is white; the filter that
a packet may describe is left out, for no session and no recogniser hears the difference.
"""

import numpy as np

from phone_bridge.audio.format import Encoding, Format
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.audio.path import path
from phone_bridge.errors import RemoteError

PAYLOAD = 13
"""The static payload type of RFC 3551, 6, at 8000 Hz, which is the clock of G.722, too."""

FRAMES = 50
"""How much noise is made for a level; it goes round, and a second is longer than anybody notices."""

_SEED = 3389  # the same noise in every run


class ComfortNoise:
    """The noise of one line in ``format``."""

    def __init__(self, format: Format) -> None:
        self._encode = path(Format(Encoding.LINEAR16, format.rate), format).push
        self._frame = format.size(FRAME_MS)
        self._samples = self._frame // format.sample_bytes
        self._level = -1
        self._sound = b""
        self._at = 0

    def set(self, payload: bytes) -> None:
        """Take a packet's payload; raises RemoteError ``malformed_comfort_noise``."""
        if not payload or payload[0] > 127:
            raise RemoteError("A packet of comfort noise names no level.", code="malformed_comfort_noise")
        if payload[0] != self._level:
            self._level = payload[0]
            loudness = 32_767 * 10 ** (-self._level / 20)  # the level is below the loudest, in dB
            noise = np.random.default_rng(_SEED).standard_normal(FRAMES * self._samples) * loudness
            self._sound = self._encode(np.clip(noise, -32_768, 32_767).astype("<i2").tobytes())

    @property
    def sounds(self) -> bool:
        """Whether there is any."""
        return bool(self._sound)

    def stop(self) -> None:
        """Know that the telephone sends sound again."""
        self._level, self._sound = -1, b""

    def take(self) -> bytes:
        """Give the next 20 ms; nothing where no noise was asked for."""
        start = self._at * self._frame
        self._at = (self._at + 1) % FRAMES
        return self._sound[start : start + self._frame]
