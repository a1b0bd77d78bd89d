"""What a call leaves behind: what was said and heard, what was asked and answered, and some counts."""

from typing import Any

import msgspec

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action


class Said(msgspec.Struct, frozen=True):
    """Words of the caller, or words that the caller heard; ``at_ms`` counts from the call's beginning."""

    at_ms: int
    speaker: str
    text: str


class Asked(msgspec.Struct):
    """One action that was proposed, with what became of it; ``heard_ms`` is how much of its naming was heard."""

    id: str
    action: Action
    verdict: Verdict
    by: AnsweredBy
    at_ms: int
    heard_ms: int = 0
    result: Any = None


class Counts(msgspec.Struct):
    """What only a voice bridge knows about a call, in milliseconds or as plain counts."""

    cut_ms: int = 0
    dropped_ms: int = 0
    barge_ins: int = 0
    stray_marks: int = 0
    troubles: int = 0


class Trace:
    """Collect one call's record as it happens; ``began`` is the call's beginning on its clock."""

    def __init__(self, began: int) -> None:
        self.began = began
        self.transcript: list[Said] = []
        self.actions: list[Asked] = []
        self.counts = Counts()
        self.ended_by = ""
        self.error = ""

    def said(self, at: int, speaker: str, text: str) -> None:
        """Add words in the order of their time, which is nearly always the end."""
        said = Said(at - self.began, speaker, text)
        place = len(self.transcript)
        while place and self.transcript[place - 1].at_ms > said.at_ms:
            place -= 1
        self.transcript.insert(place, said)

    def asked(self, asked: Asked) -> None:
        """Add what became of a proposal."""
        self.actions.append(asked)

    def settled(self, id: str, result: Any) -> None:
        """Add the session's own word on a proposal that was answered."""
        for asked in reversed(self.actions):
            if asked.id == id:
                asked.result = result
                return
