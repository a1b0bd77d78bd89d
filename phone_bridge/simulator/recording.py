"""Both sides of a call as one stereo file: the caller on the left, the bridge on the right, 8 kHz, 16 bit."""

import io
import wave

import numpy as np

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.g711 import ulaw_to_linear


def stereo_wav(said: bytes, heard: bytes) -> bytes:
    """Make a WAV of two mu-law tracks that begin together; the shorter is filled up with silence."""
    length = max(len(said), len(heard))
    tracks = [ulaw_to_linear(track.ljust(length, PCMU_8K.silence)) for track in (said, heard)]
    frames = np.stack([np.frombuffer(track, dtype="<i2") for track in tracks], axis=1).tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(PCMU_8K.rate)
        writer.writeframes(frames)
    return file.getvalue()
