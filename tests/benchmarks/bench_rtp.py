"""How many calls by SIP with sound both ways one core carries: ``python -m tests.benchmarks.bench_rtp [calls …]``.

The bridge has a core of its own; telephones and the session server share the other. Each telephone sends a packet
every 20 ms and hears one: how far each comes from its place in the stream's own grid, by the kernel's stamp, is the
pacing error. The session is a socket that is sent all the sound and says nothing, so that every packet's whole way
through a call is paid for. Where ``sent/s`` is less than 50 the load has not kept pace, and where only ``heard/s`` is
less, the bridge has not. Figures hold for a quiet machine; on a busy one trust the processor's time alone.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge.legs.sip import sdp
from phone_bridge.runtime.sockets import accept
from phone_bridge.sessions.chronapilot import messages as m
from tests.benchmarks.load import percentile
from tests.benchmarks.processes import LOAD_CORE, Child, pin
from tests.benchmarks.rtp_load import FRAME_S, Sound, lateness_ms
from tests.benchmarks.tables import table
from tests.ports import free_port
from tests.runtime.serving import serving, until
from tests.runtime.telephone import HOST, Telephone

STEPS = (25, 50, 100)
SECONDS = 5.0
SETTLE_SECONDS = 1.0
START_SECONDS = 30.0
TICK_S = 0.001
AT_ONCE = 10
"""Telephones that ring at the same time."""


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


class Caller(Telephone):
    """A telephone whose sound goes by a socket that it shares with others."""

    answer_s = 0.0
    first_sound_s = 0.0

    async def ring(self, sound: Sound) -> None:
        """Call, and wait for the first sound."""
        self._media.close()
        began = time.time()
        self.say("INVITE", sdp.offer(HOST, sound.port, 1))
        taken = await self.answered()
        answered = time.time()
        agreed = sdp.agree(sdp.read(taken.body))
        self.media = (agreed.host, agreed.port)
        sound.expect(agreed.port)
        self.say("ACK", sequence=1)
        self.answer_s = answered - began
        await until(lambda: sound.first(agreed.port))
        self.first_sound_s = sound.first(agreed.port) - answered


class Step(msgspec.Struct, frozen=True):
    """One number of calls, measured."""

    calls: int
    cpu: float
    error_ms: tuple[float, float]
    resident_kb: int
    sent: float
    heard: float
    load_cpu: float


def is_bound(port: int) -> bool:
    """Tell whether somebody listens on a port of UDP."""
    return f":{port:04X} " in Path("/proc/net/udp").read_text()


async def talk(sound: Sound) -> None:
    """Send and hear the packets of all calls, a millisecond's at a time."""
    loop = asyncio.get_running_loop()
    turn = loop.time()
    while True:
        sound.speak(loop.time())
        sound.listen()
        turn = max(turn + TICK_S, loop.time())
        await asyncio.sleep(max(TICK_S / 2, turn - loop.time()))


async def measure(calls: int, sound: Sound, silent: Silent, child: Child) -> Step:
    """Listen for a while."""
    await asyncio.sleep(SETTLE_SECONDS)
    sound.forget()
    began, cpu, own = time.monotonic(), child.cpu_seconds(), time.process_time()
    heard, sent = silent.heard, sound.sent
    await asyncio.sleep(SECONDS)
    elapsed = time.monotonic() - began
    errors = np.sort(np.concatenate([lateness_ms(came) for came in sound.came().values()])).tolist()
    return Step(
        calls=calls,
        cpu=(child.cpu_seconds() - cpu) / elapsed,
        error_ms=(percentile(errors, 0.5), percentile(errors, 0.99)),
        resident_kb=child.resident_kb(),
        sent=(sound.sent - sent) / elapsed / calls,
        heard=(silent.heard - heard) / elapsed / calls,
        load_cpu=(time.process_time() - own) / elapsed,
    )


async def ring(port: int, count: int, first: int, sound: Sound) -> list[Caller]:
    """Set up so many calls, some at a time."""
    callers: list[Caller] = []
    while len(callers) < count:
        batch = [Caller(port, f"+49{first + len(callers) + n}") for n in range(min(AT_ONCE, count - len(callers)))]
        for caller in batch:
            await caller.open()
        await asyncio.gather(*(caller.ring(sound) for caller in batch))
        callers += batch
    sound.expect_no_more()
    return callers


async def run(steps: tuple[int, ...]) -> None:
    """Measure every step, and print what came out."""
    silent, sip_port, sound = Silent(), free_port(), Sound(HOST)
    rows, answers, sounds, set_up_s = [], [], [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        async with serving(silent.app) as theirs:
            url = f"http://127.0.0.1:{theirs.port}"
            options = {"session_url": url, "sip_port": sip_port, "folder": folder}
            async with Child("tests.benchmarks.sip_process", core=0, **options) as child:
                await until(lambda: is_bound(sip_port), START_SECONDS)
                task = asyncio.create_task(talk(sound))
                callers = await ring(sip_port, 1, 0, sound)
                idle_kb = child.resident_kb()
                for calls in steps:
                    began = time.monotonic()
                    more = await ring(sip_port, calls - len(callers), len(callers), sound)
                    set_up_s += time.monotonic() - began
                    answers += [caller.answer_s for caller in more]
                    sounds += [caller.first_sound_s for caller in more]
                    callers += more
                    sound.speak_to([caller.media for caller in callers], asyncio.get_running_loop().time())
                    rows.append(await measure(calls, sound, silent, child))
                task.cancel()
                for caller in callers:
                    caller.hang_up()
                    caller.close()
                await asyncio.sleep(SETTLE_SECONDS)
                sound.close()
    shown = [
        [
            f"{step.calls}",
            f"{step.cpu:.0%}",
            f"{step.calls / step.cpu:.0f}",
            f"{step.cpu * 1e6 / step.calls * FRAME_S:.1f}",
            f"{step.error_ms[0]:.2f}",
            f"{step.error_ms[1]:.2f}",
            f"{(step.resident_kb - idle_kb) / step.calls:.0f}",
            f"{step.sent:.1f}",
            f"{step.heard:.1f}",
            f"{step.load_cpu:.0%}",
        ]
        for step in rows
    ]
    head = [
        "calls",
        "CPU",
        "calls a core",
        "us/20 ms",
        "error p50",
        "p99 ms",
        "kB a call",
        "sent/s",
        "heard/s",
        "load CPU",
    ]
    print(table(head, shown))  # noqa: T201 - printing is its work
    print(f"set-ups a second, {AT_ONCE} at a time: {len(answers) / set_up_s:.0f}")  # noqa: T201
    print(f"answer p50 {1e3 * percentile(sorted(answers), 0.5):.0f} ms")  # noqa: T201
    first = sorted(sounds)
    print(f"first sound after it p50 {1e3 * percentile(first, 0.5):.1f}, p99 {1e3 * percentile(first, 0.99):.1f} ms")  # noqa: T201


if __name__ == "__main__":
    pin(LOAD_CORE)
    uvloop.run(run(tuple(map(int, sys.argv[1:])) or STEPS))
