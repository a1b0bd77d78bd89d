from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from phone_bridge.assistant.calendar.page import day_page, week_page
from phone_bridge.tools.keeper import Event, Location, Meeting, Recurrence

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 8, 15, tzinfo=UTC)


def event(title: str, start: str, minutes: int, **more: Any) -> Event:
    begins = datetime.fromisoformat(start).replace(tzinfo=BERLIN)
    end = begins + timedelta(minutes=minutes)
    made = {"created_at": NOW, "updated_at": NOW, "timezone": "Europe/Berlin", **more}
    return Event(id=f"evt_{title}", user_id="usr_a", title=title, start_time=begins, end_time=end, **made)


def test_a_day_shows_its_events_and_what_is_free_between_them() -> None:
    events = [
        event("Lunch", "2026-11-30T12:30", 60, location=Location(name="Garden", address="12 Market Street")),
        event("Review", "2026-11-30T09:00", 45, meeting=Meeting(type="online", link="https://m.example.com")),
        event("Holidays", "2026-11-30T00:00", 1440, all_day=True),
        event("Scrum", "2026-11-30T09:50", 10, recurrence=Recurrence("FREQ=DAILY")),
    ]
    assert day_page(MONDAY, events, BERLIN, NOW) == [
        "Monday, 30 November 2026  (today)",
        "",
        "      all day  Holidays",
        "▸ 09:00–09:45  Review                              online",  # noqa: RUF001
        "  09:50–10:00  Scrum                               repeats",  # noqa: RUF001
        "            ·  2 h 30 min free",
        "  12:30–13:30  Lunch                               Garden, 12 Market Street",  # noqa: RUF001
    ]


def test_an_empty_day_says_so() -> None:
    assert day_page(MONDAY + timedelta(days=1), [], BERLIN, NOW) == [
        "Tuesday, 1 December 2026  (tomorrow)",
        "",
        "  Nothing is planned.",
    ]


def test_what_runs_over_midnight_stands_on_both_days() -> None:
    night = event("Night train", "2026-11-30T22:10", 600)
    assert day_page(MONDAY, [night], BERLIN, NOW)[-1] == "      22:10–…  Night train"  # noqa: RUF001
    assert day_page(MONDAY + timedelta(days=1), [night], BERLIN, NOW)[-1] == "      …–08:10  Night train"  # noqa: RUF001


def test_what_ends_at_midnight_does_not_stand_on_the_next_day() -> None:
    late = event("Concert", "2026-11-30T22:00", 120)
    assert "Nothing" in day_page(MONDAY + timedelta(days=1), [late], BERLIN, NOW)[-1]


def test_a_moment_stands_at_its_time_also_at_midnight() -> None:
    assert day_page(MONDAY, [event("New day", "2026-11-30T00:00", 0)], BERLIN, NOW)[-1] == "        00:00  New day"


def test_a_long_title_is_cut_and_a_cancelled_event_named_so() -> None:
    line = day_page(MONDAY, [event("x" * 40, "2026-11-30T15:00", 30, is_cancelled=True)], BERLIN, NOW)[-1]
    assert line == f"  15:00–15:30  {'x' * 33}…  cancelled"  # noqa: RUF001


def test_a_week_names_its_free_days_in_one_line() -> None:
    lines = week_page(MONDAY, [event("Review", "2026-12-02T09:00", 45)], BERLIN, NOW)
    assert lines[0] == "Monday, 30 November 2026  (today)  ·  free"
    at = lines.index("Wednesday, 2 December 2026")
    assert lines[at + 1] == "  09:00–09:45  Review"  # noqa: RUF001
    assert sum("free" in line for line in lines) == 6
