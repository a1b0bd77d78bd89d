"""Records on their way to a database that is slow, locked, full or gone; in virtual time."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.errors import Unavailable
from phone_bridge.runtime import spool as module
from phone_bridge.runtime.record import PAGE, CallRecord, Records
from phone_bridge.runtime.spool import (
    FIRST_PAUSE_SECONDS,
    MAX_PAUSE_SECONDS,
    MAX_SPOOLED_RECORDS,
    REST_SECONDS,
    WRITE_RECORDS,
    WRITE_SECONDS,
    Spool,
)
from tests.clock import run_virtual, settle
from tests.runtime.serving import until
from tests.runtime.test_record import record


class Shelf:
    """A database in memory that fails while it is told to, and takes its time."""

    def __init__(self) -> None:
        self.kept: dict[str, CallRecord] = {}
        self.writes: list[tuple[float, list[str]]] = []  # when, and the words of each record
        self.gone = False
        self.refuses: set[str] = set()
        self.seconds = 0.0
        self.before_find: Callable[[], None] = lambda: None

    def save_all(self, records: Sequence[CallRecord]) -> None:
        self.writes.append((round(now(), 3), [words(each) for each in records]))
        if self.gone:
            raise Unavailable("gone", code="database")
        if any(each.id in self.refuses for each in records):
            raise ValueError("nobody can write this")
        self.kept |= {each.id: each for each in records}

    def find(self, id: str) -> CallRecord | None:
        self._look()
        return self.kept.get(id)

    def find_carrier(self, carrier_id: str) -> CallRecord | None:
        self._look()
        return next((each for each in self.kept.values() if each.carrier_id == carrier_id), None)

    def newest(self) -> list[CallRecord]:
        self._look()
        return sorted(self.kept.values(), key=lambda each: each.started_at, reverse=True)[:PAGE]

    def _look(self) -> None:
        self.before_find()
        if self.gone:
            raise Unavailable("gone", code="database")

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.writes]

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        done = work(*arguments)
        await asyncio.sleep(self.seconds)
        return done


def now() -> float:
    return asyncio.get_running_loop().time()


def words(call: CallRecord) -> str:
    return f"{call.id}: {call.transcript[-1]['text'] if call.transcript else ''}"


def said(id: str, text: str, *, ended: bool = False, started_at: str = "2026-11-21T10:00:00.000Z") -> CallRecord:
    call = record(id, started_at=started_at)
    call.transcript = [{"at_ms": 1, "speaker": "caller", "text": text}]
    if ended:
        call.ended_at = "2026-11-21T10:10:00.000Z"
    return call


Story = Callable[[Spool, Shelf], Coroutine[Any, Any, None]]


def play(story: Story) -> None:
    """Run a test's story; whatever it leaves in the spool is lost at once, and no task may be left."""

    async def run() -> None:
        shelf = Shelf()
        spool = Spool(shelf, in_thread=shelf.in_thread)
        await story(spool, shelf)
        await spool.close(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(run())


async def written(spool: Spool) -> None:
    while spool.waiting:  # noqa: ASYNC110 - the time is virtual
        await asyncio.sleep(0.01)


# Writing


def test_what_is_put_is_written_at_once_and_putting_never_waits() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        spool.put(said("call_1", "hello"))
        assert (spool.waiting, shelf.writes) == (1, [])
        await settle()
        assert (spool.waiting, shelf.writes) == (0, [(0.0, ["call_1: hello"])])
        assert shelf.kept["call_1"] == said("call_1", "hello")

    play(story)


def test_putting_takes_microseconds() -> None:
    """A record of an hour's call, ten thousand times; what one takes is a matter of the machine, not of the record."""

    async def story(spool: Spool, _: Shelf) -> None:
        long = record("call_1")
        long.transcript = [{"at_ms": n, "speaker": "caller", "text": "x" * 80} for n in range(1_000)]
        began = time.perf_counter()
        for _again in range(10_000):
            spool.put(long)
        assert (time.perf_counter() - began) / 10_000 < 100e-6  # it is 2 on a machine that has nothing else to do

    play(story)


def test_what_follows_is_written_once_a_second_and_only_the_newest_of_it() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        for tenth in range(35):
            spool.put(said("call_1", str(tenth)))
            await asyncio.sleep(0.1)
        await written(spool)
        assert shelf.times == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert [texts for _, texts in shelf.writes][-1] == ["call_1: 34"]

    play(story)
    assert WRITE_SECONDS == 1.0


@pytest.mark.parametrize("way", ["a verdict", "the end"])
def test_a_verdict_and_the_end_are_written_at_once(way: str) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        spool.put(said("call_1", "hello"))
        await asyncio.sleep(0.2)
        spool.put(said("call_1", "yes", ended=way == "the end"), urgent=way == "a verdict")
        await written(spool)
        assert shelf.writes == [(0.0, ["call_1: hello"]), (0.2, ["call_1: yes"])]

    play(story)


def test_what_is_urgent_stays_so_whatever_comes_on_top_of_it() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        spool.put(said("call_1", "hello"))
        await settle()
        spool.put(said("call_1", "yes"), urgent=True)
        spool.put(said("call_1", "done"))
        await asyncio.sleep(2 * REST_SECONDS)
        assert [texts for _, texts in shelf.writes] == [["call_1: hello"], ["call_1: done"]]

    play(story)


def test_one_calls_second_is_no_others() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        spool.put(said("call_1", "hello"))
        await asyncio.sleep(0.5)
        spool.put(said("call_1", "again"))
        spool.put(said("call_2", "hello"))
        await written(spool)
        assert shelf.writes == [(0.0, ["call_1: hello"]), (0.5, ["call_2: hello"]), (1.0, ["call_1: again"])]

    play(story)


def test_what_is_put_is_kept_as_it_was_then() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        call = said("call_1", "hello")
        spool.put(call)
        call.status, call.transcript = "completed", []
        await settle()
        assert shelf.kept["call_1"] == said("call_1", "hello")

    play(story)


def test_what_comes_while_a_version_is_being_written_is_written_after_it() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.seconds = 3.0
        spool.put(said("call_1", "hello"))
        await asyncio.sleep(1)
        spool.put(said("call_1", "yes"), urgent=True)
        assert spool.waiting == 1
        await written(spool)
        assert shelf.writes == [(0.0, ["call_1: hello"]), (3.0 + REST_SECONDS, ["call_1: yes"])]

    play(story)


def test_a_late_word_of_an_earlier_part_of_a_call_changes_nothing() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        resumed = said("call_1", "we were cut off")
        resumed.resumed = 1
        spool.put(resumed)
        spool.put(said("call_1", "bye", ended=True))
        await settle()
        assert shelf.kept["call_1"] == resumed

    play(story)


def test_many_are_written_a_transaction_at_a_time() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        for number in range(WRITE_RECORDS * 2 + 1):
            spool.put(said(f"call_{number}", "hello"))
        await written(spool)
        assert [len(texts) for _, texts in shelf.writes] == [WRITE_RECORDS, WRITE_RECORDS, 1]

    play(story)


def test_what_is_urgent_while_the_writer_rests_shares_a_transaction() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        for number in range(5):
            spool.put(said(f"call_{number}", "yes"), urgent=True)
            await asyncio.sleep(REST_SECONDS / 4)
        await written(spool)
        together = ["call_1: yes", "call_2: yes", "call_3: yes", "call_4: yes"]
        assert shelf.writes == [(0.0, ["call_0: yes"]), (REST_SECONDS, together)]

    play(story)


# A database that fails


def test_a_database_that_is_gone_is_asked_ever_more_slowly_and_gets_the_newest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.gone = True
        spool.put(said("call_1", "hello"))
        await asyncio.sleep(20)
        spool.put(said("call_1", "bye", ended=True))  # urgent, and yet it waits
        await asyncio.sleep(15.4)
        assert shelf.times == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 25.5]
        assert (spool.waiting, spool.lost) == (1, 0)
        shelf.gone = False
        await asyncio.sleep(0.2)
        assert (shelf.times[-1], words(shelf.kept["call_1"]), spool.waiting) == (35.5, "call_1: bye", 0)
        shelf.gone = True
        spool.put(said("call_2", "hello"))
        await asyncio.sleep(0.6)
        assert [at - shelf.times[-2] for at in shelf.times[-2:]] == [0.0, FIRST_PAUSE_SECONDS]  # patience begins anew

    assert MAX_PAUSE_SECONDS == 10
    with caplog.at_level(logging.WARNING):
        play(story)
    assert "1 records wait 10.0 s for the database: database" in caplog.text
    assert "the database takes records again" in caplog.text


def test_readers_see_what_is_not_written_yet() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.kept = {"call_1": said("call_1", "old"), "call_2": said("call_2", "old")}
        spool.put(said("call_1", "new"))
        spool.put(said("call_3", "new", started_at="2026-11-21T10:00:01.000Z"))
        assert [words(each) for each in await spool.newest()] == ["call_3: new", "call_1: new", "call_2: old"]
        shelf.gone = True
        for found in (await spool.find("call_1"), await spool.find_carrier("CAcall_1")):
            assert found == said("call_1", "new")
            found.status = "changed"  # a reader's copy is the reader's own
        assert await spool.find("call_3") == said("call_3", "new", started_at="2026-11-21T10:00:01.000Z")
        for look in (spool.find("call_2"), spool.find_carrier("CAcall_2")):
            with pytest.raises(Unavailable):
                await look
        with pytest.raises(Unavailable):
            await spool.newest()
        assert await spool.find("call_1") == said("call_1", "new")

    play(story)


def test_readers_see_what_is_written() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.kept = {"call_2": said("call_2", "old")}
        assert await spool.find("call_2") == await spool.find_carrier("CAcall_2") == said("call_2", "old")
        assert await spool.newest() == [said("call_2", "old")]
        assert await spool.find("call_9") is None
        assert await spool.find_carrier("CAcall_9") is None

    play(story)


def test_readers_see_what_came_while_they_looked() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.kept = {"call_1": said("call_1", "old")}
        shelf.before_find = lambda: spool.put(said("call_1", "new"))
        shelf.seconds = 0.1
        assert await spool.find("call_1") == said("call_1", "new")
        await written(spool)
        shelf.kept = {"call_1": said("call_1", "old")}
        assert await spool.find_carrier("CAcall_1") == said("call_1", "new")

    play(story)


@pytest.mark.parametrize("way", ["find", "find_carrier", "newest"])
def test_readers_see_what_was_written_while_they_looked(way: str) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.kept = {"call_1": said("call_1", "old")}
        shelf.seconds = 0.2
        look = {"find": spool.find("call_1"), "find_carrier": spool.find_carrier("CAcall_1"), "newest": spool.newest()}
        reading = asyncio.ensure_future(look.pop(way))
        for other in look.values():
            other.close()
        await settle()
        shelf.seconds = 0.1
        spool.put(said("call_1", "new"))
        found = await reading
        assert (found[0] if isinstance(found, list) else found) == said("call_1", "new")

    play(story)


def test_of_a_carriers_calls_the_latest_is_found() -> None:
    async def story(spool: Spool, _: Shelf) -> None:
        for call_id, minute in (("call_1", "01"), ("call_3", "03"), ("call_2", "02")):
            call = record(call_id, started_at=f"2026-11-21T10:{minute}:00.000Z")
            call.carrier_id = "CA1"
            spool.put(call)
        found = await spool.find_carrier("CA1")
        assert found is not None
        assert found.id == "call_3"

    play(story)


def test_a_listing_has_its_bound_whatever_waits() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        for number in range(PAGE + 5):
            spool.put(said(f"call_{number:03}", "hello"))
        listed = await spool.newest()
        assert (len(listed), listed[0].id) == (PAGE, "call_000")

    play(story)


# What cannot be kept


def test_a_record_that_nobody_can_write_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.refuses = {"call_2"}
        for number in (1, 2, 3):
            spool.put(said(f"call_{number}", "hello"))
        await settle()
        assert (list(shelf.kept), spool.waiting, spool.lost) == (["call_1", "call_3"], 0, 1)

    play(story)
    assert "the record of call call_2 is lost: it cannot be written (ValueError)" in caplog.text
    assert "hello" not in caplog.text


def test_a_version_that_nobody_can_write_does_not_take_the_next_one_along() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        class Mended(Shelf):
            def save_all(self, records: Sequence[CallRecord]) -> None:
                if words(records[0]) == "call_1: odd":
                    spool.put(said("call_1", "even"), urgent=True)
                    raise ValueError
                super().save_all(records)

        mended = Mended()
        spool = Spool(mended, in_thread=mended.in_thread)
        spool.put(said("call_1", "odd"))
        await settle()
        assert (words(mended.kept["call_1"]), spool.lost) == ("call_1: even", 0)

    play(story)


def test_a_full_spool_gives_up_the_oldest_call_that_is_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.gone = True
        spool.put(said("live", "hello"))
        spool.put(said("over 1", "bye", ended=True))
        spool.put(said("over 2", "bye", ended=True))
        spool.put(said("live", "again"))  # known already: it takes no room
        assert (spool.waiting, spool.lost) == (3, 0)
        spool.put(said("new", "hello"))
        assert (spool.waiting, spool.lost) == (3, 1)
        assert await spool.find("live") == said("live", "again")
        assert await spool.find("over 2") is not None
        spool.put(said("newer", "hello"))
        spool.put(said("newest", "hello"))  # nobody is over: the oldest goes, which will be put again
        assert (spool.waiting, spool.lost) == (3, 3)
        assert await spool.find("newest") is not None

    assert MAX_SPOOLED_RECORDS == 10_000
    monkeypatch.setattr(module, "MAX_SPOOLED_RECORDS", 3)
    play(story)
    lost = [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]
    assert [line.split(":")[0] for line in lost][:3] == [
        f"! the record of call {call_id} is lost" for call_id in ("over 1", "over 2", "live")
    ]


def test_ten_thousand_wait_and_all_are_written(caplog: pytest.LogCaptureFixture) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.gone = True
        for number in range(MAX_SPOOLED_RECORDS):
            spool.put(said(f"call_{number}", "bye", ended=True))
        await asyncio.sleep(5)
        assert (spool.waiting, spool.lost) == (MAX_SPOOLED_RECORDS, 0)
        shelf.gone = False
        await written(spool)
        assert len(shelf.kept) == MAX_SPOOLED_RECORDS

    play(story)


# The end


def test_at_the_end_everything_is_written_without_its_second() -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        spool.put(said("call_1", "hello"))
        await settle()
        spool.put(said("call_1", "bye"))
        await settle()
        assert len(shelf.writes) == 1
        await spool.close(5)
        assert shelf.writes == [(0.0, ["call_1: hello"]), (0.0, ["call_1: bye"])]
        assert spool.lost == 0

    play(story)


def test_at_the_end_a_database_that_is_gone_gets_its_last_chances(caplog: pytest.LogCaptureFixture) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.gone = True
        for call_id in ("call_1", "call_2"):
            spool.put(said(call_id, "hello"))
        await asyncio.sleep(17)  # in the middle of a long pause
        asyncio.get_running_loop().call_later(1.2, setattr, shelf, "gone", False)
        await spool.close(2)
        assert shelf.times[-4:] == [17.0, 17.5, 18.0, 18.5]
        assert (len(shelf.kept), spool.lost) == (2, 0)

    play(story)
    assert "is lost" not in caplog.text


def test_what_could_not_be_written_by_the_end_is_told_by_the_call(caplog: pytest.LogCaptureFixture) -> None:
    async def story(spool: Spool, shelf: Shelf) -> None:
        shelf.gone = True
        for call_id in ("call_1", "call_2"):
            spool.put(said(call_id, "hello"))
        began = now()
        await spool.close(2)
        assert now() - began == pytest.approx(2)
        assert (spool.waiting, spool.lost) == (0, 2)
        spool.put(said("call_3", "hello"))
        assert (spool.waiting, spool.lost) == (0, 3)

    play(story)
    for call_id, why in (("call_1", "the process ended"), ("call_2", "the process ended"), ("call_3", "it came after")):
        assert f"the record of call {call_id} is lost: {why}" in caplog.text


def test_an_empty_spool_is_closed_at_once() -> None:
    async def story(spool: Spool, _: Shelf) -> None:
        await spool.close(5)
        assert now() == 0

    play(story)


# A real database


def test_records_are_written_in_a_thread_to_a_real_database(database_url: str) -> None:
    async def story() -> None:
        with closing(Records(database_url)) as records:
            spool = Spool(records)
            for number in range(3):
                spool.put(said(f"call_{number}", "hello"))
            await spool.close(5)
            assert [words(each) for each in records.newest()] == [f"call_{number}: hello" for number in range(3)]
            assert await spool.find("call_1") == said("call_1", "hello")

    asyncio.run(story())


def test_a_real_file_that_is_locked_is_written_when_it_is_free(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        url = f"sqlite:///{tmp_path}/calls.db"
        with closing(Records(url, busy_seconds=0.01)) as records, closing(Records(url)) as other:
            spool = Spool(records)
            with other.transaction() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                spool.put(said("call_1", "hello"))
                await until(lambda: "1 records wait" in caplog.text)
            await spool.close(5)
            assert (await spool.find("call_1"), spool.lost) == (said("call_1", "hello"), 0)

    asyncio.run(story())
