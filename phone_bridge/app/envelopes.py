"""Refusals that no operation makes (no such path, no such method, a body too long), in the shape that its API has."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from phone_bridge.app.answers import problem
from phone_bridge.assistant import keys
from phone_bridge.assistant.minting import random_id
from phone_bridge.assistant.problems import Problem

ASSISTANT_PATHS = ("/v1/voice", "/v1/events", "/v1/alerts", "/v1/users", "/v1/webhook_endpoints")
"""Where the paths of the built-in assistant's API begin."""

SHARED_PATHS = ("/v1/reminders",)
"""Where both APIs have paths: whose a request is, its key says."""

_CODES = {
    404: "resource_missing",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "payload_too_large",
}


def is_for_assistant(scope: Scope) -> bool:
    """Tell whether a request is one of the built-in assistant's API."""
    path = scope["path"]
    return _under(ASSISTANT_PATHS, path) or (_under(SHARED_PATHS, path) and shows_voice_key(scope))


def shows_voice_key(scope: Scope) -> bool:
    """Tell whether a request shows a key that looks like one of that API."""
    _, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
    return keys.kind_of(given.strip()) is not None


def refused(scope: Scope, status: int, code: str, message: str, headers: Mapping[str, str]) -> Response:
    """Refuse a request in the envelope of its API; ``code`` is the bridge's own word."""
    if status not in _CODES or not is_for_assistant(scope):
        return problem(status, "invalid_request_error", code, message, headers)
    made = Problem(message, code=_CODES[status], headers=headers).response(random_id("req"))
    return Response(made.body, made.status, made.headers)


def _under(beginnings: tuple[str, ...], path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in beginnings)
