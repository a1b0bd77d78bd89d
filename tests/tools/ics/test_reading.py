from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import Refused
from phone_bridge.tools.ics import reading
from phone_bridge.tools.ics.names import event_id
from phone_bridge.tools.ics.reading import Found, read
from phone_bridge.tools.keeper import Attendee, Event, Location, Meeting
from phone_bridge.tools.series import occurrences
from tests.tools.ics.objects import NOW, USER, wire


def found(text: bytes | str, zone: str = "Europe/Berlin") -> Found:
    return read(text, user_id=USER, zone=zone, now=NOW)


def one(lines: str, zone: str = "Europe/Berlin") -> Event:
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:one\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    (series,) = found(text, zone).objects
    return series.master


def reason(lines: str) -> str:
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:one\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    (skipped,) = found(text).skipped
    return skipped.reason


def local(year: int, month: int, day: int, hour: int, minute: int, zone: str) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_google_s_export_is_read_whole() -> None:
    budget, standup, holidays = found(wire("google.ics")).objects
    event = budget.master
    assert event.title == "Budget planning"
    assert event.start_time == datetime(2026, 12, 3, 15, tzinfo=UTC)
    assert event.description == "Bring the numbers, please.\nSecond line."
    assert event.location == Location(address="350 Fifth Avenue, New York")
    assert event.meeting == Meeting(type="online", link="https://meet.example.com/abc-defg-hij")
    assert event.attendees == (Attendee(email="anna@example.com", name="Anna", status="accepted"),), "rooms are nobody"
    assert event.created_at == datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
    assert holidays.master.all_day
    assert holidays.master.end_time - holidays.master.start_time == timedelta(days=3)
    assert standup.master.recurrence is not None
    assert len(standup.master.recurrence.exdates) == 2


def test_a_series_unrolls_with_what_was_moved_and_left_out() -> None:
    standup = found(wire("google.ics")).objects[1]
    november = occurrences(standup, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    clocks = [event.start_time.astimezone(ZoneInfo("America/New_York")).strftime("%d %H:%M") for event in november]
    assert clocks == [
        "02 09:15", "04 11:00", "09 09:15", "11 09:15", "16 09:15", "18 09:15", "23 09:15", "30 09:15"
    ]  # fmt: skip


def test_windows_names_of_time_zones_are_known() -> None:
    (dentist,) = found(wire("outlook.ics"), "America/New_York").objects
    assert dentist.master.start_time == local(2026, 12, 2, 16, 30, "Europe/Berlin")
    assert dentist.master.title == "Zahnarzt"


def test_a_duration_stands_for_an_end_and_a_floating_time_is_the_user_s() -> None:
    lunch, pills = (series.master for series in found(wire("apple.ics"), "Asia/Kolkata").objects)
    assert lunch.end_time - lunch.start_time == timedelta(minutes=90)
    assert lunch.location == Location(address="Garden Restaurant\n12 Market Street", lat=48.856614, lng=2.352222)
    assert lunch.category == "social"
    assert pills.start_time == local(2026, 12, 7, 8, 0, "Asia/Kolkata")
    assert pills.end_time == pills.start_time


def test_what_cannot_be_kept_is_named_and_the_rest_is_read() -> None:
    result = found(wire("broken.ics"))
    assert [series.master.title for series in result.objects] == ["Daily", "First", "Good"]
    assert {skipped.name for skipped in result.skipped} == {
        "Without a beginning",
        "Ends before it begins",
        "Without a name",
        "Every second",
        "Later from here on",
        "Second",
    }
    assert all(skipped.reason for skipped in result.skipped)


def test_an_exception_without_its_series_is_an_event() -> None:
    event = one("RECURRENCE-ID:20261210T080000Z\r\nDTSTART:20261210T090000Z\r\nSUMMARY:Guest")
    assert (event.title, event.recurrence, event.series_id) == ("Guest", None, None)


def test_whole_days_are_midnights_of_the_user_s_zone() -> None:
    event = one("DTSTART;VALUE=DATE:20261224\r\nSUMMARY:Eve", "America/New_York")
    assert event.start_time == local(2026, 12, 24, 0, 0, "America/New_York")
    assert event.end_time == local(2026, 12, 25, 0, 0, "America/New_York")


def test_a_day_s_duration_is_a_day_of_the_clock() -> None:
    event = one("DTSTART;TZID=Europe/Berlin:20261024T120000\r\nDURATION:P1DT1H")
    assert event.end_time == local(2026, 10, 25, 13, 0, "Europe/Berlin"), "the night has 25 hours"


def test_texts_are_cut_to_what_is_kept() -> None:
    event = one(f"DTSTART:20261210T090000Z\r\nSUMMARY:{'t' * 501}\r\nDESCRIPTION:{'d' * 8001}")
    assert len(event.title) == reading.TITLE_CHARS
    assert event.description is not None
    assert len(event.description) == reading.TEXT_CHARS


def test_an_event_without_a_title_has_a_name_still() -> None:
    assert one("DTSTART:20261210T090000Z").title == reading.UNTITLED


def test_a_uid_has_its_bounds() -> None:
    text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{}\r\nDTSTART:20261210T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    (longest,) = found(text.format("u" * reading.UID_CHARS)).objects
    assert longest.master.id == event_id("u" * reading.UID_CHARS)
    assert found(text.format("u" * (reading.UID_CHARS + 1))).objects == ()


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ("SUMMARY:x", "DTSTART"),
        ("DTSTART:20261210T090000Z\r\nRRULE:FREQ=DAILY\r\nRRULE:FREQ=WEEKLY", "several rules"),
        ("DTSTART:20261210T090000Z\r\nRDATE:20261211T090000Z", "RDATE"),
        ("DTSTART:20261210T090000Z\r\nRRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101", "rule"),
        ("DTSTART;TZID=Asia/Tokyo:00010101T000000", "outside"),
        ("DTSTART:20261210T090000Z\r\nDTEND:tomorrow", "DTEND"),
    ],
)
def test_each_reason_names_the_part(lines: str, word: str) -> None:
    assert word in reason(lines)


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"\xff\xfe", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT", "BEGIN:VEVENT\r\nEND:VEVENT"]
)
def test_what_is_no_calendar_is_refused_with_the_mend(text: bytes | str) -> None:
    with pytest.raises(Refused, match="BEGIN:VCALENDAR"):
        found(text)


def test_files_have_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 1 << 20)
    with pytest.raises(Refused, match="1 MB"):
        found(b"x" * ((1 << 20) + 1))
    monkeypatch.setattr(reading, "MAX_EVENTS", 2)
    with pytest.raises(Refused, match="2 events"):
        found(wire("google.ics"))


@given(st.data())
def test_mutilated_files_are_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    text = wire(data.draw(st.sampled_from(["google.ics", "outlook.ics", "apple.ics", "broken.ics"])))
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.binary(max_size=6) | st.sampled_from([b"\r\nEND:VEVENT", b"Z", b"-", b";", b":", b"99999999"]))
    keep = data.draw(st.integers(0, 12))
    with suppress(Refused):
        found(text[:at] + piece + text[at + keep :])
