"""Sentences of one kind, written down as a small grammar, and whether words are one of them.

``[a]`` may be left out, ``(a | b)`` is one of them, ``a*`` comes any number of times, ``<rule>`` stands for a rule.
``<name>`` is a name that was found before, ``<unknown>`` one to four words that are none of those ``besides``.

Every way of reading is followed at once, each rule once at each word: the time does not run away with the words.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

NAME = "@"
"""What a name that was found stands as: this and its place in the list."""
MAX_UNKNOWN_WORDS = 4

Words = tuple[str, ...]
Ends = frozenset[int]
Part = Callable[["Reading", int], Ends]
"""A part of a grammar: where in the words that are read it may end that begins at a place."""

_PIECE = re.compile(r"<\w+>|[\[\]()|*]|[^\s\[\]()|*<>]+")
_NOWHERE: Ends = frozenset()


class Grammar:
    """Rules, each ``name = what it stands for;``; ``besides`` are words that are no part of anything unknown."""

    def __init__(self, text: str, besides: Iterable[str]) -> None:
        self._besides = frozenset(besides)
        parts = (rule.partition("=") for rule in text.split(";") if rule.strip())
        self._rules = {name.strip(): _choice(_Pieces(meant)) for name, _, meant in parts}
        self._rules |= {"name": _name, "unknown": self._unknown}
        self._known = frozenset(_PIECE.findall(text))

    def reads(self, rule: str, words: Words) -> bool:
        """Tell whether all of ``words`` are what ``rule`` stands for."""
        if sum(word not in self._known and not word.startswith(NAME) for word in words) > MAX_UNKNOWN_WORDS:
            return False  # most of what is said on a telephone
        return len(words) in Reading(self._rules, words).ends(rule, 0)

    def _unknown(self, reading: "Reading", at: int) -> Ends:
        ends = set()
        for end, word in enumerate(reading.words[at : at + MAX_UNKNOWN_WORDS], at + 1):
            if word in self._besides or not word.isalpha():
                break
            ends.add(end)
        return frozenset(ends)


class Reading:
    """One reading of ``words``, which remembers what was found."""

    def __init__(self, rules: Mapping[str, Part], words: Words) -> None:
        self.words = words
        self._rules = rules
        self._found: dict[tuple[str, int], Ends] = {}

    def ends(self, rule: str, at: int) -> Ends:
        """Say where ``rule`` may end that begins at ``at``."""
        key = (rule, at)
        if key not in self._found:
            self._found[key] = self._rules[rule](self, at)
        return self._found[key]


def _name(reading: Reading, at: int) -> Ends:
    return frozenset((at + 1,)) if at < len(reading.words) and reading.words[at].startswith(NAME) else _NOWHERE


class _Pieces:
    """What is left of a rule's text."""

    def __init__(self, text: str) -> None:
        self._pieces: Iterator[str] = iter(_PIECE.findall(text))
        self.next = next(self._pieces, "")

    def take(self) -> str:
        taken, self.next = self.next, next(self._pieces, "")
        return taken


def _choice(pieces: _Pieces) -> Part:
    ways = [_sequence(pieces)]
    while pieces.next == "|":
        pieces.take()
        ways.append(_sequence(pieces))
    return ways[0] if len(ways) == 1 else lambda reading, at: frozenset().union(*(way(reading, at) for way in ways))


def _sequence(pieces: _Pieces) -> Part:
    parts: list[Part] = []
    while pieces.next not in ("", "|", ")", "]"):
        part = _one(pieces)
        if pieces.next == "*":
            pieces.take()
            part = _repeated(part)
        parts.append(part)
    return lambda reading, at: _through(parts, reading, at)


def _one(pieces: _Pieces) -> Part:
    piece = pieces.take()
    if piece in ("(", "["):
        inner = _choice(pieces)
        pieces.take()
        return inner if piece == "(" else lambda reading, at: inner(reading, at) | {at}
    if piece.startswith("<"):
        rule = piece[1:-1]
        return lambda reading, at: reading.ends(rule, at)
    return lambda reading, at: frozenset((at + 1,)) if reading.words[at : at + 1] == (piece,) else _NOWHERE


def _through(parts: list[Part], reading: Reading, at: int) -> Ends:
    reached: Ends = frozenset((at,))
    for part in parts:
        reached = frozenset(end for begin in reached for end in part(reading, begin))
    return reached


def _repeated(part: Part) -> Part:
    def ends(reading: Reading, at: int) -> Ends:
        reached, fresh = {at}, {at}
        while fresh:
            fresh = {end for begin in fresh for end in part(reading, begin)} - reached
            reached |= fresh
        return frozenset(reached)

    return ends
