import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.resample import BLOCK_CYCLES, HALF_WIDTH, RATES, STOP_BAND_DB, Resampler
from phone_bridge.errors import LocalError
from tests.audio.spectrum import (
    Convert,
    Samples,
    delay_ms,
    sinad_db,
    to_bytes,
    to_samples,
    tone,
    worst_ripple_db,
    worst_stray_db,
)

PAIRS = [(a, b) for a in RATES for b in RATES if a != b]
FRAMES = 12  # of 20 ms, in the property test: several blocks and their seams


def fresh(rate_in: int, rate_out: int) -> Convert:
    """Make a conversion that begins anew each time."""
    return lambda pcm16: Resampler(rate_in, rate_out).push(pcm16)


def defined(samples: Samples, rate_in: int, rate_out: int) -> Samples:
    """Resample by the definition: zeros between, one long filter, and only every so-many-th sample kept."""
    common = int(np.lcm(rate_in, rate_out))
    reach = common // min(rate_in, rate_out)
    time = np.arange(-HALF_WIDTH * reach, HALF_WIDTH * reach + 1)
    taps = np.sinc(time / reach) * np.kaiser(time.size, 0.1102 * (STOP_BAND_DB - 8.7))
    stuffed = np.zeros(samples.size * (common // rate_in))
    stuffed[:: common // rate_in] = samples
    filtered = np.convolve(stuffed, taps[1:-1] / taps.sum() * (common // rate_in))
    return filtered[: stuffed.size : common // rate_out]


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_ripple_is_within_a_tenth_of_a_decibel(rate_in: int, rate_out: int) -> None:
    assert worst_ripple_db(fresh(rate_in, rate_out), rate_in, rate_out) < 0.1


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_images_and_aliases_are_70_db_down(rate_in: int, rate_out: int) -> None:
    assert worst_stray_db(fresh(rate_in, rate_out), rate_in, rate_out) < -70


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_a_tone_of_3_khz_stays_clean(rate_in: int, rate_out: int) -> None:
    assert sinad_db(fresh(rate_in, rate_out), rate_in, rate_out, 3000) > 70


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_delay_is_what_it_says_and_2_ms_at_most(rate_in: int, rate_out: int) -> None:
    told = Resampler(rate_in, rate_out).delay_ms
    assert told <= 2.0
    assert delay_ms(fresh(rate_in, rate_out), rate_in, rate_out) == pytest.approx(told, abs=0.01)


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_20_ms_in_give_20_ms_out_from_the_first_frame_on(rate_in: int, rate_out: int) -> None:
    resampler = Resampler(rate_in, rate_out)
    assert [len(resampler.push(bytes(rate_in // 25))) for _ in range(3)] == [rate_out // 25] * 3


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_every_sample_is_that_of_the_definition(rate_in: int, rate_out: int) -> None:
    samples = np.random.default_rng(5).integers(-9000, 9000, rate_in // 10).astype(np.float64)
    out = to_samples(Resampler(rate_in, rate_out).push(to_bytes(samples)))
    assert np.abs(out - defined(samples, rate_in, rate_out)[: out.size]).max() < 0.51


@given(pair=st.sampled_from(PAIRS), seed=st.integers(0, 1000), data=st.data())
def test_the_cut_of_the_input_never_changes_a_byte(pair: tuple[int, int], seed: int, data: st.DataObject) -> None:
    size = FRAMES * pair[0] // 50 * 2
    sound = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8).tobytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=40)))
    resampler = Resampler(*pair)
    pieces = [resampler.push(sound[a:b]) for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
    assert b"".join(pieces) == Resampler(*pair).push(sound)


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
@pytest.mark.parametrize("size", [1, 2, 3, 2 * BLOCK_CYCLES + 1, 319])
def test_regular_cuts_never_change_a_byte(rate_in: int, rate_out: int, size: int) -> None:
    sound = np.random.default_rng(6).integers(0, 256, rate_in // 10, dtype=np.uint8).tobytes()
    resampler = Resampler(rate_in, rate_out)
    pieces = [resampler.push(sound[at : at + size]) for at in range(0, len(sound), size)]
    assert b"".join(pieces) == Resampler(rate_in, rate_out).push(sound)


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
@pytest.mark.parametrize("peak", [15000, 20000, 25000, 32767])
def test_sound_over_full_scale_saturates_and_never_wraps(rate_in: int, rate_out: int, peak: int) -> None:
    jumps = np.random.default_rng(10).choice([-1.0, 1.0], rate_in // 2) * peak  # between the samples they go further
    out = to_samples(Resampler(rate_in, rate_out).push(to_bytes(jumps)))
    truth = defined(jumps, rate_in, rate_out)[: out.size]
    assert np.abs(out - np.clip(truth, -32768, 32767)).max() < 0.51
    if peak > 20000:
        assert (out.max(), out.min()) == (32767, -32768)


def test_there_and_back_is_the_same_sound_two_delays_later() -> None:
    sound = tone(8000, 1000)
    up, down = Resampler(8000, 24000), Resampler(24000, 8000)
    back = to_samples(down.push(up.push(to_bytes(sound))))
    shift = round((up.delay_ms + down.delay_ms) * 8)
    late = (up.delay_ms + down.delay_ms) * 8 - shift  # of a sample: the two delays are no whole number of samples
    moved = 16000 * np.sin(2 * np.pi * 1000 * (np.arange(sound.size) - shift - late) / 8000)
    assert np.abs(back[200:] - moved[200:]).max() < 16000 * 0.001


def test_no_bytes_in_are_no_bytes_out() -> None:
    assert Resampler(8000, 24000).push(b"") == b""


@pytest.mark.parametrize(("rate_in", "rate_out"), [(8000, 8000), (8000, 44100), (11025, 8000)])
def test_other_rates_are_refused(rate_in: int, rate_out: int) -> None:
    with pytest.raises(LocalError, match=str(rate_out)):
        Resampler(rate_in, rate_out)
