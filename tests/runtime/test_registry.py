"""Which calls are expected and live, and what is kept of them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.commands import AnsweredBy, Verdict
from phone_bridge.call.events import Action
from phone_bridge.call.journal import Journal
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.errors import LocalError, Unavailable
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.runtime.registry import (
    ELSEWHERE_SECONDS,
    EXPECTED_SECONDS,
    MAX_REMEMBERED,
    REMEMBERED_SECONDS,
    STREAM_SECONDS,
    Registry,
)
from phone_bridge.runtime.spool import Spool
from phone_bridge.runtime.traces import Traces, read
from tests.runtime.serving import until

STARTED = 1_790_000_000.0
OPEN = Asked("act_1", Action("cancel_event", {}), Verdict.UNANSWERED, AnsweredBy.NONE, 10, outcome="unknown")


class Puppet(Pump):
    """A call that lasts until the test lets it go."""

    def __init__(self) -> None:
        self.kept = Trace(0)
        self.released = asyncio.Event()
        self.begun = asyncio.Event()
        self.failure: Exception | None = None
        self.asked_to_end: list[str] = []
        self.changed: Callable[[], None] = lambda: None
        self.goes_on = False

    @property
    def leads_on(self) -> bool:
        return self.goes_on

    @property
    def trace(self) -> Trace:
        return self.kept

    async def run(self, changed: Callable[[], None] | None = None) -> None:
        assert changed is not None
        self.changed = changed
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
        self.spool = Spool(self.records)
        self.registry = Registry(
            self.spool, max_calls=max_calls, clock=lambda: self.now, wall=lambda: STARTED + self.now
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

    async def kept(self, id: str) -> CallRecord | None:
        """Find a record in the database once everything is written."""
        await until(lambda: not self.spool.waiting)
        return await asyncio.to_thread(self.records.find, id)


class Slow(Records):
    """Records that can be held up, and fail."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.broken = False
        self.may_save = threading.Event()
        self.may_save.set()

    def save_all(self, records: Sequence[CallRecord]) -> None:
        assert self.may_save.wait(5)
        if self.broken:
            raise Unavailable("the disk is full", code="database")
        super().save_all(records)


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
            await office.spool.close(5)
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


def test_a_route_has_so_many_calls_whoever_calls(url: str) -> None:
    async def story(office: Office) -> None:
        for number, route in enumerate(("a", "b", None), start=1):
            record = call(number)
            record.route = route
            office.registry.announce(record, f"token {number}")
        assert not office.registry.has_room_on("a", 1)
        assert office.registry.has_room_on("a", 2)
        assert office.registry.has_room_on("a", 0)  # without a cap
        assert office.registry.has_room_on("c", 1)
        office.now += EXPECTED_SECONDS + 1  # nobody came
        assert office.registry.has_room_on("a", 1)

    play(url, story)


def test_a_caller_has_so_many_calls_expected_or_live_each_counted_once(url: str) -> None:
    async def story(office: Office) -> None:
        capped = Registry(office.spool, max_calls=0, calls_per_caller=2, clock=lambda: office.now, wall=lambda: STARTED)
        theirs, pump = call(1), Puppet()
        capped.announce(theirs, "token 1")
        carrying = asyncio.create_task(capped.carry(theirs, pump))
        await pump.begun.wait()
        assert capped.has_room_for(theirs.from_number)
        capped.announce(call(2), "token 2")
        assert not capped.has_room_for(theirs.from_number)
        assert capped.has_room_for("+15550101")
        assert capped.has_room_for(None)
        office.now += EXPECTED_SECONDS + 1  # the second one never came
        assert capped.has_room_for(theirs.from_number)
        pump.released.set()
        await carrying
        assert office.registry.has_room_for(theirs.from_number)  # without a cap

    play(url, story)


def test_a_carried_call_leaves_its_record(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, kept.answered_at) == ("in_progress", "2026-09-21T14:30:00.000Z")
        pump.kept.said(5, "caller", "hello")
        pump.kept.ended_by = "caller"
        office.now += 12
        pump.released.set()
        await carrying
        kept = await office.kept(record.id)
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
        pump.kept.asking([OPEN])
        if way == "fails":
            pump.failure = LocalError("ours")
            pump.released.set()
        else:
            carrying.cancel()
        with pytest.raises(LocalError if way == "fails" else asyncio.CancelledError):
            await carrying
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, kept.error, len(kept.transcript)) == ("completed", "bridge_failed", 1)
        assert kept.ended_at is not None
        assert [action["verdict"] for action in kept.actions] == ["unanswered"]
        assert pump.kept.actions == [OPEN], "whoever counts the verdicts must see it, too"
        assert (office.registry.live, office.registry.announced("CA1")) == (0, None)

    play(url, story)


def test_a_call_that_is_cancelled_before_it_begins_takes_no_line(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump = await office.announced(1), Puppet()
        carrying = asyncio.create_task(office.registry.carry(record, pump))
        carrying.cancel()
        with suppress(asyncio.CancelledError):
            await carrying
        assert not pump.begun.is_set()
        assert office.registry.live == 0

    play(url, story)


def test_a_record_that_cannot_be_kept_holds_no_call_up_and_is_kept_later(url: str) -> None:
    async def story(office: Office) -> None:
        office.records.broken = True
        record, pump = call(1), Puppet()
        pump.released.set()
        await office.registry.carry(record, pump)
        shown = await office.registry.find(record.id)
        assert shown is not None
        assert shown.status == "completed"
        office.records.broken = False
        kept = await office.kept(record.id)
        assert kept == record

    play(url, story)


def test_what_a_live_call_has_come_to_is_kept_as_it_changes(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phone_bridge.runtime.spool.WRITE_SECONDS", 0.01)

    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        await office.kept(record.id)
        pump.kept.said(5, "caller", "hello")
        pump.changed()
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, kept.transcript) == (
            "in_progress",
            [{"at_ms": 5, "speaker": "caller", "text": "hello"}],
        )
        pump.released.set()
        await carrying

    play(url, story)


def test_what_decides_is_kept_at_once_and_what_was_said_in_its_time() -> None:
    class Noting(Spool):
        def __init__(self) -> None:
            self.urgent: list[bool] = []

        def put(self, record: CallRecord, *, urgent: bool = False) -> None:
            self.urgent.append(urgent)

    async def story() -> None:
        spool, pump = Noting(), Puppet()
        registry = Registry(spool, max_calls=0, clock=lambda: 0.0, wall=lambda: STARTED)
        carrying = asyncio.create_task(registry.carry(call(1), pump))
        await pump.begun.wait()
        asked = copy(OPEN)

        def settle() -> None:
            pump.kept.asking(())
            pump.kept.asked(asked)

        happenings: list[Callable[[], object]] = [
            lambda: pump.kept.said(5, "caller", "hello"),
            lambda: pump.kept.asking([asked]),
            settle,
            lambda: pump.kept.said(20, "caller", "yes"),
            lambda: setattr(asked, "verdict", Verdict.CONFIRMED),
            lambda: pump.kept.settled("act_1", "executed", None),
            lambda: pump.kept.said(30, "assistant", "done"),
            lambda: pump.kept.ending("caller"),
            lambda: pump.kept.said(40, "bridge", "goodbye"),
        ]
        for happens in happenings:
            happens()
            pump.changed()
        assert spool.urgent == [True, False, True, False, False, True, True, False, True, False]
        pump.released.set()
        await carrying

    asyncio.run(story())


# The carrier's word


@pytest.mark.parametrize("status", ["completed", "no_answer", "busy", "failed", "canceled"])
def test_the_carrier_is_believed_where_no_stream_came(url: str, status: str) -> None:
    async def story(office: Office) -> None:
        record = await office.announced(1)
        await office.registry.carrier_says("CA1", status)
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, kept.ended_by) == (status, "caller")
        assert kept.ended_at is not None
        assert office.registry.announced("CA1") is None
        await office.registry.carrier_says("CA1", "failed")  # doubled, and late
        again = await office.kept(record.id)
        assert again == kept

    play(url, story)


@pytest.mark.parametrize("status", ["queued", "ringing", "in_progress"])
def test_what_is_not_the_end_changes_nothing(url: str, status: str) -> None:
    async def story(office: Office) -> None:
        record = await office.announced(1)
        await office.registry.carrier_says("CA1", status)
        kept = await office.kept(record.id)
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
        kept = await office.kept(record.id)
        assert kept is not None
        assert kept.status == "completed"

    play(url, story)


def test_the_carriers_word_does_not_overwrite_a_record_that_is_being_kept(url: str) -> None:
    """Twilio's callback comes in the moment of the hang-up, just as the call's own record is written."""

    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        await office.kept(record.id)
        pump.kept.said(5, "caller", "hello")
        office.records.may_save.clear()
        pump.released.set()
        await carrying
        await office.registry.carrier_says("CA1", "failed")
        office.records.may_save.set()
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, len(kept.transcript)) == ("completed", 1)

    play(url, story)


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_question_whose_process_was_lost_is_not_answered_when_the_carrier_says_the_end(
    url: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phone_bridge.runtime.registry.ELSEWHERE_SECONDS", 0.0)

    async def story(office: Office) -> None:
        lost, trace = call(1), Trace(0)
        lost.status, lost.answered_at = "in_progress", "2026-11-21T10:00:01.000Z"
        trace.asking([OPEN])
        lost.observe(trace)
        await asyncio.to_thread(office.records.save, lost)
        await office.registry.carrier_says("CA1", status)
        kept = await office.kept(lost.id)
        assert kept is not None
        assert (kept.status, [action["verdict"] for action in kept.actions]) == (status, ["unanswered"])

    play(url, story)


def test_a_call_nobody_knows_is_nobodys_business(url: str) -> None:
    async def story(office: Office) -> None:
        await office.registry.carrier_says("CA9", "completed")
        assert await office.registry.list() == []

    play(url, story)


# Asking


def test_the_journal_of_a_call_that_failed_is_kept(tmp_path: Path) -> None:
    traces = Traces(tmp_path / "traces", "failures")

    async def story(office: Office) -> None:
        registry = Registry(office.spool, max_calls=0, clock=lambda: 0.0, wall=lambda: STARTED, files=traces)
        for number, error in enumerate(("", "leg_lost")):
            pump = Puppet()
            pump.kept.error = error
            pump.journal = Journal(PCMU_8K, Rules(), None, 0)
            pump.released.set()
            await registry.carry(call(number), pump)
        await asyncio.to_thread(traces.close)

    play(f"sqlite:///{tmp_path}/calls.db", story)
    assert [path.name for path in (tmp_path / "traces").iterdir()] == ["call_1.trace"]
    assert read(tmp_path / "traces" / "call_1.trace").error == "leg_lost"


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


# Parts of a call


def test_a_part_that_is_superseded_ends_without_finishing_its_record(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        pump.kept.said(5, "caller", "hello")
        await asyncio.gather(*(office.registry.supersede(record.id) for _ in range(3)))
        await carrying  # which raises nothing
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, kept.ended_at, kept.ended_by, kept.error) == ("in_progress", None, None, None)
        assert [said["text"] for said in kept.transcript] == ["hello"]
        assert pump.asked_to_end == []
        assert office.registry.live == 0

    play(url, story)


def test_a_part_that_ends_by_itself_is_waited_for(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        pump.kept.ended_by, pump.kept.error = "carrier", "leg_lost"
        superseding = asyncio.create_task(office.registry.supersede(record.id))
        await asyncio.sleep(0)
        pump.released.set()
        await superseding
        await carrying
        assert (record.status, record.ended_by, record.error) == ("in_progress", None, None)

    play(url, story)


def test_a_call_that_is_not_live_here_cannot_be_superseded(url: str) -> None:
    async def story(office: Office) -> None:
        await office.registry.supersede("call_1")
        record = await office.announced(1)
        await office.registry.supersede(record.id)
        assert office.registry.announced("CA1") is not None

    play(url, story)


def test_the_next_part_goes_on_with_the_same_record(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        began = record.answered_at
        pump.kept.ended_by, pump.kept.error = "carrier", "leg_lost"
        pump.released.set()
        await carrying
        office.now += 3
        record.resumed = 1
        again = Puppet()
        office.registry.announce(record, "token 1.1", 1)
        carrying = asyncio.create_task(office.registry.carry(record, again))
        await again.begun.wait()
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, kept.resumed, kept.answered_at) == ("in_progress", 1, began)
        assert (kept.ended_at, kept.ended_by, kept.error) == (None, None, None)
        again.released.set()
        await carrying
        assert office.registry.idle

    play(url, story)


def test_a_call_whose_line_another_pump_takes_over_stays_open(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        pump.goes_on = True
        pump.released.set()
        await carrying
        kept = await office.kept(record.id)
        assert kept is not None
        assert (kept.status, kept.ended_at, kept.ended_by) == ("in_progress", None, None)

    play(url, story)


def test_a_later_part_stays_expected_when_the_earlier_one_ends(url: str) -> None:
    async def story(office: Office) -> None:
        record, pump, carrying = await office.carried(1)
        office.registry.announce(record, "token 1.1", 1)
        pump.released.set()
        await carrying
        known = office.registry.announced("CA1")
        assert known is not None
        assert (known.token, known.part) == ("token 1.1", 1)
        assert not office.registry.idle

    play(url, story)


def test_a_call_is_known_while_it_is_live_and_for_a_moment_after(url: str) -> None:
    async def story(office: Office) -> None:
        assert office.registry.known("CA1") is None
        record, pump, carrying = await office.carried(1)
        pump.kept.ended_by = "bridge"  # its goodbye is being heard
        known = office.registry.known("CA1")
        assert known is not None
        assert (known.ended_by, office.registry.is_live(known.id)) == ("bridge", True)
        pump.released.set()
        await carrying
        assert not office.registry.is_live(record.id)
        office.now += REMEMBERED_SECONDS
        assert office.registry.known("CA1") is record
        office.now += 0.1
        assert office.registry.known("CA1") is None

    play(url, story)


def test_no_more_calls_are_remembered_than_there_is_room_for(url: str) -> None:
    async def story(office: Office) -> None:
        for number in range(MAX_REMEMBERED + 1):
            pump = Puppet()
            pump.released.set()
            record = call(number % 60)
            record.id, record.carrier_id = f"call_{number}", f"CA{number}"
            await office.registry.carry(record, pump)
        assert office.registry.known("CA0") is None
        assert office.registry.known("CA1") is not None
        assert office.registry.known(f"CA{MAX_REMEMBERED}") is not None

    play(url, story)


def test_all_calls_are_asked_to_end(url: str) -> None:
    async def story(office: Office) -> None:
        carried = [await office.carried(number) for number in (1, 2)]
        office.registry.end_all("drain")
        for _, pump, carrying in carried:
            assert pump.asked_to_end == ["drain"]
            pump.released.set()
            await carrying

    play(url, story)


def test_nothing_is_idle_while_a_stream_is_about_to_come(url: str) -> None:
    async def story(office: Office) -> None:
        assert office.registry.idle
        await office.announced(1)
        assert not office.registry.idle
        office.now += STREAM_SECONDS + 0.1
        assert office.registry.idle

    play(url, story)


def test_another_process_may_say_how_its_call_ended_before_the_carriers_word_counts(url: str) -> None:
    async def story(office: Office) -> None:
        record = call(1)
        record.status, record.answered_at = "in_progress", record.started_at
        office.records.save(record)
        began = asyncio.get_running_loop().time()
        saying = asyncio.create_task(office.registry.carrier_says("CA1", "completed"))
        await until(lambda: asyncio.get_running_loop().time() - began > 0.1)
        record.status, record.ended_at, record.ended_by = "completed", record.started_at, "api"
        office.records.save(record)
        await saying
        assert asyncio.get_running_loop().time() - began >= ELSEWHERE_SECONDS
        kept = await office.kept(record.id)
        assert kept is not None
        assert kept.ended_by == "api"

    play(url, story)
