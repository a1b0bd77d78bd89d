"""Whole conversations in virtual time: everything of a call but its network, and speech replaced by its words.

::

    caller's script ─▶ simulator.VirtualCarrier ─▶ TwilioStream ─▶ Pump + Call ─▶ ChronaPilotWire ─▶
                       VoiceService + CalendarConversation + CalendarTools on SQLite

The carrier moves the time. Whoever speaks, speaks in vowels, as long as the words would take; the ear is told what the
caller says and gives it back when a recogniser would have. So a talk goes the same way every time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from phone_bridge.assistant.calendar.demo import ALICE, refill
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.hearing import Utterances
from phone_bridge.assistant.keys import of_plain
from phone_bridge.assistant.mind import CalendarMind
from phone_bridge.assistant.performer import Clocks, Faculties
from phone_bridge.assistant.ports import Expecting, Heard
from phone_bridge.assistant.server import VoiceService
from phone_bridge.assistant.session import VoiceSession
from phone_bridge.audio.format import LINEAR_8K, PCMU_8K, Format
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.call.commands import Line
from phone_bridge.call.machine import Call
from phone_bridge.call.proving import Wanted
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.errors import Refused
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.stream import Opening, TwilioStream
from phone_bridge.runtime.calendar_toolbox import CalendarToolbox
from phone_bridge.runtime.connect import Connector
from phone_bridge.runtime.language_toolbox import LanguageToolbox
from phone_bridge.runtime.pin_pad import Desk
from phone_bridge.runtime.pin_toolbox import PinToolbox
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.toolbox import CallFacts, Toolbox, Tools
from phone_bridge.runtime.voice import Speech
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.dialect import Dialect
from phone_bridge.sessions.realtime import Realtime
from phone_bridge.sessions.realtime.dialect import LIFE_MS
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.carrier_call import CallPlan
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import Say, Step
from phone_bridge.simulator.virtual import VIRTUAL_URL, VirtualCarrier
from phone_bridge.simulator.webhooks import Dialling
from phone_bridge.tools.calendar import CalendarTools
from phone_bridge.tools.table import SCOPES
from tests.audio.speechlike import vowel
from tests.clock import SteppedLoop
from tests.runtime.joined import End, joined
from tests.sessions.realtime.model import Mind, Model

MORNING = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # a Tuesday, ten o'clock where Alice is
LETTER_MS = 20  # how long any voice takes for a letter
SHORTEST_MS = 300  # and for a word
RECOGNISING_MS = 150
SECRET_KEY = "sk_test_bridge"
KEY = of_plain("bridge", SECRET_KEY, limited=False)

Marks = Callable[[str], Sequence[tuple[int, str]]]
"""What becomes of a mark on its way back: the messages in its place, each with its delay in milliseconds."""


def spoken(text: str) -> bytes:
    """Say ``text`` in vowels, linear at 8 kHz."""
    return vowel(max(SHORTEST_MS, LETTER_MS * len(text))).astype("<i2").tobytes()


def sound(text: str) -> bytes:
    """Say ``text`` in vowels as the telephone carries it."""
    return linear_to_ulaw(spoken(text))


class Recogniser:
    """An ear that is told beforehand what will be said."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = deque(words)

    def prepare(self, expecting: Expecting) -> None: ...

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        await asyncio.sleep(RECOGNISING_MS / 1000)
        return Heard(self._words.popleft())


class Vowels:
    """The assistant's voice, and the bridge's own."""

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        return Speech(spoken(text), LINEAR_8K)

    async def sound(self, line: Line, language: str, format: Format) -> bytes:
        return sound(line.text)

    async def close(self) -> None: ...


class AtOnce(ThreadPoolExecutor):
    """Does what is meant for a thread at once, so that a database takes no time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for who asked
            future.set_exception(error)
        return future


class House:
    """The assistant with its calendar, and the connector's way to it."""

    def __init__(self, database: str, words: Sequence[str], loop: SteppedLoop, mind: Mind | None, shape: Shape) -> None:
        self._words, self._mind, self._shape = deque(words), mind, shape
        self.models: list[Model] = []
        numbers: dict[str, count[int]] = {}

        def new_id(prefix: str) -> str:
            return f"{prefix}_{next(numbers.setdefault(prefix, count(1))):06}"

        def wall() -> datetime:
            return MORNING + timedelta(milliseconds=loop.now)

        self.keeper = SqlKeeper(database, new_id=new_id, now=wall)
        self.keeper.prepare()
        if mind is not None:
            loop.finish(refill(self.keeper, wall()))
        self.tools = CalendarTools(self.keeper, wall)
        talks = CalendarMind(self.keeper, new_id=new_id, now=wall)
        faculties = Faculties(Utterances, Recogniser(words), talks, self.tools, Vowels())
        clocks = Clocks(lambda: loop.now, wall)
        self._service = VoiceService([KEY], faculties, clocks, secret=b"s" * 32, new_id=new_id)
        self.near: End
        self._serving: set[asyncio.Task[None]] = set()

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method == "POST":
            return self._service.mint(headers, request.body)
        return self._service.delete(headers, request.url.rpartition("/")[2])

    async def dial(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int
    ) -> Socket:
        if self._mind is not None:
            self.near, far = joined()
            model = Model(far.socket, self._mind, words=self._words, speak=sound, format=PCMU_8K, shape=self._shape)
            self.models.append(model)
            return self.near.socket
        session = self._service.open(url.rpartition("=")[2])
        assert isinstance(session, VoiceSession)
        self.near, far = joined()
        serving = asyncio.create_task(self._service.serve(session, far.socket))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        return self.near.socket

    @property
    def told(self) -> tuple[m.ClientMessage, ...]:
        """What the bridge has said to the assistant, but for sound and settings."""
        if self._mind is not None:
            return ()
        said = [m.read_client_message(message) for message in self.near.sent]
        return tuple(each for each in said if not isinstance(each, m.AudioAppend | m.SessionUpdate))


class MediaSocket:
    """The bridge's end of the carrier's socket (what ``VirtualCarrier`` calls the far end) and the call behind it."""

    def __init__(self, loop: SteppedLoop, begin: Callable[[Socket, StreamStart], None], marks: Marks) -> None:
        self._loop = loop
        self._begin = begin
        self._marks = marks
        self._opening: Opening | None = Opening()
        self._messages: list[str | bytes] = []
        self._code: int | None = None
        self._socket: Socket = loop.do(lambda: Socket(self))

    # For the carrier

    def receive(self, message: str, now: int) -> None:
        self._loop.do(lambda: self._arrive(message), now)

    def disconnected(self, now: int) -> None:
        self._loop.do(self._end, now)

    def outgoing(self) -> list[str | bytes]:
        taken, self._messages = self._messages, []
        return taken

    def closing(self) -> int | None:
        code, self._code = self._code, None
        return code

    def deadline(self) -> int | None:
        return self._loop.due

    def expire(self, now: int) -> None:
        self._loop.do(lambda: None, now)

    def _arrive(self, message: str) -> None:
        for delay_ms, arrival in self._marks(message) if '"event":"mark"' in message else [(0, message)]:
            if delay_ms:
                self._loop.call_later(delay_ms / 1000, self._hear, arrival)
            else:
                self._hear(arrival)

    def _end(self) -> None:
        self._socket.close_received(1000, "")
        self._socket.lost()

    def _hear(self, message: str) -> None:
        if self._opening is None:
            self._socket.hear(message)
        elif isinstance(start := self._opening.receive(message, self._loop.now), StreamStart):
            self._opening = None
            self._begin(self._socket, start)

    # For the socket

    def write(self, message: str | bytes) -> None:
        self._messages.append(message)

    def close(self, code: int, reason: str) -> None:
        self._code = code
        self._loop.call_soon(self._socket.lost)

    def abort(self) -> None:
        self._loop.call_soon(self._socket.lost)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What a talk goes on under."""

    rules: Rules = Rules()
    stay: bool = False
    """The caller never hangs up."""
    marks: Marks = lambda message: [(0, message)]
    delay_ms: int = 0
    """What every message between the carrier and the bridge needs, either way."""
    leaves_out_silence: bool = False
    """The carrier sends no media while the caller is silent."""
    output_format: str = "g711_ulaw"
    unheard: str = ""
    """What the ear makes no words of."""
    mind: Mind | None = None
    """What a function-calling model thinks, which then takes the built-in assistant's place."""
    shape: Shape = Shape.GA
    life_ms: int = LIFE_MS
    """How long that model's session lives."""
    pin: str = ""
    """The user's PIN, where they have one."""
    unreachable: frozenset[str] = frozenset()
    """Who cannot be rung, of those to whom the rules let the caller be put through."""
    code: str = ""
    """What a code will be that the user's telephone is sent."""


class Stage:
    """Everything of one talk."""

    def __init__(self, folder: Path, script: Sequence[Step], given: Circumstances) -> None:
        self.loop = SteppedLoop()
        self.loop.set_default_executor(AtOnce())
        self._troubles: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, trouble: self._troubles.append(trouble))
        words = ["" if step.text == given.unheard else step.text for step in script if isinstance(step, Say)]
        self.house = House(f"sqlite:///{folder}/talk.db", words, self.loop, given.mind, given.shape)
        self.trace = Trace(0)
        self._given = given
        self.pin = given.pin
        self._running: asyncio.Task[None]
        self.carrier = VirtualCarrier(
            script,
            lambda *_: MediaSocket(self.loop, self._begin, given.marks),
            plan=CallPlan(
                dialling=Dialling(account_sid=f"AC{1:032x}"),
                voice_url=f"{VIRTUAL_URL}/twilio/voice",
                leaves_out_silence=given.leaves_out_silence,
            ),
            manners=Manners(stay=given.stay),
            voice=sound,
            delay_ms=given.delay_ms,
        )

    def _begin(self, socket: Socket, start: StreamStart) -> None:
        loop = self.loop
        leg = TwilioStream(start)
        facts = CallFacts(call_id="call_1", user_id=ALICE.id, pin=bool(self._given.pin or self._given.code))
        boxes: list[Toolbox] = [
            CalendarToolbox(self.house.tools),
            LanguageToolbox(self._speak),
            PinToolbox(self._change_pin),
        ]
        tools = Tools(boxes if self._given.mind is not None else [], facts)
        call = Call(leg.format, msgspec.structs.replace(self._given.rules, effects=tools.effects), loop.now)
        self.trace = call.trace
        connector = Connector(self.house, dial=self.house.dial, clock=lambda: loop.now, jitter=lambda: 0.0)
        self._pump = Pump(
            call,
            leg,
            socket,
            dialect=self._dialect(tools),
            connector=connector,
            prompts=Vowels(),
            clock=lambda: loop.now / 1000,
            tools=tools,
            pins=self._desk() if self._given.pin or self._given.code else None,
            put_through=self._put_through,
        )
        self._running = loop.create_task(self._pump.run())

    def _speak(self, language: str) -> bool:
        self._pump.speak(language)
        return True

    async def _put_through(self, name: str) -> None:
        if name in self._given.unreachable:
            raise Refused("This caller is not put through once more.", code="too_many_transfers")
        self._pump.move(name)

    def _change_pin(self) -> bool:
        return self._pump.change_pin()

    def _desk(self) -> Desk:
        others = {
            Wanted.CODE: self._judge_code,
            Wanted.LOOK: self._look,
            Wanted.NEW: self._fits,
            Wanted.ONCE_MORE: self._keep,
        }
        return Desk(self._judge, others=others, send=self._send)

    async def _judge(self, pin: str) -> str:
        return "right" if pin == self.pin else "wrong"

    async def _judge_code(self, code: str) -> str:
        return "right" if code == self._given.code else "wrong"

    async def _look(self, nothing: str) -> str:
        return "right" if self.pin else "missing"

    async def _fits(self, pin: str) -> str:
        return "same" if pin == self.pin else "right"

    async def _keep(self, pin: str) -> str:
        self.pin = pin
        return "right"

    async def _send(self, language: str) -> str:
        return "sent" if self._given.code else "failed"

    def _dialect(self, tools: Tools) -> Dialect:
        if self._given.mind is not None:
            audio_format = "" if self._given.output_format == "g711_ulaw" else self._given.output_format
            return Realtime(
                url="ws://model.test",
                shape=self._given.shape,
                offers=tools.offers,
                audio_format=audio_format,
                life_ms=self._given.life_ms,
            )
        return ChronaPilot(
            base_url="http://assistant.test",
            key=SECRET_KEY,
            user_id=ALICE.id,
            output_format=self._given.output_format,
            scopes=tuple(sorted(SCOPES)),
        )

    def close(self) -> None:
        """See that the call is over and left nothing behind."""
        until = self.loop.now + 1_000
        while (due := self.loop.due) is not None and due <= until:
            self.loop.do(lambda: None, due)
        self._running.result()
        assert asyncio.all_tasks(self.loop) == set()
        assert self._troubles == []
        self.house.keeper.close()
        self.loop.close()


class Talk(msgspec.Struct, frozen=True):
    """A talk that is over."""

    result: CallResult
    trace: Trace
    told: tuple[m.ClientMessage, ...]
    """What the bridge told the assistant, but for the caller's sound."""
    models: tuple[Model, ...]
    """The function-calling models that the bridge spoke with, where it did."""
    pin: str
    """What is the user's PIN in the end."""
    calendar: dict[str, datetime]
    """What is in Alice's calendar, with the hour in her own time."""

    @property
    def lines(self) -> list[str]:
        """The transcript."""
        return [f"{said.speaker}: {said.text}" for said in self.trace.transcript]

    @property
    def verdicts(self) -> list[tuple[str, str, str]]:
        """What was asked, and what was answered by what."""
        return [(asked.action.name, asked.verdict.value, asked.by.value) for asked in self.asked]

    @property
    def asked(self) -> list[Asked]:
        return self.trace.actions

    @property
    def confirms(self) -> list[str]:
        """The ids of every action that the assistant was told to do."""
        return [each.id for each in self.told if isinstance(each, m.ActionConfirm)]


def hold(folder: Path, *script: Step, given: Circumstances = Circumstances()) -> Talk:  # noqa: B008 - frozen
    """Have a talk from its greeting to its end."""
    stage = Stage(folder, script, given)
    result = stage.carrier.run()
    events = stage.loop.finish(stage.house.keeper.events(ALICE.id, start=None, end=None))
    stage.close()
    calendar = {event.title: event.start_time.astimezone(ZoneInfo(ALICE.timezone)) for event in events}
    return Talk(result, stage.trace, stage.house.told, tuple(stage.house.models), stage.pin, calendar)
