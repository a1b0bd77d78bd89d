"""How loud a sound is, and when a caller's voice begins and ends.

A frame of 20 ms is voiced when webrtcvad says so and it stands out from the line's own noise. Whether a run of voiced
frames is a *voice* is asked once, at its beginning, when there is time for it: a voice has a pitch, which a breath, a
cough, wind or a burst of noise has not; and a key's tone is no voice. Once begun, a voice lasts while frames are
voiced, keys included. A steady single tone has a pitch too, and does pass for a voice.
"""

import math
from collections.abc import Callable

import msgspec
import numpy as np
import webrtcvad  # type: ignore[import-untyped]  # a C extension without annotations

from phone_bridge.audio._audioop import audioop
from phone_bridge.audio.format import LINEAR_8K, Format
from phone_bridge.audio.frames import FRAME_MS, Framer
from phone_bridge.audio.path import DECODE, path
from phone_bridge.audio.tones import keys_seen

START_HOLD_MS = 120
"""Voiced sound that must be heard before a voice counts as begun: longer than a click."""

PITCHED_MS = 60
"""How much of that must have a pitch."""

STOP_HOLD_MS = 400
"""Sound without voice that must follow before a voice counts as ended, unless the listener asks for another hold."""

LEAD_MS = 200
"""The most that a beginning is dated back before its first pitched frame: a long "sh", but not a gust before a word."""

NOISE_GATE = 1.75
"""How many times (5 dB) the line's noise a frame's level must be. Less lets distant talkers hold a turn open; more
loses words at 10 dB signal to noise."""

NOISE_MS = 1000
"""The line's noise is the quietest frame of the last one to two of these."""

FIRST_NOISE_RMS = 40
"""What the line's noise is taken for (-58 dBFS) until a whole span of it was heard: the first word is not noise."""

DIGITAL_SILENCE_RMS = 8
"""Sound as quiet as this (-72 dBFS) was made, not heard, and says nothing of the line's noise."""

LOUD_VOICE_RMS = 600
"""From this level on (-35 dBFS) a voice is followed in webrtcvad's strict mode, which hears less of people talking in
the background, so that they do not hold the turn open; but it is deaf to soft voices."""

MIN_PERIODICITY = 0.5
"""How alike 40 ms of sound and itself one period later must be (1 is the same) to have a pitch. Noise in the telephone
band reaches 0.41 in one frame of a hundred; of the frames of speech 85 % are above, at 10 dB signal to noise 75 %."""

_TOLERANT, _STRICT = 2, 3  # webrtcvad's modes, of 0 to 3
_RATE = LINEAR_8K.rate
_BYTES_PER_MS = LINEAR_8K.bytes_per_ms
_FRAME_BYTES = LINEAR_8K.size(FRAME_MS)
_PCM16 = np.dtype("<i2")
_LOUDEST = 1 << 15
_SHORTEST_PERIOD = 10  # samples at 4 kHz: 400 Hz
_LONGEST_PERIOD = 57  # 70 Hz
_LOUDNESS_DB = 48  # from the least loudness that is not silence to the most
_LOUDNESS = bytes(max(0, round(35 * (1 + 20 * math.log10(max(peak, 1) / 255) / _LOUDNESS_DB))) for peak in range(257))


def dbfs(pcm16: bytes) -> float:
    """Measure the level of linear sound in decibels against full scale (a square wave is 0); silence is -90.3."""
    rms = audioop.rms(pcm16[: len(pcm16) & ~1], 2)
    return 20 * math.log10(max(rms, 1) / 32768)


def loudness(format_: Format) -> Callable[[bytes], int]:
    """Make what tells how loud a run of sound in ``format_`` is at its loudest: 0 for silence, 35 for all there is."""
    decode = DECODE.get(format_.encoding)
    loudest = audioop.max

    def look(audio: bytes) -> int:
        return _LOUDNESS[loudest(decode(audio) if decode is not None else audio, 2) >> 7]

    return look


def periodicity(pcm16: bytes) -> float:
    """Measure how alike 40 ms of linear 8 kHz sound and itself are, a period of 70 to 400 Hz apart: 1 for the same."""
    samples = np.frombuffer(pcm16, _PCM16).astype(np.float64)
    samples = samples[0::2] + samples[1::2]  # 4 kHz is enough for a pitch, and a quarter of the work
    newest = samples[_LONGEST_PERIOD:]
    products = np.correlate(samples[: samples.size - _SHORTEST_PERIOD], newest, "valid")
    sums = np.concatenate([[0.0], np.cumsum(samples * samples)])
    energies = sums[newest.size : newest.size + products.size] - sums[: products.size]
    return float((products / np.sqrt(energies * newest.dot(newest) + 1.0)).max())


class Voiced(msgspec.Struct, frozen=True, gc=False):
    """A voice began (``started``) or ended at ``at``, in milliseconds on the listener's clock."""

    started: bool
    at: int


class _NoiseFloor:
    """Follows the quietest frame of the last one to two ``NOISE_MS``, in two spans that take turns."""

    def __init__(self) -> None:
        self._this_span, self._last_span = _LOUDEST, FIRST_NOISE_RMS
        self._age_ms = 0

    def hear(self, rms: int) -> int:
        """Take one frame's level in and return the floor."""
        if rms > DIGITAL_SILENCE_RMS:
            self._age_ms += FRAME_MS
            if self._age_ms > NOISE_MS:
                self._age_ms = FRAME_MS
                self._last_span, self._this_span = self._this_span, _LOUDEST
            if rms < self._this_span:
                self._this_span = rms
        return min(self._this_span, self._last_span)


class _Ear:
    """Tells voiced frames from others."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(_TOLERANT)
        self._is_speech = self._vad.is_speech
        self._noise = _NoiseFloor()
        self._loud = False
        self._strict = False

    def hears(self, frame: bytes) -> bool:
        """Take one frame in; every frame must pass here, for the noise is learned from those that are refused."""
        rms = audioop.rms(frame, 2)
        floor = self._noise.hear(rms)
        if not self._is_speech(frame, _RATE) or rms <= NOISE_GATE * floor:
            return False
        self._loud = rms >= LOUD_VOICE_RMS
        return True

    def sharpen(self) -> None:
        """Be strict from now on, if the frame just heard was loud."""
        if self._loud and not self._strict:
            self._strict = True
            self._vad.set_mode(_STRICT)

    def relax(self) -> None:
        """Be tolerant again."""
        self._strict = False
        self._vad.set_mode(_TOLERANT)


class VoiceActivity:
    """Tells when a voice in sound of ``format_`` begins and ends; 16 and 24 kHz are dated 2 ms late, by their filter.

    ``stop_hold_ms`` is the silence that ends a voice: short to notice a pause, long to find the end of a turn.
    """

    def __init__(self, format_: Format, *, stop_hold_ms: int = STOP_HOLD_MS) -> None:
        self._path = path(format_, LINEAR_8K)
        self._framer = Framer(_FRAME_BYTES)
        self._stop_hold_ms = stop_hold_ms
        self._ear = _Ear()
        self._before = bytes(_FRAME_BYTES)
        self._speaking = False
        self._voiced_ms = 0
        self._pitched_ms = 0
        self._silent_ms = 0
        self._begin = 0
        self._end = 0

    def push(self, audio: bytes, now: int) -> list[Voiced]:
        """Take in ``audio``, cut anywhere, that ends at ``now``; return what became certain, in order.

        A beginning is dated back to its first voiced frame and an end to its last, so that ``at`` is never after now.
        """
        frames = self._framer.push(self._path.push(audio))
        start = now - self._framer.pending // _BYTES_PER_MS - len(frames) * FRAME_MS
        found: list[Voiced] = []
        for frame in frames:
            change = self._follow(frame, start) if self._speaking else self._await(frame, start)
            if change is not None:
                found.append(change)
            self._before = frame
            start += FRAME_MS
        return found

    @property
    def pause_ms(self) -> int:
        """How long the voice that goes on has been silent: 0 while it speaks, and where there is none."""
        return self._silent_ms if self._speaking else 0

    def _await(self, frame: bytes, start: int) -> Voiced | None:
        """Look for the beginning of a voice: enough voiced frames, which others take back, and enough with a pitch."""
        if not self._ear.hears(frame):
            self._voiced_ms = max(0, self._voiced_ms - FRAME_MS)
            return None
        if not self._voiced_ms:
            self._begin, self._pitched_ms = start, 0
        self._voiced_ms += FRAME_MS
        if self._pitched_ms < PITCHED_MS and self._has_pitch(frame):
            if not self._pitched_ms:
                self._begin = max(self._begin, start - LEAD_MS)
            self._pitched_ms += FRAME_MS
        if self._voiced_ms < START_HOLD_MS or self._pitched_ms < PITCHED_MS:
            return None
        self._speaking, self._silent_ms, self._end = True, 0, start + FRAME_MS
        return Voiced(started=True, at=self._begin)

    def _has_pitch(self, frame: bytes) -> bool:
        return periodicity(self._before + frame) >= MIN_PERIODICITY and not any(keys_seen(frame))

    def _follow(self, frame: bytes, start: int) -> Voiced | None:
        """Look for the end of the voice."""
        if self._ear.hears(frame):
            self._ear.sharpen()
            self._silent_ms = 0
            self._end = start + FRAME_MS
            return None
        self._silent_ms += FRAME_MS
        if self._silent_ms < self._stop_hold_ms:
            return None
        self._ear.relax()
        self._speaking, self._voiced_ms = False, 0
        return Voiced(started=False, at=max(self._begin, self._end))
