from importlib.metadata import EntryPoint

import pytest

from phone_bridge.assistant.engines import registry
from phone_bridge.assistant.engines.registry import EARS, VOICES, EngineOptions
from phone_bridge.assistant.hearing import SphinxEar
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.errors import SettingsError


@pytest.mark.speech
def test_the_built_in_engines_are_found_by_their_names() -> None:
    assert isinstance(registry.ear(registry.EAR, EngineOptions()), SphinxEar)
    assert isinstance(registry.voice(registry.VOICE, EngineOptions(model="en-us+f3")), EspeakVoice)


def test_what_is_installed_is_listed() -> None:
    assert set(registry.names(EARS)) >= {"pocketsphinx", "faster-whisper", "vosk", "sherpa-onnx", "openai"}
    assert set(registry.names(VOICES)) >= {"espeak-ng", "piper", "openai"}


def test_a_wrong_name_is_told_with_the_right_ones() -> None:
    with pytest.raises(SettingsError, match=r"PHONE_BRIDGE_EAR is 'whispr', .* installed are: .*pocketsphinx"):
        registry.ear("whispr", EngineOptions())
    with pytest.raises(SettingsError, match=r"PHONE_BRIDGE_VOICE is 'adam', .* installed are: .*espeak-ng"):
        registry.voice("adam", EngineOptions())


def test_both_names_are_checked_before_anything_is_made() -> None:
    registry.check(registry.EAR, registry.VOICE)
    for ear, voice in (("whispr", registry.VOICE), (registry.EAR, "adam")):
        with pytest.raises(SettingsError, match="installed are"):
            registry.check(ear, voice)


def test_a_plug_in_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = EntryPoint(name="absent", value="no_such_package.ears:make", group=EARS)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [absent])
    with pytest.raises(SettingsError, match="no_such_package"):
        registry.ear("absent", EngineOptions())


@pytest.mark.parametrize(("language", "spoken"), [("en", "en"), ("es-MX", "es"), ("FR-ca", "fr")])
def test_a_recogniser_is_told_the_language_without_its_country(language: str, spoken: str) -> None:
    assert EngineOptions(language=language).spoken == spoken
