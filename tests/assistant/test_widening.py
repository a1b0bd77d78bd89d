import numpy as np

from phone_bridge.assistant.widening import RATE, widened


def hum(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return np.asarray(5_000 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE))


def energy(sound: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(sound.size, 1 / RATE)
    return float(power[(hertz >= low) & (hertz < high)].sum())


def narrow_noise() -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(0, 2_000, RATE))
    hertz = np.fft.rfftfreq(RATE, 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3_400)] = 0
    return np.fft.irfft(spectrum, RATE)


def test_sound_of_a_telephone_gets_something_above_its_band_and_keeps_the_rest() -> None:
    sound = narrow_noise()
    wide = widened(sound)
    assert wide.size == sound.size
    assert energy(wide, 4_000, 6_900) > 100 * energy(sound, 4_000, 6_900)
    assert abs(energy(wide, 500, 3_000) / energy(sound, 500, 3_000) - 1) < 0.05


def test_what_is_added_follows_the_loudness_of_what_is_there() -> None:
    sound = np.concatenate([narrow_noise(), narrow_noise() / 30])
    wide = widened(sound)
    assert energy(wide[:RATE], 4_500, 6_500) > 20 * energy(wide[RATE:], 4_500, 6_500)


def test_sound_that_is_wide_already_stays_as_it_is() -> None:
    sound = hum(1_000) + hum(6_000)
    assert widened(sound) is sound


def test_nothing_stays_nothing() -> None:
    assert widened(np.zeros(0)).size == 0
    assert np.isfinite(widened(np.zeros(RATE))).all()


def test_the_same_sound_is_widened_alike_each_time() -> None:
    assert np.array_equal(widened(narrow_noise()), widened(narrow_noise()))
