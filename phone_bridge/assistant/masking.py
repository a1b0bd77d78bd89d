"""A turn with signs in the place of what was understood already: ``~`` for a time, ``@`` for a title of the caller's.

So a pattern over a whole wish need not know how times are said, and a title such as "Flight to London" or "Friday
review" is not taken for words of another meaning.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from phone_bridge.assistant.grammar import spoken
from phone_bridge.assistant.phrase import Phrase, Token
from phone_bridge.assistant.spoken_time import scan
from phone_bridge.assistant.when import Lead, Length, Piece, Shift, When, gather

TIME, TITLE = "~", "@"

_LEAD = re.compile(
    r"(?:(?:okay|ok|and|so|well|please|hey|hi|hello|now|then|also|just|actually|great|right|alright|but|rather|oh"
    r"|i'd like to know|i want to know|do you know|(?:can you |could you )?tell me(?! (?:about|my))"
    r"|can you|could you|would you|will you|can we|could we|let's|let us|go ahead and|help me"
    r"|i would like you to|i would like to|i'd like you to|i'd like to|i want you to|i want to|i wanna"
    r"|i need you to|i need to) )+"
)
_TAIL = re.compile(r"(?: (?:please|thanks|thank you|for me|if possible|right now|now|instead|then|too|as well|okay))+$")


class Item(Struct, frozen=True):
    """One sign of a turn: a word, a time or a title, with the tokens it stands for."""

    sign: str
    said: tuple[Token, ...]
    piece: Piece | None = None


class Turn(Struct, frozen=True):
    """Signs of a turn, or a part of one, said on the day ``today``."""

    items: tuple[Item, ...]
    today: date

    @property
    def text(self) -> str:
        """The signs, for patterns."""
        return " ".join(item.sign for item in self.items)

    @property
    def bones(self) -> str:
        """The signs without the times."""
        return " ".join(item.sign for item in self.items if item.piece is None)

    @property
    def pieces(self) -> list[Piece]:
        """The times."""
        return [item.piece for item in self.items if item.piece is not None]

    @property
    def said(self) -> list[Token]:
        """The tokens behind the signs."""
        return [token for item in self.items for token in item.said]

    def cut(self, begin: int, end: int) -> "Turn":
        """Give the signs at the characters ``begin`` to ``end`` of the text."""
        first = self.text[:begin].count(" ")
        return Turn(self.items[first : first + len(self.text[begin:end].split())], self.today)

    def group(self, match: re.Match[str], name: str) -> "Turn":
        """Give the signs that a group of a match in the text took; none where it took part in nothing."""
        return self.cut(*match.span(name)) if match.groupdict().get(name) else Turn((), self.today)

    def without(self, *signs: str, kinds: tuple[type[Piece], ...] = ()) -> "Turn":
        """Leave out some signs, and some kinds of time."""
        kept = (item for item in self.items if item.sign not in signs and not isinstance(item.piece, kinds))
        return Turn(tuple(kept), self.today)

    def only_time(self, allowed: frozenset[str]) -> "Times | None":
        """Read the words as an answer to "when?"; None where more is said than times and ``allowed`` words."""
        turn = masked(self.said, self.today, bare=True)
        if not turn.pieces or any(item.piece is None and item.sign not in allowed for item in turn.items):
            return None
        return Times(tuple(turn.pieces), begins=turn.items[0].piece is not None)


class Times(Struct, frozen=True):
    """Times that were said, and whether they begin what was said."""

    pieces: tuple[Piece, ...]
    begins: bool = True

    @property
    def when(self) -> When:
        """The point or stretch of time that they make together."""
        return gather(self.pieces)

    def length(self) -> int | None:
        """Find how long, in minutes."""
        return next((piece.minutes for piece in self.pieces if isinstance(piece, Length)), None)

    def lead(self) -> int | None:
        """Find how long before, in minutes."""
        return next((piece.minutes for piece in self.pieces if isinstance(piece, Lead)), None)

    def shift(self, direction: int) -> int | None:
        """Find by how many minutes to move: as the words say, or else as the verb says (``direction``)."""
        return next((p.minutes * (p.direction or direction) for p in self.pieces if isinstance(p, Shift)), None)


def without_manners(said: Sequence[Token]) -> list[Token]:
    """Take off the polite words before and behind a wish."""
    plain = " ".join(token.word for token in said)
    lead, tail = _LEAD.match(f"{plain} "), _TAIL.search(plain)
    begin = len(lead.group().split()) if lead else 0
    end = len(said) - (len(tail.group().split()) if tail else 0)
    return list(said[begin:end] if begin < end else said[:end])


def masked(said: Sequence[Token], today: date, titles: Iterable[str] = (), *, bare: bool = False) -> Turn:
    """Put the signs in: for ``titles`` of two words or more, then for the times outside of them.

    ``bare`` says that nothing but a time was asked for, so that a number alone is one.
    """
    words = tuple(token.word for token in said)
    ends = dict(_title_spans(words, titles))
    inside = {at for begin, end in ends.items() for at in range(begin, end)}
    found = {piece.begin: piece for piece in scan(Phrase(_blanked(words, inside)), today, bare=bare)}
    items, at = [], 0
    while at < len(said):
        if at in ends:
            items.append(Item(TITLE, tuple(said[at : ends[at]])))
        elif at in found:
            items.append(Item(TIME, tuple(said[at : found[at].end]), found[at].piece))
        else:
            items.append(Item(said[at].word, (said[at],)))
        at += len(items[-1].said)
    return Turn(tuple(items), today)


def _blanked(words: Sequence[str], inside: set[int]) -> list[str]:
    return [TITLE if at in inside else word for at, word in enumerate(words)]


def _title_spans(words: tuple[str, ...], titles: Iterable[str]) -> list[tuple[int, int]]:
    """Find where titles of two words or more stand, the longest first."""
    known = sorted({tuple(spoken(title).split()) for title in titles}, key=len, reverse=True)
    spans: list[tuple[int, int]] = []
    for title in (title for title in known if len(title) > 1):
        for at in range(len(words) - len(title) + 1):
            end = at + len(title)
            if words[at:end] == title and not any(begin < end and at < last for begin, last in spans):
                spans.append((at, end))
    return spans
