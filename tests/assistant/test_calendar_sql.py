"""What else the calendar's database keeps, on SQLite and PostgreSQL: series, alerts, ways, messages, older tables."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from msgspec import structs

from phone_bridge.assistant.calendar.sql_events import default_calendar
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.errors import Refused
from phone_bridge.runtime import database
from phone_bridge.tools.keeper import (
    AlertFields,
    Calendar,
    CalendarKeeper,
    Event,
    EventFields,
    Fix,
    InvitationFields,
    Location,
    QuietHours,
    Recurrence,
    Reminder,
    ReminderFields,
    Tracking,
    User,
)

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ALICE = User(id="usr_alice", name="Alice", timezone=ZONE.key)
NINE = datetime(2026, 11, 25, 9, tzinfo=ZONE)
STAND_UP = EventFields(
    title="Stand up",
    start_time=NINE,
    end_time=NINE + timedelta(minutes=15),
    timezone=ZONE.key,
    recurrence=Recurrence("FREQ=DAILY;COUNT=5"),
)
LUNCH = EventFields(title="Lunch", start_time=NOW + timedelta(hours=2), end_time=NOW + timedelta(hours=3))
T = TypeVar("T")


class Clock:
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
    wait(keeper.add_user(ALICE))
    yield keeper
    keeper.close()


def wait(coming: Awaitable[T]) -> T:
    async def waited() -> T:
        return await coming

    return asyncio.run(waited())


def ahead(keeper: CalendarKeeper, **more: Any) -> list[Event]:
    return wait(keeper.events(ALICE.id, start=NOW, end=None, **more))


def days(events: list[Event]) -> list[int]:
    return [event.start_time.astimezone(ZONE).day for event in events]


def renamed(title: str) -> Callable[[Event], Event]:
    return lambda event: structs.replace(event, title=title)


# Series


def test_a_series_is_kept_as_one_and_listed_as_many(keeper: SqlKeeper) -> None:
    series = wait(keeper.create_event(ALICE.id, STAND_UP, key="1"))
    assert days(ahead(keeper)) == [25, 26, 27, 28, 29]
    assert ahead(keeper, unroll=False) == [series]
    first = ahead(keeper)[0]
    assert wait(keeper.event(first.id)) == first
    assert wait(keeper.series(ALICE.id, first.id)).master == series


def test_one_occurrence_is_changed_then_what_follows_then_all(keeper: SqlKeeper) -> None:
    wait(keeper.create_event(ALICE.id, STAND_UP, key="1"))
    _, second, third, fourth, _ = ahead(keeper)
    wait(keeper.update_event(ALICE.id, second.id, renamed("Review"), key="2"))
    edit = wait(keeper.update_event(ALICE.id, third.id, renamed("Talk"), key="3", scope="following"))
    assert [event.title for event in ahead(keeper)] == ["Stand up", "Review", "Talk", "Talk", "Talk"]
    assert wait(keeper.update_event(ALICE.id, third.id, renamed("Talk"), key="3", scope="following")) == edit
    wait(keeper.cancel_event(ALICE.id, ahead(keeper)[3].id, reason=None, key="4"))
    wait(keeper.cancel_event(ALICE.id, ahead(keeper)[0].id, reason="over", key="5", scope="all"))
    assert [event.title for event in ahead(keeper)] == ["Talk", "Talk"]
    gone = [event for event in ahead(keeper, include_cancelled=True) if event.is_cancelled]
    assert [event.cancel_reason for event in gone] == ["over", "over", None]
    with pytest.raises(Refused):
        wait(keeper.event(fourth.id))  # it goes on under the new series' name


def test_forgetting_forgets_rows_and_ends_reminders(keeper: SqlKeeper) -> None:
    series = wait(keeper.create_event(ALICE.id, STAND_UP, key="1"))
    second = ahead(keeper)[1]
    wait(keeper.update_event(ALICE.id, second.id, renamed("Review"), key="2"))
    remind = ReminderFields(title="Go", event_id=second.id, offset_minutes_before_start=5)
    reminder = wait(keeper.create_reminder(ALICE.id, remind, key="3"))
    assert wait(keeper.delete_event(ALICE.id, second.id, key="4")).title == "Review"
    assert wait(keeper.reminder(reminder.id)).status == "cancelled"
    assert days(ahead(keeper, include_cancelled=True)) == [25, 27, 28, 29]
    wait(keeper.delete_event(ALICE.id, series.id, key="5", scope="all"))
    assert ahead(keeper, include_cancelled=True) == []


def test_a_rule_that_cannot_be_kept_leaves_nothing(keeper: SqlKeeper) -> None:
    for rule in ("FREQ=HOURLY", "FREQ=WEEKLY;BYDAY=MO"):
        with pytest.raises(Refused) as caught:
            wait(keeper.create_event(ALICE.id, structs.replace(STAND_UP, recurrence=Recurrence(rule)), key="1"))
        assert caught.value.code == "invalid_recurrence"
    assert ahead(keeper) == []
    assert wait(keeper.create_event(ALICE.id, STAND_UP, key="1")).title == "Stand up"


# Calendars


def test_everybody_has_a_calendar_and_may_have_more(keeper: SqlKeeper) -> None:
    (own,) = wait(keeper.calendars(ALICE.id))
    assert (own.id, own.is_default, own.timezone) == (default_calendar(ALICE.id), True, ZONE.key)
    assert wait(keeper.create_event(ALICE.id, LUNCH, key="1")).calendar_id == own.id
    wait(keeper.add_calendar(Calendar(id="cal_fairs", user_id=ALICE.id, name="Fairs", writable=False)))
    assert [calendar.name for calendar in wait(keeper.calendars(ALICE.id))] == ["Calendar", "Fairs"]
    for calendar_id, code in (("cal_fairs", "calendar_read_only"), ("cal_other", "resource_missing")):
        with pytest.raises(Refused) as caught:
            wait(keeper.create_event(ALICE.id, structs.replace(LUNCH, calendar_id=calendar_id), key="2"))
        assert caught.value.code == code
    with pytest.raises(Refused):
        wait(keeper.calendars("usr_nobody"))


# Users


def test_a_users_wishes_are_kept(keeper: SqlKeeper) -> None:
    home = Location(address="1 Elm Street", lat=1.5, lng=2.5)
    fix = Fix(lat=1.0, lng=2.0, recorded_at=NOW)

    def change(user: User) -> User:
        quiet = QuietHours(enabled=True, start="22:00", end="07:00", days=("sat",))
        return structs.replace(
            user, home_location=home, last_location=fix, quiet_hours=quiet, auto_confirm=("create_event",)
        )

    edit = wait(keeper.update_user(ALICE.id, change, key="1"))
    assert edit.changed_fields() == ["home_location", "last_location", "auto_confirm", "quiet_hours"]
    assert wait(keeper.user(ALICE.id)) == edit.after
    assert wait(keeper.update_user(ALICE.id, lambda user: structs.replace(user, name="x"), key="1")) == edit
    wait(keeper.update_user(ALICE.id, lambda user: structs.replace(user, home_location=None), key="2"))
    assert wait(keeper.user(ALICE.id)).home_location is None


def test_users_are_listed_by_their_ids(keeper: SqlKeeper) -> None:
    for name in ("carol", "bob"):
        wait(keeper.add_user(User(id=f"usr_{name}")))
    assert [user.id for user in wait(keeper.users(limit=2))] == ["usr_alice", "usr_bob"]
    assert [user.id for user in wait(keeper.users(after="usr_bob"))] == ["usr_carol"]


def test_nothing_is_kept_for_a_user_nobody_knows(keeper: SqlKeeper) -> None:
    alert = AlertFields(type="late", title="Late")
    for work in (
        keeper.create_alert("usr_nobody", alert, key="1"),
        keeper.create_reminder("usr_nobody", ReminderFields(title="x", remind_at=NOW), key="2"),
        keeper.create_event("usr_nobody", LUNCH, key="3"),
        keeper.update_tracking("usr_nobody", "evt_1", lambda tracking: tracking, key="4"),
    ):
        with pytest.raises(Refused) as caught:
            wait(work)
        assert caught.value.code == "resource_missing"


# Reminders, alerts, ways, messages


def test_reminders_are_found_listed_and_changed(keeper: SqlKeeper) -> None:
    occurrence = "evt_000001R20261125T140000Z"
    first = wait(keeper.create_reminder(ALICE.id, ReminderFields(title="Milk", remind_at=NOW), key="1"))
    before = ReminderFields(title="Go", event_id=occurrence, offset_minutes_before_start=5)
    second = wait(keeper.create_reminder(ALICE.id, before, key="2"))
    assert wait(keeper.reminders(ALICE.id)) == [first, second]
    assert wait(keeper.reminders(ALICE.id, event_id=occurrence)) == [second]

    def fired(reminder: Reminder) -> Reminder:
        return structs.replace(reminder, status="fired")

    wait(keeper.update_reminder(ALICE.id, first.id, fired, key="3"))
    assert [each.id for each in wait(keeper.reminders(ALICE.id, status="scheduled"))] == [second.id]
    with pytest.raises(Refused):
        wait(keeper.reminder(first.id, user_id="usr_bob"))


def test_alerts_stand_as_the_time_has_it(keeper: SqlKeeper, clock: Clock) -> None:
    soon = AlertFields(type="departure", title="Leave", event_id="evt_1", expires_at=NOW + timedelta(hours=1))
    first = wait(keeper.create_alert(ALICE.id, soon, key="1"))
    clock.now += timedelta(minutes=1)
    second = wait(keeper.create_alert(ALICE.id, AlertFields(type="late", title="Late"), key="2"))
    assert wait(keeper.alerts(ALICE.id)) == [second, first]
    assert wait(keeper.alerts(ALICE.id, type="late")) == wait(keeper.alerts(ALICE.id, since=clock.now)) == [second]
    assert wait(keeper.alerts(ALICE.id, event_id="evt_1")) == [first]
    wait(keeper.snooze_alert(ALICE.id, second.id, clock.now + timedelta(minutes=10), key="3"))
    assert wait(keeper.alerts(ALICE.id)) == [first]
    clock.now += timedelta(minutes=10)
    assert wait(keeper.alert(second.id)).status == "active"
    clock.now += timedelta(hours=1)
    assert wait(keeper.alert(first.id)).status == "expired"
    with pytest.raises(Refused) as caught:
        wait(keeper.snooze_alert(ALICE.id, first.id, clock.now, key="4"))
    assert caught.value.code == "alert_not_active"
    assert wait(keeper.dismiss_alerts(ALICE.id, None, key="5")) == [structs.replace(second, status="dismissed")]
    assert len(wait(keeper.dismiss_alerts(ALICE.id, [first.id, second.id], key="6"))) == 2
    for work in (keeper.dismiss_alerts(ALICE.id, ["alt_9"], key="7"), keeper.alert(first.id, user_id="usr_bob")):
        with pytest.raises(Refused):
            wait(work)


def test_ways_are_followed(keeper: SqlKeeper) -> None:
    assert wait(keeper.tracking(ALICE.id, "evt_1")) == Tracking(event_id="evt_1")

    def here(tracking: Tracking) -> Tracking:
        fix = Fix(lat=1.0, lng=2.0, recorded_at=NOW)
        return structs.replace(tracking, status="in_transit", current_location=fix, started_at=NOW)

    kept = wait(keeper.update_tracking(ALICE.id, "evt_1", here, key="1"))
    assert wait(keeper.tracking(ALICE.id, "evt_1")) == kept
    arrived = lambda tracking: structs.replace(tracking, status="arrived")  # noqa: E731 - it is said once
    assert wait(keeper.update_tracking(ALICE.id, "evt_1", arrived, key="2")).started_at == NOW


def test_messages_are_kept_as_queued_and_numbered(keeper: SqlKeeper) -> None:
    to = [InvitationFields(attendee_email=f"{name}@example.com", email_type="invite") for name in ("anna", "bob")]
    first = wait(keeper.create_invitations(ALICE.id, "evt_1", to, key="1"))
    assert {invitation.status for invitation in first} == {"email_queued"}
    wait(keeper.create_invitations(ALICE.id, "evt_1", to[:1], key="2"))
    found = wait(keeper.invitations(ALICE.id, "evt_1"))
    assert [(each.attendee_email[:4], each.ical_sequence) for each in found] == [("anna", 0), ("bob@", 0), ("anna", 1)]


# A database of an earlier version

OLD = """
CREATE TABLE calendar_users (id VARCHAR PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL,
  timezone VARCHAR NOT NULL, default_event_duration_min INTEGER NOT NULL, working_hours JSON NOT NULL);
CREATE TABLE calendar_events (id VARCHAR PRIMARY KEY, user_id VARCHAR NOT NULL REFERENCES calendar_users (id),
  calendar_id VARCHAR, title TEXT NOT NULL, start_time TIMESTAMP NOT NULL, end_time TIMESTAMP NOT NULL,
  timezone VARCHAR NOT NULL, all_day BOOLEAN NOT NULL, description TEXT, category TEXT, color_hex VARCHAR,
  location JSON, from_location JSON, travel JSON, recurrence JSON, attendees JSON NOT NULL, meeting JSON,
  source JSON NOT NULL, is_cancelled BOOLEAN NOT NULL, cancelled_at TIMESTAMP, cancel_reason TEXT,
  created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);
CREATE TABLE calendar_reminders (id VARCHAR PRIMARY KEY, user_id VARCHAR NOT NULL REFERENCES calendar_users (id),
  event_id VARCHAR REFERENCES calendar_events (id), title TEXT NOT NULL, remind_at TIMESTAMP,
  offset_minutes_before_start INTEGER, offset_minutes_before_departure INTEGER, body TEXT, channel VARCHAR NOT NULL,
  status VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL);
INSERT INTO calendar_users VALUES ('usr_alice', 'Alice', '', 'America/New_York', 60,
  '{"start":"09:00","end":"17:00","days":["mon"]}');
INSERT INTO calendar_events VALUES ('evt_lunch1', 'usr_alice', NULL, 'Lunch', '2026-11-24 17:00:00.000000',
  '2026-11-24 18:00:00.000000', 'UTC', false, NULL, NULL, NULL, 'null', 'null', 'null', 'null', '[]', 'null',
  '{}', false, NULL, NULL, '2026-11-24 15:00:00.000000', '2026-11-24 15:00:00.000000');
INSERT INTO calendar_events VALUES ('evt_weekly', 'usr_alice', NULL, 'Weekly', '2026-11-24 20:00:00.000000',
  '2026-11-24 21:00:00.000000', 'UTC', false, NULL, NULL, NULL, 'null', 'null', 'null',
  '{"rule":"FREQ=WEEKLY;COUNT=2"}', '[]', 'null', '{}', false, NULL, NULL, '2026-11-24 15:00:00.000000',
  '2026-11-24 15:00:00.000000');
INSERT INTO calendar_reminders VALUES ('rem_000001', 'usr_alice', 'evt_lunch1', 'Go', NULL, 5, NULL, NULL, 'push',
  'scheduled', '2026-11-24 15:00:00.000000');
"""


def test_a_database_of_an_earlier_version_is_taken_over(database_url: str, clock: Clock) -> None:
    engine = database.engine(database_url)
    with engine.begin() as db:
        for statement in OLD.split(";\n"):
            if statement.strip():
                db.execute(sa.text(statement.replace(":00", r"\:00")))
    engine.dispose()
    keeper = SqlKeeper(database_url, new_id=lambda prefix: f"{prefix}_new001", now=clock)
    keeper.prepare()
    keeper.prepare()
    assert [event.title for event in ahead(keeper)] == ["Lunch", "Weekly", "Weekly"]
    assert {event.calendar_id for event in ahead(keeper)} == {default_calendar(ALICE.id)}
    assert wait(keeper.user(ALICE.id)).quiet_hours == QuietHours()
    (reminder,) = wait(keeper.reminders(ALICE.id, event_id="evt_lunch1"))
    wait(keeper.update_event(ALICE.id, "evt_lunch1", renamed("Brunch"), key="1"))
    assert wait(keeper.delete_event(ALICE.id, "evt_lunch1", key="2")).title == "Brunch"
    told = wait(keeper.reminder(reminder.id))
    assert (told.status, told.event_id) == ("cancelled", "evt_lunch1")
    keeper.close()
