"""A program that hears or speaks with one of the better engines: ``python -m … ENGINE MODEL LANGUAGE``.

To an ear a request is a line of JSON (``mood``, ``phrases``) and the utterance behind it (linear 16 kHz; none means:
only get ready), and the answer is JSON (``text``, ``confidence``). To a voice it is words, and the answer is linear
sound at 24 kHz. The engine, which may be missing, and its model are loaded when the program begins.
"""

import json
import math
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from phone_bridge.assistant.speaking_worker import finished
from phone_bridge.assistant.worker import serve
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from phone_bridge.audio.whole import Samples, samples
from phone_bridge.errors import LocalError, Unavailable

PHRASES_HINTED = 40
"""How many titles and names Whisper is told to expect; its prompt is bounded."""

WHISPER_LOGPROB = -1.0
"""Mean log probability of a word under which what Whisper wrote is not believed; it writes something for any noise."""

WHISPER_SILENCE = 0.6
"""Probability of silence from which on the same is true."""


class Recogniser(Protocol):
    """Something that hears."""

    def hear(self, sound: bytes, phrases: list[str]) -> tuple[str, float]:
        """Recognise linear 16 kHz sound: the words, and 0 to 1 how far to trust them."""
        ...


class Synthesiser(Protocol):
    """Something that speaks."""

    def speak(self, text: str) -> tuple[Samples, int]:
        """Say ``text`` and give the sound with its rate."""
        ...


class Whisper:
    """faster-whisper, on the processor, with 8-bit weights."""

    def __init__(self, model: str, language: str) -> None:
        faster_whisper: Any = import_module("faster_whisper")

        self._language = language
        self._model: Any = faster_whisper.WhisperModel(model or "base.en", device="cpu", compute_type="int8")

    def hear(self, sound: bytes, phrases: list[str]) -> tuple[str, float]:
        """Recognise ``sound``; the caller's titles are given as words to expect."""
        heard = (samples(sound) / 32_768).astype(np.float32)
        segments: Iterator[Any]
        segments, _ = self._model.transcribe(
            heard,
            language=self._language,
            beam_size=1,
            temperature=0.0,
            hotwords=", ".join(phrases[:PHRASES_HINTED]) or None,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        told = [part for part in segments if _is_believed(part)]
        if not told:
            return "", 0.0
        text = " ".join(part.text.strip() for part in told)
        return text, math.exp(min(0.0, sum(part.avg_logprob for part in told) / len(told)))


def _is_believed(part: Any) -> bool:
    return bool(part.avg_logprob >= WHISPER_LOGPROB and part.no_speech_prob < WHISPER_SILENCE)


class Vosk:
    """Vosk, with a model of the operator's."""

    def __init__(self, model: str, _language: str) -> None:
        vosk: Any = import_module("vosk")

        vosk.SetLogLevel(-1)
        self._model: Any = vosk.Model(model)
        self._recogniser: Callable[[Any, float], Any] = vosk.KaldiRecognizer

    def hear(self, sound: bytes, phrases: list[str]) -> tuple[str, float]:
        """Recognise ``sound``; Vosk takes no hints."""
        recogniser = self._recogniser(self._model, LINEAR_16K.rate)
        recogniser.SetWords(True)
        recogniser.AcceptWaveform(sound)
        told = json.loads(recogniser.FinalResult())
        sure = [word["conf"] for word in told.get("result", [])]
        text = told.get("text", "").replace("[unk]", " ")
        return " ".join(text.split()), sum(sure) / len(sure) if sure else 0.0


class Sherpa:
    """sherpa-onnx, with a streaming transducer of the operator's."""

    def __init__(self, model: str, _language: str) -> None:
        sherpa_onnx: Any = import_module("sherpa_onnx")

        folder = Path(model)
        self._recogniser: Any = sherpa_onnx.OnlineRecognizer.from_transducer(
            tokens=str(_one(folder, "tokens.txt")),
            encoder=str(_one(folder, "*encoder*.onnx")),
            decoder=str(_one(folder, "*decoder*.onnx")),
            joiner=str(_one(folder, "*joiner*.onnx")),
        )

    def hear(self, sound: bytes, phrases: list[str]) -> tuple[str, float]:
        """Recognise ``sound``; half a second of silence behind it brings the last word out."""
        stream = self._recogniser.create_stream()
        heard = (samples(sound + bytes(LINEAR_16K.size(500))) / 32_768).astype(np.float32)
        stream.accept_waveform(LINEAR_16K.rate, heard)
        stream.input_finished()
        while self._recogniser.is_ready(stream):
            self._recogniser.decode_stream(stream)
        text = " ".join(self._recogniser.get_result(stream).lower().split())
        return text, 1.0 if text else 0.0


def _one(folder: Path, pattern: str) -> Path:
    """Find a file of a model, the smaller (8-bit) of two; raises Unavailable."""
    found = sorted(folder.glob(pattern), key=lambda file: file.stat().st_size)
    if not found:
        raise Unavailable(f"{folder} has no {pattern}", code="no_model")
    return found[0]


class Piper:
    """Piper, with a voice of the operator's."""

    def __init__(self, model: str, _language: str) -> None:
        piper: Any = import_module("piper")

        self._voice: Any = piper.PiperVoice.load(model)

    def speak(self, text: str) -> tuple[Samples, int]:
        """Say ``text``."""
        parts = list(self._voice.synthesize(text))
        rate = parts[0].sample_rate if parts else LINEAR_24K.rate
        return samples(b"".join(part.audio_int16_bytes for part in parts)), rate


_EARS: dict[str, Callable[[str, str], Recogniser]] = {"faster-whisper": Whisper, "vosk": Vosk, "sherpa-onnx": Sherpa}
_VOICES: dict[str, Callable[[str, str], Synthesiser]] = {"piper": Piper}


def hearing(recogniser: Recogniser, request: bytes) -> bytes:
    """Answer a request to an ear."""
    head, _, sound = request.partition(b"\n")
    text, confidence = recogniser.hear(sound, json.loads(head)["phrases"]) if sound else ("", 0.0)
    return json.dumps({"text": text, "confidence": confidence}).encode()


def speaking(synthesiser: Synthesiser, request: bytes) -> bytes:
    """Answer a request to a voice."""
    sound, rate = synthesiser.speak(request.decode())
    return finished(sound, rate, LINEAR_24K.rate)


def made(engine: str, model: str, language: str) -> Callable[[bytes], bytes]:
    """Load an engine and give what answers requests; raises whatever the engine raises over its model."""
    if engine in _EARS:
        recogniser = _EARS[engine](model, language)
        return lambda request: hearing(recogniser, request)
    if engine in _VOICES:
        synthesiser = _VOICES[engine](model, language)
        return lambda request: speaking(synthesiser, request)
    raise LocalError(f"there is no engine {engine}")


def main() -> None:
    """Answer until there are no more requests."""
    try:
        answer = made(*sys.argv[1:4])
    except Exception as error:  # noqa: BLE001 - the top of a program; whoever reads the log sees what the engine said
        sys.exit(f"! the speech engine {sys.argv[1]} cannot use the model {sys.argv[2]!r}: {error}")
    serve(answer)


if __name__ == "__main__":
    main()
