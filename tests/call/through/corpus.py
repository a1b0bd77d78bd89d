"""What callers say who wish to be put through, and what only sounds like it, by language.

The files beside this one were written before the rules. A third of each, drawn at random, was put into ``held_out``
and stayed unseen while the rules were made: only its figures were looked at. A wish has behind it whom it is for: a
name of ``NAMES``, ``anyone``, or ``other`` for somebody who is not on the list.
"""

from pathlib import Path

from phone_bridge.call.through import Names, Wanted, Whom

FOLDER = Path(__file__).parent
NAMES = {
    "en": ("reception", "sales", "technical support"),
    "de": ("Empfang", "Vertrieb", "Buchhaltung"),
    "es": ("recepción", "ventas", "contabilidad"),
    "fr": ("accueil", "service commercial", "comptabilité"),
}


def texts(language: str, kind: str, *, seen: bool = True, unseen: bool = True) -> list[str]:
    """Read the sentences of one kind: ``wish`` or ``none``."""
    names = [FOLDER / f"{language}_{kind}.txt"] * seen + [FOLDER / "held_out" / f"{language}_{kind}.txt"] * unseen
    return [line for name in names for line in name.read_text("utf-8").splitlines()]


def wishes(language: str, *, seen: bool = True, unseen: bool = True) -> list[tuple[str, Wanted]]:
    """Read the wishes, each with what it wants."""
    lines = (line.split(" | ") for line in texts(language, "wish", seen=seen, unseen=unseen))
    return [(text, _meant(name)) for text, name in lines]


def names(language: str) -> Names:
    return Names(NAMES[language])


def _meant(name: str) -> Wanted:
    return Wanted(Whom(name)) if name in (Whom.ANYONE, Whom.OTHER) else Wanted(Whom.NAMED, name)
