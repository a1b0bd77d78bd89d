"""Sounds of a caller's end, made from numbers: vowels with a pitch, hiss, breath, clicks and line noise, at 8 kHz."""

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Samples = NDArray[np.float64]

_FORMANTS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""First three formants, in hertz, of five vowels."""


def silence(ms: int) -> Samples:
    return np.zeros(RATE * ms // 1000)


def scale(samples: Samples, level_dbfs: float) -> Samples:
    factor: float = 32768 * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(samples**2))
    return samples * factor


def fade(samples: Samples, ms: int) -> Samples:
    edge = np.arange(samples.size) / (RATE * ms / 1000)
    return samples * np.minimum(1.0, np.minimum(edge, edge[::-1]))


def telephone_band(samples: Samples) -> Samples:
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(samples.size, 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    return np.fft.irfft(spectrum, samples.size)


def noise(ms: int, level_dbfs: float, seed: int = 1) -> Samples:
    white = np.random.default_rng(seed).normal(size=RATE * ms // 1000)
    return scale(telephone_band(white), level_dbfs)


def breath(ms: int, level_dbfs: float, seed: int = 2) -> Samples:
    return fade(noise(ms, level_dbfs, seed), 60)


def click(level_dbfs: float) -> Samples:
    shape = np.random.default_rng(3).normal(size=64) * np.exp(-np.arange(64) / 16)
    return shape * 32768 * 10 ** (level_dbfs / 20)


def vowel(ms: int, level_dbfs: float = -20.0, *, kind: int = 0, pitch: float = 120.0, glide: float = 0.2) -> Samples:
    """Make a voiced sound: the pitch's harmonics, shaped by the vowel's formants, falling by ``glide`` of the pitch."""
    time = np.arange(RATE * ms // 1000) / RATE
    fundamental = pitch * (1 - glide * time / max(time[-1], 0.001))
    phase = 2 * np.pi * np.cumsum(fundamental) / RATE
    wave = np.zeros(time.size)
    for harmonic in range(1, int(3400 / pitch) + 1):
        hertz = harmonic * pitch
        resonance = sum(1 / (1 + ((hertz - formant) / 90) ** 2) for formant in _FORMANTS[kind])
        wave += (0.05 + resonance) / harmonic**0.5 * np.sin(harmonic * phase + harmonic**2)
    return scale(fade(wave, 15), level_dbfs)


def word(rng: np.random.Generator, level_dbfs: float = -20.0) -> Samples:
    """Make one to three syllables, some with a hiss before the vowel."""
    pitch = float(rng.uniform(85, 260))
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < 0.4:
            parts.append(breath(int(rng.integers(50, 110)), level_dbfs - 15, int(rng.integers(1 << 30))))
        kind = int(rng.integers(len(_FORMANTS)))
        parts.append(
            vowel(int(rng.integers(160, 300)), level_dbfs, kind=kind, pitch=pitch * float(rng.uniform(0.9, 1.1)))
        )
    return np.concatenate(parts)


def talk(words: int, seed: int = 4, *, gap_ms: int = 120, level_dbfs: float = -20.0) -> Samples:
    rng = np.random.default_rng(seed)
    return np.concatenate([part for _ in range(words) for part in (word(rng, level_dbfs), silence(gap_ms))])
