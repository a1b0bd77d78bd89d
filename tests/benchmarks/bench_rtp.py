"""How many calls by SIP with sound both ways one core carries: ``python -m tests.benchmarks.bench_rtp [calls …]``.

The bridge has a core of its own; telephones and the session server share the other. Each telephone sends a packet
every 20 ms and hears one: how far each comes from its place in the stream's own grid is the pacing error. The session
is a socket that is sent all the sound and says nothing, so that every packet's whole way through a call is paid for.
Figures hold for a quiet machine; on a busy one trust the processor's time alone.
"""

import asyncio
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.rtcp import is_control
from phone_bridge.runtime.sockets import accept
from phone_bridge.sessions.chronapilot import messages as m
from tests.benchmarks.load import percentile
from tests.benchmarks.processes import LOAD_CORE, Child, pin
from tests.benchmarks.tables import table
from tests.ports import free_port
from tests.runtime.serving import serving, until
from tests.runtime.telephone import Telephone

STEPS = (25, 50, 100)
SECONDS = 5.0
SETTLE_SECONDS = 1.0
START_SECONDS = 30.0
FRAME_S = 0.02
AT_ONCE = 10
"""Telephones that ring at the same time."""

_timestamp = struct.Struct("!I")


class Silent:
    """A session server that hears everything and says nothing."""

    def __init__(self) -> None:
        self.heard = 0
        self.app = Starlette(
            routes=[
                Route("/v1/voice/sessions", self._mint, methods=["POST"]),
                Route("/v1/voice/sessions/{id}", self._delete, methods=["DELETE"]),
                WebSocketRoute("/v1/voice/realtime", self._talk),
            ]
        )

    async def _mint(self, request: Request) -> Response:
        body = msgspec.json.encode({"id": "hub_1", "session_token": "t"})
        return Response(body, 201, media_type="application/json")

    async def _delete(self, request: Request) -> Response:
        return Response(status_code=204)

    async def _talk(self, websocket: WebSocket) -> None:
        socket = await accept(websocket)
        socket.attach(self)
        state = m.SessionState(id="hub", input_format="g711_ulaw", output_format="g711_ulaw", sample_rate=8000)
        for message in (m.SessionCreated(state), m.SessionUpdated(state)):
            socket.send(m.encode(message))
        await socket.wait_closed()

    def message(self, data: str | bytes) -> None:
        self.heard += 1

    def closed(self, code: int, reason: str) -> None: ...


class Ear(asyncio.DatagramProtocol):
    """Hears one call's packets: when each came, by its timestamp."""

    def __init__(self) -> None:
        self.came: list[tuple[int, float]] = []
        self.first_at = 0.0

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if is_control(data):
            return
        at = time.monotonic()
        self.first_at = self.first_at or at
        self.came.append((_timestamp.unpack_from(data, 4)[0], at))

    def errors_ms(self) -> list[float]:
        """How late each packet came, beside the earliest of its stream."""
        if not self.came:
            return []
        first, _ = self.came[0]
        late = [at - ((stamp - first) % (1 << 32)) / 8_000 for stamp, at in self.came]
        least = min(late)
        return [1_000 * (each - least) for each in late]


class Caller(Telephone):
    """A telephone whose sound is heard by an ``Ear``."""

    ear: Ear
    answer_s = 0.0
    first_sound_s = 0.0

    async def ring(self) -> None:
        """Call, and wait for the first sound."""
        self.ear = Ear()
        self._media.close()
        loop = asyncio.get_running_loop()
        self._media, _ = await loop.create_datagram_endpoint(lambda: self.ear, local_addr=("127.0.0.1", 0))
        began = time.monotonic()
        self.invite()
        taken = await self.answered()
        answered = time.monotonic()
        agreed = sdp.agree(sdp.read(taken.body))
        self.media = (agreed.host, agreed.port)
        self.say("ACK", sequence=1)
        self.answer_s = answered - began
        await until(lambda: self.ear.first_at)
        self.first_sound_s = self.ear.first_at - answered


class Step(msgspec.Struct, frozen=True):
    """One number of calls, measured."""

    calls: int
    cpu: float
    error_ms: tuple[float, float]
    resident_kb: int
    heard: float


def is_bound(port: int) -> bool:
    """Tell whether somebody listens on a port of UDP."""
    return f":{port:04X} " in Path("/proc/net/udp").read_text()


async def talk(callers: list[Caller]) -> None:
    """Send a packet of each call's every 20 ms, evenly spread."""
    turn = asyncio.get_running_loop().time()
    while True:
        count = max(1, len(callers))
        for number, caller in enumerate(list(callers)):
            wait = turn + FRAME_S * number / count - asyncio.get_running_loop().time()
            if wait > 0.002:
                await asyncio.sleep(wait)
            caller.speak(b"\x10" * 160)
        turn += FRAME_S
        await asyncio.sleep(max(0.0, turn - asyncio.get_running_loop().time()))


async def measure(callers: list[Caller], silent: Silent, child: Child) -> Step:
    """Listen for a while."""
    await asyncio.sleep(SETTLE_SECONDS)
    for caller in callers:
        caller.ear.came.clear()
    began, cpu, heard = time.monotonic(), child.cpu_seconds(), silent.heard
    await asyncio.sleep(SECONDS)
    elapsed = time.monotonic() - began
    errors = sorted(error for caller in callers for error in caller.ear.errors_ms())
    return Step(
        calls=len(callers),
        cpu=(child.cpu_seconds() - cpu) / elapsed,
        error_ms=(percentile(errors, 0.5), percentile(errors, 0.99)),
        resident_kb=child.resident_kb(),
        heard=(silent.heard - heard) / elapsed / len(callers),
    )


async def ring(port: int, count: int, first: int) -> list[Caller]:
    """Set up so many calls, some at a time."""
    callers: list[Caller] = []
    while len(callers) < count:
        batch = [Caller(port, f"+49{first + len(callers) + n}") for n in range(min(AT_ONCE, count - len(callers)))]
        for caller in batch:
            await caller.open()
        await asyncio.gather(*(caller.ring() for caller in batch))
        callers += batch
    return callers


async def run(steps: tuple[int, ...]) -> None:
    """Measure every step, and print what came out."""
    silent, sip_port = Silent(), free_port()
    rows, answers, sounds, set_up_s = [], [], [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        async with serving(silent.app) as theirs:
            url = f"http://127.0.0.1:{theirs.port}"
            options = {"session_url": url, "sip_port": sip_port, "folder": folder}
            async with Child("tests.benchmarks.sip_process", core=0, **options) as child:
                await until(lambda: is_bound(sip_port), START_SECONDS)
                callers = await ring(sip_port, 1, 0)
                idle_kb = child.resident_kb()
                task = asyncio.create_task(talk(callers))
                for calls in steps:
                    began = time.monotonic()
                    more = await ring(sip_port, calls - len(callers), len(callers))
                    set_up_s += time.monotonic() - began
                    answers += [caller.answer_s for caller in more]
                    sounds += [caller.first_sound_s for caller in more]
                    callers += more
                    rows.append(await measure(callers, silent, child))
                task.cancel()
                for caller in callers:
                    caller.hang_up()
                    caller.close()
                await asyncio.sleep(SETTLE_SECONDS)
    shown = [
        [
            f"{step.calls}",
            f"{step.cpu:.0%}",
            f"{step.calls / step.cpu:.0f}",
            f"{step.cpu * 1e6 / step.calls * FRAME_S:.0f}",
            f"{step.error_ms[0]:.2f}",
            f"{step.error_ms[1]:.2f}",
            f"{(step.resident_kb - idle_kb) / step.calls:.0f}",
            f"{step.heard:.0f}",
        ]
        for step in rows
    ]
    head = ["calls", "CPU", "calls a core", "us/20 ms", "error p50", "p99 ms", "kB a call", "heard/s"]
    print(table(head, shown))  # noqa: T201 - printing is its work
    print(f"set-ups a second, {AT_ONCE} at a time: {len(answers) / set_up_s:.0f}")  # noqa: T201
    print(f"answer p50 {1e3 * percentile(sorted(answers), 0.5):.0f} ms")  # noqa: T201
    first = sorted(sounds)
    print(f"first sound after it p50 {1e3 * percentile(first, 0.5):.1f}, p99 {1e3 * percentile(first, 0.99):.1f} ms")  # noqa: T201


if __name__ == "__main__":
    pin(LOAD_CORE)
    uvloop.run(run(tuple(map(int, sys.argv[1:])) or STEPS))
