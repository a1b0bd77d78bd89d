"""A streaming resampler between 8, 16 and 24 kHz: a polyphase FIR filter, as blocks of one small matrix product.

The low-pass is a sinc in a Kaiser window, 16 samples of the slower rate to each side: pass to 85 % and stop from
115 % of the slower rate's Nyquist frequency (3400 and 4600 Hz where that rate is 8 kHz), 2 ms of delay at 8 kHz and
1 ms at 16 kHz.

**Why the cut of the input cannot be heard.** Coefficients are whole multiples of 2**-24 and samples are integers, so
every product and every partial sum is a whole multiple of 2**-24 and smaller than 2**17: 41 bits, where a double holds
53. The sums are exact, whatever order or vector width the matrix product takes, and one rounding follows.
"""

from functools import cache
from math import gcd

import msgspec
import numpy as np
from numpy.typing import NDArray

from phone_bridge.audio._audioop import audioop
from phone_bridge.errors import LocalError

RATES = (8000, 16000, 24000)
"""Sampling rates, in hertz, that the resampler goes between."""

HALF_WIDTH = 16
"""Samples of the slower rate to each side of the filter's middle: its delay."""

STOP_BAND_DB = 77.0
"""What the Kaiser window is shaped for; the measured rejection is within a decibel of it."""

BLOCK_CYCLES = 10
"""Cycles of the two rates (1/8000 s each) that one row of the product makes; 20 ms are 16 rows. Fastest measured."""

COEFFICIENT_STEPS = 2**24
"""Coefficients are whole multiples of one over this."""

_PCM16 = np.dtype("<i2")
_DOUBLE = np.dtype(np.float64)
_LOWEST = np.array(-32768.0)
_HIGHEST = np.array(32767.0)


class _Filter(msgspec.Struct, frozen=True, eq=False):
    """The matrix of one pair of rates and what is needed to lay a run of samples under it."""

    matrix: NDArray[np.float64]  # (history + samples in of a block, samples out of a block)
    history: int  # samples before a block that its outputs still need
    cycle_in: int  # samples in of a cycle, the shortest time that is a whole number of samples at both rates
    cycle_out: int
    safe_peak: int  # input that stays under this cannot overflow the output
    delay_ms: float


def _low_pass(reach: int) -> NDArray[np.float64]:
    """Sample the windowed sinc at ``reach`` points for each sample of the slower rate; unit sum."""
    middle = HALF_WIDTH * reach
    taps = np.sinc(np.arange(-middle, middle + 1) / reach) * np.kaiser(2 * middle + 1, 0.1102 * (STOP_BAND_DB - 8.7))
    inner: NDArray[np.float64] = taps[1:-1]  # both ends fall on a zero of the sinc
    inner /= inner.sum()
    return inner


@cache
def _design(rate_in: int, rate_out: int) -> _Filter:
    common = gcd(rate_in, rate_out)
    cycle_in, cycle_out = rate_in // common, rate_out // common
    taps = _low_pass(rate_in * cycle_out // min(rate_in, rate_out)) * cycle_out
    history = -(-taps.size // cycle_out) - 1
    # output m sums over input i, whose tap is m * cycle_in - i * cycle_out where both stand at the common multiple
    inputs = np.arange(-history, BLOCK_CYCLES * cycle_in)
    outputs = np.arange(BLOCK_CYCLES * cycle_out)
    tap = outputs[np.newaxis, :] * cycle_in - inputs[:, np.newaxis] * cycle_out
    inside = (tap >= 0) & (tap < taps.size)
    steps = np.where(inside, np.rint(taps * COEFFICIENT_STEPS)[np.where(inside, tap, 0)], 0.0)
    matrix = steps / COEFFICIENT_STEPS
    return _Filter(
        matrix=matrix,
        history=history,
        cycle_in=cycle_in,
        cycle_out=cycle_out,
        safe_peak=int(32767 / np.abs(matrix).sum(axis=0).max()),
        delay_ms=(taps.size - 1) / 2 / (rate_in * cycle_out) * 1000,
    )


class Resampler:
    """Brings linear 16-bit sound from ``rate_in`` to ``rate_out`` (hertz, each of ``RATES``), saturating.

    Output lags input by ``delay_ms``. Of input that ends within a cycle of the two rates (at most two samples) the
    rest waits, and so does half a sample.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        if rate_in not in RATES or rate_out not in RATES or rate_in == rate_out:
            raise LocalError(f"no resampling from {rate_in} to {rate_out} Hz; it goes between {RATES}")
        self._filter = _design(rate_in, rate_out)
        self._rest = bytes(2 * self._filter.history)

    @property
    def delay_ms(self) -> float:
        """The filter's group delay, the same at every frequency."""
        return self._filter.delay_ms

    def push(self, pcm16: bytes) -> bytes:
        """Take ``pcm16`` in, cut anywhere, and return the samples that are due."""
        filter_ = self._filter
        run = self._rest + pcm16
        cycles = (len(run) // 2 - filter_.history) // filter_.cycle_in
        if cycles <= 0:
            self._rest = run
            return b""
        step = 2 * filter_.cycle_in * BLOCK_CYCLES
        used = 2 * filter_.cycle_in * cycles
        self._rest = run[used:]
        run = run[: used + 2 * filter_.history]
        lacking = -cycles % BLOCK_CYCLES
        if lacking:  # the last block is filled up, and what comes of that is cut off again
            run += bytes(2 * filter_.cycle_in * lacking)
        matrix = filter_.matrix
        rows = (cycles + lacking) // BLOCK_CYCLES
        blocks: NDArray[np.int16] = np.ndarray((rows, matrix.shape[0]), _PCM16, run, 0, (step, 2))
        out = np.rint(blocks.astype(_DOUBLE).dot(matrix))
        if audioop.max(run, 2) > filter_.safe_peak:
            np.maximum(out, _LOWEST, out=out)
            np.minimum(out, _HIGHEST, out=out)
        samples: bytes = out.astype(_PCM16).tobytes()
        return samples[: 2 * filter_.cycle_out * cycles] if lacking else samples
