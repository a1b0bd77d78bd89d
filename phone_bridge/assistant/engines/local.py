"""Better engines on this machine, each in programs of its own: faster-whisper, Vosk, sherpa-onnx and Piper.

Nothing of them is loaded into the server: some hold the interpreter, some end the process over a file they do not like,
and Piper is GPL-3. ``program`` is the other end of the pipe. What they can hear or say depends on the model, which the
operator brings: a folder, a file, or for faster-whisper also a name that it fetches by itself.
"""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.assistant.ports import Expecting, Heard
from phone_bridge.assistant.speaking import cleaned
from phone_bridge.assistant.worker import Workers
from phone_bridge.audio.format import LINEAR_24K
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.voice import Speech

WORKERS = 2
"""Programs of an ear: a second caller never waits for the first one's recognition."""

TIMEOUT_SECONDS = 60.0
"""How long one utterance or sentence may take, with the loading of the model before the first."""

_MODULE = "phone_bridge.assistant.engines.program"


class LocalEar:
    """Hear with ``engine`` (see ``program``) and the model that ``options`` name."""

    def __init__(self, engine: str, options: EngineOptions, *, workers: int = WORKERS) -> None:
        self._engine = engine
        self._prepared = False
        self._workers = Workers(
            _MODULE, engine, options.model, options.spoken, count=workers, timeout_seconds=TIMEOUT_SECONDS
        )

    def prepare(self, expecting: Expecting) -> None:
        """Begin to load the model, if nobody did, so that the first utterance need not wait; returns at once."""
        if not self._prepared:
            self._prepared = True
            self._workers.tell_all(_wish(expecting))

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        """Recognise one utterance (linear 16 kHz); raises Unavailable when the engine cannot."""
        answer = await self._workers.ask(_wish(expecting) + utterance)
        if answer is None:
            raise Unavailable(f"{self._engine} could not recognise an utterance", code="ear_failed")
        heard = json.loads(answer)
        return Heard(heard["text"], heard["confidence"])

    async def close(self) -> None:
        """End the programs."""
        await self._workers.close()


class LocalVoice:
    """Speak with ``engine`` (see ``program``) and the model that ``options`` name."""

    def __init__(self, engine: str, options: EngineOptions) -> None:
        self._engine = engine
        self._workers = Workers(
            _MODULE, engine, options.model, options.spoken, count=1, timeout_seconds=TIMEOUT_SECONDS
        )

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        """Say ``text`` in linear sound at 24 kHz, in the model's own language; raises Unavailable."""
        sound = await self._workers.ask(cleaned(text).encode())
        if sound is None:
            raise Unavailable(f"{self._engine} could not speak", code="no_voice")
        return Speech(sound, LINEAR_24K)

    async def close(self) -> None:
        """End the program."""
        await self._workers.close()


def faster_whisper(options: EngineOptions) -> LocalEar:
    """Hear with Whisper on CTranslate2; the model is a folder, or a name such as ``base.en`` that it fetches."""
    _need("faster_whisper", "faster-whisper")
    if "/" in options.model and not _is_hub_name(options.model):
        _need_path(options.model, "PHONE_BRIDGE_EAR_MODEL", Path.is_dir, "folder of a CTranslate2 model")
    return LocalEar("faster-whisper", options)


def vosk(options: EngineOptions) -> LocalEar:
    """Hear with Vosk; the model is the folder that its project offers for a language."""
    _need("vosk", "vosk")
    _need_path(options.model, "PHONE_BRIDGE_EAR_MODEL", Path.is_dir, "folder of a Vosk model")
    return LocalEar("vosk", options)


def sherpa_onnx(options: EngineOptions) -> LocalEar:
    """Hear with sherpa-onnx; the model is the folder of a streaming transducer (encoder, decoder, joiner, tokens)."""
    _need("sherpa_onnx", "sherpa-onnx")
    _need_path(options.model, "PHONE_BRIDGE_EAR_MODEL", Path.is_dir, "folder of a streaming transducer")
    return LocalEar("sherpa-onnx", options)


def piper(options: EngineOptions) -> LocalVoice:
    """Speak with Piper; the model is a voice's ``.onnx`` file, beside which its ``.onnx.json`` lies."""
    _need("piper", "piper")
    _need_path(options.model, "PHONE_BRIDGE_VOICE_MODEL", Path.is_file, "voice's .onnx file")
    _need_path(f"{options.model}.json", "PHONE_BRIDGE_VOICE_MODEL", Path.is_file, "voice's .onnx.json file")
    return LocalVoice("piper", options)


def _need(package: str, extra: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise Unavailable(f"{extra} is not installed: pip install 'phone_bridge[{extra}]'", code="not_installed")


def _need_path(path: str, setting: str, is_there: Callable[[Path], bool], what: str) -> None:
    if not path or not is_there(Path(path)):
        raise Unavailable(f"{setting} must name the {what}, and {path!r} is none", code="no_model")


def _is_hub_name(model: str) -> bool:
    """Tell a name of the hub's, ``owner/model``, from a path."""
    owner, _, rest = model.partition("/")
    return bool(owner) and owner not in (".", "..", "~") and "/" not in rest and not Path(owner).exists()


def _wish(expecting: Expecting) -> bytes:
    return json.dumps({"mood": expecting.mood.value, "phrases": expecting.phrases}).encode() + b"\n"
