"""A keeper for all users: events where each user has them, on a CalDAV server or here, and everything else here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from phone_bridge.assistant.calendar.accounts import Account
from phone_bridge.assistant.calendar.sql_events import SqlEvents
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.errors import Refused
from phone_bridge.tools.keeper import Calendar, Edit, Event, EventFields, EventKeeper, Series, SeriesScope, User


class Remote(EventKeeper, Protocol):
    """A keeper that has connections to let go."""

    def close(self) -> None:
        """Let them go."""
        ...


class JoinedKeeper(SqlKeeper):
    """Keep calendars in the database at ``url``, but the events of some users (``elsewhere``) with other keepers."""

    def __init__(
        self,
        url: str,
        elsewhere: Mapping[str, Remote],
        *,
        new_id: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(url, new_id=new_id, now=now)
        self._elsewhere = elsewhere
        self._here = SqlEvents(self._ledger)

    def close(self) -> None:
        """Let all connections go."""
        for keeper in self._elsewhere.values():
            keeper.close()
        super().close()

    async def calendars(self, user_id: str) -> list[Calendar]:
        """List a user's calendars, the default one first."""
        return await self._of(user_id).calendars(user_id)

    async def events(
        self,
        user_id: str,
        *,
        start: datetime | None,
        end: datetime | None,
        include_cancelled: bool = False,
        unroll: bool = True,
    ) -> list[Event]:
        """List the events that touch ``start`` to ``end`` (None is open), by their beginning."""
        return await self._of(user_id).events(
            user_id, start=start, end=end, include_cancelled=include_cancelled, unroll=unroll
        )

    async def event(self, event_id: str, *, user_id: str | None = None) -> Event:
        """Find an event; of anybody's where no user is named."""
        if user_id is not None:
            return await self._of(user_id).event(event_id, user_id=user_id)
        for keeper in self._elsewhere.values():
            try:
                return await keeper.event(event_id)
            except Refused:
                continue
        return await self._here.event(event_id)

    async def series(self, user_id: str, event_id: str) -> Series:
        """Find the whole calendar object to which an event belongs."""
        return await self._of(user_id).series(user_id, event_id)

    async def create_event(self, user_id: str, fields: EventFields, *, key: str) -> Event:
        """Keep a new event, or a new series."""
        return await self._of(user_id).create_event(user_id, fields, key=key)

    async def update_event(
        self, user_id: str, event_id: str, change: Callable[[Event], Event], *, key: str, scope: SeriesScope = "this"
    ) -> Edit:
        """Put ``change(event)`` in the place of an event."""
        return await self._of(user_id).update_event(user_id, event_id, change, key=key, scope=scope)

    async def cancel_event(
        self, user_id: str, event_id: str, *, reason: str | None, key: str, scope: SeriesScope = "this"
    ) -> Event:
        """Mark an event as cancelled."""
        return await self._of(user_id).cancel_event(user_id, event_id, reason=reason, key=key, scope=scope)

    async def delete_event(self, user_id: str, event_id: str, *, key: str, scope: SeriesScope = "this") -> Event:
        """Forget an event for good."""
        return await self._of(user_id).delete_event(user_id, event_id, key=key, scope=scope)

    def _of(self, user_id: str) -> EventKeeper:
        return self._elsewhere.get(user_id, self._here)


def keeper_of(
    url: str, accounts: Sequence[Account], *, new_id: Callable[[str], str], now: Callable[[], datetime]
) -> SqlKeeper:
    """Make the keeper of a deployment; raises SettingsError where an account is named and its library is missing."""
    if not accounts:
        return SqlKeeper(url, new_id=new_id, now=now)
    # An extra, and slow to load
    from phone_bridge.assistant.calendar.caldav import CalDavKeeper

    elsewhere: dict[str, Remote] = {account.user_id: CalDavKeeper(account, now=now) for account in accounts}
    return JoinedKeeper(url, elsewhere, new_id=new_id, now=now)


async def add_users(keeper: SqlKeeper, accounts: Sequence[Account]) -> None:
    """Have everybody known who has an account."""
    for account in accounts:
        await keeper.add_user(User(id=account.user_id, timezone=account.timezone))
