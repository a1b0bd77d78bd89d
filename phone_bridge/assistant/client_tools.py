"""Functions of the client's own within a talk: which one a wish means, with what, and what it gave, in words.

The built-in mind knows the calendar's tools by heart. Of any other function it knows what the client declares: a name,
a description and a schema. So it goes by plain words: one of the name's, or two of the description's, must be said;
a parameter is what stands behind its name or behind a preposition that fits; what is required and was not said is
asked for. That is no language model, and does not pretend to be one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from phone_bridge.assistant import small_talk
from phone_bridge.assistant.ports import Conversation, Expecting, Move, Run, Say
from phone_bridge.assistant.understanding import SURE, understand
from phone_bridge.call.events import Action
from phone_bridge.sessions.serving import ClientTool
from phone_bridge.tools.calendar import CALENDAR_TOOLS

MAX_TOLD_CHARS = 400
"""How much of a result is told: half a minute of speech."""


def _each(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PLAIN = _each(
    "a an and any by call check current do execute fetch find for from function get give in is it look lookup make my "
    "new of on or query read retrieve return returns run set show tell the this to tool use user using with"
)
_PLACES = _each("address area city country destination location place region state town where")
_PEOPLE = _each("contact guest name person recipient to who whom")
_TIMES = _each("date datetime day time when")
_TEXTS = _each("body content input keywords message note prompt q query question search subject text topic")
_BEHIND: tuple[tuple[frozenset[str], str], ...] = (
    (_PLACES, r"in|at|for|near|to|from|of"),
    (_PEOPLE, r"to|for|with|named|called"),
    (_TEXTS, r"that|saying|about|for|of"),
)
_ENDS = (
    r"(?=\s+(?:today|tomorrow|tonight|now|please|right now|at the moment|on|and|in|for|at|by|to|saying|that)\b"
    r"|[?.!,;]|$)"
)
_WHEN = re.compile(
    r"\b(?:today|tomorrow|tonight|(?:next |on |this )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|\d{4}-\d\d-\d\d)\b"
    r"|\bat \d{1,2}(?::\d\d)?(?: ?[ap]\.?m\.?)?",
    re.IGNORECASE,
)
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER = re.compile(rf"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])|\b(?:{'|'.join(_NUMBERS)})\b", re.IGNORECASE)
_REFUSALS = ("declined", "expired")
_FOREIGN_FAULTS = (LookupError, TypeError, ValueError, AttributeError, msgspec.MsgspecError)


class Wanted(msgspec.Struct, frozen=True):
    """A function that a wish means; ``missing`` are required parameters that were not said."""

    tool: ClientTool
    arguments: dict[str, Any]
    missing: tuple[str, ...] = ()


class Borrowing:
    """The talk ``own``, with whatever functions its client has ``offered`` besides; ``new_id`` makes ids of calls."""

    def __init__(
        self, own: Conversation, new_id: Callable[[], str], offered: Callable[[], Sequence[ClientTool]] = tuple
    ) -> None:
        self._own = own
        self._new_id = new_id
        self._offered = offered
        self._called: set[str] = set()
        self._open: Wanted | None = None

    def offers(self, name: str) -> bool:
        """Tell whether the client offers a function of that name now."""
        return any(tool.name == name for tool in self._offered())

    def heard(self, text: str, now: datetime) -> list[Move]:
        """Take a turn of the caller's."""
        asked, self._open = self._open, None
        if asked is not None and text.strip():
            if understand(text, now.date()).name == "never_mind":
                return [Say(small_talk.LEFT)]
            return self._go_on(filled(asked, text))
        foreign = [tool for tool in self._offered() if tool.name not in CALENDAR_TOOLS]
        wanted = find(text, foreign, now) if foreign else None
        return self._go_on(wanted) if wanted is not None else self._own.heard(text, now)

    def _go_on(self, wanted: Wanted) -> list[Move]:
        if wanted.missing:
            self._open = wanted
            return [Say(f"Which {_spoken_name(wanted.missing[0])} do you mean?")]
        called = self._new_id()
        self._called.add(called)
        return [Run(called, Action(wanted.tool.name, wanted.arguments))]

    def returned(self, action_id: str, output: str, now: datetime, *, followed: bool = False) -> list[Move]:
        """Take what a function of the client's gave; ``followed`` where the caller has said something else since.

        A calendar tool's result is understood where it has the catalogue's shape (``ok`` true or false), and a refusal
        of the caller's where its error is ``declined`` or ``expired``; anything else is told as it is.
        """
        value = _decoded(output)
        if _refused(value):
            self._called.discard(action_id)
            return [] if followed else [Say(small_talk.LEFT)]
        if action_id not in self._called and isinstance(value, dict) and isinstance(value.get("ok"), bool):
            try:
                return self._own.ran(action_id, value, now)
            except _FOREIGN_FAULTS:  # their shape after all
                pass
        self._called.discard(action_id)
        return [Say(sentence) for sentence in told(value)]

    # The talk's own

    def confirmed(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the caller consented."""
        return self._own.confirmed(action_id, now)

    def declined(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the client declined a proposal."""
        return self._own.declined(action_id, now)

    def withdrawn(self, action_id: str, now: datetime) -> list[Move]:
        """Know that a proposal fell."""
        return self._own.withdrawn(action_id, now)

    def ran(self, action_id: str, result: Mapping[str, Any], now: datetime) -> list[Move]:
        """Take what a tool of our own gave."""
        return self._own.ran(action_id, result, now)

    def expecting(self) -> Expecting:
        """Say what may be heard next."""
        return self._own.expecting()


# Which function


def find(text: str, tools: Sequence[ClientTool], now: datetime) -> Wanted | None:
    """Find the function that ``text`` means, if it means one; what is a calendar wish must name all of it."""
    said = _words(text)
    calendar = understand(text, now.date())
    sure = calendar.name in CALENDAR_TOOLS and calendar.confidence >= SURE
    best, most = None, 0
    for tool in tools:
        score = _score(tool, said, whole=sure)
        if score > most:
            best, most = tool, score
    return _wanted(best, text) if best is not None else None


def _score(tool: ClientTool, said: frozenset[str], *, whole: bool) -> int:
    name = _words(_parted(tool.name))
    telling = name - _PLAIN or name
    hits, described = len(telling & said), len((_words(tool.description) - _PLAIN) & said)
    enough = telling <= said if whole else hits >= 1 or described >= 2
    return 2 * hits + described if enough else 0


def _words(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in re.findall(r"[^\W_]+", text.lower().replace("e-mail", "email")))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _parted(name: str) -> str:
    """Part a name into words: ``getWeather`` and ``get-weather`` alike."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]+", " ", name)


def _spoken_name(name: str) -> str:
    return _parted(name).lower().strip()


# With what


def _wanted(tool: ClientTool, text: str) -> Wanted:
    properties = tool.parameters.get("properties")
    known = properties if isinstance(properties, dict) else {}
    listed = tool.parameters.get("required")
    required = [name for name in listed if name in known] if isinstance(listed, list) else []
    arguments: dict[str, Any] = {}
    for name, schema in known.items():
        value = _value(name, schema if isinstance(schema, dict) else {}, text, sole=required == [name])
        if value is not None:
            arguments[name] = value
    return Wanted(tool, arguments, tuple(name for name in required if name not in arguments))


def filled(asked: Wanted, text: str) -> Wanted:
    """Take ``text`` as the first parameter that is missing."""
    name, *rest = asked.missing
    schema = asked.tool.parameters["properties"][name]
    words = re.sub(r"^(?:in|at|for|to|the|it is|it's)\s+", "", text.strip(" .!?"), flags=re.IGNORECASE)
    value = _value(name, schema if isinstance(schema, dict) else {}, text, sole=False)
    if value is None and isinstance(schema, dict) and schema.get("type", "string") == "string" and "enum" not in schema:
        value = words
    if value is None:
        return asked
    return Wanted(asked.tool, {**asked.arguments, name: value}, tuple(rest))


def _value(name: str, schema: Mapping[str, Any], text: str, *, sole: bool) -> Any:
    choices = schema.get("enum")
    if isinstance(choices, list):
        return next((each for each in choices if isinstance(each, str) and _words(each) <= _words(text)), None)
    match schema.get("type", "string"):
        case "integer" | "number" as kind:
            return _number(text, whole=kind == "integer")
        case "boolean":
            return True if _words(_parted(name)) <= _words(text) else None
        case "string":
            return _string(_spoken_name(name), text, sole=sole)
    return None


def _number(text: str, *, whole: bool) -> int | float | None:
    found = _NUMBER.search(text)
    if found is None:
        return None
    word = found[0].lower()
    number = float(_NUMBERS.index(word)) if word in _NUMBERS else float(word)
    return int(number) if whole or number.is_integer() else number


def _string(name: str, text: str, *, sole: bool) -> str | None:
    named = _behind(rf"{re.escape(name)}(?:\s+is|\s+of|\s*:)?", text)
    if named is not None:
        return named
    words = frozenset(name.split())
    if words & _TIMES:
        found = _WHEN.search(text)
        return found[0] if found else None
    for names, before in _BEHIND:
        if words & names:
            return _behind(before, text) or (text.strip() if names is _TEXTS else None)
    return _behind(r"in|for|to|of|about|with|at", text) if sole else None


def _behind(before: str, text: str) -> str | None:
    found = re.search(rf"\b(?:{before})\s+(?:the\s+)?([^\s?.!,;].*?){_ENDS}", text, re.IGNORECASE)
    return found[1] if found else None


# What it gave


def _decoded(output: str) -> Any:
    try:
        return msgspec.json.decode(output)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return output


def _refused(value: Any) -> bool:
    error = value.get("error") if isinstance(value, dict) else None
    return isinstance(error, dict) and error.get("code") in _REFUSALS


def told(value: Any) -> list[str]:
    """Tell a result in words; an ``error`` in it is told to be one."""
    if isinstance(value, dict) and value.get("error"):
        return ["That did not work.", *filter(None, [_cut(_said(value["error"]))])]
    words = _cut(_said(value))
    words = words[:1].upper() + words[1:]
    return [words if words.endswith((".", "!", "?")) else f"{words}."] if words else ["That is done."]


def _said(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            parts = [(_spoken_name(str(key)), _said(each)) for key, each in value.items() if str(key) != "ok"]
            return ", ".join(f"{name} {words}" for name, words in parts if words)
        case list():
            return ", ".join(filter(None, map(_said, value)))
    return " ".join(str(value).split())


def _cut(words: str) -> str:
    return words if len(words) <= MAX_TOLD_CHARS else f"{words[:MAX_TOLD_CHARS].rsplit(' ', 1)[0]}, and more"
