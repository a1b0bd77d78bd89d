"""How one language asks to be put through, as data."""

from collections.abc import Mapping
from itertools import groupby

import msgspec

from phone_bridge.call.assent.accents import plain
from phone_bridge.call.assent.hearing import Lexicon, Spelling, Words, hear, respell, shorten
from phone_bridge.call.through.notation import Grammar

ANYONE, NAMED, OTHER, ANSWER, WHOEVER = "anyone", "named", "other", "answer", "whoever"
"""Rules that every language has: it asks for somebody, for a name of the list, for a name that is none of it; the last
two answer the question who it shall be."""


class Tongue(msgspec.Struct, frozen=True):
    """One language: how contractions are written out, what says nothing, and the sentences."""

    spelling: Spelling
    fillers: frozenset[str]
    grammar: Grammar

    def said(self, words: Words) -> Words:
        """Spell ``words`` as the grammar does; who stammers says a word twice."""
        kept = (word for word in words if word not in self.fillers)
        return respell(tuple(word for word, _ in groupby(kept)), self.spelling)


def tongue(*, spelling: Mapping[str, str], fillers: str, besides: str, grammar: str) -> Tongue:
    """Make a language from text; ``besides`` are words that are no part of anybody's name."""
    respelling = Lexicon.of({tuple(heard.split()): tuple(meant.split()) for heard, meant in spelling.items()})
    return Tongue(spelling=respelling, fillers=frozenset(fillers.split()), grammar=Grammar(grammar, besides.split()))


def words_of(text: str) -> Words:
    """Take recognised text apart into plain words: lower case, without accents, and torn at their apostrophes."""
    return tuple(part for word in shorten(hear(text)) for part in plain(word).replace("'", " ").split())
