"""When somebody may be rung, on every night of the year, and whether once more."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phone_bridge.errors import Refused
from phone_bridge.outbound.policy import (
    MAX_ATTEMPTS,
    Again,
    Done,
    Outcome,
    Policy,
    after,
    check,
    instant,
    offset_name,
    permitted,
    zone,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
NIGHT = Policy(quiet_hours="21:00-08:00")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))
ZONES = st.sampled_from([BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia"), UTC])
SPANS = st.sampled_from(["", "21:00-08:00", "08:00-20:00", "02:00-03:00", "23:30-00:30", "00:00-24:00"])


def local(text: str, where: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=where).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "policy", "first"),
    [
        ("2026-11-24 12:00", NIGHT, "2026-11-24 12:00"),
        ("2026-11-24 20:59", NIGHT, "2026-11-24 20:59"),
        ("2026-11-24 21:00", NIGHT, "2026-11-25 08:00"),
        ("2026-11-25 03:00", NIGHT, "2026-11-25 08:00"),
        ("2026-11-25 08:00", NIGHT, "2026-11-25 08:00"),
        ("2026-11-24 07:00", Policy(window="09:00-17:00"), "2026-11-24 09:00"),
        ("2026-11-24 17:00", Policy(window="09:00-17:00"), "2026-11-25 09:00"),
        ("2026-11-27 17:30", Policy(window="09:00-17:00", days=("mon", "tue")), "2026-11-30 09:00"),
        ("2026-11-24 12:30", Policy(window="09:00-17:00", quiet_hours="12:00-13:00"), "2026-11-24 13:00"),
    ],
)
def test_the_first_permitted_moment_is_by_the_recipients_clock(at: str, policy: Policy, first: str) -> None:
    assert permitted(local(at), policy, BERLIN) == local(first)


def test_on_a_night_when_clocks_change_quiet_hours_end_when_the_wall_says_so() -> None:
    # 2026-03-29 in Berlin: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00
    assert permitted(datetime(2026, 3, 28, 23, tzinfo=UTC), NIGHT, BERLIN) == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert permitted(datetime(2026, 10, 24, 23, tzinfo=UTC), NIGHT, BERLIN) == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_quiet_hours_that_end_in_an_hour_that_is_left_out_end_after_it() -> None:
    policy = Policy(quiet_hours="22:00-02:30")
    first = permitted(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), policy, BERLIN)
    assert first == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 on the wall, the first time that is surely later
    assert instant(datetime(2026, 3, 29, 2, 30), BERLIN) == first


@given(MOMENTS, ZONES, SPANS, SPANS)
@example(datetime(2011, 12, 29, 12, tzinfo=UTC), ZoneInfo("Pacific/Apia"), "21:00-08:00", "")  # a day left out
def test_what_is_permitted_is_never_in_a_forbidden_hour(at: datetime, where: Any, quiet: str, window: str) -> None:
    policy = Policy(quiet_hours=quiet, window=window)
    first = permitted(at, policy, where)
    if first is None:
        return
    assert first >= at
    assert permitted(first, policy, where) == first
    minute = first.astimezone(where).strftime("%H:%M")
    if quiet == "21:00-08:00":
        assert "08:00" <= minute < "21:00"
    if window == "08:00-20:00":
        assert "08:00" <= minute < "20:00"


@pytest.mark.parametrize("span", ["8-20", "25:00-26:00", "12:00-12:00", "08:00-24:01", "x", "08:00 - 20:00"])
def test_a_span_that_is_none_is_refused(span: str) -> None:
    with pytest.raises(Refused):
        check(Policy(quiet_hours=span))


def test_a_policy_that_permits_nothing_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        check(Policy(window="08:00-20:00", quiet_hours="07:00-21:00"))
    assert caught.value.code == "never_permitted"
    with pytest.raises(Refused):
        check(Policy(days=()))


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "UTC+99", "Europe/Berlin\0"])
def test_an_unknown_zone_closes_the_door(name: str) -> None:
    with pytest.raises(Refused) as caught:
        zone(name)
    assert caught.value.code == "unknown_timezone"


@given(st.integers(-14 * 60, 14 * 60))
def test_the_offset_of_a_time_is_a_zone(minutes: int) -> None:
    at = datetime.fromisoformat("2026-11-24T12:00:00+00:00").astimezone(zone("UTC+00:00"))
    there = at.astimezone(zone(f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"))
    assert zone(offset_name(there)).utcoffset(None) == there.utcoffset() == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("outcome", "attempts", "step"),
    [
        (Outcome("no_answer"), 1, Again(NOW + timedelta(minutes=5))),
        (Outcome("busy"), 2, Again(NOW + timedelta(minutes=15))),
        (Outcome("failed"), 3, Done("failed", "failed")),
        (Outcome("failed", refused=True), 1, Done("failed", "failed")),
        (Outcome("canceled"), 1, Done("failed", "canceled")),
        (Outcome("completed", reply="confirmed"), 1, Done("done", "confirmed")),
        (Outcome("completed", reply="stop"), 1, Done("done", "stop")),
        (Outcome("completed", reply="heard"), 1, Done("done", "heard")),
        (Outcome("completed"), 1, Done("done", "answered")),
        (Outcome("voicemail"), 1, Done("done", "voicemail")),
        (Outcome("canceled", postponed=True), 1, Again(NOW, asked=True)),
        (Outcome("completed", reply="later:20"), 3, Again(NOW + timedelta(minutes=20), asked=True)),
    ],
)
def test_what_comes_after_an_attempt(outcome: Outcome, attempts: int, step: Again | Done) -> None:
    assert after(outcome, attempts, Policy(), NOW, BERLIN) == step


@pytest.mark.parametrize("voicemail", ["retry", "silent"])
def test_a_voicemail_may_count_as_nobody(voicemail: Any) -> None:
    policy = Policy(voicemail=voicemail, max_attempts=2)
    assert after(Outcome("voicemail"), 1, policy, NOW, BERLIN) == Again(NOW + timedelta(minutes=5))
    assert after(Outcome("voicemail"), 2, policy, NOW, BERLIN) == Done("failed", "voicemail")


def test_the_last_distance_is_kept() -> None:
    policy = Policy(max_attempts=MAX_ATTEMPTS, retry_minutes=(1, 2))
    assert after(Outcome("busy"), 9, policy, NOW, BERLIN) == Again(NOW + timedelta(minutes=2))
    assert after(Outcome("busy"), MAX_ATTEMPTS, policy, NOW, BERLIN) == Done("failed", "busy")


def test_a_further_attempt_waits_for_the_morning() -> None:
    late = local("2026-11-24 20:58")
    assert after(Outcome("busy"), 1, NIGHT, late, BERLIN) == Again(local("2026-11-25 08:00"))


@pytest.mark.parametrize(
    "wrong", [{"max_attempts": 0}, {"max_attempts": 11}, {"retry_minutes": []}, {"late_minutes": 0}, {"typo": 1}]
)
def test_a_policy_has_limits(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Policy)
