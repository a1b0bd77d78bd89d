"""Busy and free stretches of time, and the slots in them; pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from phone_bridge.tools.keeper import Event, WorkingHours

SLOT_STEP_MINUTES = 15
"""Slots begin on a quarter of an hour."""
SLOT_SPACING_MINUTES = 60
"""How far apart the offered slots begin, at least."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PARTS = {"morning": (0, 12), "afternoon": (12, 17), "evening": (17, 24)}


class Span(Struct, frozen=True, order=True):
    """A stretch of time; ``end`` is not part of it."""

    start: datetime
    end: datetime

    def touches(self, other: "Span") -> bool:
        """Tell whether the two share time."""
        return self.start < other.end and other.start < self.end

    def overlap_minutes(self, other: "Span") -> int:
        """Count the whole minutes that the two share."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        return max(0, int(shared.total_seconds() // 60))


class Slot(Struct, frozen=True):
    """A free stretch on offer; ``score`` is 0 to 1."""

    start: datetime
    end: datetime
    score: float


def span_of(event: Event) -> Span:
    """Take the time of an event, in UTC."""
    return Span(event.start_time.astimezone(UTC), event.end_time.astimezone(UTC))


def is_busy(event: Event, email: str, *, include_tentative: bool) -> bool:
    """Tell whether ``event`` takes its user's time: not when all day, cancelled, declined or (if so asked) doubtful."""
    if event.all_day or event.is_cancelled:
        return False
    status = next((person.status for person in event.attendees if person.email == email), "accepted")
    return status != "declined" and (include_tentative or status != "tentative")


def merged(spans: Iterable[Span]) -> list[Span]:
    """Join spans that touch or follow each other, in order of time."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def within(busy: Iterable[Span], window: Span) -> list[Span]:
    """Cut merged busy spans to ``window``."""
    return [
        Span(max(span.start, window.start), min(span.end, window.end)) for span in merged(busy) if span.touches(window)
    ]


def gaps(busy: Iterable[Span], window: Span) -> list[Span]:
    """Find what is free in ``window``."""
    free, start = [], window.start
    for span in within(busy, window):
        if span.start > start:
            free.append(Span(start, span.start))
        start = span.end
    return [*free, Span(start, window.end)] if start < window.end else free


def working_day(day: datetime, hours: WorkingHours, zone: ZoneInfo) -> Span:
    """Say from when to when ``day`` is worked, also on days that are not.

    In UTC, because between two times of one zone Python would count the hours that the clock shows.
    """
    begin, end = (
        datetime.combine(day.astimezone(zone).date(), time.fromisoformat(at), zone) for at in (hours.start, hours.end)
    )
    return Span(begin.astimezone(UTC), end.astimezone(UTC))


def reachable(window: Span, hours: WorkingHours, zone: ZoneInfo) -> Iterator[Span]:
    """Cut ``window`` into days, each to its working hours; a window that lies outside of them stays as it is.

    Days off are left out of a window that goes on after them.
    """
    day = window.start.astimezone(zone)
    days = (window.end - window.start).days + 2
    spans = [working_day(day + timedelta(days=n), hours, zone) for n in range(days)]
    worked = [span for span in spans if _weekday(span, zone) in hours.days and span.touches(window)]
    whole = worked or [span for span in spans if span.touches(window)]
    if not whole:
        yield window
    for span in whole:
        yield Span(max(span.start, window.start), min(span.end, window.end))


def _weekday(span: Span, zone: ZoneInfo) -> str:
    return _WEEKDAYS[span.start.astimezone(zone).weekday()]


def slots(
    busy: Iterable[Span], windows: Iterable[Span], minutes: int, *, buffer: int, prefer: str | None, zone: ZoneInfo
) -> list[Slot]:
    """List free slots of ``minutes`` with ``buffer`` minutes around them, the best first, then the earliest."""
    margin = timedelta(minutes=buffer)
    padded = [Span(span.start - margin, span.end + margin) for span in busy]
    starts = [start for window in windows for gap in gaps(padded, window) for start in _starts(gap, minutes)]
    first_day = min((start.astimezone(zone).date() for start in starts), default=None)
    found = []
    for start in starts:
        local = start.astimezone(zone)
        later = (local.date() - (first_day or local.date())).days
        score = max(0.1, 1 - 0.1 * later - (0 if _fits(local, prefer) else 0.4))
        found.append(Slot(start, start + timedelta(minutes=minutes), round(score, 2)))
    return sorted(found, key=lambda slot: (-slot.score, slot.start))


def _starts(gap: Span, minutes: int) -> Iterator[datetime]:
    length, step = timedelta(minutes=minutes), timedelta(minutes=max(minutes, SLOT_SPACING_MINUTES))
    start = _rounded_up(gap.start)
    while start + length <= gap.end:
        yield start
        start = _rounded_up(start + step)


def _rounded_up(moment: datetime) -> datetime:
    """Move to the next quarter of an hour; every zone's offset is a multiple of it."""
    step = SLOT_STEP_MINUTES * 60
    past = moment.timestamp() % step
    return moment if past == 0 else moment + timedelta(seconds=step - past)


def _fits(local: datetime, prefer: str | None) -> bool:
    if prefer is None:
        return True
    begin, end = _PARTS[prefer]
    return begin <= local.hour < end
