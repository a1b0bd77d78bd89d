"""A program that speaks: a request is JSON, its answer linear 16-bit sound.

espeak-ng is GPL-3 and keeps its state in globals, so it lives here, in a process of its own behind a pipe, and nothing
of it is loaded into the server. Run as ``python -m phone_bridge.assistant.speaking_worker``; ``worker`` has the pipe.
"""

import ctypes
import json
import tempfile
from pathlib import Path
from typing import Any

import espeakng_loader  # type: ignore[import-untyped]  # ships no types
import numpy as np

from phone_bridge.assistant.worker import serve
from phone_bridge.audio.whole import pcm16, resampled, samples

MAX_PATH = 150
"""espeak-ng ends the process over a data path of about 160 characters."""

_RETRIEVAL, _CHARACTERS, _UTF8 = 1, 1, 1
_SPEED, _PITCH = 1, 3
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_QUIET = 0.003  # of full scale: what is softer at either end is cut off
_MARGIN_SECONDS = 0.03


class Espeak:
    """The library, ready to speak."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = _short(Path(espeakng_loader.get_data_path()))
        self._rate: int = self._library.espeak_Initialize(_RETRIEVAL, 0, str(data).encode(), 0)
        if self._rate <= 0:
            raise OSError("espeak-ng could not be initialised")
        self._sound: list[bytes] = []
        self._callback = _CALLBACK(self._hear)  # kept: the library does not
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, speed: int, pitch: int, rate: int) -> bytes:
        """Say ``text``; gives linear sound at ``rate``, without the silence around it."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        self._library.espeak_SetParameter(_SPEED, speed, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._sound = []
        raw = text.encode()
        self._library.espeak_Synth(raw, len(raw) + 1, 0, _CHARACTERS, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        sound = _trimmed(samples(b"".join(self._sound)), self._rate)
        return pcm16(resampled(sound, self._rate, rate))

    def _hear(self, wave: Any, count: int, _events: Any) -> int:
        if count > 0 and wave:
            self._sound.append(ctypes.string_at(wave, count * 2))
        return 0


def _short(data: Path) -> Path:
    """Give the data's folder under a path that espeak-ng bears."""
    if len(str(data)) <= MAX_PATH:
        return data
    link = Path(tempfile.mkdtemp(prefix="espeak-")) / "data"
    link.symlink_to(data)
    return link


def _trimmed(sound: np.ndarray[Any, np.dtype[np.float64]], rate: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    loud = np.flatnonzero(np.abs(sound) > _QUIET * 32_768)
    if not loud.size:
        return sound[:0]
    margin = int(_MARGIN_SECONDS * rate)
    return sound[max(0, loud[0] - margin) : loud[-1] + margin]


def main() -> None:
    """Speak until there are no more requests."""
    espeak = Espeak()

    def answer(request: bytes) -> bytes | None:
        wish = json.loads(request)
        try:
            return espeak.speak(wish["text"], wish["voice"], wish["speed"], wish["pitch"], wish["rate"])
        except ValueError:
            return None

    serve(answer)


if __name__ == "__main__":
    main()
