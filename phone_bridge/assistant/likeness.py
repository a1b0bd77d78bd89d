"""Words that were heard a little wrong, brought back to those of the caller's own calendar; pure."""

from collections.abc import Iterable

import jellyfish
from msgspec import structs

from phone_bridge.assistant.wishes import Reference

SHORTEST = 4
"""Shorter words are taken as they are: too many others are one letter away."""
LONG = 7
"""From this length on two letters may differ, below it one."""


def corrected(reference: Reference, known: Iterable[str]) -> Reference:
    """Put words of ``known`` in the place of those that only sound or look like one of them."""
    words = frozenset(known)
    if not reference.named() or not words:
        return reference
    return structs.replace(
        reference,
        words=tuple(_nearest(word, words) for word in reference.words),
        soft=tuple(_nearest(word, words) for word in reference.soft),
    )


def _nearest(word: str, known: frozenset[str]) -> str:
    """Find the one known word that is like ``word``; where two are equally near, none is meant."""
    plural = {word, word.removesuffix("s"), word.removesuffix("'s"), f"{word}s"}
    if plural & known or len(word) < SHORTEST:
        return word
    near = sorted(
        (jellyfish.damerau_levenshtein_distance(word, other), other) for other in known if _alike(word, other)
    )
    if not near or (len(near) > 1 and near[0][0] == near[1][0]):
        return word
    return near[0][1]


def _alike(word: str, other: str) -> bool:
    if len(other) < SHORTEST:
        return False
    letters = 2 if min(len(word), len(other)) >= LONG else 1
    if jellyfish.damerau_levenshtein_distance(word, other) <= letters:
        return True
    return jellyfish.metaphone(word) == jellyfish.metaphone(other) != ""
