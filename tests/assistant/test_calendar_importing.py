import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from phone_bridge.assistant.calendar.importing import Imported, give_out, take_in
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.tools.ics.reading import Found, read
from phone_bridge.tools.ics.writing import write
from phone_bridge.tools.keeper import Event, User
from tests.tools.ics.objects import NOW, USER, wire


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[SqlKeeper]:
    ids = count()
    keeper = SqlKeeper(
        f"sqlite:///{tmp_path / 'c.sqlite3'}", new_id=lambda prefix: f"{prefix}_{next(ids):08}", now=lambda: NOW
    )
    keeper.prepare()
    asyncio.run(keeper.add_user(User(id=USER, timezone="America/New_York")))
    yield keeper
    keeper.close()


def found(text: bytes) -> Found:
    return read(text, user_id=USER, zone="America/New_York", now=NOW)


def take(keeper: SqlKeeper, text: bytes) -> Imported:
    return asyncio.run(take_in(keeper, USER, found(text)))


def november(keeper: SqlKeeper) -> list[Event]:
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    return asyncio.run(keeper.events(USER, start=start, end=end))


def test_a_file_is_taken_in_and_again_changes_nothing(keeper: SqlKeeper) -> None:
    assert take(keeper, wire("google.ics")) == Imported(created=3)
    assert [event.title for event in november(keeper)].count("Stand-up, late") == 1
    assert len(november(keeper)) == 8
    assert take(keeper, wire("google.ics")) == Imported(unchanged=3)
    assert len(november(keeper)) == 8


def test_a_newer_file_brings_events_up_to_date(keeper: SqlKeeper) -> None:
    take(keeper, wire("google.ics"))
    newer = wire("google.ics").replace(b"SUMMARY:Stand-up\\, late", b"SUMMARY:Stand-up\\, very late")
    newer = newer.replace(b"Budget planning", b"Budget")
    assert take(keeper, newer) == Imported(changed=2, unchanged=1)
    assert "Stand-up, very late" in [event.title for event in november(keeper)]


def test_what_a_file_cancels_is_cancelled_once(keeper: SqlKeeper) -> None:
    take(keeper, wire("outlook.ics"))
    cancelled = wire("outlook.ics").replace(b"STATUS:CONFIRMED", b"STATUS:CANCELLED")
    assert take(keeper, cancelled) == Imported(changed=1)
    assert take(keeper, cancelled) == Imported(unchanged=1)


def test_what_was_cancelled_before_anybody_knew_of_it_is_no_event(keeper: SqlKeeper) -> None:
    cancelled = wire("outlook.ics").replace(b"STATUS:CONFIRMED", b"STATUS:CANCELLED")
    assert take(keeper, cancelled) == Imported(unchanged=1)
    assert asyncio.run(keeper.events(USER, start=None, end=None, include_cancelled=True)) == []


def test_what_is_cancelled_here_does_not_come_back(keeper: SqlKeeper) -> None:
    take(keeper, wire("outlook.ics"))
    (event,) = asyncio.run(keeper.events(USER, start=NOW, end=datetime(2026, 12, 31, tzinfo=UTC)))
    asyncio.run(keeper.cancel_event(USER, event.id, reason=None, key="1"))
    assert take(keeper, wire("outlook.ics").replace(b"Zahnarzt", b"Arzt")) == Imported(unchanged=1)


def test_what_has_to_be_left_out_is_told(keeper: SqlKeeper) -> None:
    done = take(keeper, wire("broken.ics"))
    assert done.created == 3
    assert len(done.skipped) == 6


def test_what_goes_out_comes_in_as_it_was(keeper: SqlKeeper) -> None:
    take(keeper, wire("google.ics"))
    objects = asyncio.run(give_out(keeper, USER))
    assert len(objects) == 3
    assert [len(series.overrides) for series in objects] == [1, 0, 0]
    assert take(keeper, write(objects)) == Imported(unchanged=3)
