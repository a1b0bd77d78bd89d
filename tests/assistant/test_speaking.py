import asyncio
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from phone_bridge.assistant.speaking import MAX_TEXT_CHARS, EspeakVoice
from phone_bridge.audio.format import LINEAR_24K
from phone_bridge.errors import Unavailable

pytestmark = pytest.mark.speech


def speak(*texts: str, language: str = "en", voice: EspeakVoice | None = None) -> list[bytes]:
    async def all_of_them() -> list[bytes]:
        mouth = voice or EspeakVoice()
        try:
            return [(await mouth.speak(text, language=language)).audio for text in texts]
        finally:
            await mouth.close()

    return asyncio.run(all_of_them())


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def test_words_become_sound_of_a_plausible_length_and_level() -> None:
    short, long = speak("Hello.", "Hello, this is your calendar assistant. How can I help?")
    assert 300 < LINEAR_24K.ms(len(short)) < 1_200
    assert 2_000 < LINEAR_24K.ms(len(long)) < 6_000
    assert np.abs(np.frombuffer(long, dtype="<i2").astype(int)).max() > 3_000


def test_silence_around_the_words_is_cut_off() -> None:
    (sound,) = speak("Yes.")
    loud = np.flatnonzero(np.abs(np.frombuffer(sound, dtype="<i2").astype(int)) > 100)
    assert loud[0] < 24 * 60
    assert len(sound) // 2 - loud[-1] < 24 * 60


def test_languages_and_timbres_differ() -> None:
    english = speak("Hallo")
    assert english != speak("Hallo", language="de")
    assert english != speak("Hallo", voice=EspeakVoice(voice="en-us+f3"))
    assert len(speak("Hallo there", voice=EspeakVoice(speed=100))[0]) > len(speak("Hallo there")[0])


def test_a_language_it_does_not_know_is_read_as_english() -> None:
    assert speak("Hello", language="xx") == speak("Hello")


def test_markup_and_control_characters_are_not_obeyed() -> None:
    plain, marked = speak("go on", "\x00\x1bgo<break time='9s'/>on[[")
    assert LINEAR_24K.ms(len(marked)) < LINEAR_24K.ms(len(plain)) + 4_000
    assert speak("\x00\n \t")[0] == b""


def test_text_without_end_is_cut() -> None:
    (sound,) = speak("na " * MAX_TEXT_CHARS)
    assert LINEAR_24K.ms(len(sound)) < 400_000


def test_requests_at_the_same_time_do_not_mix() -> None:
    async def many() -> list[int]:
        voice = EspeakVoice()
        together = await asyncio.gather(*(voice.speak("seven " * number) for number in (1, 4, 2, 8)))
        await voice.close()
        return [len(speech.audio) for speech in together]

    one, four, two, eight = asyncio.run(many())
    assert one < two < four < eight


def test_a_voice_that_espeak_has_not_is_unavailable_and_harms_nobody() -> None:
    async def ask() -> None:
        voice = EspeakVoice(voice="nobody")
        try:
            await voice.speak("Hello.")
        except Unavailable as error:
            assert "nobody" in str(error)  # noqa: PT017 - espeak-ng may also fall back to the plain voice
        await voice.close()

    run(ask())


def test_after_its_end_it_says_nothing() -> None:
    async def close() -> None:
        voice = EspeakVoice()
        await voice.speak("Hello.")
        await voice.close()
        with pytest.raises(Unavailable, match="closed"):
            await voice.speak("Hello.")

    run(close())


def test_without_the_extra_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(Unavailable, match=r"pip install 'phone_bridge\[speech\]'"):
        EspeakVoice()
