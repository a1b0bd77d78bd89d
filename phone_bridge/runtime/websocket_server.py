"""uvicorn's WebSocket side on picows: every ASGI WebSocket route works, and a route may take the frames themselves.

uvicorn parses the request and hands it to ``PicowsProtocol``, which asks the application. Once that accepts, picows
frames the connection and nothing of this module runs for a message that goes to a listener. An application that wants
this calls ``scope["extensions"]["phone_bridge.frames"]["take"]()`` after its ``websocket.accept`` (``sockets.accept``
does) and gets a ``Socket``; from then on ``receive`` tells only of the end, and ``send`` is left alone.

Compression is never negotiated. TCP only: picows sets options of TCP, which a UNIX socket does not have.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any, cast
from urllib.parse import unquote

from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # its stub leaves out the class that api.py builds on
from starlette.types import Message, Scope
from uvicorn import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from phone_bridge.errors import LocalError
from phone_bridge.runtime.http_server import GuardedProtocol
from phone_bridge.runtime.sockets import FRAMES_EXTENSION, LOST, Socket
from phone_bridge.runtime.websocket import MESSAGE_BYTES, PING_AFTER_MS, PONG_TIMEOUT_MS, FrameLine, framing
from phone_bridge.runtime.websocket_handshake import Denial, Handshake, Headers

EARLY_BYTES = 64 * 1024  # what a client may send before it knows that it was accepted
QUEUE_MESSAGES = 32  # for routes that use ASGI's receive

SECRET_CHARS = 64
"""A part of a path that is as long may be a token, and is not logged; no name is."""

_log = logging.getLogger("uvicorn.error")  # where uvicorn's own protocols log, so that its settings hold


class AsgiInbox:
    """Messages for a route that uses ASGI's ``receive``; reading pauses while ``limit`` of them wait."""

    def __init__(self, line: FrameLine, limit: int) -> None:
        self._line = line
        self._limit = limit
        self._events: deque[Message] = deque()
        self._end: Message | None = None
        self._arrived = asyncio.Event()
        self._paused = False

    def message(self, data: str | bytes) -> None:
        """Keep one message."""
        kind = "text" if isinstance(data, str) else "bytes"
        self._events.append({"type": "websocket.receive", kind: data})
        self._arrived.set()
        if len(self._events) >= self._limit and not self._paused:
            self._paused = True
            self._line.pause_reading()

    def closed(self, code: int, reason: str) -> None:
        """Keep the end, which comes after every message."""
        self._end = _disconnect(code, reason)
        self._arrived.set()

    async def get(self) -> Message:
        """Wait for the next message; once the end has come it is all that comes."""
        while not self._events:
            if self._end is not None:
                return self._end
            self._arrived.clear()
            await self._arrived.wait()
        event = self._events.popleft()
        if self._paused and not self._events:
            self._paused = False
            self._line.resume_reading()
        return event


class _Phase(Enum):
    ASKED = auto()  # the application has not answered the handshake
    ANSWERING = auto()  # it answers with an HTTP response
    OPEN = auto()
    DONE = auto()  # the application closed or refused
    GONE = auto()  # the connection is lost


class PicowsProtocol(asyncio.Protocol):
    """One WebSocket connection of uvicorn's: ``uvicorn.Config(ws=PicowsProtocol)``.

    Reads uvicorn's ``ws_max_size``, ``ws_max_queue``, ``ws_ping_interval`` and ``ws_ping_timeout``.
    """

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        self._config = config
        self._app_state = app_state
        self._connections = cast("set[object]", server_state.connections)
        self._tasks = server_state.tasks
        self._default_headers = server_state.default_headers
        self._transport: asyncio.Transport
        self._phase = _Phase.ASKED
        self._handshake: Handshake | None = None
        self._scope: Scope = {}
        self._early = b""
        self._denial = Denial(500)
        self._answered = asyncio.Event()
        self._told_connect = False
        self._line: FrameLine | None = None
        self._inbox: AsgiInbox | None = None
        self._taken = False

    # For uvicorn and, until the handshake is answered, the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over from uvicorn's HTTP protocol."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take the request, which comes first and whole, or what a hasty client sends after it."""
        if self._handshake is None:
            self._handshake = Handshake.parse(data)
            self._ask(self._handshake)
        else:
            self._early += data
            if len(self._early) > EARLY_BYTES:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Know that the client has gone."""
        self._lost()

    def shutdown(self) -> None:
        """Close because the server stops (1012, service restart)."""
        self._settle(503, 1012)

    def _ask(self, handshake: Handshake) -> None:
        flaw = handshake.flaw()
        if flaw is not None:
            self._deny(flaw)
            return
        self._scope = self._make_scope(handshake)
        task = asyncio.get_running_loop().create_task(self._run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _make_scope(self, handshake: Handshake) -> Scope:
        raw_path, _, query = handshake.target.partition(b"?")
        root_path = self._config.root_path
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(self._transport) else "ws",
            "server": get_local_addr(self._transport),
            "client": get_remote_addr(self._transport),
            "root_path": root_path,
            "path": root_path + unquote(raw_path.decode("ascii")),
            "raw_path": root_path.encode("ascii") + raw_path,
            "query_string": query,
            "headers": handshake.headers,
            "subprotocols": handshake.subprotocols,
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, FRAMES_EXTENSION: {"take": self._take}},
        }

    async def _run(self) -> None:
        code = 1011
        try:
            await self._config.loaded_app(self._scope, self._receive, self._send)
            code = 1000
        except ClientDisconnected:
            pass
        except Exception:  # noqa: BLE001 - the top of the application's task; logged as uvicorn's own protocols do
            _log.exception("Exception in ASGI application\n")
        finally:
            self._settle(500, code)

    def _settle(self, status: int, code: int) -> None:
        """End what is still open: a handshake without an answer by ``status``, a socket by ``code``."""
        if self._line is not None:
            self._line.socket.close(code)
        elif self._phase is _Phase.ASKED:
            self._deny(Denial(status))
        else:
            self._transport.close()

    def _deny(self, denial: Denial) -> None:
        self._phase = _Phase.DONE
        self._transport.write(bytes(denial))
        self._transport.close()
        self._answered.set()

    def _lost(self) -> None:
        self._connections.discard(self)
        self._phase = _Phase.GONE
        self._answered.set()

    # For the application

    def _take(self) -> Socket:
        if self._line is None or self._inbox is not None or self._taken:
            raise LocalError("frames can be taken once, after the accept, and not together with ASGI's receive")
        self._taken = True
        return self._line.socket

    async def _receive(self) -> Message:
        if self._inbox is not None:
            return await self._inbox.get()
        if not self._told_connect:
            self._told_connect = True
            return {"type": "websocket.connect"}
        await self._answered.wait()
        if self._line is None:
            return _disconnect(LOST, "")
        if self._taken:
            await self._line.socket.wait_closed()
            return _disconnect(*(self._line.socket.ending or (LOST, "")))
        if self._inbox is None:
            self._inbox = AsgiInbox(self._line, self._config.ws_max_queue)
            self._line.socket.attach(self._inbox)
        return await self._inbox.get()

    async def _send(self, message: Message) -> None:
        step = _STEPS.get((self._phase, message["type"]))
        if step is not None:
            await step(self, message)
        elif self._phase is _Phase.GONE:
            raise ClientDisconnected
        else:
            raise RuntimeError(f"Unexpected ASGI message '{message['type']}' when {self._phase.name.lower()}.")

    async def _accept(self, message: Message) -> None:
        if self._transport.is_closing():
            raise ClientDisconnected
        self._tell_log("[accepted]")
        headers = [*self._default_headers, *message.get("headers", ())]
        if message.get("subprotocol"):
            headers.append((b"sec-websocket-protocol", message["subprotocol"].encode()))
        self._phase = _Phase.OPEN
        self._line = self._make_line()
        self._upgrade(self._line, headers)
        self._answered.set()

    def _make_line(self) -> FrameLine:
        interval, timeout = self._config.ws_ping_interval, self._config.ws_ping_timeout
        return FrameLine(
            max_size=self._config.ws_max_size,
            ping_after_ms=round(interval * 1000) if interval else None,
            pong_timeout_ms=round(timeout * 1000) if timeout else PONG_TIMEOUT_MS,
            after=self._lost,
        )

    def _upgrade(self, line: FrameLine, headers: Headers) -> None:
        """Let picows say 101 and read from here on."""
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]

        def answer(_request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(pairs), line)

        frames = framing(answer, max_size=self._config.ws_max_size)
        self._transport.set_protocol(frames)
        frames.connection_made(self._transport)
        _feed(frames, self._request() + self._early)

    def _request(self) -> bytes:
        """Write the request that picows is to answer: what counts of the one that was checked already."""
        if self._handshake is None:
            raise LocalError("a handshake was answered that nobody asked for")
        return (
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: " + self._handshake.key + b"\r\n\r\n"
        )

    async def _reject(self, _message: Message) -> None:
        self._tell_log("403")
        self._deny(Denial(403, self._default_headers))

    async def _begin_denial(self, message: Message) -> None:
        self._tell_log(str(message["status"]))
        self._denial = Denial(message["status"], [*self._default_headers, *message.get("headers", ())])
        self._phase = _Phase.ANSWERING

    async def _continue_denial(self, message: Message) -> None:
        self._denial.add(message.get("body", b""))
        if not message.get("more_body", False):
            self._deny(self._denial)

    async def _send_message(self, message: Message) -> None:
        socket = self._opened.socket
        await socket.wait_writable()
        if socket.ending is not None:
            raise ClientDisconnected
        data = message.get("bytes")
        socket.send(message["text"] if data is None else data)

    async def _close(self, message: Message) -> None:
        self._phase = _Phase.DONE
        self._opened.socket.close(message.get("code", 1000), message.get("reason") or "")

    @property
    def _opened(self) -> FrameLine:
        if self._line is None:
            raise LocalError("a socket was used before its handshake was accepted")
        return self._line

    def _tell_log(self, outcome: str) -> None:
        """Log as uvicorn does, without what may be a secret: the query, and whatever in the path is as long as one."""
        host, port = self._scope["client"] or ("", 0)
        parts = (part if len(part) < SECRET_CHARS else "…" for part in self._scope["path"].split("/"))
        _log.info('%s:%d - "WebSocket %s" %s', host, port, "/".join(parts), outcome)


_STEPS: dict[tuple[_Phase, str], Callable[[PicowsProtocol, Message], Awaitable[None]]] = {
    (_Phase.ASKED, "websocket.accept"): PicowsProtocol._accept,
    (_Phase.ASKED, "websocket.close"): PicowsProtocol._reject,
    (_Phase.ASKED, "websocket.http.response.start"): PicowsProtocol._begin_denial,
    (_Phase.ANSWERING, "websocket.http.response.body"): PicowsProtocol._continue_denial,
    (_Phase.OPEN, "websocket.send"): PicowsProtocol._send_message,
    (_Phase.OPEN, "websocket.close"): PicowsProtocol._close,
}


def _disconnect(code: int, reason: str) -> Message:
    return {"type": "websocket.disconnect", "code": code, "reason": reason}


def _feed(frames: WSProtocol, data: bytes) -> None:
    """Give bytes to a buffered protocol as a transport would."""
    while data:
        buffer = frames.get_buffer(-1)
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        frames.buffer_updated(size)
        data = data[size:]


UVICORN_OPTIONS: dict[str, Any] = {
    "loop": "asyncio" if sys.platform == "win32" else "uvloop",
    "http": GuardedProtocol,
    "ws": PicowsProtocol,
    "ws_max_size": MESSAGE_BYTES,
    "ws_max_queue": QUEUE_MESSAGES,
    "ws_ping_interval": PING_AFTER_MS / 1000,
    "ws_ping_timeout": PONG_TIMEOUT_MS / 1000,
    "ws_per_message_deflate": False,
    "access_log": False,  # a line of it has the query, which may hold a number or a token
}
"""How the bridge runs uvicorn, as far as sockets are concerned: ``uvicorn.Config(app, **UVICORN_OPTIONS, …)``."""
