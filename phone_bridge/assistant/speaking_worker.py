"""A program that speaks: a request is JSON, its answer linear 16-bit sound, or JSON where words are to be spelled.

espeak-ng is GPL-3 and keeps its state in globals, so it lives here, in a process of its own behind a pipe, and nothing
of it is loaded into the server. Where its wheel is not installed, the system's ``espeak-ng`` or ``flite`` is run.
Run as ``python -m phone_bridge.assistant.speaking_worker``; ``worker`` has the pipe.
"""

import ctypes
import io
import json
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from phone_bridge.assistant.worker import serve
from phone_bridge.audio.whole import Samples, levelled, pcm16, resampled, samples

MAX_PATH = 150
"""espeak-ng ends the process over a data path of about 160 characters."""

MARGIN_SECONDS = 0.03
"""Silence that is left at either end of the words."""

_RETRIEVAL, _CHARACTERS, _UTF8, _IPA, _DONT_EXIT = 2, 1, 1, 2, 0x8000
_SPEED, _PITCH = 1, 3
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_QUIET = 0.003  # of full scale: what is softer at either end is cut off
_SPELLING_VOICE = "en-us"
_PROGRAM_SECONDS = 8


class Engine(Protocol):
    """Something that speaks."""

    def speak(self, text: str, voice: str, speed: int, pitch: int) -> tuple[Samples, int]:
        """Say ``text`` and give the sound with its rate; raises ValueError for a voice that it has not."""
        ...

    def spell(self, word: str) -> str:
        """Write ``word`` in the phonetic alphabet, empty where the engine cannot."""
        ...


class Espeak:
    """The library of the wheel."""

    def __init__(self) -> None:
        import espeakng_loader  # type: ignore[import-untyped]  # ships no types; and may be missing

        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = _short(Path(espeakng_loader.get_data_path()))
        self._rate: int = self._library.espeak_Initialize(_RETRIEVAL, 0, str(data).encode(), _DONT_EXIT)
        if self._rate <= 0:
            raise OSError("espeak-ng could not be initialised")
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._sound: list[bytes] = []
        self._callback = _CALLBACK(self._hear)  # kept: the library does not
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, speed: int, pitch: int) -> tuple[Samples, int]:
        """Say ``text``."""
        self._choose(voice)
        self._library.espeak_SetParameter(_SPEED, speed, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._sound = []
        raw = text.encode()
        self._library.espeak_Synth(raw, len(raw) + 1, 0, _CHARACTERS, 0, _UTF8, None, None)
        return samples(b"".join(self._sound)), self._rate

    def spell(self, word: str) -> str:
        """Write ``word`` in the phonetic alphabet."""
        self._choose(_SPELLING_VOICE)
        text = ctypes.c_char_p(word.encode())
        phonemes: bytes | None = self._library.espeak_TextToPhonemes(ctypes.byref(text), _UTF8, _IPA)
        return (phonemes or b"").decode()

    def _choose(self, voice: str) -> None:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")

    def _hear(self, sound: Any, count: int, _events: Any) -> int:
        if count > 0 and sound:
            self._sound.append(ctypes.string_at(sound, count * 2))
        return 0


class Program:
    """A program of the system that writes a WAV file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def speak(self, text: str, voice: str, speed: int, pitch: int) -> tuple[Samples, int]:
        """Say ``text``; flite has one voice and its own pace."""
        with tempfile.TemporaryDirectory() as folder:
            words, sound = Path(folder, "words"), Path(folder, "sound.wav")
            words.write_text(text)
            wishes = ["-o", str(sound)]
            if Path(self._path).name == "espeak-ng":
                wishes = ["-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(sound)]
            try:
                subprocess.run(  # noqa: S603 - found by its name in PATH; the words are in a file, not among the options
                    [self._path, *wishes, "-f", str(words)], check=True, capture_output=True, timeout=_PROGRAM_SECONDS
                )
                return _read(sound.read_bytes())
            except (OSError, EOFError, wave.Error, subprocess.SubprocessError):
                raise ValueError(f"{self._path} could not speak as {voice}") from None

    def spell(self, word: str) -> str:
        """Give nothing: only the library spells."""
        return ""


def engine() -> Engine:
    """Find what speaks here; raises OSError where nothing does."""
    try:
        return Espeak()
    except ImportError:
        for name in ("espeak-ng", "flite"):
            if path := shutil.which(name):
                return Program(path)
        raise OSError("neither espeakng-loader nor espeak-ng nor flite is installed") from None


def finished(sound: Samples, rate: int, wanted: int) -> bytes:
    """Bring speech to the rate ``wanted`` and the level of a telephone, without the silence around it."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET * 32_768)
    if not loud.size:
        return b""
    margin = int(MARGIN_SECONDS * rate)
    words = np.pad(sound, margin)[loud[0] : loud[-1] + 2 * margin]
    return pcm16(levelled(resampled(words, rate, wanted), wanted))


def _short(data: Path) -> Path:
    """Give the data's folder under a path that espeak-ng bears."""
    if len(str(data)) <= MAX_PATH:
        return data
    link = Path(tempfile.mkdtemp(prefix="espeak-")) / "data"
    link.symlink_to(data)
    return link


def _read(file: bytes) -> tuple[Samples, int]:
    with wave.open(io.BytesIO(file)) as recording:
        return samples(recording.readframes(recording.getnframes())), recording.getframerate()


def main() -> None:
    """Speak until there are no more requests."""
    speaker = engine()

    def answer(request: bytes) -> bytes | None:
        wish = json.loads(request)
        try:
            if "spell" in wish:
                return json.dumps([speaker.spell(word) for word in wish["spell"]]).encode()
            sound, rate = speaker.speak(wish["text"], wish["voice"], wish["speed"], wish["pitch"])
        except ValueError:
            return None
        return finished(sound, rate, wish["rate"])

    serve(answer)


if __name__ == "__main__":
    main()
