"""Digits as people say them: one by one, in pairs, doubled, or written out by the recogniser.

All words of an utterance must be digits, or words that one puts around a number; else it is none: half a PIN that was
picked out of a sentence would only cost the caller a try.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

MAX_SAID_CHARS = 400
"""Of an utterance that is looked at: nobody says a PIN in more."""

_WORD = re.compile(r"[^\W\d_]+|\d+")
_APOSTROPHES = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}]")


class _Words(msgspec.Struct, frozen=True):
    """One language: numbers below a hundred, words for "twice" and "three times", and what is said besides."""

    numbers: Mapping[str, str]
    times: Mapping[str, int]
    around: frozenset[str]


def _split(words: str) -> list[str]:
    return words.split()


def _numbered(words: str, first: int = 0) -> dict[str, str]:
    return {word: str(number) for number, word in enumerate(_split(words), first)}


def _english() -> _Words:
    units = _numbered("zero one two three four five six seven eight nine")
    teens = _numbered("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10)
    tens = {word: f"{number}0" for number, word in enumerate(_split(_TENS["en"]), 2)}
    pairs = {f"{ten} {unit}": tens[ten][0] + units[unit] for ten in tens for unit in units if unit != "zero"}
    more = {"oh": "0", "o": "0", "nought": "0", "null": "0"}
    around = frozenset(_split("my pin is it s its it's the code number and uh um er okay ok please that that's"))
    return _Words(units | teens | tens | pairs | more, {"double": 2, "triple": 3}, around)


def _german() -> _Words:
    units = _numbered("null eins zwei drei vier fünf sechs sieben acht neun")
    teens = _numbered("zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn", 10)
    tens = {word: f"{number}0" for number, word in enumerate(_split(_TENS["de"]), 2)}
    joined = _split("ein zwei drei vier fünf sechs sieben acht neun")
    pairs = {f"{unit}und{ten}": tens[ten][0] + str(at) for ten in tens for at, unit in enumerate(joined, 1)}
    around = frozenset(_split("meine pin ist die sie lautet der code nummer und äh ähm also bitte es das"))
    more = {"zwo": "2", "ein": "1", "eine": "1"}
    return _Words(units | teens | tens | pairs | more, {"doppel": 2, "zweimal": 2, "dreimal": 3}, around)


def _spanish() -> _Words:
    units = _numbered("cero uno dos tres cuatro cinco seis siete ocho nueve")
    teens = _numbered("diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve", 10)
    twenties = _numbered(
        "veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve",
        20,
    )
    tens = {word: f"{number}0" for number, word in enumerate(_split(_TENS["es"]), 3)}
    pairs = {f"{ten} y {unit}": tens[ten][0] + units[unit] for ten in tens for unit in units if unit != "cero"}
    around = frozenset(_split("mi pin es el la clave código número y eh por favor"))
    return _Words(units | teens | twenties | tens | pairs, {"doble": 2, "triple": 3}, around)


def _french() -> _Words:
    units = _numbered("zéro un deux trois quatre cinq six sept huit neuf")
    teens = _numbered("dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf".replace("-", "_"), 10)
    low = {**units, **{word.replace("_", " "): number for word, number in teens.items()}}
    tens = {word: f"{number}0" for number, word in enumerate(_split("vingt trente quarante cinquante soixante"), 2)}
    pairs = {f"{ten} {unit}": tens[ten][0] + units[unit] for ten in tens for unit in units if units[unit] > "1"}
    pairs |= {f"{ten} et un": f"{tens[ten][0]}1" for ten in tens}
    above = {f"soixante {word}": f"7{number[1]}" for word, number in low.items() if len(number) == 2}
    above |= {"soixante et onze": "71", "quatre vingt": "80", "quatre vingts": "80"}
    above |= {f"quatre vingt {word}": f"8{number}" for word, number in units.items() if number > "0"}
    above |= {f"quatre vingt {word}": f"9{number[1]}" for word, number in low.items() if len(number) == 2}
    more = {"une": "1"}
    around = frozenset(_split("mon code est le pin c est numéro et euh s il vous plaît"))
    return _Words(low | tens | pairs | above | more, {"double": 2, "triple": 3}, around)


_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "es": "treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
_LANGUAGES: Mapping[str, _Words] = MappingProxyType(
    {"en": _english(), "de": _german(), "es": _spanish(), "fr": _french()}
)
_LONGEST = 4  # words of one number: "quatre vingt dix neuf"


def speaks(language: str) -> bool:
    """Tell whether digits that are said in ``language`` are understood."""
    return _base(language) in _LANGUAGES


def spoken_digits(text: str, language: str) -> str:
    """Give the digits that ``text`` says and nothing else does; empty where it says something else, or none."""
    table = _LANGUAGES.get(_base(language))
    if table is None or len(text) > MAX_SAID_CHARS:
        return ""
    words = _WORD.findall(_APOSTROPHES.sub(" ", unicodedata.normalize("NFKC", text).casefold().replace("ß", "ss")))
    numbers = {word.replace("ß", "ss"): digits for word, digits in table.numbers.items()}
    found, times, at = "", 1, 0
    while at < len(words):
        length, digits = _number(words, at, numbers)
        if digits:
            found, times = found + digits * times, 1
        elif words[at] in table.times:
            times = table.times[words[at]]
        elif words[at] not in table.around:
            return ""
        at += length
    return found


def _number(words: list[str], at: int, numbers: Mapping[str, str]) -> tuple[int, str]:
    """Read the longest number that begins at ``at``: how many words it has, and its digits."""
    if words[at].isascii() and words[at].isdigit():
        return 1, words[at]
    for length in range(min(_LONGEST, len(words) - at), 0, -1):
        digits = numbers.get(" ".join(words[at : at + length]))
        if digits is not None:
            return length, digits
    return 1, ""


def _base(language: str) -> str:
    return language.partition("-")[0].lower()
