"""Recognised text as plain words, whatever the recogniser's casing, punctuation and spelling."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
Words = tuple[str, ...]

LONGEST_UTTERANCE = 60
"""Words of one utterance that are looked at; nobody consents in more."""

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for what is no word: a sign, a note such as "[laughter]", the part of an utterance that was cut away."""

_PIECE = re.compile(
    r"""
    (?P<note> \[[^\[\]]*\] | \([^()]*\) | <[^<>]*> | \*[^*]*\* )
    | (?P<word> [^\W\d_]+ (?: ' [^\W\d_]+ )* | \d+ )
    | (?P<sign> \S )
    """,
    re.VERBOSE,
)
_QUOTES = str.maketrans({"\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{LEFT SINGLE QUOTATION MARK}": "'", "`": "'"})
_ASCII = dict.fromkeys((*range(32), 127), " ") | {ord("`"): "'"}
_BROKEN_OFF = ("..", "-", "\N{EN DASH}", "\N{EM DASH}", ",")


class Lexicon(msgspec.Struct, Generic[T], frozen=True):
    """Runs of words and what each stands for; ``reach`` is the length of the longest run by its first word."""

    entries: Mapping[Words, T]
    reach: Mapping[str, int]

    @classmethod
    def of(cls, entries: Mapping[Words, T]) -> "Lexicon[T]":
        """Make a lexicon."""
        reach: dict[str, int] = {}
        for run in entries:
            reach[run[0]] = max(len(run), reach.get(run[0], 0))
        return cls(entries, reach)

    def find(self, words: Words, at: int) -> Iterator[tuple[int, T]]:
        """Find the runs that begin at ``at``, the longest first, each with its length."""
        reach = self.reach.get(words[at], 0) if at < len(words) else 0
        for length in range(min(reach, len(words) - at), 0, -1):
            meaning = self.entries.get(words[at : at + length])
            if meaning is not None:
                yield length, meaning


Spelling = Lexicon[Words]


def hear(text: str) -> Words:
    """Take ``text`` apart into lower-case words.

    Punctuation is dropped. A sign that is not punctuation and a bracketed note become ``UNKNOWN``, which no grammar
    knows.
    """
    return tuple(word for piece in _PIECE.finditer(_plain(text)) if (word := _word(piece)))


def shorten(words: Words) -> Words:
    """Put ``UNKNOWN`` in the place of everything after ``LONGEST_UTTERANCE`` words."""
    return words if len(words) <= LONGEST_UTTERANCE else (*words[:LONGEST_UTTERANCE], UNKNOWN)


def respell(words: Words, spelling: Spelling) -> Words:
    """Replace each run of words that ``spelling`` knows, the longest first, from left to right."""
    done: list[str] = []
    at = 0
    while at < len(words):
        length, meant = next(spelling.find(words, at), (1, words[at : at + 1]))
        done += meant
        at += length
    return tuple(done)


def is_question(text: str) -> bool:
    """Tell whether the recogniser heard a question: its mark is the only trace of a rising voice."""
    return "?" in unicodedata.normalize("NFKC", text)


def is_broken_off(text: str) -> bool:
    """Tell whether the recogniser says that more was to come: the text ends in dots, a dash or a comma."""
    return unicodedata.normalize("NFKC", text).rstrip().endswith(_BROKEN_OFF)


def _plain(text: str) -> str:
    """Fold width, case and quotes; drop invisible format characters; turn control characters into spaces."""
    if text.isascii():
        return text.lower().translate(_ASCII)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_QUOTES)
    return "".join(_visible(char) for char in folded)


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    return " " if category == "Cc" else char


def _word(piece: re.Match[str]) -> str:
    if piece["note"] is not None:
        return UNKNOWN
    if piece["word"] is not None:
        return piece["word"]
    return "" if unicodedata.category(piece["sign"]).startswith("P") else UNKNOWN
