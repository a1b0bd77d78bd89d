"""What an outbound call is about: the text that is said first, the keys and words that answer it, and who screens it.

A dialogue of its own before the assistant has the word: 1 got it, 2 later, 3 talk to the assistant, 9 no more such
calls; star says it again. The words are few and their meaning is looked for in a fixed order, the graver first; a yes
is read by the same grammar as consent is.
"""

import re
from enum import StrEnum

import msgspec

from phone_bridge.call.assent import Assent, understand
from phone_bridge.call.assent.accents import plain
from phone_bridge.call.errand_words import LANGUAGES, ErrandWords

MAX_LATER_MINUTES = 10_080
"""The latest that a callee may be called again: a week from now."""
MAX_LATER_DIGITS = 4


class Wish(StrEnum):
    """What the callee wants."""

    NOTHING = "nothing"  # not understood, or said to somebody else
    WRONG_KEY = "wrong_key"
    GOT_IT = "confirmed"
    LATER = "later"  # how much later is still to be asked
    LATER_IN = "later_in"
    ASSISTANT = "assistant"
    STOP = "stop"
    REPEAT = "repeat"
    SCREENED = "screened"  # somebody, or something, asks who is calling
    MORE = "more"  # a key of several


class Heard(msgspec.Struct, frozen=True):
    """A wish; ``minutes`` with ``LATER_IN``."""

    wish: Wish
    minutes: int = 0


_KEYS = {
    "1": Wish.GOT_IT,
    "2": Wish.LATER,
    "3": Wish.ASSISTANT,
    "9": Wish.STOP,
    "*": Wish.REPEAT,
}


def screens(text: str, language: str) -> bool:
    """Tell whether somebody asks who is calling and why, as people and screening services do."""
    return _has(_plain(text), _table(language).screening)


class Errand:
    """The dialogue of one call, in one language; open until the callee has said what they want."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self._language = language
        self._asking_when = False
        self._digits = ""
        self.open = True

    def press(self, digit: str) -> Heard:
        """Take a key in."""
        if self._asking_when:
            return self._press_when(digit)
        wish = _KEYS.get(digit, Wish.WRONG_KEY)
        return self._settle(Heard(wish))

    def say(self, text: str) -> Heard:
        """Take in what the callee said."""
        table = _table(self._language)
        words = _without(_plain(text), table.farewells)
        minutes = _minutes(words, table)
        if _has(words, table.screening):
            return Heard(Wish.SCREENED)
        if _has(words, table.stop):
            return self._settle(Heard(Wish.STOP))
        begins = words.startswith(tuple(map(plain, table.begins)))
        if minutes and (self._asking_when or _has(words, table.later) or begins):
            return self._settle(Heard(Wish.LATER_IN, minutes))
        for wish, phrases in (
            (Wish.LATER, table.later),
            (Wish.ASSISTANT, table.assistant),
            (Wish.REPEAT, table.repeat),
        ):
            if _has(words, phrases):
                return self._settle(Heard(wish))
        if words in map(plain, table.got_it) or self._agrees(text, words):
            return Heard(Wish.NOTHING) if self._asking_when else self._settle(Heard(Wish.GOT_IT))
        return Heard(Wish.NOTHING)

    def _agrees(self, text: str, words: str) -> bool:
        """Tell whether it was a yes; of what was said with a farewell, what stands beside that."""
        said = text if words == _plain(text) else words
        return understand(said, self._language, prompt=self.text) is Assent.YES

    def _press_when(self, digit: str) -> Heard:
        if digit == "#" and self._digits:
            minutes = min(max(int(self._digits), 1), MAX_LATER_MINUTES)
            return self._settle(Heard(Wish.LATER_IN, minutes))
        if digit == "*":
            self._digits = ""
            return Heard(Wish.LATER)
        if digit.isdigit() and len(self._digits) < MAX_LATER_DIGITS:
            self._digits += digit
        return Heard(Wish.MORE)

    def _settle(self, heard: Heard) -> Heard:
        self._asking_when = heard.wish is Wish.LATER
        self._digits = ""
        if heard.wish in (Wish.GOT_IT, Wish.LATER_IN, Wish.ASSISTANT, Wish.STOP):
            self.open = False
        return heard


def _table(language: str) -> ErrandWords:
    return LANGUAGES.get(language.partition("-")[0].lower(), LANGUAGES["en"])


def _plain(text: str) -> str:
    """Write ``text`` as words, without accents: some recognisers leave them out."""
    return plain(" ".join(re.findall(r"[\w']+", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))))


def _without(words: str, phrases: tuple[str, ...]) -> str:
    for phrase in phrases:
        words = re.sub(rf"\b{re.escape(plain(phrase))}\b", "", words)
    return " ".join(words.split())


def _has(words: str, phrases: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(plain(phrase))}\b", words) for phrase in phrases)


def _minutes(words: str, table: ErrandWords) -> int:
    """Read a span of time such as "twenty minutes"; 0 for none."""
    for phrase, minutes in table.spans.items():
        if _has(words, (phrase,)):
            return minutes
    sizes = {plain(unit): minutes for unit, minutes in table.units.items()}
    counts = {plain(number): count for number, count in table.numbers.items()}
    units, numbers = "|".join(sizes), "|".join(sorted(counts, key=len, reverse=True))
    found = re.search(rf"\b(\d{{1,4}}|{numbers}) ({units})\b", words)
    if found is None:
        return 0
    count = int(found[1]) if found[1].isdigit() else counts[found[1]]
    return min(count * sizes[found[2]], MAX_LATER_MINUTES)
