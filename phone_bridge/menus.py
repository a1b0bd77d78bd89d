"""The bridge's own menus: an operator's ``[[menus]]``, and what comes next for a caller who has answered one.

Nothing here knows a carrier: a menu, where the caller stands, and what was pressed or said give the next step.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from phone_bridge import hours
from phone_bridge.errors import SettingsError
from phone_bridge.hours import many

MAX_MENUS = 1_000
MAX_CHOICES = 50
"""Most choices of one menu; a good one has five."""
MAX_SAY_CHARS = 1_000
MAX_GATHERED = 20
"""Most digits that a menu may gather."""
MAX_TRIES = 5
MAX_TIMEOUT_SECONDS = 30
MAX_LAPSES = 3
"""So often a caller is led elsewhere for having chosen nothing, before the fallback ends it."""
MAX_PATH = 10
"""So many menus are remembered to go back to."""
MAX_KEPT = 5
"""So many menus' digits are kept."""
HUMAN_KEY = "0"
"""The key that leads to a person from every menu that has one, unless a choice of its own has that key."""
AGAIN_KEY = "*"
"""The key that has a menu said again, likewise."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_KEY = re.compile(r"[0-9*#]", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_NO_WORD = re.compile(r"[^\w*#+]+")
_NUMERALS: Mapping[str, Sequence[str]] = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
}
_HUMAN_WORDS: Mapping[str, Sequence[str]] = {
    "en": ("operator", "a person", "a human", "reception", "somebody"),
    "de": ("zentrale", "mitarbeiter", "mitarbeiterin", "einen menschen", "empfang"),
    "es": ("operador", "operadora", "una persona", "recepción", "alguien"),
    "fr": ("opérateur", "opératrice", "une personne", "réception", "quelqu'un"),
}


class Kind(StrEnum):
    """Where a choice may lead."""

    ASSISTANT = "assistant"  # this route's, or that of the route it names
    MENU = "menu"
    NUMBER = "number"
    VOICEMAIL = "voicemail"
    FALLBACK = "fallback"  # what the route gives a caller who cannot be served
    HANG_UP = "hang_up"
    BACK = "back"
    REPEAT = "repeat"


_NAMES_NOTHING = (Kind.VOICEMAIL, Kind.FALLBACK, Kind.HANG_UP, Kind.BACK, Kind.REPEAT)
_STAYS = (Kind.BACK, Kind.REPEAT)
_SAID_TO = "assistant, assistant:route, menu:name, number:+493012345, voicemail, fallback, hang_up, back or repeat"


class Target(NamedTuple):
    """Where a choice leads, and the route, menu or number there."""

    kind: Kind
    name: str = ""


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of a menu's choices: by its ``key``, or by one of the ``words`` that are said."""

    to: str
    key: str = ""
    words: str | tuple[str, ...] = ()
    say: str = ""
    """What is said before it is followed."""


class Menu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``[[menus]]``: what is said, and what may be chosen; or digits that are gathered, and what comes then."""

    name: str
    say: str
    say_keys: str = ""
    """What is said in its place on a line on which keys alone are understood."""
    language: str = ""
    """What it is said in; the route's own language when empty."""
    choices: tuple[Choice, ...] = ()
    gather: int = 0
    """So many digits are gathered, or fewer before ``#``."""
    to: str = ""
    """Where gathered digits lead."""
    human: str = ""
    """Where ``0`` leads, here and in the menus behind this one: ``number:…`` or ``voicemail``."""
    otherwise: str = ""
    """Where a caller goes who has not chosen in ``tries`` tries: to the human unless it says so, or to the fallback."""
    tries: int = 3
    timeout: int = 5
    """Seconds that a caller may take."""
    hours: str | tuple[str, ...] = ()
    days: str | tuple[str, ...] = ()
    closed: str | tuple[str, ...] = ()
    timezone: str = ""
    closed_say: str = ""
    closed_to: str = ""
    """Where callers go outside those hours and days, and on those dates."""


class State(msgspec.Struct, frozen=True):
    """Where a caller stands: the menus that led there, the tries in the last one, and the digits by their menus.

    ``lapses`` counts how often a caller was led elsewhere for having chosen nothing.
    """

    path: tuple[str, ...]
    tries: int = 0
    lapses: int = 0
    gathered: tuple[tuple[str, str], ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """What a caller pressed or said; nothing where both are empty."""

    digits: str = ""
    speech: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Say ``first``, then the menu, and wait; ``sorry`` is ``silent`` or ``unclear`` after an answer that was none."""

    menu: Menu
    state: State
    first: tuple[str, ...] = ()
    sorry: str = ""
    human: bool = False
    """Whether ``0`` leads to a person."""


class Go(msgspec.Struct, frozen=True, kw_only=True):
    """Say ``first`` in ``language`` (the route's own when empty) and leave the menus for ``target``."""

    target: Target
    state: State
    first: tuple[str, ...] = ()
    language: str = ""


Step = Ask | Go


def target_of(text: str) -> Target:
    """Read where a choice leads; raises ValueError."""
    kind, colon, name = text.partition(":")
    found = Target(Kind(kind), name)
    right = {
        Kind.ASSISTANT: not colon or bool(_NAME.fullmatch(name)),
        Kind.MENU: bool(_NAME.fullmatch(name)),
        Kind.NUMBER: bool(_NUMBER.fullmatch(name)),
    }
    if not right.get(found.kind, not colon):
        raise ValueError(text)
    return found


# What comes next


def enter(menus: Mapping[str, Menu], name: str, at: datetime) -> Step:
    """Begin with the menu ``name`` at the time ``at``."""
    return _follow(menus, Target(Kind.MENU, name), State(()), (), at)


def answer(menus: Mapping[str, Menu], state: State, heard: Heard, at: datetime) -> Step:
    """Say what comes next for a caller at ``state`` of whom that was ``heard``."""
    menu = menus.get(state.path[-1]) if state.path else None
    if menu is None:  # the operator has taken it away meanwhile
        return Go(target=Target(Kind.FALLBACK), state=state)
    human = _human(menus, state)
    chosen = _chosen(menu, human, heard)
    if chosen is not None:
        return _follow(menus, target_of(chosen.to), _noted(menu, state, heard, chosen), _said(chosen.say), at)
    tries = state.tries + 1
    if tries >= menu.tries:
        lapsed = msgspec.structs.replace(state, lapses=state.lapses + 1)
        return _follow(menus, _otherwise(menu, human, lapsed), lapsed, (), at)
    sorry = "unclear" if heard.digits or heard.speech else "silent"
    again = msgspec.structs.replace(state, tries=tries)
    return Ask(menu=menu, state=again, sorry=sorry, human=bool(human))


def _otherwise(menu: Menu, human: str, state: State) -> Target:
    lost = state.lapses >= MAX_LAPSES
    return Target(Kind.FALLBACK) if lost else target_of(menu.otherwise or human or Kind.FALLBACK)


def hints(menu: Menu) -> tuple[str, ...]:
    """Give the words that a caller is likely to say."""
    return tuple(word for choice in menu.choices for word in many(choice.words))


def sayable(menu: Menu, *, human: bool) -> tuple[str, ...]:
    """Give the words of a menu of choices, for an ear that has to be told; whoever wants a key's number has the key."""
    return (*hints(menu), *(_HUMAN_WORDS.get(_tongue(menu), ()) if human else ()))


def _follow(menus: Mapping[str, Menu], target: Target, state: State, first: tuple[str, ...], at: datetime) -> Step:
    """Go to ``target``; past menus that are closed, of which none is come by twice."""
    passed: set[str] = set()
    while True:
        path = state.path
        if target.kind is Kind.BACK:
            path = path[:-1] or path
        elif target.kind is Kind.MENU:
            path = (*path[: path.index(target.name)], target.name) if target.name in path else (*path, target.name)
        elif target.kind is not Kind.REPEAT:
            return Go(target=target, state=state, first=first, language=_language(menus, state))
        menu = menus.get(path[-1]) if path else None
        if menu is None or menu.name in passed:
            return Go(target=Target(Kind.FALLBACK), state=state, first=first, language=_language(menus, state))
        state = msgspec.structs.replace(state, path=path[-MAX_PATH:], tries=0)
        if hours.is_open(menu, at):
            return Ask(menu=menu, state=state, first=first, human=bool(_human(menus, state)))
        passed.add(menu.name)
        first, target = (*first, *_said(menu.closed_say)), target_of(menu.closed_to)


def _language(menus: Mapping[str, Menu], state: State) -> str:
    menu = menus.get(state.path[-1]) if state.path else None
    return menu.language if menu is not None else ""


def _human(menus: Mapping[str, Menu], state: State) -> str:
    """Find where ``0`` leads: as the last menu says that says so."""
    return next((menus[name].human for name in reversed(state.path) if name in menus and menus[name].human), "")


def _chosen(menu: Menu, human: str, heard: Heard) -> Choice | None:
    own = _own_choice(menu, heard)
    if own is not None:
        return own
    if human and (heard.digits == HUMAN_KEY or _says(heard.speech, _HUMAN_WORDS.get(_tongue(menu), ()))):
        return Choice(to=human)
    return Choice(to=Kind.REPEAT) if heard.digits == AGAIN_KEY else None


def _own_choice(menu: Menu, heard: Heard) -> Choice | None:
    if menu.gather:
        digits = heard.digits or _spoken_digits(heard.speech, menu)
        wanted = digits.isascii() and digits.isdigit() and len(digits) <= menu.gather
        return Choice(to=menu.to) if wanted and digits != HUMAN_KEY else None
    if heard.digits:
        return next((choice for choice in menu.choices if choice.key == heard.digits), None)
    return _spoken(menu, heard.speech)


def _spoken(menu: Menu, speech: str) -> Choice | None:
    """Find the choice whose longest words were said; none where two are as good as each other."""
    found = [(_says(speech, _words(choice, menu)), choice) for choice in menu.choices]
    best = max((length for length, _ in found), default=0)
    named = [choice for length, choice in found if length == best]
    return named[0] if best and len(named) == 1 else None


def _words(choice: Choice, menu: Menu) -> Iterator[str]:
    yield from many(choice.words)
    if choice.key:
        yield choice.key
    if choice.key.isdigit():
        yield from (numerals[int(choice.key)] for numerals in _spoken_numerals(menu))


def _spoken_digits(speech: str, menu: Menu) -> str:
    """Read digits that were said one by one; empty for anything else."""
    (numerals, *_) = (*_spoken_numerals(menu), ())
    known = {word: str(digit) for digit, word in enumerate(numerals)}
    words = _plain(speech).split()
    digits = [known.get(word, word) for word in words]
    return "".join(digits) if all(each.isascii() and each.isdigit() for each in digits) else ""


def _spoken_numerals(menu: Menu) -> Iterator[Sequence[str]]:
    if _tongue(menu) in _NUMERALS:
        yield _NUMERALS[_tongue(menu)]


def _tongue(menu: Menu) -> str:
    return (menu.language or "en").partition("-")[0].lower()


def _says(speech: str, words: Iterable[str]) -> int:
    """Give the length of the longest of ``words`` that stands whole in ``speech``; 0 where none does."""
    plain = f" {_plain(speech)} "
    return max((len(word) for word in map(_plain, words) if word and f" {word} " in plain), default=0)


def _plain(text: str) -> str:
    return _NO_WORD.sub(" ", text.casefold()).strip()


def _noted(menu: Menu, state: State, heard: Heard, chosen: Choice) -> State:
    """Note that a choice was made, and the digits that a menu has gathered."""
    state = msgspec.structs.replace(state, lapses=0)
    digits = heard.digits or _spoken_digits(heard.speech, menu)
    if not menu.gather or chosen.to != menu.to or not digits.isdigit():
        return state
    kept = (pair for pair in state.gathered if pair[0] != menu.name)
    return msgspec.structs.replace(state, gathered=(*kept, (menu.name, digits))[-MAX_KEPT:])


def _said(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


# What an operator may write


def check(menus: Sequence[Menu], routes: Iterable[str], where: Sequence[str]) -> None:
    """Check menus by themselves and against the names of ``routes``; ``where`` says of each where it stands.

    Raises SettingsError with the mend.
    """
    if len(menus) > MAX_MENUS:
        raise SettingsError(f"there are {len(menus)} of [[menus]], and {MAX_MENUS} at most can be served")
    names = [menu.name for menu in menus]
    known = _Known(frozenset(names), frozenset(routes))
    for menu, place in zip(menus, where, strict=True):
        if not _NAME.fullmatch(menu.name) or names.count(menu.name) > 1:
            raise SettingsError(f"{place} needs a name of its own, of 1 to 64 letters, digits, dots or dashes")
        _check_menu(menu, place)
        for target, field in _targets(menu):
            _check_target(target, field, known, place)


def numbers(menu: Menu) -> Iterator[str]:
    """Give the numbers that a menu may put callers through to."""
    for text, _ in _targets(menu):
        target = target_of(text)
        if target.kind is Kind.NUMBER:
            yield target.name


class _Known(NamedTuple):
    menus: frozenset[str]
    routes: frozenset[str]


def _targets(menu: Menu) -> Iterator[tuple[str, str]]:
    """Give everything that leads anywhere, with what it is called."""
    yield from ((choice.to, "to of a choice") for choice in menu.choices)
    for field in ("to", "human", "otherwise", "closed_to"):
        if getattr(menu, field):
            yield getattr(menu, field), field


def _check_menu(menu: Menu, place: str) -> None:
    if bool(menu.choices) == bool(menu.gather) or bool(menu.gather) != bool(menu.to):
        raise SettingsError(f"{place} needs either [[menus.choices]], or gather (how many digits) and to (where then)")
    if not 0 <= menu.gather <= MAX_GATHERED or len(menu.choices) > MAX_CHOICES:
        raise SettingsError(f"{place} may gather {MAX_GATHERED} digits and have {MAX_CHOICES} choices at most")
    if not 1 <= menu.tries <= MAX_TRIES or not 1 <= menu.timeout <= MAX_TIMEOUT_SECONDS:
        raise SettingsError(f"{place} needs tries of 1 to {MAX_TRIES} and a timeout of 1 to {MAX_TIMEOUT_SECONDS} s")
    said = [menu.say, menu.say_keys, menu.closed_say, *(choice.say for choice in menu.choices)]
    if not menu.say.strip() or max(map(len, said)) > MAX_SAY_CHARS:
        raise SettingsError(f"{place} needs something to say, of {MAX_SAY_CHARS} characters at most")
    if menu.language and not _LANGUAGE.fullmatch(menu.language):
        raise SettingsError(f"{place} has {menu.language!r} in language: write a language as de or de-AT")
    _check_choices(menu, place)
    hours.check(menu, place)
    limited = bool(menu.hours or menu.days or menu.closed)
    if limited != bool(menu.closed_to) or (menu.closed_say and not limited):
        raise SettingsError(f"{place} needs closed_to where it has hours, days or closed dates, and only there")


def _check_choices(menu: Menu, place: str) -> None:
    keys = [choice.key for choice in menu.choices if choice.key]
    words = [_plain(word) for word in hints(menu)]
    for choice in menu.choices:
        if choice.key and not _KEY.fullmatch(choice.key):
            raise SettingsError(f"{place} has the key {choice.key!r}: a choice has one of 0 to 9, * and #")
        if not choice.key and not many(choice.words):
            raise SettingsError(f"{place} has a choice that nobody can make: give it a key, or words")
        if choice.say and choice.to.partition(":")[0] == Kind.ASSISTANT:
            raise SettingsError(f"{place} says something before the assistant: write it into the route's greeting")
    doubled = next((each for each in (*keys, *words) if (keys + words).count(each) > 1), None)
    if doubled is not None or "" in words:
        raise SettingsError(f"{place} has two choices for {doubled!r}, or an empty word: give each its own")


def _check_target(text: str, field: str, known: _Known, place: str) -> None:
    try:
        target = target_of(text)
    except ValueError:
        raise SettingsError(f"{place} has {text!r} in {field}: write {_SAID_TO}") from None
    if target.kind is Kind.MENU and target.name not in known.menus:
        raise SettingsError(
            f"{place} leads to the menu {target.name!r}, which there is not: mend its name, or write it"
        )
    if target.kind is Kind.ASSISTANT and target.name and target.name not in known.routes:
        raise SettingsError(f"{place} leads to the route {target.name!r}, which there is not: mend its name")
    if field == "human" and target.kind not in (Kind.NUMBER, Kind.VOICEMAIL):
        raise SettingsError(f"{place} has {text!r} as its human: write number:+493012345, or voicemail")
    if field in ("otherwise", "closed_to") and target.kind in _STAYS:
        raise SettingsError(f"{place} has {text!r} in {field}, which would lead round and round: lead on from there")
