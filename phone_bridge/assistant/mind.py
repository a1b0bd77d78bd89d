"""How talks begin: who is calling, in which time zone, and what their calendar's events are called."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from phone_bridge.assistant.calendar.demo import ALICE, BOB, refill
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.conversation import CalendarConversation
from phone_bridge.assistant.plans import Caller
from phone_bridge.tools.catalogue import Policy
from phone_bridge.tools.keeper import Event

TITLES_AHEAD = timedelta(days=60)
"""How far ahead the calendar is read for titles that the caller may say."""


class CalendarMind:
    """Begin talks about the calendars of ``keeper``; ``new_id`` makes an id from its prefix, ``now`` gives the time."""

    def __init__(
        self,
        keeper: SqlKeeper,
        *,
        new_id: Callable[[str], str],
        now: Callable[[], datetime],
        policy: Policy = Policy.DEFAULT,
    ) -> None:
        self._keeper = keeper
        self._new_id = new_id
        self._now = now
        self._policy = policy

    async def converse(
        self, user_id: str, tools: frozenset[str], policy: Policy = Policy.DEFAULT
    ) -> CalendarConversation:
        """Begin a talk in which only ``tools`` may be used; raises Refused for a user nobody knows, and Unavailable.

        Under the default ``policy`` this mind's own one holds. The demonstration's user gets a new week when the old
        one is used up.
        """
        now = self._now()
        if user_id in (ALICE.id, BOB.id):
            await refill(self._keeper, now)
        user = await self._keeper.user(user_id)
        events = await self._keeper.events(user_id, start=now, end=now + TITLES_AHEAD)
        caller = Caller(
            user_id=user_id,
            timezone=user.timezone,
            event_minutes=user.default_event_duration_min,
            unasked=user.auto_confirm,
            titles=tuple(dict.fromkeys(event.title for event in events)),
            names=tuple(dict.fromkeys(name for event in events for name in _names(event))),
        )
        chosen = self._policy if policy is Policy.DEFAULT else policy
        return CalendarConversation(caller, lambda: self._new_id("act"), tools, chosen)


def _names(event: Event) -> Iterator[str]:
    """Name who takes part in an event, and where it is."""
    yield from (person.name for person in event.attendees if person.name)
    if event.location is not None and event.location.name:
        yield event.location.name
