"""What whoever is rung hears of a caller before they take the call: who it is, what about, what was done already."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from phone_bridge.call.words import clean

LAST_WORDS = 2
"""How many of the caller's sentences are told, the last ones."""
MAX_QUOTE_CHARS = 160
MAX_DEEDS = 3

SENTENCES = {
    "en": {
        "from": "A call for you, from {}.",
        "withheld": "A call for you, from a number that is withheld.",
        "about": "It is about this: {}.",
        "said": "The caller said: {}.",
        "done": "Already done with the caller's consent: {}.",
        "keys": "Press 1 to take the call, 2 to refuse it, star to hear this again.",
    },
    "de": {
        "from": "Ein Anruf für Sie, von {}.",
        "withheld": "Ein Anruf für Sie, von einer unterdrückten Nummer.",
        "about": "Es geht um Folgendes: {}.",
        "said": "Der Anrufer sagte: {}.",
        "done": "Mit Zustimmung des Anrufers schon erledigt: {}.",
        "keys": "Drücken Sie 1, um den Anruf anzunehmen, 2, um ihn abzulehnen, Stern, um dies noch einmal zu hören.",
    },
    "es": {
        "from": "Una llamada para usted, de {}.",
        "withheld": "Una llamada para usted, de un número oculto.",
        "about": "Se trata de lo siguiente: {}.",
        "said": "La persona que llama ha dicho: {}.",
        "done": "Ya hecho con su consentimiento: {}.",
        "keys": "Pulse 1 para aceptar la llamada, 2 para rechazarla, asterisco para oírlo de nuevo.",
    },
    "fr": {
        "from": "Un appel pour vous, de {}.",
        "withheld": "Un appel pour vous, d'un numéro masqué.",
        "about": "Voici l'objet de l'appel : {}.",
        "said": "La personne a dit : {}.",
        "done": "Déjà fait avec son accord : {}.",
        "keys": "Tapez 1 pour prendre l'appel, 2 pour le refuser, étoile pour réécouter.",
    },
}


def hand_over(
    caller: str | None,
    about: str,
    transcript: Sequence[Mapping[str, Any]],
    deeds: Iterable[str],
    language: str,
) -> str:
    """Tell of a caller: their number, what a model or program says it is ``about``, or else their last words.

    ``deeds`` are what was done in the call, each named in a sentence.
    """
    table = SENTENCES.get(language.partition("-")[0].lower(), SENTENCES["en"])
    told = [table["from"].format(_spelled(caller)) if caller else table["withheld"]]
    if clean.has_content(about):
        told.append(table["about"].format(_quoted(about)))
    else:
        said = [str(line.get("text", "")) for line in transcript if line.get("speaker") == "caller"]
        told += [table["said"].format(_quoted(text)) for text in said[-LAST_WORDS:] if clean.has_content(text)]
    done = [_quoted(deed) for deed in deeds][-MAX_DEEDS:]
    if done:
        told.append(table["done"].format("; ".join(done)))
    return " ".join([*told, table["keys"]])


def _spelled(number: str) -> str:
    """Let a voice read a number digit by digit."""
    user = number.removeprefix("sip:").partition("@")[0]
    return " ".join(user.lstrip("+")) if user.lstrip("+").isdecimal() else clean.phrase(user)


def _quoted(text: str) -> str:
    return clean.phrase(text, MAX_QUOTE_CHARS).rstrip(" .!?")
