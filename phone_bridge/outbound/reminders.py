"""A reminder as values: what was asked for, when it is due, and what each thing that happens makes of it.

Times are aware; a recurring reminder keeps the hour on the recipient's wall, whatever the clocks do in between.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from dateutil.rrule import rrulestr
from msgspec import Meta

from phone_bridge.errors import Refused
from phone_bridge.outbound.policy import Again, Outcome, Policy, after, check, instant, offset_name, permitted, zone
from phone_bridge.routing import SIP_ADDRESS

MAX_TEXT_CHARS = 1_000
MAX_OFFSET_MINUTES = 10_080
MAX_RULE_CHARS = 256
MAX_METADATA = 50
"""Entries of a metadata object."""
MAX_METADATA_CHARS = 500
"""Characters of one of its values."""
MAX_OCCURRENCES = 5_000
"""Occurrences of a rule that are looked through for the next one; a daily rule needs this many in thirteen years."""
MAX_AHEAD_DAYS = 3_650
PAST_MINUTES = 5
"""How long ago a time may lie that is asked for, since clocks differ and requests take their time."""
MAX_HISTORY = 20
"""Attempts of which a reminder tells."""

_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"})
"""What a rule may have: the hour is that of its first moment, and what rarely comes is looked for too long."""
_NOWHERE = "UTC+00:00"
"""The zone of a time that ends in Z, which computers write wherever their people are."""
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

NUMBER = r"^\+[1-9][0-9]{7,14}$"

CALLEE = rf"^(\+[1-9][0-9]{{7,14}}|{SIP_ADDRESS})$"

Callee = Annotated[str, Meta(pattern=CALLEE, max_length=256)]
Number = Annotated[str, Meta(pattern=NUMBER)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=MAX_METADATA_CHARS)]],
    Meta(max_length=MAX_METADATA),
]


class ReminderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody is to be reminded of by telephone, and when: at a time, or before an event.

    ``at`` is ISO 8601 with an offset. With ``event_id`` the call is made ``offset_minutes`` before the event's start,
    or before it is time to leave for it, and ``at`` is not needed. ``repeat`` is an RRULE (RFC 5545). ``timezone`` is
    where the recipient is; without it the offset of ``at`` counts.
    """

    to: Callee
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
    at: Annotated[str, Meta(max_length=64, extra_json_schema={"format": "date-time"})] | None = None
    from_: Number | None = msgspec.field(default=None, name="from")
    user_id: Name | None = None
    timezone: Annotated[str, Meta(max_length=64)] | None = None
    event_id: Name | None = None
    offset_minutes: Annotated[int, Meta(ge=0, le=MAX_OFFSET_MINUTES)] = 0
    before: Literal["start", "departure"] = "start"
    repeat: Annotated[str, Meta(max_length=MAX_RULE_CHARS)] | None = None
    policy: Policy = Policy()
    consent: Annotated[str, Meta(max_length=500)] | None = None
    """How the recipient agreed to be called, as the sender records it."""
    campaign: Name | None = None
    """The campaign that it belongs to; while that is paused it does not ring."""
    metadata: Metadata = {}


class Try(msgspec.Struct, frozen=True):
    """One attempt that was made."""

    call_id: str
    at: str
    outcome: str


class Reminder(msgspec.Struct, kw_only=True):
    """A reminder that is kept; ``due`` is the time it is for, ``next_at`` when the telephone is to ring."""

    id: str
    user_id: str
    wish: ReminderBody
    timezone: str
    status: Literal["scheduled", "calling", "done", "cancelled", "failed"] = "scheduled"
    due: datetime
    next_at: datetime | None
    attempts: int = 0
    occurrence: int = 0
    call_id: str | None = None
    outcome: str | None = None
    history: list[Try] = []
    created_at: datetime

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ("done", "cancelled", "failed")


def moment(text: str) -> datetime:
    """Read a time as it was sent; raises Refused ``invalid_time`` with ``at`` at fault."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refused("The time must be ISO 8601 with an offset, such as 2026-11-24T15:00:00-05:00.", code="at")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Refused("The time is outside all calendars.", code="at") from None


def make(
    wish: ReminderBody, *, id: str, user_id: str, timezone: str, now: datetime, event_at: datetime | None = None
) -> Reminder:
    """Make the reminder that was wished for; raises Refused whose ``code`` names the parameter at fault.

    ``event_at`` is when its event starts, or when it is time to leave for it; ``timezone`` is where the recipient is
    if the wish does not say.
    """
    where = wish.timezone or timezone or _offset(wish)
    _check(wish, where)
    if where == _NOWHERE and wish.policy.has_hours and not (wish.timezone or timezone):
        raise Refused("The policy goes by the recipient's clock: say where they are.", code="timezone")
    if wish.policy.consent_required and not (wish.consent or "").strip():
        raise Refused("The policy wants to know how the recipient agreed to be called.", code="consent")
    due = _first_due(wish, where, now, event_at)
    if due - now > timedelta(days=MAX_AHEAD_DAYS):
        raise Refused(f"The time is more than {MAX_AHEAD_DAYS} days ahead.", code="at")
    next_at = permitted(max(due, now), wish.policy, zone(where))
    if next_at is None:
        raise Refused("The policy permits no call in the week after that time.", code="policy")
    return Reminder(id=id, user_id=user_id, wish=wish, timezone=where, due=due, next_at=next_at, created_at=now)


def _offset(wish: ReminderBody) -> str:
    """Take the sender's own offset for where the recipient is, when nothing says so."""
    if wish.at is None:
        return _NOWHERE
    moment(wish.at)
    return offset_name(datetime.fromisoformat(wish.at))


def _check(wish: ReminderBody, where: str) -> None:
    try:
        zone(where)
    except Refused as error:
        raise Refused(str(error), code="timezone") from None
    try:
        check(wish.policy)
    except Refused as error:
        raise Refused(str(error), code="policy") from None
    if not wish.text.strip():
        raise Refused("There is nothing to be said in text.", code="text")
    if wish.at is None and wish.event_id is None:
        raise Refused("Say when: at, or event_id with offset_minutes.", code="at")
    if wish.repeat is not None and wish.event_id is not None:
        raise Refused("A reminder of an event follows the event and has no rule of its own.", code="repeat")


def _first_due(wish: ReminderBody, where: str, now: datetime, event_at: datetime | None) -> datetime:
    if wish.event_id is not None:
        if event_at is None:
            raise Refused(f"There is no event {wish.event_id} that is still to come.", code="event_id")
        return event_at - timedelta(minutes=wish.offset_minutes)
    at = moment(wish.at or "")
    if wish.repeat is not None:
        due = occurrence(wish.repeat, at, where, now - timedelta(minutes=PAST_MINUTES))
        if due is None:
            raise Refused("The rule has no occurrence that is still to come.", code="repeat")
        return due
    if at < now - timedelta(minutes=PAST_MINUTES):
        raise Refused("The time is over already.", code="at")
    return at


def occurrence(rule: str, first: datetime, where: str, later_than: datetime) -> datetime | None:
    """Give the first moment of an RRULE that is later than ``later_than``; raises Refused for what is no rule.

    The rule runs on the recipient's wall clock from ``first`` on, so that nine stays nine when the clocks change.
    """
    there = zone(where)
    start = first.astimezone(there).replace(tzinfo=None)
    ahead = max(first, later_than).astimezone(there).replace(tzinfo=None) + timedelta(days=MAX_AHEAD_DAYS)
    try:
        moments, count = _moments(rule, start, ahead, where)
        for place, local in enumerate(moments):
            if place == count or place >= MAX_OCCURRENCES:
                break
            at = instant(local, there)
            if at > later_than:
                return at
    except (ValueError, TypeError, KeyError, IndexError, OverflowError):
        raise Refused("The rule cannot be read as an RRULE (RFC 5545), from DAILY to YEARLY.", code="repeat") from None
    return None


def _moments(rule: str, start: datetime, ahead: datetime, where: str) -> tuple[Iterator[datetime], int]:
    """Run a rule without a zone, and never for ever; how many of its moments count stands beside it (-1: all)."""
    parts = dict(part.upper().split("=", 1) for part in rule.removeprefix("RRULE:").split(";"))
    if "BYSETPOS" in parts and parts["FREQ"] != "MONTHLY":
        raise ValueError
    if not _comes(parts):
        raise ValueError
    if parts["FREQ"] not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY") or not {*parts} <= _RULE_PARTS:
        raise ValueError
    count = int(parts.pop("COUNT", "-1"))
    until = parts.pop("UNTIL", "")
    if until.endswith("Z"):
        there = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone(where))
        ahead = min(ahead, there.replace(tzinfo=None))
    elif until:
        ahead = min(ahead, datetime.fromisoformat(until))
    whole = ";".join(f"{name}={value}" for name, value in parts.items())
    return iter(rrulestr(f"{whole};UNTIL={ahead:%Y%m%dT%H%M%S}", dtstart=start)), count


def _comes(parts: dict[str, str]) -> bool:
    """Tell whether some month has the days of a rule: the library looks for one that has none until the year 9999."""
    days = [abs(int(day)) for day in parts.get("BYMONTHDAY", "1").split(",")]
    months = [int(month) for month in parts.get("BYMONTH", "1").split(",")]
    return min(days) <= max(_LONGEST[month - 1] for month in months)


# What happens to it


def begin(reminder: Reminder, call_id: str, now: datetime) -> bool:
    """Begin the attempt that is due as ``call_id``; False where it is too late, or not permitted at this hour.

    In those cases the reminder has moved on: to its next hour, its next occurrence, or its end. Where the recipient's
    clock is not known any more, it ends.
    """
    try:
        where = zone(reminder.timezone)
    except Refused as error:
        reminder.status, reminder.next_at, reminder.outcome = "failed", None, error.code
        return False
    if now - reminder.due > timedelta(minutes=reminder.wish.policy.late_minutes) and not reminder.attempts:
        _finish(reminder, "failed", "expired", now)
        return False
    allowed = permitted(now, reminder.wish.policy, where)
    if allowed != now:
        if allowed is None:
            _finish(reminder, "failed", "not_permitted", now)
        else:
            reminder.next_at = allowed
        return False
    reminder.status, reminder.call_id, reminder.next_at = "calling", call_id, None
    reminder.attempts += 1
    return True


def settle(reminder: Reminder, call_id: str, outcome: Outcome, now: datetime) -> None:
    """Take in what came of the attempt ``call_id``; what is not the present one, or comes again, changes nothing."""
    if reminder.call_id != call_id or reminder.status not in ("calling", "cancelled"):
        return
    said = outcome.reply or outcome.status
    reminder.history = [*reminder.history, Try(call_id, iso(now), said)][-MAX_HISTORY:]
    if reminder.status == "cancelled":
        reminder.call_id = None
        return
    step = after(outcome, reminder.attempts, reminder.wish.policy, now, zone(reminder.timezone))
    if isinstance(step, Again):
        reminder.status, reminder.next_at, reminder.call_id = "scheduled", step.at, None
        reminder.outcome = said
        if step.asked:
            reminder.attempts -= 1
        return
    _finish(reminder, step.status, step.outcome, now)


def may_ring(reminder: Reminder, call_id: str, now: datetime) -> bool | None:
    """Tell whether the attempt ``call_id`` that has begun may still be dialled; None where it may not at this hour."""
    if reminder.status != "calling" or reminder.call_id != call_id:
        return False
    return permitted(now, reminder.wish.policy, zone(reminder.timezone)) == now or None


def cancel(reminder: Reminder) -> None:
    """See to it that it never rings again; raises Refused ``reminder_over`` when it is over already."""
    if reminder.over:
        raise Refused(f"The reminder {reminder.id} is {reminder.status} already.", code="reminder_over")
    reminder.status, reminder.next_at, reminder.outcome = "cancelled", None, "cancelled"


def follow(reminder: Reminder, event_at: datetime | None, now: datetime) -> bool:
    """Go with the event, which starts (or is left for) at ``event_at``, or was cancelled (None).

    Gives whether that changes anything.

    An event that moved into the past takes its reminder there, where it expires. One that has rung already, and is to
    ring again, moves away only: a way that takes some minutes more or less is no news to somebody who knows.
    """
    if reminder.status != "scheduled":
        return False
    if event_at is None:
        cancel(reminder)
        reminder.outcome = "event_cancelled"
        return True
    due = event_at - timedelta(minutes=reminder.wish.offset_minutes)
    if due == reminder.due or (reminder.history and reminder.next_at is not None and due <= reminder.next_at):
        return False
    reminder.due = due
    reminder.next_at = permitted(due, reminder.wish.policy, zone(reminder.timezone))
    if reminder.next_at is None:
        _finish(reminder, "failed", "not_permitted", now)
    return True


def _finish(reminder: Reminder, status: Literal["done", "failed"], outcome: str, now: datetime) -> None:
    """End this occurrence, and go on to the next one where there is a rule and the callee did not forbid it."""
    wish = reminder.wish
    reminder.outcome, reminder.call_id = outcome, None
    if wish.repeat is not None and wish.at is not None and outcome != "stop":
        due = occurrence(wish.repeat, moment(wish.at), reminder.timezone, max(now, reminder.due))
        next_at = permitted(due, wish.policy, zone(reminder.timezone)) if due is not None else None
        if due is not None and next_at is not None:
            reminder.status, reminder.due, reminder.next_at = "scheduled", due, next_at
            reminder.attempts, reminder.occurrence = 0, reminder.occurrence + 1
            return
    reminder.status, reminder.next_at = status, None


# As the API shows it


def iso(at: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def shown(reminder: Reminder) -> dict[str, Any]:
    """Show a reminder as ``GET /v1/reminders/{id}`` does."""
    wish = reminder.wish
    return {
        "id": reminder.id,
        "object": "reminder",
        "to": wish.to,
        "from": wish.from_,
        "user_id": reminder.user_id,
        "text": wish.text,
        "at": iso(reminder.due),
        "timezone": reminder.timezone,
        "event_id": wish.event_id,
        "offset_minutes": wish.offset_minutes,
        "before": wish.before,
        "repeat": wish.repeat,
        "policy": msgspec.to_builtins(wish.policy),
        "consent": wish.consent,
        "campaign": wish.campaign,
        "metadata": wish.metadata,
        "status": reminder.status,
        "outcome": reminder.outcome,
        "next_at": iso(reminder.next_at) if reminder.next_at else None,
        "attempts": msgspec.to_builtins(reminder.history),
        "call_id": reminder.call_id,
        "created_at": iso(reminder.created_at),
    }
