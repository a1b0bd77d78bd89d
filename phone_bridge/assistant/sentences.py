"""Words that come in pieces, cut into sentences, so that the first can be spoken while the last is still thought of."""

import re

LONGEST_CHARS = 300
"""A sentence without an end is cut at the last space before this."""

_END = re.compile(r"(?<=[.!?…])[\"')]*\s+|\n+")
_NO_END = re.compile(r"(?:\b(?:a\.m|p\.m|Dr|Mr|Mrs|Ms|St|No|e\.g|i\.e)|\b[A-Z]|\b\d+)\.$", re.IGNORECASE)
_MARKS = re.compile(r"[*_`#]+|^\s*[-•]\s+", re.MULTILINE)


class Sentences:
    """Sentences out of pieces of text; marks of Markdown are left out, for nobody wants to hear them."""

    def __init__(self) -> None:
        self._rest = ""

    def push(self, piece: str) -> list[str]:
        """Take in a piece and give the sentences that it ended."""
        self._rest += piece
        found: list[str] = []
        begin = 0
        for end in _END.finditer(self._rest):
            sentence = self._rest[begin : end.start()]
            if not ("\n" not in end.group() and _NO_END.search(sentence)):
                found.append(sentence)
                begin = end.end()
        self._rest = self._rest[begin:]
        while len(self._rest) > LONGEST_CHARS:
            cut = self._rest.rfind(" ", 0, LONGEST_CHARS) + 1 or LONGEST_CHARS
            found.append(self._rest[:cut])
            self._rest = self._rest[cut:]
        return _plain(found)

    def finish(self) -> list[str]:
        """Give what is left as the last sentence."""
        rest, self._rest = self._rest, ""
        return _plain([rest])


def _plain(sentences: list[str]) -> list[str]:
    return [plain for sentence in sentences if (plain := " ".join(_MARKS.sub("", sentence).split()))]
