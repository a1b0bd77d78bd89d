"""A keeper of calendars on a database: SQLite in a file, or PostgreSQL, by the URL alone."""

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec import structs
from sqlalchemy import Connection, select

from phone_bridge.assistant.calendar.deeds import Ledger, in_thread, unavailable
from phone_bridge.assistant.calendar.sql_events import SqlEvents
from phone_bridge.assistant.calendar.sql_users import SqlUsers
from phone_bridge.assistant.calendar.tables import DEEDS, METADATA
from phone_bridge.errors import Unavailable
from phone_bridge.runtime import database
from phone_bridge.tools.keeper import AlertFields, Event, EventFields, User


class SqlKeeper(SqlEvents, SqlUsers):
    """Keep calendars in the database at ``url``.

    ``new_id`` makes an id from its prefix (``"evt"`` gives ``evt_…``), ``now`` the time, aware. The database's calls
    block: the async methods make them in a thread. Raises SettingsError for a URL that no driver here serves.
    """

    def __init__(self, url: str, *, new_id: Callable[[str], str], now: Callable[[], datetime]) -> None:
        super().__init__(Ledger(database.engine(url), new_id=new_id, now=now))

    def prepare(self) -> None:
        """Make the tables and columns that are missing; blocks, and raises Unavailable without a database."""
        try:
            database.prepare(self._ledger.engine, METADATA)
        except Unavailable as error:
            raise unavailable() from error

    def close(self) -> None:
        """Let the connections go."""
        self._ledger.engine.dispose()

    async def fill(self, user: User, events: Iterable[EventFields], alerts: Iterable[AlertFields] = ()) -> bool:
        """Keep ``events`` for a user with nothing ahead, and the user; False when there is something ahead.

        An alert without an event is about the first of the events.
        """
        return await in_thread(self._fill, user, list(events), list(alerts))

    def _fill(self, user: User, events: list[EventFields], alerts: list[AlertFields]) -> bool:
        self.put_user(user)
        with self._ledger.transaction() as db:
            # Two who fill at once count the same fillings, and the second one's key is taken.
            fillings = db.execute(select(DEEDS.c.key).where(DEEDS.c.user_id == user.id, DEEDS.c.key.like("fill:%")))
            key = f"fill:{len(fillings.all())}"
        now = self._ledger.now()
        if any(event.start_time > now for event in self.list_events(user.id, now, None)):
            return False

        def work(db: Connection) -> list[Event]:
            kept = [self.insert(db, user.id, fields) for fields in events]
            for alert in alerts:
                self.raise_alert(db, user.id, structs.replace(alert, event_id=alert.event_id or kept[0].id))
            return kept

        self._ledger.do_once(list[Event], user.id, key, work)
        return True
