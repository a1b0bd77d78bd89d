"""The words that name an action, so that what is heard is what would be done.

They are made from the tool's name, its exact parameters and the things it affects, because these are what is
executed; the session's ``summary`` is a claim about them that nobody can check against them. So the summary is never
said instead. It is said *after* them, as the assistant's words, where they alone cannot tell the caller what is meant:
an event known by nothing but its id, a tool that the bridge does not know, an action without any parameters.

Every parameter is heard, known or not, except for defaults that change nothing, a time zone beside times that
carry their offset, and the id of a thing that has been named. Remote words are cut to a length, and cannot begin a
sentence of their own inside ours.
"""

import re

from phone_bridge.call.commands import Line
from phone_bridge.call.events import Action
from phone_bridge.call.words import clean, values
from phone_bridge.call.words.recipes import RECIPES
from phone_bridge.call.words.telling import Telling
from phone_bridge.call.words.tongue import Tongue

MOST_DETAILS = 12
"""Details of one action that are said; the rest is counted."""

LONGEST_KEY = 40
"""Characters of a tool's name in a line's key, which may become a file's name."""

QUESTION = "question."
"""How the keys of lines that name an action begin."""

_IDS = ("event_id", "event_ids", "alert_id")


def question(action: Action, tongue: Tongue) -> Line:
    """Name ``action``; never raises, whatever its parameters hold."""
    clause, explained = _clause(action, tongue)
    said = [tongue.say("question", clause)]
    if explained:
        said.append(tongue.say("summary", clean.sentences(action.summary)))
    return Line(QUESTION + _key(action.name), " ".join(said))


def summary(action: Action, tongue: Tongue) -> str:
    """Name ``action`` in a sentence, in the question's own words: "Cancel Dentist, on Tuesday …"."""
    said = _clause(action, tongue)[0]
    return f"{said[:1].upper()}{said[1:]}."


def _clause(action: Action, tongue: Tongue) -> tuple[str, bool]:
    """Say an action, and whether the session's own words must explain it."""
    telling = Telling(action, tongue)
    recipe = RECIPES.get(action.name)
    head = recipe(telling) if recipe else _run(action.name, tongue)
    explained = clean.has_content(action.summary) and not (recipe and telling.named)
    details = _limited(telling.details + _rest(telling, ids=not explained), tongue)
    return _joined(head, details), explained


def _run(name: str, tongue: Tongue) -> str:
    said = clean.phrase(name.replace("_", " "))
    return tongue.say("unknown_tool", said) if clean.has_content(said) else tongue.say("nameless_tool")


def _rest(telling: Telling, *, ids: bool) -> list[str]:
    """Say the parameters that no recipe has taken, and what else the action touches."""
    tongue, year = telling.tongue, telling.year
    left = {name: value for name, value in telling.left.items() if ids or name not in _IDS}
    pairs = [values.say_pair(name, value, tongue, year=year) for name, value in left.items()]
    touched = telling.others()
    also = [tongue.say("also", telling.describe(touched))] if touched else []
    return [pair for pair in pairs if pair] + also


def _limited(details: list[str], tongue: Tongue) -> list[str]:
    if len(details) <= MOST_DETAILS:
        return details
    return [*details[:MOST_DETAILS], tongue.say("further", len(details) - MOST_DETAILS)]


def _joined(head: str, details: list[str]) -> str:
    between = " " if head.endswith(":") else ", "
    return (head + between + ", ".join(details)).rstrip(" ,:.")


def _key(name: str) -> str:
    """Keep what may stand in a file's name."""
    return re.sub(r"[^a-z0-9_]+", "_", name.lower())[:LONGEST_KEY] or "_"
