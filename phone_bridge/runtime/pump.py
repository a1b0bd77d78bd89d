"""One call between its two wires: receive, process, transmit.

The pump owns the call's clock, its tasks and its sockets. Whatever ends first, the leg, the session or the call's own
decision, everything of that call is over within a second.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, runtime_checkable

from phone_bridge.audio.format import Format
from phone_bridge.audio.level import VoiceActivity
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import words
from phone_bridge.call.journal import Journal
from phone_bridge.call.machine import Phase
from phone_bridge.call.playback import PARCEL_MS
from phone_bridge.call.trace import Trace
from phone_bridge.call.view import View
from phone_bridge.errors import LocalError, Refused, RemoteError, Unavailable
from phone_bridge.runtime.connect import Connector, Link
from phone_bridge.runtime.links import Ear, Links
from phone_bridge.runtime.pin_pad import Desk, PinPad
from phone_bridge.runtime.recordings import Recorder
from phone_bridge.runtime.sight import Sight
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.tool_tasks import ToolTasks
from phone_bridge.runtime.toolbox import NO_TOOLS, Tools
from phone_bridge.runtime.wheel import Alarm, Wheel
from phone_bridge.sessions.dialect import Dialect, SessionWire

MAX_NONSENSE = 3  # messages in a row that a session's wire could not read, after which the session counts as lost
LOOK_MS = 1_000  # a frame of the caller's moves no deadline that is nearer than this
FAREWELL_SECONDS = 0.8  # everything of a call ends within a second
APOLOGY_SECONDS = 10.0  # the longest that a call that has failed may take to say so
APOLOGY_TAIL_SECONDS = 0.3  # how much longer than its sound an apology is waited for
NO_SESSION = frozenset({"session_refused", "session_unavailable", "session_lost", "session_expired"})
"""Reasons of a ``HangUp`` whose caller may get something else."""
SAMPLED = 64  # one in so many frames has its way through the bridge measured

MOVED = "transferred"
"""The reason of a ``HangUp`` whose caller is put through."""

_log = logging.getLogger("phone_bridge.calls")


class Talk(Protocol):
    """What a pump drives: the call itself, or what comes before or after it on the same leg. Facts in, duties out."""

    trace: Trace

    @property
    def phase(self) -> Phase:
        """Where it stands; the pump is over when it has ENDED."""
        ...

    @property
    def asking(self) -> bool:
        """Whether it matters when a voice begins."""
        ...

    @property
    def proving(self) -> bool:
        """Whether a PIN is asked for."""
        ...

    @property
    def recordable(self) -> bool:
        """Whether what is said and heard may be kept."""
        ...

    @property
    def lag_ms(self) -> int:
        """How long the caller's line is there and back."""
        ...

    @property
    def quiet_at(self) -> int:
        """When all that was sent will have been heard."""
        ...

    @property
    def unheard_ms(self) -> int:
        """How much of what was sent nobody heard, when it was stopped last."""
        ...

    def masks(self, now: int) -> bool:
        """Whether a key may be one of a PIN."""
        ...

    def private(self, now: int) -> bool:
        """Whether what the caller does now is for no recording."""
        ...

    def sounding(self, now: int) -> bool:
        """Whether it matters that the caller speaks while something sounds."""
        ...

    def view(self, now: int) -> View:
        """Show it as it is now."""
        ...

    def begin(self, now: int) -> list[c.Command]:
        """Begin."""
        ...

    def process(self, event: e.Event, now: int) -> list[c.Command]:
        """Take one fact in."""
        ...

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        ...

    def expire(self, now: int) -> list[c.Command]:
        """Do what the passing of time asks for."""
        ...


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


@runtime_checkable
class EndsWithSocket(Protocol):
    """A leg's wire whose carrier hangs up by closing its socket, too."""

    def closed(self, code: int) -> e.LegClosed:
        """Say what the end of the socket means."""
        ...


@runtime_checkable
class Measures(Protocol):
    """A leg's wire that finds out how good its line is."""

    def measured(self) -> list[tuple[str, float]]:
        """Take what was measured since the last time, by its name in the trace."""
        ...


class PromptMaker(Protocol):
    """Makes the sound of the bridge's own lines."""

    async def sound(self, line: c.Line, language: str, format: Format) -> bytes:
        """Say ``line`` in ``format``; raises Unavailable when it cannot be said."""
        ...


class Pump:
    """Carry one call from the moment its leg is admitted until nothing of it is left.

    ``run`` is the only task its caller has to own; ``clock`` gives seconds and never runs back. A ``journal`` is told
    all that the call is told, ``apology`` is what a caller hears whose call has failed, ``tools`` are what a session
    may use that calls functions, ``pins`` judges the PIN where one is asked for, ``recorder`` keeps what is said and
    heard once the call allows it, ``put_through`` has the caller put through to a name of the rules' callees, ``wheel``
    is what all calls of a process share their time by. With ``keeps_line`` the line stays open where no session could
    be had, with ``keeps_moved`` where the caller is put through: it is for whoever carries the pump then.
    """

    def __init__(
        self,
        call: Talk,
        leg: LegWire,
        socket: Socket,
        *,
        dialect: Dialect,
        connector: Connector,
        prompts: PromptMaker,
        clock: Callable[[], float],
        journal: Journal | None = None,
        apology: c.Line | None = None,
        tools: Tools | None = None,
        language: str = "en",
        pins: Desk | None = None,
        recorder: Recorder | None = None,
        put_through: Callable[[str], Awaitable[None]] | None = None,
        keeps_line: bool = False,
        keeps_moved: bool = False,
        wheel: Wheel | None = None,
    ) -> None:
        self._call = call
        self._leg = leg
        self._socket = socket
        self._prompts = prompts
        self._clock = clock
        self._language = language
        self._put_through = put_through
        self._apology = apology or words.line("apology_failed", language)
        self.journal = journal
        self._measured = leg.measured if isinstance(leg, Measures) else list[tuple[str, float]]
        self._links = Links(
            connector,
            dialect,
            leg.format,
            fact=self._fact_if_live,
            heard=self._session_message,
            lost=self._session_closed,
            spawn=self._spawn,
        )
        self._pad = PinPad(pins, leg.format, language, fact=self._fact_if_live, spawn=self._spawn)
        self._tool_tasks = ToolTasks(tools if tools is not None else NO_TOOLS, fact=self._tool_fact)
        self._link: Link | None = None  # the present one
        self._session: SessionWire | None = None
        self._voice: VoiceActivity | None = None
        self._voice_told = False  # a voice began, and the call knows of it
        self._nonsense = 0
        self._heard_frames = 0  # counted apart, so that both ways are measured
        self._spoken_frames = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._is_over = False
        self._changed: Callable[[], None] = _nothing
        self._watchers: tuple[Callable[[], None], ...] = ()
        self._kept_version = 0
        self._wheel = wheel or Wheel(clock)
        self._timer: Alarm | None = None
        self._timer_at = 0
        self._call_due: int | None = None  # when the call is to be looked at; None for what is not known any more
        self._failure: Exception | None = None
        self._end_by = ""  # who asked for the end before there was a call to end
        self._recorder = recorder
        self._kept_for = (NO_SESSION if keeps_line else frozenset()) | ({MOVED} if keeps_moved else frozenset())
        self._left_for = ""
        self._sight = Sight(call, leg.format)
        self._send: dict[type, Callable[[Any, int], None]] = {
            c.Play: leg.send if recorder is None else self._play_recorded,
            c.Flush: self._flush,
            c.HangUp: self._hang_up,
            c.Listen: self._listen,
            c.Tell: self._to_session,
            c.Answer: self._to_session,
            c.GiveResult: self._to_session,
            c.CancelReply: self._to_session,
            c.Truncate: self._to_session,
            c.HandOn: self._to_session,
            c.CloseSession: self._close_session,
            c.OpenSession: self._open_session,
            c.OpenSpare: self._open_spare,
            c.TakeSpare: self._take_spare,
            c.LookUp: self._look_up,
            c.PrepareTool: self._prepare_tool,
            c.RunTool: self._run_tool,
            c.Speak: self._speak,
            c.ForgetPin: lambda command, now: self._pad.forget(),
            c.ForgetProofs: lambda command, now: self._pad.forget_proofs(),
            c.JudgePin: lambda command, now: self._pad.judge(command.attempt, command.wanted),
            c.SendCode: lambda command, now: self._pad.send(command.sending, command.language),
            c.PutThrough: lambda command, now: self._spawn(self._move_on(command.name)),
        }

    @property
    def trace(self) -> Trace:
        """What the call has left behind so far."""
        return self._call.trace

    @property
    def leads_on(self) -> bool:
        """Whether the caller is still on the line when this is over, and goes on with another pump."""
        return bool(self._left_for)

    @property
    def moves_on(self) -> bool:
        """Whether it is to be put through that the caller is still on the line."""
        return self._left_for == MOVED

    def view(self) -> View:
        """Show the call as it is now."""
        return self._call.view(self._now())

    def watch(self, nudge: Callable[[], None]) -> None:
        """Have ``nudge`` called whenever there may be something new to see, before the leg is sent what waits."""
        self._watchers = (*self._watchers, nudge)

    def unwatch(self, nudge: Callable[[], None]) -> None:
        """Nudge no more."""
        self._watchers = tuple(each for each in self._watchers if each != nudge)

    async def run(self, changed: Callable[[], None] | None = None) -> None:
        """Carry the call to its end; raises nothing but our own mistakes, after the call was taken down.

        ``changed`` is called whenever the trace has something new that is worth keeping.
        """
        self._changed = changed or _nothing
        try:
            now = self._now()
            if self.journal is not None:
                self.journal.begin(now)
            self._perform(self._call.begin(now), now)
            self._socket.attach(Ear(self._leg_message, self._leg_closed))
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
            self._fact_if_live(e.EndRequested(by))

    def move(self, name: str) -> bool:
        """Ask for the call's end, because its caller is put through to ``name``; False where nobody can be."""
        if self._call.phase is not Phase.NEW:
            self._fact_if_live(e.TransferRequested(name))
        return True

    def speak(self, language: str) -> None:
        """Have the bridge's own lines spoken, and yes and no understood, in ``language`` from now on."""
        self._fact_if_live(e.LanguageChosen(language))

    def change_pin(self) -> bool:
        """Have the caller set a PIN, or another one; False while something else is being asked."""
        free = not self._call.asking and not self._is_over
        if free:
            self._fact_if_live(e.PinChangeWanted())
        return free

    # Receive, process, transmit

    def _leg_message(self, data: str | bytes) -> None:
        if self._is_over:
            return
        try:
            self._receive_leg(data)
        except Exception as error:  # noqa: BLE001 - the top of a callback's task: this call ends, and no other
            self._failed(error)

    def _receive_leg(self, data: str | bytes) -> None:
        began = self._clock()
        now = int(began * 1000)
        try:
            events = self._leg.receive(data, now)
        except RemoteError as error:
            self._fact(e.LegClosed("lost"))
            self._call.trace.error = error.code  # why it was lost
            return
        sounds_only = True
        for event in events:
            if isinstance(event, e.CallerHeard):
                sounds_only = self._caller_heard(event, now) and sounds_only
                if self._timer_at > now + LOOK_MS:
                    self._arm()
                continue
            self._process(event, now)
            sounds_only = False
            # While sound goes out there is a timer for its mark, and a mark that came back can wait for that.
            if not isinstance(event, e.MarkReached) or not now < self._timer_at <= now + PARCEL_MS:
                self._arm()
        if sounds_only:  # the caller's sound went to the session as it came
            self._heard_frames += 1
            if self._heard_frames % SAMPLED == 0:
                self._call.trace.measured("added_up_ms", (self._clock() - began) * 1000)
        else:
            self._transmit()

    def _session_message(self, link: Link, data: str | bytes) -> None:
        if self._is_over:
            return
        try:
            if link is self._link:
                self._receive_session(link.wire, data)
            else:
                self._receive_spare(link, data)
        except Exception as error:  # noqa: BLE001 - the top of a callback's task: this call ends, and no other
            self._failed(error)

    def _receive_session(self, wire: SessionWire, data: str | bytes) -> None:
        began = self._clock()
        now = int(began * 1000)
        try:
            events = wire.receive(data, now)
            self._nonsense = 0
        except RemoteError as error:
            events = [e.SessionTrouble(error.code)]
            self._nonsense += 1
            if self._nonsense >= MAX_NONSENSE:
                events.append(e.SessionClosed("lost", error.code))
        sound_only, event = True, None
        for event in events:
            self._process(event, now)
            sound_only = sound_only and type(event) is e.AssistantSpoke
        # A frame of sound moves no deadline but that of its own mark, which is never nearer than this.
        if not sound_only or self._timer_at > now + PARCEL_MS:
            self._arm()
        self._transmit()
        if sound_only:
            self._spoken_frames += 1
            if self._spoken_frames % self._sight.stride == 0 and isinstance(event, e.AssistantSpoke):
                self._sight.frame(event.audio)
            if self._spoken_frames % SAMPLED == 0:
                self._call.trace.measured("added_down_ms", (self._clock() - began) * 1000)

    def _receive_spare(self, link: Link, data: str | bytes) -> None:
        """Let a session that stands by settle its formats; what else it says is for nobody."""
        if link is not self._links.spare:
            return
        try:
            events = link.wire.receive(data, self._now())
        except RemoteError as error:
            events = [e.SessionClosed("lost", error.code)]
        if any(isinstance(event, e.SessionClosed) for event in events):
            self._lose_spare()
        else:
            self._flush_link(link)

    def _lose_spare(self) -> None:
        self._links.drop_spare()
        self._fact(e.SpareFailed("lost"))

    def _process(self, event: e.Event, now: int) -> None:
        """Tell the call of a fact, and do what it asks for; a key that may be one of a PIN is told to nobody."""
        if type(event) is e.DigitPressed and self._call.masks(now):
            event = self._pad.key(event.digit, asked=self._call.proving)
        if self.journal is not None:
            self.journal.note(event, now)
        self._call_due = None
        for command in self._call.process(event, now):
            self._send[type(command)](command, now)

    def _caller_heard(self, event: e.CallerHeard, now: int) -> bool:
        """Tell the call of a frame of the caller's; says whether that was all, so that the session has it already."""
        told = (self._voice is not None or self._watches_voice()) and self._watch_voice(event, now)
        if self.journal is not None:
            self.journal.note(event, now)
        if self._recorder is not None:
            self._record(self._recorder, event.audio, now)
        for command in self._call.process(event, now):
            self._send[type(command)](command, now)
        if now >= self._sight.look_at:
            self._sight.caller(event.audio, now)
        return not told

    def _fact(self, event: e.Event) -> None:
        self._process(event, self._now())
        self._arm()
        self._transmit()

    def _perform(self, commands: list[c.Command], now: int) -> None:
        self._call_due = None
        for command in commands:
            self._send[type(command)](command, now)

    def _transmit(self) -> None:
        self._send_leg()
        if self._link is not None:
            self._flush_link(self._link)
        if self._call.trace.version != self._kept_version:
            self._kept_version = self._call.trace.version
            self._changed()
        if self._call.phase is Phase.ENDED:
            self._end()

    def _send_leg(self) -> None:
        for nudge in self._watchers:
            nudge()
        for message in self._leg.outgoing():
            self._socket.send(message)

    def _flush_link(self, link: Link) -> None:
        for message in link.wire.outgoing():
            link.socket.send(message)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _watches_voice(self) -> bool:
        """Whether to listen to the line: a question is open, or the session would not say that the caller speaks."""
        return self._call.asking or (self._session is not None and not self._session.tells_voice)

    def _watch_voice(self, event: e.CallerHeard, now: int) -> bool:
        """Find out for ourselves when the caller begins to speak, and tell the call where it matters to it."""
        if not self._watches_voice():
            self._voice = None
            return False
        if self._voice is None:
            self._voice = VoiceActivity(self._leg.format)
        if self._call.proving:
            self._pad.hear(event.audio)
        told = False
        for voiced in self._voice.push(event.audio, now):
            if voiced.started and (self._call.asking or self._call.sounding(now)):
                self._process(e.VoiceStarted(voiced.at), now)
                self._voice_told = told = True
            elif self._voice_told and not voiced.started:
                self._process(e.VoiceStopped(voiced.at), now)
                self._voice_told, told = False, True
        return told

    # Recording

    def _record(self, recorder: Recorder, audio: bytes, now: int) -> None:
        if not recorder.begun:
            if not self._call.recordable:
                return
            recorder.begin(now)
        recorder.heard(audio, now, self._call.lag_ms, private=self._call.private(now))

    # Duties

    def _play_recorded(self, command: c.Play, now: int) -> None:
        assert self._recorder is not None  # noqa: S101 - an own invariant
        if command.audio:
            self._recorder.played(command.audio, now)
        self._leg.send(command, now)

    def _flush(self, command: c.Flush, now: int) -> None:
        self._sight.flushed(now)
        if self._recorder is not None:
            self._recorder.flushed(self._call.unheard_ms, now)
        self._leg.send(command, now)

    def _listen(self, command: c.Listen, now: int) -> None:
        if self._session is None or self._link is None:
            return
        self._session.send(command, now)
        for message in self._session.outgoing():
            self._link.socket.send(message, droppable=True)

    def _to_session(self, command: c.SessionCommand, now: int) -> None:
        if self._session is not None and self._link is not None:
            self._session.send(command, now)
            self._flush_link(self._link)

    def _close_session(self, command: c.CloseSession, now: int) -> None:
        self._to_session(command, now)
        self._links.close()

    def _open_session(self, command: c.OpenSession, now: int) -> None:
        self._links.open(patient=command.patient)
        self._use(None)

    def _open_spare(self, command: c.OpenSpare, now: int) -> None:
        self._links.open_spare()

    def _take_spare(self, command: c.TakeSpare, now: int) -> None:
        self._links.take_spare()
        self._use(self._links.present)

    def _use(self, link: Link | None) -> None:
        self._link, self._session = link, link.wire if link is not None else None
        self._nonsense = 0
        if link is not None:
            self._flush_link(link)  # the wire's first words are never dropped, as sound after them may be

    def _look_up(self, command: c.LookUp, now: int) -> None:
        self._links.look_up(command.id, command.action)

    def _prepare_tool(self, command: c.PrepareTool, now: int) -> None:
        self._tool_tasks.prepare(command)

    def _run_tool(self, command: c.RunTool, now: int) -> None:
        self._tool_tasks.run(command, now)

    def _tool_fact(self, event: e.Event) -> None:
        if self._is_over:
            self._process(event, self._now())  # for the record alone
        else:
            self._fact_if_live(event)

    def _hang_up(self, command: c.HangUp, now: int) -> None:
        if command.reason in self._kept_for:
            self._left_for = command.reason
            return
        self._leg.send(command, now)
        for message in self._leg.outgoing():
            self._socket.send(message)
        self._socket.close(1000)

    def _speak(self, command: c.Speak, now: int) -> None:
        self._spawn(self._make_prompt(command))

    async def _make_prompt(self, command: c.Speak) -> None:
        try:
            parts = [
                await self._prompts.sound(line, line.language or command.language, self._leg.format)
                for line in command.lines
            ]
        except Unavailable as error:
            self._fact_if_live(e.PromptFailed(command.prompt, error.code))
        else:
            before = self._call.quiet_at
            self._fact_if_live(e.PromptReady(command.prompt, tuple(parts)))
            if self._call.quiet_at > before:
                self._sight.spoken(b"".join(parts))

    async def _move_on(self, name: str) -> None:
        if self._put_through is None:
            raise LocalError("a caller was to be put through, and nobody is there who does it")
        try:
            await self._put_through(name)
        except (Refused, RemoteError, Unavailable) as error:
            _log.info("= a caller was not put through: %s", error.code)
            self._fact_if_live(e.TransferRefused())

    # Ends

    def _leg_closed(self, code: int, reason: str) -> None:
        ended = self._leg.closed(code) if isinstance(self._leg, EndsWithSocket) else e.LegClosed("lost")
        self._fact_if_live(ended)

    def _session_closed(self, link: Link, code: int, reason: str) -> None:
        if link is self._link:
            self._guard(lambda: self._fact(link.wire.closed(code, reason)))
        elif link is self._links.spare:
            self._guard(self._lose_spare)

    def _fact_if_live(self, event: e.Event) -> None:
        self._guard(lambda: self._take(event))

    def _take(self, event: e.Event) -> None:
        if isinstance(event, e.SessionOpened):
            self._use(self._links.present)
        self._fact(event)

    def _guard(self, step: Callable[[], None]) -> None:
        """Be the top of a callback or a task: what fails ends this call and no other. After the end nothing counts."""
        if self._is_over:
            return
        try:
            step()
        except Exception as error:  # noqa: BLE001 - see above
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Stop a call that has failed, and tell its caller so: by nothing that may have failed itself."""
        if self._failure is not None:
            return
        self._failure = error
        self._call.trace.ending("bridge", "bridge_failed")
        self._is_over = True
        self._spawn(self._apologise())

    async def _apologise(self) -> None:
        try:
            async with asyncio.timeout(APOLOGY_SECONDS):
                sound = await self._prompts.sound(self._apology, self._language, self._leg.format)
                now = self._now()
                for duty in (c.Flush(), c.Play(sound)):
                    self._leg.send(duty, now)
                until = now + self._leg.format.ms(len(sound)) + int(APOLOGY_TAIL_SECONDS * 1000)
                while now < until:  # a leg that paces its sound itself gives it out bit by bit
                    for message in self._leg.outgoing():
                        self._socket.send(message)
                    due = min(self._leg.deadline() or until, until)
                    await asyncio.sleep(max(1, due - now) / 1000)
                    now = self._now()
                    _overdue(self._leg, now)
                self._hang_up(c.HangUp("bridge_failed"), now)
        except Exception:  # noqa: BLE001 - the leg's wire may be what is broken, and the call ends all the same
            _log.warning("x a call that has failed could not be apologised for")
        finally:
            self._end()

    def _end(self) -> None:
        self._is_over = True
        self._over.set()
        if self.leads_on:
            self._socket.detach()  # at once: what comes from now on is for the next pump

    async def _take_down(self) -> None:
        self._end()
        if not self.leads_on:
            self._call.trace.ended_by = self._call.trace.ended_by or "bridge"
        if self._recorder is not None:
            self._recorder.close(self._now(), self._call.lag_ms)
        if self._timer is not None:
            self._timer.cancel()
        if not self.leads_on:
            self._socket.close(1000)
        self._links.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await asyncio.gather(self._part(), self._links.part(), self._tool_tasks.finish())
        except TimeoutError:
            pass  # the sockets abort by themselves; nobody waits for a slow farewell
        await self._tool_tasks.cancel()

    async def _part(self) -> None:
        if not self.leads_on:
            await self._socket.wait_closed()

    # Tasks and time

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))

    def _arm(self) -> None:
        """Keep one timer for the nearest deadline; one that has moved away is looked at again when it fires."""
        if self._is_over:
            return
        at = self._deadline()
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._wake(at)

    def _wake(self, at: int) -> None:
        self._timer_at = at
        self._timer = self._wheel.at(at, self._tick)

    def _deadline(self) -> int:
        at, due = self._look_at_call(), self._leg.deadline()
        if due is not None and due < at:
            at = due
        if self._session is not None and (due := self._session.deadline()) is not None and due < at:
            at = due
        spare = self._links.spare
        if spare is not None and (due := spare.wire.deadline()) is not None and due < at:
            at = due
        return at

    def _look_at_call(self) -> int:
        """Say when the call is to be looked at, which a frame of the caller's moves no nearer than ``LOOK_MS``."""
        if self._call_due is None:
            due, latest = self._call.deadline(), self._now() + LOOK_MS
            self._call_due = latest if due is None else min(due, latest)
        return self._call_due

    def _tick(self) -> None:
        self._timer = None
        if self._is_over:
            return
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 - the top of a callback: this call ends, and no other
            self._failed(error)

    def _look(self) -> None:
        now, due = int(self._clock() * 1000), self._leg.deadline()
        if due is not None and due <= now:  # a leg that paces its sound is due nearly always; no more need be asked
            self._expire(now)
            return
        at = self._deadline()
        if at > now:
            self._wake(at)
        else:
            self._expire(now)

    def _expire(self, now: int) -> None:
        sounds_only = True
        if now >= self._look_at_call():  # not with every frame of a leg that paces its sound
            sounds_only = False
            if self.journal is not None:
                self.journal.tick(now)
            self._perform(self._call.expire(now), now)
        due = self._leg.deadline()
        for event in self._leg.expire(now) if due is not None and now >= due else ():
            if type(event) is e.CallerHeard:
                sounds_only = self._caller_heard(event, now) and sounds_only
            else:
                sounds_only = False
                self._process(event, now)
        for name, value in self._measured():
            self._call.trace.measured(name, value)
        if self._session is not None and (due := self._session.deadline()) is not None and now >= due:
            sounds_only = False
            for event in self._session.expire(now):
                self._process(event, now)
        if self._links.spare is not None:
            _overdue(self._links.spare.wire, now)
        self._arm()
        if sounds_only:  # nearly every turn of a leg that paces its sound
            self._send_leg()
        else:
            self._transmit()


def _overdue(wire: LegWire | SessionWire, now: int) -> list[e.Event]:
    due = wire.deadline()
    return wire.expire(now) if due is not None and now >= due else []


def _nothing() -> None:
    pass
