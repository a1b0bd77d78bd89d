import asyncio
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.audio.format import LINEAR_8K, LINEAR_24K, PCMA_8K, PCMU_8K, Format
from phone_bridge.audio.g711 import ulaw_to_linear
from phone_bridge.audio.level import dbfs
from phone_bridge.call.commands import Line
from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.runtime.prompts import Prompts
from phone_bridge.runtime.voice import Speech

KEYS = Line("keys", "Press 1 or say yes.")
HELLO = Line("greeting", "Hello.")


class Tone:
    """A voice that hums for a second, and counts what it was asked for."""

    def __init__(self, *, failing: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self.failing = failing

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        self.asked.append((text, language))
        await asyncio.sleep(0)
        if self.failing:
            raise Unavailable("the voice is hoarse")
        return Speech(hum(24_000), LINEAR_24K)

    async def close(self) -> None:
        """Nothing to let go."""


def hum(rate: int, seconds: float = 1.0, level: float = 500) -> bytes:
    time = np.arange(int(rate * seconds)) / rate
    return (level * np.sin(2 * np.pi * 300 * time)).astype("<i2").tobytes()


def save(file: Path, rate: int, *, channels: int = 1, width: int = 2, sound: bytes | None = None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as recording:
        recording.setnchannels(channels)
        recording.setsampwidth(width)
        recording.setframerate(rate)
        recording.writeframes(hum(rate) if sound is None else sound)


def say(prompts: Prompts, *lines: Line, language: str = "en") -> list[bytes]:
    async def both() -> list[bytes]:
        return await asyncio.gather(*(prompts.sound(line, language, PCMU_8K) for line in lines))

    return asyncio.run(both())


def test_a_line_is_spoken_in_the_legs_format_at_the_lines_level() -> None:
    (sound,) = say(Prompts(Tone()), KEYS)
    assert PCMU_8K.ms(len(sound)) == 1_000
    assert dbfs(ulaw_to_linear(sound)) == pytest.approx(-20, abs=0.5)


@pytest.mark.parametrize(("format", "size"), [(PCMA_8K, 8_000), (LINEAR_8K, 16_000), (LINEAR_24K, 48_000)])
def test_any_format_can_be_asked_for(format: Format, size: int) -> None:
    assert len(asyncio.run(Prompts(Tone()).sound(KEYS, "en", format))) == size


def test_a_line_is_made_once_also_when_two_ask_at_the_same_time() -> None:
    voice = Tone()
    prompts = Prompts(voice)

    async def twice() -> None:
        await asyncio.gather(*(prompts.sound(KEYS, "en", PCMU_8K) for _ in range(3)))
        await prompts.warm([KEYS, HELLO], "en", PCMU_8K)

    asyncio.run(twice())
    assert voice.asked == [(KEYS.text, "en"), (HELLO.text, "en")]


def test_one_who_gives_up_waiting_leaves_the_line_to_the_others() -> None:
    voice = Tone()
    prompts = Prompts(voice)

    async def hurry() -> bytes:
        first = asyncio.create_task(prompts.sound(KEYS, "en", PCMU_8K))
        second = asyncio.create_task(prompts.sound(KEYS, "en", PCMU_8K))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(hurry())
    assert len(voice.asked) == 1


def test_what_is_kept_has_a_bound_and_the_oldest_goes_first() -> None:
    voice = Tone()
    prompts = Prompts(voice, cache_bytes=20_000)

    async def talk(lines: Sequence[Line]) -> None:
        for line in lines:
            await prompts.sound(line, "en", PCMU_8K)

    lines = [Line("question.x", f"Number {number}.") for number in range(3)]
    asyncio.run(talk([lines[0], lines[1], lines[0], lines[2], lines[0], lines[1]]))
    assert [text for text, _ in voice.asked] == ["Number 0.", "Number 1.", "Number 2.", "Number 1."]


def test_a_failure_is_told_and_not_kept() -> None:
    voice = Tone(failing=True)
    prompts = Prompts(voice)
    for _ in range(2):
        with pytest.raises(Unavailable, match="hoarse"):
            say(prompts, KEYS)
    assert len(voice.asked) == 2


def test_recorded_files_come_first_and_those_of_the_language_before_all(tmp_path: Path) -> None:
    save(tmp_path / "keys.wav", 8_000, sound=hum(8_000, 0.5))
    save(tmp_path / "de" / "keys.wav", 8_000, sound=hum(8_000, 0.25))
    prompts = Prompts(None, tmp_path)
    assert [PCMU_8K.ms(len(say(prompts, KEYS, language=language)[0])) for language in ("en", "de")] == [500, 250]
    with pytest.raises(Unavailable, match=r"no recording greeting\.wav"):
        say(prompts, HELLO)


def test_no_recording_stands_for_a_question_about_one_action(tmp_path: Path) -> None:
    save(tmp_path / "question.cancel_event.wav", 8_000)
    with pytest.raises(Unavailable):
        say(Prompts(None, tmp_path), Line("question.cancel_event", "I am about to cancel Dentist."))


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_files_of_the_usual_kinds_are_taken(tmp_path: Path, rate: int, channels: int) -> None:
    mono = np.frombuffer(hum(rate), dtype="<i2")
    save(tmp_path / "keys.wav", rate, channels=channels, sound=np.repeat(mono, channels).tobytes())
    (sound,) = say(Prompts(None, tmp_path), KEYS)
    assert len(sound) == 8_000
    spectrum = np.abs(np.fft.rfft(np.frombuffer(ulaw_to_linear(sound), dtype="<i2")))
    assert int(spectrum.argmax()) == 300


@pytest.mark.parametrize(
    ("content", "says"), [(b"RIFF", "cannot be read"), (b"", "cannot be read"), (b"ID3 a song", "cannot be read")]
)
def test_a_file_that_cannot_be_used_stops_at_the_start(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "keys.wav").write_bytes(content)
    with pytest.raises(SettingsError, match=rf"keys\.wav {says}"):
        Prompts(None, tmp_path)


def test_other_widths_and_silence_of_no_length_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "keys.wav", 8_000, width=1)
    with pytest.raises(SettingsError, match="16-bit"):
        Prompts(None, tmp_path)
    save(tmp_path / "keys.wav", 8_000, sound=b"")
    with pytest.raises(SettingsError, match="16-bit"):
        Prompts(None, tmp_path)


def test_what_is_being_made_is_given_up_at_the_end() -> None:
    async def run() -> None:
        prompts = Prompts(Tone())
        waiting = [asyncio.create_task(prompts.sound(line, "en", PCMU_8K)) for line in (KEYS, HELLO)]
        await asyncio.sleep(0)
        await prompts.close()
        await asyncio.wait(waiting)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert all(task.cancelled() for task in waiting)
        await prompts.close()

    asyncio.run(run())


@pytest.mark.speech
def test_the_real_voice_is_as_loud_as_a_telephone() -> None:
    async def say() -> bytes:
        voice = EspeakVoice()
        try:
            return await Prompts(voice).sound(Line("sorry", "I am sorry, I did not understand."), "en", PCMU_8K)
        finally:
            await voice.close()

    sound = asyncio.run(say())
    assert 1_000 < PCMU_8K.ms(len(sound)) < 5_000
    assert -26 < dbfs(ulaw_to_linear(sound)) < -18
