"""What a page is told of a call so that it can show it: captions of both sides, and the open question as a card.

Captions are lines with names. While a line is spoken it comes again with each change; when it is over it comes once
more as what the call has written down, which is only as much as was heard.
"""

from collections.abc import Iterator

from phone_bridge import voice_sdk as w
from phone_bridge.call.commands import Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.trace import Asked, Said, Trace
from phone_bridge.call.view import Line, Open, View

_SPEAKERS: dict[str, w.Speaker] = {"caller": "user", "assistant": "agent", "bridge": "bridge"}
_OUTCOMES: dict[str, w.Outcome] = {"executed": "executed", "failed": "failed", "not_executed": "failed"}
_ENDS: dict[Verdict, w.Outcome] = {
    Verdict.CONFIRMED: "confirmed",
    Verdict.DECLINED: "declined",
    Verdict.EXPIRED: "expired",
    Verdict.UNANSWERED: "expired",
}


class Showing:
    """Tell one page what has changed since it was told last."""

    def __init__(self, *, captions: bool, questions: bool) -> None:
        self._captions = captions
        self._questions = questions
        self._live: dict[str, Line] = {}  # what is being spoken
        self._said: set[Said] = set()  # what was told as being over
        self._question: tuple[str, bool] = ("", False)
        self._settled: dict[str, str] = {}  # questions that were shown, and what was told of their answer
        self._version = -1
        self._trace: Trace | None = None  # a call has two whose caller came through a menu

    def asks(self, id: str) -> bool:
        """Tell whether the page shows the question ``id`` as the one that is open."""
        return id == self._question[0] != ""

    def look(self, view: View, trace: Trace) -> list[w.FromServer]:
        """Compare a view with what the page shows."""
        if trace is not self._trace:
            self._trace, self._version, self._said = trace, -1, set()
        changed = trace.version != self._version
        self._version = trace.version
        told: list[w.FromServer] = []
        if self._captions:
            told += self._over(trace) if changed else ()
            told += self._lines(view)
        if self._questions:
            told += self._ask(view.question)
            told += self._answers(trace) if changed else ()
        return told

    def _over(self, trace: Trace) -> Iterator[w.Transcript]:
        for said in trace.transcript:
            if said not in self._said:
                self._said.add(said)
                self._live.pop(_name(said), None)
                yield _caption(said, said.text, final=True)

    def _lines(self, view: View) -> Iterator[w.Transcript]:
        there = {_name(line): line for line in view.lines}
        for name in [name for name in self._live if name not in there]:
            yield _caption(self._live.pop(name), "", final=True)  # nothing of it was heard
        for name, line in there.items():
            known = self._live.get(name)
            self._live[name] = line
            if known is None or known.text != line.text:
                yield _caption(line, line.text, final=False)

    def _ask(self, question: Open | None) -> Iterator[w.Confirmation]:
        now = (question.id, question.answerable) if question is not None else ("", False)
        if now == self._question:
            return
        self._question = now
        if question is not None:
            self._settled.setdefault(question.id, "")
            yield w.Confirmation(
                question.id,
                question.text,
                _proposed(question.action),
                answerable=question.answerable,
                expires_in_ms=question.left_ms,
            )

    def _answers(self, trace: Trace) -> Iterator[w.ConfirmationSettled]:
        for asked in trace.actions:
            outcome = _outcome(asked)
            if self._settled.get(asked.id, outcome) != outcome:  # of one that was shown
                self._settled[asked.id] = outcome
                yield w.ConfirmationSettled(asked.id, outcome)


def _outcome(asked: Asked) -> w.Outcome:
    if asked.verdict is Verdict.CONFIRMED and asked.outcome:
        return _OUTCOMES.get(asked.outcome, "unknown")
    return _ENDS[asked.verdict]


def _caption(line: Line | Said, text: str, *, final: bool) -> w.Transcript:
    return w.Transcript(_SPEAKERS[line.speaker], text, final, _name(line))


def _name(line: Line | Said) -> str:
    """Name a line by who speaks and when it began, which stay the same when it is over."""
    return f"{line.speaker[0]}{line.at_ms}"


def _proposed(action: Action) -> w.ProposedAction:
    affects = tuple(w.AffectedThing(each.id, each.title, each.start_time) for each in action.affects)
    return w.ProposedAction(action.name, action.parameters, action.summary, affects)
