"""uvicorn's HTTP side within limits that neither it nor httptools has: a request's head, and how long it may take.

Without them a client could send one header for ever, and a thousand that send nothing would take every file descriptor
of the process. ``limit_concurrency`` is no help: it counts silent connections, too, and turns away whoever comes next,
who is the carrier. Here those whose request is not there yet are bounded, and the oldest of them goes.
"""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from phone_bridge.runtime.waiting import Waiting

MAX_HEAD_BYTES = 32 * 1024
"""A request line and its headers; a carrier's have about 1 kB."""

MAX_HEADERS = 100
REQUEST_SECONDS = 15.0
"""How long a connection may take to send its next request; an idle one ends after uvicorn's 5 s already."""

LAST_REQUEST_SECONDS = 0.25
"""How long a server that stops waits for the first request of a connection that it has accepted: nobody who was let in
is turned away with nothing."""

MAX_WAITING = 256
"""Connections of a process whose request is not there yet; well under the 1,024 files that it may open."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_WAITING: WeakKeyDictionary[ServerState, Waiting] = WeakKeyDictionary()


class _TooLarge(Exception):
    """Ends the parsing of a head."""


class GuardedProtocol(HttpToolsProtocol):
    """One HTTP connection: ``uvicorn.Config(http=GuardedProtocol)``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,  # uvicorn's own name
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._waiting = _WAITING.setdefault(server_state, Waiting(MAX_WAITING))
        self._head_bytes = 0
        self._in_head = False
        self._in_body = False
        self._unfinished = 0  # bytes of a head that has not come to its end
        self._patience: asyncio.TimerHandle | None = None

    # For the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._request_is_there()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End with the request that goes on; one that was accepted in the last moment may be asked still."""
        if self.cycle is None:
            self.loop.call_later(LAST_REQUEST_SECONDS, self._leave)
        else:
            super().shutdown()

    def _leave(self) -> None:
        if self in self.connections:  # it is still ours, and has not become a WebSocket
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the head is of a size that makes sense."""
        in_body, before = self._in_body, self._unfinished
        super().data_received(data)
        if not self._in_head or in_body:
            self._unfinished = 0
            return
        self._unfinished = before + len(data)  # httptools keeps an unfinished header for itself, however long
        if self._unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    # For the parser

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._head_bytes = 0
        self._in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            raise _TooLarge

    def on_headers_complete(self) -> None:
        """Count no more."""
        self._in_head = False
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more: the request is whole."""
        self._in_body = False
        self._request_is_there()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over."""
        self._request_is_there()
        super().handle_websocket_upgrade()

    # For the cycle of one request

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there already."""
        there = bool(self.pipeline)
        super().on_response_complete()
        if not there and not self.transport.is_closing():
            self._await_request()

    def send_400_response(self, msg: str) -> None:
        """Answer a head that is too large by its own name."""
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers or ()) > MAX_HEADERS:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _TooLarge

    def _refuse(self) -> None:
        self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _await_request(self) -> None:
        self._request_is_there()
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._drop)
        self._waiting.enter(self, self._drop)

    def _request_is_there(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._waiting.leave(self)

    def _drop(self) -> None:
        self._request_is_there()
        self.transport.abort()
