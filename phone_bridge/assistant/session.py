"""One live voice session on its socket: the caller's turns in their order, and the end of the session in time.

Two tasks work behind the socket's callbacks. ``_talk`` takes the caller's turns one after the other: it hears them and
has them answered, speech included. The performer's ``execute`` does confirmed actions in the order of their
confirmation; it outlives the socket, for consent that has arrived is carried out although the caller has gone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from phone_bridge.assistant.attention import Attention
from phone_bridge.assistant.performer import EXPIRING_MS, Clocks, Faculties, Grant, Outlet, Performer
from phone_bridge.assistant.ports import Move, SpeechBegan, SpeechEnded
from phone_bridge.assistant.problems import Problem
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.sessions.chronapilot import ChronaPilotServerWire, handing_on
from phone_bridge.sessions.chronapilot import messages as m

LAST_WORDS_MS = 10_000
"""How long a response that is running when the session expires may go on."""

IDLE_MS = 120_000
"""How long a socket may stay without any message of the client's."""

MAX_TURNS = 32
"""Turns of the caller's that may wait for their answer."""

MAX_AHEAD_MS = 30_000
"""How much sound a client may send faster than time passes."""

_CLOSE_REASONS = {1000: "client_close", 1001: "client_close", 1005: "client_close", 1012: "server_shutdown"}
_log = logging.getLogger(__name__)


class Peer(Protocol):
    """The session's end of a WebSocket, as ``runtime.sockets.Socket`` has it."""

    def attach(self, listener: "VoiceSession") -> None:
        """Tell everything to ``listener`` from now on."""
        ...

    def send(self, message: str | bytes) -> None:
        """Send without waiting."""
        ...

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close after what waits to be sent; once is enough."""
        ...

    async def wait_writable(self) -> None:
        """Wait until a message would go straight out, or never will."""
        ...


class VoiceSession:
    """A session on one socket: ``serve`` is the whole of it, ``leave`` ends it from outside."""

    def __init__(self, grant: Grant, faculties: Faculties, clocks: Clocks, new_id: Callable[[str], str]) -> None:
        self._grant = grant
        self._faculties = faculties
        self._clocks = clocks
        self._new_id = new_id
        self._wire = ChronaPilotServerWire()
        self._model: str | None = None
        self._voice: str | None = None
        self._endpointer = Attention(faculties.endpointer(), faculties.ear, lambda: self._performer.expecting())
        self._spoken_to = asyncio.Event()
        self._turns: asyncio.Queue[bytes | str | list[Move]] = asyncio.Queue()
        outlet = Outlet(self._send, self._writable, self._wire.voice, self._follow, self._hang_up)
        self._performer = Performer(grant, faculties, clocks, outlet, new_id)
        self._began = self._heard_at = clocks.now()
        self._heard_size = 0
        self._told_expiring = False
        self._talking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer: Peer | None = None
        self._left: tuple[int, str] | None = None

    @property
    def id(self) -> str:
        """The session's id."""
        return self._grant.session_id

    @property
    def close_reason(self) -> str:
        """Why it is over; "" while it is not."""
        return self._left[1] if self._left is not None else ""

    async def serve(self, peer: Peer) -> None:
        """Be the session on ``peer`` until its socket is gone and every confirmed action is done."""
        if self._left is not None:
            peer.close(*self._left)
            return
        self._peer = peer
        self._send(m.SessionCreated(self._state()))
        try:
            async with asyncio.TaskGroup() as tasks:
                self._talking = tasks.create_task(self._guard(self._talk))
                tasks.create_task(self._guard(self._performer.execute))
                self._arm()
                peer.attach(self)
        finally:
            self.leave(1001, "server_shutdown")  # where nothing has ended it yet, our own task was cancelled

    def leave(self, code: int, reason: str) -> None:
        """End the session and close its socket with ``code``; the first ``reason`` is the one that counts."""
        if self._left is not None:
            return
        self._left = (code, reason)
        self._disarm()
        if self._peer is not None:
            self._peer.close(code, reason)

    # The socket's callbacks

    def message(self, data: str | bytes) -> None:
        """Take one message of the client's; what is wrong with it is told, and the session lives on."""
        self._heard_at = self._clocks.now()
        self._spoken_to.set()
        try:
            message = self._wire.receive(data)
        except m.InvalidMessage as error:
            self._complain(Problem(str(error), code=error.code, param=error.param), error.event_id)
            return
        try:
            self._take(message)
        except Problem as problem:
            self._complain(problem, message.event_id)

    def closed(self, code: int, reason: str) -> None:
        """Know that the socket is gone: nobody is left to talk to, but what was confirmed is still done."""
        if self._left is None:
            self._left = (code, _CLOSE_REASONS.get(code, "error"))
        self._disarm()
        if self._talking is not None:
            self._talking.cancel()
        self._performer.stop()

    def _take(self, message: m.ClientMessage) -> None:
        match message:
            case m.AudioAppend():
                self._listen(message.audio)
            case m.TextAppend():
                self._queue(message.text)
            case m.ActionConfirm():
                self._performer.confirm(message.id)
            case m.ActionDecline():
                self._performer.decline(message.id, message.reason or "client")
            case m.ResponseCancel():
                self._performer.cancel(message.response_id)
            case m.SessionUpdate():
                self._update(message.session)
            case m.AudioCommit():
                self._notice(self._endpointer.flush())
            case m.AudioClear():
                self._endpointer.clear()

    def _update(self, settings: m.SessionSettings) -> None:
        if settings.tools is not None:
            self._performer.restrict(settings.tools)
        self._wire.apply(settings)
        self._model = settings.model if settings.model is not None else self._model
        self._voice = settings.voice if settings.voice is not None else self._voice
        self._send(m.SessionUpdated(self._state()))

    def _state(self) -> m.SessionState:
        return self._wire.state(
            id=self._grant.session_id,
            model=self._model,
            voice=self._voice,
            tools=self._performer.tools,
            expires_at=self._grant.expires_at.isoformat(),
        )

    # The caller's turns

    def _listen(self, audio: bytes) -> None:
        ahead_ms = LINEAR_16K.ms(self._heard_size + len(audio)) - (self._clocks.now() - self._began)
        if ahead_ms > MAX_AHEAD_MS:
            raise Problem("sound comes too far ahead of its time", code="rate_limit_exceeded", param="audio")
        self._heard_size += len(audio)
        self._notice(self._endpointer.push(audio))

    def _notice(self, events: Iterable[SpeechBegan | SpeechEnded]) -> None:
        for event in events:
            if isinstance(event, SpeechBegan):
                self._send(m.SpeechStarted(event.at_ms))
            else:
                self._send(m.SpeechStopped(event.at_ms))
                self._queue(event.utterance)

    def _queue(self, turn: bytes | str) -> None:
        if self._turns.qsize() >= MAX_TURNS:
            raise Problem("too many turns wait for their answer", code="rate_limit_exceeded")
        self._turns.put_nowait(turn)

    def _follow(self, moves: list[Move]) -> None:
        """Perform what the conversation decides outside of a turn once the turns before it are answered."""
        if moves:
            self._turns.put_nowait(moves)

    async def _talk(self) -> None:
        await self._spoken_to.wait()  # the first message sets the session up
        try:
            await self._performer.begin()
        except Refused as error:
            self._complain(Problem(str(error), code="resource_missing", param="user_id"))
            self.leave(4003, "error")
        except Unavailable as error:
            self._complain(Problem(str(error), code="service_unavailable"))
            self.leave(4500, "error")
        while self._left is None:
            turn = await self._turns.get()
            if isinstance(turn, bytes):
                turn = await self._hear(turn)
                self._send(m.TranscriptFinal(turn))
            handed_on = handing_on.read(turn) if isinstance(turn, str) else None
            if handed_on is not None:
                await self._performer.go_on(handed_on)
            elif isinstance(turn, str):
                await self._performer.hear(turn)
            else:
                await self._performer.perform(turn)
            self._expire(self._clocks.now())  # what is due may have waited for the response to end
            self._arm()

    async def _hear(self, utterance: bytes) -> str:
        """Recognise an utterance; what cannot be recognised has no words."""
        try:
            heard = await self._endpointer.hear(utterance, self._performer.expecting())
        except Unavailable as error:
            self._complain(Problem(f"speech cannot be recognised: {error}", code="service_unavailable"))
            return ""
        return heard.text

    # Time

    def _deadline(self) -> int:
        expiry = self._grant.until
        if not self._told_expiring:
            expiry -= EXPIRING_MS
        elif self._performer.responding and self._clocks.now() >= expiry:
            expiry += LAST_WORDS_MS
        proposal = self._performer.deadline()
        return min(expiry, self._heard_at + IDLE_MS, proposal if proposal is not None else expiry)

    def _expire(self, now: int) -> None:
        """Do what time asks for."""
        self._performer.expire(now)
        until = self._grant.until
        if now >= until - EXPIRING_MS and not self._told_expiring:
            self._told_expiring = True
            left = max(0, until - now) / 1000
            self._send(m.SessionExpiring(self._grant.expires_at.isoformat(), left))
        if now >= until + (LAST_WORDS_MS if self._performer.responding else 0):
            self._complain(Problem("the session's time is up", code="session_expired"))
            self.leave(4008, "expired")
        elif now >= self._heard_at + IDLE_MS:
            self._complain(Problem("nothing has come from the client for too long", code="session_idle"))
            self.leave(4408, "idle_timeout")

    def _arm(self) -> None:
        self._disarm()
        if self._left is None:
            delay = max(1, self._deadline() - self._clocks.now()) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        try:
            self._expire(self._clocks.now())
            self._arm()
        except Exception:  # noqa: BLE001 - the top of a callback
            self._fail()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Going out

    def _send(self, message: m.ServerMessage) -> None:
        if self._peer is not None and self._left is None:
            self._peer.send(m.encode(message))

    async def _writable(self) -> None:
        if self._peer is not None:
            await self._peer.wait_writable()

    def _hang_up(self) -> None:
        self.leave(1000, "completed")

    def _complain(self, problem: Problem, event_id: str = "") -> None:
        self._send(m.ErrorMessage(problem.body(self._new_id("req"), event_id)))

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        """Be the top of a task: what fails here ends this session and no other."""
        try:
            await work()
        except Exception:  # noqa: BLE001 - see above
            self._fail()

    def _fail(self) -> None:
        _log.exception("! voice session %s failed", self.id)
        self._complain(Problem("the session failed", code="internal_error"))
        self.leave(4500, "error")
