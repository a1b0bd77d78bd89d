"""Sound that begins or ends softly where it is cut: the step that a cut leaves would be heard as a click."""

import numpy as np

from phone_bridge.audio.format import Encoding, Format
from phone_bridge.audio.path import path

RAMP_MS = 10
"""How long it takes, by half a wave of a cosine: of a steady tone nothing is left 300 Hz away."""


def risen(audio: bytes, format: Format) -> bytes:
    """Let ``audio`` begin from silence."""
    return _shaped(audio, format, begins=True)


def fallen(audio: bytes, format: Format) -> bytes:
    """Let ``audio`` end in silence."""
    return _shaped(audio, format, begins=False)


def _shaped(audio: bytes, format: Format, *, begins: bool) -> bytes:
    linear = Format(Encoding.LINEAR16, format.rate)
    samples = np.frombuffer(path(format, linear).push(audio), "<i2").astype(np.float64)
    size = min(samples.size, linear.size(RAMP_MS) // linear.sample_bytes)
    ramp = (1 - np.cos(np.pi * (np.arange(size) + 0.5) / max(size, 1))) / 2
    if begins:
        samples[:size] *= ramp
    else:
        samples[samples.size - size :] *= ramp[::-1]
    return path(linear, format).push(np.rint(samples).astype("<i2").tobytes())
