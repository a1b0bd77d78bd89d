"""Whether the caller consented: yes and no in words.

A false yes writes into somebody's calendar, a missed yes costs one more question. So consent is never guessed from
a word in the text; it is read by a grammar that has to explain every word (see ``grammar``), and even then a
question mark, a trailing "um", an idiom of doubt or a likeness to our own prompt takes it back.

What no grammar can see is a word that the recogniser lost: "please do" for "please don't". The call hears a whole
utterance, and begins it early enough not to clip its first word; that is all the help there is.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise

from phone_bridge.call.assent import echo
from phone_bridge.call.assent.english import ENGLISH
from phone_bridge.call.assent.french import FRENCH
from phone_bridge.call.assent.german import GERMAN
from phone_bridge.call.assent.grammar import (
    CONSENT,
    REFUSAL,
    REPETITION,
    SILENCE,
    Role,
    Roles,
    accepts,
    holds,
    labels,
)
from phone_bridge.call.assent.hearing import (
    UNKNOWN,
    Words,
    hear,
    is_broken_off,
    is_question,
    respell,
    shorten,
)
from phone_bridge.call.assent.spanish import SPANISH
from phone_bridge.call.assent.table import Table

TABLES: Mapping[str, Table] = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH}
"""The languages in which a caller may answer by voice; in any other there are the keys."""


class Assent(StrEnum):
    """What an utterance says to the question that was just asked."""

    YES = "yes"
    """Consent and nothing else: every word is explained by the grammar of consent."""
    NO = "no"
    """Refusal and nothing else that would matter: no yes, no doubt, no question and no new wish beside it."""
    WISH = "wish"
    """Signs of a new or changed wish, whatever yes or no stands beside it: the question falls."""
    REPEAT = "repeat"
    """A wish to hear the question again."""
    UNCLEAR = "unclear"
    """Anything else: a hedge, a contradiction, reported speech, a murmur, a bare "okay", words to somebody else."""
    ECHO = "echo"
    """The bridge's own prompt heard back, whole or a cut-out of two words or more."""
    NOTHING = "nothing"
    """No words, or fillers alone."""


def understand(text: str, language: str = "en", *, prompt: str = "") -> Assent:
    """Decide what ``text``, the recognised words of a whole utterance, answers to ``prompt``, our own words before it.

    ``language`` is a tag such as ``en`` or ``de-AT``. A language without a table is never understood: its words are
    UNCLEAR, so that only the keys confirm.

    Choices worth knowing. A spoken "one" is not consent, for it may be a time or an item of a list, and its key is
    under the thumb; a spoken "two" is a refusal, since a wrong no costs one more question. "Okay", "fine" and "uh-huh"
    alone are what people murmur while they listen: UNCLEAR. "Cancel it" is consent only beside a yes and only when
    ``prompt`` asks about cancelling ("I am about to cancel …"): alone it may as well mean the question.
    """
    table = TABLES.get(language.partition("-")[0].lower())
    heard = shorten(hear(text))
    if set(heard) <= {UNKNOWN}:
        return Assent.NOTHING
    return _decide(text, heard, hear(prompt), table) if table else Assent.UNCLEAR


def _decide(text: str, heard: Words, spoken: Words, table: Table) -> Assent:
    words, asked = respell(heard, table.spelling), respell(spoken, table.spelling)
    if accepts(SILENCE, words, table.roles):
        return Assent.NOTHING
    # As it was spelt and as it is meant: a cut may tear "all right" in two.
    if _is_cut_out(heard, spoken, table) or _is_cut_out(words, asked, table):
        return Assent.ECHO
    if accepts(CONSENT, words, table.consenting[_asked_kind(table, asked)]):
        open_ended = is_question(text) or is_broken_off(text)
        return Assent.UNCLEAR if open_ended or _is_doubtful(words, table, asked) else Assent.YES
    if accepts(REFUSAL, words, table.roles):
        return Assent.UNCLEAR if is_question(text) or _any(Role.DOUBT, labels(words, table.roles)) else Assent.NO
    if accepts(REPETITION, words, table.roles):
        return Assent.REPEAT
    if _is_garbled_echo(words, asked, table):
        return Assent.ECHO
    return _by_signs(words, table.roles, questioning=is_question(text))


def _is_cut_out(words: Words, asked: Words, table: Table) -> bool:
    return echo.is_cut_out(respell(words, table.sounds), respell(asked, table.sounds))


def _is_garbled_echo(words: Words, asked: Words, table: Table) -> bool:
    """Tell a badly heard prompt from a wish in its words: "cancel Dentist on Wednesday" is one, and no echo."""
    of_our_own = set(asked)
    foreign = labels(tuple(word for word in words if word not in of_our_own), table.roles)
    if _any(Role.WISH, foreign) or _any(Role.NUMBER, foreign):
        return False
    return echo.is_garbled(respell(words, table.sounds), respell(asked, table.sounds))


def _is_doubtful(words: Words, table: Table, asked: Words) -> bool:
    """Take a consent back that may be an idiom or our own prompt with words swallowed ("yes [to] confirm")."""
    return holds(words, Role.DOUBT, table.roles) or echo.is_thinned(words, asked)


def _asked_kind(table: Table, asked: Words) -> str:
    """Find the kind of deed that the prompt announces, by the longest cue directly after its first intro.

    "Yes, cancel it" is consent to cancel, and none to create something.
    """
    size = len(table.intro)
    begin = next((at + size for at in range(len(asked)) if asked[at : at + size] == table.intro), len(asked))
    return next((kind for _, kind in table.asked.find(asked, begin)), "")


def _by_signs(words: Words, roles: Roles, *, questioning: bool) -> Assent:
    """Sort what no grammar explains: a wish by its signs, a refusal by its opening, the rest is unclear."""
    found = labels(words, roles)
    if _shows_a_wish(found):
        return Assent.WISH
    return Assent.NO if not questioning and _opens_with_refusal(found) else Assent.UNCLEAR


def _shows_a_wish(found: list[frozenset[Role]]) -> bool:
    numbered = len(found) > 1 and _any(Role.NUMBER, found)
    objects = any(Role.STEM in played and not after for played, after in pairwise(found))
    return numbered or objects or _any(Role.WISH, found)


def _any(role: Role, found: list[frozenset[Role]]) -> bool:
    return any(role in played for played in found)


_BEFORE_A_REFUSAL = frozenset({Role.FILLER, Role.MURMUR, Role.LEAD, Role.TURN, Role.REGRET, Role.COURTESY})
_AGAINST_A_REFUSAL = frozenset({Role.YES, Role.STATEMENT, Role.ONWARD, Role.SUPPORT, Role.AGAIN, Role.DOUBT})


def _opens_with_refusal(found: list[frozenset[Role]]) -> bool:
    """Tell whether a refusal opens an utterance in which nothing speaks against it ("no, my wife needs it")."""
    rest = [played for played in found if not played & _BEFORE_A_REFUSAL]
    if not rest or not rest[0] & {Role.NO, Role.NOT}:
        return False
    for before, played in zip([frozenset[Role](), *rest], rest, strict=False):
        refused = Role.NOT in before
        if played & _AGAINST_A_REFUSAL or (Role.ACT in played and not refused) or (Role.NO in played and refused):
            return False
    return True
