"""What a call leaves behind: what was said and heard, what was asked and answered, and some counts."""

from collections.abc import Iterable
from typing import Any

import msgspec

from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.timeline import Noted, Timeline

MAX_SAMPLES = 10_000  # of one call: about 40 bytes each


class Said(msgspec.Struct, frozen=True):
    """Words of the caller, or words that the caller heard; ``at_ms`` counts from the call's beginning."""

    at_ms: int
    speaker: str
    text: str


class Asked(msgspec.Struct):
    """One action that was proposed, with what became of it.

    ``question`` are the words that named it, which sound for ``question_ms`` and of which ``heard_ms`` were heard;
    ``answer`` is the key or the words of the caller, ``outcome`` the session's word on it, empty while there is none,
    ``trust`` how far it was known by then who the caller is.
    """

    id: str
    action: Action
    verdict: Verdict
    by: AnsweredBy
    at_ms: int
    heard_ms: int = 0
    result: Any = None
    question: str = ""
    question_ms: int = 0
    answer: str = ""
    outcome: str = ""
    trust: str = ""


class Recorded(msgspec.Struct, frozen=True):
    """What became of the recording of a call, which began ``from_ms`` after the call and lasts ``ms``.

    ``state``: ``recording``; ``kept``; ``broken``, when it ended early for ``reason``; ``not_announced``, when the
    caller did not hear to its end that there would be one, and there is none; ``deleted``.
    """

    state: str
    from_ms: int = 0
    ms: int = 0
    reason: str = ""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One value that was measured in a call; its name ends in its unit."""

    name: str
    value: float


class Counts(msgspec.Struct):
    """What only a voice bridge knows about a call, in milliseconds or as plain counts."""

    heard_ms: int = 0
    cut_ms: int = 0
    dropped_ms: int = 0
    barge_ins: int = 0
    stray_marks: int = 0
    troubles: int = 0
    losses: int = 0
    renewals: int = 0
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    cached_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0


TOKENS = tuple(name for name in Counts.__struct_fields__ if name.endswith("_tokens"))
"""The counts of what models cost."""


class Trace:
    """Collect one call's record as it happens; ``began`` is the call's beginning on its clock.

    ``version`` grows with everything that is worth keeping, so that whoever keeps it need not compare.
    """

    def __init__(self, began: int) -> None:
        self.began = began
        self.transcript: list[Said] = []
        self.actions: list[Asked] = []
        self.open: tuple[Asked, ...] = ()  # what is asked and not answered yet, as it stands where nobody answers it
        self.samples: list[Sample] = []
        self.counts = Counts()
        self.used_before: dict[str, int] = {}
        """What earlier parts of the call have cost, in tokens."""
        self.ended_by = ""
        self.error = ""
        self.language = ""  # what was chosen in the call for the bridge to speak; empty for the route's own
        self.trust = ""  # how far it is known who the caller is; empty where nobody has said it
        self.reply = ""  # what the callee of a reminder wants
        self.recording: Recorded | None = None
        self.timeline = Timeline()
        self.version = 0

    def said(self, at: int, speaker: str, text: str) -> None:
        """Add words in the order of their time, which is nearly always the end."""
        said = Said(at - self.began, speaker, text)
        place = len(self.transcript)
        while place and self.transcript[place - 1].at_ms > said.at_ms:
            place -= 1
        self.transcript.insert(place, said)
        self.version += 1

    def noted(self, at: int, kind: str, text: str = "", ms: int = 0) -> None:
        """Note what happened at ``at`` on the call's clock; see ``Noted``."""
        self.timeline.note(Noted(at - self.began, kind, text, ms))

    def asked(self, asked: Asked) -> None:
        """Add what became of a proposal."""
        self.actions.append(asked)
        self.version += 1

    def asking(self, questions: Iterable[Asked]) -> None:
        """Know what is asked by now; a process that is killed can say nothing more of it."""
        before, self.open = self.open, tuple(questions)
        if list(map(_stage, before)) != list(map(_stage, self.open)):
            self.version += 1

    def forsake(self) -> None:
        """Leave without an answer what is asked still: whoever asked is gone."""
        self.actions.extend(self.open)
        self.asking(())

    def settled(self, id: str, outcome: str, result: Any) -> None:
        """Add the session's own word on a proposal that was answered."""
        for asked in reversed(self.actions):
            if asked.id == id:
                asked.outcome, asked.result = outcome, result
                self.version += 1
                return

    def usage(self) -> dict[str, int]:
        """Tell what the call has cost in all, in tokens by their kind; empty where no server counts any."""
        known = {name: getattr(self.counts, name) + self.used_before.get(name, 0) for name in TOKENS}
        return known if any(known.values()) else {}

    def ending(self, by: str, error: str = "") -> None:
        """Note who ends the call, and why where it is a fault's doing; the first word counts."""
        self.ended_by = self.ended_by or by
        self.error = self.error or error
        self.version += 1

    def measured(self, name: str, value: float) -> None:
        """Add a measured value, unless there are MAX_SAMPLES of this call already."""
        if len(self.samples) < MAX_SAMPLES:
            self.samples.append(Sample(name, value))


def _stage(asked: Asked) -> tuple[str, str, int]:
    """Say how far a question has come, by the second."""
    return asked.id, asked.question, asked.heard_ms // 1000
