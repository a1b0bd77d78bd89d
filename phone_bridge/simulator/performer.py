"""The verbs of the line itself: ``<Say>``, ``<Play digits>``, ``<Pause>``, ``<Gather>``, ``<Record>``.

A pure machine over the caller's line; what is spoken is made elsewhere and brought back.
"""

from collections import deque

import msgspec

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.tones import dtmf
from phone_bridge.simulator.caller import loud
from phone_bridge.simulator.duties import Speak
from phone_bridge.simulator.line import FrameSpoken, KeyPressed, Line, LineFact, MarkPlayed
from phone_bridge.simulator.recorder import HANGUP, Recorded, Recorder
from phone_bridge.simulator.verbs import Gather, Pause, Play, Record, Say

HALF_A_SECOND_MS = 500
"""What ``w`` stands for among digits."""
BEEP_KEY = "0"
"""The key whose tone stands for the beep of a ``<Record>``."""

_END = "end of the verb"


class Performed(msgspec.Struct, frozen=True):
    """The sounds of the verb were heard to their end."""


class Gathered(msgspec.Struct, frozen=True):
    """A ``<Gather>`` ended: with these keys, and with the key that finished it, if one did; or after speech."""

    gather: Gather
    digits: str
    finished_on: str = ""
    spoken: bool = False


class Performer:
    """Performs one verb at a time on ``line``; the owner advances the line first."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._queue: deque[Say | Play | Pause] = deque()
        self._speaking: tuple[int, Say] | None = None
        self._last_id = 0
        self._gather: Gather | None = None
        self._digits = ""
        self._spoken = False
        self._due: int | None = None
        self._record: Record | None = None  # until its beep was heard
        self._recorder: Recorder | None = None

    def perform(self, verb: Say | Play | Pause | Gather | Record, now: int) -> list[Speak]:
        """Begin ``verb``; ``tell`` or ``expire`` will say that it has ended."""
        self._digits, self._spoken = "", False
        if isinstance(verb, Record):
            self._record = verb
            self._sound(_tones(BEEP_KEY) if verb.play_beep else PCMU_8K.silence)
            return []
        self._gather = verb if isinstance(verb, Gather) else None
        self._queue = deque(verb.prompts if isinstance(verb, Gather) else (verb,))
        return self._next(now)

    def spoken(self, id_: int, audio: bytes) -> None:
        """Play the sound of a text that was asked for; one that came too late is dropped."""
        if self._speaking is None or self._speaking[0] != id_:
            return
        _, say = self._speaking
        self._speaking = None
        self._sound((audio or PCMU_8K.silence) * say.loop)

    def _next(self, now: int) -> list[Speak]:
        if not self._queue:
            self._due = None if self._gather is None else now + self._gather.timeout_s * 1000
            return []
        match self._queue.popleft():
            case Say() as say:
                self._last_id += 1
                self._speaking = (self._last_id, say)
                return [Speak(self._last_id, say.text, say.language)]
            case Play(digits):
                self._sound(_tones(digits))
            case Pause(seconds):
                self._sound(PCMU_8K.silence * PCMU_8K.size(seconds * 1000) or PCMU_8K.silence)
        return []

    def _sound(self, audio: bytes) -> None:
        self._line.playout.play(audio)
        self._line.playout.mark(_END)

    def tell(self, fact: LineFact, now: int) -> tuple[list[Speak], Performed | Gathered | Recorded | None]:
        """Take in what happened on the line; returns what to have spoken next, and the verb's end if it came."""
        if self._recorder is not None:
            return [], self._recorded(self._recorder.tell(fact))
        match fact:
            case MarkPlayed(_, at) if self._record is not None:
                self._recorder, self._record = Recorder(self._record, at), None
                return [], None
            case FrameSpoken(audio, at) if self._gather is not None:
                self._listen(self._gather, audio, at)
                return [], None
            case KeyPressed(digit) if self._gather is not None and self._gather.keys:
                return [], self._key(self._gather, digit, now)
            case MarkPlayed() if self._queue or self._gather is not None:
                return self._next(now), None
            case MarkPlayed():
                return [], Performed()
            case _:
                return [], None

    def _listen(self, gather: Gather, audio: bytes, at: int) -> None:
        if gather.speech_timeout_s is not None and loud(audio):
            if self._due is None:
                self._stop_prompts()
            self._spoken = True
            self._due = at + gather.speech_timeout_s * 1000

    def _key(self, gather: Gather, digit: str, now: int) -> Gathered | None:
        self._stop_prompts()
        if digit == gather.finish_on_key:
            return self._gathered(gather, digit)
        self._digits += digit
        if gather.num_digits is not None and len(self._digits) >= gather.num_digits:
            return self._gathered(gather)
        self._due = now + gather.timeout_s * 1000
        return None

    def _stop_prompts(self) -> None:
        self._queue.clear()
        self._speaking = None
        self._line.playout.clear()

    def _gathered(self, gather: Gather, finished_on: str = "") -> Gathered:
        self._gather = self._due = None
        return Gathered(gather, self._digits, finished_on, self._spoken)

    def hung_up(self) -> Recorded | None:
        """Take the news that the caller has gone; a message that was being left ends with it."""
        return self._recorded(self._recorder.end(HANGUP)) if self._recorder is not None else None

    def _recorded(self, end: Recorded | None) -> Recorded | None:
        if end is not None:
            self._recorder = None
        return end

    def deadline(self) -> int | None:
        """Say when a ``<Gather>`` will have waited long enough for the next key, or a message is long enough."""
        return self._recorder.deadline() if self._recorder is not None else self._due

    def expire(self, now: int) -> Gathered | Recorded | None:
        """End a ``<Gather>`` that has waited long enough, or a ``<Record>`` that is full."""
        if self._recorder is not None:
            return self._recorded(self._recorder.end()) if now >= self._recorder.deadline() else None
        if self._gather is None or self._due is None or now < self._due:
            return None
        return self._gathered(self._gather)


def _tones(digits: str) -> bytes:
    pause = PCMU_8K.silence * PCMU_8K.size(HALF_A_SECOND_MS)
    return b"".join(pause if digit == "w" else dtmf(digit, PCMU_8K) for digit in digits)
