"""The errors of the voice service: their types, statuses and the one envelope that HTTP and sockets share."""

import msgspec

from phone_bridge.errors import LocalError, Refused
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot.messages import ErrorBody

DOCS = "https://docs.chronapilot.com/errors/"
"""Where the product explains a code, its underscores as dashes."""

_INVALID = "invalid_request_error"
_KINDS: dict[str, tuple[str, int]] = {
    "missing_required_field": (_INVALID, 400),
    "invalid_parameter": (_INVALID, 400),
    "invalid_json": (_INVALID, 400),
    "invalid_audio": (_INVALID, 400),
    "binary_message": (_INVALID, 400),
    "response_not_active": (_INVALID, 400),
    "payload_too_large": (_INVALID, 413),
    "action_not_found": (_INVALID, 404),
    "resource_missing": (_INVALID, 404),
    "action_already_resolved": (_INVALID, 409),
    "session_closed": (_INVALID, 409),
    "session_idle": (_INVALID, 408),
    "authentication_failed": ("authentication_error", 401),
    "session_token_expired": ("authentication_error", 401),
    "session_expired": ("authentication_error", 401),
    "authorization_failed": ("authorization_error", 403),
    "idempotency_key_in_use": ("idempotency_error", 409),
    "rate_limit_exceeded": ("rate_limit_error", 429),
    "internal_error": ("api_error", 500),
    "service_unavailable": ("api_error", 503),
}


class Problem(Refused):
    """A request or message that is refused; ``code`` is one of the API's."""

    def __init__(self, message: str, *, code: str, param: str = "", retry_after_seconds: int | None = None) -> None:
        super().__init__(message, code=code)
        if code not in _KINDS:
            raise LocalError(f"the voice service has no error called {code}")
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _KINDS[self.code][1]

    def body(self, request_id: str, event_id: str = "") -> ErrorBody:
        """Write it as the envelope's inside; ``event_id`` is the client message's that caused it."""
        return ErrorBody(
            type=_KINDS[self.code][0],
            code=self.code,
            message=str(self),
            param=self.param or None,
            doc_url=DOCS + self.code.replace("_", "-"),
            request_id=request_id,
            retry_after_seconds=self.retry_after_seconds,
            event_id=event_id or None,
        )

    def response(self, request_id: str) -> Response:
        """Write it as an HTTP response."""
        headers = {"content-type": "application/json"}
        if self.retry_after_seconds is not None:
            headers["retry-after"] = str(self.retry_after_seconds)
        body = msgspec.json.encode({"error": self.body(request_id)})
        return Response(status=self.status, headers=headers, body=body)
