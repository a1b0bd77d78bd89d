"""Whether a caller asks to be put through, and to whom.

Somebody is rung for what is found here, so nothing is guessed from a word: a sentence is a wish when all of it is read
by its language's grammar (see ``english`` and the others). What it misses costs a caller another sentence.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from phone_bridge.call.assent.hearing import Lexicon, Spelling, Words, is_broken_off, respell
from phone_bridge.call.through.english import ENGLISH
from phone_bridge.call.through.french import FRENCH
from phone_bridge.call.through.german import GERMAN
from phone_bridge.call.through.notation import NAME
from phone_bridge.call.through.spanish import SPANISH
from phone_bridge.call.through.tongue import ANSWER, ANYONE, NAMED, OTHER, WHOEVER, Tongue, words_of

TONGUES: Mapping[str, Tongue] = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH}
"""The languages that are understood. Each is tried, the call's own first: who asks for a person in another one than the
line speaks needs one the more."""
LONGEST_WISH = 25
"""Words of a wish; a longer tale is for the assistant."""


class Whom(StrEnum):
    """Whom a caller asks for."""

    NOBODY = "nobody"  # something else was said
    ANYONE = "anyone"  # a person, whoever it is
    NAMED = "named"
    OTHER = "other"  # somebody who is not on the list


class Wanted(msgspec.Struct, frozen=True):
    """Whom a caller asks for; ``name`` is as the list has it."""

    whom: Whom
    name: str = ""


NOBODY = Wanted(Whom.NOBODY)


class Names:
    """The names on an operator's list, to be found among words."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        found = {words_of(name): (f"{NAME}{place}",) for place, name in enumerate(self._names)}
        self._places: Spelling = Lexicon.of({words: place for words, place in found.items() if words})

    def marked(self, words: Words) -> Words:
        """Put the place of each name where the name stands."""
        return respell(words, self._places)

    def only(self, marked: Words) -> Wanted:
        """Give the one name among ``marked`` words; nobody where there are several, or none."""
        places = {word for word in marked if word.startswith(NAME)}
        return Wanted(Whom.NAMED, self._names[int(places.pop()[len(NAME) :])]) if len(places) == 1 else NOBODY


NO_NAMES = Names(())


def wanted(text: str, language: str = "en", names: Names = NO_NAMES) -> Wanted:
    """Decide whom ``text``, the recognised words of a whole utterance, asks for; ``language`` is a tag."""
    words = words_of(text)
    if is_broken_off(text) or len(words) > LONGEST_WISH:
        return NOBODY
    marked = names.marked(words)
    found = (_wanted(words, marked, tongue, names) for tongue in _tongues(language))
    return next((each for each in found if each.whom is not Whom.NOBODY), NOBODY)


def chosen(text: str, language: str, names: Names) -> Wanted:
    """Decide whom ``text`` asks for as an answer to the question who it shall be: a name alone is enough."""
    found = wanted(text, language, names)
    if found.whom is not Whom.NOBODY:
        return found
    words = words_of(text)
    marked = names.marked(words)
    for tongue in _tongues(language):
        if tongue.grammar.reads(ANSWER, tongue.said(marked)):
            return names.only(marked)
        if tongue.grammar.reads(WHOEVER, tongue.said(words)):
            return Wanted(Whom.ANYONE)
    return NOBODY


def _wanted(words: Words, marked: Words, tongue: Tongue, names: Names) -> Wanted:
    grammar = tongue.grammar
    if grammar.reads(ANYONE, tongue.said(words)):  # "the operator" may be a name as well
        return names.only(marked) if marked != words else Wanted(Whom.ANYONE)
    said = tongue.said(marked)
    if grammar.reads(NAMED, said):
        return names.only(marked)
    return Wanted(Whom.OTHER) if grammar.reads(OTHER, said) else NOBODY


def _tongues(language: str) -> list[Tongue]:
    own = language.partition("-")[0].lower()
    return [TONGUES[each] for each in sorted(TONGUES, key=lambda each: each != own)]
