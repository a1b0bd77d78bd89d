"""A language's words, as data."""

from collections.abc import Iterator, Mapping

import msgspec

from phone_bridge.call.assent.grammar import Role, Roles
from phone_bridge.call.assent.hearing import Lexicon, Spelling, Words, hear, respell


class Table(msgspec.Struct, frozen=True):
    """All that ``understand`` knows of one language.

    ``spelling`` rewrites contractions and numerals; ``sounds`` joins words that sound alike, for the echo alone.
    ``roles`` gives each phrase its roles. ``intro`` is how a question begins (``call.words`` says so), ``asked`` are
    the words that may follow it, with the kind of deed that they announce, and ``consenting`` are the roles for consent
    to a deed of a kind ("" for any other): only there the phrases that name such a deed again have their role.
    """

    spelling: Spelling
    sounds: Spelling
    roles: Roles
    intro: Words
    asked: Lexicon[str]
    consenting: Mapping[str, Roles]


def table(
    *,
    spelling: Mapping[str, str],
    sounds: Mapping[str, str],
    roles: Mapping[Role, str],
    intro: str,
    asked: Mapping[str, str],
    deeds: Mapping[str, str],
) -> Table:
    """Make a table from text: phrases stand apart by commas and are spelt as a caller's words are."""
    respelling = _spelling(spelling)
    kinds = {kind: frozenset(_phrases(text, respelling)) for kind, text in deeds.items()}
    played: dict[Words, set[Role]] = {}
    for role, text in roles.items():
        for phrase in _phrases(text, respelling):
            played.setdefault(phrase, set()).add(role)
    return Table(
        spelling=respelling,
        sounds=_spelling(sounds),
        roles=_with_deeds(played, frozenset[Words]().union(*kinds.values())),
        intro=respell(hear(intro), respelling),
        asked=Lexicon.of({respell(hear(cue), respelling): kind for cue, kind in asked.items()}),
        consenting={kind: _with_deeds(played, kinds.get(kind, frozenset())) for kind in ("", *kinds)},
    )


def _spelling(pairs: Mapping[str, str]) -> Spelling:
    return Lexicon.of({hear(heard): hear(meant) for heard, meant in pairs.items()})


def _with_deeds(played: Mapping[Words, set[Role]], deeds: frozenset[Words]) -> Roles:
    roles = {phrase: frozenset(them) for phrase, them in played.items()}
    return Lexicon.of(roles | {deed: roles.get(deed, frozenset()) | {Role.DEED} for deed in deeds})


def _phrases(text: str, spelling: Spelling) -> Iterator[Words]:
    return (words for piece in text.split(",") if (words := respell(hear(piece), spelling)))
