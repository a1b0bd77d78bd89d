"""What is done once an hour beside the calls: nothing about a caller is kept longer than the operator wants it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from phone_bridge.errors import Unavailable
from phone_bridge.runtime.record import Records, timestamp
from phone_bridge.runtime.recordings import Recordings
from phone_bridge.runtime.traces import Traces

PERIOD_SECONDS = 3_600.0
DAY_SECONDS = 86_400

log = logging.getLogger("phone_bridge.house")


async def keep_house(
    records: Records,
    retention_days: int,
    *,
    traces: Traces | None = None,
    recordings: Recordings | None = None,
    wall: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread,
) -> None:
    """Purge ``records``, ``traces`` and ``recordings`` once an hour until cancelled.

    A ``retention_days`` of 0 keeps what was said for ever. ``wall`` gives seconds since 1970. Every process of a
    database does this; what one has purged, the others skip.
    """
    while True:
        try:
            tidying = asyncio.ensure_future(in_thread(_tidy, records, (traces, recordings), retention_days, wall()))
            try:
                await asyncio.shield(tidying)
            except asyncio.CancelledError:
                await asyncio.wait({tidying})  # a thread cannot be cancelled, and it holds a connection
                raise
        except Unavailable as error:
            log.warning("! the records could not be purged (%s): once more in an hour", error.code)
        except Exception:
            log.exception("! the records could not be purged")  # a task's top: the next hour may be a better one
        await sleep(PERIOD_SECONDS)


def _tidy(records: Records, files: Iterable[Traces | Recordings | None], retention_days: int, now: float) -> None:
    for kept in files:  # first, for they need no database
        if kept is not None and retention_days:
            kept.purge(now - retention_days * DAY_SECONDS)
    records.sweep(now)
    if retention_days:
        purged = records.purge(timestamp(lambda: now - retention_days * DAY_SECONDS))
        if purged:
            log.info("= purged %d calls that ended over %d days ago", purged, retention_days)
