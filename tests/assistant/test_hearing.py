"""The ear: the cut of utterances, exactly; and real recognition of a real synthesiser over a telephone line."""

import asyncio

import numpy as np
import pytest

from phone_bridge.assistant.hearing import END_OF_TURN_MS, MAX_UTTERANCE_MS, PRE_ROLL_MS, SphinxEar, Utterances
from phone_bridge.assistant.ports import Expecting, Mood, SpeechBegan, SpeechEnded
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, LINEAR_24K, PCMU_8K
from phone_bridge.audio.path import path
from phone_bridge.audio.whole import pcm16
from phone_bridge.errors import Unavailable
from tests.audio.speechlike import vowel

SILENCE = LINEAR_16K.silence * 16


def silence(ms: int) -> bytes:
    return SILENCE * ms


def voice(ms: int) -> bytes:
    return path(LINEAR_8K, LINEAR_16K).push(pcm16(vowel(ms)))


def test_an_utterance_is_cut_out_with_a_little_before_and_after() -> None:
    utterances = Utterances()
    found = utterances.push(silence(1_000) + voice(1_200) + silence(1_000))
    assert [type(each) for each in found] == [SpeechBegan, SpeechEnded]
    began, ended = found
    assert isinstance(began, SpeechBegan)
    assert isinstance(ended, SpeechEnded)
    assert 900 <= began.at_ms <= 1_300
    assert 1_900 <= ended.at_ms <= 2_400
    length = LINEAR_16K.ms(len(ended.utterance))
    assert ended.at_ms - began.at_ms <= length <= ended.at_ms - began.at_ms + PRE_ROLL_MS + END_OF_TURN_MS


def test_the_cut_does_not_depend_on_how_the_sound_was_cut() -> None:
    sound = silence(400) + voice(900) + silence(900)
    whole = Utterances().push(sound)
    pieces, piecewise = Utterances(), []
    for start in range(0, len(sound), 640):
        piecewise += pieces.push(sound[start : start + 640])
    assert piecewise == whole


def test_a_talk_without_end_is_cut() -> None:
    utterances = Utterances()
    found = utterances.push(voice(MAX_UTTERANCE_MS + 3_000))
    ended = [each for each in found if isinstance(each, SpeechEnded)]
    assert ended
    assert LINEAR_16K.ms(len(ended[0].utterance)) <= MAX_UTTERANCE_MS + PRE_ROLL_MS


def test_a_turn_can_be_ended_or_forgotten_from_outside() -> None:
    utterances = Utterances()
    utterances.push(silence(300) + voice(800))
    (ended,) = utterances.flush()
    assert isinstance(ended, SpeechEnded)
    assert utterances.flush() == []
    utterances.push(voice(800))
    utterances.clear()
    assert utterances.flush() == []


def test_without_the_extra_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"pip install 'phone_bridge\[speech\]'"):
        SphinxEar()


def over_the_line(sound: bytes) -> bytes:
    """Send linear 24 kHz through a telephone and to the ear's rate."""
    line = path(LINEAR_24K, PCMU_8K).push(sound)
    return path(PCMU_8K, LINEAR_16K).push(PCMU_8K.silence * 2_000 + line + PCMU_8K.silence * 2_000)


@pytest.mark.speech
def test_a_talk_by_telephone_is_understood() -> None:
    said = {
        "what is my next meeting": Mood.WISH,
        "cancel it": Mood.WISH,
        "what do i have tomorrow": Mood.WISH,
        "no": Mood.CONSENT,
        "goodbye": Mood.WISH,
    }

    async def talk() -> list[str]:
        mouth, ear = EspeakVoice(), SphinxEar(workers=1)
        phrases = ("Dentist appointment", "Lunch with Carol", "Project review with Xanthippe")
        ear.prepare(Expecting(Mood.WISH, phrases))
        try:
            heard = []
            for text, mood in said.items():
                utterance = over_the_line((await mouth.speak(text)).audio)
                heard.append((await ear.hear(utterance, Expecting(mood, phrases))).text)
            assert (await ear.hear(b"", Expecting())).text == ""
            noise = np.random.default_rng(1).normal(0, 1_000, 16_000).astype("<i2").tobytes()
            assert (await ear.hear(noise, Expecting())).text == ""
            return heard
        finally:
            await ear.close()
            await mouth.close()

    assert asyncio.run(talk()) == list(said)
