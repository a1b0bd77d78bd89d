"""Spoken dates and times: a table of phrases with their meaning, in three time zones, and what must always hold."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.answering import clock_words, day_words, length_words, moment_words
from phone_bridge.assistant.phrase import Phrase, tokens
from phone_bridge.assistant.spoken_time import read_duration, scan
from phone_bridge.assistant.when import Ahead, Day, Lead, Length, Piece, Shift, When, gather

TODAY = date(2026, 11, 24)  # a Tuesday
NOW = datetime(2026, 11, 24, 10, 0)
ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata")


def pieces(text: str, *, bare: bool = False, today: date = TODAY) -> list[Piece]:
    phrase = Phrase(token.word for token in tokens(text))
    return [found.piece for found in scan(phrase, today, bare=bare)]


def when(text: str, *, bare: bool = False, today: date = TODAY) -> When:
    return gather(pieces(text, bare=bare, today=today))


def left(text: str) -> str:
    phrase = Phrase(token.word for token in tokens(text))
    inside = {at for found in scan(phrase, TODAY) for at in range(found.begin, found.end)}
    return " ".join(word for at, word in enumerate(phrase.words) if at not in inside)


# (what is said, the days, the part of the day)
DAYS = [
    ("today", "2026-11-24", ""),
    ("tomorrow", "2026-11-25", ""),
    ("tomorrow's", "2026-11-25", ""),
    ("yesterday", "2026-11-23", ""),
    ("the day before yesterday", "2026-11-22", ""),
    ("last friday", "2026-11-20", ""),
    ("last tuesday", "2026-11-17", ""),
    ("sunday", "2026-11-29", ""),
    ("this week", "2026-11-24 2026-11-29", ""),
    ("the rest of the week", "2026-11-24 2026-11-29", ""),
    ("next week", "2026-11-30 2026-12-06", ""),
    ("this weekend", "2026-11-28 2026-11-29", ""),
    ("on the weekend", "2026-11-28 2026-11-29", ""),
    ("next weekend", "2026-12-05 2026-12-06", ""),
    ("this month", "2026-11-24 2026-11-30", ""),
    ("next month", "2026-12-01 2026-12-31", ""),
    ("in december", "2026-12-01 2026-12-31", ""),
    ("in may", "2027-05-01 2027-05-31", ""),
    ("in november", "2026-11-24 2026-11-30", ""),
    ("this morning", "2026-11-24", "morning"),
    ("this afternoon", "2026-11-24", "afternoon"),
    ("tonight", "2026-11-24", "evening"),
    ("tomorrow night", "2026-11-25", "night"),
    ("tomorrow in the afternoon", "2026-11-25", "afternoon"),
    ("saturday morning", "2026-11-28", "morning"),
    ("the morning of the 30th", "2026-11-30", "morning"),
    ("in the evening", "", "evening"),
]

# (what is said, from, to)
RANGES = [
    ("tomorrow from two to four", "14:00", "16:00"),
    ("tomorrow from nine to ten", "09:00", "10:00"),
    ("tomorrow from nine to five", "09:00", "17:00"),
    ("tomorrow from eleven to one", "11:00", "13:00"),
    ("tomorrow between two and four p.m.", "14:00", "16:00"),
    ("tomorrow from ten to two pm", "10:00", "14:00"),
    ("tomorrow from ten to four", "10:00", "16:00"),
    ("tomorrow from ten to four until five", "15:50", "17:00"),
    ("tomorrow from two thirty until four", "14:30", "16:00"),
    ("tomorrow from 2 till 4pm", "14:00", "16:00"),
    ("tomorrow 2pm to 4pm", "14:00", "16:00"),
    ("tomorrow 14:00 to 15:30", "14:00", "15:30"),
    ("from half past nine to quarter past ten tomorrow", "09:30", "10:15"),
    ("tomorrow between six and ten to two", "18:00", "01:50"),
    ("tomorrow from noon until two", "12:00", "14:00"),
    ("tomorrow evening from seven to nine", "19:00", "21:00"),
]

LENGTHS = [
    ("for an hour", 60),
    ("for one hour", 60),
    ("for half an hour", 30),
    ("for a half hour", 30),
    ("for 30 minutes", 30),
    ("for 30 min", 30),
    ("for ninety minutes", 90),
    ("for an hour and a half", 90),
    ("for one and a half hours", 90),
    ("for 1.5 hours", 90),
    ("for two hours", 120),
    ("for 2h", 120),
    ("for two and a half hours", 150),
    ("for two hours and fifteen minutes", 135),
    ("for one hour thirty minutes", 90),
    ("for a couple of hours", 120),
    ("for a quarter of an hour", 15),
    ("for three quarters of an hour", 45),
    ("a two hour meeting", 120),
    ("a thirty minute call", 30),
]

OTHERS: list[tuple[str, Piece]] = [
    ("by an hour", Shift(60)),
    ("by half an hour", Shift(30)),
    ("back by 15 minutes", Shift(15)),
    ("back an hour", Shift(60)),
    ("an hour later", Shift(60, 1)),
    ("half an hour earlier", Shift(30, -1)),
    ("two hours sooner", Shift(120, -1)),
    ("by a day", Shift(1440)),
    ("by two weeks", Shift(20160)),
    ("30 minutes before", Lead(30)),
    ("an hour before", Lead(60)),
    ("ten minutes in advance", Lead(10)),
    ("a day before", Lead(1440)),
    ("in five minutes", Ahead(5)),
]

NOTHING = [
    "lunch for two",
    "one on one",
    "the second one",
    "the first meeting",
    "i may come",
    "march through the city",
    "twelve people",
    "a day in the life",
    "12/24",
    "step 3 of 5",
    "the one",
    "may i",
    "at the office",
    "the big sixty",
    "room 101",
]

DOUBTFUL = ["february 30th", "monday the 24th", "tomorrow on friday", "2026-02-31", "april 31 at nine"]

BARE = [
    ("three", "15:00"),
    ("3", "15:00"),
    ("three thirty", "15:30"),
    ("nine", "09:00"),
    ("twenty to two", "13:40"),
    ("five to five", "16:55"),
    ("noon", "12:00"),
    ("fifteen thirty", "15:30"),
    ("eight in the evening", "20:00"),
]


@pytest.mark.parametrize(("text", "days", "part"), DAYS)
def test_days_and_parts_of_them(text: str, days: str, part: str) -> None:
    heard = when(text)
    assert " ".join(day.isoformat() for day in (heard.day, heard.last) if day) == days
    assert heard.part == part
    assert heard.moment(NOW.replace(tzinfo=ZoneInfo("UTC"))) is None


@pytest.mark.parametrize(("text", "start", "end"), RANGES)
def test_ranges(text: str, start: str, end: str) -> None:
    begin = when(text).moment(NOW.replace(tzinfo=ZoneInfo("UTC")))
    assert begin is not None
    until = when(text).until(begin)
    assert until is not None
    assert (begin.date(), f"{begin:%H:%M}", f"{until:%H:%M}") == (date(2026, 11, 25), start, end)
    assert begin < until


@pytest.mark.parametrize(("text", "minutes"), LENGTHS)
def test_lengths(text: str, minutes: int) -> None:
    assert Length(minutes) in pieces(text)


@pytest.mark.parametrize(("text", "piece"), OTHERS)
def test_shifts_leads_and_waits(text: str, piece: Piece) -> None:
    assert pieces(text) == [piece]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_time_is_left_alone(text: str) -> None:
    assert [piece for piece in pieces(text) if not isinstance(piece, Length)] == []


@pytest.mark.parametrize("text", DOUBTFUL)
def test_what_contradicts_itself_is_doubtful(text: str) -> None:
    assert when(text).doubtful


@pytest.mark.parametrize(("text", "expected"), BARE)
def test_a_number_alone_is_a_time_where_nothing_else_was_asked_for(text: str, expected: str) -> None:
    moment = when(text, bare=True).moment(NOW.replace(tzinfo=ZoneInfo("UTC")), day=date(2026, 11, 25))
    assert moment is not None
    assert f"{moment:%H:%M}" == expected


def test_the_table_is_large() -> None:
    assert len(DAYS) + len(RANGES) + len(LENGTHS) + len(OTHERS) + len(BARE) >= 80


# What must always hold

VOCABULARY = (
    "a an the at on in for to from until by half quarter past noon midnight three ten twenty 3 24th 3:30 "
    "99 first tomorrow monday next last this week weekend month december may hour hours minutes day days "
    "before later am pm o'clock morning evening tonight and between of oh 2026-12-24 2026-99-99 1.5 lunch "
    "one "
)
WORDS = st.sampled_from(VOCABULARY.split())
DATES = st.dates(date(2024, 1, 1), date(2032, 12, 31))


@settings(deadline=None)
@given(st.lists(WORDS, max_size=14), DATES, st.booleans())
def test_any_words_are_read_without_an_error_and_in_order(said: list[str], today: date, bare: bool) -> None:
    end = 0
    for found in scan(Phrase(said), today, bare=bare):
        assert end <= found.begin < found.end <= len(said)
        end = found.end
    heard = gather(piece for piece in pieces(" ".join(said), bare=bare, today=today))
    start, stop = heard.window(datetime.combine(today, time(10), ZoneInfo("Europe/Berlin")))
    assert start < stop or heard.last is not None or heard.end is not None


@settings(deadline=None)
@given(st.text(max_size=200), DATES)
def test_any_text_is_read_without_an_error(text: str, today: date) -> None:
    gather(pieces(text, today=today))


@settings(deadline=None)
@given(DATES, st.integers(-3, 800))
def test_a_day_that_is_said_is_understood_as_that_day(today: date, ahead: int) -> None:
    day = today + timedelta(days=ahead)
    assert pieces(day_words(day, today), today=today) == [Day(day)]


@settings(deadline=None)
@given(DATES, st.integers(0, 400), st.times(), st.sampled_from(ZONES))
def test_a_moment_that_is_said_is_understood_as_that_moment(today: date, ahead: int, at: time, zone: str) -> None:
    now = datetime.combine(today, time(0, 0), ZoneInfo(zone))
    day, at = today + timedelta(days=ahead), at.replace(second=0, microsecond=0)
    moment = datetime.combine(day, at, ZoneInfo(zone))
    if at == time(0):  # "midnight" is said of the day that it ends
        assert clock_words(moment) == "midnight"
        return
    assert when(moment_words(moment, now), today=today).moment(now) == moment


@settings(deadline=None)
@given(st.integers(1, 48 * 60))
def test_a_length_that_is_said_is_understood_as_that_length(minutes: int) -> None:
    said = Phrase(token.word for token in tokens(length_words(minutes)))
    assert read_duration(said, 0) == (minutes, len(said))
