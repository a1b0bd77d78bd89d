"""The caller's telephone line: what is played out reaches the caller, who answers in frames of 20 ms.

Both directions are recorded from the moment the call was answered, sample by sample, so they stay aligned.
"""

import msgspec

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.frames import FRAME_MS
from phone_bridge.simulator.caller import FRAME_BYTES, Caller
from phone_bridge.simulator.playout import SAMPLES_PER_MS, Playout
from phone_bridge.simulator.script import Step


class FrameSpoken(msgspec.Struct, frozen=True, gc=False):
    """The caller's 20 ms of sound that ended ``at``."""

    audio: bytes
    at: int


class KeyPressed(msgspec.Struct, frozen=True, gc=False):
    """A key's tone ended ``at``."""

    digit: str
    at: int


class MarkPlayed(msgspec.Struct, frozen=True, gc=False):
    """What is before the mark was played out by ``at``."""

    name: str
    at: int


class StepBegun(msgspec.Struct, frozen=True, gc=False):
    """The caller began a step of the script."""

    step: Step
    at: int


class CallerHungUp(msgspec.Struct, frozen=True, gc=False):
    """The caller put the receiver down."""

    at: int


LineFact = FrameSpoken | KeyPressed | MarkPlayed | StepBegun | CallerHungUp


class Line:
    """A line that was answered ``now``."""

    def __init__(self, caller: Caller, now: int) -> None:
        self._caller = caller
        self._answered_at = now
        self._next_frame = now + FRAME_MS
        self._facts: list[LineFact] = []
        self.playout = Playout(now)
        """What the caller is about to hear; its owner advances the line first."""
        self.heard = bytearray()
        """All that the caller heard since the answer, mu-law."""
        self.said = bytearray()
        """All that the caller said in whole frames since the answer, mu-law."""
        self._turn = caller.tick(b"", now)
        self._report(now)

    def advance(self, now: int) -> list[LineFact]:
        """Let time pass until ``now`` and return what happened, in order."""
        while self._next_frame <= now:
            self._frame(self._next_frame)
            self._next_frame += FRAME_MS
        self._play(now)
        facts, self._facts = self._facts, []
        return facts

    def deadline(self) -> int:
        """Say when something will happen next: a frame is whole, or a mark is reached."""
        mark = self.playout.deadline()
        return self._next_frame if mark is None else min(mark, self._next_frame)

    def tracks(self, now: int) -> tuple[bytes, bytes]:
        """Return what was said and what was heard until ``now``, equally long."""
        size = (now - self._answered_at) * SAMPLES_PER_MS
        return (bytes(self.said).ljust(size, PCMU_8K.silence), bytes(self.heard))

    def _play(self, now: int) -> None:
        played = self.playout.advance(now)
        self.heard += played.audio
        for mark in played.marks:
            self._facts.append(MarkPlayed(mark.name, self._answered_at - (-mark.sample // SAMPLES_PER_MS)))

    def _frame(self, at: int) -> None:
        self._play(at)
        spoken = self._turn
        self.said += spoken.audio
        self._facts.append(FrameSpoken(spoken.audio, at))
        if spoken.digit:
            self._facts.append(KeyPressed(spoken.digit, at))
        self._turn = self._caller.tick(bytes(self.heard[-FRAME_BYTES:]), at)
        self._report(at)

    def _report(self, at: int) -> None:
        if self._turn.began is not None:
            self._facts.append(StepBegun(self._turn.began, at))
        if self._turn.hung_up:
            self._facts.append(CallerHungUp(at))
