"""The errors of ChronaPilot's API by their codes: type, HTTP status, and the envelope's inside."""

from phone_bridge.sessions.chronapilot.messages import ErrorBody

DOCS = "https://docs.chronapilot.com/errors/"
"""Where the product explains a code, its underscores as dashes."""

_INVALID = "invalid_request_error"
KINDS: dict[str, tuple[str, int]] = {
    "missing_required_field": (_INVALID, 400),
    "invalid_parameter": (_INVALID, 400),
    "invalid_json": (_INVALID, 400),
    "invalid_audio": (_INVALID, 400),
    "binary_message": (_INVALID, 400),
    "response_not_active": (_INVALID, 400),
    "turn_empty": (_INVALID, 400),
    "method_not_allowed": (_INVALID, 405),
    "request_timeout": (_INVALID, 408),
    "payload_too_large": (_INVALID, 413),
    "unsupported_media_type": (_INVALID, 415),
    "action_not_found": (_INVALID, 404),
    "resource_missing": (_INVALID, 404),
    "action_already_resolved": (_INVALID, 409),
    "event_already_cancelled": (_INVALID, 409),
    "alert_not_active": (_INVALID, 409),
    "calendar_read_only": (_INVALID, 409),
    "session_closed": (_INVALID, 409),
    "session_idle": (_INVALID, 408),
    "authentication_failed": ("authentication_error", 401),
    "session_token_expired": ("authentication_error", 401),
    "session_expired": ("authentication_error", 401),
    "authorization_failed": ("authorization_error", 403),
    "idempotency_key_in_use": ("idempotency_error", 409),
    "connection_expired": ("connection_error", 410),
    "rate_limit_exceeded": ("rate_limit_error", 429),
    "internal_error": ("api_error", 500),
    "service_unavailable": ("api_error", 503),
}


def error_body(
    code: str,
    message: str,
    request_id: str,
    *,
    param: str = "",
    retry_after_seconds: int | None = None,
    event_id: str = "",
) -> ErrorBody:
    """Write an error as the envelope's inside; ``event_id`` is the client message's that caused it."""
    return ErrorBody(
        type=KINDS[code][0],
        code=code,
        message=message,
        param=param or None,
        doc_url=DOCS + code.replace("_", "-"),
        request_id=request_id,
        retry_after_seconds=retry_after_seconds,
        event_id=event_id or None,
    )
