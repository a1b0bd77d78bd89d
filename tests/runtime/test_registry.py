"""Which calls are expected and live, and what is kept of them."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.call.trace import Trace
from phone_bridge.errors import LocalError, Unavailable
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.registry import EXPECTED_SECONDS, Registry

STARTED = 1_790_000_000.0


class Puppet(Pump):
    """A call that lasts until the test lets it go."""

    def __init__(self) -> None:
        self.kept = Trace(0)
        self.released = asyncio.Event()
        self.begun = asyncio.Event()
        self.failure: Exception | None = None
        self.asked_to_end: list[str] = []

    @property
    def trace(self) -> Trace:
        return self.kept

    async def run(self) -> None:
        self.begun.set()
        await self.released.wait()
        if self.failure is not None:
            raise self.failure

    def end(self, by: str) -> None:
        self.asked_to_end.append(by)


class Office:
    """A registry on a database of its own, with clocks that are set by hand."""

    def __init__(self, url: str, max_calls: int = 0) -> None:
        self.now = 1_000.0
        self.records = Slow(url)
        self.registry = Registry(
            self.records, max_calls=max_calls, clock=lambda: self.now, wall=lambda: STARTED + self.now
        )

    async def announced(self, number: int) -> CallRecord:
        record = call(number)
        await asyncio.to_thread(self.records.save, record)
        self.registry.announce(record, f"token {number}")
        return record

    async def carried(self, number: int) -> tuple[CallRecord, Puppet, "asyncio.Task[None]"]:
        record, pump = await self.announced(number), Puppet()
        carrying = asyncio.create_task(self.registry.carry(record, pump))
        await pump.begun.wait()
        return record, pump, carrying


class Slow(Records):
    """Records that can be held up, and fail."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.broken = False
        self.before_save: Callable[[], None] = lambda: None
        self.looked_up = threading.Event()

    def save(self, record: CallRecord) -> None:
        self.before_save()
        if self.broken:
            raise Unavailable("the disk is full", code="database")
        super().save(record)

    def find_carrier(self, carrier_id: str) -> CallRecord | None:
        found = super().find_carrier(carrier_id)
        self.looked_up.set()
        return found


def call(number: int) -> CallRecord:
    return CallRecord(
        id=f"call_{number}",
        carrier_id=f"CA{number}",
        direction="inbound",
        from_number="+15550100",
        to_number="+15550199",
        user_id="usr_demo_alice",
        session="embedded",
        status="ringing",
        started_at=f"2026-11-21T09:00:{number:02}.000Z",
    )


Story = Callable[[Office], Coroutine[Any, Any, None]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/calls.db"


def play(url: str, story: Story, max_calls: int = 0) -> None:
    async def run() -> None:
        office = Office(url, max_calls)
        try:
            await story(office)
        finally:
            office.records.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


# Expecting


def test_an_announced_call_is_found_again_with_the_same_token(url: str) -> None:
    async def story(office: Office) -> None:
        record = await office.announced(1)
        for _ in range(2):
            known = office.registry.announced("CA1")
            assert known is not None
            assert (known.record, known.token) == (record, "token 1")
        assert office.registry.announced("CA2") is None

    play(url, story)


def test_a_call_whose_stream_never_comes_is_forgotten(url: str) -> None:
    async def story(office: Office) -> None:
        await office.announced(1)
        assert not office.registry.has_room()
        office.now += EXPECTED_SECONDS
        assert office.registry.announced("CA1") is not None
        office.now += 0.1
        assert office.registry.announced("CA1") is None
        assert office.registry.has_room()

    play(url, story, max_calls=1)


def test_a_live_call_is_never_forgotten(url: str) -> None:
    async def story(office: Office) -> None:
        _, pump, carrying = await office.carried(1)
        office.now += 10 * EXPECTED_SECONDS
        known = office.registry.announced("CA1")
        assert known is not None
        assert known.token == "token 1"
        pump.released.set()
        await carrying
        assert office.registry.announced("CA1") is None

    play(url, story)


# The cap


def test_expected_and_live_calls_fill_the_lines_each_once(url: str) -> None:
    async def story(office: Office) -> None:
        _, pump, carrying = await office.carried(1)
        assert office.registry.live == 1
        assert office.registry.has_room()
        await office.announced(2)
        assert not office.registry.has_room()
        pump.released.set()
        await carrying
        assert office.registry.live == 0
        assert office.registry.has_room()

    play(url, story, max_calls=2)


def test_a_stream_beyond_the_cap_is_refused_and_changes_nothing(url: str) -> None:
    async def story(office: Office) -> None:
        _, pump, carrying = await office.carried(1)
        second, other = call(2), Puppet()
        with pytest.raises(Unavailable) as refused:
            await office.registry.carry(second, other)
        assert refused.value.code == "busy"
        assert not other.begun.is_set()
        assert second.status == "ringing"
        assert office.registry.live == 1
        pump.released.set()
        await carrying

    play(url, story, max_calls=1)


def test_without_a_cap_there_is_always_room(url: str) -> None:
    async def story(office: Office) -> None:
        for number in range(60):
            await office.announced(number)
        assert office.registry.has_room()

    play(url, story)


# Carrying


def test_a_carried_call_leaves_its_record(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        kept = await asyncio.to_thread(office.records.find, record.id)
        assert kept is not None
        assert (kept.status, kept.answered_at) == ("in_progress", "2026-09-21T14:30:00.000Z")
        pump.kept.said(5, "caller", "hello")
        pump.kept.ended_by = "caller"
        office.now += 12
        pump.released.set()
        await carrying
        kept = await asyncio.to_thread(office.records.find, record.id)
        assert kept is not None
        assert (kept.status, kept.ended_at, kept.ended_by) == ("completed", "2026-09-21T14:30:12.000Z", "caller")
        assert kept.transcript == [{"at_ms": 5, "speaker": "caller", "text": "hello"}]

    play(url, story)


@pytest.mark.parametrize("way", ["fails", "is cancelled"])
def test_a_call_that_ends_badly_leaves_its_record_all_the_same(url: str, way: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        pump.kept.said(5, "caller", "hello")
        pump.kept.error = "bridge_failed"
        if way == "fails":
            pump.failure = LocalError("ours")
            pump.released.set()
        else:
            carrying.cancel()
        with pytest.raises(LocalError if way == "fails" else asyncio.CancelledError):
            await carrying
        kept = await asyncio.to_thread(office.records.find, record.id)
        assert kept is not None
        assert (kept.status, kept.error, len(kept.transcript)) == ("completed", "bridge_failed", 1)
        assert kept.ended_at is not None
        assert (office.registry.live, office.registry.announced("CA1")) == (0, None)

    play(url, story)


def test_a_call_that_is_cancelled_before_it_begins_takes_no_line(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump = await office.announced(1), Puppet()
        carrying = asyncio.create_task(office.registry.carry(record, pump))
        await asyncio.sleep(0)
        carrying.cancel()
        with suppress(asyncio.CancelledError):
            await carrying
        assert not pump.begun.is_set()
        assert office.registry.live == 0

    play(url, story)


def test_a_record_that_cannot_be_kept_holds_no_call_up(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async def story(office: Office) -> None:
        office.records.broken = True
        record, pump = call(1), Puppet()
        pump.released.set()
        await office.registry.carry(record, pump)
        assert record.status == "completed"

    with caplog.at_level(logging.ERROR):
        play(url, story)
    assert caplog.text.count("the record of call call_1 could not be kept") == 2


# The carrier's word


@pytest.mark.parametrize("status", ["completed", "no_answer", "busy", "failed", "canceled"])
def test_the_carrier_is_believed_where_no_stream_came(url: str, status: str) -> None:
    async def story(office: Office) -> None:
        record = await office.announced(1)
        await office.registry.carrier_says("CA1", status)
        kept = await asyncio.to_thread(office.records.find, record.id)
        assert kept is not None
        assert (kept.status, kept.ended_by) == (status, "caller")
        assert kept.ended_at is not None
        assert office.registry.announced("CA1") is None
        await office.registry.carrier_says("CA1", "failed")  # doubled, and late
        again = await asyncio.to_thread(office.records.find, record.id)
        assert again == kept

    play(url, story)


@pytest.mark.parametrize("status", ["queued", "ringing", "in_progress"])
def test_what_is_not_the_end_changes_nothing(url: str, status: str) -> None:
    async def story(office: Office) -> None:
        record = await office.announced(1)
        await office.registry.carrier_says("CA1", status)
        kept = await asyncio.to_thread(office.records.find, record.id)
        assert kept == record

    play(url, story)


def test_of_a_live_call_we_know_more_than_the_carrier(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        await office.registry.carrier_says("CA1", "failed")
        assert record.status == "in_progress"
        assert office.registry.announced("CA1") is not None
        pump.released.set()
        await carrying
        await office.registry.carrier_says("CA1", "failed")
        kept = await asyncio.to_thread(office.records.find, record.id)
        assert kept is not None
        assert kept.status == "completed"

    play(url, story)


def test_the_carriers_word_does_not_overwrite_a_record_that_is_being_kept(url: str) -> None:
    """Twilio's callback comes in the moment of the hang-up, just as the call's own record is written."""

    async def story(office: Office) -> None:
        loop = asyncio.get_running_loop()
        record, pump, carrying = await office.carried(1)
        pump.kept.said(5, "caller", "hello")

        callbacks = []

        def callback_comes() -> None:
            office.records.before_save = lambda: None
            word = office.registry.carrier_says("CA1", "completed")
            callbacks.append(asyncio.run_coroutine_threadsafe(word, loop))
            callbacks[0].add_done_callback(lambda _: office.records.looked_up.set())
            office.records.looked_up.wait(5)

        office.records.before_save = callback_comes
        pump.released.set()
        await carrying
        await asyncio.wrap_future(callbacks[0])
        kept = await asyncio.to_thread(office.records.find, record.id)
        assert kept is not None
        assert len(kept.transcript) == 1

    play(url, story)


def test_a_call_nobody_knows_is_nobodys_business(url: str) -> None:
    async def story(office: Office) -> None:
        await office.registry.carrier_says("CA9", "completed")
        assert await office.registry.list() == []

    play(url, story)


# Asking


def test_only_a_live_call_can_be_asked_to_end(url: str) -> None:
    async def story(office: Office) -> None:
        assert not office.registry.end("call_1", "api")
        record, pump, carrying = await office.carried(1)
        assert not office.registry.end("call_2", "api")
        assert office.registry.end(record.id, "api")
        assert pump.asked_to_end == ["api"]
        pump.released.set()
        await carrying
        assert not office.registry.end(record.id, "api")

    play(url, story)


def test_live_calls_are_shown_as_they_are_now(url: str) -> None:
    async def story(office: Office) -> None:
        await office.announced(1)
        record, pump, carrying = await office.carried(2)
        pump.kept.said(5, "caller", "hello")
        shown = await office.registry.find(record.id)
        assert shown is not None
        assert [said["text"] for said in shown.transcript] == ["hello"]
        listed = await office.registry.list()
        assert [(each.id, len(each.transcript)) for each in listed] == [("call_2", 1), ("call_1", 0)]
        assert await office.registry.find("call_9") is None
        pump.released.set()
        await carrying
        shown = await office.registry.find(record.id)
        assert shown is not None
        assert shown.status == "completed"

    play(url, story)
