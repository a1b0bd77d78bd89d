import json

import pytest

from phone_bridge.assistant.problems import Problem
from phone_bridge.errors import LocalError


def test_a_problem_is_written_in_the_apis_envelope() -> None:
    problem = Problem("too often", code="rate_limit_exceeded", param="user_id", retry_after_seconds=7)
    response = problem.response("req_1")

    assert response.status == 429
    assert response.headers == {"content-type": "application/json", "retry-after": "7"}
    assert json.loads(response.body) == {
        "error": {
            "type": "rate_limit_error",
            "code": "rate_limit_exceeded",
            "message": "too often",
            "param": "user_id",
            "doc_url": "https://docs.chronapilot.com/errors/rate-limit-exceeded",
            "request_id": "req_1",
            "retry_after_seconds": 7,
        }
    }


def test_on_a_socket_it_names_the_message_that_caused_it() -> None:
    body = Problem("odd", code="invalid_audio").body("req_1", "evt-7")

    assert (body.event_id, body.type, body.param) == ("evt-7", "invalid_request_error", None)


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("missing_required_field", "invalid_request_error", 400),
        ("authentication_failed", "authentication_error", 401),
        ("session_token_expired", "authentication_error", 401),
        ("authorization_failed", "authorization_error", 403),
        ("resource_missing", "invalid_request_error", 404),
        ("idempotency_key_in_use", "idempotency_error", 409),
        ("payload_too_large", "invalid_request_error", 413),
        ("internal_error", "api_error", 500),
    ],
)
def test_codes_have_their_types_and_statuses(code: str, kind: str, status: int) -> None:
    problem = Problem("words", code=code)

    assert (problem.status, problem.body("req_1").type) == (status, kind)


def test_a_code_that_nobody_knows_is_our_own_mistake() -> None:
    with pytest.raises(LocalError):
        Problem("words", code="something_else")
