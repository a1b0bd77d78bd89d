"""Reminders from files: a table, a calendar, and what is wrong in them."""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest

from phone_bridge.errors import Refused
from phone_bridge.outbound.reminders import ReminderBody
from phone_bridge.outbound.sources import from_csv, from_ics

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ICS = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//a calendar//EN
BEGIN:VEVENT
UID:one@example.com
DTSTART;TZID=America/New_York:20261125T090000
SUMMARY:Dentist
LOCATION:12 Main Street
END:VEVENT
BEGIN:VEVENT
UID:two@example.com
DTSTART:20261126T090000Z
RRULE:FREQ=WEEKLY;BYDAY=TH
SUMMARY:Stand-up
END:VEVENT
BEGIN:VEVENT
UID:day@example.com
DTSTART;VALUE=DATE:20261127
SUMMARY:Holiday
END:VEVENT
BEGIN:VEVENT
UID:past@example.com
DTSTART:20261101T090000Z
SUMMARY:Past
END:VEVENT
BEGIN:VEVENT
UID:off@example.com
DTSTART:20261126T090000Z
STATUS:CANCELLED
SUMMARY:Off
END:VEVENT
END:VCALENDAR
"""


def test_a_row_is_a_reminder_and_what_is_no_parameter_is_metadata() -> None:
    table = 'to,at,text,offset_minutes,customer\n+4930123456,2026-11-24T15:00:00+01:00,"Pills, now",5,C-17\n'
    (body,) = from_csv(table)
    assert body == {
        "to": "+4930123456",
        "at": "2026-11-24T15:00:00+01:00",
        "text": "Pills, now",
        "offset_minutes": 5,
        "metadata": {"customer": "C-17"},
    }
    msgspec.convert(body, ReminderBody)


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("", "Row 1"),
        ("to,at\n", "no column text"),
        ("to,text\n+49,a,b\n", "Row 2"),
        ("to,text,at\n+49,a,b\n+49,a\n", "Row 3"),
        ('to,text\n"+49,a\n', "Row"),
        ("to,text,offset_minutes\n+49,a,soon\n", "whole number"),
    ],
)
def test_a_table_that_is_wrong_says_where(table: str, where: str) -> None:
    with pytest.raises(Refused, match=where):
        list(from_csv(table))


def test_each_event_to_come_is_a_reminder_before_it() -> None:
    dentist, standup, holiday = from_ics(ICS, to="+4930123456", minutes=30, now=NOW, timezone="Europe/Berlin")
    assert dentist["text"] == "Dentist begins in 30 minutes, at 12 Main Street."
    assert (dentist["at"], dentist["timezone"]) == ("2026-11-25T08:30:00-05:00", "America/New_York")
    assert (standup["at"], standup["repeat"]) == ("2026-11-26T08:30:00+00:00", "FREQ=WEEKLY;BYDAY=TH")
    assert holiday["at"] == "2026-11-26T23:30:00+01:00"
    for body in (dentist, standup, holiday):
        msgspec.convert(body, ReminderBody)


@pytest.mark.parametrize("data", [b"", b"no calendar", b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n"])
def test_what_is_no_calendar_is_refused_or_empty(data: bytes) -> None:
    with suppress(Refused):
        assert list(from_ics(data, to="+4930123456", minutes=0, now=NOW)) == []
