"""A whole recording at once, where nobody waits for its first sample: to another rate, and to the level of a telephone.

Samples are float64 arrays in the scale of 16-bit sound.
"""

from math import gcd

import numpy as np
import numpy.typing as npt

from phone_bridge.errors import LocalError

SPEECH_DBFS = -20.0
"""The level of speech while it is spoken: loud enough for a line, with room for its peaks."""

PEAK_DBFS = -3.0
"""No peak is louder than this."""

_FULL = 32_767.0
_FRAME_SECONDS = 0.02
_SILENT_DB = 30.0  # frames so far below the loudest are pauses, and do not count for the level

Samples = npt.NDArray[np.float64]


def samples(pcm16: bytes) -> Samples:
    """Read linear 16-bit sound."""
    return np.frombuffer(pcm16, dtype="<i2").astype(np.float64)


def pcm16(sound: Samples) -> bytes:
    """Write linear 16-bit sound; what is too loud is clipped, never wrapped."""
    return np.clip(np.rint(sound), -_FULL - 1, _FULL).astype("<i2").tobytes()


def resampled(sound: Samples, rate_in: int, rate_out: int) -> Samples:
    """Change the rate, any to any, by its spectrum; raises LocalError for a rate that is none."""
    if rate_in <= 0 or rate_out <= 0:
        raise LocalError(f"sound at {rate_in} Hz was asked for at {rate_out} Hz")
    if rate_in == rate_out or not sound.size:
        return sound
    # Silence makes the sound long enough that both transforms have small factors: ten times as fast as any length.
    common = gcd(rate_in, rate_out)
    units = _smooth(-(-sound.size * common // rate_in))
    size, length = units * (rate_in // common), units * (rate_out // common)
    spectrum = np.fft.rfft(sound, size)
    kept = np.zeros(length // 2 + 1, dtype=complex)
    both = min(kept.size, spectrum.size)
    kept[:both] = spectrum[:both]
    made: Samples = np.fft.irfft(kept, length) * (length / size)
    return made[: max(1, round(sound.size * rate_out / rate_in))]


def _smooth(least: int) -> int:
    """Give the first number from ``least`` on that has no prime factor above 5."""
    bits = range(least.bit_length())
    odd: list[int] = [3**threes * 5**fives for threes in bits for fives in bits]
    return min(number << (-(-least // number) - 1).bit_length() for number in odd)


def levelled(sound: Samples, rate: int) -> Samples:
    """Bring speech to ``SPEECH_DBFS``, measured where it is spoken, with no peak over ``PEAK_DBFS``."""
    frame = max(1, int(rate * _FRAME_SECONDS))
    whole = sound[: sound.size // frame * frame].reshape(-1, frame)
    power = np.mean(whole**2, axis=1) if whole.size else np.zeros(1)
    spoken = power[power > power.max() * 10 ** (-_SILENT_DB / 10)]
    if not spoken.size:
        return sound
    gain = _FULL * 10 ** (SPEECH_DBFS / 20) / np.sqrt(spoken.mean())
    peak = np.abs(sound).max() * gain
    gain = min(gain, gain * _FULL * 10 ** (PEAK_DBFS / 20) / peak)
    return sound * float(gain)
