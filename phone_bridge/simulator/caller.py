"""The person at the simulated telephone: hears, waits for a turn, speaks, presses keys, hangs up.

``tick`` is called once for every 20 ms with what was heard in the 20 ms before; it answers with what the caller does
in the next. Nothing else passes time, so the same script runs in real and in virtual time.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.simulator.script import HangUp, Listen, Press, Say, Step, Wait, describe

FRAME_BYTES = PCMU_8K.size(FRAME_MS)
SILENT_FRAME = PCMU_8K.silence * FRAME_BYTES

QUIET_MS = 1_000
"""So long must the other side be quiet before a caller takes the turn."""
KEY_QUIET_MS = 1_500
"""The same before a key is pressed: a key that comes before the question it is meant for answers nothing."""
PARTING_QUIET_MS = 2_000
"""The same before a polite caller hangs up."""
PATIENCE_MS = 15_000
"""So long does a caller wait for the other side to say anything."""
ATTENTION_MS = 120_000
"""So long does a caller listen to one answer that never pauses."""
SPEECH_MS = 60
"""Shorter sounds are clicks and no speech."""
TONE_MS = 100
"""How long a key is held, and how long the pause after it is."""

_LOUD = 600
"""Linear amplitude (of 32,124) above which a sample is sound; about -35 dB of full scale."""
_LOUD_SAMPLES = 8
"""Samples above it that make a frame of 20 ms loud; fewer are a click."""


def _magnitude(octet: int) -> int:
    """Decode the size of a mu-law octet, without its sign (ITU-T G.711, table 2)."""
    code = ~octet & 0x7F
    return ((((code & 0x0F) << 3) + 0x84) << (code >> 4)) - 0x84


_SILENCE = (SILENT_FRAME, "")

_QUIET_OCTETS = bytes(octet for octet in range(256) if _magnitude(octet) <= _LOUD)


def loud(audio: bytes) -> bool:
    """Tell sound from silence in about 20 ms of mu-law."""
    return len(audio.translate(None, _QUIET_OCTETS)) >= _LOUD_SAMPLES


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How a caller takes turns; milliseconds. With ``stay`` the caller never hangs up unless the script says so."""

    quiet_ms: int = QUIET_MS
    key_quiet_ms: int = KEY_QUIET_MS
    parting_quiet_ms: int = PARTING_QUIET_MS
    patience_ms: int = PATIENCE_MS
    attention_ms: int = ATTENTION_MS
    stay: bool = False


class Turn(msgspec.Struct, frozen=True):
    """What the caller does in the next 20 ms: sound, a key whose tone ends then, a step that begins, hanging up."""

    audio: bytes = SILENT_FRAME
    digit: str = ""
    began: Step | None = None
    hung_up: bool = False


class Ear:
    """What a caller has heard since the caller last spoke, and how long the silences were."""

    def __init__(self) -> None:
        self.since = 0
        self.heard_ms = 0
        self.last_loud = 0
        self.first_sound_at: int | None = None
        """When anything was heard for the first time in the call."""
        self.reply_ms: list[int] = []
        """From the end of each utterance of the caller's to the first sound after it; the first is from the answer."""
        self.longest_silence_ms = 0
        """The longest silence that the other side broke, or that the caller gave up on."""

    def hear(self, audio: bytes, now: int) -> None:
        """Take in the 20 ms that ended ``now``."""
        if not loud(audio):
            return
        began = now - FRAME_MS
        if self.first_sound_at is None:
            self.first_sound_at = began
        if self.heard_ms == 0:
            self.reply_ms.append(began - self.since)
        self.count_silence(began)
        self.heard_ms += FRAME_MS
        self.last_loud = now

    def count_silence(self, until: int) -> None:
        """Compare the silence that ends at ``until`` with the longest so far."""
        self.longest_silence_ms = max(self.longest_silence_ms, until - max(self.last_loud, self.since))

    def begin_again(self, now: int) -> None:
        """Forget what was heard: the call was answered, or the caller has spoken, and is answered from now on."""
        self.since = now
        self.heard_ms = 0
        self.last_loud = now


class Caller:
    """A caller that follows ``steps``; ``speech`` holds the sound (mu-law at 8 kHz) of every text in them."""

    def __init__(self, steps: Sequence[Step], speech: Mapping[str, bytes], manners: Manners | None = None) -> None:
        self._manners = manners or Manners()
        self._speech = speech
        self._steps = deque(steps)
        self._mouth: deque[tuple[bytes, str]] = deque()
        self._doing: Step | None = None
        self._hung_up = False
        self.ear = Ear()
        self.complaints: list[str] = []
        """One sentence for each time that the caller waited in vain."""

    @property
    def left(self) -> tuple[Step, ...]:
        """The steps that are not done yet, the one under way first."""
        return (*((self._doing,) if self._doing else ()), *self._steps)

    @property
    def speaking(self) -> bool:
        """True in the middle of an utterance."""
        return isinstance(self._doing, Say)

    def tick(self, heard: bytes, now: int) -> Turn:
        """Hear the 20 ms that ended ``now`` (nothing when the call was just answered) and do something in the next."""
        if self._hung_up:
            return Turn(hung_up=True)
        if not heard:
            self.ear.begin_again(now)
        elif not self.speaking:
            self.ear.hear(heard, now)
        began = None
        if not self._mouth:
            self._finish(now)
            began = self._begin(now)
        if isinstance(began, HangUp):
            self._steps.clear()
            self._hung_up = True
            return Turn(began=began, hung_up=True)
        audio, digit = self._mouth.popleft() if self._mouth else _SILENCE
        return Turn(audio, digit, began)

    def _finish(self, now: int) -> None:
        if isinstance(self._doing, Say | Press):
            self.ear.begin_again(now)
        self._doing = None

    def _begin(self, now: int) -> Step | None:
        while (step := self._next_step()) is not None:
            if not self._is_due(step, now):
                if not self._is_weary(step, now):
                    return None
                self._complain(step, now)
            if self._steps:
                self._steps.popleft()
            self._mouth.extend(self._frames(step))
            self._doing = step if self._mouth else None
            if self._mouth or isinstance(step, HangUp):
                return step
        return None

    def _next_step(self) -> Step | None:
        if self._steps:
            return self._steps[0]
        return None if self._manners.stay else HangUp()

    def _frames(self, step: Step) -> list[tuple[bytes, str]]:
        match step:
            case Say(text):
                return [(frame, "") for frame in _cut(self._speech[text])]
            case Press(digits):
                tone, gap = [_SILENCE] * (TONE_MS // FRAME_MS - 1), [_SILENCE] * (TONE_MS // FRAME_MS)
                frames = [frame for digit in digits for frame in (*gap, *tone, (SILENT_FRAME, digit))]
                return frames[len(gap) :]
            case Wait(ms):
                return [_SILENCE] * -(-ms // FRAME_MS)
            case _:
                return []

    def _is_due(self, step: Step, now: int) -> bool:
        match step:
            case Wait():
                return True
            case Listen(ms):
                return self.ear.heard_ms >= ms
            case Say(after_ms=int(after)) | Press(after_ms=int(after)) | HangUp(after_ms=int(after)):
                return now - self.ear.since >= after
            case Press():
                return self._was_answered(self._manners.key_quiet_ms, now)
            case HangUp():
                return self._was_answered(self._manners.parting_quiet_ms, now)
            case _:
                return self._was_answered(self._manners.quiet_ms, now)

    def _was_answered(self, quiet_ms: int, now: int) -> bool:
        return self.ear.heard_ms >= SPEECH_MS and now - self.ear.last_loud >= quiet_ms

    def _is_weary(self, step: Step, now: int) -> bool:
        if getattr(step, "after_ms", None) is not None:
            return False
        return self._heard_nothing(now) or now - self.ear.since >= self._manners.attention_ms

    def _heard_nothing(self, now: int) -> bool:
        return now - self.ear.last_loud >= self._manners.patience_ms

    def _complain(self, step: Step, now: int) -> None:
        waited = "heard nothing" if self._heard_nothing(now) else "was never given the turn"
        self.complaints.append(f"the caller {waited} for {now - self.ear.since} ms before: {describe(step)}")
        self.ear.count_silence(now)
        self.ear.begin_again(now)


def _cut(audio: bytes) -> list[bytes]:
    """Cut ``audio`` into frames of 20 ms, the last filled up with silence."""
    frames = [audio[at : at + FRAME_BYTES] for at in range(0, len(audio), FRAME_BYTES)]
    return [frame.ljust(FRAME_BYTES, PCMU_8K.silence) for frame in frames]
