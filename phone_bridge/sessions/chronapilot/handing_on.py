"""A conversation that goes on in a new session, as the one documented message that can carry it: a text turn.

ChronaPilot has no message for what was said before, so it is told in words that a language model reads rightly, and in
lines that the built-in assistant reads back exactly.
"""

import msgspec

from phone_bridge.call.commands import Done, HandOn, Turn
from phone_bridge.call.events import Action
from phone_bridge.sessions.chronapilot.messages import MAX_TEXT_CHARS

HEAD = "[This telephone conversation goes on after an interruption. What was said so far:]"
DONE = "[The caller has already consented to the following; do none of it again unless it is asked for anew:]"
ANSWER = "[Go on from here: answer the caller's last words if they are unanswered, or else say that you are back.]"
WAIT = "[Say nothing now, and wait for the caller's next words.]"

_LINE_CHARS = 1_000  # of one turn: what is longer is cut
_SPEAKERS = {"caller": "Caller", "assistant": "Assistant"}
_NAMES = {name: speaker for speaker, name in _SPEAKERS.items()}


class _DoneLine(msgspec.Struct, frozen=True):
    name: str
    parameters: dict[str, object]
    outcome: str


_read_done = msgspec.json.Decoder(_DoneLine).decode


def write(duty: HandOn) -> str:
    """Write the conversation; the oldest turns are left out where it would be longer than a text turn may be."""
    done = [_done(each) for each in duty.done]
    tail = [*([DONE, *done] if done else []), ANSWER if duty.answer else WAIT]
    room = MAX_TEXT_CHARS - sum(len(line) + 1 for line in (HEAD, *tail))
    lines: list[str] = []
    for turn in reversed(duty.turns):
        line = f"{_SPEAKERS.get(turn.speaker, 'Assistant')}: {' '.join(turn.text.split())[:_LINE_CHARS]}"
        room -= len(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    return "\n".join((HEAD, *lines, *tail))[:MAX_TEXT_CHARS]


def _done(done: Done) -> str:
    line = _DoneLine(done.action.name, done.action.parameters, done.outcome)
    return msgspec.json.encode(line).decode()[:_LINE_CHARS]


def read(text: str) -> HandOn | None:
    """Read what ``write`` wrote; None for any other text. Lines that make no sense are left out."""
    lines = text.split("\n")
    if lines[0] != HEAD or lines[-1] not in (ANSWER, WAIT):
        return None
    turns: list[Turn] = []
    done: list[Done] = []
    for line in lines[1:-1]:
        name, _, words = line.partition(": ")
        if name in _NAMES and words:
            turns.append(Turn(_NAMES[name], words))
        elif line.startswith("{"):
            try:
                known = _read_done(line)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            done.append(Done(Action(known.name, known.parameters), known.outcome))
    return HandOn(tuple(turns), tuple(done), lines[-1] == ANSWER)
