"""The messages of the Realtime protocol's socket, both directions, in GA's words; read and written by both sides.

Reading takes either shape's names, writing takes the shape. Sessions inside messages are left as JSON, since the two
shapes differ there in more than names: ``settings`` reads and writes them. Readers skip unknown fields, and a client
skips unknown types.
"""

import re
from binascii import a2b_base64
from typing import Annotated, Any, get_args

import msgspec
from msgspec import UNSET, UnsetType

from phone_bridge.errors import RemoteError
from phone_bridge.sessions.realtime.names import (
    BETA_CONTENT,
    BETA_EVENTS,
    GA_ONLY_EVENTS,
    INVALID_EVENT,
    INVALID_VALUE,
    MISSING_PARAMETER,
    Shape,
)

MAX_AUDIO_BYTES = 15 * 1024 * 1024
"""Most sound that one ``input_audio_buffer.append`` may carry."""

MAX_FRAME_CHARS = 21 * 1024 * 1024
"""Longest message a server takes: that much sound as base64, and its envelope."""

MAX_EVENT_ID_CHARS = 512
"""Longest ``event_id`` of a client message."""

_EventId = Annotated[str, msgspec.Meta(max_length=MAX_EVENT_ID_CHARS)]


class _Message(msgspec.Struct, frozen=True, tag_field="type"):
    """A message; its tag is the wire's ``type``."""


# Items


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an item: input_text, input_audio, input_image, output_text or output_audio; ``audio`` is base64."""

    type: str
    text: str | None = None
    audio: str | None = None
    transcript: str | None = None
    image_url: str | None = None
    detail: str | None = None
    id: str | None = None
    object: str | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A thing in the conversation: a message, a function_call, or a function_call_output.

    ``arguments`` is JSON as a text, ``output`` any text.
    """

    id: str | None = None
    object: str | None = None
    type: str | None = None
    status: str | None = None
    role: str | None = None
    content: tuple[Content, ...] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None


class Response(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A response: ``status`` is in_progress, completed, cancelled, failed or incomplete.

    ``output_modalities`` and ``audio`` are GA's; ``modalities``, ``voice``, ``output_audio_format`` and
    ``temperature`` the beta's.
    """

    id: str | None = None
    object: str | None = None
    status: str | None = None
    status_details: Any = None
    output: tuple[Item, ...] | None = None
    conversation_id: str | None = None
    output_modalities: Any = None
    audio: Any = None
    modalities: Any = None
    voice: Any = None
    output_audio_format: Any = None
    temperature: Any = None
    max_output_tokens: Any = None
    metadata: Any = None
    usage: Any = None


# Client to server


class _ClientMessage(_Message, frozen=True, kw_only=True):
    """A client's message; ``event_id`` comes back in the error that it causes."""

    event_id: _EventId | UnsetType = UNSET


class SessionUpdate(_ClientMessage, frozen=True, tag="session.update"):
    """Change what ``session`` holds, and nothing else; ``settings`` reads and writes it."""

    session: dict[str, Any]


class InputAudioAppend(_ClientMessage, frozen=True, tag="input_audio_buffer.append", gc=False):
    """Hear the caller; the sound is in the session's input format. No answer comes."""

    audio: bytes


class InputAudioCommit(_ClientMessage, frozen=True, tag="input_audio_buffer.commit", gc=False):
    """End the caller's turn now."""


class InputAudioClear(_ClientMessage, frozen=True, tag="input_audio_buffer.clear", gc=False):
    """Forget the sound of the turn that is going on."""


class ItemCreate(_ClientMessage, frozen=True, tag="conversation.item.create"):
    """Add an item; absent ``previous_item_id`` means at the end, ``root`` at the beginning."""

    item: Item
    previous_item_id: str | UnsetType | None = UNSET


class ItemRetrieve(_ClientMessage, frozen=True, tag="conversation.item.retrieve", gc=False):
    """Show an item as the server has it."""

    item_id: str


class ItemDelete(_ClientMessage, frozen=True, tag="conversation.item.delete", gc=False):
    """Take an item out of the conversation."""

    item_id: str


class ItemTruncate(_ClientMessage, frozen=True, tag="conversation.item.truncate", gc=False):
    """Know that only ``audio_end_ms`` of an assistant's item were heard; the rest is forgotten."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ResponseCreate(_ClientMessage, frozen=True, tag="response.create"):
    """Answer now; ``response`` changes settings for this one answer."""

    response: dict[str, Any] | UnsetType | None = UNSET


class ResponseCancel(_ClientMessage, frozen=True, tag="response.cancel", gc=False):
    """Stop the response ``response_id``, or the one that runs."""

    response_id: str | UnsetType | None = UNSET


class OutputAudioClear(_ClientMessage, frozen=True, tag="output_audio_buffer.clear", gc=False):
    """Throw away what waits to be played; WebRTC and SIP alone."""


class TranscriptionSessionUpdate(_ClientMessage, frozen=True, tag="transcription_session.update"):
    """Change a session that only transcribes; the beta alone."""

    session: dict[str, Any]


ClientMessage = (
    SessionUpdate
    | InputAudioAppend
    | InputAudioCommit
    | InputAudioClear
    | ItemCreate
    | ItemRetrieve
    | ItemDelete
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
    | OutputAudioClear
    | TranscriptionSessionUpdate
)


# Server to client


class _ServerMessage(_Message, frozen=True, kw_only=True):
    """A server's message."""

    event_id: str = ""


class SessionCreated(_ServerMessage, frozen=True, tag="session.created"):
    """The session is open."""

    session: dict[str, Any]


class SessionUpdated(_ServerMessage, frozen=True, tag="session.updated"):
    """A ``session.update`` took effect; ``session`` is all of it."""

    session: dict[str, Any]


class Conversation(msgspec.Struct, frozen=True):
    """The conversation of a session."""

    id: str = ""
    object: str = "realtime.conversation"


class ConversationCreated(_ServerMessage, frozen=True, tag="conversation.created"):
    """The conversation is there; the beta's, GA does without."""

    conversation: Conversation


class ItemAdded(_ServerMessage, frozen=True, tag="conversation.item.added"):
    """An item entered the conversation; an assistant's is empty yet."""

    item: Item
    previous_item_id: str | UnsetType | None = UNSET


class ItemCreated(ItemAdded, frozen=True, tag="conversation.item.created"):
    """The same in the beta's word."""


class ItemDone(_ServerMessage, frozen=True, tag="conversation.item.done"):
    """An item is final; GA alone."""

    item: Item
    previous_item_id: str | UnsetType | None = UNSET


class ItemRetrieved(_ServerMessage, frozen=True, tag="conversation.item.retrieved"):
    """An item that was asked for."""

    item: Item


class ItemDeleted(_ServerMessage, frozen=True, tag="conversation.item.deleted", gc=False):
    """An item is out of the conversation."""

    item_id: str


class ItemTruncated(_ServerMessage, frozen=True, tag="conversation.item.truncated", gc=False):
    """An assistant's item was cut to what was heard."""

    item_id: str
    content_index: int = 0
    audio_end_ms: int = 0


class InputCommitted(_ServerMessage, frozen=True, tag="input_audio_buffer.committed", gc=False):
    """The caller's turn became the item ``item_id``."""

    item_id: str
    previous_item_id: str | UnsetType | None = UNSET


class InputCleared(_ServerMessage, frozen=True, tag="input_audio_buffer.cleared", gc=False):
    """The sound of the turn is forgotten."""


class SpeechStarted(_ServerMessage, frozen=True, tag="input_audio_buffer.speech_started", gc=False):
    """The caller began to speak, ``audio_start_ms`` after the first sound."""

    audio_start_ms: float | None = None
    item_id: str = ""


class SpeechStopped(_ServerMessage, frozen=True, tag="input_audio_buffer.speech_stopped", gc=False):
    """The caller fell silent, ``audio_end_ms`` after the first sound."""

    audio_end_ms: float | None = None
    item_id: str = ""


class TimeoutTriggered(_ServerMessage, frozen=True, tag="input_audio_buffer.timeout_triggered", gc=False):
    """The caller said nothing for ``idle_timeout_ms``; the silence is answered as a turn."""

    audio_start_ms: float | None = None
    audio_end_ms: float | None = None
    item_id: str = ""


class TranscriptionDelta(
    _ServerMessage, frozen=True, tag="conversation.item.input_audio_transcription.delta", gc=False
):
    """More of the caller's words."""

    item_id: str = ""
    content_index: int = 0
    delta: str | None = None


class TranscriptionCompleted(_ServerMessage, frozen=True, tag="conversation.item.input_audio_transcription.completed"):
    """The caller's words."""

    item_id: str = ""
    content_index: int = 0
    transcript: str = ""
    usage: Any = None


class TranscriptionFailed(_ServerMessage, frozen=True, tag="conversation.item.input_audio_transcription.failed"):
    """The caller's words could not be recognised."""

    item_id: str = ""
    content_index: int = 0
    error: Any = None


class ResponseCreated(_ServerMessage, frozen=True, tag="response.created"):
    """A response began."""

    response: Response


class ResponseDone(_ServerMessage, frozen=True, tag="response.done"):
    """A response is over, whatever became of it."""

    response: Response


class OutputItemAdded(_ServerMessage, frozen=True, tag="response.output_item.added"):
    """A response has a further item."""

    item: Item
    response_id: str = ""
    output_index: int = 0


class OutputItemDone(_ServerMessage, frozen=True, tag="response.output_item.done"):
    """An item of a response is whole, or as whole as it will be."""

    item: Item
    response_id: str = ""
    output_index: int = 0


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an assistant's message; ``type`` is text or audio."""

    type: str
    text: str | None = None
    audio: str | None = None
    transcript: str | None = None


class _OfContent(_ServerMessage, frozen=True, kw_only=True):
    """A message about one part of an item that a response makes."""

    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    content_index: int = 0


class ContentPartAdded(_OfContent, frozen=True, tag="response.content_part.added"):
    """An assistant's message has a further part."""

    part: Part


class ContentPartDone(_OfContent, frozen=True, tag="response.content_part.done"):
    """A part is whole."""

    part: Part


class TextDelta(_OfContent, frozen=True, tag="response.output_text.delta", gc=False):
    """More words of an answer that is not spoken."""

    delta: str


class BetaTextDelta(TextDelta, frozen=True, tag="response.text.delta", gc=False):
    """The same in the beta's word."""


class TextDone(_OfContent, frozen=True, tag="response.output_text.done", gc=False):
    """All words of an answer that is not spoken."""

    text: str


class BetaTextDone(TextDone, frozen=True, tag="response.text.done", gc=False):
    """The same in the beta's word."""


class AudioDelta(_OfContent, frozen=True, tag="response.output_audio.delta", gc=False):
    """A run of the assistant's speech in the session's output format."""

    delta: bytes


class BetaAudioDelta(AudioDelta, frozen=True, tag="response.audio.delta", gc=False):
    """The same in the beta's word."""


class AudioDone(_OfContent, frozen=True, tag="response.output_audio.done", gc=False):
    """No more speech of this part follows."""


class BetaAudioDone(AudioDone, frozen=True, tag="response.audio.done", gc=False):
    """The same in the beta's word."""


class TranscriptDelta(_OfContent, frozen=True, tag="response.output_audio_transcript.delta", gc=False):
    """More words of what the assistant's speech says."""

    delta: str


class BetaTranscriptDelta(TranscriptDelta, frozen=True, tag="response.audio_transcript.delta", gc=False):
    """The same in the beta's word."""


class TranscriptDone(_OfContent, frozen=True, tag="response.output_audio_transcript.done", gc=False):
    """All words of what the assistant's speech says."""

    transcript: str


class BetaTranscriptDone(TranscriptDone, frozen=True, tag="response.audio_transcript.done", gc=False):
    """The same in the beta's word."""


class ArgumentsDelta(_ServerMessage, frozen=True, tag="response.function_call_arguments.delta", gc=False):
    """More of a function call's arguments, which are JSON as a text."""

    delta: str
    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    call_id: str = ""


class ArgumentsDone(_ServerMessage, frozen=True, tag="response.function_call_arguments.done", gc=False):
    """All of a function call's arguments; the beta tells the function's ``name`` only in the item."""

    arguments: str
    response_id: str = ""
    item_id: str = ""
    output_index: int = 0
    call_id: str = ""
    name: str | UnsetType | None = UNSET


class RateLimit(msgspec.Struct, frozen=True):
    """What is left of one limit; ``name`` is requests or tokens."""

    name: str = ""
    limit: float = 0
    remaining: float = 0
    reset_seconds: float = 0


class RateLimitsUpdated(_ServerMessage, frozen=True, tag="rate_limits.updated"):
    """What is left until the next pause."""

    rate_limits: tuple[RateLimit, ...] = ()


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong; ``event_id`` names the client's message that caused it."""

    type: str | None = None
    code: str | int | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class ErrorMessage(_ServerMessage, frozen=True, tag="error"):
    """Something went wrong; most errors leave the session open."""

    error: ErrorBody


ServerMessage = (
    SessionCreated
    | SessionUpdated
    | ConversationCreated
    | ItemAdded
    | ItemCreated
    | ItemDone
    | ItemRetrieved
    | ItemDeleted
    | ItemTruncated
    | InputCommitted
    | InputCleared
    | SpeechStarted
    | SpeechStopped
    | TimeoutTriggered
    | TranscriptionDelta
    | TranscriptionCompleted
    | TranscriptionFailed
    | ResponseCreated
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | TextDelta
    | BetaTextDelta
    | TextDone
    | BetaTextDone
    | AudioDelta
    | BetaAudioDelta
    | AudioDone
    | BetaAudioDone
    | TranscriptDelta
    | BetaTranscriptDelta
    | TranscriptDone
    | BetaTranscriptDone
    | ArgumentsDelta
    | ArgumentsDone
    | RateLimitsUpdated
    | ErrorMessage
)


# Writing


_encoder = msgspec.json.Encoder()


def encode(message: ClientMessage | ServerMessage, shape: Shape = Shape.GA) -> str:
    """Write a message as the text of a frame; "" for what ``shape`` has no word for.

    Items must be in the shape's words already: ``in_shape`` puts them so.
    """
    text = _encoder.encode(message).decode()
    if shape is Shape.GA:
        return text
    kind = str(message.__struct_config__.tag)
    if kind in GA_ONLY_EVENTS:
        return ""
    named = BETA_EVENTS.get(kind)
    return text if named is None else text.replace(f'"type":"{kind}"', f'"type":"{named}"', 1)


def in_shape(item: Item, shape: Shape) -> Item:
    """Name an item's parts as ``shape`` does."""
    if shape is Shape.GA or item.content is None:
        return item
    named = tuple(msgspec.structs.replace(part, type=BETA_CONTENT.get(part.type, part.type)) for part in item.content)
    return msgspec.structs.replace(item, content=named)


# Reading


class InvalidMessage(RemoteError):
    """A message that cannot be used; ``param`` and ``event_id`` go into the error that a server sends back."""

    def __init__(self, message: str, *, code: str, param: str = "", event_id: str = "") -> None:
        super().__init__(message, code=code)
        self.param = param
        self.event_id = event_id


class _Kind(msgspec.Struct):
    type: str
    event_id: Any = None


_TROUBLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
_server_messages: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_client_messages: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_kinds = msgspec.json.Decoder(_Kind)
_loose = msgspec.json.Decoder(dict[str, Any])
_CLIENT_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(ClientMessage))
_SERVER_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(ServerMessage))


def read_server_message(data: bytes | str) -> ServerMessage | None:
    """Read what a server sent, in either shape; None for a type that this table lacks. Raises InvalidMessage."""
    text = _text(data)
    try:
        return _server_messages.decode(text)
    except _TROUBLE as error:
        kind = _kind_of(text)
        if kind.type not in _SERVER_TYPES:
            return None
        if _is_base64_trouble(error):
            return _server_messages.decode(_repadded(text, "delta", ""))
        raise _invalid(kind.type, error, "") from None


def read_client_message(data: bytes | str) -> ClientMessage:
    """Read what a client sent; raises InvalidMessage."""
    text = _text(data)
    if len(text) > MAX_FRAME_CHARS:
        raise InvalidMessage(f"A message holds more than {MAX_FRAME_CHARS} characters.", code=INVALID_VALUE)
    try:
        message = _client_messages.decode(text)
    except _TROUBLE as error:
        kind = _kind_of(text)
        event_id = kind.event_id[:MAX_EVENT_ID_CHARS] if isinstance(kind.event_id, str) else ""
        if kind.type not in _CLIENT_TYPES:
            raise InvalidMessage(
                f"Invalid value: '{kind.type[:64]}'. Supported values are: {', '.join(sorted(_CLIENT_TYPES))}.",
                code=INVALID_VALUE,
                param="type",
                event_id=event_id,
            ) from None
        if not _is_base64_trouble(error):
            raise _invalid(kind.type, error, event_id) from None
        message = _client_messages.decode(_repadded(text, "audio", event_id))
    if isinstance(message, InputAudioAppend) and len(message.audio) > MAX_AUDIO_BYTES:
        raise InvalidMessage(
            f"An input_audio_buffer.append carries more than {MAX_AUDIO_BYTES} bytes.",
            code=INVALID_VALUE,
            param="audio",
            event_id=message.event_id or "",
        )
    return message


def _text(data: bytes | str) -> str:
    if isinstance(data, bytes):
        raise InvalidMessage("A binary message came; the Realtime protocol speaks in text alone.", code=INVALID_EVENT)
    return data


def _kind_of(text: str) -> _Kind:
    try:
        return _kinds.decode(text)
    except msgspec.ValidationError:
        raise InvalidMessage("A message has no type.", code=MISSING_PARAMETER, param="type") from None
    except _TROUBLE:
        raise InvalidMessage("A message is not JSON.", code=INVALID_EVENT) from None


def _is_base64_trouble(error: Exception) -> bool:
    return str(error).startswith("Invalid base64 encoded string")


def _repadded(text: str, field: str, event_id: str) -> bytes:
    """Write a message again whose base64 lacks its padding, which msgspec refuses and a peer may well leave out."""
    loose = _loose.decode(text)
    bare = str(loose.get(field)).rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    try:
        a2b_base64(padded, strict_mode=True)
    except ValueError:
        raise InvalidMessage("Sound is not base64.", code=INVALID_VALUE, param=field, event_id=event_id) from None
    return _encoder.encode({**loose, field: padded})


def complaint(error: Exception) -> tuple[str, str]:
    """Say in the API's words what msgspec says of a message's fields: the code and the parameter."""
    path = re.search(r"at `\$\.([^`]*)`", str(error))
    missing = re.search(r"missing required field `([^`]*)`", str(error))
    fields = [part for part in (path and path[1], missing and missing[1]) if part]
    return MISSING_PARAMETER if missing else INVALID_VALUE, ".".join(fields)


def _invalid(kind: str, error: Exception, event_id: str) -> InvalidMessage:
    code, param = complaint(error)
    return InvalidMessage(f"The {kind} cannot be used: {error}.", code=code, param=param, event_id=event_id)
