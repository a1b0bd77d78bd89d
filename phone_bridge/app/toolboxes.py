"""The tools that this process keeps for models that call functions, and what a model is told beforehand."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from phone_bridge.app.embedded import Embedded
from phone_bridge.assistant.minting import random_id
from phone_bridge.errors import BridgeError
from phone_bridge.runtime.calendar_toolbox import CalendarToolbox
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.mcp_servers import McpToolbox
from phone_bridge.runtime.memories import Memories
from phone_bridge.runtime.memory_toolbox import MemoryToolbox
from phone_bridge.runtime.toolbox import CallFacts, Toolbox, Tools
from phone_bridge.runtime.voice_agent_toolbox import VoiceAgentTools
from phone_bridge.runtime.web_toolbox import WebToolbox
from phone_bridge.settings import FUNCTION_CALLING, Settings

BEGIN_SECONDS = 1.0
"""How long the beginning of a call waits for what is remembered of the caller."""

log = logging.getLogger("phone_bridge.tools")


class Toolboxes:
    """All toolboxes between ``start`` and ``stop``; a session that acts by itself is given none of them."""

    def __init__(self, settings: Settings, embedded: Embedded) -> None:
        self._settings = settings
        self._embedded = embedded
        self._used = settings.session in FUNCTION_CALLING
        self._boxes: list[Toolbox] = []
        self._memories: Memories | None = None
        self._memory: MemoryToolbox | None = None
        self._servers: list[McpToolbox] = []
        self._elsewhere: VoiceAgentTools | None = None
        self.of_a_call: list[Callable[[CallFacts], Toolbox]] = []
        """Toolboxes that are made for each call anew."""

    async def start(self, http: HttpClient) -> None:
        """Open them, in the order in which their tools are offered."""
        settings = self._settings
        self._boxes.append(CalendarToolbox(self._embedded.tools))
        if settings.memory:
            self._memories = Memories(settings.database_url, new_id=random_id, now=lambda: datetime.now(UTC))
            await asyncio.to_thread(self._memories.prepare)
            self._memory = MemoryToolbox(self._memories)
            self._boxes.append(self._memory)
        if settings.tavily_api_key:
            self._boxes.append(WebToolbox(http, settings.tavily_api_key, settings.tavily_url))
        self._servers = [McpToolbox(server) for server in settings.mcp]
        for server in self._servers:
            server.start()
        self._boxes += self._servers
        if settings.session == "voice-agent":
            self._elsewhere = VoiceAgentTools(http, settings.session_url, settings.session_key)

    async def stop(self) -> None:
        """Let everything go."""
        await asyncio.gather(*(server.close() for server in self._servers))
        if self._memories is not None:
            self._memories.close()

    async def begin(self, facts: CallFacts) -> str:
        """Get ready for a call, and say what its model should know of the caller; what is slow is gone without."""
        if not self._used:
            return ""
        remembered, _ = await asyncio.gather(self._remembered(facts), self.refresh())
        return remembered

    def tools(self, facts: CallFacts) -> Tools:
        """Collect what a call's model may use."""
        if not self._used:
            return Tools((), facts)
        return Tools([*self._boxes, *(make(facts) for make in self.of_a_call)], facts, self._elsewhere)

    def all(self, facts: CallFacts) -> Tools:
        """Collect everything that there is, for whoever runs tools by themselves."""
        return Tools(self._boxes, facts)

    async def refresh(self) -> None:
        """See that the lists of tools are fresh, as far as their servers are there."""
        await asyncio.gather(*(server.refresh() for server in self._servers))

    async def _remembered(self, facts: CallFacts) -> str:
        if self._memory is None:
            return ""
        try:
            async with asyncio.timeout(BEGIN_SECONDS):
                return await self._memory.begin(facts)
        except (TimeoutError, BridgeError):
            log.warning("! what is remembered of a caller could not be looked up")
            return ""
