import re
from datetime import UTC, datetime, timedelta

import icalendar
from hypothesis import given, settings
from msgspec import structs

from phone_bridge.tools.ics.reading import parse, read
from phone_bridge.tools.ics.writing import deed_of, write, written
from phone_bridge.tools.keeper import Attendee, Event, Location, Series
from phone_bridge.tools.series import changed
from tests.tools.ics.objects import NOW, USER, events, weekly, wire


def back(text: bytes, zone: str = "Europe/Berlin") -> tuple[Series, ...]:
    result = read(text, user_id=USER, zone=zone, now=NOW)
    assert result.skipped == ()
    return result.objects


def lines(text: bytes) -> list[str]:
    """Unfold the lines of a text."""
    return re.sub(r"\r\n[ \t]", "", text.decode()).split("\r\n")


@settings(max_examples=60, deadline=None)
@given(events())
def test_an_event_that_is_written_is_read_as_it_was(event: Event) -> None:
    assert back(write([Series(master=event)]), "Asia/Tokyo") == (Series(master=event),)


def test_a_backslash_stays_in_the_texts_of_all_events_of_a_calendar() -> None:
    text = "Plan in C:\\New,\\Notes;\nand C:\\name"
    said = "Plan in C:\\\\New\\,\\\\Notes\\;\\nand C:\\\\name"
    event = structs.replace(weekly().master, recurrence=None, title="\\N", description=text, category="A\\Notes")
    once = write([Series(master=event)])
    assert {f"DESCRIPTION:{said}", "SUMMARY:\\\\N", "CATEGORIES:A\\\\Notes"} <= set(lines(once))
    assert back(once) == (Series(master=event),)

    (calendar,) = parse(once)
    after = structs.replace(event, title="Another", updated_at=NOW + timedelta(hours=1))
    again = written("uid", after, (), deed="", source=calendar, before=Series(master=event))
    assert {f"DESCRIPTION:{said}", r"CATEGORIES:A\\Notes"} <= set(lines(again)), "what is not changed stays as well"


def test_a_series_that_is_written_is_read_as_it_was() -> None:
    for zone in ("Europe/Berlin", "America/New_York", "UTC"):
        assert back(write([weekly(zone=zone)])) == (weekly(zone=zone),)


def test_a_file_names_its_calendar_and_brings_its_time_zones() -> None:
    text = lines(write([weekly()], name="Alice"))
    assert "X-WR-CALNAME:Alice" in text
    assert "TZID:Europe/Berlin" in text
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261026T093000" in text


def rewrite(name: str, number: int, **fields: object) -> list[str]:
    """Change the master of an object of a file, and write the object."""
    text = wire(name)
    before = back(text)[number]
    (calendar,) = parse(text)
    own = [each for each in calendar.subcomponents if each.get("UID") in (None, before.master.source.external_id)]
    calendar.subcomponents = own
    after = structs.replace(before.master, updated_at=NOW, **fields)
    uid = before.master.source.external_id or ""
    return lines(written(uid, after, before.overrides, deed="key 1", source=calendar, before=before))


def test_what_others_wrote_stays() -> None:
    text = rewrite("google.ics", 1, title="Daily scrum")
    assert "SUMMARY:Daily scrum" in text
    assert "BEGIN:VALARM" in text
    assert "X-WR-CALNAME:alice@example.com" in text
    assert text.count("EXDATE;TZID=America/New_York:20261012T091500") == 1, "what did not change is not touched"
    assert "SUMMARY:Stand-up\\, late" in text, "nor is the exception"
    assert "SEQUENCE:3" in text, "one more than before"


def test_people_keep_what_else_is_known_of_them() -> None:
    anna = Attendee(email="anna@example.com", name="Anna", status="declined")
    bob = Attendee(email="bob@example.com")
    text = rewrite("google.ics", 0, attendees=(anna, bob))
    (line,) = (line for line in text if line.endswith("mailto:anna@example.com"))
    assert "ROLE=REQ-PARTICIPANT" in line
    assert "PARTSTAT=DECLINED" in line
    assert any(line.endswith("mailto:bob@example.com") for line in text)
    assert any("urn:uuid:0f1e2d3c" in line for line in text), "the room stays booked"


def test_no_name_runs_over_into_what_stands_beside_it() -> None:
    for name in ("a\\", "a;PARTSTAT=DECLINED", "a:b,c", "a\\;b"):
        event = structs.replace(weekly().master, attendees=(Attendee(email="a@example.com", name=name),))
        (read_back,) = back(written("x", event, (), deed="1"))[0].master.attendees
        assert read_back == Attendee(email="a@example.com", name=name.replace("\\", "/"))


def test_a_cleared_field_goes() -> None:
    text = rewrite("google.ics", 0, location=None, meeting=None, description=None)
    assert not any(line.startswith(("LOCATION", "X-GOOGLE-CONFERENCE", "DESCRIPTION", "GEO")) for line in text)


def test_a_moved_place_takes_its_point_along() -> None:
    text = rewrite("apple.ics", 0, location=Location(address="Elsewhere", lat=1.5, lng=2.5))
    assert "LOCATION:Elsewhere" in text
    assert "GEO:1.5;2.5" in text


def test_a_cancelled_event_says_so_and_can_come_back() -> None:
    event = structs.replace(back(wire("outlook.ics"))[0].master, is_cancelled=True, cancelled_at=NOW)
    text = written("x", event, (), deed="1")
    assert "STATUS:CANCELLED" in lines(text)
    (calendar,) = parse(text)
    before = back(text)[0]
    alive = structs.replace(before.master, is_cancelled=False, cancelled_at=None)
    assert "STATUS:CANCELLED" not in lines(written("x", alive, (), deed="2", source=calendar, before=before))


def test_the_deed_is_kept_and_replaced() -> None:
    series = weekly()
    first = written("weekly", series.master, series.overrides, deed="hub_1:act_2, again")
    (calendar,) = parse(first)
    assert deed_of(calendar) == "hub_1:act_2, again"
    second = written("weekly", series.master, series.overrides, deed="key 2", source=calendar, before=series)
    assert deed_of(parse(second)[0]) == "key 2"
    assert deed_of(parse(wire("google.ics"))[0]) == ""


def test_a_series_cut_in_two_keeps_the_alarms_of_both_parts() -> None:
    before = back(wire("google.ics"))[1]
    (calendar,) = parse(wire("google.ics"))
    calendar.subcomponents = [
        each for each in calendar.subcomponents if each.get("UID") in (None, "standup@google.com")
    ]
    named = f"{before.master.id}R20261130T141500Z"
    edit = changed(before, named, "following", _later, now=NOW, new_id=lambda: "evt_6e6577")
    head, tail = (event for event in edit.kept if event.series_id is None)
    for uid, master in (("standup@google.com", head), ("new", tail)):
        text = lines(written(uid, master, (), deed="1", source=calendar, before=before))
        assert "BEGIN:VALARM" in text
        assert text.count("BEGIN:VEVENT") == 1


def _later(event: Event) -> Event:
    by = timedelta(hours=1)
    return structs.replace(event, start_time=event.start_time + by, end_time=event.end_time + by)


def test_an_hour_that_comes_twice_is_written_so_that_it_is_read_right() -> None:
    event = back(wire("outlook.ics"))[0].master
    for start in (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)):
        twice = structs.replace(
            event, start_time=start, end_time=start + timedelta(minutes=45), timezone="Europe/Berlin"
        )
        assert back(written("x", twice, (), deed="1"))[0].master.start_time == start


def test_the_text_is_icalendar_for_a_strict_reader() -> None:
    text = write([weekly(), *back(wire("apple.ics"))])
    calendar = icalendar.Calendar.from_ical(text)
    assert [component.errors for component in calendar.walk("VEVENT")] == [[], [], [], []]
    assert all(len(line.encode()) <= 75 for line in text.decode().split("\r\n"))  # RFC 5545, 3.1
