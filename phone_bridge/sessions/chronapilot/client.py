"""The client's side of ChronaPilot's socket: its messages to facts, the call's duties to the documented messages."""

from binascii import b2a_base64

from phone_bridge.audio.format import LINEAR_24K, PCMA_8K, PCMU_8K, Encoding, Format
from phone_bridge.audio.path import path
from phone_bridge.call.commands import Answer, CancelReply, HandOn, Listen, SessionCommand, Tell, Verdict
from phone_bridge.call.events import (
    Action,
    Affected,
    AssistantSaid,
    AssistantSpoke,
    CallerSaid,
    Event,
    IntentDetected,
    ReplyEnded,
    ReplyStarted,
    SessionClosed,
    SessionExpiring,
    SessionOpened,
    SessionTrouble,
    VoiceStarted,
    VoiceStopped,
)
from phone_bridge.sessions.chronapilot import handing_on
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.chronapilot.proposals import Proposals
from phone_bridge.sessions.chronapilot.replies import Replies
from phone_bridge.sessions.held_sound import HeldSound
from phone_bridge.sessions.sound_clock import SoundClock

HOLD_MS = 500
"""How long the caller's sound waits for the server to state its formats, in milliseconds after opening."""

G711_HOLD_MS = 1000
"""The same where G.711 was asked for, which the server may refuse."""

VOICE_LEAD_MS = 300
"""How long before its ``speech.started`` the caller began to speak, where the server does not say: 100 to 200 ms for
a detector, and the way here. Too early costs one more question; too late could make a yes of an earlier word."""

PARTIAL_LEAD_MS = 1500
"""The same before the first ``transcript.partial`` of a server that sends no ``speech.started``."""

ECHO_MS = 5_000
"""How long a transcript that has the very words of our own ``text.append`` is taken for their echo."""

NORMAL = 1000
COMPLETED = "completed"
"""The close code and reason by which the built-in assistant ends a call."""

MAX_LEFT_SECONDS = 86_400
"""No session lives longer, whatever ``session.expiring`` says."""

_SAMPLE_RATES = (8000, 16000, 24000)
_G711 = {"g711_ulaw": PCMU_8K, "g711_alaw": PCMA_8K}
_STATUSES = ("completed", "cancelled", "failed", "incomplete")

_CLOSING_ERRORS = {
    "session_expired": "expired",
    "session_token_expired": "expired",
    "session_closed": "ended",
    "authentication_failed": "refused",
}
_CLOSE_REASONS = {
    4001: "refused",
    4003: "refused",
    4008: "expired",
    4410: "ended",  # deleted over the API
    4429: "unavailable",
}


class ChronaPilotWire:
    """One session's socket; ``leg`` is the format of the caller's line, ``settings`` go out as ``session.update``.

    Until the server states its formats, or HOLD_MS pass, the caller's sound is held, for documented is only "PCM16":
    24 kHz mono is taken where nothing is said.
    """

    def __init__(self, leg: Format, settings: m.SessionSettings) -> None:
        self._leg = leg
        self._asked_g711 = _G711.get(settings.output_format or "")
        self._hold_ms = G711_HOLD_MS if self._asked_g711 else HOLD_MS
        self._outbox: list[bytes | str] = [m.encode(m.SessionUpdate(session=settings))]
        self._session_id = ""
        self._opened_at: int | None = None
        self._ready = False
        self._held = HeldSound(leg)
        self._input = LINEAR_24K
        self._output = LINEAR_24K
        self._to_session = path(leg, self._input)
        self._to_leg = path(self._output, leg)
        self._clock = SoundClock(leg)
        self._replies = Replies()
        self._proposals = Proposals()
        self._intent: m.IntentDetected | None = None
        self._told, self._told_at = "", 0  # our own newest turn
        self._speaking = False  # the caller, as far as transcripts tell
        self._tells_speech = False  # the server sends speech.started and speech.stopped
        self._closing = ""
        self._unwanted = False  # the next reply answers what was handed on, and nobody wants to hear it
        self._muted: str | None = None  # that reply

    @property
    def tells_voice(self) -> bool:
        """Whether the server tells of the caller's speech, which is documented nowhere."""
        return self._tells_speech

    # Facts

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        """Translate one message; unknown types mean nothing. Raises RemoteError for what cannot be read."""
        message = m.read_server_message(data)
        if type(message) is m.AudioDelta:
            return self._audio_delta(message)
        self._start(now)
        return self._fact(message, now) if message is not None else []

    def _fact(self, message: m.ServerMessage, now: int) -> list[Event]:
        match message:
            case m.SessionCreated() | m.SessionUpdated():
                return self._stated(message)
            case m.SpeechStarted() | m.SpeechStopped() | m.TranscriptPartial() | m.TranscriptFinal():
                return self._caller(message, now)
            case m.ErrorMessage(error):
                return self._error(error)
            case m.SessionExpiring(seconds_left=seconds):
                known = seconds is not None and 0 <= seconds < MAX_LEFT_SECONDS
                return [SessionExpiring(round(seconds * 1000))] if known and seconds is not None else []
            case m.ResponseCreated(name):
                return self._begin(self._replies.name(name))
            case m.ResponseDone(response):
                return self._done(response)
            case m.TextDelta(text, name) | m.AudioTranscriptDelta(text, name):
                item, events = self._part(self._replies.name(name))
                return [*events, AssistantSaid(item, text)] if item else []
            case _:
                return self._action(message)

    def _action(self, message: m.ServerMessage) -> list[Event]:
        match message:
            case m.IntentDetected(name, confidence, parameters):
                self._intent = message
                return [IntentDetected(name, confidence, parameters or {})]
            case m.ActionProposed(id=action_id, action=action):
                return self._proposals.propose(action_id, self._action_of(action))
            case m.ActionExecuted():
                return self._executed(message)
            case m.ActionDeclined(action_id, reason):
                return self._proposals.settle(action_id, "declined", None, reason)
            case m.ActionExpired(action_id, reason):
                return self._proposals.settle(action_id, "expired", None, reason)
            case m.ActionFailed(id=action_id, action=action, error=error):
                return self._proposals.settle(action_id, "failed", self._named(action), error)
            case _:
                return []

    def closed(self, code: int, reason: str = "") -> SessionClosed:
        """Say what the closing of the socket with ``code`` means.

        No message is documented by which an assistant hangs up, so a normal closure is a loss like any other, unless
        it says ``completed``, as the built-in assistant does after a goodbye.
        """
        if code == NORMAL and reason == COMPLETED:
            return SessionClosed(self._closing or "ended")
        return SessionClosed(self._closing or _CLOSE_REASONS.get(code, "lost"))

    # Duties

    def send(self, command: SessionCommand, now: int) -> None:
        """Queue what fulfils a duty; only documented messages go out."""
        if type(command) is Listen:
            if self._ready and not self._held.pieces:
                self._append(command.audio, now)
            else:
                self._listen(command.audio, now)
            return
        self._start(now)
        match command:
            case Tell(text):
                self._tell(text, now)
            case Answer():
                self._answer(command, now)
            case HandOn():
                self._hand_on(command, now)
            case CancelReply(item):
                # A cancel while the server waits for consent would withdraw the proposal; the call mutes the reply.
                if not self._proposals.waiting and self._replies.cancel(item):
                    self._outbox.append(m.encode(m.ResponseCancel()))
            case _:  # no message is documented for Truncate; closing the socket and the farewell are CloseSession
                pass

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outbox = self._outbox, []
        return waiting

    def deadline(self) -> int | None:
        """Say when the hold ends; 0, so at once, while nobody has told the time of opening. Then when more goes out."""
        if self._ready:
            return self._held.deadline()
        return 0 if self._opened_at is None else self._opened_at + self._hold_ms

    def expire(self, now: int) -> list[Event]:
        """End the hold when it is due, and let go of what was held."""
        opened_at = self._start(now)
        if not self._ready:
            return self._go() if now >= opened_at + self._hold_ms else []
        self._let_go(self._held.expire(now), now)
        return []

    # Opening and formats

    def _start(self, now: int) -> int:
        if self._opened_at is None:
            self._opened_at = now
        return self._opened_at

    def _stated(self, message: m.SessionCreated | m.SessionUpdated) -> list[Event]:
        """Follow what the server says of its formats; ``session.created`` cannot know yet that G.711 is wanted."""
        session = message.session
        self._session_id = session.id or self._session_id
        updated = isinstance(message, m.SessionUpdated)
        spoken = self._asked_g711 or self._output if updated else self._output
        wanted_in = _format(session.input_format, session.input_sample_rate or session.sample_rate, self._input)
        wanted_out = _format(session.output_format, session.output_sample_rate or session.sample_rate, spoken)
        self._convert(wanted_in or self._input, wanted_out or self._output)
        events: list[Event] = []
        if wanted_in is None or wanted_out is None:
            events.append(SessionTrouble("unsupported_format"))
        if updated or not self._asked_g711:
            self._asked_g711 = None
            events += self._go()
        return events

    def _go(self) -> list[Event]:
        """End the hold: the formats are as settled as they will be."""
        if self._ready:
            return []
        self._ready = True
        self._convert(self._input, self._asked_g711 or self._output)
        return [SessionOpened(self._session_id)]

    def _convert(self, input_format: Format, output_format: Format) -> None:
        if input_format != self._input:
            self._input, self._to_session = input_format, path(self._leg, input_format)
        if output_format != self._output:
            self._output, self._to_leg = output_format, path(output_format, self._leg)

    # The caller

    def _listen(self, audio: bytes, now: int) -> None:
        self._start(now)
        self._let_go(self._held.pass_through(audio, now, ready=self._ready), now)

    def _let_go(self, pieces: list[bytes], now: int) -> None:
        for piece in pieces:
            self._append(piece, now)

    def _append(self, audio: bytes, now: int) -> None:
        self._clock.count(len(audio), now)
        sound = self._to_session.push(audio)
        if sound:
            base64 = b2a_base64(sound, newline=False).decode("ascii")
            self._outbox.append(f'{{"type":"audio.append","audio":"{base64}"}}')

    def _caller(
        self, message: m.SpeechStarted | m.SpeechStopped | m.TranscriptPartial | m.TranscriptFinal, now: int
    ) -> list[Event]:
        """Tell of the caller's voice and words; without ``speech.started`` the transcripts speak for the voice."""
        match message:
            case m.SpeechStarted(at_ms):
                self._tells_speech = True
                return [VoiceStarted(self._clock.when(at_ms, now - VOICE_LEAD_MS))]
            case m.SpeechStopped(at_ms):
                self._tells_speech = True
                return [VoiceStopped(self._clock.when(at_ms, now))]
            case m.TranscriptPartial(text):
                if not text.strip() or self._is_echo(text, now):
                    return []
                return [*self._voice(True, now), CallerSaid(text, final=False)]
            case m.TranscriptFinal(text):
                if self._is_echo(text, now) and text.strip() == self._told:
                    self._told = ""
                    return []
                self._replies.turn()
                self._unwanted = False
                return [*self._voice(False, now), CallerSaid(text)]

    def _voice(self, speaking: bool, now: int) -> list[Event]:
        if self._tells_speech or speaking == self._speaking:
            return []
        self._speaking = speaking
        return [VoiceStarted(now - PARTIAL_LEAD_MS) if speaking else VoiceStopped(now)]

    def _is_echo(self, text: str, now: int) -> bool:
        """Tell whether a server writes down as the caller's what we have told it as text."""
        return bool(self._told) and now < self._told_at + ECHO_MS and self._told.startswith(text.strip())

    def _tell(self, text: str, now: int) -> None:
        self._told, self._told_at = text.strip(), now
        self._outbox.append(m.encode(m.TextAppend(text)))
        self._replies.turn()

    def _hand_on(self, command: HandOn, now: int) -> None:
        self._tell(handing_on.write(command), now)
        self._unwanted = not command.answer

    # The assistant

    def _audio_delta(self, delta: m.AudioDelta) -> list[Event]:
        if delta.response_id and delta.response_id == self._replies.newest:
            sound = self._to_leg.push(delta.audio)
            return [AssistantSpoke(delta.response_id, sound)] if sound else []
        item, events = self._part(self._replies.name(delta.response_id))
        sound = self._to_leg.push(delta.audio) if item else b""
        if sound:
            events.append(AssistantSpoke(item, sound))
        return events

    def _part(self, name: str) -> tuple[str, list[Event]]:
        item, events = self._replies.part(name)
        if events:
            self._fresh_sound()
        events = self._wanted(events)
        return ("" if item == self._muted else item), events

    def _begin(self, name: str) -> list[Event]:
        self._fresh_sound()
        return self._wanted(self._replies.begin(name))

    def _wanted(self, events: list[Event]) -> list[Event]:
        """Cancel the reply to what was handed on without asking for one, and keep it to ourselves."""
        begun = [event for event in events if isinstance(event, ReplyStarted)]
        if not self._unwanted or not begun:
            return events
        self._unwanted = False
        self._muted = begun[0].item
        self._replies.newest = ""
        if self._replies.cancel(self._muted):
            self._outbox.append(m.encode(m.ResponseCancel()))
        return [event for event in events if event is not begun[0]]

    def _fresh_sound(self) -> None:
        """Forget half a sample that a reply may have ended with, which would shift all bytes of the next one."""
        self._to_leg = path(self._output, self._leg)

    def _done(self, response: object) -> list[Event]:
        known = response if isinstance(response, dict) else {}
        status = next((each for each in _STATUSES if each == known.get("status")), "completed")
        ended = self._replies.end(self._replies.name(known.get("id")), status)
        return [event for event in ended if not (isinstance(event, ReplyEnded) and event.item == self._muted)]

    # Consent

    def _action_of(self, action: m.ProposedAction | str) -> Action:
        """Make one action of both shapes; a bare name takes its parameters from the intent of the same name."""
        if isinstance(action, str):
            intent = self._intent
            known = intent.parameters if intent is not None and intent.name == action else None
            return Action(action, known or {})
        affects = tuple(
            Affected(each.id or "", each.title or "", each.start_time or "") for each in action.affects or ()
        )
        return Action(action.name, action.parameters or {}, action.summary or "", affects)

    def _named(self, action: m.ProposedAction | str | None) -> Action | None:
        return None if action is None else self._action_of(action)

    def _executed(self, message: m.ActionExecuted) -> list[Event]:
        action = self._named(message.action)
        action_id = self._proposals.meant(message.id or "", action.name if action else "")
        self._replies.turn()
        if message.error is not None:
            return self._proposals.settle(action_id, "failed", action, message.error)
        touched = message.resource or message.resources or message.event_id
        return self._proposals.settle(
            action_id, "executed", action, touched if message.result is None else message.result
        )

    def _answer(self, command: Answer, now: int) -> None:
        self._proposals.answer(command, now)
        if command.verdict is Verdict.CONFIRMED:
            self._outbox.append(m.encode(m.ActionConfirm(id=command.id)))
            self._replies.turn()
        elif command.words:
            self._tell(command.words, now)

    # Trouble

    def _error(self, error: m.ErrorBody) -> list[Event]:
        code = error.code or error.type or "error"
        if code in _CLOSING_ERRORS:
            self._closing = _CLOSING_ERRORS[code]
            return [SessionClosed(self._closing, error.message or "")]
        events: list[Event] = [SessionTrouble(code, error.message or "")]
        if self._asked_g711 is not None:  # it may be what was refused: stay with what is stated, or documented
            self._asked_g711 = None
            events += self._go()
        return events


def _format(encoding: str | None, rate: int | None, current: Format) -> Format | None:
    """Read a stated format, where something is stated; None for one that the bridge does not speak."""
    if encoding in _G711:
        return _G711[encoding]
    if encoding is None and (rate is None or current.encoding is not Encoding.LINEAR16):
        return current
    if encoding not in (None, "pcm16") or (rate or LINEAR_24K.rate) not in _SAMPLE_RATES:
        return None
    return Format(Encoding.LINEAR16, rate or LINEAR_24K.rate)
