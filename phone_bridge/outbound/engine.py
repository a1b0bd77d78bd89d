"""The durable engine: each attempt is a workflow of DBOS Transact, kept in the database beside the calls.

DBOS holds what must outlive a process: which attempts wait, the account's calls per second and calls at a time over all
machines, and how far each attempt has come. What an attempt does is ``dialler``'s, and safe to be done again. DBOS
gives a dead executor's work back to that executor alone, which may never come back; so every process shows that it
lives, and whoever sees that one has fallen silent takes its work over.

The library costs half a second and 45 MB, so it is loaded in a thread once the server is ready, and only where an
account to call from is set.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from phone_bridge.errors import Unavailable
from phone_bridge.outbound.book import Book
from phone_bridge.outbound.dialler import GONE, PLACED, Dialler

QUEUE = "outbound"
APPLICATION = "phone-bridge"
VERSION = "1"
"""Of the workflow below: processes take over each other's work only where it is the same."""
POLL_S = 0.5
"""How often the queue is looked at; a call waits half of it on average."""
LOOK_S = 30.0
"""How long the carrier's callbacks may be missing before the carrier is asked how a call stands."""
MAX_LOOKS = 600
"""How often it is asked: longer than any call lasts."""
SETTLE_TRIES = 6
MAX_WAIT_S = 60.0
"""The longest pause between two steps, so that a clock that was set back costs no more."""
BEAT_S = 2.0
SILENT_S = 10.0
"""How long an executor may be silent before its work is taken over."""

KEPT_S = 3_600.0
"""How long the library remembers an attempt that is over."""
CLEANED_AT_ONCE = 500
_OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

SUBSEC_SQLITE = (3, 42, 0)

_PATIENT: dict[str, Any] = {
    "retries_allowed": True,
    "interval_seconds": 2.0,
    "backoff_rate": 1.0,
    "max_attempts": 1_800,
}
# A step that fails is tried again for an hour: its database was away, and an attempt that ends in an error is lost.

log = logging.getLogger("phone_bridge.outbound")


class SecondsConnection(sqlite3.Connection):
    """SQLite before ``SUBSEC_SQLITE``, whose ``unixepoch('subsec')`` is NULL, with one that is the time in seconds.

    From Python 3.12 on DBOS takes that function for granted, and Debian 12 has SQLite 3.40; before, DBOS counts whole
    seconds, too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.create_function("unixepoch", 1, lambda _: int(time.time()))


class Limits(msgspec.Struct, frozen=True):
    """What the account allows, over all machines: calls begun in a second, and calls at a time."""

    per_second: int
    at_a_time: int


class Engine:
    """DBOS in this process as the executor ``id``; ``start`` and ``stop`` block. There is one in a process."""

    def __init__(self, url: str, id: str, book: Book, dialler: Dialler, limits: Limits) -> None:
        self._url = url
        self._id = id
        self._book = book
        self._dialler = dialler
        self._limits = limits
        self._dbos: Any = None
        self._enqueue: Callable[[str], None] = _not_started
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether attempts are taken in."""
        return self._dbos is not None

    def start(self) -> None:
        """Load the library, bring the database up to date, and begin to work."""
        from dbos import DBOS, SetWorkflowID

        with self._lock:
            DBOS(
                config={
                    "name": APPLICATION,
                    "system_database_url": _plain(self._url),
                    "executor_id": self._id,
                    "application_version": VERSION,
                    "log_level": "ERROR",
                    "sys_db_pool_size": 5,
                    # what tells the library of a message in time on SQLite, too
                    "notification_listener_polling_interval_sec": 0.5,
                    "db_engine_kwargs": {"connect_args": {"factory": SecondsConnection}}
                    if self._is_old_sqlite()
                    else None,
                }
            )
            attempt = self._workflow(DBOS)
            self._book.beat(self._id)
            DBOS.launch()
            DBOS.register_queue(
                QUEUE,
                global_concurrency=self._limits.at_a_time,
                limiter={"limit": self._limits.per_second, "period": 1.0},
                polling_interval_sec=POLL_S,
                on_conflict="always_update",
            )

            def enqueue(call_id: str) -> None:
                with SetWorkflowID(call_id):
                    DBOS.enqueue_workflow(QUEUE, attempt, call_id)

            self._enqueue = enqueue
            self._dbos = DBOS

    def submit(self, call_id: str) -> None:
        """Hand an attempt over; the same one twice is one."""
        self._enqueue(call_id)

    def told(self, call_id: str) -> None:
        """Let the attempt of a call know that the carrier has said its last word on it."""
        if self._dbos is not None:
            self._dbos.send(call_id, "over", idempotency_key=f"{call_id}.over")

    def beat(self) -> None:
        """Show that this process lives, and take over the work of those that have fallen silent."""
        self._book.beat(self._id)
        for other in self._book.silent(SILENT_S):
            if other == self._id or self._dbos is None:
                continue
            taken = self._dbos._recover_pending_workflows([other])
            log.warning("= executor %s is silent: %d of its attempts are taken over", other, len(taken))
            self._book.bury(other, SILENT_S)

    def clean(self, kept_s: float = KEPT_S) -> int:
        """Have the library forget some attempts that are over for so long; gives how many they were.

        What came of them is in our own tables. An attempt that is not over is never forgotten.
        """
        if self._dbos is None:
            return 0
        before = datetime.fromtimestamp(time.time() - kept_s, UTC).isoformat()
        over = self._dbos.list_workflows(
            status=list(_OVER), completed_before=before, limit=CLEANED_AT_ONCE, load_input=False, load_output=False
        )
        if over:
            self._dbos.delete_workflows([each.workflow_id for each in over])
        return len(over)

    def stop(self) -> None:
        """End the work here; what is unfinished goes on elsewhere, or when this process is back."""
        with self._lock:
            if self._dbos is not None:
                self._dbos.destroy(destroy_registry=True)
                self._dbos = None
                with suppress(Unavailable):  # then its silence tells it
                    self._book.leave(self._id)

    def _is_old_sqlite(self) -> bool:
        return sa.make_url(self._url).get_backend_name() == "sqlite" and sqlite3.sqlite_version_info < SUBSEC_SQLITE

    def _workflow(self, dbos: Any) -> Callable[[str], Any]:
        """Make the attempt a workflow of DBOS's: what is a step is remembered, and a crash goes on after the last.

        It waits without a thread of its own, so that a process may have many calls, and may stop at any moment.
        """
        dialler = self._dialler

        async def dial(call_id: str) -> float:
            return await asyncio.to_thread(dialler.dial, call_id)

        async def over(call_id: str, ask: bool) -> bool:
            return await asyncio.to_thread(lambda: dialler.over(call_id, ask=ask))

        async def settle(call_id: str, last: bool) -> bool:
            return await asyncio.to_thread(lambda: dialler.settle(call_id, last=last))

        async def hear() -> bool:
            return await dbos.recv_async(timeout_seconds=LOOK_S) is not None

        def step(name: str, work: Any) -> Any:
            return dbos.step(name=name, **_PATIENT)(work)

        steps = Steps(step("dial", dial), step("over", over), step("settle", settle), dbos.sleep_async, hear)

        async def attempt(call_id: str) -> None:
            await live(steps, call_id)

        return dbos.workflow(name="attempt")(attempt)  # type: ignore[no-any-return]


class Steps(msgspec.Struct, frozen=True):
    """What an attempt does, as ``Dialler`` has it; ``hear`` waits for the carrier's last word, and tells if it came."""

    dial: Callable[[str], Awaitable[float]]
    over: Callable[[str, bool], Awaitable[bool]]
    settle: Callable[[str, bool], Awaitable[bool]]
    sleep: Callable[[float], Awaitable[None]]
    hear: Callable[[], Awaitable[bool]]


async def live(steps: Steps, call_id: str) -> None:
    """Live through one attempt, from its dial to what came of it."""
    while (wait := await steps.dial(call_id)) not in (PLACED, GONE):
        await steps.sleep(min(wait, MAX_WAIT_S))
    if wait == PLACED and not await steps.over(call_id, False):
        for _ in range(MAX_LOOKS):
            heard = await steps.hear()
            if await steps.over(call_id, not heard):
                break
    for place in range(SETTLE_TRIES):
        if await steps.settle(call_id, place == SETTLE_TRIES - 1):
            break
        await steps.sleep(1.0)


def _plain(url: str) -> str:
    """Write a database's URL as DBOS takes it: ``postgres`` by its whole name, and no driver."""
    address = sa.make_url(url)
    if address.get_backend_name() in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql")
    return address.render_as_string(hide_password=False)


def _not_started(call_id: str) -> None:
    raise RuntimeError(f"{call_id} was handed to an engine that was not started")
