from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_8K, LINEAR_24K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.audio.level import dbfs
from phone_bridge.audio.path import path
from phone_bridge.audio.tones import (
    BEEP_HZ,
    BEEP_MS,
    COLUMNS_HZ,
    KEYS,
    MAX_LEVEL_DBFS,
    RINGBACK_HZ,
    RINGBACK_MS,
    ROWS_HZ,
    ToneDetector,
    beep,
    dtmf,
    keys_seen,
    ringback,
)
from phone_bridge.errors import LocalError
from tests.audio.spectrum import spectrum, to_bytes, to_samples
from tests.audio.speechlike import Samples, breath, click, noise, scale, silence, talk

ALL_PAIRS = "".join(a + b for a in KEYS for b in KEYS)[:128]


def pair(
    key: str,
    ms: int,
    *,
    level_dbfs: float = -20.0,
    twist_db: float = 0.0,
    row_off: float = 0.0,
    column_off: float = 0.0,
) -> Samples:
    """Make a key's tones by hand: the louder at ``level_dbfs``, the column ``twist_db`` over the row."""
    place = KEYS.index(key)
    time = np.arange(8 * ms) / 8000
    row = np.sin(2 * np.pi * ROWS_HZ[place // 4] * (1 + row_off) * time + 0.3)
    column = np.sin(2 * np.pi * COLUMNS_HZ[place % 4] * (1 + column_off) * time + 1.1)
    loud = 32768 * 10 ** (level_dbfs / 20) * 2**0.5
    return loud * (row * 10 ** (-max(twist_db, 0) / 20) + column * 10 ** (min(twist_db, 0) / 20))


def heard(samples: Samples) -> str:
    """Give ``samples`` to a detector as a caller's mu-law and join what it hears."""
    return "".join(ToneDetector(PCMU_8K).push(linear_to_ulaw(to_bytes(samples))))


def heard_alone(ms: int, **how: float) -> str:
    """Press every key on its own; a dot stands for one that was missed."""
    return "".join(heard(np.concatenate([silence(30), pair(key, ms, **how), silence(60)])) or "." for key in KEYS)


# Making


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_its_row_and_its_column_and_nothing_else(key: str) -> None:
    frequencies, amplitudes = spectrum(dtmf(key, LINEAR_8K, tone_ms=500, gap_ms=0), 8000)
    place = KEYS.index(key)
    loudest = amplitudes.max()
    for hertz in (ROWS_HZ[place // 4], COLUMNS_HZ[place % 4]):
        near = np.abs(frequencies - hertz) < 40
        assert amplitudes[near].max() > loudest / 1.1
        amplitudes[near] = 0
    assert amplitudes.max() < loudest / 3000


@pytest.mark.parametrize("level", [-7.0, -10.0, -25.0])
def test_the_level_is_that_of_the_pair(level: float) -> None:
    assert dbfs(dtmf("5", LINEAR_8K, tone_ms=500, gap_ms=0, level_dbfs=level)) == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("format_", [PCMU_8K, PCMA_8K, LINEAR_8K, LINEAR_24K])
def test_each_key_lasts_its_tone_and_its_gap(format_: Format) -> None:
    sound = dtmf("12", format_, tone_ms=80, gap_ms=45)
    assert len(sound) == format_.size(2 * (80 + 45))
    assert dbfs(path(format_, LINEAR_8K).push(sound[format_.size(90) : format_.size(120)])) < -70


def test_no_digits_make_no_sound() -> None:
    assert dtmf("", PCMU_8K) == b""


def test_a_key_that_no_telephone_has_is_refused() -> None:
    with pytest.raises(LocalError):
        dtmf("1x", PCMU_8K)


def test_a_level_that_would_clip_is_refused() -> None:
    with pytest.raises(LocalError, match="clip"):
        dtmf("1", PCMU_8K, level_dbfs=MAX_LEVEL_DBFS + 0.1)


# Hearing


@pytest.mark.parametrize("format_", [PCMU_8K, PCMA_8K, LINEAR_8K, LINEAR_24K])
def test_what_is_made_is_heard(format_: Format) -> None:
    assert "".join(ToneDetector(format_).push(dtmf(ALL_PAIRS, format_))) == ALL_PAIRS


def test_the_shortest_keys_of_q_24_are_heard() -> None:
    assert "".join(ToneDetector(PCMU_8K).push(dtmf(ALL_PAIRS, PCMU_8K, tone_ms=40, gap_ms=40))) == ALL_PAIRS


@pytest.mark.parametrize("level", [-39.0, -36.0, -25.0, -15.0, -10.0])
def test_keys_are_heard_over_the_range_of_levels(level: float) -> None:
    assert heard_alone(50, level_dbfs=level) == KEYS


@pytest.mark.parametrize("level", [-48.0, -60.0])
def test_keys_too_quiet_are_not_heard(level: float) -> None:
    assert heard_alone(50, level_dbfs=level) == "." * 16


@pytest.mark.parametrize("twist", [-8.0, -4.0, 4.0, 8.0])
@pytest.mark.parametrize(
    ("row_off", "column_off"), [(0.015, 0.015), (0.015, -0.015), (-0.015, 0.015), (-0.015, -0.015)]
)
def test_keys_are_heard_with_twist_and_1_5_percent_off(twist: float, row_off: float, column_off: float) -> None:
    assert heard_alone(50, twist_db=twist, row_off=row_off, column_off=column_off) == KEYS


@pytest.mark.parametrize("twist", [-16.0, 16.0])
def test_tones_of_very_unequal_level_are_no_key(twist: float) -> None:
    assert heard_alone(50, twist_db=twist) == "." * 16


@pytest.mark.parametrize("off", [-0.035, 0.035])
def test_keys_3_5_percent_off_are_not_heard(off: float) -> None:
    assert heard_alone(50, row_off=off, column_off=off) == "." * 16


@pytest.mark.parametrize("ratio", [20.0, 15.0, 10.0])
def test_keys_are_heard_in_noise(ratio: float) -> None:
    sound = np.concatenate([np.concatenate([pair(key, 60), silence(60)]) for key in KEYS * 4])
    assert heard(sound + noise(120 * len(KEYS) * 4, -20 - ratio)) == KEYS * 4


@pytest.mark.parametrize("ms", [10, 15])
def test_a_tone_too_short_is_not_heard(ms: int) -> None:
    assert heard_alone(ms) == "." * 16


def test_a_long_tone_is_told_once() -> None:
    assert heard(np.concatenate([silence(50), pair("7", 3000), silence(50)])) == "7"


def test_a_dropout_of_10_ms_does_not_press_the_key_again() -> None:
    assert heard(np.concatenate([pair("7", 100), silence(10), pair("7", 100), silence(50)])) == "7"


def test_the_same_key_after_a_pause_of_40_ms_is_pressed_again() -> None:
    assert heard(np.concatenate([pair("7", 60), silence(40), pair("7", 60), silence(50)])) == "77"


def test_another_key_without_a_pause_is_heard() -> None:
    assert heard(np.concatenate([pair("7", 60), pair("2", 60), silence(50)])) == "72"


def test_a_key_is_told_while_it_is_still_pressed() -> None:
    assert heard(np.concatenate([silence(20), pair("#", 45)])) == "#"


def test_one_tone_alone_is_no_key() -> None:
    time = np.arange(4000) / 8000
    alone = [scale(np.sin(2 * np.pi * hertz * time), -15.0) for hertz in ROWS_HZ + COLUMNS_HZ + (350, 440, 480, 620)]
    assert heard(np.concatenate(alone)) == ""


def test_a_tone_between_two_rows_is_no_key() -> None:
    time = np.arange(4000) / 8000
    between = (ROWS_HZ[0] + ROWS_HZ[1]) / 2
    assert heard(scale(np.sin(2 * np.pi * between * time) + np.sin(2 * np.pi * COLUMNS_HZ[1] * time), -12.0)) == ""


def test_a_dial_tone_is_no_key() -> None:
    time = np.arange(16000) / 8000
    assert heard(scale(np.sin(2 * np.pi * 350 * time) + np.sin(2 * np.pi * 440 * time), -13.0)) == ""


@pytest.mark.parametrize("level", [-10.0, -20.0, -35.0])
def test_no_key_is_heard_in_a_minute_of_talk(level: float) -> None:
    sound = talk(90, level_dbfs=level)
    assert sound.size > 50 * 8000
    assert heard(sound) == ""


def test_no_key_is_heard_in_noise_breath_and_clicks() -> None:
    parts = [noise(20_000, -15.0), breath(1000, -20.0), *[click(-6.0)] * 20, silence(100)]
    assert heard(np.concatenate(parts)) == ""


@settings(max_examples=40)
@given(data=st.data())
def test_the_cut_of_the_sound_never_changes_the_digits(data: st.DataObject) -> None:
    noisy = to_samples(dtmf("19#05", LINEAR_8K, tone_ms=45, gap_ms=40)) + noise(5 * 85, -28.0)
    sound = to_bytes(noisy)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sound)), max_size=40)))
    detector = ToneDetector()
    pieces = [detector.push(sound[a:b]) for a, b in zip([0, *cuts], [*cuts, len(sound)], strict=True)]
    assert "".join(key for piece in pieces for key in piece) == "19#05"


def test_each_look_is_the_same_however_many_are_taken_at_once() -> None:
    sound = to_bytes(to_samples(dtmf("19#05", LINEAR_8K, tone_ms=45, gap_ms=40)) + noise(5 * 85, -22.0))
    together = keys_seen(sound)
    assert together == [keys_seen(sound[at * 110 : at * 110 + 220])[0] for at in range(len(together))]


def test_less_than_a_window_is_not_looked_at() -> None:
    assert keys_seen(bytes(219)) == []
    assert keys_seen(bytes(220)) == [""]


@pytest.mark.parametrize(("make", "hz", "ms"), [(beep, BEEP_HZ, BEEP_MS), (ringback, RINGBACK_HZ, RINGBACK_MS)])
@pytest.mark.parametrize("format_", [PCMU_8K, LINEAR_8K, LINEAR_24K])
def test_the_beep_and_the_ring_are_tones_and_no_keys(
    make: Callable[[Format], bytes], hz: int, ms: int, format_: Format
) -> None:
    sound = path(format_, LINEAR_8K).push(make(format_))
    assert abs(LINEAR_8K.ms(len(sound)) - ms) <= 5
    shares = np.abs(np.fft.rfft(np.frombuffer(sound, "<i2")))
    assert abs(np.argmax(shares) * 8_000 / (len(sound) // 2) - hz) < 8
    assert ToneDetector(LINEAR_8K).push(sound) == []
