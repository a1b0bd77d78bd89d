"""The sound of the bridge's own lines: a recorded file where there is one, else the offline voice, made once."""

import asyncio
import wave
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from phone_bridge.audio.format import Encoding, Format
from phone_bridge.audio.g711 import linear_to_alaw, linear_to_ulaw
from phone_bridge.audio.whole import levelled, pcm16, resampled, samples
from phone_bridge.call import words
from phone_bridge.call.commands import Line
from phone_bridge.errors import SettingsError, Unavailable
from phone_bridge.runtime.voice import Voice

CACHE_BYTES = 8 * 1024 * 1024  # a quarter of an hour of mu-law

Key = tuple[str, str, Format]


class Prompts:
    """Make lines audible; ``folder`` holds ``<key>.wav`` and ``<language>/<key>.wav`` files, which come first.

    A file is read when the bridge starts: one that cannot be used raises SettingsError then, not in a call.
    """

    def __init__(self, voice: Voice | None, folder: Path | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._voice = voice
        self._files = _read_folder(folder) if folder is not None else {}
        self._cache_bytes = cache_bytes
        self._made: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0
        self._making: dict[Key, asyncio.Task[bytes]] = {}

    async def sound(self, line: Line, language: str, format: Format) -> bytes:
        """Say ``line`` in ``format``; raises Unavailable where there is neither a file nor a voice."""
        recorded = self._recorded(line, language)
        key = (language, line.key if recorded else f"={line.text}", format)
        made = self._made.get(key)
        if made is not None:
            self._made.move_to_end(key)
            return made
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(line, language, format, recorded))
            self._making[key] = task
            task.add_done_callback(lambda done: self._keep(key, done))
        return await asyncio.shield(task)  # who gives up waiting does not take it from the others

    async def warm(self, lines: Iterable[Line], language: str, format: Format) -> None:
        """Make ``lines`` before anybody waits for them; raises Unavailable as ``sound`` does."""
        for line in lines:
            await self.sound(line, language, format)

    async def close(self) -> None:
        """Give up what is being made."""
        making = list(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    def _recorded(self, line: Line, language: str) -> tuple[bytes, int] | None:
        if line.key.startswith(words.QUESTION):  # a recording cannot name the one action that is asked about
            return None
        return self._files.get(f"{language}/{line.key}") or self._files.get(line.key)

    async def _make(self, line: Line, language: str, format: Format, recorded: tuple[bytes, int] | None) -> bytes:
        if recorded is not None:
            audio, rate = recorded
        elif self._voice is not None:
            speech = await self._voice.speak(line.text, language=language)
            audio, rate = speech.audio, speech.format.rate
        else:
            raise Unavailable(f"there is no recording {line.key}.wav, and no voice to say it", code="no_voice")
        return await asyncio.to_thread(_encoded, audio, rate, format)

    def _keep(self, key: Key, done: "asyncio.Task[bytes]") -> None:
        del self._making[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._made[key] = done.result()
        self._size += len(done.result())
        while self._size > self._cache_bytes:
            _, oldest = self._made.popitem(last=False)
            self._size -= len(oldest)


def _encoded(audio: bytes, rate: int, format: Format) -> bytes:
    linear = pcm16(levelled(resampled(samples(audio), rate, format.rate), format.rate))
    if format.encoding is Encoding.PCMU:
        return linear_to_ulaw(linear)
    return linear_to_alaw(linear) if format.encoding is Encoding.PCMA else linear


def _read_folder(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {file.relative_to(folder).with_suffix("").as_posix(): _read(file) for file in sorted(folder.rglob("*.wav"))}


def _read(file: Path) -> tuple[bytes, int]:
    """Read a file's sound, its channels mixed, and its rate."""
    try:
        with wave.open(str(file), "rb") as recording:
            width, channels, rate = recording.getsampwidth(), recording.getnchannels(), recording.getframerate()
            audio = recording.readframes(recording.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise SettingsError(
            f"PHONE_BRIDGE_PROMPTS: {file.name} cannot be read ({error}): save it as 16-bit PCM"
        ) from None
    if width != 2 or not audio:
        raise SettingsError(f"PHONE_BRIDGE_PROMPTS: {file.name} must hold sound, in 16-bit PCM")
    mixed = samples(audio[: len(audio) // (2 * channels) * 2 * channels]).reshape(-1, channels).mean(axis=1)
    return pcm16(mixed), rate
