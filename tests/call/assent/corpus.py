"""What callers say at a confirmation, by language and meaning.

The files beside this one were written before the rules. A third of each, drawn at random, was put into ``held_out``
and stayed unseen while the rules were made: only its aggregate figures were looked at. ``*_traps`` were added later,
for everything that must not be a yes and that reading the rules brought to mind.
"""

from pathlib import Path

from phone_bridge.call import words
from phone_bridge.call.events import Action, Affected

FOLDER = Path(__file__).parent
KINDS = ("yes", "no", "wish", "unclear", "repeat", "nothing", "restated", "traps")
_DENTIST = (Affected("evt_dentist", "Dentist", "2026-11-24T15:00:00+01:00"),)
_LUNCH = (Affected("evt_lunch", "Lunch with Sarah", "2026-11-27T12:30:00+01:00"),)

ACTIONS = {
    "cancel": Action("cancel_event", {"event_id": "evt_dentist"}, "", _DENTIST),
    "create": Action("create_event", {"title": "Dentist", "start_time": "2026-11-24T15:00:00+01:00"}),
    "move": Action("update_event", {"event_id": "evt_lunch", "start_time": "2026-11-28T12:30:00+01:00"}, "", _LUNCH),
    "bulk": Action("bulk_cancel_events", {"event_ids": ["evt_dentist", "evt_lunch"]}, "", _DENTIST + _LUNCH),
}


def texts(language: str, kind: str, *, seen: bool = True, unseen: bool = True) -> list[str]:
    """Read the phrasings of one kind."""
    names = [FOLDER / f"{language}_{kind}.txt"] * seen + [FOLDER / "held_out" / f"{language}_{kind}.txt"] * unseen
    return [line for name in names if name.exists() for line in name.read_text("utf-8").splitlines()]


def prompt(about: str, language: str) -> str:
    """Say what the caller has just heard: the question and the keys."""
    lines = (words.question(ACTIONS[about], language), words.line("keys", language), words.line("keypad", language))
    return " ".join(line.text for line in lines)
