"""A ChronaPilot client's socket as a session keeps it: its messages to facts, and what happens to the messages."""

from collections.abc import Callable, Mapping
from typing import Any

from phone_bridge.audio.format import Format
from phone_bridge.audio.path import Path
from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.chronapilot import handing_on
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.chronapilot.error_table import error_body
from phone_bridge.sessions.chronapilot.server import ChronaPilotServerWire

_CLOSE_CODES = {
    "completed": 1000,
    "server_shutdown": 1001,
    "refused": 4003,
    "expired": 4008,
    "superseded": 4009,
    "idle_timeout": 4408,
    "api_close": 4410,
    "error": 4500,
}


class ChronaPilotKeeper:
    """One client's socket; ``new_id`` makes the ids of errors."""

    manners = s.Manners()

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self._new_id = new_id
        self._wire = ChronaPilotServerWire()
        self._outbox: list[bytes | str] = []
        self._opened = s.Opened("", (), "")
        self._model: str | None = None
        self._voice: str | None = None
        self._sent = m.SessionSettings()
        self.event_id = ""

    def opening(self) -> list[s.ClientFact]:
        """Nothing is agreed on beforehand."""
        return []

    def receive(self, data: bytes | str) -> list[s.ClientFact]:
        """Read one message; raises InvalidMessage."""
        self.event_id = ""
        message = self._wire.receive(data)
        self.event_id = message.event_id
        match message:
            case m.AudioAppend(audio=audio):
                return [s.SoundCame(audio)]
            case m.SessionUpdate(session=settings):
                self._sent = settings
                chosen = [s.ToolsChosen(settings.tools)] if settings.tools is not None else []
                return [*chosen, s.SettingsSent()]
            case m.TextAppend(text=text):
                before = handing_on.read(text)
                return [s.TurnGiven("", text) if before is None else s.TalkHandedOn(before)]
            case m.ActionConfirm(id=action_id):
                return [s.Consented(action_id)]
            case m.ActionDecline(id=action_id, reason=reason):
                return [s.Declined(action_id, reason or "client")]
            case m.ResponseCancel(response_id=response_id):
                return [s.ReplyCancelled(response_id)]
            case m.AudioCommit():
                return [s.TurnEnded()]
            case m.AudioClear():
                return [s.TurnCleared()]

    def tell(self, happening: s.Happening) -> None:
        """Queue what says this; what ChronaPilot has no word for is left out."""
        if isinstance(happening, s.NotTranscribed):
            self.tell(s.Trouble("service_unavailable", happening.message))
            happening = s.Transcribed(happening.turn, "")
        message = self._session(happening) or _spoken(happening) or _done(happening)
        if message is not None:
            self._outbox.append(m.encode(message))

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        waiting, self._outbox = self._outbox, []
        return waiting

    def voice(self, format: Format) -> Path:
        """Make the way of our own sound in ``format`` to the client."""
        return self._wire.voice(format)

    def close_code(self, reason: str) -> int:
        """Say with which code the socket closes."""
        return _CLOSE_CODES[reason]

    def _session(self, happening: s.Happening) -> m.ServerMessage | None:
        match happening:
            case s.Opened():
                self._opened = happening
                return m.SessionCreated(self._state(happening.tools))
            case s.SettingsTaken(tools):
                self._apply()
                return m.SessionUpdated(self._state(tools))
            case s.Expiring(expires_at, seconds_left):
                return m.SessionExpiring(expires_at, seconds_left)
            case s.Trouble(code, message, param, event_id):
                error = error_body(code, message, self._new_id("req"), param=param, event_id=event_id)
                return m.ErrorMessage(error)
        return None

    def _apply(self) -> None:
        self._wire.apply(self._sent)
        self._model = self._sent.model if self._sent.model is not None else self._model
        self._voice = self._sent.voice if self._sent.voice is not None else self._voice

    def _state(self, tools: tuple[str, ...]) -> m.SessionState:
        opened = self._opened
        return self._wire.state(
            id=opened.id, model=self._model, voice=self._voice, tools=tools, expires_at=opened.expires_at
        )


def _spoken(happening: s.Happening) -> m.ServerMessage | None:
    match happening:
        case s.VoiceBegan(at_ms):
            return m.SpeechStarted(at_ms)
        case s.VoiceEnded(at_ms):
            return m.SpeechStopped(at_ms)
        case s.Transcribed(_, text):
            return m.TranscriptFinal(text)
        case s.Understood(name, confidence, parameters):
            return m.IntentDetected(name, confidence, parameters)
        case s.ReplyBegan(reply):
            return m.ResponseCreated(reply)
        case s.ReplyWords(reply, text):
            return m.AudioTranscriptDelta(text, reply)
        case s.ReplySound(reply, audio):
            return m.AudioDelta(audio, reply)
        case s.ReplyEnded(reply, status, reason):
            details = {"reason": reason} if reason else None
            return m.ResponseDone(m.ResponseState(id=reply, status=status, status_details=details))
    return None


def _done(happening: s.Happening) -> m.ServerMessage | None:
    match happening:
        case s.Proposed(action_id, _, _, _, expires_at, reply):
            return m.ActionProposed(id=action_id, action=_proposed(happening), expires_at=expires_at, response_id=reply)
        case s.Acted(action_id, action, result, confirmed):
            return _outcome(action_id, action, result, confirmed=confirmed)
        case s.ProposalDeclined(action_id, reason):
            return m.ActionDeclined(action_id, reason)
        case s.ProposalExpired(action_id, reason):
            return m.ActionExpired(action_id, reason)
        case s.ToolAsked():
            raise LocalError("a ChronaPilot client offers no functions, and one of them was called")
    return None


def _proposed(proposal: s.Proposed) -> m.ProposedAction:
    action = proposal.action
    affects = tuple(
        m.AffectedThing(each.id or None, each.title or None, each.start_time or None) for each in action.affects
    )
    return m.ProposedAction(
        name=action.name,
        parameters=action.parameters,
        summary=action.summary,
        effect=proposal.effect,
        affects=affects,
        reversible=proposal.reversible,
    )


def _outcome(action_id: str, action: Action, result: Mapping[str, Any], *, confirmed: bool) -> m.ServerMessage:
    done = m.ProposedAction(name=action.name, parameters=action.parameters)
    if not result.get("ok"):
        return m.ActionFailed(id=action_id, action=done, error=result.get("error"))
    resource = result.get("resource")
    touched = resource.get("id", "") if isinstance(resource, dict) else ""
    return m.ActionExecuted(
        id=action_id,
        action=done,
        result=result,
        resource=resource,
        resources=result.get("resources"),
        event_id=touched if touched.startswith("evt_") else None,
        confirmed_by_user=confirmed,
    )
