"""Sound of a telephone made as wide as the ear's model expects: noise above the line's band, as loud as it would be.

A telephone carries nothing above 3400 Hz, where "s", "f" and "th" live, and the model was trained on sound that has it.
How loud each of the missing bands was can be guessed, frame by frame, from the bands that are there: a linear guess,
fitted by least squares to 24 English sentences by each of flite's four voices, before and after a telephone line. Most
of it is plain: about as loud as the topmost band there is, less some decibels that grow with the frequency.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

RATE = 16_000
KNOWN_HZ = (300, 600, 1000, 1500, 2000, 2500, 3000, 3400)
"""Edges of the bands that a telephone carries."""

MISSING_HZ = (3400, 4000, 4600, 5300, 6000, 6900)
"""Edges of those that are guessed."""

GUESS = (
    (0.03, -0.09, -0.04, 0.11, 0.03, 0.00, 1.05, -1.40),
    (0.05, -0.15, -0.06, 0.23, -0.23, -0.09, 1.13, -9.79),
    (-0.11, -0.08, 0.04, 0.13, -0.21, -0.04, 0.99, -15.70),
    (0.00, -0.28, 0.18, 0.13, -0.25, -0.10, 1.07, -16.39),
    (0.07, -0.64, 0.55, 0.02, -0.13, -0.13, 0.99, -15.48),
)
"""For each missing band: the weight of each known band's level, and what is added, in decibels."""

WIDE_HZ = 4800
"""Sound that has energy above this came by no telephone."""

WIDE_SHARE = 1e-4
"""As much of all energy (-40 dB) above that is sound, and not a conversion's remains."""

_WINDOW, _HOP = 512, 160  # 32 ms, 10 ms
_QUIETEST_DB = -60.0  # against the loudest fifth of all frames
_FLOOR = 1e3  # power that stands for digital silence

Samples = npt.NDArray[np.float64]
_Spectra = npt.NDArray[np.complex128]
_SHAPE = np.hanning(_WINDOW + 1)[:-1]
_HZ = np.fft.rfftfreq(_WINDOW, 1 / RATE)
_NOISE = np.exp(2j * np.pi * np.random.default_rng(7).random((97, _HZ.size)))  # the same for everybody, always


def widened(sound: Samples) -> Samples:
    """Give 16 kHz ``sound`` of a telephone what it lacks; what is wide already comes back as it is."""
    if not sound.size or _is_wide(sound):
        return sound
    frames = _analysed(sound)
    levels = _levels(frames, KNOWN_HZ)
    loud = float(np.sort(levels, axis=0)[-max(1, len(levels) // 5) :].mean())
    weights = np.array(GUESS)
    guessed = np.clip(levels - loud, _QUIETEST_DB, None) @ weights[:, :-1].T + weights[:, -1] + loud
    for band, (low, high) in enumerate(pairwise(MISSING_HZ)):
        _fill(frames, (low <= _HZ) & (high > _HZ), 10 ** (guessed[:, band] / 20))
    return _synthesised(frames, sound.size)


def _is_wide(sound: Samples) -> bool:
    power = np.abs(np.fft.rfft(sound)) ** 2
    edge = int(power.size * WIDE_HZ / (RATE / 2))
    return bool(power[edge:].sum() > WIDE_SHARE * power.sum())


def _analysed(sound: Samples) -> _Spectra:
    padded = np.concatenate([np.zeros(_WINDOW), sound, np.zeros(_WINDOW)])
    starts = np.arange((padded.size - _WINDOW) // _HOP + 1) * _HOP
    return np.fft.rfft(padded[starts[:, None] + np.arange(_WINDOW)] * _SHAPE, axis=1)


def _levels(frames: _Spectra, edges: tuple[int, ...]) -> Samples:
    power = np.abs(frames) ** 2
    bands = [power[:, (low <= _HZ) & (high > _HZ)].mean(axis=1) for low, high in pairwise(edges)]
    levels: Samples = 10 * np.log10(np.stack(bands, axis=1) + _FLOOR)
    return levels


def _fill(frames: _Spectra, band: npt.NDArray[np.bool_], magnitude: Samples) -> None:
    """Put noise of ``magnitude`` wherever a band of a frame is softer."""
    there = frames[:, band]
    noise = np.resize(_NOISE, frames.shape)[:, band] * magnitude[:, None]
    frames[:, band] = np.where(np.abs(there) < magnitude[:, None], noise, there)


def _synthesised(frames: _Spectra, size: int) -> Samples:
    pieces = np.fft.irfft(frames, _WINDOW, axis=1) * _SHAPE
    sound = np.zeros(len(frames) * _HOP + _WINDOW)
    weight = np.zeros_like(sound)
    for number, piece in enumerate(pieces):
        sound[number * _HOP : number * _HOP + _WINDOW] += piece
        weight[number * _HOP : number * _HOP + _WINDOW] += _SHAPE**2
    return (sound / np.maximum(weight, 1e-3))[_WINDOW : _WINDOW + size]
