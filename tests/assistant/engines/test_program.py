"""The program's side of the engines, with engines in the test's hands that have the real ones' interface."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from phone_bridge.assistant.engines import program
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from phone_bridge.audio.whole import Samples
from phone_bridge.errors import LocalError, Unavailable

SOUND = b"\x00\x40" * 1_600
WISH = json.dumps({"mood": "wish", "phrases": ["yoga class", "lunch"]}).encode() + b"\n"


def answer(engine: str, request: bytes, model: str = "somewhere") -> Any:
    return json.loads(program.made(engine, model, "en")(request))


def module(monkeypatch: pytest.MonkeyPatch, name: str, **parts: Any) -> None:
    made = ModuleType(name)
    vars(made).update(parts)
    monkeypatch.setitem(sys.modules, name, made)


class FakeWhisper:
    """What we use of ``faster_whisper.WhisperModel``."""

    told: list[SimpleNamespace]
    asked: dict[str, Any]

    def __init__(self, model: str, *, device: str, compute_type: str) -> None:
        type(self).asked = {"model": model}

    def transcribe(self, sound: npt.NDArray[np.float32], **wishes: Any) -> tuple[Any, None]:
        assert sound.dtype == np.float32
        assert sound.max() == pytest.approx(0.5)
        type(self).asked |= wishes
        return iter(self.told), None


def segment(text: str, *, avg_logprob: float = -0.2, no_speech_prob: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(text=text, avg_logprob=avg_logprob, no_speech_prob=no_speech_prob)


def test_whisper_is_told_the_callers_words_and_its_pieces_make_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    module(monkeypatch, "faster_whisper", WhisperModel=FakeWhisper)
    FakeWhisper.told = [segment(" Cancel"), segment(" the yoga class.")]
    heard = answer("faster-whisper", WISH + SOUND)
    assert heard["text"] == "Cancel the yoga class."
    assert 0.7 < heard["confidence"] < 1
    assert FakeWhisper.asked["hotwords"] == "yoga class, lunch"
    assert FakeWhisper.asked["language"] == "en"


@pytest.mark.parametrize(
    "doubtful",
    [
        segment("Thanks for watching!", avg_logprob=program.WHISPER_LOGPROB - 0.1),
        segment("Thanks for watching!", no_speech_prob=program.WHISPER_SILENCE),
    ],
)
def test_what_whisper_makes_up_is_not_believed(monkeypatch: pytest.MonkeyPatch, doubtful: SimpleNamespace) -> None:
    module(monkeypatch, "faster_whisper", WhisperModel=FakeWhisper)
    FakeWhisper.told = [doubtful]
    assert answer("faster-whisper", WISH + SOUND) == {"text": "", "confidence": 0.0}


def test_vosk_is_as_sure_as_its_words_are(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recogniser:
        def __init__(self, model: str, rate: int) -> None:
            assert rate == LINEAR_16K.rate

        def SetWords(self, wanted: bool) -> None:  # noqa: N802 - Vosk's own name
            assert wanted

        def AcceptWaveform(self, sound: bytes) -> None:  # noqa: N802
            assert sound == SOUND

        def FinalResult(self) -> str:  # noqa: N802
            return json.dumps({"text": "cancel [unk] it", "result": [{"conf": 1.0}, {"conf": 0.5}]})

    module(monkeypatch, "vosk", SetLogLevel=lambda _: None, Model=str, KaldiRecognizer=Recogniser)
    assert answer("vosk", WISH + SOUND) == {"text": "cancel it", "confidence": 0.75}


def test_sherpa_takes_the_smaller_of_two_models_and_hears_to_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, size in (("tokens.txt", 1), ("encoder.onnx", 9), ("encoder.int8.onnx", 3), ("decoder.onnx", 1)):
        (tmp_path / name).write_bytes(bytes(size))
    asked: dict[str, Any] = {}

    class Online:
        @classmethod
        def from_transducer(cls, **files: str) -> "Online":
            asked.update(files)
            return cls()

        def create_stream(self) -> "Online":
            self.left = 2
            return self

        def accept_waveform(self, rate: int, sound: npt.NDArray[np.float32]) -> None:
            asked["samples"] = sound.size

        def input_finished(self) -> None:
            asked["finished"] = True

        def is_ready(self, stream: "Online") -> bool:
            return self.left > 0

        def decode_stream(self, stream: "Online") -> None:
            self.left -= 1

        def get_result(self, stream: "Online") -> str:
            return " CANCEL IT" if not self.left else ""

    module(monkeypatch, "sherpa_onnx", OnlineRecognizer=Online)
    with pytest.raises(Unavailable, match=r"has no \*joiner"):
        answer("sherpa-onnx", WISH, str(tmp_path))
    (tmp_path / "joiner.onnx").write_bytes(b"")
    assert answer("sherpa-onnx", WISH + SOUND, str(tmp_path)) == {"text": "cancel it", "confidence": 1.0}
    assert asked["encoder"].endswith("encoder.int8.onnx")
    assert asked["samples"] == 1_600 + LINEAR_16K.rate // 2
    assert asked["finished"]


def test_to_get_ready_needs_no_sound() -> None:
    class Deaf:
        def hear(self, sound: bytes, phrases: list[str]) -> tuple[str, float]:
            raise AssertionError("there is nothing to hear")

    assert json.loads(program.hearing(Deaf(), WISH)) == {"text": "", "confidence": 0.0}


def test_a_voice_comes_out_at_our_rate_and_without_the_silence_around_it() -> None:
    class Tone:
        def speak(self, text: str) -> tuple[Samples, int]:
            assert text == "hello"
            tone = 8_000 * np.sin(np.arange(22_050) / 10)
            return np.concatenate([np.zeros(22_050), tone]), 22_050

    sound = program.speaking(Tone(), b"hello")
    assert 1_000 <= LINEAR_24K.ms(len(sound)) <= 1_100


def test_an_engine_that_nobody_made_is_our_mistake() -> None:
    with pytest.raises(LocalError, match="no engine abacus"):
        program.made("abacus", "", "en")
