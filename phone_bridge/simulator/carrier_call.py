"""One call at the carrier, as a pure machine: from the voice webhook over its TwiML to the last callback.

Facts come in (an answer to a request, the sound of a text, a socket that opened, a message, the passing of time) and
duties go out (see ``duties``). Time is an argument, in whole milliseconds on a clock of the owner's choice, so a call
runs in real time for people and in virtual time for tests. Any method may leave duties: drain ``outgoing`` after each.
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.simulator.caller import Caller
from phone_bridge.simulator.connection import HANDSHAKE_MS, Connection
from phone_bridge.simulator.courier import CallbackFailed, Courier, DocumentCame, DocumentFailed, Outcome
from phone_bridge.simulator.dialled import Dialled, Party, of_status, rung_by
from phone_bridge.simulator.duties import Ask, Close, Duty, Open, Send, Speak
from phone_bridge.simulator.faults import CarrierRefused, Code, Fault
from phone_bridge.simulator.line import CallerHungUp, FrameSpoken, Line, LineFact, StepBegun
from phone_bridge.simulator.performer import Gathered, Performed, Performer
from phone_bridge.simulator.playout import SAMPLES_PER_MS
from phone_bridge.simulator.recorder import Recorded
from phone_bridge.simulator.result import CallResult, Metrics
from phone_bridge.simulator.script import Say, Step, describe
from phone_bridge.simulator.stream_link import StreamLink
from phone_bridge.simulator.twiml_player import Fetch, TwimlPlayer
from phone_bridge.simulator.verbs import (
    Asking,
    ConnectStream,
    Dial,
    Enqueue,
    Hangup,
    Leave,
    Pause,
    Play,
    Redirect,
    Reject,
    Unsupported,
    Verb,
)
from phone_bridge.simulator.webhooks import API_VERSION, Dialling, Webhooks

CALL_MS = 900_000
"""The longest call, unless the plan says otherwise; a script that goes nowhere must not run for ever."""
ANNOUNCEMENT = "We are sorry, an application error has occurred. Goodbye."
"""What a caller hears when the application has failed."""
DIALLED_SECONDS = 30
"""How long a dialled party is said to have talked, if it answered."""
RECORDINGS_URL = "https://api.twilio.com"
"""Where recordings are said to be kept; nothing is there."""

_ABNORMAL_CLOSURE = 1006
_CLEAN_CLOSURES = frozenset({1000, 1001, 1005})
_REJECTED = {"busy": "busy", "rejected": "no-answer"}


class CallPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the dialled number is set up at the carrier, and what the network does."""

    dialling: Dialling
    voice_url: str
    status_url: str = ""
    dial_status: str = "completed"
    """What comes of every ``<Dial>``: ``completed``, ``busy``, ``no-answer``, ``failed`` or ``canceled``."""
    dialled: Mapping[str, Dialled] = {}
    """Who is at the numbers and addresses that a ``<Dial>`` rings, where it is not as ``dial_status`` says."""
    queue_s: float | None = 0.0
    """How long a caller waits in a queue before somebody takes the call; None where nobody does."""
    transcript: str = ""
    """What the carrier's transcription makes of a message that the caller leaves."""
    leaves_out_silence: bool = False
    """True for a network that sends no media while the caller is silent."""
    call_ms: int = CALL_MS
    answered: bool = False
    """True for a call that the application has placed: it asks for its document when the callee has answered."""
    answered_by: str = ""
    """What answered, where that is found out before the document is asked for."""
    send_digits: str = ""
    """What is pressed for whoever has answered, before the document is asked for."""


class Note(msgspec.Struct, frozen=True):
    """What a bystander would notice: a step of the caller's, a word on the call, or what the carrier's own voice says.

    ``at_ms`` counts from the answer.
    """

    at_ms: int
    what: Step | Speak | str


class CarrierCall:
    """A call by ``caller`` over ``plan``.

    ``new_hex`` makes 32 hexadecimal digits for each name; ``started_at`` is the wall clock at the call's first
    millisecond, the time of ``begin``.
    """

    def __init__(self, plan: CallPlan, caller: Caller, *, new_hex: Callable[[], str], started_at: datetime) -> None:
        self._plan = plan
        self._caller = caller
        self._new_hex = new_hex
        self._started_at = started_at
        self.call_sid = f"CA{new_hex()}"
        self._webhooks = Webhooks(plan.dialling, self.call_sid, started_at, lambda: str(uuid.UUID(new_hex())))
        self._courier = Courier(self._webhooks)
        self._player = TwimlPlayer()
        self._first: Fetch | None = None  # waits until the keys have sounded
        self._began_at = 0
        self._now = 0
        self.first_stream_ms = 0
        """When the first stream began, from the answer on: the bridge's own times count from there."""
        self._answered_at: int | None = None
        self._ringing_until: int | None = None
        self._ended_at: int | None = None
        self._line: Line | None = None
        self._performer: Performer | None = None
        self._connection: Connection | None = None
        self._links: list[StreamLink] = []
        self._status = "ringing"
        self._ended_by = "bridge"
        self._faults: list[Fault] = []
        self._complaints: list[str] = []
        self._dialled: list[str] = []
        self._dial_verb: Dial | None = None
        self._party: Party | None = None
        self._queue: Enqueue | None = None
        self._queued_until: int | None = None
        self.ran_out = False
        """Whether the call came to the end of its document, and was not hung up by it."""
        self._said = ""  # what the caller has said last
        self._duties: list[Duty] = []
        self._notes: list[Note] = []

    # What the shell asks

    def outgoing(self) -> list[Duty]:
        """Take the duties that wait to be done."""
        theirs = self._party.outgoing() if self._party else []
        duties, self._duties = [*self._duties, *theirs], []
        return duties

    def notes(self) -> list[Note]:
        """Take what happened since the last time, for people who watch."""
        notes, self._notes = self._notes, []
        return notes

    @property
    def hung_up(self) -> bool:
        """True when the call is over, though callbacks may still be under way."""
        return self._ended_at is not None

    @property
    def ended(self) -> bool:
        """True when the call is over and its last callback was answered."""
        return self.hung_up and self._courier.idle and not self._duties

    def deadline(self) -> int | None:
        """Say when ``advance`` is due; None when the call has ended."""
        due = [self._courier.deadline()]
        if not self.hung_up:
            due += [self._began_at + self._plan.call_ms]
            due += [self._connection.deadline()] if self._connection else []
            due += [self._line.deadline()] if self._line else []
            due += [self._performer.deadline()] if self._performer else []
            due += [self._ringing_until, self._queued_until, self._party.deadline() if self._party else None]
        return min((at for at in due if at is not None), default=None)

    # What the shell tells

    def begin(self, now: int) -> None:
        """Dial: ask the voice webhook what to do."""
        self._began_at = now
        self._note(now, "ringing")
        fetch = self._player.begin(self._plan.voice_url)
        if self._plan.answered:
            self._answer(now)
        if self._plan.answered_by:
            fetch = msgspec.structs.replace(fetch, extra={"AnsweredBy": self._plan.answered_by})
        if self._plan.send_digits:
            self._first = fetch
            self._duties += self._answer(now).perform(Play(self._plan.send_digits), now)
        else:
            self._ask(fetch, now)

    def advance(self, now: int) -> None:
        """Let time pass until ``now``."""
        self._now = now
        for outcome in self._courier.expire(now):
            self._take(outcome, now)
        for fact in self._line.advance(now) if self._line and not self.hung_up else ():
            self._hear(fact, now)
        if self._performer and not self.hung_up and (ended := self._performer.expire(now)):
            self._performed([], ended, now)
        if self._connection and (due := self._connection.deadline()) is not None and now >= due:
            self._fail_stream(Fault(Code.STREAM_TIMEOUT, f"the socket did not open in {HANDSHAKE_MS} ms"), now)
        if self._ringing_until is not None and now >= self._ringing_until and not self.hung_up:
            self._ringing_until = None
            self._follow(now)
        self._attend(now)
        if not self.hung_up and now >= self._began_at + self._plan.call_ms:
            self._complaints.append(f"the call was still up after {self._plan.call_ms} ms")
            self._end("carrier", now)

    def answered(self, id_: int, response: Response, now: int) -> None:
        """Take the answer to a request."""
        if id_ < 0 and self._party:
            self._party.answered(id_, response, now)
        self.advance(now)
        self._take(self._courier.answered(id_, response), now)

    def unreachable(self, id_: int, code: Code, message: str, now: int) -> None:
        """Take the news that a request got no answer."""
        if id_ < 0 and self._party:
            self._party.unreachable(id_, code, message, now)
        self.advance(now)
        self._take(self._courier.unreachable(id_, code, message), now)

    def spoken(self, id_: int, audio: bytes, now: int) -> None:
        """Take the sound of a text that was asked for, mu-law at 8 kHz."""
        self.advance(now)
        if id_ < 0 and self._party:
            self._party.spoken(id_, audio, now)
        elif self._performer and not self.hung_up:
            self._performer.spoken(id_, audio)

    def unspoken(self, id_: int, why: str, now: int) -> None:
        """Take the news that a text could not be spoken; the caller hears nothing in its place."""
        self._complaints.append(f"the simulator's own voice failed: {why}")
        self.spoken(id_, b"", now)

    def opened(self, now: int) -> None:
        """Take the news that the socket is open: the stream begins."""
        self.advance(now)
        line, connection = self._line, self._connection
        if line is None or connection is None or not connection.opening:
            self._duties.append(Close())
            return
        silent = self._plan.leaves_out_silence
        link = connection.opened(lambda codec: StreamLink(codec, line, self._caller, leaves_out_silence=silent))
        if not self._links and self._answered_at is not None:
            self.first_stream_ms = now - self._answered_at
        self._links.append(link)
        self._send(link.begin())
        self._tell_stream("stream-started", now)

    def refused(self, fault: Fault, now: int) -> None:
        """Take the news that the socket did not open; ``<Connect>`` ends at once."""
        self.advance(now)
        if self._connection and self._connection.opening:
            self._fail_stream(fault, now)

    def received(self, data: str | bytes, now: int) -> None:
        """Take a message from the socket."""
        self.advance(now)
        if self._link:
            self._send(self._link.receive(data))

    def congested(self) -> None:
        """Take the news that the bridge reads too slowly, and that sound of the caller's was thrown away."""
        if self._link:
            self._link.complain(Fault(Code.STREAM_OVERFLOW, "the bridge read too slowly, sound was thrown away"))

    def closed(self, code: int, now: int) -> None:
        """Take the news that the bridge closed the socket; what was not heard yet never will be."""
        self.advance(now)
        if self._link is None:
            return
        if code == _ABNORMAL_CLOSURE:
            self._faults.append(Fault(Code.STREAM_BROKEN_PIPE, "the socket vanished without a close"))
        else:
            blames = code not in _CLEAN_CLOSURES
            self._faults.append(Fault(Code.STREAM_CLOSED, f"the bridge closed the stream with code {code}", blames))
        self._link.cut()
        self._tell_stream("stream-stopped", now)
        self._after_connect(now)

    def hang_up(self, now: int) -> None:
        """Put the caller's receiver down from outside the script."""
        self.advance(now)
        self._end("caller", now)

    # What the REST API is asked to do

    def redirect(self, document: bytes, now: int) -> None:
        """Go on with another document; a stream that is open ends, and nobody is asked what comes after it."""
        self.advance(now)
        if self.hung_up:
            return
        self._courier.forget_document()
        self._cut_stream(now)
        self._forsake(now)
        if self._line is not None:
            self._line.playout.clear()
            self._performer = Performer(self._line)
        self._read(Response(status=200, headers={"content-type": "application/xml"}, body=document), now)

    def drop(self, now: int) -> None:
        """End the call, as an update of its status does."""
        self.advance(now)
        self._end("bridge", now)

    # Documents

    def _ask(self, fetch: Fetch, now: int) -> None:
        request = self._webhooks.voice(fetch.url, fetch.method, self._status, fetch.extra)
        self._duties.append(self._courier.ask(request, now, document=True))

    def _take(self, outcome: Outcome | None, now: int) -> None:
        match outcome:
            case Ask():
                self._duties.append(outcome)
            case CallbackFailed(fault):
                self._faults.append(fault)
            case DocumentFailed(fault):
                self._fail(fault, now)
            case DocumentCame(response):
                self._read(response, now)

    def _read(self, response: Response, now: int) -> None:
        try:
            self._faults += self._player.read(response)
        except CarrierRefused as error:
            self._fail(error.fault, now)
        else:
            self._follow(now)

    def _fail(self, fault: Fault, now: int) -> None:
        """End the call as Twilio does when the application fails: an announcement, then the line is dropped."""
        self._faults.append(fault)
        self._ended_by = "carrier"
        self._player.announce(ANNOUNCEMENT)
        self._follow(now)

    def _ask_after(self, verb: Asking, extra: dict[str, str], now: int) -> bool:
        """Ask for what comes after ``verb``; False where the document itself goes on."""
        try:
            fetch = self._player.after(verb, extra)
        except CarrierRefused as error:
            self._fail(error.fault, now)
            return True
        if fetch is not None:
            self._ask(fetch, now)
        return fetch is not None

    # Verbs

    def _follow(self, now: int) -> None:
        """Take up the next verb, and the one after it where that one has ended at once."""
        while not self.hung_up and self._is_over(self._player.next(), now):
            pass

    def _is_over(self, verb: Verb | None, now: int) -> bool:
        match verb:
            case None if self._queue is not None:
                self._wait_in(self._queue, now)
            case None | Hangup():
                self.ran_out = verb is None and self._ended_by != "carrier"
                self._answer(now)
                self._end(self._ended_by, now)
            case Reject(reason):
                self._status = _REJECTED[reason]
                self._end("bridge", now)
            case Pause(seconds) if self._line is None:  # Twilio does not answer for a pause
                self._ringing_until = now + seconds * 1000
            case Redirect():
                self._ask_after(verb, {}, now)
            case Unsupported(what):
                self._complaints.append(f"the simulator skipped {what}, which it cannot follow")
                return True
            case Dial() | Enqueue() | Leave() | ConnectStream():
                return self._is_over_elsewhere(verb, now)
            case _:
                self._speak(self._answer(now).perform(verb, now), now)
        return False

    def _is_over_elsewhere(self, verb: Dial | Enqueue | Leave | ConnectStream, now: int) -> bool:
        """Connect the caller to somebody, or to a stream; True where that has ended and the document goes on."""
        match verb:
            case Dial():
                return not self._dial(verb, now)
            case Enqueue():
                return self._enqueue(verb, now)
            case Leave():
                return not self._end_queue("leave", now)
            case _:
                return not self._open_stream(verb, now)

    def _answer(self, now: int) -> Performer:
        if self._line is None or self._performer is None:
            self._answered_at = now
            self._status = "in-progress"
            self._note(now, "answered")
            self._line = Line(self._caller, now)
            self._performer = Performer(self._line)
        return self._performer

    def _dial(self, verb: Dial, now: int) -> bool:
        self._answer(now)
        self._dialled += verb.targets
        number = verb.targets[0] if verb.targets else ""
        who = self._plan.dialled.get(number) or of_status(self._plan.dial_status)
        dialling = rung_by(self._plan.dialling, number, self.call_sid)
        whisper = self._player.resolve(verb.whisper) if verb.whisper else ""
        self._dial_verb, self._party = verb, Party(who, dialling, whisper, self._make_party, now)
        if self._party.status:
            return self._end_dial(verb, self._party, now)
        self._note(now, f"rings {number}")
        return True

    def _make_party(self, dialling: Dialling, whisper: str, caller: Caller) -> "CarrierCall":
        plan = CallPlan(dialling=dialling, voice_url=whisper, answered=True)
        return CarrierCall(plan, caller, new_hex=self._new_hex, started_at=self._started_at)

    def _attend(self, now: int) -> None:
        """See how it stands with whoever is rung, and with a queue."""
        if self._party is not None and self._dial_verb is not None and not self.hung_up:
            self._party.advance(now)
            if self._party.status and not self._end_dial(self._dial_verb, self._party, now):
                self._follow(now)
        if self._queued_until is not None and now >= self._queued_until and not self.hung_up:
            self._end_queue("bridged", now)

    def _end_dial(self, verb: Dial, party: Party, now: int) -> bool:
        self._duties += party.outgoing()
        self._dial_verb = self._party = None
        talk = f"connected to {', '.join(verb.targets)}" if party.bridged else f"not connected: {party.status}"
        self._note(now, talk)
        return self._ask_after(verb, self._about_dial(party.status, bridged=party.bridged), now)

    def _about_dial(self, status: str, *, bridged: bool) -> dict[str, str]:
        return {
            "DialCallSid": f"CA{self._new_hex()}",
            "DialCallStatus": status,
            "DialBridged": str(bridged).lower(),
            **({"DialCallDuration": str(DIALLED_SECONDS)} if bridged else {}),
        }

    def _enqueue(self, verb: Enqueue, now: int) -> bool:
        self._answer(now)
        self._dialled.append(f"queue:{verb.name}")
        self._queue = verb
        if self._plan.queue_s is not None:
            self._queued_until = now + int(self._plan.queue_s * 1000)
            if self._queued_until <= now:
                return not self._end_queue("bridged", now)
        self._note(now, f"waits in the queue {verb.name}")
        self._wait_in(verb, now)
        return False

    def _wait_in(self, verb: Enqueue, now: int) -> None:
        self._ask(self._player.go_to(verb.wait_url, verb.wait_method), now)

    def _end_queue(self, result: str, now: int) -> bool:
        queue, self._queue, self._queued_until = self._queue, None, None
        self._courier.forget_document()
        self._note(now, f"leaves the queue: {result}")
        return queue is not None and self._ask_after(queue, {"QueueResult": result, "QueueTime": "0"}, now)

    def _forsake(self, now: int) -> None:
        """Let go whoever is rung, and the queue."""
        if self._party is not None:
            self._party.drop(now)
            self._duties += self._party.outgoing()
        self._dial_verb = self._party = self._queue = self._queued_until = None

    def _tell_of_end(self, now: int) -> None:
        """Tell the ``<Dial>`` or ``<Enqueue>`` that the end of the call interrupts."""
        verb, queue = self._dial_verb, self._queue
        self._forsake(now)
        if verb is not None and verb.action is not None:
            about = self._about_dial("canceled", bridged=False)
            url = self._player.resolve(verb.action)
            self._notify(self._webhooks.voice(url, verb.method, self._status, about), now)
        if queue is not None and queue.action is not None:
            url = self._player.resolve(queue.action)
            about = {"QueueResult": "hangup"}
            self._notify(self._webhooks.voice(url, queue.method, self._status, about), now)

    def _after_gather(self, gathered: Gathered, now: int) -> None:
        extra = {"Digits": gathered.digits} if gathered.gather.keys else {}
        if gathered.finished_on:
            extra["FinishedOnKey"] = gathered.finished_on
        if gathered.spoken:
            extra |= {"SpeechResult": self._said, "Confidence": "0.9"}
        if gathered.digits or gathered.spoken or gathered.gather.action_on_empty:
            self._ask_after(gathered.gather, extra, now)
        else:
            self._follow(now)

    def _after_record(self, recorded: Recorded, now: int) -> None:
        """Tell of a message; of one that is empty nobody is told, and the document goes on."""
        if recorded.ms:
            about = self._about(recorded)
            self._ask_after(recorded.record, about, now)
            self._tell_recording(recorded, about, now)
        else:
            self._follow(now)

    def _about(self, recorded: Recorded) -> dict[str, str]:
        sid = f"RE{self._new_hex()}"
        account = f"{RECORDINGS_URL}/{API_VERSION}/Accounts/{self._plan.dialling.account_sid}"
        return {"RecordingSid": sid, "RecordingUrl": f"{account}/Recordings/{sid}", **recorded.extra}

    def _end_record(self, now: int) -> None:
        """Tell of a message that the end of the call interrupts."""
        recorded = self._performer.hung_up() if self._performer else None
        if recorded is not None and recorded.ms:
            url, about = self._player.resolve(recorded.record.action), self._about(recorded)
            self._notify(self._webhooks.voice(url, recorded.record.method, self._status, about), now)
            self._tell_recording(recorded, about, now)

    def _tell_recording(self, recorded: Recorded, about: dict[str, str], now: int) -> None:
        """Tell that a recording can be fetched, and what was said in it."""
        record = recorded.record
        if record.status_callback:
            told = {"RecordingStatus": "completed", **about}
            self._notify(self._webhooks.recording(self._player.resolve(record.status_callback), told), now)
        if record.transcribe_callback:
            told = {
                "TranscriptionSid": f"TR{self._new_hex()}",
                "TranscriptionText": self._plan.transcript,
                "TranscriptionStatus": "completed" if self._plan.transcript else "failed",
                "RecordingSid": about["RecordingSid"],
                "RecordingUrl": about["RecordingUrl"],
            }
            self._notify(self._webhooks.recording(self._player.resolve(record.transcribe_callback), told), now)

    # The stream

    @property
    def _link(self) -> StreamLink | None:
        return self._connection.link if self._connection else None

    def _open_stream(self, verb: ConnectStream, now: int) -> bool:
        self._answer(now)
        start = StreamStart(
            call_sid=self.call_sid,
            stream_sid=f"MZ{self._new_hex()}",
            account_sid=self._plan.dialling.account_sid,
            custom_parameters=verb.parameters,
        )
        self._connection = Connection(verb, start, self._webhooks)
        opening = self._connection.open(now)
        if isinstance(opening, Open):
            self._duties.append(opening)
            return True
        self._report_stream(opening, now)
        self._connection = None
        return self._ask_after(verb, {}, now)

    def _fail_stream(self, fault: Fault, now: int) -> None:
        self._report_stream(fault, now)
        self._after_connect(now)

    def _report_stream(self, fault: Fault, now: int) -> None:
        self._faults.append(fault)
        self._tell_stream("stream-error", now, str(fault))

    def _after_connect(self, now: int) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not self._ask_after(connection.verb, {}, now):
            self._follow(now)

    def _tell_stream(self, event: str, now: int, error: str = "") -> None:
        if self._connection and (request := self._connection.callback(event, now - self._began_at, error)):
            self._notify(request, now)

    def _notify(self, request: Request, now: int) -> None:
        self._duties.append(self._courier.ask(request, now, document=False))

    def _send(self, messages: list[str], *, sound: bool = False) -> None:
        self._duties += [Send(message, sound) for message in messages]

    # The line

    def _hear(self, fact: LineFact, now: int) -> None:
        if self.hung_up:
            return
        if isinstance(fact, StepBegun):
            self._note(fact.at, fact.step)
            self._said = fact.step.text if isinstance(fact.step, Say) else self._said
        elif isinstance(fact, CallerHungUp):
            self._end("caller", now)
        elif self._link:
            self._send(self._link.tell(fact), sound=isinstance(fact, FrameSpoken))
        elif self._performer and self._connection is None:
            self._performed(*self._performer.tell(fact, now), now)

    def _performed(self, speak: list[Speak], end: Performed | Gathered | Recorded | None, now: int) -> None:
        self._speak(speak, now)
        if isinstance(end, Gathered):
            self._after_gather(end, now)
        elif isinstance(end, Recorded):
            self._after_record(end, now)
        elif isinstance(end, Performed) and self._first is not None:
            fetch, self._first = self._first, None
            self._ask(fetch, now)
        elif isinstance(end, Performed):
            self._follow(now)

    def _speak(self, texts: list[Speak], now: int) -> None:
        for text in texts:
            self._note(now, text)
        self._duties += texts

    def _note(self, at: int, what: Step | Speak | str) -> None:
        self._notes.append(Note(max(0, at - (self._answered_at if self._answered_at is not None else at)), what))

    # The end

    def _end(self, by: str, now: int) -> None:
        if self.hung_up:
            return
        self._ended_at = now
        self._ended_by = by
        if self._line is not None:
            self._status = "completed"
        elif self._status == "ringing":
            self._status = "no-answer"
        self._courier.forget_document()
        self._note(now, f"hung up by the {by}")
        self._end_connect(now)
        self._end_record(now)
        self._tell_of_end(now)
        if self._plan.status_url:
            request = self._webhooks.call_status(
                self._plan.status_url, self._status, self._duration_ms, now - self._began_at
            )
            self._notify(request, now)

    def _end_connect(self, now: int) -> None:
        """Let a stream go that the end interrupts: ``stop``, close, its callback, and the action that none follows."""
        connection = self._connection
        self._cut_stream(now)
        if connection is None:
            return
        if connection.verb.action is not None:
            url = self._player.resolve(connection.verb.action)
            self._notify(self._webhooks.voice(url, connection.verb.method, self._status), now)

    def _cut_stream(self, now: int) -> None:
        """Send the stream its ``stop`` and close it."""
        if (link := self._link) is not None:
            link.cut()
            self._duties += [Send(link.stop()), Close()]
            self._tell_stream("stream-stopped", now)
        self._connection = None

    @property
    def _duration_ms(self) -> int:
        return 0 if self._answered_at is None else self._until - self._answered_at

    @property
    def _until(self) -> int:
        return self._now if self._ended_at is None else self._ended_at

    def result(self) -> CallResult:
        """Say what became of the call so far; asked again when it is over, all of it."""
        said, heard = self._line.tracks(self._until) if self._line else (b"", b"")
        return CallResult(
            call_sid=self.call_sid,
            status=self._status,
            ended_by=self._ended_by,
            duration_ms=self._duration_ms,
            heard=heard,
            said=said,
            faults=(*self._faults, *(fault for link in self._links for fault in link.faults)),
            complaints=(*self._complaints, *self._caller.complaints),
            undone=tuple(describe(step) for step in self._caller.left),
            verbs=tuple(self._player.followed),
            dialled=tuple(self._dialled),
            metrics=self._metrics(),
        )

    def _metrics(self) -> Metrics:
        if self._line is None or self._answered_at is None:
            return Metrics()
        ear, playout = self._caller.ear, self._line.playout
        return Metrics(
            first_audio_ms=None if ear.first_sound_at is None else ear.first_sound_at - self._answered_at,
            reply_ms=tuple(ear.reply_ms),
            longest_silence_ms=ear.longest_silence_ms,
            underruns=playout.underruns,
            underrun_ms=playout.underrun_samples // SAMPLES_PER_MS,
            bytes_after_clear=sum(link.bytes_after_clear for link in self._links),
            bytes_cut=sum(link.bytes_cut for link in self._links),
            media_bytes=sum(link.media_bytes for link in self._links),
        )
