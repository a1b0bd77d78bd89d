"""The words of a turn: splitting them, stepping through them, and reading their numbers."""

import re
from collections.abc import Iterable
from functools import cache

from msgspec import Struct

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
TEXT_MAX = 8000
"""How many characters of a turn are read."""

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_NUMBERS = {word: value for value, word in enumerate(_SMALL)} | _TENS
_ORDINALS = {
    word: value
    for value, word in enumerate(
        (
            *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
            *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
            *("eighteenth", "nineteenth", "twentieth"),
        ),
        1,
    )
} | {"thirtieth": 30}
_ALIASES = {
    "oclock": "o'clock",
    "min": "minutes",
    "mins": "minutes",
    "hr": "hours",
    "hrs": "hours",
    "h": "hours",
    "tmrw": "tomorrow",
    "til": "until",
    "till": "until",
    "midday": "noon",
    "&": "and",
    "a.m": "am",
    "p.m": "pm",
    "a.m.": "am",
    "p.m.": "pm",
    "mon": "monday",
    "tue": "tuesday",
    "tues": "tuesday",
    "wed": "wednesday",
    "thu": "thursday",
    "thur": "thursday",
    "thurs": "thursday",
    "fri": "friday",
    "jan": "january",
    "feb": "february",
    "aug": "august",
    "sep": "september",
    "sept": "september",
    "oct": "october",
    "nov": "november",
    "dec": "december",
}
_TOKEN = re.compile(
    r"""\d{4}-\d{2}-\d{2}(?!\d)       # an ISO date
    | \d{1,2}[:.]\d{2}(?!\d)          # a time on the clock
    | \d+/\d+(?:/\d+)?                # a date that people read in two ways
    | \d+(?:st|nd|rd|th)(?!\w)
    | \d+\.\d | \d+
    | [ap]\.\ ?m(?!\w)\.?             # a.m. and p.m.
    | o\ ?'\ ?clock | &
    | [^\W\d_]+(?:'[^\W\d_]+)*""",
    re.VERBOSE | re.IGNORECASE,
)
_OWNED = frozenset(f"{word}'s" for word in (*WEEKDAYS, "today", "tomorrow", "yesterday", "tonight"))


class Token(Struct, frozen=True):
    """One word: ``word`` for reading, ``raw`` as it was written."""

    word: str
    raw: str


def tokens(text: str) -> list[Token]:
    """Split a turn into words: small letters, no punctuation, one spelling for each word of time."""
    text = text[:TEXT_MAX].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return [Token(_plain(raw), raw) for raw in _TOKEN.findall(text)]


def _plain(raw: str) -> str:
    word = raw.lower().replace(" ", "")
    word = word[:-2] if word in _OWNED else word
    return _ALIASES.get(word, word)


@cache
def _parts(choice: str) -> tuple[str, ...]:
    """Split a phrase of our own; there are not many of them."""
    return tuple(choice.split())


class Phrase:
    """Words to step through; places beyond either end hold the empty word."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)

    def __len__(self) -> int:
        return len(self.words)

    def word(self, at: int) -> str:
        """Give the word at ``at``."""
        return self.words[at] if 0 <= at < len(self.words) else ""

    def skip(self, at: int, *choices: str) -> int:
        """Step over the first of ``choices`` (of several words each, maybe) that stands at ``at``."""
        word = self.word(at)
        for choice in choices:
            parts = _parts(choice)
            if parts[0] == word and self.words[at : at + len(parts)] == parts:
                return at + len(parts)
        return at

    def stands(self, at: int, *choices: str) -> bool:
        """Tell whether one of ``choices`` stands at ``at``."""
        return self.skip(at, *choices) > at

    def number(self, at: int) -> tuple[int, int] | None:
        """Read a whole number below a thousand, in digits or words: its value and where it ends."""
        word, after = self.word(at), self.word(at + 1)
        if word.isdecimal():
            return (int(word), at + 1) if len(word) <= len("999") else None
        if word in _TENS and 0 < _NUMBERS.get(after, 0) < 10:
            return _TENS[word] + _NUMBERS[after], at + 2
        return (_NUMBERS[word], at + 1) if word in _NUMBERS else None

    def ordinal(self, at: int) -> tuple[int, int] | None:
        """Read ``first`` to ``thirty first`` or ``24th``: its value and where it ends."""
        word, after = self.word(at), self.word(at + 1)
        if word[:-2].isdecimal() and word[-2:] in ("st", "nd", "rd", "th"):
            return (int(word[:-2]), at + 1) if len(word) <= len("31st") else None
        if word in ("twenty", "thirty") and 0 < _ORDINALS.get(after, 0) < 10:
            return _TENS[word] + _ORDINALS[after], at + 2
        return (_ORDINALS[word], at + 1) if word in _ORDINALS else None
