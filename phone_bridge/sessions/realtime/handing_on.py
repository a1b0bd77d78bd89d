"""A conversation that goes on in a new session: its turns as items, as if they had been said in this one."""

import msgspec

from phone_bridge.call.commands import Done, HandOn
from phone_bridge.sessions.realtime.messages import Content, Item

DONE = (
    "This telephone conversation goes on after an interruption. The caller has consented to the following already, "
    "with the outcome that is given; do none of it again unless the caller asks for it anew:"
)
GO_ON = (
    "This telephone conversation goes on after an interruption. Answer the caller's last words if they are unanswered, "
    "or else say that you are back."
)
MAX_DEEDS = 20  # of what was consented to, the last ones
_LINE_CHARS = 1_000  # of one turn or deed: what is longer is cut


def items(duty: HandOn) -> list[Item]:
    """Make the items, in their order."""
    made = [
        _message("user", "input_text", turn.text)
        if turn.speaker == "caller"
        else _message("assistant", "output_text", turn.text)
        for turn in duty.turns
        if turn.text.strip()
    ]
    if duty.done:
        made.append(_message("system", "input_text", "\n".join((DONE, *map(_deed, duty.done[-MAX_DEEDS:]))), cut=False))
    if duty.answer:
        made.append(_message("system", "input_text", GO_ON))
    return made


def _message(role: str, kind: str, text: str, *, cut: bool = True) -> Item:
    said = text[:_LINE_CHARS] if cut else text
    return Item(type="message", role=role, content=(Content(type=kind, text=said),))


def _deed(done: Done) -> str:
    deed = {"name": done.action.name, "parameters": done.action.parameters, "outcome": done.outcome}
    return msgspec.json.encode(deed).decode()[:_LINE_CHARS]
