"""The calendar's tools as a toolbox, for sessions whose model calls functions."""

from typing import Any, Protocol

import msgspec

from phone_bridge.call.events import Action, Affected
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.offers import TOOL_SECONDS, Effect, Offer
from phone_bridge.runtime.toolbox import CallFacts, Ran
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools, plain_event
from phone_bridge.tools.keeper import Event

MARGIN_SECONDS = 2.0
"""How much longer than its own limit a tool may take here, so that it is the tool that says what is the matter."""

MOST_AFFECTED = 50
"""Events of one action that are looked up to be named."""


class Finder(Protocol):
    """Whoever can show one event."""

    async def event(self, event_id: str) -> Event:
        """Find an event of anybody's; raises Refused where there is none, Unavailable without a calendar."""
        ...


class CalendarToolbox:
    """Offer the calendar of whoever a call is bound to; ``finder`` shows the events that an action would touch."""

    def __init__(self, tools: CalendarTools, finder: Finder) -> None:
        self._tools = tools
        self._finder = finder

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Offer every tool of the calendar."""
        return tuple(
            Offer(
                name=tool.name,
                description=tool.description,
                schema=tool.schema,
                effect=tool.effect,
                seconds=TOOL_SECONDS + MARGIN_SECONDS,
            )
            for tool in CALENDAR_TOOLS
        )

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Look up what the action touches, so that it can be named; raises Refused for an event that is not there."""
        ids = _event_ids(action.parameters)[:MOST_AFFECTED]
        try:
            events = [await self._finder.event(event_id) for event_id in ids]
        except Unavailable:
            return action  # named by its id, then
        if any(event.user_id != user_id for event in events):
            raise Refused("There is no such event in this calendar.", code="resource_missing")
        affects = tuple(Affected(event.id, event.title, plain_event(event)["start_time"]) for event in events)
        return msgspec.structs.replace(action, affects=affects)

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Run one of the tools; what the calendar cannot do is told in the result."""
        result = await self._tools.run(user_id, action.name, action.parameters, key=key)
        ok = result.get("ok") is True
        unsure = not ok and CALENDAR_TOOLS.find(action.name).effect is not Effect.READ and _is_unsure(result)
        return Ran(msgspec.json.encode(result).decode(), ok, unsure)


def _event_ids(parameters: dict[str, Any]) -> list[str]:
    one, many = parameters.get("event_id"), parameters.get("event_ids")
    found = [one] if isinstance(one, str) else many if isinstance(many, list) else []
    return [each for each in found if isinstance(each, str)]


def _is_unsure(result: dict[str, Any]) -> bool:
    """Tell whether the calendar may have written all the same."""
    error = result.get("error")
    return isinstance(error, dict) and error.get("type") == "api_error"
