"""The tools that this process keeps for models that call functions, and what a model is told beforehand."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from phone_bridge.app.embedded import Embedded
from phone_bridge.assistant.minting import random_id
from phone_bridge.errors import BridgeError
from phone_bridge.offers import Effect, Offer
from phone_bridge.runtime.calendar_toolbox import CalendarToolbox
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.mcp_servers import McpToolbox
from phone_bridge.runtime.memories import Memories
from phone_bridge.runtime.memory_toolbox import MemoryToolbox
from phone_bridge.runtime.toolbox import CallFacts, Some, Toolbox, Tools
from phone_bridge.runtime.voice_agent_toolbox import VoiceAgentTools
from phone_bridge.runtime.web_toolbox import WebToolbox
from phone_bridge.settings import FUNCTION_CALLING, Settings
from phone_bridge.tenants import CALENDAR, CALL, ELSEWHERE, MEMORY, WEB, Served, offered, remembers

BEGIN_SECONDS = 1.0
"""How long the beginning of a call waits for what is remembered of the caller."""

log = logging.getLogger("phone_bridge.tools")


class Toolboxes:
    """All toolboxes between ``start`` and ``stop``; a session that acts by itself is given none of them."""

    def __init__(self, settings: Settings, embedded: Embedded) -> None:
        self._settings = settings
        self._embedded = embedded
        self._boxes: list[tuple[str, Toolbox]] = []  # with the name of their group
        self._http: HttpClient | None = None
        self._memories: Memories | None = None
        self._memory: MemoryToolbox | None = None
        self._servers: list[McpToolbox] = []
        self.of_a_call: list[Callable[[CallFacts], Toolbox]] = []
        """Toolboxes that are made for each call anew."""

    async def start(self, http: HttpClient) -> None:
        """Open them, in the order in which their tools are offered."""
        settings = self._settings
        self._http = http
        self._boxes.append((CALENDAR, CalendarToolbox(self._embedded.tools)))
        if settings.memory:
            self._memories = Memories(settings.database_url, new_id=random_id, now=lambda: datetime.now(UTC))
            await asyncio.to_thread(self._memories.prepare)
            self._memory = MemoryToolbox(self._memories)
            self._boxes.append((MEMORY, self._memory))
        if settings.tavily_api_key:
            self._boxes.append((WEB, WebToolbox(http, settings.tavily_api_key, settings.tavily_url)))
        self._servers = [McpToolbox(server) for server in settings.mcp]
        for server in self._servers:
            server.start()
        self._boxes += [(server.name, box) for server, box in zip(settings.mcp, self._servers, strict=True)]

    async def stop(self) -> None:
        """Let everything go."""
        await asyncio.gather(*(server.close() for server in self._servers))
        if self._memories is not None:
            self._memories.close()

    async def begin(self, facts: CallFacts, served: Served) -> str:
        """Get ready for a call, and say what its model should know of the caller; what is slow is gone without."""
        if served.settings.session not in FUNCTION_CALLING:
            return ""
        remembered, _ = await asyncio.gather(self._remembered(facts, served), self.refresh())
        return remembered

    def tools(self, facts: CallFacts, served: Served) -> Tools:
        """Collect what a call's model may use."""
        if served.settings.session not in FUNCTION_CALLING:
            return Tools((), facts)
        boxes = [*self._boxes, *((CALL, make(facts)) for make in self.of_a_call)]
        if served.tools is None:
            return Tools([box for _, box in boxes], facts, self._elsewhere(served))
        some = [Some(box, _chosen(group, served.tools)) for group, box in boxes]
        return Tools(some, facts, self._elsewhere(served) if ELSEWHERE in served.tools else None)

    def _elsewhere(self, served: Served) -> VoiceAgentTools | None:
        """Make whoever runs the tools that a voice agent's session brings along, by its own address and key."""
        if served.settings.session != "voice-agent" or self._http is None:
            return None
        return VoiceAgentTools(self._http, served.settings.session_url, served.settings.session_key)

    def all(self, facts: CallFacts) -> Tools:
        """Collect everything that there is, for whoever runs tools by themselves."""
        return Tools([box for _, box in self._boxes], facts)

    async def refresh(self) -> None:
        """See that the lists of tools are fresh, as far as their servers are there."""
        await asyncio.gather(*(server.refresh() for server in self._servers))

    async def _remembered(self, facts: CallFacts, served: Served) -> str:
        if self._memory is None or not remembers(served.tools):
            return ""
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                return await self._memory.begin(facts)
        except (TimeoutError, BridgeError):
            log.warning("! what is remembered of a caller could not be looked up")
            return ""


def _chosen(group: str, names: frozenset[str]) -> Callable[[Offer], bool]:
    return lambda offer: offered(group, offer.name, names, reads=offer.effect is Effect.READ)
