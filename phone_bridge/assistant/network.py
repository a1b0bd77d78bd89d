"""A finite grammar: what sentences it has, what words, and whether a sentence belongs to it.

The grammar is written in the plain part of JSGF: ``<name> = one | two (three | four) [five];`` with the public
rule last. Rules are not recursive, so the language is finite.
"""

import random
import re
from collections.abc import Iterator, Sequence

from phone_bridge.errors import LocalError

Arcs = frozenset[tuple[str, int]]
"""The ways out of a state: a word, and the state that it leads to. ``END`` among them lets the sentence end."""

END = ("", -1)
_TOKEN = re.compile(r"<[a-z_]+>|[=;|()\[\]]|[^\s<>=;|()\[\]]+")

_Node = str | list["_Node"] | tuple["_Node", ...]  # a word or rule, a choice, a sequence


class Network:
    """The sentences of a grammar as a network of words, built from their ends, so that equal rests are one state."""

    def __init__(self, text: str) -> None:
        self._rules = dict(_rules(text))
        if not self._rules:
            raise LocalError("a grammar without rules was given")
        self._top = f"<{list(self._rules)[-1]}>"
        self._states: list[Arcs] = []
        self._ids: dict[Arcs, int] = {}
        self._done: dict[tuple[str, int], Arcs] = {}
        self._start = self._number(self._arcs(self._top, frozenset({END})))
        self.words = frozenset(word for arcs in self._states for word, _ in arcs if word)
        """Every word of the language."""

    @property
    def start(self) -> int:
        """The state that sentences begin in."""
        return self._start

    @property
    def final(self) -> int:
        """The state behind all others, which every whole sentence leads to."""
        return len(self._states)

    def steps(self) -> list[tuple[int, int, str]]:
        """List every way from a state to a state with its word; to ``final`` it is empty."""
        return [
            (state, self.final if to < 0 else to, word) for state, arcs in enumerate(self._states) for word, to in arcs
        ]

    def accepts(self, words: Sequence[str]) -> bool:
        """Say whether ``words`` are a whole sentence of the grammar."""
        here = {self._start}
        for word in words:
            here = {to for state in here for way, to in self._states[state] if way == word and to >= 0}
        return any(END in self._states[state] for state in here)

    def sentence(self, chance: random.Random) -> list[str]:
        """Draw one sentence: of every choice, each alternative is as likely."""
        words: list[str] = []
        self._draw(self._top, chance, words)
        return words

    def _draw(self, node: _Node, chance: random.Random, words: list[str]) -> None:
        if isinstance(node, list):
            self._draw(chance.choice(node), chance, words)
        elif isinstance(node, tuple):
            for part in node:
                self._draw(part, chance, words)
        elif node.startswith("<"):
            self._draw(self._rules[node[1:-1]], chance, words)
        elif node:
            words.append(node)

    def _number(self, arcs: Arcs) -> int:
        if arcs not in self._ids:
            self._ids[arcs] = len(self._states)
            self._states.append(arcs)
        return self._ids[arcs]

    def _arcs(self, node: _Node, then: Arcs) -> Arcs:
        """Give the ways into ``node`` when ``then`` are the ways on behind it."""
        if isinstance(node, list):
            return frozenset().union(*(self._arcs(choice, then) for choice in node))
        if isinstance(node, tuple):
            for part in reversed(node):
                then = self._arcs(part, then)
            return then
        if node.startswith("<"):
            return self._rule(node[1:-1], then)
        return frozenset({(node, self._number(then))}) if node else then

    def _rule(self, name: str, then: Arcs) -> Arcs:
        if name not in self._rules:
            raise LocalError(f"the grammar has no rule <{name}>")
        key = (name, self._number(then))
        if key not in self._done:
            self._done[key] = self._arcs(self._rules[name], then)
        return self._done[key]


def _rules(text: str) -> Iterator[tuple[str, _Node]]:
    tokens = _TOKEN.findall(text)
    while tokens:
        end = tokens.index(";")
        rule, tokens = tokens[:end], tokens[end + 1 :]
        yield rule[0][1:-1], _choice(rule[2:][::-1])


def _choice(tokens: list[str]) -> _Node:
    """Parse alternatives off the end of ``tokens`` (reversed), up to a closing bracket."""
    choices: list[_Node] = []
    parts: list[_Node] = []
    while tokens and tokens[-1] not in (")", "]"):
        sign = tokens.pop()
        if sign == "|":
            choices.append(tuple(parts))
            parts = []
        elif sign in ("(", "["):
            inner = _choice(tokens)
            tokens.pop()
            parts.append(inner if sign == "(" else [inner, ""])
        else:
            parts.append(sign)
    return [*choices, tuple(parts)]
