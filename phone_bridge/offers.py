"""What a function-calling model is offered to call: a tool by its name, in words, with its schema and its effect.

Made by whoever keeps the tools, written into a session's settings by ``sessions``, weighed by ``call``.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

TOOL_SECONDS = 10.0
"""How long a tool may take, where its offer does not say otherwise."""


class Effect(StrEnum):
    """What running a tool does to the world; a tool of which nothing is known counts as DESTROY."""

    READ = "read"
    WRITE = "write"
    OUTWARD = "outward"  # other people are told
    DESTROY = "destroy"  # no tool brings it back


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One tool: ``schema`` is the JSON Schema of its parameters, an object; it may take ``seconds``."""

    name: str
    description: str
    schema: Mapping[str, Any]
    effect: Effect = Effect.DESTROY
    seconds: float = TOOL_SECONDS
