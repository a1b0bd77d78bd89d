"""A reminder from its wish to its end: when it is due, what moves it, and that it rings once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from phone_bridge.errors import Refused
from phone_bridge.outbound.policy import Outcome, Policy
from phone_bridge.outbound.reminders import (
    MAX_AHEAD_DAYS,
    MAX_HISTORY,
    MAX_OFFSET_MINUTES,
    MAX_TEXT_CHARS,
    Reminder,
    ReminderBody,
    begin,
    cancel,
    follow,
    iso,
    make,
    may_ring,
    occurrence,
    settle,
    shown,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = "2026-11-24T15:00:00+01:00"
WEDNESDAY = datetime(2026, 11, 25, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def reminder(now: datetime = NOW, event_at: datetime | None = None, **wish: Any) -> Reminder:
    given = {"to": "+4930123456", "text": "Take your pills.", **wish}
    if "event_id" not in given:
        given.setdefault("at", LATER)
    body = msgspec.convert(given, ReminderBody)
    return make(body, id="rem_1", user_id="usr_1", timezone="", now=now, event_at=event_at)


def rings(one: Reminder, at: datetime, outcome: Outcome, number: int = 1) -> None:
    assert begin(one, f"call_{number}", at)
    settle(one, f"call_{number}", outcome, at + MINUTE)


def test_it_is_due_at_its_time_and_the_offset_says_where_the_recipient_is() -> None:
    one = reminder()
    assert (one.due, one.next_at, one.timezone) == (NOW + 120 * MINUTE, NOW + 120 * MINUTE, "UTC+01:00")


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"at": "tomorrow"}, "at"),
        ({"at": "2026-11-24T15:00:00"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"at": iso(NOW - 6 * MINUTE)}, "at"),
        ({"at": iso(NOW + timedelta(days=MAX_AHEAD_DAYS + 1))}, "at"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"repeat": "FREQ=SECONDLY"}, "repeat"),
        ({"repeat": "FREQ=HOURLY"}, "repeat"),
        ({"repeat": "every day"}, "repeat"),
        ({"repeat": "FREQ=DAILY;BYDAY=XX"}, "repeat"),
        ({"repeat": "FREQ=DAILY;COUNT=5\nEXDATE:20261124T140000Z"}, "repeat"),
        ({"repeat": "FREQ=DAILY;UNTIL=20200101T000000Z"}, "repeat"),
        ({"repeat": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "repeat"),  # a day that never comes
        ({"repeat": "FREQ=DAILY;BYHOUR=3"}, "repeat"),  # the hour is that of at
        ({"repeat": "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2"}, "repeat"),
        ({"policy": {"window": "08:00-09:00", "quiet_hours": "07:00-10:00"}}, "policy"),
        ({"text": "  "}, "text"),
        ({"policy": {"consent_required": True}}, "consent"),
        ({"policy": {"consent_required": True}, "consent": " "}, "consent"),
        # where the recipient's clock counts, it must be known: a Z is a computer's
        ({"at": "2026-11-24T15:00:00Z", "policy": {"window": "09:00-20:00"}}, "timezone"),
        ({"at": "2026-11-24T15:00:00Z", "policy": {"quiet_hours": "21:00-08:00"}}, "timezone"),
        ({"at": "2026-11-24T15:00:00Z", "policy": {"days": ["mon"]}}, "timezone"),
        ({"event_id": "evt_1"}, "event_id"),
        ({"event_id": "evt_1", "repeat": "FREQ=DAILY"}, "repeat"),
    ],
)
def test_what_cannot_be_is_refused_by_the_parameter_at_fault(wish: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as caught:
        reminder(**wish)
    assert caught.value.code == param


@pytest.mark.parametrize(
    "wish",
    [
        {"text": "x" * (MAX_TEXT_CHARS + 1)},
        {"offset_minutes": MAX_OFFSET_MINUTES + 1},
        {"to": "030"},
        {"policy": {"x": 1}},
    ],
)
def test_a_wish_has_its_limits(wish: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        reminder(**wish)


def test_of_an_event_nobody_knows_where_the_recipient_is_unless_somebody_says_so() -> None:
    event: dict[str, Any] = {"event_id": "evt_1", "policy": {"window": "09:00-20:00"}}
    with pytest.raises(Refused) as caught:
        reminder(event_at=NOW + 60 * MINUTE, **event)
    assert caught.value.code == "timezone"
    assert reminder(event_at=NOW + 60 * MINUTE, timezone="Europe/Berlin", **event).timezone == "Europe/Berlin"
    assert reminder(event_at=NOW + 60 * MINUTE, timezone="UTC", **event).timezone == "UTC"


def test_how_the_recipient_agreed_is_kept_and_shown() -> None:
    one = reminder(policy={"consent_required": True}, consent="form of 2026-11-01")
    assert shown(one)["consent"] == "form of 2026-11-01"


def test_where_the_clock_is_not_known_any_more_it_does_not_ring() -> None:
    one = reminder()
    one.timezone = "Mars/Olympus"  # a table of zones that has changed
    assert not begin(one, "call_1", one.due)
    assert (one.status, one.outcome, one.next_at) == ("failed", "unknown_timezone", None)


def test_what_has_begun_may_ring_while_it_is_wanted_and_the_hour_permits() -> None:
    one = reminder(timezone="Europe/Berlin", policy={"window": "14:00-16:00"})
    assert begin(one, "call_1", one.due)
    assert may_ring(one, "call_1", one.due) is True
    assert may_ring(one, "call_1", one.due + 60 * MINUTE) is None  # it is four o'clock meanwhile
    assert may_ring(one, "call_2", one.due) is False
    settle(one, "call_1", Outcome("canceled", postponed=True), one.due + 60 * MINUTE)
    assert (one.status, one.attempts, one.next_at) == ("scheduled", 0, one.due + timedelta(hours=23))
    cancel(one)
    assert may_ring(one, "call_1", one.due) is False


def test_without_a_time_and_an_event_nobody_knows_when() -> None:
    with pytest.raises(Refused, match="Say when"):
        make(ReminderBody(to="+4930123456", text="x"), id="r", user_id="u", timezone="", now=NOW)


def test_one_that_is_answered_is_done_after_one_ring() -> None:
    one = reminder()
    rings(one, one.due, Outcome("completed", reply="confirmed"))
    assert (one.status, one.outcome, one.next_at, one.attempts) == ("done", "confirmed", None, 1)
    assert [(each.call_id, each.outcome) for each in one.history] == [("call_1", "confirmed")]


def test_nobody_answers_and_it_rings_again_at_rising_distances() -> None:
    one, at, distances = reminder(), NOW + 120 * MINUTE, []
    for number in range(3):
        rings(one, at, Outcome("no_answer"), number)
        if one.next_at is not None:
            distances.append((one.next_at - at) // MINUTE - 1)
            at = one.next_at
    assert distances == [5, 15]
    assert (one.status, one.outcome) == ("failed", "no_answer")


def test_a_wish_for_later_is_no_failed_attempt() -> None:
    one = reminder(policy={"max_attempts": 1})
    rings(one, one.due, Outcome("completed", reply="later:20"))
    assert (one.status, one.next_at, one.attempts) == ("scheduled", one.due + 21 * MINUTE, 0)
    rings(one, one.due + 21 * MINUTE, Outcome("completed", reply="confirmed"), 2)
    assert one.status == "done"


def test_what_came_of_an_attempt_counts_once_and_only_of_the_present_one() -> None:
    one = reminder()
    assert begin(one, "call_1", one.due)
    settle(one, "call_9", Outcome("completed", reply="stop"), NOW)
    assert one.status == "calling"
    settle(one, "call_1", Outcome("busy"), one.due)
    before = msgspec.to_builtins(one.history), one.next_at
    settle(one, "call_1", Outcome("busy"), one.due)
    assert (msgspec.to_builtins(one.history), one.next_at) == before


def test_a_cancelled_one_never_rings() -> None:
    one = reminder()
    cancel(one)
    assert (one.status, one.next_at) == ("cancelled", None)
    with pytest.raises(Refused) as caught:
        cancel(one)
    assert caught.value.code == "reminder_over"


def test_one_that_is_cancelled_while_it_rings_is_not_tried_again() -> None:
    one = reminder()
    begin(one, "call_1", one.due)
    cancel(one)
    settle(one, "call_1", Outcome("no_answer"), one.due)
    assert (one.status, one.next_at, len(one.history)) == ("cancelled", None, 1)


def test_one_whose_time_is_long_over_is_not_rung() -> None:
    one = reminder(policy={"late_minutes": 30})
    assert not begin(one, "call_1", one.due + 31 * MINUTE)
    assert (one.status, one.outcome) == ("failed", "expired")
    punctual = reminder(policy={"late_minutes": 30})
    assert begin(punctual, "call_1", punctual.due + 30 * MINUTE)


def test_one_that_comes_due_in_a_quiet_hour_waits() -> None:
    one = reminder(at="2026-11-24T22:00:00+01:00", timezone="Europe/Berlin", policy={"quiet_hours": "21:00-08:00"})
    morning = datetime(2026, 11, 25, 7, tzinfo=UTC)
    assert one.next_at == morning
    assert not begin(one, "call_1", morning - MINUTE)  # a process whose clock is ahead
    assert one.next_at == morning
    assert begin(one, "call_1", morning)


def test_a_recurring_one_goes_on_and_keeps_its_hour_when_the_clocks_change() -> None:
    one = reminder(
        datetime(2026, 10, 20, tzinfo=UTC),
        at="2026-10-24T09:00:00+02:00",
        timezone="Europe/Berlin",
        repeat="FREQ=DAILY;COUNT=3",
    )
    seen = []
    for number in range(3):
        seen.append(one.due)
        rings(one, one.due, Outcome("completed", reply="confirmed"), number)
    assert [at.hour for at in seen] == [7, 8, 8]  # summer time ends in the night to the 25th
    assert (one.status, one.occurrence) == ("done", 2)


def test_the_rule_of_who_wants_no_more_calls_ends() -> None:
    one = reminder(repeat="FREQ=DAILY")
    rings(one, one.due, Outcome("completed", reply="stop"))
    assert (one.status, one.outcome, one.next_at) == ("done", "stop", None)


def test_what_was_missed_while_nobody_was_there_is_rung_once() -> None:
    one = reminder(repeat="FREQ=DAILY", policy={"late_minutes": 60})
    assert not begin(one, "call_1", one.due + timedelta(days=5, hours=2))
    assert one.due == datetime(2026, 11, 30, 14, tzinfo=UTC)
    assert (one.status, one.occurrence) == ("scheduled", 1)


@pytest.mark.parametrize(
    ("rule", "after", "at"),
    [
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,WE", NOW, "2026-11-25T14:00:00+00:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", NOW, "2026-11-30T14:00:00+00:00"),
        ("FREQ=YEARLY", datetime(2027, 1, 1, tzinfo=UTC), "2027-11-24T14:00:00+00:00"),
        (
            "FREQ=DAILY;INTERVAL=2;UNTIL=20261126T140000Z",
            datetime(2026, 11, 25, tzinfo=UTC),
            "2026-11-26T14:00:00+00:00",
        ),
        ("FREQ=DAILY;UNTIL=20261125", WEDNESDAY, None),
    ],
)
def test_a_rule_gives_its_next_moment(rule: str, after: datetime, at: str | None) -> None:
    found = occurrence(rule, datetime.fromisoformat(LATER), "Europe/Berlin", after)
    assert found == (datetime.fromisoformat(at) if at else None)


def test_it_goes_with_its_event() -> None:
    event_at = NOW + 300 * MINUTE
    one = reminder(event_id="evt_1", offset_minutes=30, event_at=event_at)
    assert one.due == event_at - 30 * MINUTE
    assert not follow(one, event_at, NOW)
    assert follow(one, event_at - 60 * MINUTE, NOW)
    assert one.next_at == event_at - 90 * MINUTE
    assert follow(one, None, NOW)
    told = shown(one)
    assert (told["status"], told["outcome"], told["next_at"]) == ("cancelled", "event_cancelled", None)


def test_one_that_has_rung_stays_where_it_is_when_its_event_moves() -> None:
    one = reminder(event_id="evt_1", event_at=NOW + 60 * MINUTE)
    assert begin(one, "call_1", one.due)
    assert not follow(one, NOW + 600 * MINUTE, NOW)


def test_one_that_is_to_ring_again_moves_away_with_its_event_and_ends_with_it() -> None:
    one = reminder(event_id="evt_1", event_at=NOW + 60 * MINUTE)
    rings(one, one.due, Outcome("no_answer"))
    again = one.next_at
    assert again == one.due + 6 * MINUTE
    assert not follow(one, one.due + 2 * MINUTE, NOW)  # the way takes a little longer now
    assert not follow(one, one.due - 30 * MINUTE, NOW)
    assert one.next_at == again
    assert follow(one, one.due + 24 * 60 * MINUTE, NOW)
    assert (one.next_at, one.attempts) == (NOW + 25 * 60 * MINUTE, 1)  # no more attempts than permitted, all in all
    assert follow(one, None, NOW)
    told = shown(one)
    assert (told["status"], told["outcome"], told["next_at"]) == ("cancelled", "event_cancelled", None)


def test_so_many_minutes_before_is_so_many_minutes_on_a_night_when_the_clocks_change() -> None:
    start = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)  # 03:30 in Berlin, where it was 03:00 one and a half hours ago
    one = reminder(
        event_id="evt_1", offset_minutes=150, event_at=start, timezone="Europe/Berlin", now=start - 600 * MINUTE
    )
    assert one.due == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(("first", "days"), [("2026-03-27T02:30:00+01:00", 5), ("2026-10-23T02:30:00+02:00", 5)])
def test_a_recurring_one_rings_once_a_day_also_where_its_hour_is_left_out_or_comes_twice(first: str, days: int) -> None:
    at = datetime.fromisoformat(first).astimezone(UTC)
    one = reminder(at - MINUTE, at=first, timezone="Europe/Berlin", repeat=f"FREQ=DAILY;COUNT={days}")
    wall = []
    for number in range(days):
        wall.append(one.due.astimezone(ZoneInfo("Europe/Berlin")))
        rings(one, one.due, Outcome("completed", reply="confirmed"), number)
    assert one.status == "done"
    assert [each.day for each in wall] == list(range(wall[0].day, wall[0].day + days))
    assert {f"{each:%H:%M}" for each in wall} <= {"02:30", "03:30"}


def test_an_event_that_moves_out_of_all_permitted_hours_is_not_rung_for() -> None:
    one = reminder(event_id="evt_1", event_at=NOW + 60 * MINUTE)
    one.wish = msgspec.structs.replace(one.wish, policy=Policy(days=()))
    assert follow(one, NOW + 600 * MINUTE, NOW)
    assert (one.status, one.outcome) == ("failed", "not_permitted")


def test_of_many_attempts_the_last_are_told() -> None:
    one = reminder(policy={"max_attempts": 1})
    at = one.due
    for number in range(MAX_HISTORY + 5):
        rings(one, at, Outcome("completed", reply="later:5"), number)
        assert one.next_at is not None
        at = one.next_at
    assert len(shown(one)["attempts"]) == MAX_HISTORY
