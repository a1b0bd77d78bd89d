"""When somebody may be rung, and whether once more: by the recipient's own clock, and closed where it is unknown."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from phone_bridge.errors import Refused

MAX_ATTEMPTS = 10
MAX_RETRY_MINUTES = 1_440
MAX_LATE_MINUTES = 10_080
LOOK_AHEAD_DAYS = 8
"""How far ahead the next permitted hour is looked for: a week, and a day for the clocks that change in it."""

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)", re.ASCII)
_OFFSET = re.compile(r"UTC([+-])(\d\d):(\d\d)", re.ASCII)

SPAN = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]|24):[0-5]\d$|^$"

Span = Annotated[str, Meta(pattern=SPAN)]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one recipient is rung; spans are ``HH:MM-HH:MM`` by the recipient's clock and may pass midnight.

    ``window`` is when a call may be made, ``quiet_hours`` when none may; an empty span is no rule. ``retry_minutes``
    are the distances between attempts, the last of them again and again. ``voicemail`` says what a machine counts as:
    ``reached`` (a message is left), ``retry`` (a message is left, and another attempt made) or ``silent`` (no message).
    """

    quiet_hours: Span = ""
    window: Span = ""
    days: tuple[Day, ...] = DAYS
    max_attempts: Annotated[int, Meta(ge=1, le=MAX_ATTEMPTS)] = 3
    retry_minutes: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=MAX_RETRY_MINUTES)], ...], Meta(min_length=1, max_length=MAX_ATTEMPTS)
    ] = (5, 15, 60)
    voicemail: Literal["reached", "retry", "silent"] = "reached"
    late_minutes: Annotated[int, Meta(ge=1, le=MAX_LATE_MINUTES)] = 720
    """How long after its time a reminder is still worth ringing for."""
    consent_required: bool = False
    """Whether nobody is rung of whom it was not recorded how they agreed to it."""

    @property
    def has_hours(self) -> bool:
        """Whether the recipient's clock counts."""
        return bool(self.quiet_hours or self.window or len(set(self.days)) < len(DAYS))


def zone(name: str) -> tzinfo:
    """Find a time zone by its IANA name, or a fixed one such as ``UTC+02:00``; raises Refused ``unknown_timezone``."""
    fixed = _OFFSET.fullmatch(name)
    if fixed:
        sign = 1 if fixed[1] == "+" else -1
        return timezone(sign * timedelta(hours=int(fixed[2]), minutes=int(fixed[3])))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            f"{name!r} is no time zone: give a name such as Europe/Berlin or America/New_York.", code="unknown_timezone"
        ) from None


def offset_name(at: datetime) -> str:
    """Name the fixed zone of a time that has an offset, as ``zone`` reads it."""
    offset = at.utcoffset() or timedelta()
    minutes = abs(offset) // timedelta(minutes=1)
    return f"UTC{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"


def permitted(at: datetime, policy: Policy, where: tzinfo) -> datetime | None:
    """Give the first moment from ``at`` on at which the recipient may be rung; None where there is none in a week.

    The hour is that of the clock on the recipient's wall: on the nights when it changes, too.
    """
    if _allowed(at, policy, where):
        return at
    later = (moment for moment in _edges(at, policy, where) if moment > at and _allowed(moment, policy, where))
    return min(later, default=None)


def instant(local: datetime, where: tzinfo) -> datetime:
    """Give the moment of a wall clock's ``local`` time: the first of two, and for an hour left out, what follows it."""
    return local.replace(tzinfo=where, fold=0).astimezone(UTC)


def _allowed(at: datetime, policy: Policy, where: tzinfo) -> bool:
    local = at.astimezone(where)
    if DAYS[local.weekday()] not in policy.days:
        return False
    if policy.quiet_hours and _within(local.time(), policy.quiet_hours):
        return False
    return not policy.window or _within(local.time(), policy.window)


def _within(clock: time, span: str) -> bool:
    start, end = _ends(span)
    minute = clock.hour * 60 + clock.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def _edges(at: datetime, policy: Policy, where: tzinfo) -> Iterator[datetime]:
    """Walk over the moments at which a rule may begin to permit."""
    midnight = at.astimezone(where).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    minutes = {0}
    if policy.quiet_hours:
        minutes.add(_ends(policy.quiet_hours)[1])
    if policy.window:
        minutes.add(_ends(policy.window)[0])
    for day in range(LOOK_AHEAD_DAYS + 1):
        for minute in minutes:
            yield instant(midnight + timedelta(days=day, minutes=minute), where)


def _ends(span: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(span)
    if found is None:
        raise Refused(f"{span!r} is no span of time: write HH:MM-HH:MM, such as 21:00-08:00.", code="invalid_span")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if end > 24 * 60 or start == end:
        raise Refused(f"{span!r} is an empty span of time, or ends after midnight.", code="invalid_span")
    return start, end


def check(policy: Policy) -> None:
    """Make sure that a policy permits anything at all; raises Refused ``invalid_span`` or ``never_permitted``."""
    for span in (policy.quiet_hours, policy.window):
        if span:
            _ends(span)
    if permitted(datetime(2026, 1, 5, tzinfo=UTC), policy, UTC) is None:
        raise Refused("The policy permits no hour of the week.", code="never_permitted")


# Once more, or not


class Outcome(msgspec.Struct, frozen=True):
    """What came of an attempt: a call's last ``status``, what answered it, and what the callee replied, if anything.

    ``reply`` is ``confirmed``, ``later:MINUTES``, ``assistant``, ``stop``, ``heard`` or empty.
    """

    status: str
    answered_by: str = ""
    reply: str = ""
    refused: bool = False
    """The carrier will never take this call."""
    postponed: bool = False
    """Nobody was rung, since the hour is not permitted any more."""


class Again(msgspec.Struct, frozen=True):
    """Ring once more at ``at``; ``asked`` when the callee or the hour wished it, which is no failed attempt."""

    at: datetime
    asked: bool = False


class Done(msgspec.Struct, frozen=True):
    """Nothing more is done: ``status`` is ``done`` or ``failed``, ``outcome`` says how."""

    status: Literal["done", "failed"]
    outcome: str


_NOT_REACHED = frozenset({"no_answer", "busy", "failed"})


def after(outcome: Outcome, attempts: int, policy: Policy, now: datetime, where: tzinfo) -> Again | Done:
    """Decide what comes after attempt number ``attempts``, which ended at ``now``."""
    if outcome.postponed:
        at = permitted(now, policy, where)
        return Again(at, asked=True) if at is not None else Done("failed", "not_permitted")
    kind, _, minutes = outcome.reply.partition(":")
    if kind == "later":
        at = permitted(now + timedelta(minutes=int(minutes)), policy, where)
        return Again(at, asked=True) if at is not None else Done("failed", "not_permitted")
    if kind:
        return Done("done", kind)
    if outcome.status == "completed":
        return Done("done", "answered")
    if outcome.status == "voicemail" and policy.voicemail == "reached":
        return Done("done", "voicemail")
    if outcome.refused or outcome.status == "canceled":
        return Done("failed", outcome.status)
    if attempts >= policy.max_attempts or outcome.status not in _NOT_REACHED | {"voicemail"}:
        return Done("failed", outcome.status)
    wait = policy.retry_minutes[min(attempts, len(policy.retry_minutes)) - 1]
    at = permitted(now + timedelta(minutes=wait), policy, where)
    return Again(at) if at is not None else Done("failed", "not_permitted")
