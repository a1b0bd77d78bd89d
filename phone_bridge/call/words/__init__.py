"""Everything that the bridge itself says, in every language it speaks."""

from phone_bridge.call.commands import Line
from phone_bridge.call.events import Action
from phone_bridge.call.words import english, german, naming
from phone_bridge.call.words.naming import QUESTION
from phone_bridge.errors import LocalError

SENTENCES = {"en": english.SENTENCES, "de": german.SENTENCES}
"""The fixed sentences by language and key; a key is also the name of a recorded file, so none is ever renamed."""

_REFUSALS = {"en": english.REFUSAL, "de": german.REFUSAL}
_UNPROVEN = {"en": english.UNPROVEN, "de": german.UNPROVEN}
_ALREADY = {"en": english.ALREADY, "de": german.ALREADY}
_TONGUES = {"en": english.ENGLISH, "de": german.GERMAN}

_LATER = {"en": english.LATER, "de": german.LATER}
_UNITS = (("day", 1_440), ("hour", 60), ("minute", 1))  # in minutes

__all__ = ["QUESTION", "SENTENCES", "already", "later", "line", "question", "refusal", "summary", "unproven"]


def line(key: str, language: str = "en") -> Line:
    """Give the fixed sentence ``key``; a language that the bridge does not speak hears English."""
    sentences = SENTENCES[_known(language)]
    if key not in sentences:
        raise LocalError(f"the bridge has no sentence {key!r}")
    return Line(key, sentences[key])


def question(action: Action, language: str = "en") -> Line:
    """Name ``action``, so that a caller can consent to exactly that; see ``words.naming`` for what is said.

    The key is ``question.<tool>``. Never raises, whatever the session put into the action.
    """
    return naming.question(action, _TONGUES[_known(language)])


def summary(action: Action, language: str = "en") -> str:
    """Name ``action`` in a sentence, in the words in which it is asked for."""
    return naming.summary(action, _TONGUES[_known(language)])


def refusal(language: str = "en") -> str:
    """Give the words that tell a session of a refusal that it could not hear: by key, or by silence."""
    return _REFUSALS[_known(language)]


def unproven(language: str = "en") -> str:
    """Give the words that tell a session of a proposal whose caller did not prove who they are."""
    return _UNPROVEN[_known(language)]


def already(language: str = "en") -> str:
    """Give the words that tell a session of a proposal that was answered before it was interrupted."""
    return _ALREADY[_known(language)]


def later(minutes: int, language: str = "en") -> Line:
    """Say that the callee will be called again in so many minutes, in the largest unit that tells it whole."""
    unit, count = next((unit, minutes // size) for unit, size in _UNITS if minutes % size == 0)
    said = _LATER[_known(language)][unit if count == 1 else f"{unit}s"]
    return Line("errand_later", said.format(count))


def _known(language: str) -> str:
    base = language.partition("-")[0].lower()
    return base if base in SENTENCES else "en"
