"""What a browser's microphone hears: a file that its fake device plays, or speech that a test says when it likes."""

import asyncio
import base64
import io
import wave
from pathlib import Path

import numpy as np

from phone_bridge.assistant.speaking import EspeakVoice
from tests.browser.chromium import Page

RATE = 48_000
"""What Chromium's fake device reads without doubt."""

SAID = """
(() => {
  const context = new AudioContext();
  const microphone = context.createMediaStreamDestination();
  navigator.mediaDevices.getUserMedia = async () => microphone.stream.clone();
  window.say = async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const buffer = await context.decodeAudioData(bytes.buffer);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(microphone);
    source.start();
    await new Promise((resolve) => { source.onended = resolve; });
  };
})();
"""
"""A microphone that hears what the test says by ``say``."""


def speech(*texts: str) -> dict[str, bytes]:
    """Speak each text, as a WAV file."""

    async def speak() -> dict[str, bytes]:
        voice = EspeakVoice()
        try:
            spoken = {text: await voice.speak(text) for text in texts}
        finally:
            await voice.close()
        return {text: wav(np.frombuffer(said.audio, "<i2"), said.format.rate) for text, said in spoken.items()}

    return asyncio.run(speak())


def wav(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]", rate: int) -> bytes:
    places = np.arange(len(samples) * RATE // rate) * rate / RATE
    louder = np.interp(places, np.arange(len(samples)), samples)
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(louder.astype("<i2").tobytes())
    return file.getvalue()


def recording(file: Path, said: bytes, *, before_ms: int, after_ms: int) -> Path:
    """Write a file in which ``said`` stands between two silences."""
    with wave.open(io.BytesIO(said)) as spoken:
        sound = spoken.readframes(spoken.getnframes())
    with wave.open(str(file), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(bytes(RATE // 1000 * before_ms * 2) + sound + bytes(RATE // 1000 * after_ms * 2))
    return file


def say(page: Page, said: bytes) -> None:
    page.evaluate(f"window.say({base64.b64encode(said).decode()!r})")
