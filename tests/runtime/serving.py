"""Real servers on the loopback for tests: uvicorn's own protocols without its slow start and stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
import uvloop
from uvicorn.server import ServerState

from phone_bridge.runtime import websocket_client
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.websocket_server import UVICORN_OPTIONS

LOOPS: list[Callable[[Coroutine[Any, Any, None]], None]] = [asyncio.run, uvloop.run]
PATIENCE_SECONDS = 30
"""How long a test waits for what should be there in a few milliseconds, on a machine that is busy with others, too."""

CERTIFICATE = Path(__file__).with_name("localhost.pem")  # for localhost and 127.0.0.1, by its own key


class Running(NamedTuple):
    """A server that listens."""

    port: int
    state: ServerState

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[Running]:
    """Serve ``app`` as the bridge does; at the end nothing may be left of its connections."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, **{**UVICORN_OPTIONS, **options})
    config.load()
    state = ServerState()
    protocol: Any = config.http_protocol_class
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0, ssl=config.ssl
    )
    try:
        yield Running(server.sockets[0].getsockname()[1], state)
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        await until(lambda: not state.connections and not state.tasks)


async def dial(url: str, **options: Any) -> Socket:
    """Open a socket to a server of the tests, as the bridge would if it were never in a hurry."""
    return await websocket_client.dial(url, timeout_ms=PATIENCE_SECONDS * 1000, **options)


async def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for what another task or the network will do."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.001)
