"""The endpoint's own side: what it is asked for, what it answers, and its tools by the names that clients know."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from phone_bridge.call.events import Action
from phone_bridge.exchange import Response
from phone_bridge.offers import Offer

DEFAULT_MODEL, DEFAULT_VOICE = "gpt-realtime-mini", "ash"
ALIASES = {"gpt-4-realtime": "gpt-realtime"}
"""Names of models that the endpoint's documentation uses and nobody else."""
VOICES = ("ash", "sage", "coral", "alloy", "echo", "shimmer", "ballad", "verse")
MAX_BODY_BYTES = 65_536
MAX_MODEL_CHARS = 128

INSTRUCTIONS = """\
You are the caller's assistant. Look into the memory first: who the caller is, what they like. Remember what they tell \
about themselves. Speak briefly, without markup. Never make up what a tool would say."""


class BadRequest(ValueError):
    """A request that cannot be answered; its message is the ``error`` of a 400."""


class Wish(Struct, frozen=True):
    """What a session is wanted with."""

    model: str = DEFAULT_MODEL
    voice: str = DEFAULT_VOICE


class _Execute(Struct):
    toolName: str = ""  # noqa: N815 - the dialect's own word
    args: dict[str, Any] | None = None


_EVERY = {"type": "object", "properties": {}, "additionalProperties": False}
_TEXT = {"type": "string"}

DOCUMENTED: Mapping[str, str] = {
    "tavilySearchTool": "web_search",
    "addMemory": "add_memory",
    "searchMemory": "search_memory",
    "getAllMemories": "list_memories",
}
"""Tools by the names that the endpoint documents, and what they are called here; none asks whose memory is meant."""

_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "tavilySearchTool": {**_EVERY, "properties": {"query": _TEXT}, "required": ["query"]},
    "addMemory": {
        **_EVERY,
        "properties": {
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {"role": {"enum": ["user", "assistant"]}, "content": _TEXT},
                    "required": ["role", "content"],
                },
            }
        },
        "required": ["messages"],
    },
    "searchMemory": {
        **_EVERY,
        "properties": {"query": _TEXT, "limit": {"type": "integer"}, "memoryType": _TEXT},
        "required": ["query"],
    },
    "getAllMemories": _EVERY,
}


def read_wish(body: bytes) -> Wish:
    """Read the body of a mint, of which everything may be missing; raises BadRequest."""
    wish = _read(body or b"{}", Wish)
    if not 0 < len(wish.model) <= MAX_MODEL_CHARS:
        raise BadRequest(f"model has 1 to {MAX_MODEL_CHARS} characters")
    if wish.voice not in VOICES:
        raise BadRequest(f"voice is one of {', '.join(VOICES)}")
    return Wish(ALIASES.get(wish.model, wish.model), wish.voice)


def session(wish: Wish, offers: Iterable[Offer]) -> bytes:
    """Write the session that is to be minted, in the beta's shape, with tools by the names that clients know."""
    documented = {ours: theirs for theirs, ours in DOCUMENTED.items()}
    tools = []
    for offer in offers:
        name = documented.get(offer.name, offer.name)
        schema = _SCHEMAS.get(name, offer.schema)
        tools.append({"type": "function", "name": name, "description": offer.description, "parameters": dict(schema)})
    return msgspec.json.encode(
        {
            "model": wish.model,
            "voice": wish.voice,
            "modalities": ["text", "audio"],
            "instructions": INSTRUCTIONS,
            "input_audio_format": "pcm16",
            "output_audio_format": "pcm16",
            "input_audio_transcription": {"model": "whisper-1"},
            "turn_detection": {"type": "server_vad"},
            "tools": tools,
        }
    )


def addressed(minted: bytes, address: str) -> bytes:
    """Give the address of a socket in the place of the key that opens it: ``address`` and the key as its ticket."""
    whole: dict[str, Any] = msgspec.json.decode(minted)
    secret = dict(whole["client_secret"])
    secret["value"] = f"{address}?ticket={secret['value']}"
    return msgspec.json.encode({**whole, "expires_at": secret["expires_at"], "client_secret": secret})


def read_execution(body: bytes) -> Action:
    """Read which tool is to be run, by our own name for it; raises BadRequest. Whose memory is meant is left out."""
    asked = _read(body, _Execute)
    if not asked.toolName:
        raise BadRequest("toolName is required")
    arguments = {name: value for name, value in (asked.args or {}).items() if name != "userId"}
    ours = DOCUMENTED.get(asked.toolName)
    if ours is None:
        return Action(asked.toolName, arguments)
    return Action(ours, _translated(asked.toolName, arguments))


def failed(status: int, message: str) -> Response:
    """Answer that something went wrong, as the endpoint does: one word, ``error``."""
    return Response(
        status=status,
        headers={"content-type": "application/json"},
        body=msgspec.json.encode({"error": message}),
    )


def _translated(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if name == "addMemory":
        messages = arguments.get("messages")
        told = (
            [each.get("content") for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []
        )
        words = " ".join(str(text) for text in told if text)
        if not words:
            raise BadRequest("messages holds what is to be remembered: [{role, content}]")
        return {"memory": words}
    if "memoryType" in arguments:
        arguments["memory_type"] = arguments.pop("memoryType")
    return arguments


def _read(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the body cannot be used: {error}") from None
