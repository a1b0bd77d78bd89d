"""Phrases as recognisers print them that leave accents out."""

import unicodedata
from collections.abc import Container, Iterator


def plain(text: str) -> str:
    """Take the accents off the letters: "está" becomes "esta", and "ñ" and "ç" lose theirs too."""
    letters = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in letters if not unicodedata.combining(sign)))


def phrases(text: str) -> Iterator[str]:
    """Take a list of phrases apart at its commas."""
    return (phrase for piece in text.split(",") if (phrase := " ".join(piece.split())))


def also_plain(text: str, telling: Container[str] = ()) -> str:
    """Give all phrases of ``text`` twice, with and without accents.

    A phrase with a word of ``telling`` keeps its accents: without them that word is another one ("sí", yes; "si", if).
    """
    found = list(phrases(text))
    bare = [plain(phrase) for phrase in found if not any(word in telling for word in phrase.split())]
    return ", ".join(dict.fromkeys((*found, *bare)))
