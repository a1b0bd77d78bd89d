"""Both sides of a call in one file."""

import io
import wave

import numpy as np

from phone_bridge.audio.g711 import ulaw_to_linear
from phone_bridge.simulator.recording import stereo_wav


def channels(wav: bytes) -> tuple[bytes, bytes]:
    with wave.open(io.BytesIO(wav)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (2, 2, 8000)
        frames = np.frombuffer(reader.readframes(reader.getnframes()), dtype="<i2").reshape(-1, 2)
    return frames[:, 0].tobytes(), frames[:, 1].tobytes()


def test_the_caller_is_left_and_the_bridge_right() -> None:
    said, heard = bytes(range(200)), bytes(reversed(range(200)))
    assert channels(stereo_wav(said, heard)) == (ulaw_to_linear(said), ulaw_to_linear(heard))


def test_the_shorter_side_ends_in_silence() -> None:
    left, right = channels(stereo_wav(b"\x01" * 10, b"\x02" * 30))
    assert left == ulaw_to_linear(b"\x01" * 10) + bytes(40)
    assert len(left) == len(right)
