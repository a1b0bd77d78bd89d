"""The client's side of the Voice SDK's socket: its few words and its sound to facts, the call's duties to its words.

The plain dialect says neither what was said nor when a reply begins or ends. So a reply begins with sound after
silence and ends with silence after sound, and what the call mutes stays mute until such a silence. It knows no
questions either: those come only from a server that grants the ``confirmation`` extension; the answer by key or voice
is then the call's business as in every dialect, where the voice needs the words that ``transcript`` brings.
"""

from collections import deque

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import Format
from phone_bridge.audio.path import path
from phone_bridge.call.commands import Answer, CancelReply, CloseSession, Listen, SessionCommand, Verdict
from phone_bridge.call.events import (
    Action,
    ActionSettled,
    Affected,
    AssistantSaid,
    AssistantSpoke,
    CallerSaid,
    ConfirmationAsked,
    Event,
    ReplyEnded,
    ReplyStarted,
    SessionClosed,
    SessionOpened,
    SessionTrouble,
)
from phone_bridge.errors import LocalError, RemoteError

HELD_MS = 5_000
"""Most of the caller's sound that waits for ``connected``; the oldest is dropped first."""

REPLY_GAP_MS = 600
"""Silence on the socket that ends a reply; a server paces its sound, so within a reply there is hardly any."""

MUTED_GAP_MS = 200
"""The same for a reply that the call has cancelled: what was on its way has come by then."""

MUTED_MS = 2_000
"""Longest that a cancelled reply is mute: an agent that still speaks by then has not taken the sound for a word."""

_CLOSED = {
    w.CLOSE_CODES[w.AUTH_TIMEOUT]: "unavailable",
    w.CLOSE_CODES[w.INVALID_AUTH]: "refused",
    w.CLOSE_CODES[w.AUTH_FAILED]: "unavailable",  # a new token may be good
    w.CLOSE_CODES[w.SESSION_SETUP_FAILED]: "unavailable",
}
_REASONS = {
    w.AGENT_DISCONNECTED: "ended",
    w.SESSION_CLOSED: "ended",
    w.ROOM_CLOSED: "ended",
    w.SERVER_SHUTDOWN: "lost",
}
_TELEPHONES = ("confirmed", "unknown")
"""What is told to telephones alone, and is no outcome."""
_ERRORS = {code: _CLOSED[close_code] for code, close_code in w.CLOSE_CODES.items()}


class VoiceSdkWire:
    """One session's socket, on which the token was sent; ``leg`` is the format of the caller's line."""

    def __init__(self, leg: Format) -> None:
        self._leg = leg
        self._outbox: list[bytes | str] = []
        self._to_session = path(leg, w.SOUND)
        self._to_leg = path(w.SOUND, leg)
        self._frame = b""
        self._connected = False
        self._held: deque[bytes] = deque()
        self._held_size = 0
        self._opened = False
        self._count = 0
        self._reply = ""
        self._worded = False
        self._muted = False
        self._muted_at = 0
        self._interrupts = False  # the server says when it stops for the caller
        self._heard_at = 0
        self._questions: dict[str, Action] = {}
        self._answered: set[str] = set()
        self._closing = ""

    @property
    def tells_voice(self) -> bool:
        """Whether the server has said ``interrupted``; in the plain dialect it just stops sending."""
        return self._interrupts

    # Facts

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        """Translate one message; raises RemoteError for what cannot be read."""
        if isinstance(data, bytes):
            return self._sound(data, now)
        message = w.read_from_server(data)
        return self._said(message, now) if message is not None else []

    def _said(self, message: w.FromServer, now: int) -> list[Event]:
        match message:
            case w.Connected():
                return self._connect(now)
            case w.AgentReady():
                self._connect(now)
                opened, self._opened = self._opened, True
                return [] if opened else [SessionOpened()]
            case w.SessionEnded(reason):
                self._closing = _REASONS.get(reason, "ended")
                return [SessionClosed(self._closing, reason)]
            case w.Error(code, text):
                self._closing = _ERRORS.get(code, "lost")
                return [SessionTrouble(code or "error", text), SessionClosed(self._closing, code)]
            case w.Interrupted():
                self._interrupts = True
                return self._end("cancelled")
            case w.Transcript("user", text, final):
                return [CallerSaid(text, final)]
            case w.Transcript(_, text):
                return self._words(text, now) if not self._muted else []
            case w.Confirmation():
                return self._asked(message)
            case w.ConfirmationSettled():
                return self._settled(message)

    def _settled(self, told: w.ConfirmationSettled) -> list[Event]:
        action = self._questions.get(told.id)
        if action is None or told.outcome in _TELEPHONES:
            return []
        return [ActionSettled(told.id, told.outcome, action, told.result)]

    def _connect(self, now: int) -> list[Event]:
        self._connected = True
        while self._held:
            self._listen(self._held.popleft())
        return []

    def _sound(self, data: bytes, now: int) -> list[Event]:
        if not w.is_sound(data):
            raise RemoteError("a frame of sound has an odd length, or is too long", code="invalid_audio")
        if self._muted and now < self._muted_at + MUTED_MS:
            self._heard_at = now
            return []
        over = self._end("cancelled") if self._muted else []
        begun = self._begin(now)
        sound = self._to_leg.push(data)
        return [*over, *begun, AssistantSpoke(self._reply, sound)] if sound else [*over, *begun]

    def _words(self, text: str, now: int) -> list[Event]:
        """Take a caption of the agent's, which is whole, as more words of the reply."""
        begun = self._begin(now)
        parted = f" {text}" if self._worded else text
        self._worded = True
        return [*begun, AssistantSaid(self._reply, parted)]

    def _begin(self, now: int) -> list[Event]:
        self._heard_at = now
        if self._reply:
            return []
        self._count += 1
        self._reply = f"#{self._count}"
        self._worded = False
        self._to_leg = path(w.SOUND, self._leg)
        return [ReplyStarted(self._reply)]

    def _end(self, status: str) -> list[Event]:
        """End the reply, and with it what mutes the rest of it."""
        reply, self._reply, self._muted = self._reply, "", False
        return [ReplyEnded(reply, status)] if reply else []

    def deadline(self) -> int | None:
        """Say when silence will have ended the reply."""
        if not self._reply:
            return None
        return self._heard_at + (MUTED_GAP_MS if self._muted else REPLY_GAP_MS)

    def expire(self, now: int) -> list[Event]:
        """End the reply when nothing more has come of it."""
        due = self.deadline()
        if due is None or now < due:
            return []
        return self._end("cancelled" if self._muted else "completed")

    def closed(self, code: int, reason: str = "") -> SessionClosed:
        """Say what the closing of the socket with ``code`` means; 1000 without ``session_ended`` is an end too."""
        return SessionClosed(self._closing or _CLOSED.get(code, "ended" if code == w.NORMAL else "lost"))

    # Questions

    def _asked(self, question: w.Confirmation) -> list[Event]:
        given = question.action
        affects = tuple(Affected(each.id, each.title, each.start_time) for each in given.affects)
        action = Action(given.name, given.parameters, given.summary, affects)
        known = self._questions.setdefault(question.id, action)
        if known is not action:
            return [] if known == action else [SessionTrouble("proposal_changed")]
        return [ConfirmationAsked(question.id, action)]

    def _answer(self, answer: Answer, now: int) -> None:
        action = self._questions.get(answer.id)
        if action is None or answer.id in self._answered:
            raise LocalError(f"the question {answer.id} was never asked, or is answered already")
        yes = answer.verdict is Verdict.CONFIRMED
        if yes:
            if answer.action != action or answer.permit is None:
                raise LocalError(f"the question {answer.id} is not open with this action, or there is no permit")
            answer.permit.use(action, now)
        self._answered.add(answer.id)
        self._outbox.append(w.encode(w.ConfirmationAnswer(answer.id, "yes" if yes else "no")))

    # Duties

    def send(self, command: SessionCommand, now: int) -> None:
        """Queue what fulfils a duty; what the dialect has no word for (text, truncation) is left out."""
        match command:
            case Listen(audio):
                if self._connected:
                    self._listen(audio)
                else:
                    self._hold(audio)
            case CancelReply(item):
                self._cancel(item, now)
            case Answer():
                self._answer(command, now)
            case CloseSession():
                self._held.clear()
            case _:
                pass

    def _cancel(self, item: str, now: int) -> None:
        if item and item == self._reply and not self._muted:
            self._muted, self._muted_at = True, now

    def _hold(self, audio: bytes) -> None:
        self._held.append(audio)
        self._held_size += len(audio)
        while self._held_size > self._leg.size(HELD_MS):
            self._held_size -= len(self._held.popleft())

    def _listen(self, audio: bytes) -> None:
        """Send sound in whole frames of 20 ms."""
        sound = self._frame + self._to_session.push(audio)
        whole = len(sound) - len(sound) % w.FRAME_BYTES
        self._outbox += [sound[start : start + w.FRAME_BYTES] for start in range(0, whole, w.FRAME_BYTES)]
        self._frame = sound[whole:]

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outbox = self._outbox, []
        return waiting
