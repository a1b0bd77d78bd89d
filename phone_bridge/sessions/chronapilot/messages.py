"""The table of ChronaPilot's realtime messages: one type a message, read and written by both sides.

Documented names and fields come first in each type; those marked [P] are this house's reading of what the product's
pages leave open, and a client must do without them. Breaking changes are those that the product's versioning page
calls breaking, so readers skip unknown fields, and a client skips unknown types.
"""

import re
from binascii import a2b_base64
from typing import Annotated, Any, get_args

import msgspec

from phone_bridge.sessions.serving import BadMessage

MAX_FRAME_CHARS = 2 * 1024 * 1024
"""Longest message a server takes, in characters."""

MAX_AUDIO_BYTES = 1024 * 1024
"""Most sound that one ``audio.append`` may carry, in bytes after base64."""

MAX_TEXT_CHARS = 8000
"""Longest text turn."""

MAX_EVENT_ID_CHARS = 512
"""Longest ``event_id`` of a client message."""

OUTPUT_FORMATS = ("pcm16", "g711_ulaw", "g711_alaw")
"""Values of ``output_format``: ``pcm16`` is documented, the others are OpenAI's [P]."""

_EventId = Annotated[str, msgspec.Meta(max_length=MAX_EVENT_ID_CHARS)]


class _Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """A message; its tag is the wire's ``type``."""


# Client to server


class _ClientMessage(_Message, frozen=True, kw_only=True):
    """A client's message; ``event_id`` [P] comes back in the error that it causes."""

    event_id: _EventId = ""


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``session.update`` may set; absent fields stay as they are. The rates, in hertz, are [P]."""

    model: str | None = None
    voice: str | None = None
    tools: tuple[str, ...] | None = None
    output_format: str | None = None
    input_sample_rate: int | None = None
    output_sample_rate: int | None = None


class SessionUpdate(_ClientMessage, frozen=True, tag="session.update"):
    """Change the session's settings."""

    session: SessionSettings


class AudioAppend(_ClientMessage, frozen=True, tag="audio.append", gc=False):
    """Hear the caller: PCM16; the field's name is [P], the mirror of ``audio.delta``."""

    audio: bytes


class TextAppend(_ClientMessage, frozen=True, tag="text.append", gc=False):
    """Take a text turn of the caller's; the field's name is [P]."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]


class ResponseCancel(_ClientMessage, frozen=True, tag="response.cancel", gc=False):
    """Stop the running response."""

    response_id: str = ""


class ActionConfirm(_ClientMessage, frozen=True, tag="action.confirm", gc=False):
    """Do what was proposed under ``id``."""

    id: str


class ActionDecline(_ClientMessage, frozen=True, tag="action.decline", gc=False):
    """Leave what was proposed under ``id`` [P]; our client never sends it."""

    id: str
    reason: str = ""


class AudioCommit(_ClientMessage, frozen=True, tag="audio.commit", gc=False):
    """End the caller's turn now [P]; our client never sends it."""


class AudioClear(_ClientMessage, frozen=True, tag="audio.clear", gc=False):
    """Forget the sound of the turn that is going on [P]; our client never sends it."""


ClientMessage = (
    SessionUpdate | AudioAppend | TextAppend | ResponseCancel | ActionConfirm | ActionDecline | AudioCommit | AudioClear
)


# Server to client


class SessionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a session is set to [P]; rates in hertz, ``sample_rate`` where both ways agree."""

    id: str | None = None
    object: str | None = None
    model: str | None = None
    voice: str | None = None
    tools: Any = None
    output_format: str | None = None
    input_format: str | None = None
    sample_rate: int | None = None
    input_sample_rate: int | None = None
    output_sample_rate: int | None = None
    expires_at: str | int | None = None


class SessionCreated(_Message, frozen=True, tag="session.created"):
    """The session is open [P]."""

    session: SessionState


class SessionUpdated(_Message, frozen=True, tag="session.updated"):
    """A ``session.update`` took effect [P]."""

    session: SessionState


class SpeechStarted(_Message, frozen=True, tag="speech.started", gc=False):
    """The caller began to speak, ``at_ms`` of the caller's sound after the first [P]."""

    at_ms: float | None = None


class SpeechStopped(_Message, frozen=True, tag="speech.stopped", gc=False):
    """The caller fell silent, ``at_ms`` of the caller's sound after the first [P]."""

    at_ms: float | None = None


class TranscriptPartial(_Message, frozen=True, tag="transcript.partial", gc=False):
    """The caller's words so far, all of them."""

    text: str


class TranscriptFinal(_Message, frozen=True, tag="transcript.final", gc=False):
    """The caller's words; ends a turn."""

    text: str


class IntentDetected(_Message, frozen=True, tag="intent.detected"):
    """A wish was understood; ``confidence`` is 0 to 1."""

    name: str
    confidence: float = 0.0
    parameters: dict[str, Any] | None = None


class AffectedThing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that an action would touch [P]."""

    id: str | None = None
    title: str | None = None
    start_time: str | None = None


class ProposedAction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool's call: only that an ``action`` exists is documented; its shape is [P]."""

    name: str
    parameters: dict[str, Any] | None = None
    summary: str | None = None
    effect: str | None = None
    affects: tuple[AffectedThing, ...] | None = None
    reversible: bool | None = None


class ActionProposed(_Message, frozen=True, tag="action.proposed"):
    """The server waits for consent to ``action``, which webhooks write as the tool's bare name."""

    id: str
    action: ProposedAction | str
    expires_at: str | int | None = None
    response_id: str | None = None


class ActionExecuted(_Message, frozen=True, tag="action.executed"):
    """An action was done; documented is "the result and the affected id", every name here but ``id`` is [P]."""

    id: str | None = None
    action: ProposedAction | str | None = None
    result: Any = None
    resource: Any = None
    resources: Any = None
    event_id: str | None = None
    confirmed_by_user: bool | None = None
    error: Any = None


class ActionDeclined(_Message, frozen=True, tag="action.declined", gc=False):
    """A proposal was declined [P]."""

    id: str
    reason: str | None = None


class ActionExpired(_Message, frozen=True, tag="action.expired", gc=False):
    """A proposal is void: ``reason`` is timeout, cancelled or replaced [P]."""

    id: str
    reason: str | None = None


class ActionFailed(_Message, frozen=True, tag="action.failed"):
    """An action was tried and failed; ``error`` is the tool's [P]."""

    id: str
    action: ProposedAction | str | None = None
    error: Any = None


class ResponseCreated(_Message, frozen=True, tag="response.created", gc=False):
    """The assistant began a reply [P]."""

    response_id: str | None = None


class AudioDelta(_Message, frozen=True, tag="audio.delta", gc=False):
    """A run of the assistant's speech in ``output_format``; ``response_id`` is [P]."""

    audio: bytes
    response_id: str | None = None


class TextDelta(_Message, frozen=True, tag="text.delta", gc=False):
    """More words of a reply [P]."""

    text: str
    response_id: str | None = None


class AudioTranscriptDelta(_Message, frozen=True, tag="audio.transcript.delta", gc=False):
    """More words of what a reply's speech says [P]."""

    text: str
    response_id: str | None = None


class ResponseState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a response ended [P]: ``status`` is completed, cancelled, failed or incomplete."""

    id: str
    status: str
    status_details: dict[str, str] | None = None


class ResponseDone(_Message, frozen=True, tag="response.done"):
    """The turn is complete; nothing is documented of ``response``, so it is read with care (a ResponseState [P])."""

    response: Any = None


class SessionExpiring(_Message, frozen=True, tag="session.expiring", gc=False):
    """The session ends in ``seconds_left`` [P]."""

    expires_at: str | int | None = None
    seconds_left: float | None = None


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error in the REST API's envelope; ``event_id`` is only met on sockets [P]."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    doc_url: str | None = None
    request_id: str | None = None
    retry_after_seconds: float | None = None
    event_id: str | None = None


class ErrorMessage(_Message, frozen=True, tag="error"):
    """Something went wrong [P]; the session lives on unless the socket closes."""

    error: ErrorBody


ServerMessage = (
    SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | TranscriptPartial
    | TranscriptFinal
    | IntentDetected
    | ActionProposed
    | ActionExecuted
    | ActionDeclined
    | ActionExpired
    | ActionFailed
    | ResponseCreated
    | AudioDelta
    | TextDelta
    | AudioTranscriptDelta
    | ResponseDone
    | SessionExpiring
    | ErrorMessage
)


# Reading and writing


class InvalidMessage(BadMessage):
    """A message that cannot be used; ``param`` and ``event_id`` go into the error that a server sends back."""


class _Kind(msgspec.Struct):
    type: str
    event_id: Any = None


class _LooseAudio(msgspec.Struct):
    audio: str
    response_id: Any = None


_TROUBLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
_server_messages: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_client_messages: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_kinds = msgspec.json.Decoder(_Kind)
_loose_audio = msgspec.json.Decoder(_LooseAudio)
_encoder = msgspec.json.Encoder()
_CLIENT_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(ClientMessage))
_DOCUMENTED_SERVER_TYPES = frozenset(
    (
        "transcript.partial",
        "transcript.final",
        "intent.detected",
        "action.proposed",
        "action.executed",
        "audio.delta",
        "response.done",
    )
)


def encode(message: ClientMessage | ServerMessage) -> str:
    """Write a message as the text of a frame."""
    return _encoder.encode(message).decode()


def read_server_message(data: bytes | str) -> ServerMessage | None:
    """Read what a server sent; None for a type that this table lacks, InvalidMessage for what cannot be read.

    A type that is [P] here and cannot be read is another's reading of the same name, and as unknown as any other.
    """
    text = data if type(data) is str else _text(data)  # fifty times a second
    try:
        return _server_messages.decode(text)
    except _TROUBLE as error:
        kind = _kind_of(text)
        if kind.type not in _DOCUMENTED_SERVER_TYPES:
            return None
        if _is_base64_trouble(kind.type, error):
            loose = _loosely(text, kind.type)
            named = loose.response_id if isinstance(loose.response_id, str) else None
            return AudioDelta(audio=_unpadded(loose.audio), response_id=named)
        raise _invalid(kind.type, error) from None


def read_client_message(data: bytes | str) -> ClientMessage:
    """Read what a client sent; raises InvalidMessage."""
    text = _text(data)
    if len(text) > MAX_FRAME_CHARS:
        raise InvalidMessage(f"a message holds more than {MAX_FRAME_CHARS} characters", code="payload_too_large")
    try:
        message = _client_messages.decode(text)
    except _TROUBLE as error:
        message = _mended(text, error)
    if isinstance(message, AudioAppend) and len(message.audio) > MAX_AUDIO_BYTES:
        raise InvalidMessage(
            f"an audio.append carries more than {MAX_AUDIO_BYTES} bytes",
            code="payload_too_large",
            param="audio",
            event_id=message.event_id,
        )
    return message


def _mended(text: str, error: Exception) -> ClientMessage:
    kind = _kind_of(text)
    event_id = kind.event_id[:MAX_EVENT_ID_CHARS] if isinstance(kind.event_id, str) else ""
    if kind.type not in _CLIENT_TYPES:
        raise InvalidMessage(
            "the type is not one that a client may send", code="invalid_parameter", param="type", event_id=event_id
        )
    if _is_base64_trouble(kind.type, error):
        return AudioAppend(audio=_unpadded(_loosely(text, kind.type, event_id).audio, event_id), event_id=event_id)
    raise _invalid(kind.type, error, event_id)


def _loosely(text: str, kind: str, event_id: str = "") -> _LooseAudio:
    """Read sound again whose base64 has faults that can be borne; a field that comes twice is another matter."""
    try:
        return _loose_audio.decode(text)
    except _TROUBLE as error:
        raise _invalid(kind, error, event_id) from None


def _text(data: bytes | str) -> str:
    if isinstance(data, bytes):
        raise InvalidMessage("a binary message came; ChronaPilot speaks in text alone", code="binary_message")
    return data


def _kind_of(text: str) -> _Kind:
    try:
        return _kinds.decode(text)
    except msgspec.ValidationError:
        raise InvalidMessage("a message has no type", code="missing_required_field", param="type") from None
    except _TROUBLE:
        raise InvalidMessage("a message is not JSON", code="invalid_json") from None


def _is_base64_trouble(kind: str, error: Exception) -> bool:
    return kind in ("audio.delta", "audio.append") and str(error) == "Invalid base64 encoded string - at `$.audio`"


def _unpadded(audio: str, event_id: str = "") -> bytes:
    """Decode base64 whose padding is missing, which msgspec refuses and a peer may well leave out."""
    bare = audio.rstrip("=")
    try:
        return a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except ValueError:
        raise InvalidMessage("sound is not base64", code="invalid_audio", param="audio", event_id=event_id) from None


def complaint(error: Exception) -> tuple[str, str]:
    """Say in the API's words what msgspec says of a message's fields: the code and the parameter."""
    path = re.search(r"at `\$\.([^`]*)`", str(error))
    missing = re.search(r"missing required field `([^`]*)`", str(error))
    fields = [part for part in (path and path[1], missing and missing[1]) if part]
    return "missing_required_field" if missing else "invalid_parameter", ".".join(fields)


def _invalid(kind: str, error: Exception, event_id: str = "") -> InvalidMessage:
    code, param = complaint(error)
    return InvalidMessage(f"the {kind} cannot be used: {error}", code=code, param=param, event_id=event_id)
