"""Events elsewhere for some users, and here for the others."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec import structs

from phone_bridge.assistant.calendar.accounts import Account
from phone_bridge.assistant.calendar.joined import JoinedKeeper, add_users, keeper_of
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.errors import Refused
from phone_bridge.tools.keeper import EventFields, Recurrence, ReminderFields, User
from tests.radicale import PASSWORD, USERNAME, Radicale, radicale

T = TypeVar("T")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ALICE, BOB = "usr_alice", "usr_bob"
FIELDS = EventFields(
    title="Budget",
    start_time=NOW + timedelta(hours=1),
    end_time=NOW + timedelta(hours=2),
    recurrence=Recurrence("FREQ=DAILY"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def use(server: Radicale, tmp_path: Path) -> Iterator[Callable[[Callable[[SqlKeeper], Coroutine[Any, Any, T]]], T]]:
    server.empty()
    account = Account(user_id=ALICE, url=server.url, username=USERNAME, password=PASSWORD, timezone="Europe/Berlin")
    ids = count()
    keeper = keeper_of(
        f"sqlite:///{tmp_path / 'calendar.sqlite3'}",
        [account],
        new_id=lambda prefix: f"{prefix}_{next(ids):08}",
        now=lambda: NOW,
    )
    assert isinstance(keeper, JoinedKeeper)
    keeper.prepare()
    asyncio.run(add_users(keeper, [account]))
    asyncio.run(keeper.add_user(User(id=BOB)))

    def run(work: Callable[[SqlKeeper], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run(work(keeper))

    yield run
    keeper.close()


Use = Callable[[Callable[[SqlKeeper], Coroutine[Any, Any, Any]]], Any]


def test_a_user_with_an_account_is_known_in_their_zone(use: Use) -> None:
    assert use(lambda keeper: keeper.user(ALICE)).timezone == "Europe/Berlin"


@pytest.mark.parametrize(("user_id", "there"), [(ALICE, 1), (BOB, 0)])
def test_each_deed_goes_where_the_user_s_events_are(use: Use, server: Radicale, user_id: str, there: int) -> None:
    async def work(keeper: SqlKeeper) -> None:
        event = await keeper.create_event(user_id, FIELDS, key="1")
        assert len(server.texts()) == there
        assert await keeper.event(event.id) == await keeper.event(event.id, user_id=user_id)
        assert (await keeper.series(user_id, event.id)).master.id == event.id
        assert len(await keeper.calendars(user_id)) == 1
        listed = await keeper.events(user_id, start=NOW, end=NOW + timedelta(days=2))
        assert [each.title for each in listed] == ["Budget", "Budget"]
        edit = await keeper.update_event(
            user_id, listed[0].id, lambda each: structs.replace(each, title="Numbers"), key="2"
        )
        assert edit.after.title == "Numbers"
        assert (await keeper.cancel_event(user_id, listed[1].id, reason="rain", key="3")).is_cancelled
        assert len(await keeper.events(user_id, start=NOW, end=NOW + timedelta(days=2))) == 1
        await keeper.delete_event(user_id, event.id, key="4")
        assert await keeper.events(user_id, start=NOW, end=NOW + timedelta(days=2)) == []

    use(work)
    assert server.texts() == []


def test_reminders_of_events_elsewhere_are_kept_here(use: Use) -> None:
    async def work(keeper: SqlKeeper) -> None:
        event = await keeper.create_event(ALICE, FIELDS, key="1")
        wish = ReminderFields(title="Leave", event_id=event.id, offset_minutes_before_start=10)
        reminder = await keeper.create_reminder(ALICE, wish, key="2")
        assert await keeper.reminders(ALICE) == [reminder]

    use(work)


def test_what_is_nowhere_is_missing(use: Use) -> None:
    with pytest.raises(Refused) as caught:
        use(lambda keeper: keeper.event("evt_00000099"))
    assert caught.value.code == "resource_missing"


def test_without_accounts_everything_is_here(tmp_path: Path) -> None:
    keeper = keeper_of(f"sqlite:///{tmp_path / 'x'}", (), new_id=lambda prefix: prefix, now=lambda: NOW)
    assert not isinstance(keeper, JoinedKeeper)
    keeper.close()
