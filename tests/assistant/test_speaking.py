import asyncio
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant import speaking_worker
from phone_bridge.assistant.speaking import MAX_TEXT_CHARS, VOICES, EspeakSpeller, EspeakVoice, cleaned
from phone_bridge.audio.format import LINEAR_24K
from phone_bridge.audio.level import dbfs
from phone_bridge.errors import Unavailable


def speak(*texts: str, language: str = "en", voice: EspeakVoice | None = None) -> list[bytes]:
    async def all_of_them() -> list[bytes]:
        mouth = voice or EspeakVoice()
        try:
            return [(await mouth.speak(text, language=language)).audio for text in texts]
        finally:
            await mouth.close()

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Lunch & <break time='9s'/> dinner", "Lunch and break time='9s'/ dinner"),
        ("[[h@l'oU]] you", "h@l'oU you"),
        ("\x01+50s\x00 now\r\n\tor\u200b never", "+50s now or never"),
        ("\ud800", ""),
        ("Über 3 o'clock, really?", "Über 3 o'clock, really?"),
    ],
)
def test_what_a_synthesiser_could_obey_is_taken_out(text: str, said: str) -> None:
    assert cleaned(text) == said


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_any_text_is_safe_to_hand_over(text: str) -> None:
    safe = cleaned(text)
    assert not set(safe) & set("<>&[]{}\\\n\0\x01")
    safe.encode()
    assert cleaned(safe) == safe


def test_text_without_end_is_cut() -> None:
    assert len(cleaned("na " * MAX_TEXT_CHARS)) == MAX_TEXT_CHARS


@pytest.mark.speech
def test_words_become_sound_of_a_plausible_length_at_the_level_of_a_telephone() -> None:
    short, long = speak("Hello.", "Hello, this is your calendar assistant. How can I help?")
    assert 300 < LINEAR_24K.ms(len(short)) < 1_200
    assert 2_000 < LINEAR_24K.ms(len(long)) < 6_000
    assert -25 < dbfs(long) < -18
    assert np.abs(np.frombuffer(long, dtype="<i2").astype(int)).max() < 32_768 * 0.72


@pytest.mark.speech
def test_a_little_silence_is_left_around_the_words() -> None:
    (sound,) = speak("Yes.")
    loud = np.flatnonzero(np.abs(np.frombuffer(sound, dtype="<i2").astype(int)) > 300)
    assert 24 * 10 < loud[0] < 24 * 80
    assert 24 * 10 < len(sound) // 2 - loud[-1] < 24 * 80


@pytest.mark.speech
def test_each_language_and_country_has_a_voice_of_its_own() -> None:
    tags = ("en", "de", "es-ES", "es-MX", "fr-CA", "fr-BE", "fr-ch")
    sounds = [speak("Gracias 70 80", language=tag)[0] for tag in tags]
    assert len(set(sounds)) == len(sounds)
    assert speak("Gracias 70 80", language="es")[0] == sounds[2]
    assert speak("Gracias 70 80", language="fr")[0] == sounds[4]


@pytest.mark.speech
def test_every_voice_is_one_that_espeak_has() -> None:
    for voice in sorted(set(VOICES.values())):
        assert speak("sí", voice=EspeakVoice(voice=voice))[0], voice


@pytest.mark.speech
def test_languages_voices_and_speeds_differ() -> None:
    english = speak("Hallo there")
    assert english != speak("Hallo there", language="de")
    assert english == speak("Hallo there", language="xx")
    assert english != speak("Hallo there", voice=EspeakVoice(voice="en-us+f3"))
    assert len(speak("Hallo there", voice=EspeakVoice(speed=100))[0]) > len(english[0])


@pytest.mark.speech
def test_a_pin_is_said_and_not_spelled() -> None:
    assert speak("Enter your PIN.") == speak("Enter your pin.")
    assert speak("Votre code PIN.", language="fr") == speak("Votre code pinne.", language="fr")


@pytest.mark.speech
def test_nothing_to_say_is_no_sound() -> None:
    assert speak("\x00\n \t") == [b""]


@pytest.mark.speech
def test_requests_at_the_same_time_do_not_mix() -> None:
    async def many() -> list[int]:
        voice = EspeakVoice()
        together = await asyncio.gather(*(voice.speak("seven " * number) for number in (1, 4, 2, 8)))
        await voice.close()
        return [len(speech.audio) for speech in together]

    one, four, two, eight = asyncio.run(many())
    assert one < two < four < eight


@pytest.mark.speech
def test_a_voice_that_it_has_not_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="'martian'"):
        speak("Hello.", voice=EspeakVoice(voice="martian"))


@pytest.mark.speech
def test_after_its_end_it_says_nothing() -> None:
    async def close() -> None:
        voice = EspeakVoice()
        await voice.close()
        with pytest.raises(Unavailable, match="closed"):
            await voice.speak("Hello.")

    asyncio.run(close())


@pytest.mark.speech
def test_names_are_spelled() -> None:
    async def spell() -> dict[str, str]:
        speller = EspeakSpeller()
        try:
            return await speller.spell(["anna", "kowalczyk", "."])
        finally:
            await speller.close()

    spelled = asyncio.run(spell())
    assert spelled["anna"] == "AE N AH"
    assert spelled["kowalczyk"].startswith("K ")
    assert "." not in spelled or spelled["."]


@pytest.mark.speech
def test_a_long_data_path_is_shortened(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 60)
    deep.mkdir(parents=True)
    (deep / "phontab").write_text("there")
    short = speaking_worker._short(deep)
    assert len(str(short)) <= speaking_worker.MAX_PATH
    assert (short / "phontab").read_text() == "there"


@pytest.mark.parametrize("name", ["espeak-ng", "flite"])
def test_a_program_of_the_system_speaks_too(name: str) -> None:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed here")
    sound, rate = speaking_worker.Program(path).speak("-v is a word", "en-us", 160, 50)
    assert 8_000 <= rate <= 48_000
    assert sound.size > rate / 3


def test_a_program_that_fails_has_no_sound() -> None:
    with pytest.raises(ValueError, match="could not speak"):
        speaking_worker.Program("/nowhere/flite").speak("hello", "en", 160, 50)


def test_without_anything_that_speaks_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(Unavailable, match=r"pip install 'phone_bridge\[speech\]'"):
        EspeakVoice()
