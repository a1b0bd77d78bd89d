"""Peers of the bridge with none of its features: they carry the payloads across and check nothing.

``picows`` is the ceiling of what this machine's sockets allow in Python; ``websockets`` is the library most would take.
"""

import asyncio
import importlib
import socket
import sys
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

from tests.benchmarks.processes import listening

_APPEND = b'{"type":"audio.append","audio":"'
_PAYLOAD, _AUDIO, _CALL = b'"payload":"', b'"audio":"', b'"callSid":"'
_MEDIA = b'{"event":"media","streamSid":"%b","media":{"payload":"'


def cut(message: bytes, key: bytes) -> bytes:
    """Take the text after ``key``, up to the next quotation mark."""
    start = message.index(key) + len(key)
    return message[start : message.index(b'"', start)]


def media(call: bytes) -> bytes:
    """Begin a media message of the stream that belongs to ``call``."""
    return _MEDIA % (b"MZ" + call[2:])


class Near(WSListener):
    """The carrier's socket."""

    def __init__(self, session_url: str, tasks: set[asyncio.Task[None]]) -> None:
        self._session_url = session_url
        self._tasks = tasks
        self._far: WSTransport | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        data = frame.get_payload_as_bytes()
        if data.startswith(b'{"event":"media"'):
            if self._far is not None:
                self._far.send(WSMsgType.TEXT, _APPEND + cut(data, _PAYLOAD) + b'"}')
        elif data.startswith(b'{"event":"start"'):
            task = asyncio.get_running_loop().create_task(self._open(transport, cut(data, _CALL)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._far is not None:
            self._far.disconnect()

    async def _open(self, transport: WSTransport, call: bytes) -> None:
        url = f"{self._session_url}{call.decode()}"
        self._far, _ = await ws_connect(lambda: Far(transport, media(call)), url, use_aiofastnet=False)


class Far(WSListener):
    """The session's socket."""

    def __init__(self, near: WSTransport, head: bytes) -> None:
        self._near = near
        self._head = head

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            data = frame.get_payload_as_bytes()
            if data.startswith(b'{"type":"audio.delta"'):
                self._near.send(WSMsgType.TEXT, self._head + cut(data, _AUDIO) + b'"}}')


async def relay_picows(listener: socket.socket, session_url: str) -> None:
    """Relay on picows' own listeners."""
    tasks: set[asyncio.Task[None]] = set()
    server = await ws_create_server(lambda _request: Near(session_url, tasks), sock=listener, use_aiofastnet=False)
    await server.serve_forever()


async def relay_websockets(listener: socket.socket, session_url: str) -> None:
    """Relay as the library's own documentation writes it: a handler for each socket and a loop for each direction."""
    client: Any = importlib.import_module("websockets.asyncio.client")
    server: Any = importlib.import_module("websockets.asyncio.server")

    async def back(far: Any, near: Any, call: bytes) -> None:
        head = media(call)
        async for message in far:
            data = message.encode()
            if data.startswith(b'{"type":"audio.delta"'):
                await near.send((head + cut(data, _AUDIO) + b'"}}').decode())

    async def handle(near: Any) -> None:
        await near.recv()  # connected
        start = (await near.recv()).encode()
        call = cut(start, _CALL)
        async with client.connect(f"{session_url}{call.decode()}", compression=None) as far:
            task = asyncio.create_task(back(far, near, call))
            try:
                async for message in near:
                    data = message.encode()
                    if data.startswith(b'{"event":"media"'):
                        await far.send((_APPEND + cut(data, _PAYLOAD) + b'"}').decode())
            finally:
                task.cancel()

    async with server.serve(handle, sock=listener, compression=None) as serving:
        await serving.serve_forever()


_RELAYS = {"picows": relay_picows, "websockets": relay_websockets}


async def run(kind: str, listener: socket.socket, session_url: str) -> None:
    """Relay until standard input ends."""
    work = asyncio.ensure_future(_RELAYS[kind](listener, session_url))
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), work.cancel)
    await asyncio.wait([work])


def main() -> None:
    """Be the relay on the socket that was inherited."""
    told = listening()
    uvloop.run(run(told.options["kind"], socket.socket(fileno=told.fd), told.options["session_url"]))


if __name__ == "__main__":
    main()
