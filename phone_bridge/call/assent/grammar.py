"""Three small grammars of an answer: consent, refusal and the wish to hear it again.

A language's table gives each phrase its roles; a grammar is a table of states. An utterance is accepted when its
words can be cut into phrases that lead from ``start`` to ``said`` with nothing left over. So the list of what may be
said is finite, and one word that the table does not know, or knows for something else, keeps the door shut.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from phone_bridge.call.assent.hearing import Lexicon, Words


class Role(StrEnum):
    """What a phrase does in an answer."""

    FILLER = "filler"  # says nothing: "uh"
    MURMUR = "murmur"  # says "I am listening": "uh-huh"
    LEAD = "lead"  # opens an answer and decides nothing: "oh", "right"
    TURN = "turn"  # announces another thought: "actually"; may open a refusal, never a consent
    COURTESY = "courtesy"  # "please", "thank you"
    REGRET = "regret"  # "sorry"
    YES = "yes"  # consents by itself: "yes", "absolutely"
    STATEMENT = "statement"  # consents by itself, and is a clause: "I confirm", "that is right"
    ACT = "act"  # tells us to do it: "go ahead"; consents by itself, refuses after a NOT
    URGE = "urge"  # may stand before an ACT: "you can", "just"
    ONWARD = "onward"  # "go ahead and"
    DEED = "deed"  # names the deed again: "cancel it"; consents only beside a yes, and only if it was asked
    NOTED = "noted"  # acknowledges: "I understand"; consents only with an ACT after it
    ECHOED = "echoed"  # repeats the verb of a yes: "I do", "it is"; consents only directly after one
    SUPPORT = "support"  # agrees beside a yes and not without: "okay", "that is fine"
    NO = "no"  # refuses by itself
    NOT = "not"  # refuses what follows: "do not"
    AGAIN = "again"  # asks to hear the question again
    DOUBT = "doubt"  # hedges, hesitates, or is an idiom that a machine should not decide: "why not", "no problem"
    WISH = "wish"  # a sign of a new or changed wish: "make it", "instead", "Friday"
    NUMBER = "number"  # a number other than those of the two keys: a sign of a wish beside other words
    STEM = "stem"  # a word that makes a wish of an unknown word after it: "cancel lunch", "with Sarah"


Grammar = Mapping[str, Mapping[Role, str]]
Roles = Lexicon[frozenset[Role]]

START, SAID, ECHOED, STATED = "start", "said", "echoed", "stated"
ACCEPTING = frozenset({SAID, ECHOED, STATED})

_SAID: Mapping[Role, str] = {
    Role.YES: SAID,
    Role.STATEMENT: STATED,
    Role.ACT: SAID,
    Role.DEED: SAID,
    Role.SUPPORT: SAID,
    Role.COURTESY: SAID,
    Role.ECHOED: ECHOED,
    Role.NOTED: "noted",
    Role.URGE: "urged on",
    Role.ONWARD: "onward",
    Role.FILLER: "wavering",
}
# A clause after a clause may be its object: "confirm that's right" asks us to check, and consents to nothing.
_STATED: Mapping[Role, str] = {
    Role.YES: SAID,
    Role.ACT: SAID,
    Role.COURTESY: STATED,
    Role.URGE: "urged on",
    Role.ONWARD: "onward",
    Role.FILLER: "wavering statement",
}

CONSENT: Grammar = {
    START: {
        Role.FILLER: START,
        Role.MURMUR: START,
        Role.LEAD: START,
        Role.COURTESY: START,
        Role.SUPPORT: START,
        Role.YES: SAID,
        Role.STATEMENT: STATED,
        Role.ACT: SAID,
        Role.NOTED: "noted",
        Role.URGE: "urged",
        Role.ONWARD: "onward",
    },
    "noted": {
        Role.FILLER: "noted",
        Role.COURTESY: "noted",
        Role.SUPPORT: "noted",
        Role.URGE: "urged",
        Role.ONWARD: "onward",
        Role.ACT: SAID,
    },
    "urged": {
        Role.FILLER: "urged",
        Role.COURTESY: "urged",
        Role.URGE: "urged",
        Role.ONWARD: "onward",
        Role.ACT: SAID,
    },
    "urged on": {
        Role.FILLER: "urged on",
        Role.COURTESY: "urged on",
        Role.URGE: "urged on",
        Role.ONWARD: "onward",
        Role.ACT: SAID,
        Role.DEED: SAID,
    },
    "onward": {Role.COURTESY: "onward", Role.ACT: SAID, Role.DEED: SAID},
    SAID: _SAID,
    STATED: _STATED,
    ECHOED: {Role.YES: SAID, Role.COURTESY: SAID},  # never an ACT: "yes I would do it" may mean "I, myself"
    "wavering": _SAID,  # an answer that ends in "um" goes on
    "wavering statement": _STATED,
}

REFUSAL: Grammar = {
    START: {
        Role.FILLER: START,
        Role.MURMUR: START,
        Role.LEAD: START,
        Role.TURN: START,
        Role.REGRET: START,
        Role.COURTESY: START,
        Role.SUPPORT: START,
        Role.NO: SAID,
        Role.NOT: "negated",
    },
    "negated": {
        Role.FILLER: "negated",
        Role.COURTESY: "negated",
        Role.URGE: "negated",
        Role.ACT: SAID,
        Role.DEED: SAID,
    },
    SAID: {
        Role.FILLER: SAID,
        Role.TURN: SAID,
        Role.REGRET: SAID,
        Role.COURTESY: SAID,
        Role.NO: SAID,
        Role.NOT: "negated",
        Role.SUPPORT: "softened",
    },
    "softened": {Role.FILLER: "softened", Role.COURTESY: "softened", Role.NO: SAID, Role.NOT: "negated"},
}

REPETITION: Grammar = {
    START: {
        Role.FILLER: START,
        Role.LEAD: START,
        Role.SUPPORT: START,
        Role.REGRET: START,
        Role.COURTESY: START,
        Role.AGAIN: SAID,
    },
    SAID: {Role.FILLER: SAID, Role.REGRET: SAID, Role.COURTESY: SAID, Role.AGAIN: SAID},
}

SILENCE: Grammar = {START: {Role.FILLER: SAID}, SAID: {Role.FILLER: SAID}}


def accepts(grammar: Grammar, words: Words, roles: Roles) -> bool:
    """Tell whether all of ``words`` can be read by ``grammar``, with phrases that have ``roles``.

    Follows every way of cutting the words into phrases at once; the time is linear in the words.
    """
    states: list[set[str]] = [set() for _ in range(len(words) + 1)]
    states[0].add(START)
    for at, here in enumerate(states[:-1]):
        for length, played in roles.find(words, at) if here else ():
            states[at + length] |= {after for state in here for after in _next(grammar[state], played)}
    return not ACCEPTING.isdisjoint(states[-1])


def labels(words: Words, roles: Roles) -> list[frozenset[Role]]:
    """Cut ``words`` into phrases, the longest first, from left to right; an unknown word has no role."""
    found: list[frozenset[Role]] = []
    at = 0
    while at < len(words):
        length, played = next(roles.find(words, at), (1, frozenset[Role]()))
        found.append(played)
        at += length
    return found


def holds(words: Words, role: Role, roles: Roles) -> bool:
    """Tell whether a phrase with ``role`` stands anywhere in ``words``, whatever else the words may be cut into."""
    return any(role in played for at in range(len(words)) for _, played in roles.find(words, at))


def _next(moves: Mapping[Role, str], played: frozenset[Role]) -> Iterator[str]:
    return (moves[role] for role in played if role in moves)
