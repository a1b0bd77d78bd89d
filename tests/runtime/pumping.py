"""A call on a pump in virtual time: real wires and sockets, and both far ends in the test's hands."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import msgspec

from phone_bridge.audio.format import PCMU_8K, Format
from phone_bridge.call import commands as c
from phone_bridge.call.journal import Journal
from phone_bridge.call.machine import Call
from phone_bridge.call.rules import Rules
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.carrier import CarrierStream, Cleared, Marked, Played
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.runtime.connect import Connector
from phone_bridge.runtime.pin_pad import Desk
from phone_bridge.runtime.pump import LegWire, Pump
from phone_bridge.runtime.recordings import Recordings
from phone_bridge.runtime.sockets import Socket
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.chronapilot.dialect import MAX_TTL_SECONDS
from phone_bridge.sessions.dialect import Dialect
from tests.clock import VirtualLoop, run_virtual, settle
from tests.runtime.joined import End, joined

LINE_MS = 1_000  # every line of the bridge's own sounds for so long
FRAME = b"\xfe" * 160
PATIENCE_SECONDS = 60


def sound_of(name: str, ms: int = LINE_MS) -> bytes:
    """Make sound in which its name can be found again."""
    size = PCMU_8K.size(ms)
    return (f"<{name}>".encode() * size)[:size]


class Carrier:
    """The far end of the leg: plays what it is sent, each sound in its time, and gives marks back."""

    def __init__(self, socket: Socket, start: StreamStart) -> None:
        self.socket = socket
        self.codec = CarrierStream(start)
        self.played: list[tuple[float, bytes]] = []
        self.clears = 0
        self.marks = 0
        self.gives_marks_back = True
        self.code: int | None = None
        self.reason = ""
        self.code_at = 0.0
        self.quiet_at = 0.0
        self._chunks = 0
        self._marks: list[tuple[asyncio.TimerHandle, str]] = []
        socket.attach(self)

    @property
    def sound(self) -> bytes:
        return b"".join(audio for _, audio in self.played)

    def message(self, data: str | bytes) -> None:
        said = self.codec.receive(data)
        loop = asyncio.get_running_loop()
        match said:
            case Played(audio):
                self.played.append((loop.time(), audio))
                self.quiet_at = max(self.quiet_at, loop.time()) + len(audio) / 8000
            case Marked(name):
                self.marks += 1
                if self.gives_marks_back:
                    self._marks.append((loop.call_at(self.quiet_at, self._give_back, name), name))
            case Cleared():
                self.clears += 1
                self.quiet_at = loop.time()
                for timer, name in self._take_marks():
                    timer.cancel()
                    self.say(self.codec.mark(name))
            case _:
                raise AssertionError(said)

    def closed(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        self.code_at = asyncio.get_running_loop().time()
        for timer, _ in self._take_marks():
            timer.cancel()

    def say(self, *messages: str | bytes) -> None:
        for message in messages:
            self.socket.send(message)

    def speak(self, *frames: bytes) -> None:
        for frame in frames:
            self.say(self.codec.media(frame, 20 * self._chunks))
            self._chunks += 1

    def press(self, digits: str) -> None:
        self.say(*(self.codec.dtmf(digit) for digit in digits))

    def hang_up(self) -> None:
        self.say(self.codec.stop())
        self.socket.close(1000)

    def heard(self, name: str) -> bool:
        return f"<{name}".encode() in self.sound

    def first_heard(self, name: str) -> float:
        return next(at for at, audio in self.played if f"<{name}".encode() in audio)

    def _give_back(self, name: str) -> None:
        self._marks = [(timer, each) for timer, each in self._marks if each != name]
        self.say(self.codec.mark(name))

    def _take_marks(self) -> list[tuple[asyncio.TimerHandle, str]]:
        taken, self._marks = self._marks, []
        return taken


class Assistant:
    """The far end of the session."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.heard: list[m.ClientMessage] = []
        self.code: int | None = None
        socket.attach(self)

    def message(self, data: str | bytes) -> None:
        self.heard.append(m.read_client_message(data))

    def closed(self, code: int, reason: str) -> None:
        self.code = code

    def tell(self, *messages: m.ServerMessage | str | bytes) -> None:
        for message in messages:
            self.socket.send(message if isinstance(message, str | bytes) else m.encode(message))

    def reply(self, name: str, *sounds: bytes) -> None:
        self.tell(
            m.ResponseCreated(name),
            *(m.AudioDelta(audio=sound, response_id=name) for sound in sounds),
            m.ResponseDone({"id": name, "status": "completed"}),
        )

    def propose(self, id: str = "act_1", title: str = "Dentist") -> None:
        """Propose to cancel an event."""
        affects = (m.AffectedThing("evt_1", title, "2026-11-24T15:00:00-05:00"),)
        action = m.ProposedAction(name="cancel_event", parameters={"event_id": "evt_1"}, affects=affects)
        self.tell(m.ActionProposed(id=id, action=action))

    @property
    def sound(self) -> bytes:
        return b"".join(message.audio for message in self.heard if isinstance(message, m.AudioAppend))

    @property
    def words(self) -> list[m.ClientMessage]:
        """Everything but sound and settings."""
        return [message for message in self.heard if not isinstance(message, m.AudioAppend | m.SessionUpdate)]


class Network:
    """What the connector stands on: sessions that can be had, or not, each step in its time."""

    def __init__(self, output_format: str) -> None:
        self.output_format = output_format
        self.log: list[str] = []
        self.mint_seconds = 0.01
        self.dial_seconds = 0.01
        self.delete_seconds = 0.01
        self.error: BridgeError | None = None  # of the mint
        self.dial_error: BridgeError | None = None
        self.states_formats = True
        self.congested = False  # the session's socket takes nothing from the start
        self.when_dialled: Callable[[], None] = lambda: None
        self.near: End
        self.assistant: Assistant | None = None  # the newest
        self.assistants: list[Assistant] = []
        self.event: dict[str, object] | None = None  # what a look-up finds

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        self.log.append(request.method)
        seconds = self.mint_seconds if request.method == "POST" else self.delete_seconds
        await asyncio.sleep(min(seconds, timeout_ms / 1000))
        if seconds > timeout_ms / 1000:
            raise Unavailable("too slow", code="timeout")
        if request.method == "POST" and self.error is not None:
            raise self.error
        if request.method == "GET":
            return Response(status=200 if self.event else 503, body=msgspec.json.encode(self.event))
        return Response(status=201, body=msgspec.json.encode({"id": "hub_1", "session_token": "t"}))

    async def dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int
    ) -> Socket:
        self.log.append("dial")
        await asyncio.sleep(self.dial_seconds)
        if self.dial_error is not None:
            raise self.dial_error
        near, far = joined()
        self.near = near
        self.assistant = Assistant(far.socket)
        self.assistants.append(self.assistant)
        if self.congested:
            near.stuck = True
            near.socket.pause()
        if self.states_formats:
            state = m.SessionState(id="hub_1", input_format="pcm16", output_format=self.output_format)
            self.assistant.tell(m.SessionCreated(state), m.SessionUpdated(state))
        self.when_dialled()
        return near.socket


class Voice:
    """Says the name of each line, ``LINE_MS`` long; keys in ``dumb`` cannot be said."""

    def __init__(self) -> None:
        self.seconds = 0.01
        self.dumb: dict[str, Exception] = {}
        self.lengths: dict[str, int] = {}  # of lines that are longer or shorter, in milliseconds

    async def sound(self, line: c.Line, language: str, format: Format) -> bytes:
        await asyncio.sleep(self.seconds)
        if line.key in self.dumb:
            raise self.dumb[line.key]
        return sound_of(line.key, self.lengths.get(line.key, LINE_MS))


def start_of(name: str) -> StreamStart:
    return StreamStart(call_sid=f"CA{name}", stream_sid=f"MZ{name}", account_sid="AC1")


class Stage:
    """One call with everything around it; ``begin`` starts it, ``over`` sees it end and leave nothing behind."""

    def __init__(
        self,
        name: str = "1",
        *,
        rules: Rules | None = None,
        leg: LegWire | None = None,
        dialect: Dialect | None = None,
        output_format: str = "g711_ulaw",
        ttl_seconds: int = MAX_TTL_SECONDS,
        pins: Desk | None = None,
        journal: Journal | None = None,
        recordings: Recordings | None = None,
        put_through: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.network = Network(output_format)
        self.voice = Voice()
        self.near, far = joined()
        self.carrier = Carrier(far.socket, start_of(name))
        self.connector = Connector(
            self.network,
            dial=self.network.dial,
            clock=lambda: int(self.loop.time() * 1000),
            jitter=lambda: 0.0,
        )
        self.looks = 0  # at the clock
        self.call = Call(PCMU_8K, rules or Rules(), 0)
        chronapilot = ChronaPilot(
            base_url="http://session.test",
            key="sk_test_1",
            user_id="usr_1",
            output_format=output_format,
            ttl_seconds=ttl_seconds,
        )
        self.pump = Pump(
            self.call,
            leg or TwilioStream(start_of(name)),
            self.near.socket,
            dialect=dialect or chronapilot,
            connector=self.connector,
            prompts=self.voice,
            clock=self._clock,
            pins=pins,
            journal=journal,
            recorder=recordings.open(f"call_{name}", PCMU_8K, self.call.trace) if recordings is not None else None,
            put_through=put_through,
        )
        self.running: asyncio.Task[None]

    def _clock(self) -> float:
        self.looks += 1
        return self.loop.time()

    @property
    def assistant(self) -> Assistant:
        assert self.network.assistant is not None, "the session was never opened"
        return self.network.assistant

    async def begin(self) -> "Stage":
        self.running = asyncio.create_task(self.pump.run())
        await settle()
        return self

    async def opened(self) -> "Stage":
        """Begin, let the session open and the greeting pass."""
        await self.begin()
        await asyncio.sleep(LINE_MS / 1000 + 0.2)
        return self

    async def asked(self, id: str = "act_1") -> None:
        """Have an action proposed and its question heard to the end."""
        self.assistant.propose(id)
        await asyncio.sleep(2 * LINE_MS / 1000 + 0.1)

    async def over(self, within: float = PATIENCE_SECONDS) -> None:
        """Wait for the end, and see that nothing is left; raises what the call failed with."""
        async with asyncio.timeout(within):
            await asyncio.wait([self.running])
        await self.connector.close()
        await settle()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert loop.timers() == []
        assert self.near.socket.ending is not None
        assert all(assistant.code is not None for assistant in self.network.assistants)
        self.running.result()


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make a test of a story in virtual time."""

    def run() -> None:
        run_virtual(test())

    run.__name__ = test.__name__
    return run
