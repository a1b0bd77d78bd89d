"""A connection to PostgreSQL that does not wait for ever; it needs the extra ``postgres``."""

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

STATEMENT_SECONDS = 2.0
"""How long the server may work on one statement, or wait for a lock in it."""
SILENCE_SECONDS = 2.2
"""How long a server that says nothing is listened to: frozen, or behind a network that swallows everything."""

Value = TypeVar("Value")


class Patient(psycopg.Connection[Any]):
    """A connection that gives a silent server up; the server's own timeout does not help where the server hangs."""

    def wait(self, gen: PQGen[Value], *args: Any, **options: Any) -> Value:
        """Wait for an answer; raises OperationalError, and is closed, when none comes."""
        return super().wait(self._listen(gen), *args, **options)

    def _listen(self, work: PQGen[Value]) -> PQGen[Value]:
        deadline = time.monotonic() + SILENCE_SECONDS
        try:
            wanted = next(work)
            while True:
                ready = yield wanted  # psycopg comes back every 100 ms, with nothing ready if need be
                if ready:
                    deadline = time.monotonic() + SILENCE_SECONDS
                elif time.monotonic() > deadline:
                    self.close()  # an answer that comes later belongs to nobody
                    raise psycopg.OperationalError(f"the server said nothing for {SILENCE_SECONDS} s")
                wanted = work.send(ready)
        except StopIteration as done:
            value: Value = done.value
            return value


def connect(dialect: Any, record: Any, arguments: Any, options: Any) -> Patient:
    """Connect for SQLAlchemy, as its ``do_connect`` event asks."""
    connection = Patient.connect(*arguments, **options)
    # Not by the URL's "options": poolers between us and the server refuse what they do not know there.
    connection.autocommit = True
    connection.execute(f"SET statement_timeout = {int(STATEMENT_SECONDS * 1000)}")
    connection.autocommit = False
    return connection
