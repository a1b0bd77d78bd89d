"""The keys of a telephone as pairs of tones (DTMF), made and found in sound, and the beep before a message.

Source: ITU-T Q.23 and Q.24.
"""

import math

import numpy as np
from numpy.typing import NDArray

from phone_bridge.audio._audioop import audioop
from phone_bridge.audio.format import LINEAR_8K, Encoding, Format
from phone_bridge.audio.path import path
from phone_bridge.errors import LocalError

ROWS_HZ = (697, 770, 852, 941)
COLUMNS_HZ = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
"""The sixteen keys, row by row."""

MAX_LEVEL_DBFS = -7.0
"""The loudest pair that is made: two sines in phase stay within full scale up to -6.02 dBFS."""

WINDOW = 110
"""Samples at 8 kHz that one look takes in: 13.75 ms, 73 Hz wide, about the distance of two rows."""

HOP = WINDOW // 2
"""Samples from one look to the next."""

HITS = 3
"""Looks in a row that must see the same key before it counts: 27.5 ms, between what Q.24 wants ignored and heard."""

MISSES = 4
"""Looks in a row without the key before it counts as let go: dropouts of 15 ms are bridged, pauses of 25 ms are not."""

MIN_TONE_DBFS = -42.0
"""Each of the two tones must reach this level."""

MAX_TWIST_DB = 12.0
"""How far the two tones may differ in level, either way; with noise and an offset a true 8 dB can look like this."""

MIN_SHARE = 0.65
"""The part of a look's energy that the two tones must hold; 1.5 % off in frequency costs up to a third at 1633 Hz."""

MIN_LEAD = 3.0
"""How many times the energy at the other frequencies of its group the stronger one must have."""

BEEP_HZ, BEEP_MS, BEEP_DBFS = 1_000, 250, -12.0
"""The tone after which a caller is to speak."""

RINGBACK_HZ, RINGBACK_MS, RINGBACK_EVERY_MS, RINGBACK_DBFS = 425, 1_000, 5_000, -20.0
"""What a caller hears while it rings (ITU-T E.180): a second of tone, four of silence."""

_PCM16 = np.dtype("<i2")
_DOUBLE = np.dtype(np.float64)
_STEPS = 2**24  # as in resample.py: coefficients of whole steps make the sums exact, whatever the cut


def dtmf(digits: str, format_: Format, *, tone_ms: int = 100, gap_ms: int = 100, level_dbfs: float = -10.0) -> bytes:
    """Make the sound of ``digits``, each a tone and then a gap of silence.

    ``level_dbfs`` is the level of the pair, as ``level.dbfs`` measures it, up to ``MAX_LEVEL_DBFS``. Raises LocalError
    for a key that no telephone has and for a level that would clip.
    """
    if level_dbfs > MAX_LEVEL_DBFS:
        raise LocalError(f"a pair of tones at {level_dbfs} dBFS would clip; {MAX_LEVEL_DBFS} is the most")
    linear = Format(Encoding.LINEAR16, format_.rate)
    gap = linear.silence * (linear.size(gap_ms) // linear.sample_bytes)
    tones = {key: _pair(key, linear, tone_ms, level_dbfs) for key in set(digits)}
    return path(linear, format_).push(b"".join(tones[key] + gap for key in digits))


def beep(format_: Format) -> bytes:
    """Make the tone after which a caller is to speak, which is no key's."""
    return _tone(format_, BEEP_HZ, BEEP_MS, BEEP_DBFS)


def ringback(format_: Format) -> bytes:
    """Make one ring as a caller hears it; the silence after it is for whoever plays it."""
    return _tone(format_, RINGBACK_HZ, RINGBACK_MS, RINGBACK_DBFS)


def _tone(format_: Format, hz: int, ms: int, dbfs: float) -> bytes:
    linear = Format(Encoding.LINEAR16, format_.rate)
    time = np.arange(linear.size(ms) // linear.sample_bytes) / linear.rate
    wave = np.sin(2 * np.pi * hz * time) * 32768 * 10 ** (dbfs / 20)
    return path(linear, format_).push(np.rint(wave).astype(_PCM16).tobytes())


def _pair(key: str, linear: Format, tone_ms: int, level_dbfs: float) -> bytes:
    place = KEYS.find(key)
    if place < 0:
        raise LocalError("a tone was asked for that is no key of a telephone")
    time = np.arange(linear.size(tone_ms) // linear.sample_bytes) / linear.rate
    row, column = ROWS_HZ[place // 4], COLUMNS_HZ[place % 4]
    wave = np.sin(2 * np.pi * row * time) + np.sin(2 * np.pi * column * time)
    return np.rint(wave * 32768 * 10 ** (level_dbfs / 20)).astype(_PCM16).tobytes()  # rms of the sum is the amplitude


def _design() -> NDArray[np.float64]:
    """Lay out Goertzel's sums as a matrix: eight cosines, then eight sines, scaled so that a sine's power comes out."""
    angle = 2 * np.pi / LINEAR_8K.rate * np.outer(np.arange(WINDOW), ROWS_HZ + COLUMNS_HZ)
    waves = np.hstack([np.cos(angle), np.sin(angle)]) * math.sqrt(2) / WINDOW
    return np.rint(waves * _STEPS) / _STEPS


_MATRIX = _design()
_MIN_POWER = (32768 * 10 ** (MIN_TONE_DBFS / 20)) ** 2
_MIN_PEAK = int(math.sqrt(2 * _MIN_POWER))
_MAX_TWIST = 10 ** (MAX_TWIST_DB / 10)


def keys_seen(pcm16: bytes) -> list[str]:
    """Look at each whole window of linear 8 kHz sound and name the key seen there, or nothing."""
    looks = (len(pcm16) // 2 - WINDOW) // HOP + 1
    if looks <= 0:
        return []
    run = pcm16[: 2 * (WINDOW + (looks - 1) * HOP)]
    if audioop.max(run, 2) < _MIN_PEAK:
        return [""] * looks
    windows: NDArray[np.int16] = np.ndarray((looks, WINDOW), _PCM16, run, 0, (2 * HOP, 2))
    samples = windows.astype(_DOUBLE)
    sums = samples.dot(_MATRIX)
    sums *= sums
    powers = sums[:, :8] + sums[:, 8:]
    totals = np.einsum("ij,ij->i", samples, samples) / WINDOW
    return [_judge(power, total) for power, total in zip(powers.tolist(), totals.tolist(), strict=True)]


def _judge(powers: list[float], total: float) -> str:
    rows, columns = powers[:4], powers[4:]
    row, column = max(rows), max(columns)
    if row + column < MIN_SHARE * total or row < _MIN_POWER or column < _MIN_POWER:
        return ""
    if row > column * _MAX_TWIST or column > row * _MAX_TWIST:
        return ""
    rows_index, columns_index = rows.index(row), columns.index(column)
    rows[rows_index] = columns[columns_index] = 0.0
    if row < MIN_LEAD * max(rows) or column < MIN_LEAD * max(columns):
        return ""
    return KEYS[4 * rows_index + columns_index]


class ToneDetector:
    """Hears keys in sound of ``format_``, cut anywhere, and tells each once, when it has lasted about 30 ms."""

    def __init__(self, format_: Format = LINEAR_8K) -> None:
        self._path = path(format_, LINEAR_8K)
        self._rest = b""
        self._key = ""  # told and not yet let go
        self._misses = 0
        self._seen = ""
        self._hits = 0

    def push(self, audio: bytes) -> list[str]:
        """Take ``audio`` in and return the keys that were pressed, in order."""
        run = self._rest + self._path.push(audio)
        seen = keys_seen(run)
        self._rest = run[2 * HOP * len(seen) :]
        return [key for look in seen if (key := self._look(look))]

    def _look(self, seen: str) -> str:
        """Count one look and name the key that it makes certain, or nothing."""
        self._hits = self._hits + 1 if seen == self._seen else 1
        self._seen = seen
        told = ""
        if seen and seen != self._key and self._hits >= HITS:
            self._key = told = seen
        self._misses = 0 if seen == self._key else self._misses + 1
        if self._misses >= MISSES:
            self._key = ""
        return told
