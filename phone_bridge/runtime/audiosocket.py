"""The TCP server of AudioSocket: each connection becomes a ``Socket``, once it has said its name."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from phone_bridge.errors import RemoteError, Unavailable
from phone_bridge.legs.audiosocket import Frames, named
from phone_bridge.runtime.sockets import Socket

NAME_SECONDS = 5.0
"""How long a connection may take to say its name."""

MAX_UNNAMED = 64
"""Connections that have not said their name; one more is dropped at once."""

Take = Callable[[str, str, Frames, Socket], Coroutine[Any, Any, None]]
"""Carries a call: the address that it comes from, its UUID, what has come of it, and its socket."""


class _Connection(asyncio.Protocol):
    """What a call's ``Socket`` stands on: bytes of TCP as they come."""

    def __init__(self, server: "AudioSocketServer") -> None:
        self._server = server
        self._transport: asyncio.Transport
        self._frames = Frames()
        self._timer: asyncio.TimerHandle | None = None
        self._named = False
        self.socket = Socket(self)

    # For the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a name, where the address is one of those that may connect."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a server of TCP makes no other
        self._transport = transport
        address = transport.get_extra_info("peername")[0]
        if not self._server.expects(self, address):
            transport.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(NAME_SECONDS, self.abort)

    def data_received(self, data: bytes) -> None:
        """Take the name first, then all that is said."""
        if self._named:
            self._heard(data)
            return
        try:
            name = named(self._frames, data)
        except RemoteError as error:
            self._server.refused(error.code)
            self.abort()
            return
        if name is not None:
            self._named = True
            self._stop_waiting()
            self._server.begin(self._transport.get_extra_info("peername")[0], name, self._frames, self.socket)

    def _heard(self, data: bytes) -> None:
        try:
            self.socket.hear(data)
        except Exception as error:  # noqa: BLE001 - a callback of the loop is the top of its own task
            self.socket.report(error)

    def eof_received(self) -> None:
        """Take the end of what is said for the end of the call."""
        self.socket.close_received(1005, "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the socket that the connection is gone."""
        self._stop_waiting()
        self.socket.lost()

    def pause_writing(self) -> None:
        """Pass on that the transport's buffer is over its high-water mark."""
        self.socket.pause()

    def resume_writing(self) -> None:
        """Pass on that it is below its low-water mark."""
        self.socket.resume()

    def _stop_waiting(self) -> None:
        self._server.settled(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # For the socket

    def write(self, message: str | bytes) -> None:
        """Send bytes; there are no texts on this wire."""
        if isinstance(message, bytes):
            self._transport.write(message)

    def pause_reading(self) -> None:
        """Leave what the peer sends in the network's own buffers."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self, code: int, reason: str) -> None:
        """Close after what was written; TCP has no word for why."""
        self._transport.close()

    def abort(self) -> None:
        """Let the connection go."""
        self._transport.abort()


class AudioSocketServer:
    """Listen for calls from ``admits``; ``take`` is run as a task for each, ``refused`` is told of others."""

    def __init__(self, admits: Callable[[str], bool], take: Take, refused: Callable[[str], None]) -> None:
        self.port = 0
        self.refused = refused
        self._admits = admits
        self._take = take
        self._unnamed: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> None:
        """Begin to listen; raises Unavailable ``audiosocket_port`` when the port cannot be had."""
        try:
            self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), host, port)
        except OSError as error:
            message = f"AudioSocket cannot listen on {host}:{port} ({error.strerror})."
            raise Unavailable(message, code="audiosocket_port") from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and let go of whoever is left."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._unnamed):
            connection.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def expects(self, connection: _Connection, address: str) -> bool:
        """Tell whether a new connection may say its name."""
        if not self._admits(address):
            self.refused("unknown_address")
            return False
        if len(self._unnamed) >= MAX_UNNAMED:
            self.refused("too_many_waiting")
            return False
        self._unnamed.add(connection)
        return True

    def settled(self, connection: _Connection) -> None:
        """Know that a connection has said its name, or never will."""
        self._unnamed.discard(connection)

    def begin(self, address: str, name: str, frames: Frames, socket: Socket) -> None:
        """Have a call carried."""
        task = asyncio.get_running_loop().create_task(self._take(address, name, frames, socket))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, socket))

    def _ended(self, task: asyncio.Task[None], socket: Socket) -> None:
        self._tasks.discard(task)
        socket.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a call by AudioSocket failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
