"""Commands to the assistant as an ear gives them, with the wish and the slots that they mean.

The lines were written before the rules for them. A third of each wish, drawn at random, was put into ``held_out`` and
stayed unseen while the rules were made: only its aggregate figures were looked at. A line is
``words | wish | slot=value; …``; ``event`` is a bag of words, without those that say only that it is an event.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from msgspec import Struct

from phone_bridge.assistant.calendar.demo import week
from phone_bridge.assistant.pointing import GENERIC
from phone_bridge.assistant.ports import Mood
from phone_bridge.assistant.understanding import SURE, understand
from tests.assistant.some_week import NOW

FOLDER = Path(__file__).parent
TITLES = tuple(dict.fromkeys(event.title for event in week(NOW)))
_NAMES = {
    "pronoun": "it",
    "upcoming": "next",
    "every": "all",
    "place": "nth",
    "other": "other",
}
_KNOWN = {
    "length_minutes": "length",
    "shift_minutes": "shift",
    "stretch_minutes": "stretch",
    "lead_minutes": "lead",
    "late_minutes": "late",
    "in_minutes": "ahead",
    "repeat": "every",
    "modes": "mode",
}


class Command(Struct, frozen=True):
    """What is said, and what it means."""

    text: str
    wish: str
    slots: dict[str, str]


class Score(Struct, frozen=True):
    """How many commands there are, and of how many the wish, and the wish with each of its slots, was understood."""

    commands: int
    wishes: int
    whole: int
    wrong: int
    """How many were understood as another wish, which is worse than not at all."""

    @property
    def wish_share(self) -> float:
        return self.wishes / self.commands

    @property
    def whole_share(self) -> float:
        return self.whole / self.commands


def commands(part: str) -> list[Command]:
    """Read the commands of ``seen`` or ``held_out``."""
    return [_command(line) for line in (FOLDER / f"{part}.txt").read_text("utf-8").splitlines()]


def answers() -> list[tuple[Mood, str]]:
    """Read what is said to questions of the assistant's, with the mood that each one leaves."""
    lines = (line.split("|") for line in (FOLDER / "answers.txt").read_text("utf-8").splitlines())
    return [(Mood(mood.strip()), words.strip()) for mood, words in lines]


def _command(line: str) -> Command:
    text, wish, slots = (part.strip() for part in line.split("|"))
    pairs = (pair.split("=", 1) for pair in slots.split(";", slots.count(";")) if pair.strip())
    return Command(text, wish, _joined(pairs))


def _joined(pairs: Any) -> dict[str, str]:
    """Join the pairs; a rule of repetition has semicolons of its own."""
    slots: dict[str, str] = {}
    for name, value in ((pair[0].strip(), pair[-1].strip()) for pair in pairs):
        if name.isupper():
            slots["every"] += f";{name}={value}"
        else:
            slots[name] = _bag(value) if name in ("event", "mode", "days") else value
    return slots


def _bag(words: str) -> str:
    return " ".join(sorted(set(words.split()) - GENERIC))


def read(text: str) -> tuple[str, dict[str, str]]:
    """Understand a command: its wish and its slots, as the lines write them."""
    wish = understand(text, NOW.date(), TITLES)
    if wish.confidence < SURE or wish.name == "fragment":
        return "fragment", {}
    slots = dict(wish.parameters())
    reference = slots.pop("reference", {})
    flat = {_KNOWN.get(name, name): _plain(value) for name, value in slots.items()} | _flat(reference)
    if flat.get("aspect") == "all_day":
        flat["all_day"] = "yes"
    if wish.name == "bulk_cancel_events":
        flat.pop("all", None)
    aspect = flat.get("aspect")
    if aspect == "all_day" or (aspect == "length" and wish.name == "update_event"):
        del flat["aspect"]
    return wish.name, {name: value for name, value in flat.items() if value}


def _flat(reference: dict[str, Any]) -> dict[str, str]:
    """Write what is pointed at as slots of one level."""
    words = _bag(f"{reference.get('words', '')} {reference.get('soft', '')}")
    others = {name: value for name, value in reference.items() if name not in ("words", "soft", "thing", "joined")}
    return {"event": words} | {_NAMES.get(name, f"event.{name}"): _plain(value) for name, value in others.items()}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _bag(" ".join(value)) if isinstance(value, list) else str(value)


def score(part: str) -> Score:
    """Understand every command of a part."""
    found = Counter[str]()
    for command in commands(part):
        wish, slots = read(command.text)
        found["commands"] += 1
        found["wishes"] += wish == command.wish
        found["whole"] += (wish, slots) == (command.wish, command.slots)
        found["wrong"] += wish not in (command.wish, "fragment")
    return Score(**{name: found[name] for name in ("commands", "wishes", "whole", "wrong")})


def missed(part: str) -> list[str]:
    """Tell what was understood otherwise than it was meant."""
    lines = []
    for command in commands(part):
        wish, slots = read(command.text)
        if (wish, slots) != (command.wish, command.slots):
            lines.append(f"{command.text}\n    meant {command.wish} {command.slots}\n    read  {wish} {slots}")
    return lines
