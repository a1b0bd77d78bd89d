"""One HTTP exchange as values, so that dry rooms can say what to send and read what came back.

Made by ``legs`` and ``sessions`` (which know the words), carried by ``runtime/http`` (which knows the network).
"""

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to be sent; ``body`` is bytes as they go out, ``headers`` may hold secrets and are never logged."""

    method: str
    url: str
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What came back; header names are lower case."""

    status: int
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
