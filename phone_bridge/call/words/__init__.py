"""Everything that the bridge itself says, in every language it speaks."""

from collections.abc import Mapping
from typing import Protocol

from phone_bridge.call.commands import Line
from phone_bridge.call.events import Action
from phone_bridge.call.words import english, french, german, naming, spanish
from phone_bridge.call.words.naming import QUESTION
from phone_bridge.errors import LocalError


class _Book(Protocol):
    """What a language's module has besides its tongue."""

    SENTENCES: dict[str, str]
    LATER: dict[str, str]
    REFUSAL: str
    UNPROVEN: str
    ALREADY: str
    OFFER: str
    PREFERENCE: str


_BOOKS: Mapping[str, _Book] = {"en": english, "de": german, "es": spanish, "fr": french}

LANGUAGES = tuple(_BOOKS)
"""The languages that the bridge speaks, and in which a yes counts (``assent`` has the same)."""

SENTENCES = {language: book.SENTENCES for language, book in _BOOKS.items()}
"""The fixed sentences by language and key; a key is also the name of a recorded file, so none is ever renamed."""

_TONGUES = {"en": english.ENGLISH, "de": german.GERMAN, "es": spanish.SPANISH, "fr": french.FRENCH}
_IN_ENGLISH = {
    told: english_words
    for book in _BOOKS.values()
    for told, english_words in (
        (book.REFUSAL, english.REFUSAL),
        (book.ALREADY, english.ALREADY),
        (book.UNPROVEN, english.UNPROVEN),
    )
}
_UNITS = (("day", 1_440), ("hour", 60), ("minute", 1))  # in minutes

__all__ = [
    "LANGUAGES",
    "QUESTION",
    "SENTENCES",
    "already",
    "in_english",
    "known",
    "later",
    "line",
    "offer",
    "preference",
    "question",
    "refusal",
    "summary",
    "unproven",
]


def line(key: str, language: str = "en") -> Line:
    """Give the fixed sentence ``key``; a language that the bridge does not speak hears English."""
    sentences = SENTENCES[known(language)]
    if key not in sentences:
        raise LocalError(f"the bridge has no sentence {key!r}")
    return Line(key, sentences[key])


def question(action: Action, language: str = "en") -> Line:
    """Name ``action``, so that a caller can consent to exactly that; see ``words.naming`` for what is said.

    The key is ``question.<tool>``. Never raises, whatever the session put into the action.
    """
    return naming.question(action, _TONGUES[known(language)])


def summary(action: Action, language: str = "en") -> str:
    """Name ``action`` in a sentence, in the words in which it is asked for."""
    return naming.summary(action, _TONGUES[known(language)])


def refusal(language: str = "en") -> str:
    """Give the words that tell a session of a refusal that it could not hear: by key, or by silence."""
    return _BOOKS[known(language)].REFUSAL


def unproven(language: str = "en") -> str:
    """Give the words that tell a session of a proposal whose caller did not prove who they are."""
    return _BOOKS[known(language)].UNPROVEN


def already(language: str = "en") -> str:
    """Give the words that tell a session of a proposal that was answered before it was interrupted."""
    return _BOOKS[known(language)].ALREADY


def in_english(told: str) -> str:
    """Give in English what a session is told in any language of ours; other words stay as they are."""
    return _IN_ENGLISH.get(told, told)


def later(minutes: int, language: str = "en") -> Line:
    """Say that the callee will be called again in so many minutes, in the largest unit that tells it whole."""
    unit, count = next((unit, minutes // size) for unit, size in _UNITS if minutes % size == 0)
    said = _BOOKS[known(language)].LATER[unit if count == 1 else f"{unit}s"]
    return Line("errand_later", said.format(count))


def offer(language: str, key: str) -> Line:
    """Offer to go on in ``language``, in its own words, for whoever presses ``key``; with a recorded line for each."""
    spoken = known(language)
    return Line(f"offer_{spoken}_{key}", _BOOKS[spoken].OFFER.format(key), language)


def preference(language: str) -> str:
    """Give the words that ask a session to speak ``language``."""
    return _BOOKS[known(language)].PREFERENCE


def known(language: str) -> str:
    """Give the language of ours that a tag such as ``es-MX`` is of; English for any that the bridge does not speak."""
    base = language.partition("-")[0].lower()
    return base if base in _BOOKS else "en"
