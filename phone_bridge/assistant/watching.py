"""Watching the ways to everybody's events, once a minute, while somebody wants to be told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from phone_bridge.assistant import departures
from phone_bridge.assistant.ports import Tools
from phone_bridge.assistant.telling import Webhooks
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.tools.keeper import CalendarKeeper, Event

PERIOD_S = 60.0
USERS_AT_A_TIME = 100
TOLD = ("departure.threshold_reached", "event.late_predicted")

_log = logging.getLogger("phone_bridge.webhooks")


class Watch:
    """The watch of one process; several may watch one database, for what they tell is told once."""

    def __init__(
        self,
        keeper: CalendarKeeper,
        tools: Tools,
        hooks: Webhooks,
        wall: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._keeper = keeper
        self._tools = tools
        self._hooks = hooks
        self._wall = wall
        self._sleep = sleep

    async def keep(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                if await asyncio.to_thread(self._is_wanted):
                    await self.look()
            except (Refused, Unavailable) as error:
                _log.warning("! the ways to events could not be watched (%s)", error.code)
            except Exception:  # noqa: BLE001 - the top of a task: the next minute may be a better one
                _log.exception("! the ways to events could not be watched")
            await self._sleep(PERIOD_S)

    async def look(self) -> None:
        """Look at everybody's events once, and tell what is due."""
        after: str | None = None
        while users := await self._keeper.users(after=after, limit=USERS_AT_A_TIME):
            for user in users:
                await self._look_at(user.id)
            after = users[-1].id

    def _is_wanted(self) -> bool:
        return any(endpoint.wants(kind, "") for endpoint in self._hooks.store.endpoints() for kind in TOLD)

    async def _look_at(self, user_id: str) -> None:
        now = self._wall()
        start, end = now - departures.AFTER, now + departures.AHEAD
        for event in await self._keeper.events(user_id, start=start, end=end):
            if departures.is_watched(event, now):
                await self._judge(event, now)

    async def _judge(self, event: Event, now: datetime) -> None:
        about, key = {"event_id": event.id}, f"watch:{event.id}"
        departure = await self._tools.run(event.user_id, "get_departure_info", about, key=key)
        lateness = await self._tools.run(event.user_id, "check_if_late", about, key=key)
        for happening in departures.due(event, departure, lateness, now):
            await self._hooks.tell(happening)
