"""A voice service with made-up faculties and a client in the test's hands, all in virtual time."""

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

import msgspec

from phone_bridge.assistant.keys import VoiceKey, of_plain
from phone_bridge.assistant.performer import Clocks, Faculties
from phone_bridge.assistant.ports import (
    Conversation,
    Endpointer,
    Expecting,
    Heard,
    Intent,
    Move,
    Propose,
    SpeechBegan,
    SpeechEnded,
)
from phone_bridge.assistant.server import VoiceService
from phone_bridge.assistant.session import VoiceSession
from phone_bridge.assistant.webhooks import Happening
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.call.events import Action
from phone_bridge.errors import Unavailable
from phone_bridge.exchange import Response
from phone_bridge.runtime.voice import Speech
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.tools.catalogue import Policy
from tests.clock import run_virtual, settle

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECRET = b"s" * 32
PLAIN = {"bridge": "sk_test_bridge", "other": "sk_test_other"}
KEYS = tuple(of_plain(name, secret, limited=name != "bridge") for name, secret in PLAIN.items())
SCOPES = ["calendars:read", "events:read", "events:write"]
TOOLS = frozenset({"get_next_event", "cancel_event", "create_event"})
ANSWER = ["response.created", "audio.transcript.delta", "audio.delta", "response.done"]
CANCEL = Action("cancel_event", {"event_id": "evt_1"}, "cancel Lunch")
NEXT = Action("get_next_event", {})
INTENT = Intent("cancel_event", 0.9, {"event_id": "evt_1"})
PROPOSE = Propose("act_1", CANCEL)
SPEECH = b"\x01\x02" * 160  # 10 ms at 16 kHz
SILENCE = bytes(320)


class Loudness:
    """An endpointer for which whatever is not silence is speech."""

    def __init__(self) -> None:
        self._heard = 0
        self._speech = b""

    def push(self, audio: bytes) -> list[SpeechBegan | SpeechEnded]:
        begins = not self._speech
        at_ms = LINEAR_16K.ms(self._heard)
        self._heard += len(audio)
        if audio.strip(b"\0"):
            self._speech += audio
            return [SpeechBegan(at_ms)] if begins else []
        return self.flush()

    def flush(self) -> list[SpeechBegan | SpeechEnded]:
        utterance, self._speech = self._speech, b""
        return [SpeechEnded(LINEAR_16K.ms(self._heard), utterance)] if utterance else []

    def clear(self) -> None:
        self._speech = b""


class Script:
    """The faculties of a session, playing what a test wrote: words, moves, results and sound."""

    def __init__(self) -> None:
        self.words: list[str] = []  # what the ear hears next
        self.deaf = False
        self.utterances: list[bytes] = []
        self.answers: dict[str, list[Move]] = {}  # moves for words, and for "confirmed act_1" and the like
        self.calls: list[str] = []  # what the conversation was told
        self.expected = Expecting()  # what the conversation says may be heard next
        self.prepared: list[Expecting] = []  # what the ear was to get ready for
        self.results: dict[str, Any] = {}  # by tool
        self.runs: list[tuple[str, str, Mapping[str, Any], str]] = []
        self.gate: asyncio.Event | None = None  # holds tools up
        self.hoarse: asyncio.Event | None = None  # holds the voice up
        self.mute = False
        self.strange: Exception | None = None  # why no conversation begins
        self.conversed: list[tuple[str, frozenset[str]]] = []
        self.policies: list[Policy] = []

    # Ear

    def prepare(self, expecting: Expecting) -> None:
        self.prepared.append(expecting)

    async def hear(self, utterance: bytes, expecting: Expecting) -> Heard:
        self.utterances.append(utterance)
        if self.deaf:
            raise Unavailable("the recogniser is gone")
        return Heard(self.words.pop(0))

    # Mind and conversation

    async def converse(self, user_id: str, tools: frozenset[str], policy: Policy = Policy.DEFAULT) -> Conversation:
        self.conversed.append((user_id, tools))
        self.policies.append(policy)
        if self.strange is not None:
            raise self.strange
        return self

    def _told(self, what: str) -> list[Move]:
        self.calls.append(what)
        return list(self.answers.get(what, []))

    def heard(self, text: str, now: datetime) -> list[Move]:
        assert now.tzinfo is not None
        return self._told(text)

    def confirmed(self, action_id: str, now: datetime) -> list[Move]:
        return self._told(f"confirmed {action_id}")

    def declined(self, action_id: str, now: datetime) -> list[Move]:
        return self._told(f"declined {action_id}")

    def withdrawn(self, action_id: str, now: datetime) -> list[Move]:
        return self._told(f"withdrawn {action_id}")

    def ran(self, action_id: str, result: Mapping[str, Any], now: datetime) -> list[Move]:
        return self._told(f"ran {action_id} {'well' if result['ok'] else result['error']['code']}")

    def expecting(self) -> Expecting:
        return self.expected

    # Tools

    def allowed(self, scopes: frozenset[str]) -> frozenset[str]:
        return TOOLS if "events:write" in scopes else frozenset({"get_next_event"})

    async def run(self, user_id: str, tool: str, parameters: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        if self.gate is not None:
            await self.gate.wait()
        self.runs.append((user_id, tool, parameters, key))
        result = self.results.get(tool, {"ok": True})
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, dict)
        return result

    # Voice

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        if self.hoarse is not None:
            await self.hoarse.wait()
        if self.mute:
            raise Unavailable("the synthesiser is gone")
        return Speech(bytes(LINEAR_16K.size(len(text) * 60)), LINEAR_16K)

    async def close(self) -> None: ...


class Client:
    """The other end of a session's socket."""

    def __init__(self) -> None:
        self.sent: list[m.ServerMessage] = []
        self.closed: tuple[int, str] | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self.session: VoiceSession | None = None

    # What a session sees of its socket

    def attach(self, listener: VoiceSession) -> None:
        self.session = listener
        if self.closed is not None:
            listener.closed(*self.closed)

    def send(self, message: str | bytes) -> None:
        read = m.read_server_message(message)
        assert read is not None
        if self.closed is None:  # as the real one drops what comes later
            self.sent.append(read)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.lose(code, reason)

    async def wait_writable(self) -> None:
        await self.writable.wait()

    # What a test does with it

    def lose(self, code: int = 1006, reason: str = "") -> None:
        if self.closed is None:
            self.closed = (code, reason)
            self.writable.set()
            if self.session is not None:
                asyncio.get_running_loop().call_soon(self.session.closed, code, reason)

    def tell(self, *messages: m.ClientMessage | str | bytes) -> None:
        assert self.session is not None
        for message in messages:
            if self.closed is None:
                self.session.message(message if isinstance(message, str | bytes) else m.encode(message))

    async def say(self, *texts: str) -> list[m.ServerMessage]:
        """Send text turns and take what comes of them."""
        self.tell(*(m.TextAppend(text) for text in texts))
        return await self.take()

    async def take(self) -> list[m.ServerMessage]:
        """Let happen what is due and take what was sent since."""
        seen = -1
        while seen != len(self.sent):
            seen = len(self.sent)
            await settle()
            await settle()
        taken, self.sent = self.sent, []
        return taken


class House:
    """The service, and clients of it."""

    def __init__(self, keys: Sequence[VoiceKey] = KEYS) -> None:
        self.script = Script()
        self.told: list[Happening] = []
        loop = asyncio.get_running_loop()
        self.late_ms = 0  # how late the loop's timers are
        self.looks = 0  # at the clock

        def now() -> int:
            self.looks += 1
            return int(loop.time() * 1000) + self.late_ms

        self.clocks = Clocks(now, lambda: START + timedelta(seconds=loop.time()))
        endpointer: Callable[[], Endpointer] = Loudness
        faculties = self.faculties = Faculties(endpointer, self.script, self.script, self.script, self.script)
        counts: dict[str, itertools.count[int]] = {}

        def new_id(prefix: str) -> str:
            return f"{prefix}_{next(counts.setdefault(prefix, itertools.count(1)))}"

        self.new_id = new_id
        self.service = VoiceService(keys, faculties, self.clocks, secret=SECRET, new_id=new_id, tell=self.told.append)

    def mint(self, key: VoiceKey = KEYS[0], headers: Mapping[str, str] | None = None, **wish: Any) -> Response:
        body = {"user_id": "usr_alice", "scopes": SCOPES, "ttl_seconds": 1800} | wish
        given = {"authorization": f"Bearer {PLAIN[key.id]}"} | dict(headers or {})
        return self.service.mint(given, msgspec.json.encode(body))

    def token(self, **wish: Any) -> str:
        return str(json.loads(self.mint(**wish).body)["session_token"])

    def open(self, token: str = "", **wish: Any) -> "Opened":
        return Opened(self, token or self.token(**wish))


class Opened(AbstractAsyncContextManager[Client]):
    """A client on an open session, past its ``session.created``; at the end the socket is lost and all is over."""

    def __init__(self, house: House, token: str) -> None:
        session = house.service.open(token)
        assert isinstance(session, VoiceSession)
        self._client = Client()
        self._serving = asyncio.create_task(house.service.serve(session, self._client))

    async def __aenter__(self) -> Client:
        (created,) = await self._client.take()
        assert isinstance(created, m.SessionCreated)
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.lose()
        async with asyncio.timeout(60):
            await self._serving


def play(scenario: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    """Run a test's story in virtual time."""

    async def story() -> None:
        await scenario(House())

    run_virtual(story())


def kinds(messages: list[m.ServerMessage]) -> list[str]:
    """Say what was sent by types alone, a run of sound as one."""
    tags = [str(type(message).__struct_config__.tag) for message in messages]
    return [tag for place, tag in enumerate(tags) if tag != "audio.delta" or place == 0 or tags[place - 1] != tag]


def errors(messages: list[m.ServerMessage]) -> list[str | None]:
    """Say which errors were sent."""
    return [message.error.code for message in messages if isinstance(message, m.ErrorMessage)]


async def proposed(house: House, client: Client, *more: Move) -> list[m.ServerMessage]:
    """Have act_1 proposed, and ``more`` done."""
    house.script.answers["cancel lunch"] = [INTENT, PROPOSE, *more]
    return await client.say("cancel lunch")
