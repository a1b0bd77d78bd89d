"""The client's side of the Realtime protocol's socket: its messages to facts, the call's duties to its messages."""

from binascii import b2a_base64
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from phone_bridge.audio.format import LINEAR_24K, Format
from phone_bridge.audio.path import path
from phone_bridge.call.commands import Answer, CancelReply, GiveResult, HandOn, Listen, SessionCommand, Tell, Truncate
from phone_bridge.call.events import (
    AssistantSaid,
    AssistantSpoke,
    CallerSaid,
    Event,
    ReplyEnded,
    ReplyStarted,
    SessionClosed,
    SessionOpened,
    SessionTrouble,
    TurnEnded,
    VoiceStarted,
    VoiceStopped,
)
from phone_bridge.errors import LocalError
from phone_bridge.sessions.held_sound import HeldSound
from phone_bridge.sessions.realtime import handing_on, names, usage
from phone_bridge.sessions.realtime import messages as m
from phone_bridge.sessions.realtime import settings as s
from phone_bridge.sessions.realtime.calls import Calls
from phone_bridge.sessions.realtime.replies import Replies
from phone_bridge.sessions.sound_clock import SoundClock

HOLD_MS = 1_500
"""How long the caller's sound waits for ``session.updated``, in milliseconds after opening."""

VOICE_LEAD_MS = 300
"""How long before its ``speech_started`` the caller began to speak, where the server does not say when."""

RETRY_MS = 1_500
"""How long after a response that failed on its own another one is asked for."""

MAX_RETRIES = 2
"""How often in a row that is done."""

MAX_UTTERANCES = 64
"""Utterances whose beginning is remembered until their words come."""

NORMAL = 1000
COMPLETED = "completed"
"""The close code and reason by which the built-in assistant ends a call."""

UPDATE = "update"
CUT = "cut"
CANCEL = "cancel"
CREATE = "create"
"""How the ``event_id`` of our messages begin, so that an error tells which of them it answers."""

_STATUSES = ("completed", "cancelled", "failed", "incomplete")
_CLOSING_ERRORS = {
    names.SESSION_EXPIRED: "expired",
    names.BETA_DISABLED: "refused",
    names.INSUFFICIENT_QUOTA: "refused",
    names.INVALID_KEY: "refused",
}
_CLOSE_REASONS = {names.BETA_DISABLED_CLOSE: "refused", 1008: "refused", 3000: "refused", 3003: "refused"}
_LATE = (CUT, CANCEL)  # what was over before it came is no trouble


class RealtimeWire:
    """One session's socket; ``leg`` is the format of the caller's line, ``settings`` go out as ``session.update``.

    Until the server confirms them, or HOLD_MS pass, the caller's sound is held. A server that refuses them is asked
    once more, with PCM16 for both ways.
    """

    def __init__(self, leg: Format, settings: s.Settings, shape: names.Shape) -> None:
        self._leg = leg
        self._shape = shape
        self._settings = settings
        self._outbox: list[bytes | str] = []
        self._serial = 0
        self._session_id = ""
        self._opened_at: int | None = None
        self._ready = False
        self._held = HeldSound(leg)
        self._input = LINEAR_24K
        self._output = LINEAR_24K
        self._to_session = path(leg, self._input)
        self._to_leg = path(self._output, leg)
        self._clock = SoundClock(leg)
        self._replies = Replies(leg)
        self._calls = Calls(_names(settings))
        self._utterances: dict[str, int] = {}  # when each began, until its words come
        self._words: dict[str, str] = {}  # the partial words of each
        self._interrupts = False  # the server cancels by itself where the caller speaks
        self._wants_reply = False
        self._unseen: set[str] = set()  # items of ours that the server has not shown to have taken
        self._retry_at: int | None = None
        self._retries = 0
        self._closing = ""
        self._sounding = ""  # the reply and item whose sound came last
        self._update()

    @property
    def tells_voice(self) -> bool:
        """True: ``input_audio_buffer.speech_started`` belongs to every shape."""
        return True

    # Facts

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        """Translate one message; unknown types mean nothing. Raises RemoteError for what cannot be read."""
        message = m.read_server_message(data)
        if isinstance(message, m.AudioDelta):
            return self._audio_delta(message)
        self._start(now)
        return self._fact(message, now) if message is not None else []

    def _fact(self, message: m.ServerMessage, now: int) -> list[Event]:
        match message:
            case m.SessionCreated() | m.SessionUpdated():
                return self._stated(message)
            case m.SpeechStarted() | m.SpeechStopped() | m.InputCommitted():
                return self._voice(message, now)
            case m.TranscriptionDelta() | m.TranscriptionCompleted() | m.TranscriptionFailed():
                return self._caller(message, now)
            case m.ErrorMessage(error=error):
                return self._error(error, now)
            case _:
                return self._assistant(message, now)

    def _assistant(self, message: m.ServerMessage, now: int) -> list[Event]:
        match message:
            case m.ResponseCreated(response=response):
                return self._begin(self._replies.name(response.id))
            case m.ResponseDone(response=response):
                return self._done(response, now)
            case m.TranscriptDelta() | m.TextDelta():
                return self._words_of(message)
            case m.ArgumentsDelta() | m.ArgumentsDone():
                self._calls.part(message)
                return []
            case m.OutputItemDone(item=item):
                return self._called(item)
            case m.ItemAdded(item=item):
                self._unseen.discard(item.id or "")
                return []
            case _:
                return []

    def closed(self, code: int, reason: str = "") -> SessionClosed:
        """Say what the closing of the socket with ``code`` means; a normal one that says no more is a loss, too."""
        if code == NORMAL and reason == COMPLETED:
            return SessionClosed(self._closing or "ended")
        return SessionClosed(self._closing or _CLOSE_REASONS.get(code, "lost"))

    # Duties

    def send(self, command: SessionCommand, now: int) -> None:
        """Queue what fulfils a duty."""
        if type(command) is Listen:
            if self._ready and not self._held.pieces:
                self._append(command.audio, now)
            else:
                self._hold(command.audio, now)
            return
        self._start(now)
        match command:
            case Tell(text):
                self._add(m.Item(type="message", role="user", content=(m.Content(type="input_text", text=text),)))
                self._ask_for_reply()
            case GiveResult(call_id, output):
                self._calls.answer(call_id, output)
                self._give_results()
            case HandOn():
                self._hand_on(command)
            case CancelReply(name):
                self._cancel(name)
            case Truncate(name, heard_ms):
                self._replies.hear(name, heard_ms)
                self._cut(name)
            case Answer():  # what it calls we run ourselves, so no yes has any business here
                raise LocalError(f"the proposal {command.id} was answered to a session that makes none")
            case _:  # closing the socket is all of CloseSession
                pass

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outbox = self._outbox, []
        return waiting

    def deadline(self) -> int | None:
        """Say when the hold ends; 0, so at once, while the opening's time is unknown.

        Then when another reply is asked for, or more of what was held goes out.
        """
        if not self._ready:
            return 0 if self._opened_at is None else self._opened_at + HOLD_MS
        release_at = self._held.deadline()
        if self._retry_at is None or release_at is None:
            return release_at if self._retry_at is None else self._retry_at
        return min(self._retry_at, release_at)

    def expire(self, now: int) -> list[Event]:
        """End the hold, let go of what was held, or ask again, when that is due."""
        opened_at = self._start(now)
        if self._ready:
            self._let_go(self._held.expire(now), now)
        events = self._go() if now >= opened_at + HOLD_MS else []
        if self._ready and self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._ask_for_reply()
        return events

    # Opening and formats

    def _start(self, now: int) -> int:
        if self._opened_at is None:
            self._opened_at = now
        return self._opened_at

    def _update(self) -> None:
        written = s.write(self._settings, self._shape)
        self._say(m.SessionUpdate(session=written, event_id=self._event_id(UPDATE)))

    def _stated(self, message: m.SessionCreated | m.SessionUpdated) -> list[Event]:
        """Follow what the server says of its formats; ``session.created`` cannot know yet what is wanted."""
        updated = isinstance(message, m.SessionUpdated)
        try:
            session = s.read(message.session, self._shape)
        except m.InvalidMessage:
            if not updated:
                return []
            return [SessionTrouble("unsupported_format"), *self._go()]
        self._session_id = self._session_id if session.id is UNSET else session.id
        if not updated:
            return []
        detection = session.turn_detection
        if isinstance(detection, s.TurnDetection):
            self._interrupts = detection.interrupt_response is True
        said_in = session.input_format if session.input_format is not UNSET else self._settings.input_format
        said_out = session.output_format if session.output_format is not UNSET else self._settings.output_format
        self._settings = replace(self._settings, input_format=said_in, output_format=said_out)
        return self._go()

    def _go(self) -> list[Event]:
        """Use the formats that are settled, or that were asked for, and end the hold."""
        self._convert(_sound(self._settings.input_format), _sound(self._settings.output_format))
        if self._ready:
            return []
        self._ready = True
        return [SessionOpened(self._session_id)]

    def _convert(self, input_format: Format, output_format: Format) -> None:
        if input_format != self._input:
            self._input, self._to_session = input_format, path(self._leg, input_format)
        if output_format != self._output:
            self._output, self._to_leg = output_format, path(output_format, self._leg)

    def _refused(self, param: str) -> list[Event]:
        """Ask again without what was refused, or else for what every server speaks; go on where that is refused too.

        Nobody's words are written down by a transcriber that the server does not have (Azure wants a deployment's
        name), but a session that was told nothing would be worse: its caller can still answer by key.
        """
        if "transcription" in param and self._settings.transcription is not None:
            self._settings = replace(self._settings, transcription=None)
            self._update()
            return []
        if (self._settings.input_format, self._settings.output_format) == ("audio/pcm", "audio/pcm"):
            return self._go()
        self._settings = replace(self._settings, input_format="audio/pcm", output_format="audio/pcm")
        self._update()
        return []

    # The caller

    def _append(self, audio: bytes, now: int) -> None:
        self._clock.count(len(audio), now)
        sound = self._to_session.push(audio)
        if sound:
            base64 = b2a_base64(sound, newline=False).decode("ascii")
            self._outbox.append(f'{{"type":"input_audio_buffer.append","audio":"{base64}"}}')

    def _hold(self, audio: bytes, now: int) -> None:
        self._start(now)
        self._let_go(self._held.pass_through(audio, now, ready=self._ready), now)

    def _let_go(self, pieces: list[bytes], now: int) -> None:
        for piece in pieces:
            self._append(piece, now)

    def _hand_on(self, command: HandOn) -> None:
        for item in handing_on.items(command):
            self._add(item)
        if command.answer:
            self._ask_for_reply()

    def _voice(self, message: m.SpeechStarted | m.SpeechStopped | m.InputCommitted, now: int) -> list[Event]:
        match message:
            case m.SpeechStarted(audio_start_ms=at_ms, item_id=item_id):
                began = self._utterances[item_id] = self._clock.when(at_ms, now - VOICE_LEAD_MS)
                while len(self._utterances) > MAX_UTTERANCES:
                    del self._utterances[next(iter(self._utterances))]
                if self._interrupts:
                    self._replies.cancel(self._replies.active)
                return [VoiceStarted(began)]
            case m.SpeechStopped(audio_end_ms=at_ms):
                return [VoiceStopped(self._clock.when(at_ms, now))]
            case _:
                return [TurnEnded()]

    def _caller(
        self, message: m.TranscriptionDelta | m.TranscriptionCompleted | m.TranscriptionFailed, now: int
    ) -> list[Event]:
        item_id = message.item_id
        began = self._utterances.get(item_id)
        if isinstance(message, m.TranscriptionDelta):
            words = self._words[item_id] = self._words.get(item_id, "") + (message.delta or "")
            while len(self._words) > MAX_UTTERANCES:
                del self._words[next(iter(self._words))]
            return [CallerSaid(words, final=False, began=began)]
        self._words.pop(item_id, None)
        self._utterances.pop(item_id, None)
        if isinstance(message, m.TranscriptionFailed):
            return [SessionTrouble("transcription_failed"), CallerSaid("", began=began)]
        return [CallerSaid(message.transcript, began=began)]

    # The assistant

    def _audio_delta(self, delta: m.AudioDelta) -> list[Event]:
        name = delta.response_id
        events: list[Event] = []
        if name != self._replies.active or not name:
            name, events = self._part(name)
            if not name:
                return []
        item_id = delta.item_id
        if item_id != self._sounding:
            self._sounding = item_id
            self._to_leg = path(self._output, self._leg)  # half a sample of another item would shift every byte
        sound = self._to_leg.push(delta.delta)
        if sound:
            self._replies.sound(name, item_id, delta.content_index, len(sound))
            events.append(AssistantSpoke(name, sound))
        return events

    def _part(self, given: str) -> tuple[str, list[Event]]:
        """Find the reply that a delta belongs to, and begin one that was not announced; "" for one that is over."""
        name = self._replies.name(given)
        if self._replies.is_over(name):
            return "", []
        return name, self._begin(name)

    def _begin(self, name: str) -> list[Event]:
        if not self._replies.begin(name):
            return []
        if not self._unseen and not self._calls.waiting:
            self._wants_reply = False  # it was made with all that there is to know
        self._retry_at = None
        return [ReplyStarted(name)]

    def _words_of(self, delta: m.TranscriptDelta | m.TextDelta) -> list[Event]:
        name, events = self._part(delta.response_id)
        if not name:
            return []
        apart = " " if self._replies.words(name, delta.item_id) else ""
        return [*events, AssistantSaid(name, apart + delta.delta)]

    def _done(self, response: m.Response, now: int) -> list[Event]:
        name = self._replies.name(response.id)
        events: list[Event] = [event for item in response.output or () for event in self._calls.whole(item)]
        used = usage.read(response.usage)
        if used is not None:
            events.append(used)
        status = next((each for each in _STATUSES if each == response.status), "completed")
        if self._replies.end(name):
            events.append(ReplyEnded(name, status))
        self._cut(name)
        if status == "failed":
            events += self._failed(response.status_details, now)
        elif status != "cancelled":
            self._retries = 0
        self._give_results()
        return events

    def _failed(self, details: Any, now: int) -> list[Event]:
        """Ask for another reply after a while, for nobody else will; but not where that can change nothing."""
        error = details.get("error") if isinstance(details, dict) else None
        code = str((error.get("code") or error.get("type")) if isinstance(error, dict) else "") or "response_failed"
        if code in _CLOSING_ERRORS:
            self._closing = _CLOSING_ERRORS[code]
            return [SessionTrouble(code), SessionClosed(self._closing)]
        if self._retries < MAX_RETRIES:
            self._retries += 1
            self._retry_at = now + RETRY_MS
        return [SessionTrouble(code)]

    def _cancel(self, name: str) -> None:
        if self._replies.cancel(name):
            own = self._replies.own_name(name)
            self._say(m.ResponseCancel(response_id=own or UNSET, event_id=self._event_id(CANCEL)))
        self._cut(name)

    def _cut(self, name: str) -> None:
        for cut in self._replies.cuts(name):
            self._say(
                m.ItemTruncate(
                    item_id=cut.item_id,
                    content_index=cut.content_index,
                    audio_end_ms=cut.heard_ms,
                    event_id=self._event_id(CUT),
                )
            )

    # Functions and replies that are asked for

    def _called(self, item: m.Item) -> list[Event]:
        events = self._calls.whole(item)
        self._give_results()
        return events

    def _give_results(self) -> None:
        """Send the results that are there, and ask for a reply once nothing is waited for and nothing runs."""
        for call_id, output in self._calls.answered:
            self._add(m.Item(type="function_call_output", call_id=call_id, output=output))
            self._wants_reply = True
        self._calls.answered.clear()
        self._reply_if_due()

    def _ask_for_reply(self) -> None:
        self._wants_reply = True
        self._reply_if_due()

    def _reply_if_due(self) -> None:
        if self._wants_reply and not self._calls.waiting and not self._replies.active:
            self._wants_reply = False
            self._say(m.ResponseCreate(event_id=self._event_id(CREATE)))

    def _add(self, item: m.Item) -> None:
        named = replace(item, id=f"ours_{self._next()}")
        self._unseen.add(str(named.id))
        self._say(m.ItemCreate(item=m.in_shape(named, self._shape)))

    def _say(self, message: m.ClientMessage) -> None:
        self._outbox.append(m.encode(message))

    def _event_id(self, kind: str) -> str:
        return f"{kind}_{self._next()}"

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    # Trouble

    def _error(self, error: m.ErrorBody, now: int) -> list[Event]:
        code = str(error.code or error.type or "error")
        about = (error.event_id or "").partition("_")[0]
        if code in _CLOSING_ERRORS:
            self._closing = _CLOSING_ERRORS[code]
            return [SessionClosed(self._closing, error.message or "")]
        if about in _LATE or code == names.NOTHING_TO_CANCEL:
            return []
        if code == names.ACTIVE_RESPONSE:  # another one began meanwhile: its end is waited for
            self._wants_reply = True
            return []
        events: list[Event] = [SessionTrouble(code, error.message or "")]
        if about == UPDATE or (not about and not self._ready):
            events += self._refused(error.param or "")
        return events


def _sound(name: str | Any) -> Format:
    return names.SOUND.get(name, LINEAR_24K)


def _names(settings: s.Settings) -> list[str]:
    tools = () if settings.tools is UNSET else settings.tools
    return [name for tool in tools if isinstance(name := tool.get("name"), str)]
