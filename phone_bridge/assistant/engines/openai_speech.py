"""An ear and a voice behind an OpenAI-compatible endpoint: ``/v1/audio/transcriptions`` and ``/v1/audio/speech``.

OpenAI itself speaks this, and so do many servers that one can run oneself. Words and sound leave this machine: the
operator chooses that by naming the engine.
"""

import io
import json
import secrets
import wave
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from phone_bridge.assistant.engines.registry import EngineOptions
from phone_bridge.assistant.ports import Expecting, Heard
from phone_bridge.assistant.speaking import cleaned
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.exchange import Request
from phone_bridge.runtime.http import HttpClient, Streamed
from phone_bridge.runtime.voice import Speech

URL = "https://api.openai.com"
EAR_MODEL = "gpt-4o-mini-transcribe"
VOICE_MODEL = "gpt-4o-mini-tts:alloy"
"""Model and voice, with a colon between them."""

TIMEOUT_MS = 8_000
"""How long a caller may wait for the words of an utterance, or the first sound of a sentence."""

PROMPT_CHARS = 800
"""How much of the caller's own titles and names is sent as a hint; the models read some two hundred tokens."""

ERROR_BYTES = 4_096
"""How much of an error's body is read."""


class _Transcription(msgspec.Struct):
    text: str


class _Endpoint:
    """What both share: the address, the key and the connections, made in the loop that first needs them."""

    def __init__(self, options: EngineOptions, setting: str) -> None:
        if not options.key and not options.url:
            raise Unavailable(
                f"{setting} is openai, so PHONE_BRIDGE_SPEECH_KEY must hold a key, or PHONE_BRIDGE_SPEECH_URL the "
                "address of a server that needs none",
                code="no_key",
            )
        self.url = (options.url or URL).rstrip("/")
        self._headers = {"Authorization": f"Bearer {options.key}"} if options.key else {}
        self._http: HttpClient | None = None

    @property
    def http(self) -> HttpClient:
        """The connections."""
        self._http = self._http or HttpClient()
        return self._http

    def post(self, path: str, content_type: str, body: bytes) -> Request:
        """Make a request."""
        headers = {**self._headers, "Content-Type": content_type}
        return Request(method="POST", url=self.url + path, headers=headers, body=body)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()


class OpenAIEar:
    """Hear with a transcription endpoint; the caller's titles and names go with the sound as a hint."""

    def __init__(self, options: EngineOptions) -> None:
        self._endpoint = _Endpoint(options, "PHONE_BRIDGE_EAR")
        self._model = options.model or EAR_MODEL
        self._language = options.spoken

    def prepare(self, expecting: Expecting) -> None:
        """Do nothing: the hint goes with every utterance."""

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        """Recognise one utterance (linear 16 kHz); raises Unavailable when the service cannot."""
        fields = {"model": self._model, "language": self._language, "response_format": "json"}
        if expecting.phrases:
            fields["prompt"] = ", ".join(expecting.phrases)[:PROMPT_CHARS]
        kind, body = _form(fields, _wav(utterance))
        try:
            answer = await self._endpoint.http.exchange(
                self._endpoint.post("/v1/audio/transcriptions", kind, body), timeout_ms=TIMEOUT_MS
            )
        except BridgeError as error:
            raise Unavailable(str(error), code="ear_failed") from error
        if answer.status != 200:
            raise Unavailable(_refusal("transcription", answer.status, answer.body), code="ear_failed")
        try:
            return Heard(msgspec.json.decode(answer.body, type=_Transcription).text.strip())
        except msgspec.MsgspecError:
            raise Unavailable("the transcription service answered with something else", code="ear_failed") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()


class OpenAIVoice:
    """Speak with a speech endpoint; what is there already is heard while the rest still comes."""

    def __init__(self, options: EngineOptions) -> None:
        self._endpoint = _Endpoint(options, "PHONE_BRIDGE_VOICE")
        self._model, _, voice = (options.model or VOICE_MODEL).partition(":")
        self._voice = voice or VOICE_MODEL.partition(":")[2]

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        """Say ``text`` in linear sound at 24 kHz; raises Unavailable when the service cannot."""
        pieces = [piece.audio async for piece in self.stream(text, language=language)]
        return Speech(b"".join(pieces), LINEAR_24K)

    async def stream(self, text: str, *, language: str = "en") -> AsyncIterator[Speech]:
        """Say ``text`` piece by piece; the models know the language by the words."""
        wish = {"model": self._model, "voice": self._voice, "input": cleaned(text), "response_format": "pcm"}
        request = self._endpoint.post("/v1/audio/speech", "application/json", json.dumps(wish).encode())
        try:
            async with self._endpoint.http.stream(request, timeout_ms=TIMEOUT_MS) as answer:
                await _check(answer)
                async for audio in _samples(answer):
                    yield Speech(audio, LINEAR_24K)
        except Unavailable:
            raise
        except BridgeError as error:
            raise Unavailable(str(error), code="no_voice") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()


async def _samples(answer: Streamed) -> AsyncIterator[bytes]:
    """Give the sound in whole samples, however the network cut it."""
    rest = b""
    async for piece in answer.chunks:
        rest += piece
        whole = len(rest) & ~1
        if whole:
            yield rest[:whole]
        rest = rest[whole:]


async def _check(answer: Streamed) -> None:
    if answer.status == 200:
        return
    body = b""
    async for piece in answer.chunks:
        body += piece
        if len(body) >= ERROR_BYTES:
            break
    raise Unavailable(_refusal("speech", answer.status, body[:ERROR_BYTES]), code="no_voice")


def _refusal(service: str, status: int, body: bytes) -> str:
    """Tell an error in the endpoint's own words: ``{"error": {"message": …}}``."""
    try:
        told: Any = msgspec.json.decode(body)["error"]["message"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        told = "without a reason"
    return f"the {service} service answered {status}: {str(told)[:200]}"


def _wav(utterance: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(LINEAR_16K.rate)
        recording.writeframes(utterance)
    return file.getvalue()


def _form(fields: dict[str, str], file: bytes) -> tuple[str, bytes]:
    """Write ``fields`` and a WAV file as multipart/form-data (RFC 7578); gives its content type too."""
    boundary = secrets.token_hex(16)
    lines: list[bytes] = []
    for name, value in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        lines += [head.encode(), value.encode(), b"\r\n"]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="utterance.wav"\r\n'
    lines += [head.encode(), b"Content-Type: audio/wav\r\n\r\n", file, f"\r\n--{boundary}--\r\n".encode()]
    return f"multipart/form-data; boundary={boundary}", b"".join(lines)
