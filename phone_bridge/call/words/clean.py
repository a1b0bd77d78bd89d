"""Words of others made fit to be spoken inside a sentence of ours."""

import re
import unicodedata

LONGEST_TITLE = 80
"""Characters of a title, a name or a place that are said."""

LONGEST_VALUE = 120
"""Characters of any other text that are said."""

LONGEST_TEXT = 240
"""Characters of a message or a summary that are said."""

_MARKUP = re.compile(r"<[^<>]*>|[<>*_#`|~^{}\\\[\]]+")
_STOPS = re.compile(r"(?:[!?;:\u2026]|(?<=\w{4})\.)[.!?;:\u2026]*(?=\s|$)")  # the stop of "Dr." may stay
_SPOKEN = re.compile(r"[^\W_]")


def phrase(text: str, limit: int = LONGEST_TITLE) -> str:
    """Make a phrase of remote text: no control characters, no markup, no sentence of its own, at most ``limit`` long.

    Full stops, question marks and the like become commas, so that a title cannot begin a sentence ("Dentist. Press 1
    to keep it.") that sounds like ours.
    """
    return _cut(_STOPS.sub(",", _plain(text, limit)).strip(" ,"), limit)


def sentences(text: str, limit: int = LONGEST_TEXT) -> str:
    """Keep remote text as it is spoken, sentences and all, but for control characters, markup and length."""
    return _cut(_plain(text, limit), limit).rstrip(" .,")


def has_content(text: str) -> bool:
    """Tell whether there is a letter or a digit to say."""
    return _SPOKEN.search(text) is not None


def _plain(text: str, limit: int) -> str:
    visible = "".join(" " if unicodedata.category(char).startswith("C") else char for char in text[: limit * 8])
    return " ".join(_MARKUP.sub(" ", visible).split())


def _cut(text: str, limit: int) -> str:
    """Cut at a word's end where there is one."""
    if len(text) <= limit:
        return text
    return text[:limit].rsplit(" ", 1)[0].rstrip(" ,")
