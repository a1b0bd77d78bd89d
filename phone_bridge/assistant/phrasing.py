"""A small language for what people say: phrasings with optional words, choices and typed slots, as patterns of a turn.

``(when|how soon) do i have to $leave [for <event>]`` is one phrasing: round brackets hold choices, square ones what may
be left out, ``<…>`` is a slot and ``$…`` a choice that has a name. A phrasing fits a whole turn or not at all, and only
where each slot can read its words.
"""

import re
from collections.abc import Callable, Mapping
from itertools import count

from msgspec import Struct

from phone_bridge.assistant.masking import Turn
from phone_bridge.assistant.wishes import Wish
from phone_bridge.errors import LocalError

_PART = re.compile(r"[()\[\]|]|<\w+>|\$\w+|[^\s()\[\]|<>$]+")
_GROUP = re.compile(r"\(\?P<\w+>")
_SIGNS = {"(": "(?:", "[": "(?:", ")": ")", "]": ")?", "|": "|"}


class Slot(Struct, frozen=True):
    """What may stand in a place of a phrasing.

    ``pattern`` is what its signs look like, each with a space behind it; ``read`` puts what they mean into the wish, or
    gives None where they mean nothing.
    """

    pattern: str
    read: Callable[[Turn, Wish], Wish | None]


class Phrasing(Struct, frozen=True):
    """A way to say ``wish``; ``slots`` read what was said with it."""

    wish: Wish
    pattern: re.Pattern[str]
    slots: Mapping[str, Slot]

    def read(self, turn: Turn) -> Wish | None:
        """Give the wish with its slots filled; None where the turn is something else."""
        match = self.pattern.fullmatch(f"{turn.text} ")
        if match is None:
            return None
        wish: Wish | None = self.wish
        for name in self.pattern.groupindex:
            if match[name] is not None and wish is not None:
                wish = self.slots[name.partition("_")[0]].read(turn.group(match, name), wish)
        return wish


def phrasing(text: str, wish: Wish, slots: Mapping[str, Slot], names: Mapping[str, str]) -> Phrasing:
    """Read a phrasing of our own; raises LocalError for a slot or a name that is not known."""
    pattern = _pattern(text, slots, names)
    numbers = count()  # a slot may stand in several choices, where a group's name may stand only once
    return Phrasing(wish, re.compile(_GROUP.sub(lambda group: f"{group[0][:-1]}_{next(numbers)}>", pattern)), slots)


def _pattern(text: str, slots: Mapping[str, Slot], names: Mapping[str, str]) -> str:
    try:
        return "".join(_part(part, slots, names) for part in _PART.findall(text))
    except KeyError as error:
        raise LocalError(f"the phrasing {text!r} uses {error}, which is not known") from None


def _part(part: str, slots: Mapping[str, Slot], names: Mapping[str, str]) -> str:
    if part in _SIGNS:
        return _SIGNS[part]
    if part.startswith("$"):
        return f"(?:{_pattern(names[part[1:]], slots, names)})"
    if part.startswith("<"):
        return f"(?P<{part[1:-1]}>{slots[part[1:-1]].pattern})"
    return f"{re.escape(part)} "
