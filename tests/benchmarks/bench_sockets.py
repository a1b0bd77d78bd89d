"""What one message in and one out costs the server: ``python -m tests.benchmarks.bench_sockets``.

Each server runs in a process of its own, on uvloop where it is installed, and echoes what the parent sends, evenly
spread: ``RATE`` messages a second on each of ``CONNECTIONS``. The server's own CPU time over the measured span is
divided by its messages. Trust the ratios of one run; the figures move with the machine.
"""

import argparse
import asyncio
import importlib.util
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvicorn
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge.runtime.sockets import Socket, accept
from phone_bridge.runtime.websocket_client import dial
from phone_bridge.runtime.websocket_server import UVICORN_OPTIONS

CONNECTIONS = 100
RATE = 50  # messages a second on each connection, as a call's frames of 20 ms
SECONDS = 4
WARM_UP_SECONDS = 1
MESSAGE = json.dumps({"event": "media", "streamSid": "MZ" + "0" * 32, "media": {"payload": "/" * 216}})

Result = TypeVar("Result")

SERVERS = {
    "picows and nothing else": "bare",
    "this class, by callback": "callback",
    "this class, by ASGI": "asgi",
    "websockets-sansio": "sansio",
}


class Echo:
    """Sends back what comes."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def message(self, data: str | bytes) -> None:
        self._socket.send(data, droppable=True)

    def closed(self, code: int, reason: str) -> None:
        pass


async def by_callback(websocket: WebSocket) -> None:
    socket = await accept(websocket)
    socket.attach(Echo(socket))
    await socket.wait_closed()


async def by_asgi(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


class Bare(WSListener):
    """Sends frames back with nothing above picows."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, frame.get_payload_as_utf8_text())


def answer_cpu() -> None:
    """Write the CPU time spent so far for every line that comes in."""
    for _line in sys.stdin:
        tell(time.process_time())


def tell(value: float) -> None:
    sys.stdout.write(f"{value}\n")
    sys.stdout.flush()


async def serve_bare(sock: socket.socket) -> None:
    server = await ws_create_server(lambda _request: Bare(), sock=sock, use_aiofastnet=False)
    await server.serve_forever()


def serve(kind: str) -> None:
    """Run one server until it is killed; the first line it writes is its port."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS)
    threading.Thread(target=answer_cpu, daemon=True).start()
    tell(sock.getsockname()[1])
    if kind == "bare":
        run(serve_bare(sock))
        return
    options = {**UVICORN_OPTIONS, "ws": "websockets-sansio"} if kind == "sansio" else UVICORN_OPTIONS
    app = Starlette(routes=[WebSocketRoute("/", by_callback if kind == "callback" else by_asgi)])
    uvicorn.Server(uvicorn.Config(app, log_level="error", **options)).run(sockets=[sock])


class Server:
    """A server in a process of its own."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.bench_sockets", "--serve", kind]
        pipes = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipes, stdout=pipes, text=True, bufsize=1)
        self.port = int(self._read())

    def cpu_seconds(self) -> float:
        if self._process.stdin is None:
            raise RuntimeError("the server has no standard input")
        self._process.stdin.write("\n")
        return self._read()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self) -> float:
        if self._process.stdout is None:
            raise RuntimeError("the server has no standard output")
        return float(self._process.stdout.readline())


class Counter:
    """Counts what comes back."""

    def __init__(self) -> None:
        self.messages = 0

    def message(self, data: str | bytes) -> None:
        self.messages += 1

    def closed(self, code: int, reason: str) -> None:
        pass


async def send_evenly(sockets: list[Socket], seconds: float) -> None:
    """Give every socket its turn ``RATE`` times a second, a few of them each millisecond."""
    start, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - start) < seconds:
        due = int(elapsed * RATE * len(sockets))
        for turn in range(sent, due):
            sockets[turn % len(sockets)].send(MESSAGE)
        sent = due
        await asyncio.sleep(0.001)


async def measure(server: Server) -> float:
    """Find the server's CPU microseconds for one message in and out."""
    counter = Counter()
    sockets = [await dial(f"ws://127.0.0.1:{server.port}/") for _ in range(CONNECTIONS)]
    for sock in sockets:
        sock.attach(counter)
    await send_evenly(sockets, WARM_UP_SECONDS)
    before, messages = server.cpu_seconds(), counter.messages
    await send_evenly(sockets, SECONDS)
    spent = server.cpu_seconds() - before
    for sock in sockets:
        sock.close()
    return spent * 1e6 / (counter.messages - messages)


def run(main: Coroutine[Any, Any, Result]) -> Result:
    if importlib.util.find_spec("uvloop"):
        import uvloop

        return uvloop.run(main)
    return asyncio.run(main)


def compare() -> None:
    rows: list[tuple[str, float]] = []
    for name, kind in SERVERS.items():
        if kind == "sansio" and importlib.util.find_spec("websockets") is None:
            continue
        server = Server(kind)
        try:
            rows.append((name, run(measure(server))))
        finally:
            server.stop()
    out = [f"{CONNECTIONS} connections, {RATE} messages a second each, {len(MESSAGE)} bytes, echoed", ""]
    out.append(f"| {'server':<26} | CPU us, in + out | ratio |")
    out.append(f"| {'-' * 26} | ---------------: | ----: |")
    out += [f"| {name:<26} | {spent:16.1f} | {spent / rows[0][1]:5.2f} |" for name, spent in rows]
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", choices=sorted(SERVERS.values()))
    kind = parser.parse_args().serve
    if kind:
        serve(kind)
    else:
        compare()
