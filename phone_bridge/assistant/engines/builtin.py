"""The engines that need nothing but the ``speech`` extra."""

from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.assistant.hearing import SphinxEar
from phone_bridge.assistant.speaking import EspeakVoice


def pocketsphinx(_options: EngineOptions) -> SphinxEar:
    """Hear with PocketSphinx, whose English model comes with it."""
    return SphinxEar()


def espeak(options: EngineOptions) -> EspeakVoice:
    """Speak with espeak-ng; the model is one of its voices, such as ``en-us+f3``."""
    return EspeakVoice(voice=options.model or None)
