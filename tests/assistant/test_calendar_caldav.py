"""A keeper on a real CalDAV server, Radicale, seen from both sides: ours, and that of another program."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, TypeVar

import pytest
import urllib3
from msgspec import structs

from phone_bridge.assistant.calendar import caldav
from phone_bridge.assistant.calendar.accounts import Account
from phone_bridge.assistant.calendar.caldav import CalDavKeeper
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools.ics.names import event_id
from phone_bridge.tools.ics.writing import write
from phone_bridge.tools.keeper import Event, EventFields, Recurrence, Series
from tests.radicale import PASSWORD, USERNAME, Radicale, radicale
from tests.tools.ics.objects import weekly, wire

T = TypeVar("T")
USER = "usr_demo_alice"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def server(started: Radicale) -> Radicale:
    started.empty()
    return started


def account(url: str, password: str = PASSWORD) -> Account:
    return Account(user_id=USER, url=url, username=USERNAME, password=password, timezone="Europe/Berlin")


def use(url: str, work: Callable[[CalDavKeeper], Coroutine[Any, Any, T]], password: str = PASSWORD) -> T:
    """Do ``work`` with a keeper that knows nothing of those before it, as a process that was started again."""

    async def main() -> T:
        keeper = CalDavKeeper(account(url, password), now=lambda: NOW)
        try:
            return await work(keeper)
        finally:
            keeper.close()

    return asyncio.run(main())


def fields(title: str = "Budget", rule: str = "") -> EventFields:
    return EventFields(
        title=title,
        start_time=MONDAY,
        end_time=MONDAY + HOUR,
        timezone="Europe/Berlin",
        recurrence=Recurrence(rule) if rule else None,
    )


async def december(keeper: CalDavKeeper, *, include_cancelled: bool = False) -> list[Event]:
    start, end = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    return await keeper.events(USER, start=start, end=end, include_cancelled=include_cancelled)


def later(event: Event) -> Event:
    return structs.replace(event, start_time=event.start_time + HOUR, end_time=event.end_time + HOUR)


def test_the_account_s_calendars_are_listed(server: Radicale) -> None:
    (calendar,) = use(server.url, lambda keeper: keeper.calendars(USER))
    assert calendar.name == "Work"
    assert calendar.is_default
    assert calendar.external_id is not None


def test_a_calendar_s_own_address_will_do(server: Radicale) -> None:
    (known,) = use(server.url, lambda keeper: keeper.calendars(USER))
    (same,) = use(known.external_id or "", lambda keeper: keeper.calendars(USER))
    assert same.name == "Work"


def test_what_is_created_here_is_seen_there(server: Radicale) -> None:
    event = use(server.url, lambda keeper: keeper.create_event(USER, fields(), key="1"))
    (text,) = server.texts()
    assert "SUMMARY:Budget" in text
    assert "DTSTART;TZID=Europe/Berlin:20261130T100000" in text
    assert use(server.url, lambda keeper: keeper.event(event.id)) == event
    assert event.source.etag


def test_what_is_created_there_is_seen_here(server: Radicale) -> None:
    server.put(wire("outlook.ics"))
    (dentist,) = use(server.url, december)
    assert (dentist.title, dentist.source.type) == ("Zahnarzt", "caldav")


def test_a_series_is_unrolled_with_its_exceptions(server: Radicale) -> None:
    server.put(write([weekly()]))

    async def work(keeper: CalDavKeeper) -> tuple[list[Event], list[Event]]:
        start, end = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
        occurrences = await keeper.events(USER, start=start, end=end)
        return occurrences, await keeper.events(USER, start=start, end=end, unroll=False)

    occurrences, series = use(server.url, work)
    assert [event.start_time.day for event in occurrences] == [26, 2, 16], "the ninth is left out"
    assert occurrences[0].title == "Team meeting, later"
    assert [event.id for event in series] == [event_id("weekly")]


def test_a_deed_is_done_once_and_its_outcome_is_told_again(server: Radicale) -> None:
    async def twice(keeper: CalDavKeeper) -> tuple[Event, Event]:
        return await keeper.create_event(USER, fields(), key="1"), await keeper.create_event(USER, fields(), key="1")

    first, second = use(server.url, twice)
    third = use(server.url, lambda keeper: keeper.create_event(USER, fields(), key="1"))
    assert first == second == third
    assert len(server.texts()) == 1


def test_a_change_is_made_once_even_by_a_process_that_does_not_remember_it(server: Radicale) -> None:
    event = use(server.url, lambda keeper: keeper.create_event(USER, fields(), key="1"))
    edit = use(server.url, lambda keeper: keeper.update_event(USER, event.id, later, key="2"))
    assert edit.changed_fields() == ["start_time", "end_time"]
    again = use(server.url, lambda keeper: keeper.update_event(USER, event.id, later, key="2"))
    assert again.after.start_time == MONDAY + HOUR, "one hour later, not two"
    third = use(server.url, lambda keeper: keeper.update_event(USER, event.id, later, key="3"))
    assert third.after.start_time == MONDAY + 2 * HOUR


def test_a_change_that_is_refused_changes_nothing(server: Radicale) -> None:
    event = use(server.url, lambda keeper: keeper.create_event(USER, fields(), key="1"))

    def refuse(event: Event) -> Event:
        raise Refused("no", code="invalid_parameter")

    with pytest.raises(Refused, match="no"):
        use(server.url, lambda keeper: keeper.update_event(USER, event.id, refuse, key="2"))
    assert use(server.url, lambda keeper: keeper.event(event.id)) == event


def test_somebody_else_s_change_meanwhile_is_not_overwritten(server: Radicale) -> None:
    event = use(server.url, lambda keeper: keeper.create_event(USER, fields(), key="1"))
    others = iter([1])

    def change(event: Event) -> Event:
        if next(others, None):  # the first time, the other program is faster
            (there,) = server.calendar.get_events()
            there.data = there.data.replace("SUMMARY:Budget", "SUMMARY:Budget, final")
            there.save()
        return later(event)

    edit = use(server.url, lambda keeper: keeper.update_event(USER, event.id, change, key="2"))
    assert edit.after.title == "Budget, final"
    assert edit.after.start_time == MONDAY + HOUR


def test_an_event_that_is_changed_again_and_again_is_given_up(server: Radicale) -> None:
    event = use(server.url, lambda keeper: keeper.create_event(USER, fields(), key="1"))
    tries = []

    def change(event: Event) -> Event:
        tries.append(event)
        (there,) = server.calendar.get_events()
        there.data = there.data.replace("SUMMARY:", "SUMMARY:x")
        there.save()
        return later(event)

    with pytest.raises(Unavailable) as caught:
        use(server.url, lambda keeper: keeper.update_event(USER, event.id, change, key="2"))
    assert caught.value.code == "calendar_changed"
    assert len(tries) == caldav.ATTEMPTS


def test_one_occurrence_is_moved_and_others_stay(server: Radicale) -> None:
    async def work(keeper: CalDavKeeper) -> list[Event]:
        await keeper.create_event(USER, fields(rule="FREQ=WEEKLY;BYDAY=MO;COUNT=4"), key="1")
        second = (await december(keeper))[0]
        await keeper.update_event(USER, second.id, later, key="2")
        return await december(keeper)

    hours = [(event.start_time.day, event.start_time.hour) for event in use(server.url, work)]
    assert hours == [(7, 10), (14, 9), (21, 9)]
    (text,) = server.texts()
    assert "RECURRENCE-ID;TZID=Europe/Berlin:20261207T100000" in text


def test_this_and_the_following_become_a_series_of_their_own(server: Radicale) -> None:
    async def work(keeper: CalDavKeeper) -> list[Event]:
        await keeper.create_event(USER, fields(rule="FREQ=WEEKLY;BYDAY=MO"), key="1")
        third = (await december(keeper))[1]
        await keeper.update_event(USER, third.id, later, key="2", scope="following")
        return await december(keeper)

    events = use(server.url, work)
    assert [(event.start_time.day, event.start_time.hour) for event in events] == [(7, 9), (14, 10), (21, 10), (28, 10)]
    assert len({event.series_id for event in events}) == 2
    assert len(server.texts()) == 2


def test_all_of_a_series_is_cancelled_and_stays_readable(server: Radicale) -> None:
    async def work(keeper: CalDavKeeper) -> tuple[list[Event], list[Event]]:
        await keeper.create_event(USER, fields(rule="FREQ=WEEKLY;BYDAY=MO"), key="1")
        one = (await december(keeper))[0]
        await keeper.cancel_event(USER, one.id, reason="summer", key="2", scope="all")
        return await december(keeper), await december(keeper, include_cancelled=True)

    alive, everything = use(server.url, work)
    assert alive == []
    assert {event.cancel_reason for event in everything} == {"summer"}
    assert "STATUS:CANCELLED" in server.texts()[0]


def test_cancelling_twice_is_refused(server: Radicale) -> None:
    async def work(keeper: CalDavKeeper) -> None:
        event = await keeper.create_event(USER, fields(), key="1")
        await keeper.cancel_event(USER, event.id, reason=None, key="2")
        await keeper.cancel_event(USER, event.id, reason=None, key="3")

    with pytest.raises(Refused) as caught:
        use(server.url, work)
    assert caught.value.code == "event_already_cancelled"


def test_one_occurrence_or_everything_is_forgotten(server: Radicale) -> None:
    async def work(keeper: CalDavKeeper) -> list[Event]:
        series = await keeper.create_event(USER, fields(rule="FREQ=WEEKLY;BYDAY=MO;COUNT=4"), key="1")
        first = (await december(keeper))[0]
        await keeper.delete_event(USER, first.id, key="2")
        left = await december(keeper)
        await keeper.delete_event(USER, series.id, key="3")
        return left

    assert [event.start_time.day for event in use(server.url, work)] == [14, 21]
    assert server.texts() == []


def test_other_people_s_events_and_unknown_ones_are_missing(server: Radicale) -> None:
    for wanted in (event_id("nobody"), "evt_made_elsewhere", event_id("nobody") + "R20261207T090000Z"):
        with pytest.raises(Refused) as caught:
            use(server.url, lambda keeper, wanted=wanted: keeper.event(wanted))  # type: ignore[misc]
        assert caught.value.code == "resource_missing"
    with pytest.raises(Refused):
        use(server.url, lambda keeper: keeper.events("usr_demo_bob", start=None, end=None))


def test_an_object_that_cannot_be_read_hides_no_other(server: Radicale) -> None:
    server.put(wire("outlook.ics"))
    text = wire("outlook.ics").replace(b"C0FFEE", b"C0FFE0").replace(b"DTEND", b"RRULE:FREQ=HOURLY\r\nDTEND", 1)
    server.put(text)
    assert len(server.texts()) == 2
    assert len(use(server.url, december)) == 1


def test_a_wrong_password_is_told_apart_from_a_server_that_is_gone(server: Radicale) -> None:
    with pytest.raises(Refused) as refused:
        use(server.url, lambda keeper: keeper.calendars(USER), password="wrong")
    assert refused.value.code == "connection_expired"
    assert "wrong" not in str(refused.value)
    with pytest.raises(Unavailable) as unavailable:
        use("http://127.0.0.1:9/", lambda keeper: keeper.calendars(USER))
    assert unavailable.value.code == "calendar_unavailable"


def test_an_event_goes_into_the_calendar_that_it_names(server: Radicale) -> None:
    with pytest.raises(Refused, match="no such calendar"):
        use(
            server.url,
            lambda keeper: keeper.create_event(USER, structs.replace(fields(), calendar_id="cal_x"), key="1"),
        )


def test_an_imported_object_keeps_its_alarms_through_a_change(server: Radicale) -> None:
    text = wire("google.ics")
    begin, end = text.index(b"BEGIN:VEVENT\r\nDTSTART:20261203"), text.index(b"BEGIN:VEVENT\r\nDTSTART;TZID")
    holidays = text.index(b"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE")
    server.put(text[:begin] + text[end:holidays] + b"END:VCALENDAR\r\n")
    named = event_id("standup@google.com")

    def renamed(event: Event) -> Event:
        return structs.replace(event, title="Scrum")

    use(server.url, lambda keeper: keeper.update_event(USER, named, renamed, key="1"))
    (kept,) = server.texts()
    assert "BEGIN:VALARM" in kept
    assert "SUMMARY:Scrum" in kept


def test_a_series_is_found_whole(server: Radicale) -> None:
    server.put(write([weekly()]))
    series = use(server.url, lambda keeper: keeper.series(USER, event_id("weekly")))
    assert isinstance(series, Series)
    assert len(series.overrides) == 1


def test_the_library_leaves_the_http_client_of_others_alone() -> None:
    assert vars(urllib3)["__version__"] == version("urllib3"), "install with URLLIB3_NO_OVERRIDE=1; see the Makefile"


def test_an_outcome_is_remembered_for_so_many_deeds(server: Radicale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caldav, "DEEDS_KEPT", 1)

    async def work(keeper: CalDavKeeper) -> tuple[Event, Event]:
        first = await keeper.create_event(USER, fields(), key="1")
        await keeper.create_event(USER, fields("Other"), key="2")
        await keeper.update_event(USER, first.id, later, key="3")
        return first, await keeper.create_event(USER, fields(), key="1")

    first, again = use(server.url, work)
    assert again.id == first.id
    assert again.start_time == MONDAY + HOUR, "as it is by now"
