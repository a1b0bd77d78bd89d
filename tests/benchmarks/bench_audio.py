"""What sound costs and how good it is: one table, measured in one run, beside audioop.ratecv as the peer.

Run as ``python -m tests.benchmarks.bench_audio``. Times are those of the quietest of many short rounds, for 20 ms of
one call; trust the ratios. Image or alias is the worst line that is not the tone, for tones over the pass band and, on
the way down, over what would fold into it; the pass band ends at 85 % of the slower rate's Nyquist frequency.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from phone_bridge.audio._audioop import audioop
from phone_bridge.audio.format import LINEAR_8K, LINEAR_24K, PCMA_8K, PCMU_8K
from phone_bridge.audio.g711 import alaw_to_linear, linear_to_alaw, linear_to_ulaw, ulaw_to_linear
from phone_bridge.audio.level import VoiceActivity
from phone_bridge.audio.path import path
from phone_bridge.audio.resample import RATES, Resampler
from phone_bridge.audio.tones import ToneDetector, dtmf
from tests.audio.spectrum import Convert, delay_ms, sinad_db, to_bytes, worst_ripple_db, worst_stray_db
from tests.audio.speechlike import noise, silence, talk

ROUNDS = 60
PUSHES = 200


class _Ratecv:
    """The peer: the standard library's linear interpolation."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self._rates = rate_in, rate_out
        self._state: tuple[int, tuple[tuple[int, int], ...]] | None = None

    def push(self, pcm16: bytes) -> bytes:
        out, self._state = audioop.ratecv(pcm16, 2, 1, *self._rates, self._state)
        return out


def best_us(convert: Convert, piece: bytes) -> float:
    """Return the microseconds that ``convert(piece)`` takes in the quietest round."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(PUSHES):
            convert(piece)
        best = min(best, time.perf_counter() - start)
    return best / PUSHES * 1e6


def stream_us(fresh: Callable[[], Convert], frames: list[bytes]) -> float:
    """Return the microseconds a frame that a stream of ``frames`` takes in the quietest round."""
    best = float("inf")
    for _ in range(ROUNDS // 4):
        push = fresh()
        start = time.perf_counter()
        for frame in frames:
            push(frame)
        best = min(best, time.perf_counter() - start)
    return best / len(frames) * 1e6


def ours(rate_in: int, rate_out: int) -> Convert:
    """Make a resampling that begins anew each time."""
    return lambda pcm16: Resampler(rate_in, rate_out).push(pcm16)


def peer(rate_in: int, rate_out: int) -> Convert:
    """Make the same of the peer."""
    return lambda pcm16: _Ratecv(rate_in, rate_out).push(pcm16)


def quality(convert: Convert, rates: tuple[int, int]) -> str:
    """Measure delay, ripple, image or alias, and SINAD."""
    return (
        f"{delay_ms(convert, *rates):>9.2f}{worst_ripple_db(convert, *rates):>11.4f}"
        f"{worst_stray_db(convert, *rates):>16.1f}{sinad_db(convert, *rates, 3000):>13.1f}"
    )


def resampler_rows() -> list[str]:
    """Measure every pair of rates, first ours and then the peer."""
    rows = [
        f"{'20 ms':<26}{'us':>7}{'ratio':>7}{'delay ms':>9}{'ripple dB':>11}{'image/alias dB':>16}{'SINAD 3k dB':>13}"
    ]
    for rates in [(a, b) for a in RATES for b in RATES if a != b]:
        frame = to_bytes(noise(20 * rates[0] // 8000, -20.0))  # noise of as many samples as 20 ms have at this rate
        mine, its = best_us(Resampler(*rates).push, frame), best_us(_Ratecv(*rates).push, frame)
        name = f"{rates[0]} to {rates[1]}"
        rows.append(f"{name:<26}{mine:>7.2f}{mine / its:>7.1f}{quality(ours(*rates), rates)}")
        rows.append(f"{name + ', ratecv':<26}{its:>7.2f}{1:>7.1f}{quality(peer(*rates), rates)}")
    return rows


def caller() -> list[bytes]:
    """Make half a minute of a caller's mu-law, words and pauses on a line with noise, as frames."""
    samples = np.concatenate([part for seed in range(8) for part in (talk(3, seed), silence(1200))])
    ulaw = linear_to_ulaw(to_bytes(samples + noise(samples.size // 8, -55.0)))
    return [ulaw[at : at + 160] for at in range(0, len(ulaw), 160)]


def listening() -> Convert:
    """Make a voice activity whose clock counts by itself."""
    activity, clock = VoiceActivity(PCMU_8K), iter(range(0, 1 << 30, 20))

    def push(audio: bytes) -> bytes:
        activity.push(audio, next(clock))
        return b""

    return push


def pressed() -> Convert:
    """Make a detector of keys."""
    detector = ToneDetector(PCMU_8K)
    return lambda audio: "".join(detector.push(audio)).encode()


def other_rows() -> list[str]:
    """Measure the codecs, the path of a frame both ways, and the two listeners."""
    linear, ulaw = to_bytes(noise(20, -20.0)), linear_to_ulaw(to_bytes(noise(20, -20.0)))
    wide = path(LINEAR_8K, LINEAR_24K).push(linear)
    words = caller()
    key = dtmf("1", PCMU_8K, tone_ms=20, gap_ms=0)
    table = {
        "mu-law decoded": best_us(ulaw_to_linear, ulaw),
        "mu-law encoded": best_us(linear_to_ulaw, linear),
        "A-law decoded": best_us(alaw_to_linear, ulaw),
        "A-law encoded": best_us(linear_to_alaw, linear),
        "path mu-law to mu-law": best_us(path(PCMU_8K, PCMU_8K).push, ulaw),
        "path mu-law to A-law": best_us(path(PCMU_8K, PCMA_8K).push, ulaw),
        "path mu-law to 24 kHz": best_us(path(PCMU_8K, LINEAR_24K).push, ulaw),
        "path 24 kHz to mu-law": best_us(path(LINEAR_24K, PCMU_8K).push, wide),
        "voice activity, talk": stream_us(listening, words),
        "voice activity, silence": best_us(listening(), PCMU_8K.silence * 160),
        "tone detector, talk": stream_us(pressed, words),
        "tone detector, a key": best_us(pressed(), key),
        "tone detector, silence": best_us(pressed(), PCMU_8K.silence * 160),
    }
    return [f"{name:<26}{us:>7.2f}" for name, us in table.items()]


def main() -> None:
    """Print the table."""
    sys.stdout.write("\n".join([*resampler_rows(), "", *other_rows(), ""]))


if __name__ == "__main__":
    main()
