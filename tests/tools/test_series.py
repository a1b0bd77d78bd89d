"""Series: unrolled, changed in one place, from a place on and as a whole, and forgotten."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from phone_bridge.errors import Refused
from phone_bridge.tools import series as unrolling
from phone_bridge.tools.keeper import Event, Location, Recurrence, Series, SeriesScope
from phone_bridge.tools.rules import OCCURRENCES_MAX, moment_of

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
FOREVER = datetime(2027, 12, 31, tzinfo=UTC)
OFFICE, CAFE = Location(address="1 Main Street"), Location(address="2 Main Street")


def master(rule: str = "FREQ=DAILY;COUNT=5", hour: int = 9, minutes: int = 30, **more: Any) -> Event:
    start = datetime(2026, 11, 24, hour, tzinfo=ZONE)
    fields: dict[str, Any] = {
        "id": "evt_standup",
        "user_id": "usr_alice",
        "title": "Stand up",
        "start_time": start,
        "end_time": start + timedelta(minutes=minutes),
        "timezone": ZONE.key,
        "recurrence": Recurrence(rule),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Event(**(fields | more))


class Kept:
    """What a keeper has after deeds on one series."""

    def __init__(self, first: Event) -> None:
        self.rows = {first.id: first}
        self._numbers = iter(range(1, 100))

    def all(self, *, include_cancelled: bool = False) -> list[Event]:
        found: list[Event] = []
        for event in self.rows.values():
            if event.series_id is None:
                found += unrolling.occurrences(
                    self.whole(event.id), NOW - timedelta(days=400), FOREVER, include_cancelled=include_cancelled
                )
        return sorted(found, key=lambda event: event.start_time)

    def whole(self, event_id: str) -> Series:
        own = unrolling.series_id_of(event_id) or event_id
        overrides = tuple(event for event in self.rows.values() if event.series_id == own)
        return Series(master=self.rows[own], overrides=overrides)

    def change(self, event_id: str, scope: SeriesScope, change: Callable[[Event], Event]) -> unrolling.Rewrite:
        rewrite = unrolling.changed(
            self.whole(event_id), event_id, scope, change, now=LATER, new_id=lambda: f"evt_new{next(self._numbers)}"
        )
        return self._apply(rewrite)

    def delete(self, event_id: str, scope: SeriesScope) -> unrolling.Rewrite:
        return self._apply(unrolling.deleted(self.whole(event_id), event_id, scope, now=LATER))

    def _apply(self, rewrite: unrolling.Rewrite) -> unrolling.Rewrite:
        for event_id in rewrite.gone:
            self.rows.pop(event_id, None)
        self.rows.update({event.id: event for event in rewrite.kept})
        return rewrite


def told(events: list[Event]) -> list[str]:
    return [f"{event.start_time.astimezone(ZoneInfo(event.timezone)):%d %H:%M} {event.title}" for event in events]


def days(events: list[Event]) -> list[int]:
    return [event.start_time.astimezone(ZONE).day for event in events]


def renamed(title: str) -> Callable[[Event], Event]:
    return lambda event: structs.replace(event, title=title)


def moved(**by: Any) -> Callable[[Event], Event]:
    delta = timedelta(**by)

    def change(event: Event) -> Event:
        zone = ZoneInfo(event.timezone)
        wall = event.start_time.astimezone(zone).replace(tzinfo=None) + delta
        start = moment_of(wall, zone)
        return structs.replace(event, start_time=start, end_time=start + unrolling.length(event))

    return change


def cancelled(event: Event) -> Event:
    return structs.replace(event, is_cancelled=True, cancelled_at=LATER)


# Occurrences


def test_an_occurrence_is_named_by_its_series_and_its_own_time() -> None:
    first, second, *_ = Kept(master()).all()
    assert first.id == "evt_standupR20261124T140000Z"
    assert (second.series_id, second.original_start_time) == ("evt_standup", second.start_time)
    assert second.recurrence == Recurrence("FREQ=DAILY;COUNT=5")
    assert unrolling.series_id_of(first.id) == "evt_standup"
    assert unrolling.series_id_of("evt_R2D2") is None


def test_each_occurrence_is_found_by_its_id_and_others_are_not() -> None:
    kept = Kept(master())
    for event in kept.all():
        assert unrolling.occurrence(kept.whole(event.id), event.id) == event
    for stranger in ("evt_standupR20261124T140001Z", "evt_standupR20261201T140000Z", "evt_standupR20269999T140000Z"):
        with pytest.raises(Refused) as caught:
            unrolling.occurrence(kept.whole("evt_standup"), stranger)
        assert caught.value.code == "resource_missing"


def test_whole_days_are_named_by_their_date_and_stay_whole_when_the_clock_changes() -> None:
    start = datetime(2026, 10, 30, tzinfo=ZONE)
    fair = master("FREQ=DAILY;COUNT=4", start_time=start, end_time=start + timedelta(days=1), all_day=True)
    found = Kept(fair).all()
    assert [event.id for event in found][:2] == ["evt_standupR20261030", "evt_standupR20261031"]
    assert [unrolling.length(event) / timedelta(hours=1) for event in found] == [24, 24, 25, 24]
    for event in found:
        assert unrolling.occurrence(Series(master=fair), event.id) == event


def test_exceptions_are_left_out_and_additions_come_in() -> None:
    at = datetime(2026, 11, 25, 9, tzinfo=ZONE)
    extra = datetime(2026, 11, 24, 18, tzinfo=ZONE)
    rule = Recurrence("FREQ=DAILY;COUNT=3", exdates=(at,), rdates=(extra, extra))
    assert told(Kept(master(recurrence=rule)).all()) == ["24 09:00 Stand up", "24 18:00 Stand up", "26 09:00 Stand up"]


def test_a_window_shows_what_touches_it() -> None:
    kept = Kept(master("FREQ=DAILY", hour=23, minutes=120))
    start = datetime(2026, 11, 26, 0, 30, tzinfo=ZONE)
    found = unrolling.occurrences(kept.whole("evt_standup"), start, start + timedelta(hours=1))
    assert told(found) == ["25 23:00 Stand up"]


def test_only_so_many_occurrences_are_listed() -> None:
    endless = Series(master=master("FREQ=DAILY"))
    found = unrolling.occurrences(endless, NOW - timedelta(days=1), NOW + timedelta(days=OCCURRENCES_MAX * 2))
    assert len(found) == OCCURRENCES_MAX


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (None, None, -31, 366),
        (NOW + timedelta(days=10), None, 10, 376),
        (NOW - timedelta(days=10), None, -10, 366),
        (None, NOW - timedelta(days=10), -41, -10),
        (NOW, NOW + timedelta(days=1), 0, 1),
    ],
)
def test_open_ends_are_closed(start: datetime | None, end: datetime | None, first: int, last: int) -> None:
    assert unrolling.window(start, end, NOW) == (NOW + timedelta(days=first), NOW + timedelta(days=last))


def test_a_rule_that_came_from_elsewhere_and_cannot_be_reckoned_with_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        Kept(master("FREQ=SECONDLY")).all()
    assert caught.value.code == "unsupported"


# One


def test_one_occurrence_is_changed_and_the_others_stay() -> None:
    kept = Kept(master())
    second = kept.all()[1]
    edit = kept.change(second.id, "this", moved(hours=2)).edit
    assert edit.changed_fields() == ["start_time", "end_time"]
    assert told(kept.all())[:3] == ["24 09:00 Stand up", "25 11:00 Stand up", "26 09:00 Stand up"]
    assert unrolling.occurrence(kept.whole(second.id), second.id) == kept.all()[1]
    kept.change(second.id, "this", renamed("Sit down"))
    assert told(kept.all())[1] == "25 11:00 Sit down"


def test_one_occurrence_is_cancelled_and_stays_readable() -> None:
    kept = Kept(master())
    second = kept.all()[1]
    kept.change(second.id, "this", cancelled)
    assert days(kept.all()) == [24, 26, 27, 28]
    assert [event.is_cancelled for event in kept.all(include_cancelled=True)] == [False, True, False, False, False]
    with pytest.raises(Refused) as caught:
        kept.change(second.id, "this", renamed("x"))
    assert caught.value.code == "event_already_cancelled"


def test_one_occurrence_has_no_rule_of_its_own() -> None:
    kept = Kept(master())
    with pytest.raises(Refused) as caught:
        kept.change(kept.all()[1].id, "this", lambda event: structs.replace(event, recurrence=None))
    assert caught.value.code == "invalid_parameter"


# All


def test_a_whole_series_is_moved_by_what_its_occurrence_is_moved_by() -> None:
    kept = Kept(master())
    edit = kept.change(kept.all()[2].id, "all", moved(hours=1)).edit
    assert told(kept.all()) == [f"{day} 10:00 Stand up" for day in (24, 25, 26, 27, 28)]
    assert edit.after == kept.all()[2]


def test_a_weekly_series_moved_by_a_day_falls_on_the_days_after() -> None:
    kept = Kept(master("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4"))
    kept.change(kept.all()[1].id, "all", moved(days=1))
    assert days(kept.all()) == [25, 27, 2, 4]


def test_what_an_override_has_of_its_own_it_keeps_and_the_rest_goes_along() -> None:
    kept = Kept(master(location=OFFICE))
    _, second, third, *_ = kept.all()
    kept.change(second.id, "this", renamed("Review"))
    kept.change(third.id, "this", moved(hours=5))
    kept.change(
        kept.all()[0].id, "all", lambda event: structs.replace(moved(hours=1)(event), title="Talk", location=CAFE)
    )
    assert told(kept.all())[:4] == ["24 10:00 Talk", "25 10:00 Review", "26 14:00 Talk", "27 10:00 Talk"]
    assert {event.location for event in kept.all()} == {CAFE}
    assert len(kept.all()) == 5


def test_exceptions_go_along_with_the_series() -> None:
    kept = Kept(master())
    kept.delete(kept.all()[1].id, "this")
    kept.change(kept.all()[0].id, "all", moved(hours=-1))
    assert told(kept.all()) == [f"{day} 08:00 Stand up" for day in (24, 26, 27, 28)]


def test_a_series_that_is_fixed_by_its_rule_says_that_it_needs_another() -> None:
    kept = Kept(master("FREQ=MONTHLY;BYDAY=4TU"))
    with pytest.raises(Refused, match="say the new rule") as caught:
        kept.change(kept.all()[0].id, "all", moved(days=1))
    assert caught.value.code == "invalid_recurrence"
    kept.change(kept.all()[0].id, "all", moved(hours=1))
    assert told(kept.all())[:2] == ["24 10:00 Stand up", "22 10:00 Stand up"]


def test_a_whole_series_is_cancelled_with_all_that_is_its_own() -> None:
    kept = Kept(master())
    kept.change(kept.all()[1].id, "this", renamed("Review"))
    kept.change(kept.all()[2].id, "all", cancelled)
    assert kept.all() == []
    assert len(kept.all(include_cancelled=True)) == 5


def test_a_series_by_its_own_id_is_all_of_it() -> None:
    kept = Kept(master("FREQ=WEEKLY;BYDAY=TU;COUNT=3"))
    kept.change(kept.all()[1].id, "this", moved(hours=5))
    edit = kept.change("evt_standup", "this", lambda event: structs.replace(moved(hours=1)(event), title="Talk")).edit
    assert edit.after == kept.rows["evt_standup"]
    assert told(kept.all()) == ["24 10:00 Talk", "01 14:00 Talk", "08 10:00 Talk"]


def test_a_series_gets_another_rule_and_ends_being_one() -> None:
    kept = Kept(master())
    weekly = Recurrence("FREQ=WEEKLY;COUNT=2")
    kept.change(kept.all()[1].id, "all", lambda event: structs.replace(event, recurrence=weekly))
    assert days(kept.all()) == [24, 1]
    kept.change(kept.all()[1].id, "this", renamed("Review"))
    kept.change("evt_standup", "all", lambda event: structs.replace(event, recurrence=None))
    assert told(kept.all()) == ["24 09:00 Stand up"]
    kept.change("evt_standup", "this", lambda event: structs.replace(event, recurrence=weekly))
    assert days(kept.all()) == [24, 1]


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;BYDAY=MO", "FREQ=HOURLY", "nonsense"])
def test_a_rule_that_cannot_be_kept_is_refused(rule: str) -> None:
    for event in (master(rule), structs.replace(master(), recurrence=Recurrence(rule))):
        with pytest.raises(Refused) as caught:
            unrolling.check(event)
        assert caught.value.code == "invalid_recurrence"


# Following


def test_from_here_on_a_series_goes_on_as_another_one() -> None:
    kept = Kept(master(location=OFFICE))
    third = kept.all()[2]
    kept.change(kept.all()[3].id, "this", renamed("Review"))
    edit = kept.change(third.id, "following", moved(hours=1)).edit
    assert told(kept.all()) == [
        "24 09:00 Stand up",
        "25 09:00 Stand up",
        "26 10:00 Stand up",
        "27 10:00 Review",
        "28 10:00 Stand up",
    ]
    assert edit.before == third
    assert edit.after == kept.all()[2]
    assert {event.series_id for event in kept.all()} == {"evt_standup", "evt_new1"}


def test_the_first_one_and_all_that_follow_are_all() -> None:
    kept = Kept(master())
    kept.change(kept.all()[0].id, "following", renamed("Talk"))
    assert set(kept.rows) == {"evt_standup"}
    assert {event.title for event in kept.all()} == {"Talk"}


def test_what_follows_is_cancelled() -> None:
    kept = Kept(master("FREQ=DAILY"))
    kept.change(kept.all()[3].id, "following", cancelled)
    assert days(kept.all()) == [24, 25, 26]


def test_an_endless_series_of_whole_days_is_cut_at_its_day() -> None:
    start = datetime(2026, 11, 24, tzinfo=ZONE)
    fair = master("FREQ=WEEKLY", start_time=start, end_time=start + timedelta(days=1), all_day=True)
    kept = Kept(fair)
    kept.change(kept.all()[2].id, "following", renamed("Market"))
    assert told(kept.all())[:4] == ["24 00:00 Stand up", "01 00:00 Stand up", "08 00:00 Market", "15 00:00 Market"]


# Forgetting


def test_occurrences_are_forgotten_one_or_from_here_on_or_all() -> None:
    kept = Kept(master())
    kept.change(kept.all()[1].id, "this", renamed("Review"))
    assert kept.delete(kept.all()[1].id, "this").edit.before.title == "Review"
    assert days(kept.all(include_cancelled=True)) == [24, 26, 27, 28]
    kept.change(kept.all()[3].id, "this", renamed("Review"))
    kept.delete(kept.all()[2].id, "following")
    assert days(kept.all(include_cancelled=True)) == [24, 26]
    kept.delete(kept.all()[1].id, "all")
    assert kept.rows == {}


def test_an_event_alone_is_changed_and_forgotten() -> None:
    alone = master(recurrence=None)
    kept = Kept(alone)
    kept.change(alone.id, "following", moved(hours=1))
    assert told(kept.all()) == ["24 10:00 Stand up"]
    kept.delete(alone.id, "following")
    assert kept.rows == {}


# What always holds

RULES = st.sampled_from(
    ["FREQ=DAILY", "FREQ=DAILY;COUNT=9", "FREQ=WEEKLY;BYDAY=TU,TH,SA", "FREQ=WEEKLY;INTERVAL=2;COUNT=6", "FREQ=MONTHLY"]
)
ZONES = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland"]
)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
HOURS = st.times(time(6), time(19)).map(lambda at: at.replace(second=0, microsecond=0))  # no clock skips any of these


def windows(event: Event) -> tuple[datetime, datetime]:
    return event.start_time - timedelta(days=2), event.start_time + timedelta(days=300)


@st.composite
def masters(draw: st.DrawFn) -> Event:
    zone = ZoneInfo(draw(ZONES))
    wall = datetime.combine(draw(DAYS), draw(HOURS))
    wall += timedelta(days=(1 - wall.weekday()) % 7)  # a Tuesday, which the rules are for
    start = moment_of(wall, zone)
    end = start + timedelta(minutes=draw(st.sampled_from([15, 60, 600])))
    return master(draw(RULES), start_time=start, end_time=end, timezone=zone.key)


@settings(max_examples=60, deadline=None)
@given(masters(), st.integers(0, 5), st.sampled_from([-120, -15, 30, 180]))
def test_moving_from_here_on_moves_what_follows_and_nothing_else(event: Event, index: int, minutes: int) -> None:
    kept = Kept(event)
    start, end = windows(event)
    before = unrolling.occurrences(kept.whole(event.id), start, end)
    target = before[min(index, len(before) - 1)]
    shift = moved(minutes=minutes)
    kept.change(target.id, "following", shift)
    rows = [row for row in kept.rows.values() if row.series_id is None]
    after = sorted(
        (each for row in rows for each in unrolling.occurrences(kept.whole(row.id), start, end)),
        key=lambda each: each.start_time,
    )
    wanted = [each if each.start_time < target.start_time else shift(each) for each in before]
    pairs = list(zip(after, wanted, strict=False))
    assert all((one.start_time, one.end_time) == (other.start_time, other.end_time) for one, other in pairs)
    assert abs(len(after) - len(wanted)) <= 1  # one may cross the window's end


@settings(max_examples=60, deadline=None)
@given(masters(), st.integers(0, 5), st.sampled_from(["this", "following", "all"]))
def test_cancelling_takes_just_what_was_meant(event: Event, index: int, scope: Any) -> None:
    kept = Kept(event)
    start, end = windows(event)
    before = unrolling.occurrences(kept.whole(event.id), start, end)
    target = before[min(index, len(before) - 1)]
    kept.change(target.id, scope, cancelled)
    rows = [row for row in kept.rows.values() if row.series_id is None]
    left = {each.start_time for row in rows for each in unrolling.occurrences(kept.whole(row.id), start, end)}
    kept_starts = {
        "this": [each.start_time for each in before if each.id != target.id],
        "following": [each.start_time for each in before if each.start_time < target.start_time],
        "all": [],
    }
    assert left == set(kept_starts[scope])
