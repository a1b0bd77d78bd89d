"""Tools on MCP servers (https://modelcontextprotocol.io), by the official SDK, over stdio or streamable HTTP.

Each server has one task that connects, lists its tools and stays; a server that is down costs a line in the log and is
tried again, while calls go on without it. What it says of its tools is taken for what they do only where that makes
them more harmless by name: a tool that is not marked counts as one whose deeds nobody can take back.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from phone_bridge.call.events import Action
from phone_bridge.errors import SettingsError
from phone_bridge.offers import Effect, Offer
from phone_bridge.runtime.toolbox import CallFacts, Ran, failure

LIST_SECONDS = 1.0
"""How long the beginning of a call waits for the lists of tools."""
CONNECT_SECONDS = 10.0
TOOL_SECONDS = 30.0
"""How long one tool may take: a desktop is slower than a calendar."""
FRESH_SECONDS = 60.0
"""How long a list of tools is taken for true."""
BACK_OFF_SECONDS, BACK_OFF_LIMIT_SECONDS = 1.0, 60.0
MAX_TOOLS = 128
"""The most tools of one server that are offered."""
MAX_NAME_CHARS = 64
"""The longest name of a function that models take."""

_SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9_-]")
_log = logging.getLogger("phone_bridge.tools")


class McpServer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server as an operator names it: a ``command`` with ``args`` to start, or a ``url``."""

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    """Names of environment variables that the command may see."""
    url: str = ""
    bearer_env: str = ""
    """Names the environment variable whose value is shown to the URL as a bearer token."""
    users: tuple[str, ...] = ()
    """Whose calls may use it; everybody's where nobody is named."""
    secrets: Mapping[str, str] = {}
    """The values of those variables; filled in by ``opened``."""

    def __repr__(self) -> str:
        return f"McpServer(name={self.name!r})"


def opened(servers: Sequence[McpServer], environ: Mapping[str, str | None]) -> tuple[McpServer, ...]:
    """Check the servers and find what they need of the environment; raises SettingsError with the mend."""
    names = [server.name for server in servers]
    for server in servers:
        where = f"[[mcp]] {server.name!r}"
        if not _SERVER_NAME.fullmatch(server.name) or names.count(server.name) > 1:
            raise SettingsError("each of [[mcp]] needs a name of its own: letters, digits and dashes, 32 at most")
        if bool(server.command) == bool(server.url):
            raise SettingsError(f"{where} needs either a command or a url")
        if server.url and not server.url.startswith(("http://", "https://")):
            raise SettingsError(f"{where} needs a url such as http://localhost:8001/mcp")
        if server.secrets:
            raise SettingsError(f"{where} has secrets in the clear: name environment variables with env or bearer_env")
        for name in (*server.env, *filter(None, [server.bearer_env])):
            if not environ.get(name):
                raise SettingsError(f"{where} names the environment variable {name}, which is not set")
    return tuple(
        msgspec.structs.replace(
            server, secrets={name: environ.get(name) or "" for name in (*server.env, server.bearer_env) if name}
        )
        for server in servers
    )


def effect_of(annotations: Any) -> Effect:
    """Weigh a tool by what its server says of it; what is not said counts as the worst."""
    if getattr(annotations, "read_only_hint", None) is True:
        return Effect.READ
    if getattr(annotations, "destructive_hint", None) is False:
        return Effect.OUTWARD if getattr(annotations, "open_world_hint", None) is not False else Effect.WRITE
    return Effect.DESTROY


def offered_name(server: str, tool: str) -> str:
    """Name a tool to models: its server's name and its own."""
    return _UNNAMEABLE.sub("_", f"{server}_{tool}")[:MAX_NAME_CHARS]


class McpToolbox:
    """Offer the tools of one server between ``start`` and ``close``."""

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._client: Any = None
        self._offers: dict[str, tuple[str, Offer]] = {}
        self._listed_at: float | None = None
        self._up = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect in the background, and stay connected; raises SettingsError without the library."""
        _library()
        self._task = asyncio.get_running_loop().create_task(self._stay())

    async def close(self) -> None:
        """Part from the server."""
        self._closing.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> None:
        """See that the list of tools is there and fresh, for LIST_SECONDS at most."""
        now = asyncio.get_running_loop().time()
        if self._up.is_set() and self._listed_at is not None and now - self._listed_at < FRESH_SECONDS:
            return
        try:
            async with asyncio.timeout(LIST_SECONDS):
                await self._up.wait()
                await self._list()
        except Exception as error:  # noqa: BLE001 - whatever a server does, the call begins
            _log.warning("! the MCP server %s does not list its tools: %s", self._server.name, type(error).__name__)

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Offer what was listed last, to whom it may be offered."""
        if not self._up.is_set() or (self._server.users and facts.user_id not in self._server.users):
            return ()
        return tuple(offer for _, offer in self._offers.values())

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Give the action as it is: what it would do exactly knows its server alone."""
        return action

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Run one of the server's tools."""
        tool, offer = self._offers.get(action.name, ("", None))
        if self._client is None or offer is None:
            return Ran(failure("tool_unavailable", "The server that has this tool is not connected."), False)
        unsure = offer.effect is not Effect.READ
        try:
            result = await self._client.call_tool(tool, dict(action.parameters), read_timeout_seconds=TOOL_SECONDS)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - a foreign library's and a foreign server's, whatever it is
            _log.warning("! a tool of the MCP server %s failed: %s", self._server.name, type(error).__name__)
            return Ran(failure("tool_failed", "The tool's server failed."), False, unsure)
        return Ran(_told(result), not result.is_error, False)

    async def _stay(self) -> None:
        """Be the server's task: connect, list, and wait for the end of either; try again ever more slowly."""
        wait = BACK_OFF_SECONDS
        while not self._closing.is_set():
            try:
                await self._connected()
                wait = BACK_OFF_SECONDS
            except Exception as error:  # noqa: BLE001 - the top of a task
                _log.warning("! the MCP server %s is not there: %s", self._server.name, type(error).__name__)
            finally:
                self._up.clear()
                self._client = None
            await asyncio.sleep(wait)
            wait = min(wait * 2, BACK_OFF_LIMIT_SECONDS)

    async def _connected(self) -> None:
        client_class = _library()
        async with asyncio.timeout(CONNECT_SECONDS) as limit:
            async with client_class(await self._place(), read_timeout_seconds=TOOL_SECONDS) as client:
                self._client = client
                await self._list()
                self._up.set()
                limit.reschedule(None)
                _log.info("= the MCP server %s has %d tools", self._server.name, len(self._offers))
                while not self._closing.is_set():
                    await asyncio.sleep(FRESH_SECONDS)
                    await self._list()  # a server that is gone is found out so

    async def _list(self) -> None:
        found: dict[str, tuple[str, Offer]] = {}
        cursor = None
        while len(found) < MAX_TOOLS:
            page = await self._client.list_tools(cursor=cursor, cache_mode="refresh")
            for tool in page.tools:
                name = offered_name(self._server.name, tool.name)
                found[name] = (
                    tool.name,
                    Offer(
                        name=name,
                        description=(tool.description or tool.name)[:1024],
                        schema=tool.input_schema,
                        effect=effect_of(tool.annotations),
                        seconds=TOOL_SECONDS + 1,
                    ),
                )
            cursor = page.next_cursor
            if cursor is None:
                break
        self._offers = dict(list(found.items())[:MAX_TOOLS])
        self._listed_at = asyncio.get_running_loop().time()

    async def _place(self) -> Any:
        server = self._server
        if server.command:
            from mcp.client.stdio import StdioServerParameters

            env = {name: server.secrets[name] for name in server.env}
            return StdioServerParameters(command=server.command, args=list(server.args), env=env)
        if not server.bearer_env:
            return server.url
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        headers = {"Authorization": f"Bearer {server.secrets[server.bearer_env]}"}
        return streamable_http_client(server.url, http_client=httpx2.AsyncClient(headers=headers))


def _library() -> Any:
    try:
        from mcp.client import Client
    except ModuleNotFoundError:
        raise SettingsError(
            "[[mcp]] names servers, and the library for them is not installed: pip install 'phone_bridge[mcp]'"
        ) from None
    return Client


def _told(result: Any) -> str:
    """Write what a tool gave as text; pictures and sounds cannot be told."""
    if result.structured_content:
        return msgspec.json.encode(result.structured_content).decode()
    parts = [getattr(block, "text", None) or f"[{block.type}]" for block in result.content]
    return "\n".join(parts)
