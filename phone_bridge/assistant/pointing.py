"""How callers point at events: "it", "my next meeting", "the dentist", "the three o'clock", "the second one"."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import structs

from phone_bridge.assistant.masking import TITLE, Item, Turn, masked
from phone_bridge.assistant.phrase import Phrase, Token
from phone_bridge.assistant.spoken_time import scan
from phone_bridge.assistant.when import Ahead, At, Between, Day, Part, Piece, Repeat, When, gather
from phone_bridge.assistant.wishes import Reference

ARTICLES = frozenset(("a", "an", "the", "my", "our", "this", "that", "these", "those", "of", "all", "any"))
PREPOSITIONS = frozenset(("with", "at", "on", "in", "from", "for", "about", "to", "called", "named", "and", "by"))
GENERIC = frozenset(
    {"meeting", "meetings", "appointment", "appointments", "event", "events", "one", "ones", "entry"}
    | {"thing", "calendar", "diary", "agenda", "schedule"}
)
"""Words that say that it is an event, and nothing about which."""
SOFT = frozenset(
    {"call", "calls", "session", "class", "lunch", "dinner", "breakfast", "coffee", "review"}
    | {"interview", "workshop", "party", "training", "conference", "presentation", "haircut"}
)
"""Words that may be a part of a title, or only say what kind of event it is."""
_EVERY = re.compile(
    r"them|everything|(?:the|these) two"
    r"|(?:all|both)(?: of)?(?: (?:them|these|the|my))?(?: (?:meetings|appointments|events|calls))?"
)
_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1, "latter": -1, "former": 1}
_NO_NAMES = ARTICLES | PREPOSITIONS | GENERIC | {"it", "not", "no"}


def point(said: Sequence[Token], today: date, titles: Iterable[str] = ()) -> Reference:
    """Read words that point at events."""
    return pointed(masked(said, today, titles))


def pointed(turn: Turn) -> Reference:
    """Read what points at events: pronouns, places in a list, words of titles, times."""
    if _EVERY.fullmatch(turn.bones):
        return Reference(every=True, when=time_of_event(turn.pieces))
    signs = [item for item in turn.items if item.piece is None]
    clock, signs = _bare_clock(signs)
    choice, signs = _chosen(signs)
    words = [word for item in signs for word in _names(item)]
    reference = structs.replace(
        choice,
        words=tuple(word for word in words if word not in SOFT),
        soft=tuple(word for word in words if word in SOFT),
        when=time_of_event([*turn.pieces, *clock]),
    )
    thing = any(item.sign in GENERIC for item in signs)
    pronoun = not reference.points() and _is_definite(turn.bones)
    joined = any(item.sign == "and" for item in signs[1:-1])
    return structs.replace(reference, thing=thing, pronoun=pronoun, joined=joined)


def time_of_event(pieces: Iterable[Piece]) -> When:
    """Join the times that can be an event's, not how long or how much later."""
    return gather(piece for piece in pieces if isinstance(piece, Repeat | Day | Part | At | Between | Ahead))


def _is_definite(bones: str) -> bool:
    """Tell "it", "that one" and "the meeting", which the talk is about, from "my meeting" and "meeting"."""
    return bones.split()[:1] in (["it"], ["that"], ["this"], ["the"])


def _chosen(signs: list[Item]) -> tuple[Reference, list[Item]]:
    """Take out the words that choose: next, other, the second."""
    choice, left = Reference(), []
    for at, item in enumerate(signs):
        if item.sign == "next":
            choice = structs.replace(choice, upcoming=True)
        elif item.sign == "other":
            choice = structs.replace(choice, other=True)
        elif item.sign in _PLACES and (at == 0 or signs[at - 1].sign in ARTICLES):
            choice = structs.replace(choice, place=_PLACES[item.sign])
        else:
            left.append(item)
    return choice, left


def _bare_clock(signs: list[Item]) -> tuple[list[Piece], list[Item]]:
    """Read "my three" and "the three thirty" as times: a number behind an article, and no other word behind it."""
    phrase = Phrase(item.sign for item in signs)
    for at in range(len(signs)):
        begin = phrase.skip(at, "my", "the", "our")
        if begin == at or phrase.number(begin) is None or phrase.words[begin:] in (("one",), ("one", TITLE)):
            continue
        found = scan(Phrase(phrase.words[begin:]), date.min, bare=True)
        if not found or found[0].begin or not isinstance(found[0].piece, At):
            continue
        end = begin + found[0].end
        if phrase.word(end) in GENERIC | SOFT | ARTICLES | PREPOSITIONS | {""}:
            return [found[0].piece], [*signs[:at], *signs[end:]]
    return [], signs


def _names(item: Item) -> list[str]:
    """Give the words of a sign that can be part of a title or of a name."""
    words = [token.word.removesuffix("'s") for token in item.said]
    unnamed = ARTICLES | PREPOSITIONS if item.sign == TITLE else _NO_NAMES
    return [word for word in words if word not in unnamed]
