import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.level import (
    MIN_PERIODICITY,
    START_HOLD_MS,
    STOP_HOLD_MS,
    VoiceActivity,
    Voiced,
    dbfs,
    periodicity,
)
from phone_bridge.audio.path import path
from phone_bridge.audio.tones import dtmf
from tests.audio.spectrum import to_bytes, to_samples
from tests.audio.speechlike import Samples, breath, click, fade, noise, scale, silence, talk, vowel

FORMATS = [PCMU_8K, PCMA_8K, LINEAR_8K, LINEAR_16K, LINEAR_24K]
CLOCK = 1_000_000  # the call's clock does not begin at zero


def follow(samples: Samples, format_: Format = PCMU_8K, *, stop_hold_ms: int = STOP_HOLD_MS) -> list[Voiced]:
    """Push ``samples`` as 20 ms frames that begin at ``CLOCK`` and return what was found, dated from there."""
    return [Voiced(found.started, found.at - CLOCK) for found, _ in dated(samples, format_, stop_hold_ms=stop_hold_ms)]


def dated(samples: Samples, format_: Format = PCMU_8K, *, stop_hold_ms: int = STOP_HOLD_MS) -> list[tuple[Voiced, int]]:
    """Return what was found, each with the time at which it was told."""
    activity = VoiceActivity(format_, stop_hold_ms=stop_hold_ms)
    sound = path(LINEAR_8K, format_).push(to_bytes(samples))
    size = format_.size(20)
    told = []
    for count, at in enumerate(range(0, len(sound), size), start=1):
        now = CLOCK + 20 * count
        told += [(found, now) for found in activity.push(sound[at : at + size], now)]
    return told


def on_a_line(*parts: Samples, floor_dbfs: float = -60.0) -> Samples:
    """Put ``parts`` in a row onto a telephone line with its noise."""
    samples = np.concatenate(parts)
    return samples + noise(samples.size // 8, floor_dbfs, seed=11)


# Level


def test_a_full_scale_square_is_0_dbfs_and_silence_is_finite() -> None:
    assert dbfs(to_bytes(np.full(160, -32768.0))) == 0
    assert dbfs(bytes(320)) == dbfs(b"") == pytest.approx(-90.3, abs=0.01)


@pytest.mark.parametrize("level", [-3.02, -20.0, -60.0])
def test_a_tone_measures_what_it_was_made_with(level: float) -> None:
    assert dbfs(to_bytes(scale(np.sin(np.arange(8000) / 3), level))) == pytest.approx(level, abs=0.3)


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert dbfs(b"\x00\x40" * 10 + b"\x7f") == dbfs(b"\x00\x40" * 10)


# Pitch


@pytest.mark.parametrize("pitch", [80, 120, 200, 300])
def test_vowels_have_a_pitch(pitch: int) -> None:
    assert periodicity(to_bytes(vowel(200, pitch=pitch)[800:1120])) > 0.7


def test_noise_has_no_pitch() -> None:
    hiss = to_bytes(noise(4000, -20.0))
    measured = [periodicity(hiss[at : at + 640]) for at in range(0, len(hiss), 640)]
    assert max(measured) < MIN_PERIODICITY


def test_silence_has_no_pitch() -> None:
    assert periodicity(bytes(640)) == 0


# Voice


@pytest.mark.parametrize("format_", FORMATS)
def test_a_voice_is_dated_back_to_its_beginning_and_its_end(format_: Format) -> None:
    sound = on_a_line(silence(1000), vowel(800), silence(1000))
    started, stopped = follow(sound, format_)
    assert (started.started, stopped.started) == (True, False)
    assert started.at == pytest.approx(1000, abs=40)
    assert stopped.at == pytest.approx(1800, abs=60)


def test_it_is_told_when_it_is_certain_and_no_later() -> None:
    (_, start_told), (stopped, stop_told) = dated(on_a_line(silence(1000), vowel(800), silence(1000)))
    assert START_HOLD_MS <= start_told - CLOCK - 1000 <= START_HOLD_MS + 60
    assert stop_told == stopped.at + STOP_HOLD_MS


def test_the_hold_before_an_end_is_the_listener_s_choice() -> None:
    sound = on_a_line(silence(500), vowel(400), silence(600), vowel(400), silence(1500))
    assert len(follow(sound, stop_hold_ms=400)) == 4
    assert len(follow(sound, stop_hold_ms=900)) == 2


@pytest.mark.parametrize("level", [-10.0, -20.0, -30.0, -40.0])
def test_loud_and_soft_voices_are_found(level: float) -> None:
    assert len(follow(on_a_line(silence(800), vowel(500, level), silence(800), floor_dbfs=-65.0))) == 2


@pytest.mark.parametrize("pitch", [85, 130, 220, 300])
@pytest.mark.parametrize("kind", range(5))
def test_short_words_of_any_voice_are_found(pitch: int, kind: int) -> None:
    sound = on_a_line(silence(800), vowel(250, kind=kind, pitch=pitch), silence(800))
    assert [found.started for found in follow(sound)] == [True, False]


@pytest.mark.parametrize("ratio", [30.0, 20.0, 15.0])
def test_a_voice_is_found_in_noise(ratio: float) -> None:
    sound = on_a_line(silence(2000), vowel(700), silence(2000), floor_dbfs=-20 - ratio)
    started, stopped = follow(sound)
    assert started.at == pytest.approx(2000, abs=60)
    assert stopped.at == pytest.approx(2700, abs=100)


@pytest.mark.parametrize(("floor", "ratio"), [(-30.0, 10.0), (-25.0, 8.0)])
def test_loud_noise_does_not_hold_a_voice_open(floor: float, ratio: float) -> None:
    sound = on_a_line(silence(2500), talk(3, level_dbfs=floor + ratio), silence(2500), floor_dbfs=floor)
    started, stopped = follow(sound)
    assert started.at == pytest.approx(2500, abs=60)
    assert stopped.at == pytest.approx(sound.size / 8 - 2500 - 120, abs=100)


def test_noise_that_came_up_during_the_call_does_not_hold_a_voice_open() -> None:
    sound = np.concatenate([silence(6000), talk(3, level_dbfs=-18.0), silence(2500)])
    loud = noise(sound.size // 8, -28.0, seed=12)
    loud[: 8 * 2500] = noise(2500, -60.0)
    assert [found.started for found in follow(sound + loud)] == [True, False]


def test_gaps_filled_with_digital_silence_do_not_hide_the_noise() -> None:
    sound = np.concatenate([silence(6000), talk(3, level_dbfs=-18.0), silence(2500)])
    sound += noise(sound.size // 8, -28.0, seed=12)
    for gap in range(0, sound.size, 8 * 500):
        sound[gap : gap + 160] = 0
    assert [found.started for found in follow(sound)] == [True, False]


def test_people_talking_in_the_background_do_not_hold_a_voice_open() -> None:
    people = np.sum([talk(26, seed, gap_ms=60)[: 8 * 8000] for seed in range(3)], axis=0)
    near = np.concatenate([silence(3000), talk(3, level_dbfs=-15.0)[: 8 * 2000], silence(3000)])
    stops = [found.at for found in follow(near + scale(people, -45.0) + noise(8000, -65.0)) if not found.started]
    assert stops[0] == pytest.approx(5000, abs=60)


def test_soft_talk_is_one_voice_also_after_loud_talk() -> None:
    soft = talk(6, level_dbfs=-44.0, gap_ms=100)
    assert len(follow(on_a_line(silence(1000), soft, silence(900), floor_dbfs=-65.0))) == 2
    assert len(follow(on_a_line(silence(1000), vowel(500), silence(900), soft, silence(900), floor_dbfs=-65.0))) == 4


def test_a_voice_is_found_out_of_digital_silence() -> None:
    started, stopped = follow(np.concatenate([silence(1000), vowel(600), silence(1000)]))
    assert started.at == pytest.approx(1000, abs=40)
    assert stopped.at == pytest.approx(1600, abs=60)


def test_talk_from_the_very_first_sample_is_found() -> None:
    first = follow(on_a_line(talk(4), silence(1000)))[0]
    assert first.started
    assert first.at < 400


def test_a_hiss_before_the_vowel_belongs_to_the_voice() -> None:
    sound = on_a_line(silence(1000), breath(140, -28.0), vowel(500), silence(800))
    assert follow(sound)[0].at < 1100


def test_a_long_gust_before_a_word_does_not() -> None:
    sound = on_a_line(silence(1000), fade(noise(900, -28.0), 20), vowel(500), silence(800))
    assert follow(sound)[0].at >= 1660


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(click(-6.0), id="a click"),
        pytest.param(np.concatenate([np.concatenate([click(-10.0), silence(70)]) for _ in range(30)]), id="typing"),
        pytest.param(breath(400, -35.0), id="a breath"),
        pytest.param(breath(900, -25.0), id="a loud breath"),
        pytest.param(fade(noise(250, -15.0), 10), id="a cough"),
        pytest.param(noise(4000, -35.0), id="louder noise for a while"),
        pytest.param(vowel(90), id="a blip with a pitch"),
    ],
)
@pytest.mark.parametrize("floor", [-60.0, -75.0])
def test_other_sounds_start_no_voice(other: Samples, floor: float) -> None:
    sound = np.concatenate([silence(1000), *[np.concatenate([other, silence(700)]) for _ in range(4)]])
    assert follow(on_a_line(sound, floor_dbfs=floor)) == []


@pytest.mark.parametrize("tone_ms", [60, 100, 300, 1500])
@pytest.mark.parametrize("level", [-10.0, -30.0])
def test_keys_start_no_voice(tone_ms: int, level: float) -> None:
    keys = to_samples(dtmf("0123456789*#ABCD", LINEAR_8K, tone_ms=tone_ms, gap_ms=200, level_dbfs=level))
    assert follow(on_a_line(silence(500), keys, silence(500))) == []


def test_a_line_as_noisy_as_speech_is_loud_starts_no_voice() -> None:
    assert follow(noise(10_000, -30.0)) == []


def test_a_voice_that_ended_does_not_help_the_next_sound_to_be_one() -> None:
    sound = on_a_line(silence(1000), vowel(500), silence(STOP_HOLD_MS + 40), vowel(60), silence(800))
    assert [found.started for found in follow(sound)] == [True, False]


def test_a_pause_inside_a_sentence_does_not_end_it() -> None:
    assert len(follow(on_a_line(silence(500), vowel(400), silence(250), vowel(400), silence(900)))) == 2


def test_talk_of_many_words_is_one_voice() -> None:
    sound = on_a_line(silence(500), talk(12, gap_ms=100), silence(900))
    assert [found.started for found in follow(sound)] == [True, False]


def test_nothing_is_ever_dated_after_it_is_told_and_ends_follow_beginnings() -> None:
    told = dated(on_a_line(silence(500), talk(20, gap_ms=600), silence(900)))
    assert len(told) > 10
    assert [found.started for found, _ in told] == [index % 2 == 0 for index in range(len(told))]
    assert all(found.at <= now for found, now in told)
    assert sorted(found.at for found, _ in told) == [found.at for found, _ in told]


def test_one_long_push_finds_every_voice() -> None:
    sound = on_a_line(silence(500), vowel(500), silence(900), vowel(500), silence(900))
    ulaw = path(LINEAR_8K, PCMU_8K).push(to_bytes(sound))
    assert VoiceActivity(PCMU_8K).push(ulaw, CLOCK + len(ulaw) // 8) == [found for found, _ in dated(sound)]


def test_a_burst_that_arrives_all_at_once_does_not_end_a_voice_before_it_began() -> None:
    activity = VoiceActivity(LINEAR_8K)
    sound = to_bytes(on_a_line(silence(500), vowel(300), silence(900)))
    frames = [sound[at : at + 320] for at in range(0, 320 * 35, 320)]
    found = [event for frame in frames for event in activity.push(frame, CLOCK)]
    found += activity.push(sound[320 * 35 :], CLOCK)
    assert [event.started for event in found] == [True, False]
    assert found[0].at <= found[1].at <= CLOCK


@settings(max_examples=30)
@given(data=st.data())
def test_the_cut_of_the_sound_changes_nothing_found(data: st.DataObject) -> None:
    sound = to_bytes(on_a_line(silence(300), vowel(300), silence(500), vowel(300), silence(500)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sound)), max_size=30)))
    activity = VoiceActivity(LINEAR_8K)
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(sound)], strict=True):
        found += activity.push(sound[start:end], CLOCK + end // 16)
    whole = VoiceActivity(LINEAR_8K).push(sound, CLOCK + len(sound) // 16)
    assert [event.started for event in found] == [event.started for event in whole]
    assert all(abs(a.at - b.at) <= 1 for a, b in zip(found, whole, strict=True))
