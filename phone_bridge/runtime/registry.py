"""The calls of this process: which are expected, which are live, and how many there may be.

A webhook announces a call and its stream takes it up; both may come twice, and only one call comes of them.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from phone_bridge.errors import Unavailable
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.record import CallRecord, Records, timestamp

EXPECTED_SECONDS = 60  # how long an announced call may take to bring its stream

_OVER = frozenset({"completed", "no_answer", "busy", "failed", "canceled"})

log = logging.getLogger("phone_bridge.calls")


class Announced(msgspec.Struct, frozen=True):
    """A call that was answered by TwiML and whose stream has not come yet; ``token`` admits it once."""

    record: CallRecord
    token: str
    until: float


class Registry:
    """Know the calls; ``clock`` gives seconds that never run back, ``wall`` seconds since 1970."""

    def __init__(
        self, records: Records, *, max_calls: int, clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._records = records
        self._max_calls = max_calls
        self._clock = clock
        self._wall = wall
        self._announced: dict[str, Announced] = {}
        self._live: dict[str, tuple[CallRecord, Pump]] = {}

    @property
    def live(self) -> int:
        """How many calls are live in this process."""
        return len(self._live)

    def announced(self, carrier_id: str) -> Announced | None:
        """Find a call that was announced and waits for its stream, or is live."""
        self._forget_late()
        return self._announced.get(carrier_id)

    def has_room(self) -> bool:
        """Tell whether one more call may come in."""
        self._forget_late()
        waiting = sum(1 for call in self._announced.values() if call.record.id not in self._live)
        return not self._max_calls or len(self._live) + waiting < self._max_calls

    def announce(self, record: CallRecord, token: str) -> Announced:
        """Expect the stream of ``record``."""
        call = Announced(record, token, self._clock() + EXPECTED_SECONDS)
        self._announced[record.carrier_id] = call
        return call

    def forget(self, carrier_id: str) -> None:
        """Expect no stream of that call any more."""
        self._announced.pop(carrier_id, None)

    async def carry(self, record: CallRecord, pump: Pump) -> None:
        """Run a call from its stream to its end and keep its record."""
        if self._max_calls and len(self._live) >= self._max_calls:
            raise Unavailable(f"all {self._max_calls} lines are in use", code="busy")
        self._live[record.id] = (record, pump)
        record.status = "in_progress"
        record.answered_at = timestamp(self._wall)
        try:
            await self._keep(record)
            log.info("= call %s is live, %d in all", record.id, len(self._live))
            await pump.run()
        finally:
            self._announced.pop(record.carrier_id, None)
            record.observe(pump.trace)
            record.status = "completed"
            record.ended_at = timestamp(self._wall)
            log.info("x call %s ended by %s, error %s", record.id, record.ended_by, record.error)
            try:
                await asyncio.shield(self._keep(record))
            finally:
                del self._live[record.id]  # not before it is kept, or the carrier's word might be kept over it

    def end(self, id: str, by: str) -> bool:
        """Ask a live call to end; False when it is not live here."""
        live = self._live.get(id)
        if live is not None:
            live[1].end(by)
        return live is not None

    async def carrier_says(self, carrier_id: str, status: str) -> None:
        """Believe the carrier that a call is over; only where its stream never came, or ended without a word."""
        if status not in _OVER or any(record.carrier_id == carrier_id for record, _ in self._live.values()):
            return
        record = await asyncio.to_thread(self._records.find_carrier, carrier_id)
        if record is None or record.id in self._live or record.ended_at is not None:
            return
        self._announced.pop(carrier_id, None)
        record.status = status
        record.ended_at = timestamp(self._wall)
        record.ended_by = "caller"
        await self._keep(record)

    async def find(self, id: str) -> CallRecord | None:
        """Find a call, live or kept."""
        live = self._live.get(id)
        return _now(*live) if live is not None else await asyncio.to_thread(self._records.find, id)

    async def list(self) -> "list[CallRecord]":
        """List calls, newest first; live ones as they are now."""
        kept = await asyncio.to_thread(self._records.newest)
        return [_now(*self._live[record.id]) if record.id in self._live else record for record in kept]

    async def _keep(self, record: CallRecord) -> None:
        try:
            await asyncio.to_thread(self._records.save, record)
        except Unavailable:
            log.exception("! the record of call %s could not be kept", record.id)

    def _forget_late(self) -> None:
        now = self._clock()
        late = [key for key, call in self._announced.items() if call.until < now and call.record.id not in self._live]
        for key in late:
            del self._announced[key]


def _now(record: CallRecord, pump: Pump) -> CallRecord:
    record.observe(pump.trace)
    return record
