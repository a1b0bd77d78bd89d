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
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from phone_bridge.audio.format import LINEAR_24K, PCMU_8K, Format
from phone_bridge.call.commands import Line
from phone_bridge.call.events import Action
from phone_bridge.call.machine import Call
from phone_bridge.call.rules import Rules
from phone_bridge.errors import Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.carrier import CarrierStream, Marked
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.pace import PacedStream
from phone_bridge.offers import Effect, Offer
from phone_bridge.runtime.connect import Connector
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.sockets import Listener, Socket
from phone_bridge.runtime.toolbox import CallFacts, Ran, Tools
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.dialect import Dialect
from phone_bridge.sessions.realtime import Realtime
from phone_bridge.sessions.realtime import messages as r
from tests.benchmarks.load import FRAME_MS, REPLY, deltas, speech
from tests.benchmarks.tables import table
from tests.benchmarks.tongues import CHRONAPILOT, REALTIME, Tongue

FRAMES = 1_000
ROUNDS = 20
SHOWN_FUNCTIONS = 24
KINDS = {
    "ChronaPilot, mu-law passed through": (PCMU_8K, False),
    "ChronaPilot, 24 kHz PCM16": (LINEAR_24K, False),
    "Realtime, mu-law passed through": (PCMU_8K, True),
    "Realtime, 24 kHz PCM16": (LINEAR_24K, True),
}
CALLS = 200
LOOK = Offer(name="look", description="Look.", schema={"type": "object"}, effect=Effect.READ)
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


class Nothing:
    """A toolbox whose one tool takes no time, so that what is left is the bridge's own."""

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        return (LOOK,)

    async def prepare(self, user_id: str, action: Action) -> Action | Ran:
        return action

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        return Ran('{"ok":true}', True)


class Bench:
    """A pump with a call that is up."""

    def __init__(self, format: Format, *, realtime: bool = False) -> None:
        self.format = format
        self.realtime = realtime
        self.clock = Clock()
        self.carrier, self.session = Sink(), Sink()
        self.codec = CarrierStream(START)

    async def open(self) -> asyncio.Task[None]:
        """Bring the call up; the task that carries it is its caller's to cancel."""

        async def dial(url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int) -> Socket:
            return cast("Socket", self.session)

        tools = Tools([Nothing()], CallFacts(call_id="call_1", user_id="usr_bench"))
        pump = Pump(
            Call(PCMU_8K, Rules(effects=tools.effects), int(self.clock.now * 1000)),
            PacedStream(START, int(self.clock.now * 1000)),
            cast("Socket", self.carrier),
            dialect=self._dialect(),
            tools=tools,
            connector=Connector(Minter(), dial=dial),
            prompts=Mute(),
            clock=self.clock,
        )
        task = asyncio.create_task(pump.run())
        while not hasattr(self.session, "listener"):  # noqa: ASYNC110 - a few turns of the loop, nothing to wait on
            await asyncio.sleep(0)
        for message in self._tongue.opening(self.format):
            self.session.listener.message(message)
        created = r.encode(r.ResponseCreated(response=r.Response(id=REPLY)))
        self.session.listener.message(created if self.realtime else m.encode(m.ResponseCreated(response_id=REPLY)))
        return task

    @property
    def _tongue(self) -> Tongue:
        return REALTIME if self.realtime else CHRONAPILOT

    def _dialect(self) -> Dialect:
        audio_format = "g711_ulaw" if self.format == PCMU_8K else "pcm16"
        if self.realtime:
            return Realtime(url="ws://127.0.0.1", offers=(LOOK,), audio_format=audio_format)
        return ChronaPilot(
            base_url="http://127.0.0.1", key="sk_test_bench", user_id="usr_bench", output_format=audio_format
        )

    def sounds(self) -> list[str]:
        """Make the assistant's frames in the session's own words."""
        return deltas(self.format, REPLY, self._tongue)

    async def function_us(self) -> float:
        """Take the time from a function's call to its result and the wish for a reply: the median of some."""
        took = []
        for number in range(CALLS):
            item = r.Item(id=f"i{number}", type="function_call", call_id=f"c{number}", name=LOOK.name, arguments="{}")
            done = r.encode(r.OutputItemDone(item=item, response_id=REPLY))
            self.session.sent.clear()
            began = time.perf_counter()
            self.session.listener.message(done)
            while not self.session.sent:  # noqa: ASYNC110 - a few turns of the loop, nothing to wait on
                await asyncio.sleep(0)
            took.append(time.perf_counter() - began)
        return statistics.median(took) * 1e6

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
        sounds = self.sounds()
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


async def measure(format: Format, realtime: bool, look: Callable[[Callable[[], None]], float]) -> tuple[float, float]:
    """Look at a round of each direction."""
    bench = Bench(format, realtime=realtime)
    task = await bench.open()
    try:
        return look(bench.up()), look(bench.down())
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def function_us() -> float:
    """Measure what a function's call adds to an answer, apart from what the function itself takes."""
    bench = Bench(PCMU_8K, realtime=True)
    task = await bench.open()
    try:
        return await bench.function_us()
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
        up, down = asyncio.run(measure(*kind, best_us))
        rows.append((name, f"{up:.1f}", f"{down:.1f}", f"{up + down:.1f}", f"{(up + down) / peer:.2f}"))
    rows.append(("json and base64 alone", "", "", f"{peer:.1f}", "1.00"))
    sys.stdout.write(table(("us for 20 ms", "up", "down with marks", "both", "ratio"), rows) + "\n")
    took = asyncio.run(function_us())
    sys.stdout.write(f"A function that takes no time adds {took / 1000:.2f} ms to an answer, half of the times.\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", action="store_true", help="print what cProfile says instead")
    if parser.parse_args().profile:
        for kind in KINDS.values():
            asyncio.run(measure(*kind, profile))
    else:
        main()
