"""The offline voice: espeak-ng in a worker program behind a pipe."""

import importlib.util
import json
import re

from phone_bridge.assistant.worker import Worker
from phone_bridge.audio.format import LINEAR_24K
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.voice import Speech

MAX_TEXT_CHARS = 2_000
"""Longer text is cut: two minutes of speech in one breath are nobody's sentence."""

TIMEOUT_SECONDS = 10.0
"""How long one synthesis may take; a sentence takes a few milliseconds."""

VOICES = {"en": "en-us", "de": "de"}
"""espeak-ng's names of our languages."""

_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f<>&]|\[\[|\]\]")  # control characters, SSML, phoneme notation


class EspeakVoice:
    """Speak with espeak-ng; ``variant`` is a timbre (``+f3``), ``speed`` is in words a minute, ``pitch`` 0 to 99.

    Raises Unavailable at once where the ``speech`` extra is not installed.
    """

    def __init__(self, *, variant: str = "", speed: int = 160, pitch: int = 50) -> None:
        if importlib.util.find_spec("espeakng_loader") is None:
            raise Unavailable("the offline voice is not installed: pip install 'phone_bridge[speech]'", code="no_voice")
        self._variant = variant
        self._speed = speed
        self._pitch = pitch
        self._worker = Worker("phone_bridge.assistant.speaking_worker", timeout_seconds=TIMEOUT_SECONDS)

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        """Say ``text`` in linear sound at 24 kHz; raises Unavailable when the worker cannot."""
        wish = {
            "text": _UNSPEAKABLE.sub(" ", text)[:MAX_TEXT_CHARS],
            "voice": VOICES.get(language.partition("-")[0], VOICES["en"]) + self._variant,
            "speed": self._speed,
            "pitch": self._pitch,
            "rate": LINEAR_24K.rate,
        }
        sound = await self._worker.ask(json.dumps(wish).encode())
        if sound is None:
            raise Unavailable(f"the offline voice has no {wish['voice']!r}", code="no_voice")
        return Speech(sound, LINEAR_24K)

    async def close(self) -> None:
        """End the worker."""
        await self._worker.close()
