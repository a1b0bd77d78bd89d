"""The demonstration's week."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pocketsphinx import get_model_path  # type: ignore[import-untyped]  # it ships no types

from phone_bridge.assistant.calendar.demo import ALICE, BOB, DAYS, FIRST_HOUR, LAST_HOUR, LEAD, bobs_week, refill, week
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.grammar import spoken
from phone_bridge.tools.calendar import CalendarTools
from phone_bridge.tools.keeper import EventFields, User

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ZONE = ZoneInfo(ALICE.timezone)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[SqlKeeper]:
    numbers = count(1)
    keeper = SqlKeeper(f"sqlite:///{tmp_path}/x.db", new_id=lambda p: f"{p}_{next(numbers):06}", now=lambda: NOW)
    keeper.prepare()
    yield keeper
    keeper.close()


@settings(deadline=None)
@given(MOMENTS)
def test_the_week_lies_ahead_in_order_and_its_days_are_days(now: datetime) -> None:
    events = week(now)
    assert all(now < event.start_time < event.end_time for event in events)
    assert all(one.start_time <= other.start_time for one, other in pairwise(events))
    assert events[-1].start_time < now + timedelta(days=DAYS + 1)
    assert all(event.timezone == ALICE.timezone for event in events)


@settings(deadline=None)
@given(MOMENTS)
def test_the_next_meeting_is_soon_by_day_and_in_the_morning_by_night(now: datetime) -> None:
    first, hour = week(now)[0].start_time, now.astimezone(ZONE).hour
    assert first.minute in (0, 30)
    if FIRST_HOUR <= hour < LAST_HOUR:
        assert LEAD <= first - now <= LEAD + timedelta(minutes=30)
    else:
        assert first.astimezone(ZONE).hour == 8
        assert first - now < timedelta(hours=14)  # half past eight after eight, and an hour when the clock is set back


def test_a_small_recogniser_knows_every_word_of_the_titles() -> None:
    lines = Path(get_model_path("en-us/cmudict-en-us.dict")).read_text(encoding="utf-8").splitlines()
    known = {line.split()[0] for line in lines}
    said = {word for event in [*week(NOW), *bobs_week(NOW)] for word in spoken(event.title).split()}
    assert said <= known


def test_alice_gets_her_week_once(keeper: SqlKeeper) -> None:
    assert asyncio.run(refill(keeper, NOW))
    assert not asyncio.run(refill(keeper, NOW))
    events = asyncio.run(keeper.events(ALICE.id, start=None, end=None, unroll=False))
    assert [event.title for event in events] == [event.title for event in week(NOW)]


def test_the_team_meets_every_working_day_of_the_week_in_one_series(keeper: SqlKeeper) -> None:
    asyncio.run(refill(keeper, NOW))
    events = asyncio.run(keeper.events(ALICE.id, start=None, end=None))
    meetings = [event for event in events if event.title == "Team meeting"]
    local = [meeting.start_time.astimezone(ZONE) for meeting in meetings]
    assert [(start.day, start.hour, start.minute) for start in local] == [(d, 9, 15) for d in (25, 26, 27, 30)]
    assert len({meeting.series_id for meeting in meetings}) == 1


def test_there_is_an_alert_about_the_first_meeting_and_every_place_is_on_the_map(keeper: SqlKeeper) -> None:
    asyncio.run(refill(keeper, NOW))
    events = asyncio.run(keeper.events(ALICE.id, start=None, end=None))
    (alert,) = asyncio.run(keeper.alerts(ALICE.id))
    assert (alert.type, alert.event_id) == ("departure", events[0].id)
    assert all(event.location.lat and event.location.lng for event in events if event.location)


def test_alice_and_bob_can_look_for_a_time_together(keeper: SqlKeeper) -> None:
    asyncio.run(refill(keeper, NOW))
    tools = CalendarTools(keeper, lambda: NOW)
    asked = {"from": "2026-11-25T09:00:00-05:00", "to": "2026-11-25T17:00:00-05:00", "participants": [ALICE.id, BOB.id]}
    busy = asyncio.run(tools.run(ALICE.id, "check_availability", asked, key="k"))["busy"]
    assert [span["start"][11:16] for span in busy[ALICE.id]] == ["09:15", "12:30", "16:00"]
    assert [span["start"][11:16] for span in busy[BOB.id]] == ["09:15", "10:00", "15:00"]


def test_a_used_up_week_is_made_new_and_nobody_elses_calendar_is_touched(keeper: SqlKeeper) -> None:
    bob = User(id="usr_bob")
    asyncio.run(keeper.add_user(bob))
    lunch = EventFields(title="Lunch", start_time=NOW - timedelta(days=2), end_time=NOW - timedelta(days=1))
    asyncio.run(keeper.create_event(bob.id, lunch, key="a"))
    asyncio.run(refill(keeper, NOW))
    for event in asyncio.run(keeper.events(ALICE.id, start=NOW, end=None)):
        asyncio.run(keeper.cancel_event(ALICE.id, event.id, reason=None, key=event.id))
    assert asyncio.run(refill(keeper, NOW))
    new = [event for event in asyncio.run(keeper.events(ALICE.id, start=NOW, end=None)) if not event.series_id]
    assert len(new) == len(week(NOW)) - 1
    assert [event.title for event in asyncio.run(keeper.events(bob.id, start=None, end=None))] == ["Lunch"]
