"""Tones, their spectra, and what a resampler is asked by them; used by the tests and by the benchmark."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Convert = Callable[[bytes], bytes]
Samples = NDArray[np.float64]

TONE_SECONDS = 0.5
STEADY_SECONDS = 0.4  # every whole 100 Hz then falls on the middle of a bin
AMPLITUDE = 16000.0
PASS_TO = 0.85  # of the slower rate's Nyquist frequency: 3400 Hz at 8 kHz
STOP_FROM = 1.15  # 4600 Hz
EDGE_HZ = 60  # what a tone's line in the spectrum takes up to either side


def to_bytes(samples: Samples) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def to_samples(pcm16: bytes) -> Samples:
    return np.frombuffer(pcm16, "<i2").astype(np.float64)


def tone(rate: int, hertz: float, *, amplitude: float = AMPLITUDE, seconds: float = TONE_SECONDS) -> Samples:
    return amplitude * np.sin(2 * math.pi * hertz * np.arange(round(rate * seconds)) / rate)


def spectrum(pcm16: bytes, rate: int) -> tuple[Samples, Samples]:
    """Return frequencies, and the amplitude of a sine at each, of the steady part of ``pcm16``."""
    steady = to_samples(pcm16)[-round(rate * STEADY_SECONDS) :]
    window = np.kaiser(steady.size, 16.0)
    frequencies: Samples = np.arange(steady.size // 2 + 1) * rate / steady.size
    amplitudes: Samples = 2 * np.abs(np.fft.rfft(steady * window)) / window.sum()
    return frequencies, amplitudes


def decibels(ratio: float) -> float:
    return 20 * math.log10(max(ratio, 1e-12))


def pass_band(rate_in: int, rate_out: int) -> list[int]:
    return list(range(300, round(min(rate_in, rate_out) / 2 * PASS_TO) + 1, 100))


def stop_band(rate_in: int, rate_out: int) -> list[int]:
    """Frequencies of the input that would fold into the pass band; empty on the way up."""
    return list(range(round(min(rate_in, rate_out) / 2 * STOP_FROM), rate_in // 2, 100))


def gain_db(convert: Convert, rate_in: int, rate_out: int, hertz: int) -> float:
    frequencies, amplitudes = spectrum(convert(to_bytes(tone(rate_in, hertz))), rate_out)
    near = np.abs(frequencies - hertz) < EDGE_HZ
    return decibels(float(amplitudes[near].max()) / AMPLITUDE)


def stray_db(convert: Convert, rate_in: int, rate_out: int, hertz: int) -> float:
    """Measure the strongest line that is not the tone: its images on the way up, its alias on the way down."""
    frequencies, amplitudes = spectrum(convert(to_bytes(tone(rate_in, hertz))), rate_out)
    far = np.abs(frequencies - hertz) >= EDGE_HZ
    return decibels(float(amplitudes[far].max()) / AMPLITUDE)


def sinad_db(convert: Convert, rate_in: int, rate_out: int, hertz: int) -> float:
    """Measure the tone's power against everything else in the output."""
    frequencies, amplitudes = spectrum(convert(to_bytes(tone(rate_in, hertz))), rate_out)
    near = np.abs(frequencies - hertz) < EDGE_HZ
    powers = amplitudes**2
    return 10 * math.log10(float(powers[near].sum() / powers[~near].sum()))


def delay_ms(convert: Convert, rate_in: int, rate_out: int) -> float:
    """Measure where the middle of an impulse's answer lies, in milliseconds after the impulse."""
    at = rate_in // 100
    impulse = np.zeros(rate_in // 10)
    impulse[at] = 30000.0
    answer = to_samples(convert(to_bytes(impulse)))
    middle = float((answer * np.arange(answer.size)).sum() / answer.sum())
    return (middle / rate_out - at / rate_in) * 1000


def worst_ripple_db(convert: Convert, rate_in: int, rate_out: int) -> float:
    return max(abs(gain_db(convert, rate_in, rate_out, hertz)) for hertz in pass_band(rate_in, rate_out))


def worst_stray_db(convert: Convert, rate_in: int, rate_out: int) -> float:
    tones = pass_band(rate_in, rate_out) + stop_band(rate_in, rate_out)
    return max(stray_db(convert, rate_in, rate_out, hertz) for hertz in tones)
