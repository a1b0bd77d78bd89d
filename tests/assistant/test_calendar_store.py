"""Calendars on a database: kept, changed, found, and written once however often it is asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec import structs
from sqlalchemy import func, select

from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.calendar.tables import EVENTS
from phone_bridge.errors import Refused, SettingsError, Unavailable
from phone_bridge.runtime import database
from phone_bridge.tools.keeper import (
    Attendee,
    Calendar,
    Event,
    EventFields,
    Location,
    Meeting,
    Recurrence,
    ReminderFields,
    Travel,
    User,
    WorkingHours,
)

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ALICE = User(id="usr_alice", name="Alice", timezone="America/New_York", working_hours=WorkingHours("08:00", "16:00"))
BOB = User(id="usr_bob", name="Bob")
LUNCH = EventFields(title="Lunch", start_time=NOW + timedelta(hours=2), end_time=NOW + timedelta(hours=3))
T = TypeVar("T")


class Clock:
    """The time, set by hand."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(database_url: str, clock: Clock) -> Iterator[SqlKeeper]:
    numbers = count(1)
    keeper = SqlKeeper(database_url, new_id=lambda prefix: f"{prefix}_{next(numbers):06}", now=clock)
    keeper.prepare()
    asyncio.run(keeper.add_user(ALICE))
    asyncio.run(keeper.add_user(BOB))
    yield keeper
    keeper.close()


def wait(coming: Awaitable[T]) -> T:
    async def waited() -> T:
        return await coming

    return asyncio.run(waited())


def create(keeper: SqlKeeper, fields: EventFields = LUNCH, key: str = "hub_1:act_1", user: str = ALICE.id) -> Event:
    return wait(keeper.create_event(user, fields, key=key))


def all_events(keeper: SqlKeeper, user: str = ALICE.id) -> list[Event]:
    return wait(keeper.events(user, start=None, end=None, include_cancelled=True))


def renamed(title: str) -> Callable[[Event], Event]:
    return lambda event: structs.replace(event, title=title)


def test_a_user_is_kept_with_their_habits_and_stays_as_they_are(keeper: SqlKeeper) -> None:
    wait(keeper.add_user(User(id=ALICE.id, name="Mallory")))
    assert wait(keeper.user(ALICE.id)) == ALICE


def test_a_user_nobody_knows_is_refused(keeper: SqlKeeper) -> None:
    with pytest.raises(Refused) as caught:
        wait(keeper.user("usr_carol"))
    assert caught.value.code == "resource_missing"


def test_an_event_comes_back_as_it_was_kept(keeper: SqlKeeper) -> None:
    full = structs.replace(
        LUNCH,
        timezone="America/New_York",
        description="with wine",
        category="social",
        color_hex="#112233",
        location=Location(name="Garden", address="12 Market Street"),
        from_location=Location(lat=1.5, lng=2.5),
        travel=Travel(mode="walk", walk_buffer_min=5),
        recurrence=Recurrence("FREQ=WEEKLY"),
        attendees=(Attendee("carol@example.com", "Carol", "accepted"),),
        meeting=Meeting("online", "https://example.com"),
        calendar_id="cal_1",
    )
    wait(keeper.add_calendar(Calendar(id="cal_1", user_id=ALICE.id, name="Work")))
    kept = create(keeper, full)
    assert wait(keeper.events(ALICE.id, start=None, end=None, unroll=False)) == [kept]
    assert kept == Event(**structs.asdict(full), id="evt_000001", user_id=ALICE.id, created_at=NOW, updated_at=NOW)


def test_times_come_back_aware_whatever_zone_they_went_in_with(keeper: SqlKeeper) -> None:
    kept = create(keeper, structs.replace(LUNCH, start_time=datetime.fromisoformat("2026-11-24T18:00:00+01:00")))
    (read,) = all_events(keeper)
    assert read.start_time == kept.start_time
    assert read.start_time.tzinfo is UTC


def test_events_that_touch_a_stretch_are_listed_by_their_beginning(keeper: SqlKeeper) -> None:
    for hour in (4, 0, 2):
        start = NOW + timedelta(hours=hour)
        fields = EventFields(title=str(hour), start_time=start, end_time=start + timedelta(hours=1))
        create(keeper, fields, key=str(hour))

    def titles(start: float | None, end: float | None) -> list[str]:
        bounds = [None if hour is None else NOW + timedelta(hours=hour) for hour in (start, end)]
        return [event.title for event in wait(keeper.events(ALICE.id, start=bounds[0], end=bounds[1]))]

    assert titles(None, None) == ["0", "2", "4"]
    assert titles(0.5, 2.5) == ["0", "2"]
    assert titles(1, 2) == []
    assert titles(2, None) == ["2", "4"]


def test_a_calendar_is_its_users_alone(keeper: SqlKeeper) -> None:
    mine = create(keeper)
    assert all_events(keeper, BOB.id) == []
    for work in (
        keeper.update_event(BOB.id, mine.id, renamed("x"), key="1"),
        keeper.cancel_event(BOB.id, mine.id, reason=None, key="2"),
        keeper.delete_event(BOB.id, mine.id, key="3"),
        keeper.series(BOB.id, mine.id),
        keeper.event(mine.id, user_id=BOB.id),
    ):
        with pytest.raises(Refused) as caught:
            wait(work)
        assert caught.value.code == "resource_missing"
    assert all_events(keeper) == [mine]


def test_a_change_is_written_and_tells_what_was_before(keeper: SqlKeeper, clock: Clock) -> None:
    before = create(keeper)
    clock.now = NOW + timedelta(minutes=5)
    edit = wait(keeper.update_event(ALICE.id, before.id, renamed("Brunch"), key="2"))
    assert edit.before == before
    assert (edit.after.title, edit.after.updated_at) == ("Brunch", clock.now)
    assert all_events(keeper) == [edit.after]


def test_a_change_that_is_refused_changes_nothing_and_may_be_asked_again(keeper: SqlKeeper) -> None:
    event = create(keeper)

    def no(_event: Event) -> Event:
        raise Refused("No.", code="invalid_parameter")

    with pytest.raises(Refused):
        wait(keeper.update_event(ALICE.id, event.id, no, key="2"))
    assert all_events(keeper) == [event]
    assert wait(keeper.update_event(ALICE.id, event.id, renamed("Brunch"), key="2")).after.title == "Brunch"


def test_cancelling_keeps_the_event_but_hides_it(keeper: SqlKeeper) -> None:
    event = create(keeper)
    gone = wait(keeper.cancel_event(ALICE.id, event.id, reason="ill", key="2"))
    assert (gone.is_cancelled, gone.cancelled_at, gone.cancel_reason) == (True, NOW, "ill")
    assert wait(keeper.events(ALICE.id, start=None, end=None)) == []
    assert all_events(keeper) == [gone]


def test_what_is_cancelled_can_neither_be_cancelled_nor_changed_again(keeper: SqlKeeper) -> None:
    event = create(keeper)
    wait(keeper.cancel_event(ALICE.id, event.id, reason=None, key="2"))
    for work in (
        keeper.cancel_event(ALICE.id, event.id, reason=None, key="3"),
        keeper.update_event(ALICE.id, event.id, renamed("x"), key="4"),
    ):
        with pytest.raises(Refused) as caught:
            wait(work)
        assert caught.value.code == "event_already_cancelled"


def test_every_deed_is_done_once_for_its_key_and_answers_alike(keeper: SqlKeeper) -> None:
    event = create(keeper, key="a")
    assert create(keeper, structs.replace(LUNCH, title="Other"), key="a") == event
    edit = wait(keeper.update_event(ALICE.id, event.id, renamed("Brunch"), key="b"))
    assert wait(keeper.update_event(ALICE.id, event.id, renamed("Supper"), key="b")) == edit
    gone = wait(keeper.cancel_event(ALICE.id, event.id, reason=None, key="c"))
    assert wait(keeper.cancel_event(ALICE.id, event.id, reason=None, key="c")) == gone
    fields = ReminderFields(title="Milk", remind_at=NOW)
    reminder = wait(keeper.create_reminder(ALICE.id, fields, key="d"))
    assert wait(keeper.create_reminder(ALICE.id, fields, key="d")) == reminder
    assert all_events(keeper) == [gone]


def test_keys_are_each_users_own(keeper: SqlKeeper) -> None:
    assert create(keeper, key="a").id != create(keeper, key="a", user=BOB.id).id


def test_two_who_ask_at_once_write_once(keeper: SqlKeeper) -> None:
    async def both() -> list[Event]:
        return await asyncio.gather(*(keeper.create_event(ALICE.id, LUNCH, key="a") for _ in range(6)))

    assert len({event.id for event in asyncio.run(both())}) == 1
    assert len(all_events(keeper)) == 1


def test_reminders_are_kept(keeper: SqlKeeper) -> None:
    event = create(keeper)
    fields = ReminderFields(title="Go", event_id=event.id, offset_minutes_before_start=30, body="now")
    reminder = wait(keeper.create_reminder(ALICE.id, fields, key="2"))
    assert (reminder.title, reminder.status, reminder.created_at) == ("Go", "scheduled", NOW)
    assert wait(keeper.reminders(ALICE.id)) == [reminder]
    assert (reminder.event_id, reminder.offset_minutes_before_start) == (event.id, 30)


def test_the_calendar_outlives_its_keeper(keeper: SqlKeeper, database_url: str, clock: Clock) -> None:
    event = create(keeper)
    keeper.close()
    again = SqlKeeper(database_url, new_id=str, now=clock)
    again.prepare()
    assert all_events(again) == [event]
    again.close()


def test_filling_happens_when_nothing_is_ahead(keeper: SqlKeeper, clock: Clock) -> None:
    assert wait(keeper.fill(ALICE, [LUNCH]))
    assert not wait(keeper.fill(ALICE, [LUNCH]))
    clock.now = NOW + timedelta(days=1)
    assert wait(keeper.fill(ALICE, [structs.replace(LUNCH, start_time=clock.now + timedelta(hours=1))]))
    assert len(all_events(keeper)) == 2


def test_two_who_fill_at_once_fill_once(keeper: SqlKeeper, database_url: str) -> None:
    async def both() -> None:
        await asyncio.gather(*(keeper.fill(ALICE, [LUNCH, LUNCH]) for _ in range(4)))

    asyncio.run(both())
    engine = database.engine(database_url)
    with engine.connect() as db:
        assert db.execute(select(func.count()).select_from(EVENTS)).scalar_one() == 2
    engine.dispose()


def test_two_who_change_one_event_at_once_lose_neither_change(keeper: SqlKeeper) -> None:
    event = create(keeper)

    def longer(before: Event) -> Event:
        return structs.replace(before, title=f"{before.title}!")

    async def all_at_once() -> None:
        await asyncio.gather(*(keeper.update_event(ALICE.id, event.id, longer, key=str(n)) for n in range(5)))

    asyncio.run(all_at_once())
    assert [event.title for event in all_events(keeper)] == ["Lunch!!!!!"]


def test_words_that_the_database_cannot_hold_are_refused_and_change_nothing(postgres: str, clock: Clock) -> None:
    keeper = SqlKeeper(postgres, new_id=lambda prefix: f"{prefix}_1", now=clock)
    keeper.prepare()
    wait(keeper.add_user(ALICE))
    with pytest.raises(Refused) as caught:
        create(keeper, structs.replace(LUNCH, title="a\0b"), key="1")
    assert caught.value.code == "invalid_parameter"
    assert create(keeper, key="1").title == "Lunch"
    keeper.close()


def test_a_database_that_cannot_be_had_is_unavailable(tmp_path: Path, clock: Clock) -> None:
    keeper = SqlKeeper(f"sqlite:///{tmp_path}/no/such/folder/calendar.db", new_id=str, now=clock)
    with pytest.raises(Unavailable) as caught:
        keeper.prepare()
    assert caught.value.code == "calendar_unavailable"
    with pytest.raises(Unavailable):
        wait(keeper.user(ALICE.id))
    keeper.close()


@pytest.mark.parametrize("url", ["", "nonsense", "nonsense://host/db", "postgresql+nonsense://host/db"])
def test_a_url_that_no_driver_serves_is_the_operators_to_mend(url: str, clock: Clock) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DATABASE_URL"):
        SqlKeeper(url, new_id=str, now=clock)
