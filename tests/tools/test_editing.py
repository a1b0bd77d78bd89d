"""Writing events: what was left open, whole days, and moving across changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.tools import parameters as p
from phone_bridge.tools.editing import changed, fields_of
from phone_bridge.tools.keeper import Event, User
from phone_bridge.tools.schemas import read
from tests.tools.shelf import NOW

NAMES = [
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "Europe/London",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
]
ZONES = st.sampled_from(NAMES)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)).map(lambda at: at.replace(tzinfo=UTC, microsecond=0))
DAYS = st.dates(date(1971, 1, 1), date(2199, 1, 1))
MINUTES = st.integers(1, 1440)


def created(zone: str, **parameters: object) -> Event:
    asked = read(p.CreateEvent, {"title": "x", "timezone": zone, **parameters})
    fields = fields_of(asked, User(id="usr_alice"))
    return Event(
        title=fields.title,
        start_time=fields.start_time,
        end_time=fields.end_time,
        timezone=fields.timezone,
        all_day=fields.all_day,
        id="evt_000001",
        user_id="usr_alice",
        created_at=NOW,
        updated_at=NOW,
    )


def updated(event: Event, **parameters: object) -> Event:
    return changed(event, read(p.UpdateEvent, {"event_id": event.id, **parameters}))


def real(event: Event) -> timedelta:
    return event.end_time.astimezone(UTC) - event.start_time.astimezone(UTC)


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def test_an_hour_is_an_hour_when_the_clock_changes_in_it() -> None:
    before = created("America/New_York", start_time="2026-03-08T01:30:00-05:00", duration_minutes=60)
    assert local(before.end_time, before.timezone).time() == time(3, 30)
    twice = created("America/New_York", start_time="2026-11-01T01:30:00-04:00", duration_minutes=60)
    assert local(twice.end_time, twice.timezone).time() == time(1, 30)
    second = created("America/New_York", start_time="2026-11-01T01:30:00-05:00", duration_minutes=60)
    assert second.start_time - twice.start_time == timedelta(hours=1)


@settings(max_examples=150, deadline=None)
@given(ZONES, MOMENTS, MINUTES)
def test_an_event_lasts_as_long_as_it_was_said_to(zone: str, start: datetime, minutes: int) -> None:
    there = start.astimezone(ZoneInfo(zone))
    event = created(zone, start_time=there.isoformat(timespec="seconds")[:19] + offset(there), duration_minutes=minutes)
    assert real(event) == timedelta(minutes=minutes)


@settings(max_examples=150, deadline=None)
@given(ZONES, MOMENTS, MOMENTS, MINUTES)
def test_an_event_that_is_moved_is_as_long_as_before(zone: str, start: datetime, later: datetime, minutes: int) -> None:
    event = created(zone, start_time=start.isoformat(), duration_minutes=minutes)
    moved = updated(event, start_time=later.isoformat())
    assert (moved.start_time, real(moved)) == (later, timedelta(minutes=minutes))
    assert real(updated(moved, duration_minutes=30)) == timedelta(minutes=30)


@settings(max_examples=150, deadline=None)
@given(ZONES, DAYS, DAYS, st.integers(1, 20))
def test_whole_days_begin_with_the_day_and_stay_as_many(zone: str, day: date, other: date, days: int) -> None:
    last = datetime.combine(day + timedelta(days=days - 1), time(12), ZoneInfo(zone))
    end = last.astimezone(UTC).isoformat()
    event = created(zone, start_time=day.isoformat(), end_time=end, all_day=True)
    assert dates(event) == (begins(day, zone), begins(day + timedelta(days=days), zone))
    moved = updated(event, start_time=other.isoformat(), all_day=True)
    assert dates(moved)[0] == begins(other, zone)
    assert dates(moved)[1] == begins(dates(moved)[0].date() + days_of(event), zone)


def offset(moment: datetime) -> str:
    """Write an offset of whole minutes; some zones had seconds long ago."""
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}"


def begins(day: date, zone: str) -> datetime:
    """Find what the clock shows when a day begins: one o'clock where midnight is skipped."""
    return local(datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC), zone)


def dates(event: Event) -> tuple[datetime, datetime]:
    return (
        local(event.start_time.astimezone(UTC), event.timezone),
        local(event.end_time.astimezone(UTC), event.timezone),
    )


def days_of(event: Event) -> timedelta:
    first, last = dates(event)
    return last.date() - first.date()
