"""Any JSON value, spoken, and never more of it than a caller can listen to."""

from collections.abc import Sequence
from typing import Any

from phone_bridge.call.words import clean, moments
from phone_bridge.call.words.tongue import Tongue

MOST_NAMED = 7
"""Things of one list that are named; the rest is counted."""

DEEPEST = 3
"""Levels of nested values that are said."""

LARGEST_NUMBER = 10**12
"""Numbers from here on are not read out."""


def say_value(value: Any, tongue: Tongue, *, year: bool, depth: int = DEEPEST) -> str:
    """Say a value; empty when there is nothing to say."""
    if isinstance(value, bool):
        return tongue.say("switched_on" if value else "switched_off")
    if isinstance(value, int | float):
        return _number(value, tongue)
    if isinstance(value, str):
        return _text(value, tongue, year=year)
    if depth == 0:
        return tongue.say("and_so_on")
    if isinstance(value, dict):
        return say_pairs(value, tongue, year=year, depth=depth)
    if isinstance(value, list):
        said = [say_value(each, tongue, year=year, depth=depth - 1) for each in value]
        return say_list([each for each in said if each], tongue)
    return ""


def say_pairs(pairs: dict[str, Any], tongue: Tongue, *, year: bool, depth: int = DEEPEST) -> str:
    """Say an object: "mode: walk and parking buffer min: 5"."""
    said = [say_pair(name, value, tongue, year=year, depth=depth - 1) for name, value in pairs.items()]
    return say_list([pair for pair in said if pair], tongue)


def say_pair(name: str, value: Any, tongue: Tongue, *, year: bool, depth: int = DEEPEST) -> str:
    """Say one parameter: "reason: illness", or "without location" for a null that clears it."""
    label = clean.phrase(tongue.label(str(name)))
    if value is None:
        return tongue.say("without", label)
    said = say_value(value, tongue, year=year, depth=depth)
    return tongue.say("detail", label, said) if said else ""


def say_list(things: Sequence[str], tongue: Tongue, *, count: int | None = None) -> str:
    """Name the first things and count the rest; ``count`` is how many there are in all, if more than are known."""
    total = max(count or 0, len(things))
    named = list(things[:MOST_NAMED])
    if total > len(named):
        named.append(tongue.say("more", total - len(named)))
    return tongue.join(named)


def _number(value: float, tongue: Tongue) -> str:
    if not -LARGEST_NUMBER < value < LARGEST_NUMBER:  # neither is a NaN
        return tongue.say("very_large")
    return str(value)


def _text(value: str, tongue: Tongue, *, year: bool) -> str:
    moment = moments.parse(value)
    if moment is not None:
        return moments.say(moment, tongue, year=year)
    clock = moments.parse_clock(value)
    return tongue.clock(clock) if clock is not None else clean.phrase(value, clean.LONGEST_VALUE)
