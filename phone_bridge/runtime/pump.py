"""One call between its two wires: receive, process, transmit.

The pump owns the call's clock, its tasks and its sockets. Whatever ends first, the leg, the session or the call's own
decision, everything of that call is over within a second.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from phone_bridge.audio.format import Format
from phone_bridge.audio.level import VoiceActivity
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.machine import Call, Phase
from phone_bridge.call.playback import PARCEL_MS
from phone_bridge.call.trace import Trace
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.runtime.connect import Connector, Link
from phone_bridge.runtime.sockets import Socket
from phone_bridge.sessions.dialect import Dialect, SessionWire

MAX_NONSENSE = 20  # messages in a row that a session's wire could not read, after which the session counts as lost
LOOK_MS = 1_000  # a frame of the caller's moves no deadline that is nearer than this
FAREWELL_SECONDS = 0.8  # everything of a call ends within a second


class LegWire(Protocol):
    """One leg's socket, translated: its words to facts, the call's duties to its words."""

    @property
    def format(self) -> Format:
        """The format of the caller's line."""
        ...

    def receive(self, data: bytes | str, now: int) -> list[e.Event]:
        """Translate one message; raise RemoteError when the leg cannot go on."""
        ...

    def send(self, command: c.LegCommand, now: int) -> None:
        """Queue what fulfils a duty."""
        ...

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        ...

    def deadline(self) -> int | None:
        """Say when ``expire`` is due, in milliseconds on the call's clock."""
        ...

    def expire(self, now: int) -> list[e.Event]:
        """Do what was due by ``now``."""
        ...


class PromptMaker(Protocol):
    """Makes the sound of the bridge's own lines."""

    async def sound(self, line: c.Line, language: str, format: Format) -> bytes:
        """Say ``line`` in ``format``; raises Unavailable when it cannot be said."""
        ...


class Pump:
    """Carry one call from the moment its leg is admitted until nothing of it is left.

    ``run`` is the only task its caller has to own; ``clock`` gives seconds and never runs back.
    """

    def __init__(
        self,
        call: Call,
        leg: LegWire,
        socket: Socket,
        *,
        dialect: Dialect,
        connector: Connector,
        prompts: PromptMaker,
        clock: Callable[[], float],
    ) -> None:
        self._call = call
        self._leg = leg
        self._socket = socket
        self._dialect = dialect
        self._connector = connector
        self._prompts = prompts
        self._clock = clock
        self._link: Link | None = None
        self._session: SessionWire | None = None
        self._voice: VoiceActivity | None = None
        self._nonsense = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._failure: Exception | None = None
        self._end_by = ""  # who asked for the end before there was a call to end
        self._send: dict[type, Callable[[Any, int], None]] = {
            c.Play: leg.send,
            c.Flush: leg.send,
            c.HangUp: self._hang_up,
            c.Listen: self._listen,
            c.Tell: self._to_session,
            c.Answer: self._to_session,
            c.CancelReply: self._to_session,
            c.Truncate: self._to_session,
            c.CloseSession: self._close_session,
            c.Speak: self._speak,
        }

    @property
    def trace(self) -> Trace:
        """What the call has left behind so far."""
        return self._call.trace

    async def run(self) -> None:
        """Carry the call to its end; raises nothing but our own mistakes, after the call was taken down."""
        try:
            self._perform(self._call.begin(self._now()), self._now())
            self._spawn(self._open_session())
            self._socket.attach(_Ear(self._leg_message, self._leg_closed))
            if self._end_by:
                self.end(self._end_by)
            self._arm()
            await self._over.wait()
        finally:
            await self._take_down()
        if self._failure is not None:
            raise self._failure

    def end(self, by: str) -> None:
        """Ask for the call's end, which comes after a spoken goodbye."""
        if self._call.phase is Phase.NEW:
            self._end_by = by
        else:
            self._guard(self._fact, e.EndRequested(by))

    # Receive, process, transmit

    def _leg_message(self, data: str | bytes) -> None:
        self._guard(self._receive_leg, data)

    def _receive_leg(self, data: str | bytes) -> None:
        now = self._now()
        try:
            events = self._leg.receive(data, now)
        except RemoteError as error:
            self._fact(e.LegClosed("lost"))
            self._call.trace.error = error.code  # why it was lost
            return
        sounds_only = True
        for event in events:
            if self._voice is not None or self._call.asking:
                self._watch_voice(event, now)
                sounds_only = False
            self._perform(self._call.process(event, now), now)
            if type(event) is not e.CallerHeard:
                self._arm()
                sounds_only = False
            elif self._timer_at > now + LOOK_MS:
                self._arm()
        if not sounds_only:  # the caller's sound went to the session as it came
            self._transmit()

    def _session_message(self, data: str | bytes) -> None:
        self._guard(self._receive_session, data)

    def _receive_session(self, data: str | bytes) -> None:
        if self._session is None:
            return
        now = self._now()
        try:
            events = self._session.receive(data, now)
            self._nonsense = 0
        except RemoteError as error:
            events = [e.SessionTrouble(error.code)]
            self._nonsense += 1
            if self._nonsense >= MAX_NONSENSE:
                events.append(e.SessionClosed("lost", error.code))
        sound_only = True
        for event in events:
            self._perform(self._call.process(event, now), now)
            sound_only = sound_only and type(event) is e.AssistantSpoke
        # A frame of sound moves no deadline but that of its own mark, which is never nearer than this.
        if not sound_only or self._timer_at > now + PARCEL_MS:
            self._arm()
        self._transmit()

    def _fact(self, event: e.Event) -> None:
        now = self._now()
        self._perform(self._call.process(event, now), now)
        self._arm()
        self._transmit()

    def _perform(self, commands: list[c.Command], now: int) -> None:
        for command in commands:
            self._send[type(command)](command, now)

    def _transmit(self) -> None:
        for message in self._leg.outgoing():
            self._socket.send(message)
        if self._session is not None and self._link is not None:
            for message in self._session.outgoing():
                self._link.socket.send(message)
        if self._call.phase is Phase.ENDED:
            self._over.set()

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _watch_voice(self, event: e.Event, now: int) -> None:
        """While a question is open, find out for ourselves when the caller begins to speak."""
        if not self._call.asking:
            self._voice = None
            return
        if self._voice is None:
            self._voice = VoiceActivity(self._leg.format)
        if isinstance(event, e.CallerHeard):
            for voiced in self._voice.push(event.audio, now):
                fact = e.VoiceStarted(voiced.at) if voiced.started else e.VoiceStopped(voiced.at)
                self._perform(self._call.process(fact, now), now)

    # Duties

    def _listen(self, command: c.Listen, now: int) -> None:
        if self._session is None or self._link is None:
            return
        self._session.send(command, now)
        for message in self._session.outgoing():
            self._link.socket.send(message, droppable=True)

    def _to_session(self, command: c.SessionCommand, now: int) -> None:
        if self._session is None or self._link is None:
            return
        self._session.send(command, now)
        for message in self._session.outgoing():
            self._link.socket.send(message)

    def _close_session(self, command: c.CloseSession, now: int) -> None:
        self._to_session(command, now)
        if self._link is not None:
            self._link.socket.close(1000)

    def _hang_up(self, command: c.HangUp, now: int) -> None:
        self._leg.send(command, now)
        for message in self._leg.outgoing():
            self._socket.send(message)
        self._socket.close(1000)

    def _speak(self, command: c.Speak, now: int) -> None:
        self._spawn(self._make_prompt(command))

    async def _make_prompt(self, command: c.Speak) -> None:
        try:
            parts = [await self._prompts.sound(line, command.language, self._leg.format) for line in command.lines]
        except Unavailable as error:
            self._fact(e.PromptFailed(command.prompt, error.code))
        else:
            self._fact(e.PromptReady(command.prompt, tuple(parts)))

    async def _open_session(self) -> None:
        try:
            link = await self._connector.connect(self._dialect, self._leg.format, nonce=secrets.token_hex(16))
        except (Unavailable, Refused, RemoteError) as error:
            reason = "unavailable" if isinstance(error, Unavailable) else "refused"
            self._fact(e.SessionClosed(reason, error.code))
            return
        self._link, self._session = link, link.wire
        if self._over.is_set():
            return  # the caller has gone meanwhile: the take-down parts from it
        self._transmit()  # the wire's first words, before any sound
        self._fact(e.SessionOpened(link.ticket.session_id))
        link.socket.attach(_Ear(self._session_message, self._session_closed))

    # Ends

    def _leg_closed(self, code: int, reason: str) -> None:
        self._guard(self._fact, e.LegClosed("lost"))

    def _session_closed(self, code: int, reason: str) -> None:
        self._guard(self._lose_session, code)

    def _lose_session(self, code: int) -> None:
        if self._session is not None:
            self._fact(self._session.closed(code))

    def _guard(self, step: Callable[[Any], None], argument: Any) -> None:
        """Be the top of a callback: what fails here ends this call and no other. After the end nothing counts."""
        if self._over.is_set():
            return
        try:
            step(argument)
        except Exception as error:  # noqa: BLE001 - the top of a callback's task
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            self._call.trace.error = "bridge_failed"
        self._over.set()

    async def _take_down(self) -> None:
        self._over.set()
        self._call.trace.ended_by = self._call.trace.ended_by or "bridge"
        if self._timer is not None:
            self._timer.cancel()
        self._socket.close(1000)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        link = self._link  # which the opening may have brought just now
        waits = [self._socket.wait_closed()]
        if link is not None:
            waits += [link.socket.wait_closed(), self._connector.part(link, self._dialect)]
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await asyncio.gather(*waits)
        except TimeoutError:
            pass  # the sockets abort by themselves; nobody waits for a slow farewell

    # Tasks and time

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))

    def _arm(self) -> None:
        """Keep one timer for the nearest deadline; one that has moved away is looked at again when it fires."""
        at = self._deadline()
        if at is None or self._over.is_set() or (self._timer is not None and self._timer_at <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        delay = max(1, at - self._now()) / 1000  # uvloop spins on less than a millisecond
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _deadline(self) -> int | None:
        times = [self._call.deadline(), self._leg.deadline(), self._session.deadline() if self._session else None]
        return min((time for time in times if time is not None), default=None)

    def _tick(self) -> None:
        self._timer = None
        self._guard(self._look, self._now())

    def _look(self, now: int) -> None:
        at = self._deadline()
        if at is not None and at > now:
            self._arm()
        else:
            self._expire(now)

    def _expire(self, now: int) -> None:
        self._perform(self._call.expire(now), now)
        for wire in (self._leg, self._session):
            due = wire.deadline() if wire is not None else None
            if wire is not None and due is not None and now >= due:
                for event in wire.expire(now):
                    self._perform(self._call.process(event, now), now)
        self._arm()
        self._transmit()


class _Ear:
    """A socket's listener made of two methods."""

    def __init__(self, message: Callable[[str | bytes], None], closed: Callable[[int, str], None]) -> None:
        self.message = message
        self.closed = closed
