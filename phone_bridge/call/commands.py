"""Duties, in the imperative: what the call asks of its leg, its session and the pump."""

from enum import StrEnum

import msgspec

from phone_bridge.call.events import Action


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
    it is empty where the session heard the caller.
    """

    id: str
    action: Action
    verdict: Verdict
    by: AnsweredBy
    words: str = ""


class CancelReply(msgspec.Struct, frozen=True, gc=False):
    """Stop producing the reply ``item``."""

    item: str


class Truncate(msgspec.Struct, frozen=True, gc=False):
    """Know that the caller heard only the first ``heard_ms`` of the reply ``item``."""

    item: str
    heard_ms: int


class CloseSession(msgspec.Struct, frozen=True, gc=False):
    """End the session in its own way."""

    reason: str = "completed"


# To the pump


class Line(msgspec.Struct, frozen=True, gc=False):
    """One sentence of the bridge's own: ``key`` finds a recorded file for it, ``text`` is spoken otherwise."""

    key: str
    text: str


class Speak(msgspec.Struct, frozen=True, gc=False):
    """Make the sound of ``lines`` and bring it back as ``PromptReady(prompt, …)``."""

    prompt: str
    lines: tuple[Line, ...]
    language: str = "en"


LegCommand = Play | Flush | HangUp
SessionCommand = Listen | Tell | Answer | CancelReply | Truncate | CloseSession
Command = LegCommand | SessionCommand | Speak
