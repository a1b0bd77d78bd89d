"""The Voice SDK's words on its socket, for whoever speaks it: a session, its client, or a browser's leg.

The documented part is small: the client's first message, four kinds of text from the server, and raw sound both ways.
Everything else is an extension that the client asks for by ``features`` in its first message and the server grants in
``connected``; who asks for none never meets one.

::

    client                                                       server
    {"token": "…", "features": ["transcript"]}  ──▶
                                                ◀──  {"type": "connected", "features": ["transcript"]}
    640 bytes of sound, every 20 ms             ──▶
                                                ◀──  {"type": "agent_ready"}
                                                ◀──  sound
                                                ◀──  {"type": "session_ended", "reason": "agent_disconnected"}
"""

from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.errors import RemoteError

SOUND = LINEAR_16K
"""The format of sound both ways: 16-bit little-endian samples, one channel."""

FRAME_MS = 20
FRAME_BYTES = SOUND.size(FRAME_MS)
"""A frame as the product's own clients send it."""

MAX_FRAME_BYTES = 64 * 1024
"""Longest frame of sound that is taken."""

MAX_TEXT_CHARS = 16 * 1024
"""Longest text message that is taken."""

AUTH_MS = 10_000
"""How long a client may take to send its token."""

# The errors, which are told in a message and by the closing code

AUTH_TIMEOUT = "AUTH_TIMEOUT"
INVALID_AUTH = "INVALID_AUTH"
AUTH_FAILED = "AUTH_FAILED"
SESSION_SETUP_FAILED = "SESSION_SETUP_FAILED"
CLOSE_CODES = {AUTH_TIMEOUT: 4001, INVALID_AUTH: 4002, AUTH_FAILED: 4003, SESSION_SETUP_FAILED: 4500}
NORMAL = 1000

# Why a session ended

AGENT_DISCONNECTED = "agent_disconnected"
SESSION_CLOSED = "session_closed"
ROOM_CLOSED = "room_closed"
"""The same in the other of the product's two pages; understood, never sent."""
SERVER_SHUTDOWN = "server_shutdown"

Speaker = Literal["user", "agent", "bridge"]
Outcome = Literal["executed", "failed", "declined", "expired", "confirmed", "unknown"]

# Extensions

INTERRUPTED = "interrupted"
"""The server says when the agent stopped in mid-speech, so that what waits to be played can be thrown away."""
TRANSCRIPT = "transcript"
"""Captions of both sides."""
DTMF = "dtmf"
"""Keys that the caller pressed."""
CONFIRMATION = "confirmation"
"""Questions that the caller answers with yes or no before anything is changed."""
FEATURES = (INTERRUPTED, TRANSCRIPT, DTMF, CONFIRMATION)
CALL = "call"
"""The client is a telephone: it returns each mark once it has played so far, and says when it hangs up."""
PHONE_FEATURES = (CALL, *FEATURES)
"""What a browser's leg grants; a session grants ``FEATURES``."""


class _Message(msgspec.Struct, frozen=True, tag_field="type"):
    """A message; its tag is the wire's ``type``."""


class Hello(msgspec.Struct, frozen=True, omit_defaults=True):
    """The client's first message; it has no type."""

    token: str
    features: tuple[str, ...] = ()


# The client's extensions


class Key(_Message, frozen=True, tag="dtmf"):
    """The caller pressed a key: ``0`` to ``9``, ``*``, ``#``, ``A`` to ``D``."""

    digit: Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", "A", "B", "C", "D"]


class ConfirmationAnswer(_Message, frozen=True, tag="confirmation_answer"):
    """The caller's answer to the question ``id``."""

    id: str
    answer: Literal["yes", "no"]


# A telephone's, both ways or its own


class Mark(_Message, frozen=True, tag="mark"):
    """Say ``name`` back when all sound that came before this was played; after ``interrupted`` nobody waits for it."""

    name: str


class HangUp(_Message, frozen=True, tag="hang_up"):
    """The caller has hung up; the socket closes."""


# The server's


class Connected(_Message, frozen=True, tag="connected", omit_defaults=True):
    """The token is good, and the microphone may be opened; ``features`` are those that were granted."""

    features: tuple[str, ...] = ()


class AgentReady(_Message, frozen=True, tag="agent_ready"):
    """The agent listens."""


class SessionEnded(_Message, frozen=True, tag="session_ended"):
    """The session is over; the socket closes."""

    reason: str = SESSION_CLOSED


class Error(_Message, frozen=True, tag="error"):
    """Something failed for good; the socket closes."""

    code: str = ""
    message: str = ""


class Interrupted(_Message, frozen=True, tag="interrupted"):
    """The agent stopped in mid-speech: what has come and was not played yet is void."""


class Transcript(_Message, frozen=True, tag="transcript"):
    """What was said, by the ``user`` or the ``agent``; several in a row of the agent's are one reply.

    A telephone's captions are lines that have names: the next one of the same ``line`` takes its place, an empty text
    takes it away. They tell the ``bridge``'s own voice from the agent's.
    """

    speaker: Speaker
    text: str
    final: bool = True
    line: str | UnsetType = UNSET


class AffectedThing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that an action would touch."""

    id: str = ""
    title: str = ""
    start_time: str = ""


class ProposedAction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would be done: a tool with its exact parameters."""

    name: str
    parameters: dict[str, Any] = {}
    summary: str = ""
    affects: tuple[AffectedThing, ...] = ()


class Confirmation(_Message, frozen=True, tag="confirmation", omit_defaults=True):
    """A question: ``text`` to be shown or said, and ``action``, which is done after a yes before ``expires_at``.

    A telephone is asked by voice, too: its question comes once more when it becomes ``answerable``, because the caller
    has begun to hear it, and says how much time is left in ``expires_in_ms``.
    """

    id: str
    text: str
    action: ProposedAction
    expires_at: str = ""
    answerable: bool = True
    expires_in_ms: int = 0


class ConfirmationSettled(_Message, frozen=True, tag="confirmation_settled", omit_defaults=True):
    """What became of a question: executed, failed, declined or expired.

    A telephone hears of a yes twice: that it was ``confirmed``, and what came of it, which may stay ``unknown``.
    """

    id: str
    outcome: Outcome
    result: Any = None


FromClient = Key | ConfirmationAnswer
FromPhone = Key | ConfirmationAnswer | Mark | HangUp
FromServer = (
    Connected | AgentReady | SessionEnded | Error | Interrupted | Transcript | Confirmation | ConfirmationSettled
)

_TROUBLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
_hello = msgspec.json.Decoder(Hello)
_from_client: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)
_from_phone: msgspec.json.Decoder[FromPhone] = msgspec.json.Decoder(FromPhone)
_from_server: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)
_encoder = msgspec.json.Encoder()
_SERVER_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(FromServer))


class _Kind(msgspec.Struct):
    type: str


_kind = msgspec.json.Decoder(_Kind)


def encode(message: Hello | FromPhone | FromServer) -> str:
    """Write a message as the text of a frame."""
    return _encoder.encode(message).decode()


def read_hello(data: bytes | str) -> Hello:
    """Read the client's first message; raises RemoteError (``invalid_auth``) for anything else."""
    try:
        if isinstance(data, bytes) or len(data) > MAX_TEXT_CHARS:
            raise RemoteError("the first message is a short text with the token", code="invalid_auth")
        hello = _hello.decode(data)
    except _TROUBLE:
        raise RemoteError("the first message is not JSON with a token", code="invalid_auth") from None
    if not hello.token:
        raise RemoteError("the first message holds an empty token", code="invalid_auth")
    return hello


def read_from_client(text: str) -> FromClient | None:
    """Read a later text message of a client's; None for whatever makes no sense, which the dialect ignores."""
    try:
        return _from_client.decode(text) if len(text) <= MAX_TEXT_CHARS else None
    except _TROUBLE:
        return None


def read_from_phone(text: str) -> FromPhone | None:
    """Read a later text message of a telephone's; None for whatever makes no sense."""
    try:
        return _from_phone.decode(text) if len(text) <= MAX_TEXT_CHARS else None
    except _TROUBLE:
        return None


def read_from_server(text: str) -> FromServer | None:
    """Read a text message of a server's; None for an unknown type. Raises RemoteError for what cannot be read."""
    try:
        return _from_server.decode(text)
    except _TROUBLE:
        pass
    try:
        kind = _kind.decode(text).type
    except _TROUBLE:
        raise RemoteError("a message of the server's is not JSON with a type", code="malformed_message") from None
    if kind not in _SERVER_TYPES:
        return None
    raise RemoteError(f"the server's {kind} cannot be read", code="malformed_message")


def granted(asked: tuple[str, ...], there: tuple[str, ...] = FEATURES) -> tuple[str, ...]:
    """Name those of the features ``asked`` for that are ``there``."""
    return tuple(feature for feature in there if feature in asked)


def is_sound(data: bytes) -> bool:
    """Tell whether a frame can be taken as sound: whole samples, and not too many.

    One of odd length is dropped, for carrying a byte over would turn every later sample into noise.
    """
    return 0 < len(data) <= MAX_FRAME_BYTES and len(data) % SOUND.sample_bytes == 0
