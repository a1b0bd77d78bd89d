import numpy as np
import numpy.typing as npt
import pytest

from phone_bridge.assistant.widening import RATE, widened

Samples = npt.NDArray[np.float64]


def band(low: float, high: float, level: float, seconds: float = 1.0) -> Samples:
    """Noise between two frequencies, of a root mean square."""
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=int(RATE * seconds)))
    hertz = np.fft.rfftfreq(int(RATE * seconds), 1 / RATE)
    sound: Samples = np.fft.irfft(np.where((hertz >= low) & (hertz < high), spectrum, 0))
    sound *= level / np.sqrt(np.mean(sound**2))
    return sound


def energy(sound: Samples, low: float, high: float) -> float:
    hertz = np.fft.rfftfreq(sound.size, 1 / RATE)
    return float((np.abs(np.fft.rfft(sound))[(hertz >= low) & (hertz < high)] ** 2).sum())


def test_a_hiss_reaches_above_the_telephones_band_and_a_vowel_hardly() -> None:
    hiss, vowel = widened(band(2000, 3400, 1000)), widened(band(300, 1000, 1000))
    assert energy(hiss, 4000, 6900) > 0.005 * energy(hiss, 0, 3400)
    assert energy(vowel, 4000, 6900) < 0.001 * energy(vowel, 0, 3400)


def test_what_the_telephone_carried_stays_as_it_is() -> None:
    sound = band(300, 3000, 1000)
    kept = np.fft.rfft(widened(sound) - sound)[np.fft.rfftfreq(sound.size, 1 / RATE) < 3200]
    assert (np.abs(kept) ** 2).sum() < 0.001 * energy(sound, 0, 3400)


def test_wide_sound_comes_back_untouched() -> None:
    sound = band(300, 7000, 1000)
    assert widened(sound) is sound


def test_it_is_always_the_same() -> None:
    sound = band(300, 3400, 1000)
    assert np.array_equal(widened(sound), widened(sound))


@pytest.mark.parametrize("size", [0, 1, 511, 512, 16_001])
def test_the_length_is_kept(size: int) -> None:
    assert widened(np.ones(size)).size == size
    assert np.isfinite(widened(np.zeros(size))).all()
