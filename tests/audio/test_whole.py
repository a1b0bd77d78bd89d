import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.level import dbfs
from phone_bridge.audio.whole import PEAK_DBFS, SPEECH_DBFS, levelled, pcm16, resampled, samples
from phone_bridge.errors import LocalError

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]


def tone(hertz: float, rate: int, *, seconds: float = 0.5, level: float = 8_000) -> np.ndarray:
    time = np.arange(int(rate * seconds)) / rate
    return np.asarray(level * np.sin(2 * np.pi * hertz * time) * np.hanning(time.size))


@pytest.mark.parametrize("rate_in", RATES)
@pytest.mark.parametrize("rate_out", RATES)
def test_a_tone_is_the_same_tone_at_any_rate(rate_in: int, rate_out: int) -> None:
    made = resampled(tone(1_000, rate_in), rate_in, rate_out)
    wanted = tone(1_000, rate_out)
    size = min(made.size, wanted.size)
    assert abs(made.size - wanted.size) <= 1
    assert np.abs(made[:size] - wanted[:size]).max() < 8_000 * 0.02


@given(
    st.integers(100, 20_000), st.sampled_from(RATES), st.sampled_from(RATES), st.floats(0.02, 0.4), st.floats(0, 6.28)
)
def test_sound_of_any_length_keeps_its_course(
    size: int, rate_in: int, rate_out: int, pitch: float, phase: float
) -> None:
    """The pitch is a share of the lower of the two rates; at the very ends any sound that is cut off rings."""
    hertz = pitch * min(rate_in, rate_out)

    def course(count: int, rate: int) -> np.ndarray:
        return np.asarray(8_000 * np.sin(2 * np.pi * hertz * np.arange(count) / rate + phase) * np.hanning(count))

    made = resampled(course(size, rate_in), rate_in, rate_out)
    assert made.size == round(size * rate_out / rate_in)
    times = np.arange(made.size) * rate_in / rate_out
    fade = 0.5 - 0.5 * np.cos(2 * np.pi * times / (size - 1))
    wanted = 8_000 * np.sin(2 * np.pi * hertz * times / rate_in + phase) * fade
    assert np.abs(made - wanted).max() < 8_000 * 0.05


def test_what_the_new_rate_cannot_hold_is_left_out() -> None:
    assert np.abs(resampled(tone(6_000, 24_000), 24_000, 8_000)).max() < 1


@pytest.mark.parametrize("level", [100, 1_000, 20_000])
def test_speech_is_brought_to_one_level_whatever_its_pauses(level: float) -> None:
    spoken = np.concatenate([tone(300, 8_000, level=level), np.zeros(16_000), tone(300, 8_000, level=level)])
    loud = levelled(spoken, 8_000)
    talk = loud[1_000:3_000]
    assert dbfs(pcm16(talk)) == pytest.approx(SPEECH_DBFS, abs=4)


def test_peaks_keep_below_their_limit() -> None:
    clicks = np.zeros(8_000)
    clicks[::400] = 3_000
    assert np.abs(levelled(clicks, 8_000)).max() <= 32_767 * 10 ** (PEAK_DBFS / 20) + 1


@given(st.binary(max_size=400).map(lambda raw: raw[: len(raw) // 2 * 2]))
def test_sound_is_read_and_written_without_a_change(raw: bytes) -> None:
    assert pcm16(samples(raw)) == raw


def test_what_is_too_loud_is_clipped() -> None:
    assert samples(pcm16(np.array([1e6, -1e6]))).tolist() == [32_767, -32_768]


@pytest.mark.parametrize("rate", [0, -8_000])
def test_a_rate_that_is_none_is_our_mistake(rate: int) -> None:
    with pytest.raises(LocalError):
        resampled(tone(1_000, 8_000), 8_000, rate)


def test_silence_and_nothing_stay_what_they_are() -> None:
    assert levelled(np.zeros(800), 8_000).tolist() == [0.0] * 800
    assert levelled(np.zeros(0), 8_000).size == 0
    assert resampled(np.zeros(0), 8_000, 24_000).size == 0
