"""How an answer, or a change of mind, goes into a wish that is known already; pure."""

import re
from collections.abc import Iterable

from msgspec import structs

from phone_bridge.assistant.naming import title
from phone_bridge.assistant.phrase import tokens
from phone_bridge.assistant.plans import Question, Slot
from phone_bridge.assistant.references import known
from phone_bridge.assistant.when import NO_TIME, Clock, When
from phone_bridge.assistant.wishes import Reference, Wish

_LIKE_TO = ("two", "too")
"""What an ear makes of "to"."""
_OF_HOURS = ("set_quiet_hours", "update_preferences")
_SCOPES = (
    ("following", re.compile(r"\b(?:following|from (?:now|then|this|that) on|future|later ones|this and|and after)\b")),
    (
        "this",
        re.compile(
            r"^(?!.*(?<!not )\b(?:all|every|each|both|whole|series)\b)"
            r".*\b(?:only|just|this|that|one|single|once|today|tomorrow|\w+day)\b"
        ),
    ),
    ("all", re.compile(r"\b(?:all|every|everything|series|both|whole|each)\b")),
)


def is_answer(question: Question, wish: Wish) -> bool:
    """Tell whether words that look like a new wish answer the question: "book club" to "what shall I call it?"."""
    if question.slot is Slot.MESSAGE:
        return True
    if question.slot is Slot.SCOPE:
        return wish.name in ("cancel_event", "bulk_cancel_events") and wish.name == question.wish.name
    if question.slot is Slot.TITLE:
        return wish.name == "create_event" and not wish.when
    return wish.name == "update_event" and wish.reference is not None and wish.reference.pronoun


def moved_to(wish: Wish) -> Wish | None:
    """Read "move the dentist at four" as a move to four, where no dentist is at four; None for any other wish."""
    reference = wish.reference
    if reference is None or not reference.words or not reference.when:
        return None
    if wish != Wish(name="update_event", confidence=wish.confidence, reference=reference):
        return None  # it says where to
    words = reference.words[:-1] if reference.words[-1] in _LIKE_TO else reference.words
    return structs.replace(wish, reference=structs.replace(reference, words=words, when=NO_TIME), when=reference.when)


def filled(question: Question, answer: Wish, text: str) -> Wish | None:
    """Put an answer into the wish that the question was about; None when it does not answer it."""
    wish = question.wish
    match question.slot:
        case Slot.SCOPE:
            scope = scope_said(text)
            return structs.replace(wish, scope=scope) if scope else None
        case Slot.MESSAGE:
            message = " ".join(token.raw for token in tokens(text))
            return structs.replace(wish, message=message.removeprefix("that ")) if message else None
        case Slot.UNTIL:
            end = answer.when.end or answer.when.start
            return structs.replace(wish, when=structs.replace(wish.when, end=end)) if end else None
        case Slot.TITLE:
            name = title(tokens(text))
            return structs.replace(wish, title=name) if name else None
        case Slot.LEAD:
            lead = answer.lead or answer.length
            return structs.replace(wish, lead=lead) if lead else None
        case Slot.LENGTH:
            return structs.replace(wish, length=answer.length) if answer.length else None
    if answer.shift is not None and wish.name == "update_event":
        return structs.replace(wish, shift=answer.shift)
    if wish.name == "create_reminder" and answer.lead is not None and wish.reference is not None:
        return structs.replace(wish, lead=answer.lead)
    if not answer.when or answer.when.doubtful:
        return None
    return structs.replace(wish, when=answer.when.over(wish.when), length=wish.length or answer.length)


def scope_said(text: str) -> str:
    """Read how much of a series is meant; empty where the words do not say."""
    said = " ".join(token.word for token in tokens(text))
    return next((scope for scope, pattern in _SCOPES if pattern.search(said)), "")


def amended(old: Wish, wish: Wish, answer: Wish, titles: Iterable[str]) -> Wish | None:
    """Read what was said as a change of the proposed wish ``old``; None when it is about something else.

    ``wish`` is what the words mean by themselves, ``answer`` what they mean as an answer, ``titles`` what the caller's
    events are called.
    """
    if wish.name == "fragment":
        return another(old, answer, titles) or _changed_by_words(old, answer)
    if wish.reference is None or not wish.reference.pronoun:
        return None
    if wish.name == "update_event":
        return wish if old.name == "cancel_event" else _changed_by_words(old, wish)
    return wish if wish.name == "cancel_event" and old.name == "update_event" else None


def another(old: Wish, answer: Wish, titles: Iterable[str]) -> Wish | None:
    """Read "the yoga class" or "the one at four" as the event that was meant instead; None when it names none."""
    reference = answer.reference
    if reference is None or old.reference is None:
        return None
    named = known(reference, titles) if reference.named() else bool(reference.thing and reference.when)
    return structs.replace(old, reference=reference) if named or reference.other or reference.place else None


def _one_end(said: When, old: When) -> When:
    """Put one time into a stretch of hours: in the place of the end that it is nearer to."""
    if said.start is None or said.end is not None or old.start is None or old.end is None:
        return said.over(old)
    to_start, to_end = (_apart(said.start, end) for end in (old.start, old.end))
    return structs.replace(old, end=said.start) if to_end <= to_start else structs.replace(old, start=said.start)


def _apart(one: Clock, other: Clock) -> int:
    """Say how many minutes lie between two times on the clock, the shorter way round, whatever they may mean."""
    gaps = [abs(first - second) % 1440 for first in one.minutes() for second in other.minutes()]
    return min(min(gap, 1440 - gap) for gap in gaps)


def _changed_by_words(old: Wish, said: Wish) -> Wish | None:
    if said.shift is not None and old.name in ("update_event", "cancel_event"):
        return Wish(name="update_event", reference=Reference(pronoun=True), shift=said.shift)
    if not said.when and said.length is None and said.lead is None:
        return None
    if old.name == "cancel_event":
        return Wish(name="update_event", reference=Reference(pronoun=True), when=said.when) if said.when else None
    pronoun = Reference(pronoun=True) if old.reference is not None else None
    return structs.replace(
        old,
        reference=pronoun,
        when=_one_end(said.when, old.when) if old.name in _OF_HOURS else said.when.over(old.when),
        shift=None if said.when else old.shift,
        length=said.length if said.length is not None else old.length,
        lead=said.lead if said.lead is not None else old.lead,
    )
