"""The calendar's tools as a toolbox, for sessions whose model calls functions."""

import msgspec

from phone_bridge.call.events import Action
from phone_bridge.offers import TOOL_SECONDS, Effect, Offer
from phone_bridge.runtime.toolbox import CallFacts, Ran
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools, Prepared, Result

MARGIN_SECONDS = 2.0
"""How much longer than its own limit a tool may take here, so that it is the tool that says what is the matter."""

_UNSURE = "api_error"  # the type of what went wrong with the calendar itself, which may have written all the same


class CalendarToolbox:
    """Offer the calendar of whoever a call is bound to."""

    def __init__(self, tools: CalendarTools) -> None:
        self._tools = tools

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

    async def prepare(self, user_id: str, action: Action) -> Action | Ran:
        """Say which events would be touched, and how, or why nothing can be done."""
        prepared = await self._tools.prepare(user_id, action.name, action.parameters)
        return prepared.action if isinstance(prepared, Prepared) else Ran(_written(prepared), False)

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Run one of the tools; what the calendar cannot do is told in the result."""
        result = await self._tools.run(user_id, action.name, action.parameters, key=key)
        ok = result["ok"] is True
        writes = CALENDAR_TOOLS.find(action.name).effect is not Effect.READ
        return Ran(_written(result), ok, not ok and writes and result["error"]["type"] == _UNSURE)


def _written(result: Result) -> str:
    return msgspec.json.encode(result).decode()
