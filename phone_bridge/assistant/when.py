"""What people mean by a date and a time, and the moments it comes to: values, and no words.

What was left open stays open: "three" keeps both its readings until something decides between them.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct, structs

PARTS = {"morning": (0, 12), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 24)}
"""The hours of each part of the day, for looking; the end is not part of it."""
_DAY = 1440


class Clock(Struct, frozen=True):
    """A time on the clock; unless ``exact`` it may be before or after noon. Hour 24 is the midnight that ends a day."""

    hour: int
    minute: int = 0
    exact: bool = False

    def minutes(self) -> tuple[int, ...]:
        """Give the minutes of the day that it may mean."""
        hours = (self.hour,) if self.exact else (self.hour % 12, self.hour % 12 + 12)
        return tuple(hour * 60 + self.minute for hour in hours)

    def settle(self, part: str = "", near: time | None = None, after: time | None = None) -> int:
        """Choose the minute of the day: by its part, nearest to ``near``, or else as most people keep their day.

        What is usual gives way where it lies before ``after`` (the time now) and the other reading does not.
        """
        readings = self.minutes()
        if len(readings) == 1:
            return readings[0]
        early, late = readings
        if part in ("evening", "night") and self.hour % 12 < 5:
            return early + _DAY  # "tonight at two" is after midnight
        if part:
            return early if part == "morning" else late
        usual = early if 7 <= self.hour < 12 else late
        if near is not None:
            return min(readings, key=lambda minute: (abs(minute - minute_of(near)), minute != usual))
        return late if after is not None and usual <= minute_of(after) else usual


class Day(Struct, frozen=True):
    """A day, or the days up to and with ``last``; ``first`` is None for a date that does not exist."""

    first: date | None
    last: date | None = None


class At(Struct, frozen=True):
    """A time on the clock."""

    clock: Clock


class Between(Struct, frozen=True):
    """From one time on the clock to another."""

    start: Clock
    end: Clock


class Part(Struct, frozen=True):
    """A part of the day, such as the morning; of ``day`` where that was said with it."""

    name: str
    day: date | None = None


class Length(Struct, frozen=True):
    """How long something takes."""

    minutes: int


class Shift(Struct, frozen=True):
    """By how much something moves: 1 is later, -1 earlier, 0 as the verb says."""

    minutes: int
    direction: int = 0


class Lead(Struct, frozen=True):
    """How long before something."""

    minutes: int


class Ahead(Struct, frozen=True):
    """How long from now."""

    minutes: int


class Repeat(Struct, frozen=True):
    """How often something comes again, as a rule of RFC 5545; ``first`` is its first day where the words name one."""

    rule: str
    first: date | None = None


Piece = Repeat | Day | At | Between | Part | Length | Shift | Lead | Ahead


class When(Struct, frozen=True, kw_only=True):
    """What was said about one time; whatever was not said is None or empty.

    ``doubtful`` says that the words contradict each other or name a day that does not exist.
    """

    day: date | None = None
    last: date | None = None
    part: str = ""
    start: Clock | None = None
    end: Clock | None = None
    ahead: int | None = None
    doubtful: bool = False

    def __bool__(self) -> bool:
        return self != NO_TIME

    def has_time(self) -> bool:
        """Tell whether a time of day was said, or how long from now."""
        return self.start is not None or self.ahead is not None

    def over(self, earlier: "When") -> "When":
        """Fill what this leaves open from what was said earlier about the same time."""
        if self.ahead is not None:
            return self
        days = self if self.day is not None else earlier
        clocks = self if self.start is not None else earlier
        part = self.part or (earlier.part if self.start is None or not self.day else "")
        return When(day=days.day, last=days.last, part=part, start=clocks.start, end=clocks.end, doubtful=self.doubtful)

    def moment(self, now: datetime, *, day: date | None = None, near: time | None = None) -> datetime | None:
        """Work out the time in ``now``'s zone; None where the day or the time is open. ``day`` fills in for the day."""
        if self.ahead is not None:
            return later(now, self.ahead).replace(second=0, microsecond=0)
        day = self.day or day
        if day is None or self.start is None or self.last is not None:
            return None
        return on(day, self.start.settle(self.part, near, now.time() if day == now.date() else None), now)

    def until(self, start: datetime) -> datetime | None:
        """Work out the end of a range that begins at ``start``."""
        if self.end is None:
            return None
        begun = minute_of(start.time())
        ends = [minute for minute in self.end.minutes() if minute > begun]
        return on(start.date(), min(ends, default=min(self.end.minutes()) + _DAY), start)

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """Work out the stretch to look at: a range, a minute, a part of a day, or days; today where none was said."""
        first = self.day or now.date()
        start = self.moment(now, day=first)
        if start is not None:
            return start, self.until(start) or start + timedelta(minutes=1)
        begin, end = PARTS.get(self.part, (0, 24))
        return on(first, begin * 60, now), on(self.last or first, end * 60, now)


NO_TIME = When()


def gather(pieces: Iterable[Piece]) -> When:
    """Join what was said about one time; two days, or two times, that differ make it doubtful."""
    when = NO_TIME
    for piece in pieces:
        said = _said(piece)
        if (narrow := _within(when, said)) is not None:  # "next month on the fifth"
            when, said = structs.replace(when, day=None, last=None), structs.replace(said, day=narrow, last=None)
        if (when.day and said.day and when.day != said.day) or (when.start and said.start and when.start != said.start):
            said = structs.replace(said, doubtful=True)
        when = structs.replace(when, **{name: value for name, value in structs.asdict(said).items() if value})
    return when


def _within(when: When, said: When) -> date | None:
    """Find the one day that is meant where one of two is a stretch that the other lies in."""
    for span, day in ((when, said), (said, when)):
        if span.day and span.last and day.day and day.last is None and span.day <= day.day <= span.last:
            return day.day
    return None


def _said(piece: Piece) -> When:
    match piece:
        case Day():
            return When(day=piece.first, last=piece.last, doubtful=piece.first is None)
        case Part():
            return When(part=piece.name, day=piece.day)
        case At():
            return When(start=piece.clock)
        case Between():
            return When(start=piece.start, end=piece.end)
        case Repeat():
            return When(day=piece.first)
        case Ahead():
            return When(ahead=piece.minutes)
    return NO_TIME


def minute_of(at: time) -> int:
    """Count the minutes since midnight."""
    return at.hour * 60 + at.minute


def on(day: date, minute: int, now: datetime) -> datetime:
    """Make the time of a minute of ``day`` in ``now``'s zone; minutes past midnight run into the next day."""
    days, rest = divmod(minute, _DAY)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), now.tzinfo)


def later(moment: datetime, minutes: int) -> datetime:
    """Add minutes as they pass; whole days keep the time on the clock, also where the clocks change."""
    if minutes % _DAY == 0:
        return moment + timedelta(days=minutes // _DAY)
    return (moment.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(moment.tzinfo)
