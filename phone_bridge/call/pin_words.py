"""How callers say that they want to set a PIN, or another one.

Every word of an utterance has to be one of those that such a wish is made of, and it has to name the PIN and what to do
with it. So "change my PIN" is one, and "change my pin board meeting" or "do not change my PIN" is none.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

MAX_WISH_CHARS = 200
"""Of an utterance that is looked at."""

_WORD = re.compile(r"\w+")


class _Words(msgspec.Struct, frozen=True):
    """One language: what is done, what it is done to, and what is said around it."""

    doing: frozenset[str]
    pin: frozenset[str]
    around: frozenset[str]


def _table(doing: str, pin: str, around: str) -> _Words:
    return _Words(*(frozenset(_words(each)) for each in (doing, pin, around)))


def _words(text: str) -> list[str]:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(sign for sign in bare if not unicodedata.combining(sign)))


_LANGUAGES: Mapping[str, _Words] = MappingProxyType(
    {
        "en": _table(
            "change changing set setting create choose reset renew enrol enroll need",
            "pin",
            "i i'd i'll want would like to have can could may please you we let's let me my a an the new another "
            "different number code up for hello hi okay ok yes now well um uh help with and",
        ),
        "de": _table(
            "ändern wechseln einrichten festlegen setzen anlegen vergeben erstellen ändere wechsle brauche",
            "pin geheimzahl",
            "ich möchte will würde gern gerne kann könnte könnten können sie wir bitte meine eine die neue andere zu "
            "nummer code mir dass jetzt hallo guten tag ja also äh ähm und",
        ),
        "es": _table(
            "cambiar crear fijar poner establecer configurar cambie cambia necesito",
            "pin",
            "quiero quisiera querría me gustaría puedo puede podría mi el un nuevo otro número código clave "
            "de por favor hola ahora sí eh pues y",
        ),
        "fr": _table(
            "changer créer choisir définir modifier fixer changez",
            "pin code secret",
            "je voudrais veux souhaite souhaiterais j'aimerais aimerais peux puis pouvez vous est ce que mon le un "
            "nouveau autre numéro s'il vous plaît plait bonjour maintenant oui euh et de",
        ),
    }
)


def wishes(text: str, language: str) -> bool:
    """Tell whether ``text`` says that the caller wants to set a PIN, or another one, and says nothing else."""
    table = _LANGUAGES.get(language.partition("-")[0].lower())
    if table is None or len(text) > MAX_WISH_CHARS:
        return False
    said = set(_words(text))
    return bool(said & table.doing and said & table.pin) and said <= table.doing | table.pin | table.around
