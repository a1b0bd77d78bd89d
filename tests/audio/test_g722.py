"""G.722 by what the standard promises of it: its band, its noise, and a state that no cut of the stream disturbs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.audio.g722 import Decoder, Encoder

DELAY = 22
"""Samples that encoder and decoder are late together: two filters of 24 taps that split and join the bands."""

LONG = 16_000


def tone(hz: float, level: float = 8_000.0, size: int = LONG) -> bytes:
    return np.rint(level * np.sin(2 * np.pi * hz * np.arange(size) / LINEAR_16K.rate)).astype("<i2").tobytes()


def samples(pcm16: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm16, "<i2").astype(np.float64)


def there_and_back(pcm16: bytes) -> bytes:
    return Decoder().push(Encoder().push(pcm16))


def noise_db(pcm16: bytes) -> float:
    """How far what comes back is above what is wrong with it."""
    sent, came = samples(pcm16)[1_000 : -DELAY - 1_000], samples(there_and_back(pcm16))[1_000 + DELAY : -1_000]
    return float(10 * np.log10(np.sum(sent**2) / np.sum((came - sent) ** 2)))


def test_an_octet_is_two_samples() -> None:
    octets = Encoder().push(bytes(LINEAR_16K.size(20)))
    assert len(octets) == 160
    assert len(Decoder().push(octets)) == LINEAR_16K.size(20)
    assert Encoder().push(b"") == Decoder().push(b"") == b""


@pytest.mark.parametrize(("hz", "least_db"), [(100, 30), (300, 35), (1_000, 35), (3_000, 35), (5_000, 20), (6_800, 20)])
def test_a_tone_comes_back_with_little_noise_in_either_band(hz: int, least_db: int) -> None:
    assert noise_db(tone(hz)) > least_db


@pytest.mark.parametrize("level", [100.0, 1_000.0, 30_000.0])
def test_soft_and_loud_sound_are_coded_alike(level: float) -> None:
    assert noise_db(tone(1_000, level)) > 25


def test_silence_is_all_but_silent() -> None:
    assert np.abs(samples(there_and_back(bytes(LINEAR_16K.size(1_000))))).max() <= 4


def test_what_is_louder_than_loud_does_not_turn_over() -> None:
    square = np.where(np.arange(LONG) // 20 % 2, 32_767, -32_768).astype("<i2")
    back = samples(there_and_back(square.tobytes()))[DELAY:]
    same = np.sign(back) == np.sign(square[: back.size].astype(np.float64))
    assert np.mean(same[1_000:]) > 0.97


@given(st.lists(st.integers(1, 200), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_the_cut_of_a_stream_cannot_be_heard(sizes: list[int], seed: int) -> None:
    octets = np.random.default_rng(seed).integers(-20_000, 20_000, 2 * sum(sizes)).astype("<i2").tobytes()
    whole, encoder, decoder, at = Encoder().push(octets), Encoder(), Decoder(), 0
    cut, heard = b"", b""
    for size in sizes:
        part = encoder.push(octets[4 * at : 4 * (at + size)])
        cut, heard, at = cut + part, heard + decoder.push(part), at + size
    assert cut == whole
    assert heard == Decoder().push(whole)


def test_two_streams_share_nothing() -> None:
    first, second = Encoder(), Encoder()
    first.push(tone(1_000))
    assert second.push(tone(300)) == Encoder().push(tone(300))


def test_a_decoder_that_comes_late_hears_the_same_before_long() -> None:
    octets = Encoder().push(tone(1_000) + tone(5_000))
    late, whole = samples(Decoder().push(octets[2_000:])), samples(Decoder().push(octets))[4_000:]
    error = late[LONG // 2 :] - whole[LONG // 2 :]
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.sqrt(np.mean(whole**2))
