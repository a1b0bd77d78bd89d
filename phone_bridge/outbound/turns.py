"""Begin what is due, in fair turns between users, and never more of it than can be dialled soon."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from phone_bridge.outbound.book import Book, Maker

AHEAD_S = 5
"""So many seconds' worth of calls are handed to the engine's queue; the rest waits where turns are fair."""


class Queue(Protocol):
    """What takes attempts in, as ``engine.Engine`` does: the same one twice is one."""

    def submit(self, call_id: str) -> None:
        """Hand an attempt over."""
        ...


class Turns:
    """Hand the attempts of ``book`` to ``queue``, of which ``per_second`` are dialled in a second over all processes.

    ``make`` makes the attempt of a reminder, ``new_id`` names its call, ``wall`` gives seconds since 1970. Every
    process has turns of its own; each step that must happen once is taken in the book, by one of them. Blocks.
    """

    def __init__(
        self,
        book: Book,
        queue: Queue,
        per_second: int,
        *,
        make: Maker,
        new_id: Callable[[], str],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._book = book
        self._queue = queue
        self._ahead = per_second * AHEAD_S
        self._make = make
        self._new_id = new_id
        self._wall = wall

    def room(self) -> int:
        """Count the calls that may be begun now: no more than can be dialled soon."""
        return self._ahead - self._book.queued()

    def begin(self, room: int) -> None:
        """Begin so many of those that are due, and hand them over."""
        self._book.claim(datetime.fromtimestamp(self._wall(), UTC), room, self._new_id, self._make)
        for call_id in self._book.unsubmitted(room, int(self._wall())):
            self._queue.submit(call_id)
            self._book.note(call_id, submitted_at=int(self._wall()))
