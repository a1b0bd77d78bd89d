"""What the two shapes of the Realtime protocol call the same things: GA, and the beta that most gateways still speak.

There is one grammar, in GA's words, and beside it the tables of what the beta calls otherwise. Nothing else in this
room knows that there are two.
"""

from enum import StrEnum

from phone_bridge.audio.format import LINEAR_24K, PCMA_8K, PCMU_8K, Format


class Shape(StrEnum):
    """Which of the two a connection speaks."""

    GA = "ga"
    BETA = "beta"


BETA_EVENTS = {
    "conversation.item.added": "conversation.item.created",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}
"""Server events that the beta names otherwise; their fields are the same."""

GA_ONLY_EVENTS = frozenset({"conversation.item.done"})
"""Server events that the beta has no word for."""

BETA_CONTENT = {"output_text": "text", "output_audio": "audio"}
"""Parts of an assistant's item; ``content_part`` events say ``text`` and ``audio`` in both shapes."""

BETA_FORMATS = {"audio/pcm": "pcm16", "audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}
"""Encodings of sound."""

SOUND: dict[str, Format] = {"audio/pcm": LINEAR_24K, "audio/pcmu": PCMU_8K, "audio/pcma": PCMA_8K}
"""What each encoding is; PCM has 24,000 samples a second, little-endian, one channel."""

BETA_HEADER = ("OpenAI-Beta", "realtime=v1")
"""The header by which a client asks for the beta shape."""

SUBPROTOCOL = "realtime"
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""Subprotocols of clients that cannot set headers; the last one is followed by the key."""

EPHEMERAL = "ek_"
"""How a client secret begins."""

MAX_SESSION_MINUTES = 60
"""How long a session may last."""

# Codes of the error event; most leave the session open
SESSION_EXPIRED = "session_expired"
BETA_DISABLED = "beta_api_shape_disabled"
INSUFFICIENT_QUOTA = "insufficient_quota"
RATE_LIMITED = "rate_limit_exceeded"
INVALID_KEY = "invalid_api_key"
ACTIVE_RESPONSE = "conversation_already_has_active_response"
NOTHING_TO_CANCEL = "response_cancel_not_active"
NOTHING_TO_COMMIT = "input_audio_buffer_commit_empty"
INVALID_EVENT = "invalid_event"
INVALID_VALUE = "invalid_value"
MISSING_PARAMETER = "missing_required_parameter"
UNKNOWN_PARAMETER = "unknown_parameter"
ITEM_NOT_FOUND = "item_not_found"
"""Of a truncation, a deletion or a look at an item that is not, or not any more."""

BETA_DISABLED_CLOSE = 4000
"""The close code that follows ``beta_api_shape_disabled``."""
