"""Busy and free stretches, and the slots in them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.tools import free_time
from phone_bridge.tools.free_time import Span
from phone_bridge.tools.keeper import Attendee, WorkingHours
from tests.tools.shelf import ALICE, NOW, Shelf

DAY = datetime(2026, 11, 24, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")


def span(begin: float, end: float) -> Span:
    return Span(DAY + timedelta(hours=begin), DAY + timedelta(hours=end))


def test_spans_that_touch_or_follow_each_other_are_joined() -> None:
    assert free_time.merged([span(11, 12), span(9, 10), span(10, 10.5), span(9.5, 9.75)]) == [
        span(9, 10.5),
        span(11, 12),
    ]


def test_gaps_are_what_is_left_of_the_window() -> None:
    busy = [span(8, 9.5), span(11, 12), span(16, 18)]
    assert free_time.gaps(busy, span(9, 17)) == [span(9.5, 11), span(12, 16)]
    assert free_time.gaps([], span(9, 17)) == [span(9, 17)]
    assert free_time.gaps([span(8, 18)], span(9, 17)) == []


_SPANS = st.lists(st.tuples(st.integers(0, 96), st.integers(1, 20)).map(lambda p: span(p[0] / 4, (p[0] + p[1]) / 4)))


@settings(deadline=None)
@given(_SPANS)
def test_free_and_busy_share_no_time_and_leave_none_out(busy: list[Span]) -> None:
    window = span(0, 24)
    free, taken = free_time.gaps(busy, window), free_time.within(busy, window)
    assert not any(gap.touches(each) for gap in free for each in busy)
    assert sum((each.end - each.start for each in [*free, *taken]), timedelta()) == timedelta(hours=24)


@settings(deadline=None)
@given(_SPANS, st.integers(15, 180), st.integers(0, 60))
def test_every_slot_is_free_with_its_buffer_and_begins_on_a_quarter(
    busy: list[Span], minutes: int, buffer: int
) -> None:
    margin = timedelta(minutes=buffer)
    for slot in free_time.slots(busy, [span(9, 17)], minutes, buffer=buffer, prefer=None, zone=ZONE):
        assert slot.end - slot.start == timedelta(minutes=minutes)
        assert slot.start.minute % 15 == 0
        padded = Span(slot.start - margin, slot.end + margin)
        assert not any(padded.touches(each) for each in busy)


def test_the_preferred_part_of_the_day_comes_first() -> None:
    windows = [span(14, 22)]  # nine to five in New York
    found = free_time.slots([], windows, 60, buffer=0, prefer="afternoon", zone=ZONE)
    assert found[0].start.astimezone(ZONE).hour == 12
    assert found[0].score > found[-1].score


def test_later_days_score_lower() -> None:
    found = free_time.slots([], [span(14, 15), span(38, 39)], 60, buffer=0, prefer=None, zone=ZONE)
    assert [slot.score for slot in found] == [1.0, 0.9]


def test_a_window_is_cut_to_the_hours_that_are_worked() -> None:
    hours = WorkingHours()
    friday = datetime(2026, 11, 27, tzinfo=ZONE)
    found = list(free_time.reachable(Span(friday, friday + timedelta(days=4)), hours, ZONE))
    local = [(span.start.astimezone(ZONE), span.end.astimezone(ZONE)) for span in found]
    assert [(start.day, start.hour, end.hour) for start, end in local] == [(27, 9, 17), (30, 9, 17)]


def test_an_evening_or_a_weekend_is_looked_at_as_it_was_asked() -> None:
    hours = WorkingHours()
    evening = Span(datetime(2026, 11, 24, 18, tzinfo=ZONE), datetime(2026, 11, 24, 22, tzinfo=ZONE))
    assert list(free_time.reachable(evening, hours, ZONE)) == [evening]
    saturday = datetime(2026, 11, 28, tzinfo=ZONE)
    (found,) = free_time.reachable(Span(saturday, saturday + timedelta(days=1)), hours, ZONE)
    assert (found.start.astimezone(ZONE).hour, found.end.astimezone(ZONE).hour) == (9, 17)


@pytest.mark.parametrize(
    ("status", "tentative_counts", "busy"),
    [
        ("accepted", False, True),
        ("needs_action", False, True),
        ("declined", True, False),
        ("tentative", False, False),
        ("tentative", True, True),
    ],
)
def test_ones_own_answer_decides_whether_one_is_busy(status: str, tentative_counts: bool, busy: bool) -> None:
    shelf = Shelf()
    me = Attendee(email=ALICE.email, status=status)  # type: ignore[arg-type]  # the statuses are those of the table
    event = shelf.kept[shelf.add("Talk", NOW, NOW + timedelta(hours=1), attendees=(me,))]
    assert free_time.is_busy(event, ALICE.email, include_tentative=tentative_counts) is busy


def test_whole_days_and_cancelled_events_leave_one_free() -> None:
    shelf = Shelf()
    for more in ({"all_day": True}, {"is_cancelled": True}):
        event = shelf.kept[shelf.add("Fair", NOW, NOW + timedelta(hours=1), **more)]
        assert not free_time.is_busy(event, ALICE.email, include_tentative=True)


def test_overlaps_are_counted_in_minutes() -> None:
    assert span(9, 10).overlap_minutes(span(9.5, 12)) == 30
    assert span(9, 10).overlap_minutes(span(11, 12)) == 0
