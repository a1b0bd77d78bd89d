"""The offline voice: espeak-ng, or what the system has, in a worker program behind a pipe."""

import importlib.util
import json
import re
import shutil
import unicodedata
from collections.abc import Iterable

from phone_bridge.assistant.spelling import arpabet
from phone_bridge.assistant.worker import Worker
from phone_bridge.audio.format import LINEAR_24K
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.voice import Speech

MAX_TEXT_CHARS = 1_000
"""Longer text is cut: a minute of speech in one breath is nobody's sentence."""

TIMEOUT_SECONDS = 15.0
"""How long one synthesis may take; a sentence takes some milliseconds."""

_LATIN_AMERICA = ("419", "ar", "bo", "cl", "co", "cr", "do", "ec", "gt", "hn", "mx", "pe", "pr", "us", "uy", "ve")

VOICES = {
    "en": "en-us+adam",
    "de": "de",
    "es": "es",
    **{f"es-{country}": "es-419" for country in _LATIN_AMERICA},
    "fr": "fr",
    "fr-be": "fr-be",
    "fr-ch": "fr-ch",
}
"""espeak-ng's names for our languages, and for those of their countries that it speaks in their own way.

The English timbre is the one of 50 that is recognised best over a telephone: with it the ear understands 85 % of
typical wishes, with the plain voice 40 %.
"""

SPEED = 165
"""Words a minute; recognised best of 120 to 180."""

PITCH = 50
"""Of 0 to 99; lower and higher ones were recognised no better."""

SYSTEM_PROGRAMS = ("espeak-ng", "flite")
"""What speaks where espeakng-loader is not installed, if the system has it."""

_PIN = re.compile(r"\bPIN(?=s?\b)")
"""Spelled letter by letter where it is written as people write it."""

_OBEYED = re.compile(r"[<>&\\{}\[\]]|\s+")  # marks of SSML and phoneme notation; and space of every kind


def cleaned(text: str) -> str:
    """Take out of ``text`` whatever a synthesiser could obey and not say, and cut it at ``MAX_TEXT_CHARS``."""
    plain = "".join(" " if unicodedata.category(sign).startswith("C") else sign for sign in text)
    return " ".join(_OBEYED.sub(" ", plain.replace("&", " and ")).split())[:MAX_TEXT_CHARS]


class EspeakVoice:
    """Speak with espeak-ng; ``voice`` is one of its names (``en-us+f3``) in place of the language's own.

    ``speed`` is in words a minute, ``pitch`` 0 to 99. Raises Unavailable at once where nothing that speaks is
    installed.
    """

    def __init__(self, *, voice: str | None = None, speed: int = SPEED, pitch: int = PITCH) -> None:
        if not _installed():
            raise Unavailable("the offline voice is not installed: pip install 'phone_bridge[speech]'", code="no_voice")
        self._voice = voice
        self._speed = speed
        self._pitch = pitch
        self._worker = Worker("phone_bridge.assistant.speaking_worker", timeout_seconds=TIMEOUT_SECONDS)

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        """Say ``text`` in linear sound at 24 kHz; raises Unavailable when the worker cannot."""
        tag = language.lower()
        voice = self._voice or VOICES.get(tag) or VOICES.get(tag.partition("-")[0], VOICES["en"])
        wish = {
            "text": _PIN.sub("pinne" if tag.startswith("fr") else "pin", cleaned(text)),
            "voice": voice,
            "speed": self._speed,
            "pitch": self._pitch,
            "rate": LINEAR_24K.rate,
        }
        sound = await self._worker.ask(json.dumps(wish).encode())
        if sound is None:
            raise Unavailable(f"the offline voice has no {voice!r}, or could not speak with it", code="no_voice")
        return Speech(sound, LINEAR_24K)

    async def close(self) -> None:
        """End the worker."""
        await self._worker.close()


class EspeakSpeller:
    """Tell how words that a dictionary lacks are pronounced, by espeak-ng's rules for American English."""

    def __init__(self) -> None:
        self._worker = Worker("phone_bridge.assistant.speaking_worker", timeout_seconds=TIMEOUT_SECONDS)

    async def spell(self, words: Iterable[str]) -> dict[str, str]:
        """Give the ARPABET phones of those ``words`` that can be pronounced; of none where espeak-ng is missing."""
        asked = list(words)
        try:
            answer = await self._worker.ask(json.dumps({"spell": [cleaned(word) for word in asked]}).encode())
        except Unavailable:
            return {}  # the ear hears without these words, rather than not at all
        sounds: list[str] = json.loads(answer) if answer is not None else []
        spelled = {word: arpabet(sound) for word, sound in zip(asked, sounds, strict=False)}
        return {word: phones for word, phones in spelled.items() if phones}

    async def close(self) -> None:
        """End the worker."""
        await self._worker.close()


def _installed() -> bool:
    return importlib.util.find_spec("espeakng_loader") is not None or any(map(shutil.which, SYSTEM_PROGRAMS))
