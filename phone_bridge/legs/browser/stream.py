"""Our side of a browser's socket, once its token was found good: the Voice SDK's words and sound as a caller's line.

The dialect has one channel of sound and no word for what was played. A telephone cannot do without: what a caller has
consented to depends on what the caller has heard. So the page must ask for the feature ``call``: between the sound it
gets marks, at most 100 ms apart, and it returns each one once its worklet has played so far. Those are the ledger's own
marks, which prove here what they prove with a carrier; a page that returned them unplayed would deceive its own user.

The card's answers come as the keys 1 and 2, so that all rules of consent hold for them as they are: an answer to a
question that the caller has not begun to hear, or to another one than is open, is none.
"""

from typing import ClassVar

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import Format
from phone_bridge.call.commands import Flush, HangUp, LegCommand, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, LegTrouble, MarkReached
from phone_bridge.call.trace import Trace
from phone_bridge.call.view import View
from phone_bridge.errors import RemoteError
from phone_bridge.legs.browser.showing import Showing

QUIET_MS = 500
"""When the page has sent no sound for so long, silence is supplied, so that the session can hear a turn end."""

MAX_PAD_MS = 2_000
"""The most silence that is supplied at once."""

SOUND_PER_SECOND_MS = 1_500
"""How much sound a page may send in a second for ever: more than a microphone makes, and less than wears anyone out."""

SOUND_AT_ONCE_MS = 10_000
"""How much may come at one moment, after a stall of the network."""

MESSAGE_MS = 20
"""What a message costs at least, however little sound it holds."""

MAX_TROUBLES = 50
"""So many messages that made no sense are skipped in one call; the next one ends it."""

_KEYS = {"yes": "1", "no": "2"}
_REASONS = {"completed": w.AGENT_DISCONNECTED}


class BrowserLeg:
    """One page's socket with the granted ``features``, at ``now``; the page was told that it is connected."""

    format: ClassVar[Format] = w.SOUND

    def __init__(self, features: tuple[str, ...], now: int) -> None:
        self.closing: HangUp | None = None
        """What the call said when it let the leg go."""
        self._features = frozenset(features)
        self._showing = Showing(captions=w.TRANSCRIPT in self._features, questions=w.CONFIRMATION in self._features)
        self._outbox: list[bytes | str] = []
        self._troubles = 0
        self._pace_at = now
        self._pace_left = SOUND_AT_ONCE_MS * 1_000  # thousandths of a millisecond of sound
        self._fed_at: int | None = now

    # Facts

    def receive(self, data: bytes | str, now: int) -> list[Event]:
        """Translate one message; raises RemoteError: ``message_rate``, ``malformed_stream``."""
        self._spend(self.format.ms(len(data)) if isinstance(data, bytes) else 0, now)
        if isinstance(data, bytes):
            if not w.is_sound(data):
                return [self._trouble("invalid_audio")]
            self._fed_at = now
            return [CallerHeard(data)]
        return [self._fact(w.read_from_phone(data))]

    def _fact(self, message: w.FromPhone | None) -> Event:
        match message:
            case w.Mark(name):
                return MarkReached(name)
            case w.Key(digit) if w.DTMF in self._features:
                return DigitPressed(digit)
            case w.ConfirmationAnswer(id, answer) if self._showing.asks(id):
                return DigitPressed(_KEYS[answer])
            case w.ConfirmationAnswer():
                return LegTrouble("stale_answer")
            case w.HangUp():
                self._fed_at = None
                return LegClosed()
        return self._trouble("malformed_message")

    def _spend(self, ms: int, now: int) -> None:
        left = self._pace_left + (now - self._pace_at) * SOUND_PER_SECOND_MS
        self._pace_at = now
        self._pace_left = min(left, SOUND_AT_ONCE_MS * 1_000) - max(ms, MESSAGE_MS) * 1_000
        if self._pace_left < 0:
            raise RemoteError(
                f"The page sent more than {SOUND_PER_SECOND_MS} ms of sound a second for too long, so the call ends.",
                code="message_rate",
            )

    def _trouble(self, code: str) -> LegTrouble:
        self._troubles += 1
        if self._troubles > MAX_TROUBLES:
            raise RemoteError(
                f"The page sent more than {MAX_TROUBLES} messages that made no sense, the last one {code}, "
                "so the call ends.",
                code="malformed_stream",
            )
        return LegTrouble(code)

    def deadline(self) -> int | None:
        """Say when the page will have been quiet for too long; None after its end."""
        return None if self._fed_at is None else self._fed_at + QUIET_MS

    def expire(self, now: int) -> list[Event]:
        """Supply the silence that the page has not sent: its microphone is off, or its tab asleep."""
        if self._fed_at is None or now < self._fed_at + QUIET_MS:
            return []
        silence = min(now - self._fed_at, MAX_PAD_MS)
        self._fed_at = now
        return [CallerHeard(self.format.silence * (self.format.size(silence) // len(self.format.silence)))]

    # Duties

    def send(self, command: LegCommand, now: int) -> None:
        """Queue the message that fulfils a duty: sound with its mark, ``interrupted``, the end."""
        if isinstance(command, Play):
            if command.audio:
                self._outbox.append(command.audio)
            if command.mark:
                self._say(w.Mark(command.mark))
        elif isinstance(command, Flush):
            self._say(w.Interrupted())
        else:
            self.closing = command
            self._say(w.SessionEnded(_REASONS.get(command.reason, w.SESSION_CLOSED)))

    def show(self, view: View, trace: Trace) -> None:
        """Queue what the page is to show of the call; it asked for captions, for questions, for both or neither."""
        for message in self._showing.look(view, trace):
            self._say(message)

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outbox = self._outbox, []
        return waiting

    def _say(self, message: w.FromServer | w.Mark) -> None:
        self._outbox.append(w.encode(message))
