"""What a session's server and the dialect of its client say to each other, whatever the dialect.

A ``Keeper`` keeps one client's socket: it reads messages into what the client did (``ClientFact``), and writes what
happens in the session (``Happening``) in its dialect's words, or leaves out what the dialect has no word for.

::

    socket ─ message ─▶ Keeper.receive ─ ClientFact ─▶ the session
    socket ◀─ outgoing ─ Keeper.tell ◀─── Happening ── the session
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from phone_bridge.audio.format import LINEAR_16K, Format
from phone_bridge.audio.path import Path
from phone_bridge.call.commands import HandOn
from phone_bridge.call.events import Action
from phone_bridge.errors import RemoteError

EAR = LINEAR_16K
"""The format that a session hears in; its keeper converts the client's sound to it."""

CHUNK_MS = 200
"""Longest run of speech that is handed over at once, where a dialect says nothing else."""

LEAD_MS = 5_000
"""How far speech may run ahead of its hearing: enough for any network, and a cancel still saves the rest."""

IDLE_MS = 120_000
"""How long a client may stay silent, where a dialect says nothing else."""


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """What a session does of itself for this client, and how; a keeper may change them with each message."""

    begins_at_once: bool = False
    """The talk begins with the socket, and not with the first message, which elsewhere sets it up."""
    finds_turns: bool = True
    """The session finds where turns end; otherwise the client says so."""
    answers_speech: bool = True
    """A spoken turn is answered as soon as it ends; otherwise when the client asks for it."""
    stops_for_speech: bool = False
    """The caller's voice stops a reply that is running."""
    answers_always: bool = False
    """Every turn has a reply, an empty one where nothing is to be said, and it begins with the asking for it."""
    takes_proposals: bool = True
    """The client can be asked for consent; otherwise nothing is changed at all, except by the client's own tools."""
    speaks: bool = True
    """Replies are spoken; otherwise they are words alone."""
    chunk_ms: int = CHUNK_MS
    lead_ms: int = LEAD_MS
    idle_ms: int | None = IDLE_MS
    """How long the client may stay silent; None for as long as the session lives."""
    warns: bool = True
    """Nothing is proposed in the last moments of a session, of which the client is told."""


class ClientTool(msgspec.Struct, frozen=True):
    """A function of the client's own that the assistant may call; ``parameters`` is its JSON Schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = {}


# What the client did


class SoundCame(msgspec.Struct, frozen=True, gc=False):
    """The client's line carried ``audio``, in the format ``EAR``."""

    audio: bytes


class TurnEnded(msgspec.Struct, frozen=True, gc=False):
    """The client said that the spoken turn is over; where ``strict``, an empty one is a mistake."""

    strict: bool = False


class TurnCleared(msgspec.Struct, frozen=True, gc=False):
    """The client wants the sound of the turn that is going on forgotten."""


class TurnGiven(msgspec.Struct, frozen=True, gc=False):
    """The client gave a whole turn: words, or an ``utterance`` in the format ``EAR``.

    ``turn`` is its name in the dialect, "" where it has none; ``answered`` asks for a reply at once.
    """

    turn: str
    text: str = ""
    utterance: bytes = b""
    answered: bool = True


class TurnTakenBack(msgspec.Struct, frozen=True, gc=False):
    """The client took a turn back; where it waits for its answer still, it gets none."""

    turn: str


class TurnsAnswered(msgspec.Struct, frozen=True, gc=False):
    """The turns so far were answered elsewhere: they belong to the talk, and nobody waits for a reply."""


class TalkHandedOn(msgspec.Struct, frozen=True):
    """The client brought a talk that another session began."""

    before: HandOn


class ReplyAsked(msgspec.Struct, frozen=True):
    """The client wants what waits to be answered.

    With ``aside`` these texts alone are answered, and the talk itself does not learn of it. ``tools`` takes the place
    of what the client offers, for this reply.
    """

    aside: tuple[str, ...] | None = None
    tools: tuple[ClientTool, ...] | None = None


class ReplyCancelled(msgspec.Struct, frozen=True, gc=False):
    """The client wants the running reply stopped; ``reply`` is its name, "" for whichever it is."""

    reply: str = ""


class Consented(msgspec.Struct, frozen=True, gc=False):
    """The client brought the caller's yes to the proposal ``id``."""

    id: str


class Declined(msgspec.Struct, frozen=True, gc=False):
    """The client brought the caller's no to the proposal ``id``."""

    id: str
    reason: str = ""


class ToolsChosen(msgspec.Struct, frozen=True):
    """The client wants only these of the session's own tools used."""

    names: tuple[str, ...]


class ToolsOffered(msgspec.Struct, frozen=True):
    """The client offers functions of its own, in place of those that it offered before."""

    tools: tuple[ClientTool, ...]


class ToolReturned(msgspec.Struct, frozen=True, gc=False):
    """A function of the client's, called as ``id``, gave ``output``: JSON or plain words."""

    id: str
    output: str


class SettingsSent(msgspec.Struct, frozen=True, gc=False):
    """The client sent settings; comes behind what they ask of the session, and ``SettingsTaken`` is the answer."""


ClientFact = (
    SoundCame
    | TurnEnded
    | TurnCleared
    | TurnGiven
    | TurnTakenBack
    | TurnsAnswered
    | TalkHandedOn
    | ReplyAsked
    | ReplyCancelled
    | Consented
    | Declined
    | ToolsChosen
    | ToolsOffered
    | ToolReturned
    | SettingsSent
)


# What happens in the session


class Opened(msgspec.Struct, frozen=True):
    """The socket is the session's; ``tools`` are its own, ``expires_at`` is ISO 8601."""

    id: str
    tools: tuple[str, ...]
    expires_at: str


class SettingsTaken(msgspec.Struct, frozen=True):
    """The settings that were sent last are in force."""

    tools: tuple[str, ...]


class Ready(msgspec.Struct, frozen=True, gc=False):
    """The talk has begun: turns will be answered."""


class VoiceBegan(msgspec.Struct, frozen=True, gc=False):
    """The caller began to speak, ``at_ms`` of the client's sound after the first; the turn will be ``turn``."""

    at_ms: int
    turn: str


class VoiceEnded(msgspec.Struct, frozen=True, gc=False):
    """The caller fell silent ``at_ms`` of the client's sound after the first."""

    at_ms: int
    turn: str


class TurnTaken(msgspec.Struct, frozen=True, gc=False):
    """A spoken turn is whole; it has ``ms`` of sound."""

    turn: str
    ms: int


class Transcribed(msgspec.Struct, frozen=True, gc=False):
    """What a spoken turn says; empty where it has no words that were understood."""

    turn: str
    text: str


class NotTranscribed(msgspec.Struct, frozen=True, gc=False):
    """A spoken turn could not be heard, which counts as one without words."""

    turn: str
    message: str


class Understood(msgspec.Struct, frozen=True):
    """The wish ``name`` was understood."""

    name: str
    confidence: float
    parameters: dict[str, Any]


class ReplyBegan(msgspec.Struct, frozen=True, gc=False):
    """The reply ``reply`` began; there is one at a time."""

    reply: str


class ReplyWords(msgspec.Struct, frozen=True, gc=False):
    """More words of the reply, ahead of their sound."""

    reply: str
    text: str


class ReplySound(msgspec.Struct, frozen=True, gc=False):
    """More sound of the reply, in the client's format."""

    reply: str
    audio: bytes


class ReplyEnded(msgspec.Struct, frozen=True, gc=False):
    """The reply is over: ``completed``, ``cancelled`` or ``failed``.

    ``reason`` is ``client_cancelled``, ``turn_detected`` (the caller spoke), ``speech_unavailable``, or "".
    """

    reply: str
    status: str
    reason: str = ""


class ToolAsked(msgspec.Struct, frozen=True):
    """A function of the client's own is called within the reply; ``ToolReturned`` of the same ``id`` is the answer."""

    id: str
    action: Action
    reply: str


class Proposed(msgspec.Struct, frozen=True):
    """The session waits for consent to ``action`` until ``expires_at`` (ISO 8601)."""

    id: str
    action: Action
    effect: str
    reversible: bool
    expires_at: str
    reply: str


class Acted(msgspec.Struct, frozen=True):
    """An action was tried; ``result`` is the tool's, ``confirmed`` tells it from what needs no consent."""

    id: str
    action: Action
    result: Mapping[str, Any]
    confirmed: bool


class ProposalDeclined(msgspec.Struct, frozen=True, gc=False):
    """A proposal was declined."""

    id: str
    reason: str


class ProposalExpired(msgspec.Struct, frozen=True, gc=False):
    """A proposal fell: ``timeout``, ``cancelled``, ``replaced`` or another word."""

    id: str
    reason: str


class Expiring(msgspec.Struct, frozen=True, gc=False):
    """The session ends in ``seconds_left``."""

    expires_at: str
    seconds_left: float


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """Something could not be done; ``code`` is one of the house's, ``event_id`` the client's name for its message."""

    code: str
    message: str
    param: str = ""
    event_id: str = ""


class Ending(msgspec.Struct, frozen=True, gc=False):
    """The session ends now, because of ``completed``, ``expired``, ``idle_timeout``, ``server_shutdown``, ``error``."""

    reason: str


Happening = (
    Opened
    | SettingsTaken
    | Ready
    | VoiceBegan
    | VoiceEnded
    | TurnTaken
    | Transcribed
    | NotTranscribed
    | Understood
    | ReplyBegan
    | ReplyWords
    | ReplySound
    | ReplyEnded
    | ToolAsked
    | Proposed
    | Acted
    | ProposalDeclined
    | ProposalExpired
    | Expiring
    | Trouble
    | Ending
)


class BadMessage(RemoteError):
    """A client's message that cannot be used; ``param`` is the field at fault, ``event_id`` the client's own name."""

    def __init__(self, message: str, *, code: str, param: str = "", event_id: str = "") -> None:
        super().__init__(message, code=code)
        self.param = param
        self.event_id = event_id


class Keeper(Protocol):
    """One client's socket in its dialect; pure."""

    @property
    def manners(self) -> Manners:
        """What the session does of itself, as things are now."""
        ...

    @property
    def event_id(self) -> str:
        """The name that the client gave its last message; "" without one."""
        ...

    def opening(self) -> list[ClientFact]:
        """Say what was agreed on with the client before its first message."""
        ...

    def receive(self, data: bytes | str) -> list[ClientFact]:
        """Read one message; raises BadMessage."""
        ...

    def tell(self, happening: Happening) -> None:
        """Queue what says this in the dialect."""
        ...

    def outgoing(self) -> list[bytes | str]:
        """Take the messages that wait to be sent."""
        ...

    def voice(self, format: Format) -> Path:
        """Make the way of our own sound in ``format`` to the client."""
        ...

    def close_code(self, reason: str) -> int:
        """Say with which code the socket closes for a reason of ``Ending``."""
        ...
