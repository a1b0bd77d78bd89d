"""What a frame of sound costs between the sockets, and where: ``python -m tests.benchmarks.bench_pump``.

The pump runs as in a call, with sockets that throw away what they are sent. Marks come back as a carrier returns them,
one for every hundred milliseconds. Times are of the processor, the best of many rounds; trust the ratios. In real calls
the same costs two to four times as much, for between two frames other calls have emptied the processor's caches.
``--profile`` prints what cProfile says, which weighs small functions too heavily.
"""

import argparse
import asyncio
import base64
import cProfile
import json
import pstats
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from phone_bridge.audio.format import LINEAR_24K, PCMU_8K, Format
from phone_bridge.call.commands import Line
from phone_bridge.call.machine import Call
from phone_bridge.call.rules import Rules
from phone_bridge.errors import Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.carrier import CarrierStream, Marked
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.pace import PacedStream
from phone_bridge.runtime.connect import Connector
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.sockets import Listener, Socket
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot import messages as m
from tests.benchmarks.far_ends import STATES
from tests.benchmarks.load import FRAME_MS, REPLY, deltas, speech
from tests.benchmarks.tables import table

FRAMES = 1_000
ROUNDS = 20
SHOWN_FUNCTIONS = 24
KINDS = {"mu-law passed through": PCMU_8K, "24 kHz PCM16": LINEAR_24K}
START = StreamStart(call_sid="CA" + "1" * 32, stream_sid="MZ" + "2" * 32, account_sid="AC" + "3" * 32)


class Sink:
    """A socket that goes nowhere."""

    def __init__(self) -> None:
        self.listener: Listener
        self.sent: list[str | bytes] = []

    def attach(self, listener: Listener) -> None:
        self.listener = listener

    def send(self, message: str | bytes, *, droppable: bool = False) -> None:
        self.sent.append(message)

    def close(self, code: int = 1000, reason: str = "") -> None:
        pass

    async def wait_closed(self) -> None:
        pass


class Mute:
    """A voice that cannot speak, so that nothing but the assistant is heard."""

    async def sound(self, line: Line, language: str, format: Format) -> bytes:
        raise Unavailable("nobody speaks here", code="no_voice")


class Minter:
    """HTTP that mints whatever is asked for."""

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        return Response(status=201, body=b'{"id":"vs_1","session_token":"token"}')


class Clock:
    """A clock that is moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A pump with a call that is up."""

    def __init__(self, format: Format) -> None:
        self.format = format
        self.clock = Clock()
        self.carrier, self.session = Sink(), Sink()
        self.codec = CarrierStream(START)

    async def open(self) -> asyncio.Task[None]:
        """Bring the call up; the task that carries it is its caller's to cancel."""

        async def dial(url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int) -> Socket:
            return cast("Socket", self.session)

        dialect = ChronaPilot(
            base_url="http://127.0.0.1",
            key="sk_test_bench",
            user_id="usr_bench",
            output_format="g711_ulaw" if self.format == PCMU_8K else "pcm16",
        )
        pump = Pump(
            Call(PCMU_8K, Rules(), int(self.clock.now * 1000)),
            PacedStream(START, int(self.clock.now * 1000)),
            cast("Socket", self.carrier),
            dialect=dialect,
            connector=Connector(Minter(), dial=dial),
            prompts=Mute(),
            clock=self.clock,
        )
        task = asyncio.create_task(pump.run())
        while not hasattr(self.session, "listener"):  # noqa: ASYNC110 - a few turns of the loop, nothing to wait on
            await asyncio.sleep(0)
        self.session.listener.message(m.encode(m.SessionUpdated(STATES[self.format])))
        self.session.listener.message(m.encode(m.ResponseCreated(response_id=REPLY)))
        return task

    def up(self) -> Callable[[], None]:
        """Make a round of the caller's frames."""
        frames = speech()
        messages = [self.codec.media(frames[at % len(frames)], at * FRAME_MS) for at in range(FRAMES * (ROUNDS + 1))]
        waiting = iter(messages)
        hear = self.carrier.listener.message

        def run() -> None:
            for _ in range(FRAMES):
                self.clock.now += FRAME_MS / 1000
                hear(next(waiting))

        return run

    def down(self) -> Callable[[], None]:
        """Make a round of the assistant's frames; the marks of each come back before the next."""
        sounds = deltas(self.format, REPLY)
        tell, hear = self.session.listener.message, self.carrier.listener.message

        def run() -> None:
            for at in range(FRAMES):
                self.clock.now += FRAME_MS / 1000
                tell(sounds[at % len(sounds)])
                if len(self.carrier.sent) > 1:
                    mark = self.codec.receive(self.carrier.sent[-1])
                    if isinstance(mark, Marked):
                        hear(self.codec.mark(mark.name))
                self.carrier.sent.clear()

        return run


def best_us(turn: Callable[[], None]) -> float:
    """Give the processor's time for one frame, in the best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        turn()
        best = min(best, time.process_time() - began)
    return best / FRAMES * 1e6


async def measure(format: Format, look: Callable[[Callable[[], None]], float]) -> tuple[float, float]:
    """Look at a round of each direction."""
    bench = Bench(format)
    task = await bench.open()
    try:
        return look(bench.up()), look(bench.down())
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def profile(turn: Callable[[], None]) -> float:
    """Print where the time of a round goes."""
    profiler = cProfile.Profile()
    profiler.runcall(turn)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(SHOWN_FUNCTIONS)
    return 0.0


def json_us() -> float:
    """Measure the peer: what ``json`` and ``base64`` take for the same two messages in and two out, and no more."""
    media, audio = CarrierStream(START).media(speech()[0], 0), deltas(PCMU_8K, REPLY)[0]

    def run() -> None:
        for _ in range(FRAMES):
            heard = base64.b64decode(json.loads(media)["media"]["payload"])
            json.dumps({"type": "audio.append", "audio": base64.b64encode(heard).decode()})
            spoken = base64.b64decode(json.loads(audio)["audio"])
            payload = base64.b64encode(spoken).decode()
            json.dumps({"event": "media", "streamSid": START.stream_sid, "media": {"payload": payload}})

    return best_us(run)


def main() -> None:
    """Print the table."""
    peer = json_us()
    rows = []
    for name, kind in KINDS.items():
        up, down = asyncio.run(measure(kind, best_us))
        rows.append((name, f"{up:.1f}", f"{down:.1f}", f"{up + down:.1f}", f"{(up + down) / peer:.2f}"))
    rows.append(("json and base64 alone", "", "", f"{peer:.1f}", "1.00"))
    sys.stdout.write(table(("us for 20 ms", "up", "down with marks", "both", "ratio"), rows) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", action="store_true", help="print what cProfile says instead")
    if parser.parse_args().profile:
        for kind in KINDS.values():
            asyncio.run(measure(kind, profile))
    else:
        main()
