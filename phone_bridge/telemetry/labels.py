"""The words that may be labels: each from a set that is known here, so that nobody outside can make a new series."""

NONE = "none"
OTHER = "other"

DIRECTIONS = frozenset({"inbound", "outbound"})
SPEAKERS = ("caller", "assistant", "bridge")
VERDICTS = ("confirmed", "declined", "expired", "unanswered")
ANSWERED_BY = ("digit", "speech", NONE)
OUTCOMES = ("executed", "failed", "unknown")
ENDED_BY = frozenset({"caller", "carrier", "assistant", "bridge", "api", "drain"})

SESSION_ERRORS = ("session_unavailable", "session_refused", "session_lost", "session_expired")
LEG_ERRORS = ("leg_lost", "malformed_stream", "message_rate", "unsupported_media_format")
CALL_ERRORS = frozenset({*SESSION_ERRORS, *LEG_ERRORS, "bridge_failed"})
"""Why a call ended that should not have; ``GET /v1/calls/{id}`` shows the same words."""

USUAL_ENDS = (
    ("caller", NONE),
    ("assistant", NONE),
    ("bridge", NONE),
    ("api", NONE),
    ("drain", NONE),
    ("carrier", "leg_lost"),
    ("bridge", "bridge_failed"),
    *(("bridge", error) for error in SESSION_ERRORS),
)
"""Ends that are shown from the start, as zeros: a rate cannot see the first of a series that was not there."""

OPENED = "opened"
GIVEN_UP = "given_up"
"""The caller went while the session was being opened."""
USUAL_OPENINGS = (OPENED, "unreachable", "timeout", "service_unavailable")
OPENINGS = frozenset(
    {
        *USUAL_OPENINGS,
        GIVEN_UP,
        "authentication_failed",
        "authorization_failed",
        "bad_address",
        "bad_handshake",
        "bad_response",
        "certificate",
        *(f"http_{status}" for status in (400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)),
        "invalid_mint",
        "rate_limit_exceeded",
        "resource_missing",
        "response_too_big",
        "unavailable",
        "unexpected_status",
    }
)
"""How an attempt to open a session ended."""

WEBHOOK_REFUSALS = (
    "unsigned",
    "form_too_large",
    "missing_parameter",
    "unknown_status",
    "database",
    "cut_off_too_often",
)
"""Codes of webhooks that were not served."""
USUAL_STREAM_REFUSALS = ("unsigned", "stream_not_started", "token_expired", "token_signature", "token_used")
STREAM_REFUSALS = frozenset(
    {
        *USUAL_STREAM_REFUSALS,
        "draining",
        "busy",
        "message_rate",
        "database",
        "malformed_stream",
        "token_algorithm",
        "token_audience",
        "token_malformed",
        "token_missing",
        "token_superseded",
        "token_unknown_call",
        "token_unknown_key",
        "token_too_long",
        "token_wrong_call",
        "too_many_waiting",
        "unknown_address",
        "unsupported_media_format",
    }
)
"""Codes of media sockets that were not let in."""
STATUSES = frozenset({"1xx", "2xx", "3xx", "4xx", "5xx"})


def bounded(word: str | None, known: frozenset[str] | tuple[str, ...]) -> str:
    """Give ``word`` where it is known, ``none`` for no word, and ``other`` for any other."""
    if not word:
        return NONE
    return word if word in known else OTHER
