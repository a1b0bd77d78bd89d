"""What a call leaves behind on its way to the database, which may be slow, locked, full or gone.

A live call never waits for it: it puts its newest record here and goes on. One writer carries the records over, and
while it cannot, readers of this process see them all the same.
"""

import asyncio
import copy
import logging
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any, Protocol

import msgspec

from phone_bridge.errors import Unavailable
from phone_bridge.runtime.record import PAGE, CallRecord

MAX_SPOOLED_RECORDS = 10_000
"""Records that wait at most: at 20 kB for a long call's, 200 MB."""
WRITE_SECONDS = 1.0
"""How often one call's record is written while nothing in it is urgent."""
REST_SECONDS = 0.02
"""How long the writer rests after each transaction: what becomes urgent meanwhile shares the next one."""
WRITE_RECORDS = 100
"""Records of one transaction."""
READS = 5
"""How often a read is made again because something was written meanwhile."""
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0
"""How long the writer waits after the first failure, which doubles with each further one up to the most."""

log = logging.getLogger("phone_bridge.spool")


class Shelf(Protocol):
    """Where records are kept in the end; its methods block, and raise Unavailable while it cannot be had."""

    def save_all(self, records: list[CallRecord]) -> None:
        """Write some records, all or none."""
        ...

    def find(self, id: str) -> CallRecord | None:
        """Find a call by its id."""
        ...

    def find_carrier(self, carrier_id: str) -> CallRecord | None:
        """Find the latest call that the carrier knows as ``carrier_id``."""
        ...

    def newest(self) -> list[CallRecord]:
        """List calls, newest first."""
        ...


class _Waiting(msgspec.Struct, frozen=True):
    """The newest version of one call's record; ``urgent`` as soon as any version that waited was."""

    record: CallRecord
    urgent: bool


class Spool:
    """Carry records to ``records`` in the background, on the running loop and by its clock.

    ``in_thread`` runs what blocks. ``lost`` counts the records whose newest version was given up.
    """

    def __init__(self, records: Shelf, *, in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread) -> None:
        self.lost = 0
        self._records = records
        self._in_thread = in_thread
        self._waiting: dict[str, _Waiting] = {}
        self._written: dict[str, float] = {}  # when a call's record was written last, for the last second
        self._wrote_at = -REST_SECONDS
        self._writes = 0
        self._awake = asyncio.Event()
        self._closing = asyncio.Event()
        self._is_closed = False
        self._writer: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._waiting)

    def put(self, record: CallRecord, *, urgent: bool = False) -> None:
        """Have the record written as it is now, within a second; an ``urgent`` or ended one as soon as the writer may.

        What an earlier part of a call says after the next one has begun changes nothing.
        """
        before = self._waiting.get(record.id)
        if before is not None and before.record.resumed > record.resumed:
            return
        if before is None and len(self._waiting) >= MAX_SPOOLED_RECORDS:
            self._make_room()
        urgent = urgent or record.ended_at is not None or (before is not None and before.urgent)
        self._waiting[record.id] = _Waiting(copy.copy(record), urgent)
        if self._is_closed:
            self._lose(record.id, "it came after the end of this process")
            return
        self._awake.set()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def find(self, id: str) -> CallRecord | None:
        """Find a call by its id, written or not; raises Unavailable."""
        if id in self._waiting:
            return self._newest_of(id)
        found: CallRecord | None = await self._read(self._records.find, id)
        return self._newest_of(id) or found  # which may have been put meanwhile

    async def find_carrier(self, carrier_id: str) -> CallRecord | None:
        """Find the latest call that the carrier knows as ``carrier_id``, written or not; raises Unavailable."""
        found = self._of_carrier(carrier_id)
        if found is None:
            found = await self._read(self._records.find_carrier, carrier_id)
            found = self._of_carrier(carrier_id) or found
        return found

    async def newest(self) -> list[CallRecord]:
        """List calls, newest first, written or not; raises Unavailable."""
        known = {record.id: record for record in await self._read(self._records.newest)}
        known |= {each.record.id: copy.copy(each.record) for each in self._waiting.values()}
        by_id = sorted(known.values(), key=lambda record: record.id)
        return sorted(by_id, key=lambda record: record.started_at, reverse=True)[:PAGE]

    async def close(self, seconds: float) -> None:
        """Write what waits within ``seconds``, and say loudly what is lost."""
        self._closing.set()
        self._awake.set()
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=seconds)
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        self._is_closed = True
        for call_id in list(self._waiting):
            self._lose(call_id, "the process ended before the database took it")

    async def _read(self, read: Callable[..., Any], *arguments: Any) -> Any:
        """Read from the database; again where something was written meanwhile, which is not waiting any more."""
        for _ in range(READS):
            written = self._writes
            found = await self._in_thread(read, *arguments)
            if written == self._writes:
                break
        return found

    # Writing

    async def _write(self) -> None:
        """Write until nothing waits; a failing database is asked again and again, ever more slowly."""
        pause = 0.0
        while self._waiting:
            self._awake.clear()
            due = self._due()
            if not due:
                await _wait(self._awake, min(map(self._at, self._waiting.values())) - self._now())
                continue
            try:
                await self._save(due)
            except Unavailable as error:
                pause = self._longer(pause)
                log.warning("! %d records wait %.1f s for the database: %s", self.waiting, pause, error.code)
                await self._pause(pause)
            else:
                if pause:
                    log.warning("= the database takes records again, %d wait", self.waiting)
                pause = 0.0

    async def _save(self, due: list[_Waiting]) -> None:
        try:
            await self._in_thread(self._records.save_all, [each.record for each in due])
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the top of the writer's task
            await self._save_singly(due, error)
        else:
            self._are_written(due)

    async def _save_singly(self, due: list[_Waiting], error: Exception) -> None:
        """Let one record that nobody can write hold up no other."""
        if len(due) > 1:
            for each in due:
                await self._save([each])
        elif self._is_newest(due[0]):
            self._lose(due[0].record.id, f"it cannot be written ({type(error).__name__})")

    def _are_written(self, due: list[_Waiting]) -> None:
        now = self._wrote_at = self._now()
        self._writes += 1
        self._written = {call_id: at for call_id, at in self._written.items() if at > now - WRITE_SECONDS}
        for each in due:
            self._written[each.record.id] = now
            if self._is_newest(each):
                del self._waiting[each.record.id]

    def _is_newest(self, each: _Waiting) -> bool:
        """Tell whether no newer version came while this one was being written."""
        return self._waiting.get(each.record.id) is each

    def _due(self) -> list[_Waiting]:
        now = self._now()
        return list(islice((each for each in self._waiting.values() if self._at(each) <= now), WRITE_RECORDS))

    def _at(self, each: _Waiting) -> float:
        """Say when a record may be written."""
        if self._closing.is_set():
            return 0.0
        rested = self._wrote_at + REST_SECONDS
        if each.urgent:
            return rested
        return max(rested, self._written.get(each.record.id, -WRITE_SECONDS) + WRITE_SECONDS)

    def _longer(self, pause: float) -> float:
        if not pause or self._closing.is_set():
            return FIRST_PAUSE_SECONDS
        return min(pause * 2, MAX_PAUSE_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Leave the database alone, whatever is put meanwhile; only the last chance comes at once."""
        if self._closing.is_set():
            await asyncio.sleep(seconds)
        else:
            await _wait(self._closing, seconds)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # What waits

    def _newest_of(self, id: str) -> CallRecord | None:
        each = self._waiting.get(id)
        return copy.copy(each.record) if each is not None else None

    def _of_carrier(self, carrier_id: str) -> CallRecord | None:
        found = [each.record for each in self._waiting.values() if each.record.carrier_id == carrier_id]
        return copy.copy(max(found, key=lambda record: record.started_at)) if found else None

    def _make_room(self) -> None:
        """Give up the oldest record of a call that is over; a live one will be put again."""
        ended = (call_id for call_id, each in self._waiting.items() if each.record.ended_at is not None)
        self._lose(next(ended, next(iter(self._waiting))), f"{MAX_SPOOLED_RECORDS} others wait for the database")

    def _lose(self, call_id: str, why: str) -> None:
        self.lost += 1
        del self._waiting[call_id]
        log.error("! the record of call %s is lost: %s", call_id, why)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for ``event``, but not longer than ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
