"""Duties, in the imperative: what the call asks of its leg, its session and the pump."""

from enum import StrEnum

import msgspec

from phone_bridge.call.events import Action
from phone_bridge.call.permit import Permit


class Verdict(StrEnum):
    """What became of a question; the words are those of ``GET /v1/calls/{id}``."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"
    UNANSWERED = "unanswered"


class AnsweredBy(StrEnum):
    """How the caller answered."""

    DIGIT = "digit"
    SPEECH = "speech"
    NONE = "none"


# To the leg


class Play(msgspec.Struct, frozen=True, gc=False):
    """Play ``audio`` (the leg's format), then send ``mark`` back once it was played; no mark when empty."""

    audio: bytes
    mark: str = ""


class Flush(msgspec.Struct, frozen=True, gc=False):
    """Throw away what is buffered and not yet played."""


class HangUp(msgspec.Struct, frozen=True, gc=False):
    """Let the leg go; ``reason`` says what ``/twilio/connect`` has to do next."""

    reason: str = "completed"


# To whoever the caller was put through to


class Press(msgspec.Struct, frozen=True, gc=False):
    """Press ``digits`` as the caller has."""

    digits: str


# To the session


class Listen(msgspec.Struct, frozen=True, gc=False):
    """Hear the caller's ``audio``, in the leg's format; the session's wire converts it at its door."""

    audio: bytes


class Tell(msgspec.Struct, frozen=True, gc=False):
    """Take ``text`` as a turn of the caller's."""

    text: str


class Answer(msgspec.Struct, frozen=True):
    """Take the caller's verdict on the proposal ``id``; sent once for each.

    ``words`` tells a refusal that the session could not hear itself (a key, silence) as a turn of the caller's;
    it is empty where the session heard the caller. A yes comes with its permit.
    """

    id: str
    action: Action
    verdict: Verdict
    by: AnsweredBy
    words: str = ""
    permit: Permit | None = None


class GiveResult(msgspec.Struct, frozen=True, gc=False):
    """Take ``output`` as what came of the function that was called as ``id``; given once for each."""

    id: str
    output: str


class CancelReply(msgspec.Struct, frozen=True, gc=False):
    """Stop producing the reply ``item``."""

    item: str


class Truncate(msgspec.Struct, frozen=True, gc=False):
    """Know that the caller heard only the first ``heard_ms`` of the reply ``item``."""

    item: str
    heard_ms: int


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What the caller said, or what the caller heard."""

    speaker: str
    text: str


class Done(msgspec.Struct, frozen=True):
    """An action that the caller consented to in an earlier session, and what is known of its outcome."""

    action: Action
    outcome: str


class HandOn(msgspec.Struct, frozen=True):
    """Go on with a conversation that an earlier session began; ``answer`` asks for a reply at once."""

    turns: tuple[Turn, ...]
    done: tuple[Done, ...] = ()
    answer: bool = True


class CloseSession(msgspec.Struct, frozen=True, gc=False):
    """End the session in its own way."""

    reason: str = "completed"


# To the pump


class OpenSession(msgspec.Struct, frozen=True, gc=False):
    """Open a session; one that is there is let go of, without waiting for it.

    Where it is ``patient``, an answer that is slow is waited for until the call gives it up.
    """

    patient: bool = False


class OpenSpare(msgspec.Struct, frozen=True, gc=False):
    """Make a further session ready, which is to take the place of the present one."""


class TakeSpare(msgspec.Struct, frozen=True, gc=False):
    """Make the session that stands by the present one, and let the old one go."""


class LookUp(msgspec.Struct, frozen=True):
    """Find out what came of an action that was confirmed to a session now lost; ``OutcomeFound`` is the answer."""

    id: str
    action: Action


class PrepareTool(msgspec.Struct, frozen=True):
    """Find out what ``action`` would do exactly, for it has to be asked for; ``ToolPrepared`` is the answer."""

    id: str
    action: Action


class RunTool(msgspec.Struct, frozen=True):
    """Run a tool, once; ``ToolRan`` is the answer. One that does more than read comes with its permit."""

    id: str
    action: Action
    permit: Permit | None = None


class ForgetPin(msgspec.Struct, frozen=True, gc=False):
    """Forget what was keyed and spoken of a PIN, and what is being recognised."""


class ForgetProofs(msgspec.Struct, frozen=True, gc=False):
    """Forget what was proven: it is somebody else who calls now."""


class JudgePin(msgspec.Struct, frozen=True, gc=False):
    """Check what was keyed and spoken, and forget it; ``PinJudged`` with the same ``attempt`` is the answer.

    ``wanted`` is what it was to be, by the names of ``Wanted``.
    """

    attempt: int
    wanted: str = "pin"


class SendCode(msgspec.Struct, frozen=True, gc=False):
    """Send a code to the user's telephone, in ``language``; ``CodeSent`` with the same ``sending`` is the answer.

    A code that was sent before counts no more.
    """

    sending: int
    language: str = "en"


class PutThrough(msgspec.Struct, frozen=True, gc=False):
    """Put the caller through to ``name``: ``TransferRequested`` follows, the leg's end, or ``TransferRefused``."""

    name: str


class Line(msgspec.Struct, frozen=True, gc=False):
    """One sentence of the bridge's own: ``key`` finds a recorded file for it, ``text`` is spoken otherwise.

    It is in the call's language, unless it names another ``language`` of its own.
    """

    key: str
    text: str
    language: str = ""


class Speak(msgspec.Struct, frozen=True, gc=False):
    """Make the sound of ``lines`` and bring it back as ``PromptReady(prompt, …)``."""

    prompt: str
    lines: tuple[Line, ...]
    language: str = "en"


LegCommand = Play | Flush | HangUp
SessionCommand = Listen | Tell | Answer | GiveResult | CancelReply | Truncate | HandOn | CloseSession
PumpCommand = (
    OpenSession
    | OpenSpare
    | TakeSpare
    | LookUp
    | PrepareTool
    | RunTool
    | Speak
    | ForgetPin
    | ForgetProofs
    | JudgePin
    | SendCode
    | PutThrough
)
Command = LegCommand | SessionCommand | Press | PumpCommand
