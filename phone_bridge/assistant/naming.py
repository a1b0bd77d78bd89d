"""From a caller's words to the title of an event or a reminder."""

import re
from collections.abc import Sequence

from phone_bridge.assistant.masking import Turn
from phone_bridge.assistant.phrase import Token

TITLE_CHARS = 200
"""How long a title may become."""

_LEAD = re.compile(
    r"(?:(?:a|an|the|new|another|my|some|up|in) )*"
    r"(?:(?:meeting|event|appointment|entry|something|reminder) (?:called|named|titled) )?"
)
_INTO_CALENDAR = re.compile(r"(?:^| )(?P<into>(?:in|on|to|into|onto) (?:my|the) (?:calendar|schedule|agenda|diary))\b")
_NAMELESS = frozenset(("", "event", "something", "it", "entry", "appointment", "one", "slot", "time", "thing"))
_NO_NAMES = frozenset(("my", "our", "the", "a", "an", "everyone", "everybody", "him", "her", "them"))
_DANGLING = frozenset(("at", "on", "for", "from", "to", "in", "by", "and", "around", "the", "of", "with"))


def title_of(turn: Turn) -> str:
    """Make a title of what is left without the times and without "in my calendar"; empty where nothing names it."""
    match = _INTO_CALENDAR.search(turn.text)
    if match is not None:
        before, into = turn.cut(0, match.start("into")), turn.group(match, "into")
        turn = Turn((*before.items, *turn.items[len(before.items) + len(into.items) :]), turn.today)
    return title([token for item in turn.items if item.piece is None for token in item.said])


def title(said: Sequence[Token]) -> str:
    """Write the words as they were written, with a capital in front and for a name behind "with"."""
    kept = list(said)
    lead = _LEAD.match("".join(f"{token.word} " for token in kept))
    del kept[: len(lead.group().split()) if lead else 0]
    while kept and kept[-1].word in _DANGLING:
        kept.pop()
    while kept and kept[0].word in _DANGLING:
        kept.pop(0)
    raws = [token.raw for token in kept]
    if " ".join(raws).lower() in _NAMELESS:
        return ""
    names = {0} | {at for at in range(1, len(kept)) if kept[at - 1].word == "with" and kept[at].word not in _NO_NAMES}
    named = [_capital(raw) if at in names else raw for at, raw in enumerate(raws)]
    return " ".join(named)[:TITLE_CHARS]


def _capital(word: str) -> str:
    return f"{word[:1].upper()}{word[1:]}" if word.islower() else word
