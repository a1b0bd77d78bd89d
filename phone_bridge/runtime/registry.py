"""The calls of this process: which are expected, which are live, and how many there may be.

A webhook announces a call and its stream takes it up; both may come twice, and only one call comes of them. A call
that was cut off comes back as its next part: the same record, carried by another stream, here or in another process.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from phone_bridge.call.trace import Trace
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.record import CallRecord, timestamp
from phone_bridge.runtime.spool import Spool
from phone_bridge.runtime.traces import Traces

STREAM_SECONDS = 3  # how long a stopping process waits for the stream of a call that it has just announced
EXPECTED_SECONDS = 60  # how long an announced call may take to bring its stream
ELSEWHERE_SECONDS = 2.0  # how long another process has to write how its call ended, before the carrier's word counts
REMEMBERED_SECONDS = 60  # how long a call that ended here is known without asking the database
MAX_REMEMBERED = 1_000  # calls

_OVER = frozenset({"completed", "no_answer", "busy", "failed", "canceled"})

log = logging.getLogger("phone_bridge.calls")


class Announced(msgspec.Struct, frozen=True):
    """A call that was answered by TwiML and whose stream has not come yet; ``token`` admits its ``part`` once."""

    record: CallRecord
    token: str
    until: float
    part: int = 0


class _Live(msgspec.Struct):
    """A call that is carried by the task ``carrier``; ``superseded`` once its next part is about to come."""

    record: CallRecord
    pump: Pump
    carrier: "asyncio.Task[Any]"
    gone: asyncio.Event
    superseded: bool = False

    def now(self) -> CallRecord:
        """Give the record as it is now."""
        self.record.observe(self.pump.trace)
        if self.superseded:
            self.record.ended_by = self.record.error = None
        return self.record


class Registry:
    """Know the calls; ``clock`` gives seconds that never run back, ``wall`` seconds since 1970.

    ``on_end`` is told of each call that is over, and of each part of one that goes on with another stream. Their
    records go to the database by way of ``spool``, so that no call waits for it; their journals go to ``files``.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        max_calls: int,
        clock: Callable[[], float],
        wall: Callable[[], float],
        calls_per_caller: int = 0,
        on_end: Callable[[CallRecord, Trace], None] = lambda record, trace: None,
        files: Traces | None = None,
    ) -> None:
        self._spool = spool
        self._max_calls = max_calls
        self._calls_per_caller = calls_per_caller
        self._clock = clock
        self._wall = wall
        self._on_end = on_end
        self._files = files
        self._announced: dict[str, Announced] = {}
        self._live: dict[str, _Live] = {}
        self._remembered: OrderedDict[str, tuple[CallRecord, float]] = OrderedDict()  # by the carrier's name
        self.draining = False
        """Whether this process takes no new calls any more."""

    @property
    def live(self) -> int:
        """How many calls are live in this process."""
        return len(self._live)

    @property
    def idle(self) -> bool:
        """Whether no call is live here, and no stream is about to come: another process may have taken it."""
        given_up = self._clock() - STREAM_SECONDS + EXPECTED_SECONDS
        return not self._live and all(call.until <= given_up for call in self._announced.values())

    def traces(self) -> Iterator[tuple[CallRecord, Trace]]:
        """Walk over what the live calls have left behind so far."""
        for live in self._live.values():
            yield live.record, live.pump.trace

    def announced(self, carrier_id: str) -> Announced | None:
        """Find a call that was announced and waits for its stream, or is live."""
        self._forget_late()
        return self._announced.get(carrier_id)

    def has_room(self) -> bool:
        """Tell whether one more call may come in."""
        self._forget_late()
        waiting = sum(1 for call in self._announced.values() if call.record.id not in self._live)
        return not self._max_calls or len(self._live) + waiting < self._max_calls

    def has_room_for(self, number: str | None) -> bool:
        """Tell whether one more call of ``number`` may come in; callers who withhold theirs cannot be told apart."""
        if number is None or not self._calls_per_caller:
            return True
        return sum(1 for record in self._known() if record.from_number == number) < self._calls_per_caller

    def has_room_on(self, route: str | None, most: int) -> bool:
        """Tell whether one more call may come in by ``route``, which takes ``most`` at a time (0: as many as come)."""
        return not most or sum(1 for record in self._known() if record.route == route) < most

    def announce(self, record: CallRecord, token: str, part: int = 0) -> Announced:
        """Expect the stream of ``record``, or the stream of a later part of it."""
        call = Announced(record, token, self._clock() + EXPECTED_SECONDS, part)
        self._announced[record.carrier_id] = call
        return call

    def forget(self, carrier_id: str) -> None:
        """Expect no stream of that call any more."""
        self._announced.pop(carrier_id, None)

    async def carry(self, record: CallRecord, pump: Pump) -> None:
        """Run a call, or a later part of it, from its stream to its end and keep its record."""
        if self._max_calls and len(self._live) >= self._max_calls:
            raise Unavailable(f"all {self._max_calls} lines are in use", code="busy")
        carrier: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]  # whoever awaits is in a task
        live = self._live[record.id] = _Live(record, pump, carrier, asyncio.Event())
        record.status = "in_progress"
        record.answered_at = record.answered_at or timestamp(self._wall)
        record.ended_at = record.ended_by = record.error = None
        self._spool.put(record, urgent=True)
        try:
            log.info("= call %s is live, %d in all", record.id, len(self._live))
            await pump.run(_Checkpoints(record, pump, self._spool).changed)
        except asyncio.CancelledError:
            if not live.superseded:
                raise
            carrier.uncancel()  # it was this part of the call that was to end, and nothing else
        finally:
            self._close(live)
            self._spool.put(record, urgent=True)
            del self._live[record.id]
            live.gone.set()
            if self._files is not None:
                error = pump.trace.error
                self._files.keep(record.id, pump.journal, failed=bool(error), error=error)
            self._on_end(record, pump.trace)  # at last, so that nothing is lost by it

    def end(self, id: str, by: str) -> bool:
        """Ask a live call to end; False when it is not live here."""
        live = self._live.get(id)
        if live is not None:
            live.pump.end(by)
        return live is not None

    def move(self, id: str, name: str) -> bool:
        """Ask a live call to let its caller go to ``name`` once its last words were heard.

        False when it is not live here, or with no assistant.
        """
        live = self._live.get(id)
        return live is not None and live.pump.move(name)

    def speak(self, id: str, language: str) -> bool:
        """Have the bridge's own lines in a live call spoken in ``language``; False when it is not live here."""
        live = self._live.get(id)
        if live is not None:
            live.pump.speak(language)
        return live is not None

    def change_pin(self, id: str) -> bool:
        """Have the caller of a live call set a PIN, or another one; False when it is not live here, or asks already."""
        live = self._live.get(id)
        return live is not None and live.pump.change_pin()

    def end_all(self, by: str) -> None:
        """Ask every live call to end."""
        for live in list(self._live.values()):
            live.pump.end(by)

    async def supersede(self, id: str) -> None:
        """End the part of a call that is live here without a word, because the next one comes; its record stays open.

        Does nothing for a call that is not live here.
        """
        live = self._live.get(id)
        if live is None:
            return
        if not live.superseded and not live.pump.trace.ended_by:  # otherwise it is ending by itself
            live.carrier.cancel()
        live.superseded = True
        await live.gone.wait()

    @contextmanager
    def going_on(self, id: str, token: str, part: int) -> Iterator[None]:
        """Expect a live call's next stream, because the carrier is asked to close this one; not where that fails."""
        live = self._live[id]
        before = self._announced.get(live.record.carrier_id)
        self.announce(live.record, token, part)
        live.superseded = True
        try:
            yield
        except BaseException:
            live.superseded = False
            self.forget(live.record.carrier_id)
            if before is not None:
                self._announced[live.record.carrier_id] = before
            raise

    def known(self, carrier_id: str) -> CallRecord | None:
        """Find a call that is live here, as it is now, or that ended here a moment ago; no database is asked."""
        for live in self._live.values():
            if live.record.carrier_id == carrier_id:
                return live.now()
        self._forget_late()
        remembered = self._remembered.get(carrier_id)
        return remembered[0] if remembered is not None else None

    def is_live(self, id: str) -> bool:
        """Tell whether a call is live in this process."""
        return id in self._live

    def pump(self, id: str) -> Pump | None:
        """Give what carries a call that is live in this process, to watch it."""
        live = self._live.get(id)
        return live.pump if live is not None else None

    async def carrier_says(self, carrier_id: str, status: str) -> None:
        """Believe the carrier that a call is over; only where its stream never came, or ended without a word."""
        if status not in _OVER or any(live.record.carrier_id == carrier_id for live in self._live.values()):
            return
        record = await self._unfinished(carrier_id)
        if record is not None and record.answered_at is not None:
            await asyncio.sleep(ELSEWHERE_SECONDS)  # the process that carried it says more of its end
            record = await self._unfinished(carrier_id)
        if record is None:
            return
        self._announced.pop(carrier_id, None)
        record.status = status
        record.ended_at = timestamp(self._wall)
        record.ended_by = "caller"
        self._spool.put(record)

    async def _unfinished(self, carrier_id: str) -> CallRecord | None:
        record = await self._spool.find_carrier(carrier_id)
        over = record is None or record.id in self._live or record.ended_at is not None
        return None if over else record

    async def find(self, id: str) -> CallRecord | None:
        """Find a call, live or kept."""
        live = self._live.get(id)
        return live.now() if live is not None else await self._spool.find(id)

    async def list(self) -> "list[CallRecord]":
        """List calls, newest first; live ones as they are now."""
        kept = await self._spool.newest()
        return [self._live[record.id].now() if record.id in self._live else record for record in kept]

    def _known(self) -> Iterable[CallRecord]:
        """Give the records of the calls that are live, or announced and about to come."""
        self._forget_late()
        known = {call.record.id: call.record for call in self._announced.values()}
        known.update((live.record.id, live.record) for live in self._live.values())
        return known.values()

    def _close(self, live: _Live) -> None:
        """Write down how a call ended, or that one part of it did."""
        live.superseded = live.superseded or live.pump.leads_on
        live.pump.trace.forsake()
        record = live.now()
        record.timeline = live.pump.trace.timeline.kept(record.timeline)
        expected = self._announced.get(record.carrier_id)
        if expected is not None and expected.part <= record.resumed:
            del self._announced[record.carrier_id]
        if live.superseded:
            log.info("= call %s goes on", record.id)
        else:
            record.status = "completed"
            record.ended_at = timestamp(self._wall)
            log.info("x call %s ended by %s, error %s", record.id, record.ended_by, record.error)
        self._remember(record)

    def _remember(self, record: CallRecord) -> None:
        self._remembered[record.carrier_id] = (record, self._clock() + REMEMBERED_SECONDS)
        self._remembered.move_to_end(record.carrier_id)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    def _forget_late(self) -> None:
        now = self._clock()
        while self._remembered and next(iter(self._remembered.values()))[1] < now:
            self._remembered.popitem(last=False)
        late = [key for key, call in self._announced.items() if call.until < now and call.record.id not in self._live]
        for key in late:
            del self._announced[key]


class _Checkpoints:
    """Put down what a live call has come to, whenever that has changed."""

    def __init__(self, record: CallRecord, pump: Pump, spool: Spool) -> None:
        self._record = record
        self._pump = pump
        self._spool = spool
        self._decided = self._decisions()

    def changed(self) -> None:
        """Have the record written: soon; at once after a question, a verdict, its outcome, and the word of the end."""
        decided, self._decided = self._decided, self._decisions()
        self._record.observe(self._pump.trace)
        self._spool.put(self._record, urgent=decided != self._decided)

    def _decisions(self) -> tuple[str, list[tuple[str, str]]]:
        trace = self._pump.trace
        return trace.ended_by, [(asked.verdict, asked.outcome) for asked in (*trace.actions, *trace.open)]
