"""One live voice session on its socket, whatever its client's dialect: the caller's turns in their order, and the end.

Two tasks work behind the socket's callbacks. ``_talk`` takes the caller's turns one after the other: it hears them and
has them answered, speech included. The performer's ``execute`` does confirmed actions in the order of their
confirmation; it outlives the socket, for consent that has arrived is carried out although the caller has gone.

What the client says and is told goes through its keeper (``sessions/serving``), which alone knows the dialect.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import msgspec

from phone_bridge.assistant.attention import Attention
from phone_bridge.assistant.performer import EXPIRING_MS, Clocks, Faculties, Grant, Outlet, Performer
from phone_bridge.assistant.ports import Move, SpeechBegan, SpeechEnded
from phone_bridge.assistant.problems import Problem
from phone_bridge.call.commands import HandOn
from phone_bridge.call.words import in_english
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.serving import EAR, Keeper

LAST_WORDS_MS = 10_000
"""How long a response that is running when the session expires may go on."""

MAX_TURNS = 32
"""Turns of the caller's that may wait for their answer."""

MAX_JOBS = 1_000
"""Whatever else may wait: turns of an earlier talk that a client brings at once."""

MAX_AHEAD_MS = 30_000
"""How much sound a client may send faster than time passes."""

MAX_HELD_MS = 60_000
"""Longest turn of a client that ends its turns itself."""

MIN_HELD_MS = 100
"""Shortest one; less is no speech."""

_CLOSE_REASONS = {1000: "client_close", 1001: "client_close", 1005: "client_close", 1012: "server_shutdown"}
_log = logging.getLogger(__name__)


class _Recall(msgspec.Struct, frozen=True):
    """Turns that were answered elsewhere."""


_Job = s.TurnGiven | s.ReplyAsked | HandOn | list[Move] | _Recall


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

    def __init__(
        self,
        grant: Grant,
        faculties: Faculties,
        clocks: Clocks,
        new_id: Callable[[str], str],
        keeper: Keeper,
    ) -> None:
        self._grant = grant
        self._faculties = faculties
        self._clocks = clocks
        self._new_id = new_id
        self._keeper = keeper
        self._endpointer = Attention(faculties.endpointer(), faculties.ear, lambda: self._performer.expecting())
        self._held = bytearray()  # of a turn that the client will end
        self._turn = ""
        self._unanswered: dict[str, str] = {}
        self._spoken_to = asyncio.Event()
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        outlet = Outlet(self._tell, self._writable, self._keeper.voice, self._follow, self._hang_up, self._manners)
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
        self._tell(s.Opened(self._grant.session_id, self._performer.tools, self._grant.expires_at.isoformat()))
        for fact in self._keeper.opening():
            self._take(fact)
        if self._manners().begins_at_once:
            self._spoken_to.set()
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
        self._tell(s.Ending(reason))
        self._left = (code, reason)
        self._disarm()
        if self._peer is not None:
            self._peer.close(code, reason)

    def end(self, reason: str) -> None:
        """End the session for ``reason``, with the code that its dialect has for it."""
        self.leave(self._keeper.close_code(reason), reason)

    # The socket's callbacks

    def message(self, data: str | bytes) -> None:
        """Take one message of the client's; what is wrong with it is told, and the session lives on."""
        self._heard_at = self._clocks.now()
        self._spoken_to.set()
        try:
            for fact in self._keeper.receive(data):
                self._take(fact)
        except s.BadMessage as error:
            self._tell(s.Trouble(error.code, str(error), error.param, error.event_id))
        except Problem as problem:
            self._complain(problem, self._keeper.event_id)
        self._flush()

    def closed(self, code: int, reason: str) -> None:
        """Know that the socket is gone: nobody is left to talk to, but what was confirmed is still done."""
        if self._left is None:
            self._left = (code, _CLOSE_REASONS.get(code, "error"))
        self._disarm()
        if self._talking is not None:
            self._talking.cancel()
        self._performer.stop()

    def _take(self, fact: s.ClientFact) -> None:
        match fact:
            case s.SoundCame(audio):
                self._listen(audio)
            case s.TurnGiven():
                self._queue(fact)
            case s.TurnEnded(strict):
                self._end_turn(strict=strict)
            case s.TurnCleared():
                self._endpointer.clear()
                self._held.clear()
            case s.ReplyAsked():
                self._queue(fact)
            case s.ReplyCancelled(reply):
                self._performer.cancel(reply)
            case _:
                self._take_rarer(fact)

    def _take_rarer(self, fact: s.ClientFact) -> None:
        match fact:
            case s.Consented(action_id):
                self._performer.confirm(action_id)
            case s.Declined(action_id, reason):
                self._performer.decline(action_id, reason)
            case s.ToolsChosen(names):
                self._performer.restrict(names)
            case s.ToolsOffered(tools):
                self._performer.offer(tools)
            case s.ToolReturned(action_id, output):
                self._performer.returned(action_id, output)
            case s.SettingsSent():
                self._tell(s.SettingsTaken(self._performer.tools))
            case s.TalkHandedOn(before):
                self._queue(before)
            case s.TurnsAnswered():
                self._queue(_Recall())
            case s.TurnTakenBack(turn):
                self._take_back(turn)

    # The caller's turns

    def _listen(self, audio: bytes) -> None:
        ahead_ms = EAR.ms(self._heard_size + len(audio)) - (self._clocks.now() - self._began)
        if ahead_ms > MAX_AHEAD_MS:
            raise Problem("sound comes too far ahead of its time", code="rate_limit_exceeded", param="audio")
        self._heard_size += len(audio)
        if self._manners().finds_turns:
            self._notice(self._endpointer.push(audio))
            return
        if EAR.ms(len(self._held) + len(audio)) > MAX_HELD_MS:
            raise Problem(f"a turn has {MAX_HELD_MS} ms at most: commit it", code="payload_too_large", param="audio")
        self._held += audio

    def _notice(self, events: Iterable[SpeechBegan | SpeechEnded], *, asked: bool = False) -> None:
        for event in events:
            if isinstance(event, SpeechBegan):
                self._turn = self._new_id("item")
                self._tell(s.VoiceBegan(event.at_ms, self._turn))
                if self._manners().stops_for_speech:
                    self._performer.interrupt()
            else:
                self._tell(s.VoiceEnded(event.at_ms, self._turn))
                self._take_turn(event.utterance, answered=self._manners().answers_speech and not asked)

    def _end_turn(self, *, strict: bool) -> None:
        """End the spoken turn because the client says so."""
        if EAR.ms(len(self._held)) >= MIN_HELD_MS:
            utterance = bytes(self._held)
            self._held.clear()
            self._turn = self._new_id("item")
            self._take_turn(utterance, answered=False)
            return
        ended = self._endpointer.flush()
        if strict and not ended:
            raise Problem("there is no sound to make a turn of", code="turn_empty")
        self._notice(ended, asked=strict)

    def _take_turn(self, utterance: bytes, *, answered: bool) -> None:
        self._tell(s.TurnTaken(self._turn, EAR.ms(len(utterance))))
        self._queue(s.TurnGiven(self._turn, utterance=utterance, answered=answered))

    def _take_back(self, turn: str) -> None:
        """Forget a turn that waits for its answer, or for its hearing."""
        self._unanswered.pop(turn, None)
        waiting = [self._jobs.get_nowait() for _ in range(self._jobs.qsize())]
        for job in waiting:
            if not (isinstance(job, s.TurnGiven) and job.turn == turn):
                self._jobs.put_nowait(job)

    def _queue(self, job: "_Job") -> None:
        asks, hears = isinstance(job, s.ReplyAsked), False
        if isinstance(job, s.TurnGiven):
            asks, hears = job.answered, bool(job.utterance)
        most = MAX_TURNS if hears or asks else MAX_JOBS
        if self._jobs.qsize() >= most:
            raise Problem("too many turns wait for their answer", code="rate_limit_exceeded")
        if asks and self._manners().answers_always:
            self._performer.begin_reply()
        self._jobs.put_nowait(job)

    def _follow(self, moves: list[Move]) -> None:
        """Perform what the conversation decides outside of a turn once the turns before it are answered."""
        if moves:
            self._jobs.put_nowait(moves)

    async def _talk(self) -> None:
        await self._spoken_to.wait()  # the first message sets the session up
        try:
            await self._performer.begin()
        except Refused as error:
            self._complain(Problem(str(error), code="resource_missing", param="user_id"))
            self.leave(self._keeper.close_code("refused"), "error")
        except Unavailable as error:
            self._complain(Problem(str(error), code="service_unavailable"))
            self.end("error")
        else:
            self._tell(s.Ready())
        while self._left is None:
            await self._do(await self._jobs.get())
            self._expire(self._clocks.now())  # what is due may have waited for the response to end
            self._arm()

    async def _do(self, job: "_Job") -> None:
        match job:
            case s.TurnGiven():
                self._unanswered[job.turn] = await self._words(job)
                if job.answered:
                    await self._reply(s.ReplyAsked())
            case s.ReplyAsked():
                await self._reply(job)
            case HandOn():
                await self._performer.go_on(job)
            case _Recall():
                await self._performer.recall(self._take_unanswered())
            case _:
                await self._performer.perform(job)

    async def _words(self, turn: s.TurnGiven) -> str:
        if not turn.utterance:
            return in_english(turn.text)  # a line that speaks another language tells of a refusal in it
        heard = await self._hear(turn)
        return f"{turn.text} {heard}".strip()

    async def _reply(self, asked: s.ReplyAsked) -> None:
        if self._performer.silenced:  # the turns stay unanswered, as their client wanted
            self._performer.end_reply()
        elif asked.aside is not None:
            await self._performer.answer_aside(asked.aside)
        else:
            await self._performer.answer(self._take_unanswered(), asked.tools)

    def _take_unanswered(self) -> list[str]:
        waiting, self._unanswered = list(self._unanswered.values()), {}
        return waiting

    async def _hear(self, turn: s.TurnGiven) -> str:
        """Recognise an utterance; what cannot be recognised has no words."""
        try:
            heard = await self._endpointer.hear(turn.utterance, self._performer.expecting())
        except Unavailable as error:
            self._tell(s.NotTranscribed(turn.turn, f"speech cannot be recognised: {error}"))
            return ""
        self._tell(s.Transcribed(turn.turn, heard.text))
        return heard.text

    # Time

    def _deadline(self) -> int:
        expiry, idle_ms = self._grant.until, self._manners().idle_ms
        if not self._told_expiring:
            expiry -= EXPIRING_MS
        elif self._performer.responding and self._clocks.now() >= expiry:
            expiry += LAST_WORDS_MS
        proposal = self._performer.deadline()
        idle = self._heard_at + idle_ms if idle_ms is not None else expiry
        return min(expiry, idle, proposal if proposal is not None else expiry)

    def _expire(self, now: int) -> None:
        """Do what time asks for."""
        self._performer.expire(now)
        until = self._grant.until
        if now >= until - EXPIRING_MS and not self._told_expiring:
            self._told_expiring = True
            left = max(0, until - now) / 1000
            self._tell(s.Expiring(self._grant.expires_at.isoformat(), left))
        if now >= until + (LAST_WORDS_MS if self._performer.responding else 0):
            self._complain(Problem("the session's time is up", code="session_expired"))
            self.end("expired")
        elif (idle_ms := self._manners().idle_ms) is not None and now >= self._heard_at + idle_ms:
            self._complain(Problem("nothing has come from the client for too long", code="session_idle"))
            self.end("idle_timeout")

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

    def _manners(self) -> s.Manners:
        return self._keeper.manners

    def _tell(self, happening: s.Happening) -> None:
        if self._left is None:
            self._keeper.tell(happening)
            self._flush()

    def _flush(self) -> None:
        for message in self._keeper.outgoing():
            if self._peer is not None and self._left is None:
                self._peer.send(message)

    async def _writable(self) -> None:
        if self._peer is not None:
            await self._peer.wait_writable()

    def _hang_up(self) -> None:
        self.end("completed")

    def _complain(self, problem: Problem, event_id: str = "") -> None:
        self._tell(s.Trouble(problem.code, str(problem), problem.param, event_id))

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        """Be the top of a task: what fails here ends this session and no other."""
        try:
            await work()
        except Exception:  # noqa: BLE001 - see above
            self._fail()

    def _fail(self) -> None:
        _log.exception("! voice session %s failed", self.id)
        self._complain(Problem("the session failed", code="internal_error"))
        self.end("error")
