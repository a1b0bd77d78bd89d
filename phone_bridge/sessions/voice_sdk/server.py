"""A Voice SDK client's socket as a session keeps it, once its token was found good.

In the plain dialect the agent is heard and hears, and nothing else: there is no word for a question, so nothing is
changed there. A client that asks for the extensions gets captions, keys and questions.
"""

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import Format
from phone_bridge.audio.path import Path, path
from phone_bridge.sessions import serving as s

IDLE_MS = 300_000
"""How long a client may send no sound at all."""

CHUNK_MS = 60
LEAD_MS = 140
"""So sound runs 200 ms ahead of its hearing at most: when the agent stops, hardly any is left to throw away."""

_ENDS = {
    "completed": w.AGENT_DISCONNECTED,
    "error": w.AGENT_DISCONNECTED,
    "server_shutdown": w.SERVER_SHUTDOWN,
}
_FATAL = frozenset({"resource_missing", "service_unavailable", "internal_error"})
_YES, _NO = "1", "2"


class VoiceSdkKeeper:
    """One client's socket, with the extensions ``features``."""

    event_id = ""

    def __init__(self, features: tuple[str, ...] = ()) -> None:
        self._features = w.granted(features)
        self.manners = s.Manners(
            begins_at_once=True,
            stops_for_speech=True,
            takes_proposals=w.CONFIRMATION in self._features,
            chunk_ms=CHUNK_MS,
            lead_ms=LEAD_MS,
            idle_ms=IDLE_MS,
        )
        self._outbox: list[bytes | str] = []
        self._rest = b""  # of a frame
        self._open: list[str] = []  # questions
        self._ready = False
        self._failed = False
        self.dropped = 0
        """Frames that were no sound."""

    def opening(self) -> list[s.ClientFact]:
        """Nothing is agreed on beforehand but the features, which are no fact of the session's."""
        return []

    def receive(self, data: bytes | str) -> list[s.ClientFact]:
        """Read one message; what makes no sense is ignored, as the dialect has it."""
        if isinstance(data, bytes):
            if w.is_sound(data):
                return [s.SoundCame(data)]
            self.dropped += 1
            return []
        match w.read_from_client(data):
            case w.Key(digit) if w.DTMF in self._features:
                return self._answered(self._open[0], digit) if self._open else []
            case w.ConfirmationAnswer(action_id, answer) if action_id in self._open:
                return self._answered(action_id, _YES if answer == "yes" else _NO)
        return []

    def _answered(self, action_id: str, key: str) -> list[s.ClientFact]:
        if key not in (_YES, _NO):
            return []
        self._open.remove(action_id)
        return [s.Consented(action_id) if key == _YES else s.Declined(action_id, "client")]

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outbox = self._outbox, []
        return waiting

    def voice(self, format: Format) -> Path:
        """Make the way of our own sound in ``format`` to the client."""
        return path(format, w.SOUND)

    def close_code(self, reason: str) -> int:
        """Say with which code the socket closes."""
        return w.CLOSE_CODES[w.SESSION_SETUP_FAILED] if self._failed else w.NORMAL

    # What happens

    def tell(self, happening: s.Happening) -> None:
        """Queue what says this; what the dialect has no word for, or the client did not ask for, is left out."""
        match happening:
            case s.ReplySound(_, audio):
                self._speak(audio)
            case s.ReplyEnded(_, status):
                self._end_reply(status)
            case s.Opened():
                self._say(w.Connected(self._features))
            case s.Ready():
                self._ready = True
                self._say(w.AgentReady())
            case s.Trouble(code, message) if code in _FATAL and not self._ready:
                self._failed = True
                self._say(w.Error(w.SESSION_SETUP_FAILED, message))
            case s.Ending(reason) if not self._failed:
                self._say(w.SessionEnded(_ENDS.get(reason, w.SESSION_CLOSED)))
            case s.Transcribed(_, text) if text:
                self._caption("user", text)
            case s.ReplyWords(_, text):
                self._caption("agent", text)
            case _:
                self._question(happening)

    def _question(self, happening: s.Happening) -> None:
        match happening:
            case s.Proposed(action_id, action, expires_at=expires_at):
                self._open.append(action_id)
                affects = tuple(w.AffectedThing(each.id, each.title, each.start_time) for each in action.affects)
                proposed = w.ProposedAction(action.name, action.parameters, action.summary, affects)
                text = f"Shall I {action.summary}?" if action.summary else f"Shall I do this: {action.name}?"
                self._say(w.Confirmation(action_id, text, proposed, expires_at))
            case s.Acted(action_id, result=result, confirmed=True):
                self._settle(w.ConfirmationSettled(action_id, "executed" if result.get("ok") else "failed", result))
            case s.ProposalDeclined(action_id):
                self._settle(w.ConfirmationSettled(action_id, "declined"))
            case s.ProposalExpired(action_id):
                self._settle(w.ConfirmationSettled(action_id, "expired"))

    def _settle(self, settled: w.ConfirmationSettled) -> None:
        if settled.id in self._open:
            self._open.remove(settled.id)
        self._say(settled)

    def _speak(self, audio: bytes) -> None:
        """Send sound in frames as the product's own clients send it."""
        sound = self._rest + audio
        whole = len(sound) - len(sound) % w.FRAME_BYTES
        self._outbox += [sound[start : start + w.FRAME_BYTES] for start in range(0, whole, w.FRAME_BYTES)]
        self._rest = sound[whole:]

    def _end_reply(self, status: str) -> None:
        rest, self._rest = self._rest, b""
        if status == "cancelled":
            if w.INTERRUPTED in self._features:
                self._say(w.Interrupted())
        elif rest:
            self._outbox.append(rest.ljust(w.FRAME_BYTES, b"\0"))

    def _caption(self, speaker: str, text: str) -> None:
        if w.TRANSCRIPT in self._features:
            self._say(w.Transcript("user" if speaker == "user" else "agent", text.strip()))

    def _say(self, message: w.FromServer) -> None:
        self._outbox.append(w.encode(message))
