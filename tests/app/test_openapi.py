"""The API against its own description: schemathesis asks, in bounds, and every answer must be one that is written."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from msgspec import structs
from requests.structures import CaseInsensitiveDict
from schemathesis import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks

from phone_bridge.app.assistant_operations import MintBody
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.door import Door, utc_today
from phone_bridge.app.envelopes import SHARED_PATHS
from phone_bridge.app.openapi import PAGE, document
from phone_bridge.app.operations import CARRIERS, EXAMPLES, OPERATIONS, Calls, Operation
from phone_bridge.app.routes import PATHS, build
from phone_bridge.assistant.minting import MAX_BODY_BYTES
from phone_bridge.call import commands as c
from phone_bridge.call.events import Action
from phone_bridge.call.trace import Asked, Trace
from phone_bridge.runtime.record import CallRecord, Records
from phone_bridge.settings import Settings

KEY = "the-api-key"
EXAMPLES_EACH = 12  # cases of each operation and mode; all of it takes a few seconds
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SERVED = [operation for operation in OPERATIONS if operation.path in {route.path for route in PATHS}]
ASKED = [operation for operation in SERVED if not (operation.socket or operation.endless)]
ASKED_IN_MODES = [
    *((operation, GenerationMode.POSITIVE) for operation in ASKED),
    # Most of what stands in a path and a query can be anything, so that only a body is sure to be wrong.
    *((operation, GenerationMode.NEGATIVE) for operation in ASKED if operation.body is not None),
]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.positive_data_acceptance,
]
CHECKS_BUT_ACCEPTANCE = [check for check in CHECKS if check is not checks.positive_data_acceptance]
RULED = {
    "createEvent", "changeEvent", "snoozeAlert", "changeUser",  # rules between fields
    "createWebhookEndpoint", "changeWebhookEndpoint", "testWebhookEndpoint", "replayWebhookDelivery",  # urls, types
    "listEvents", "listAlerts", "listWebhookEndpoints", "listWebhookDeliveries",  # cursors, years
}  # fmt: skip
"""Operations with rules that a schema cannot say: what its shape allows may be refused."""
STRICT = ("Chronapilot-Version", "Chronapilot-Account", "Idempotency-Key")
"""Headers of which only few values are good; tests of their own send them."""
BOUNDED = settings(
    max_examples=EXAMPLES_EACH,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class House:
    """The application in this process, with calls in its records."""

    def __init__(self, folder: Path) -> None:
        chosen = Settings(
            database_url=f"sqlite:///{folder}/bridge.db", session="chronapilot", session_key="sk_test_1", api_key=KEY
        )
        self.bridge = Bridge(chosen, Records(chosen.database_url), None)
        for record in records():
            self.bridge.records.save(record)
        self.chosen = chosen
        self.app = build(lambda: self.bridge)
        self.client = asgi.get_client(cast(Any, self.app))
        self.api = schemathesis.openapi.from_asgi("/openapi.json", self.app)

    def key_of(self, operation: Operation) -> str:
        return self.bridge.embedded.key if operation.tag == "assistant" else KEY

    def forgive(self) -> None:
        """Forget the wrong keys that were shown so far."""
        self.bridge.door = Door(self.chosen, clock=time.monotonic, today=utc_today)

    def check(self, case: "schemathesis.Case[Any]", operation: Operation, having: list[Any] = CHECKS) -> int:
        """Send a case with the key it needs, and hold the answer against the description."""
        given = {name: value for name, value in dict(case.headers or {}).items() if name not in STRICT}
        case.headers = CaseInsensitiveDict(given)
        response = case.call(headers={"Authorization": f"Bearer {self.key_of(operation)}"})
        assert response.status_code < 500 or operation.name == "readiness", response.text
        case.validate_response(response, checks=having)
        return int(response.status_code)


def records() -> list[CallRecord]:
    """A call with everything in it, and one that rings."""
    trace = Trace(0)
    trace.said(0, "bridge", "Hello.")
    trace.said(900, "caller", "Cancel lunch.")
    action = Action("cancel_event", {"event_id": "evt_1", "big": 10**30, "deep": [[{"a": None}]]})
    trace.asked(Asked("act_1", action, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, 4_000, 2_000))
    trace.settled("act_1", "executed", {"id": "evt_1", "count": 1})
    full = record("call_full", status="completed", started_at="2026-11-21T10:00:00.000Z")
    full.observe(trace)
    full.ended_at, full.ended_by = "2026-11-21T10:00:09.000Z", "caller"
    return [full, record("call_rings", status="ringing", started_at="2026-11-21T10:01:00.000Z")]


def record(id: str, *, status: str, started_at: str) -> CallRecord:
    return CallRecord(
        id=id,
        carrier_id=f"CA{id}",
        direction="inbound",
        from_number="+12025550143",
        to_number=None,
        user_id="usr_1",
        session="embedded",
        status=status,
        started_at=started_at,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    asgi.shutdown_lifespans()


def named(case: Operation | GenerationMode) -> str:
    return f"{case.method} {case.path}" if isinstance(case, Operation) else case.value


def is_shared(path: str) -> bool:
    """Tell whether the bridge's own API has the path, too, so that without a key it is that API which answers."""
    return path.startswith(SHARED_PATHS)


def has_whole_float(body: Any) -> bool:
    """Tell whether a body has a 300.0, an integer to JSON Schema and none to those who read it."""
    if isinstance(body, dict | list):
        return any(map(has_whole_float, body.values() if isinstance(body, dict) else body))
    return isinstance(body, float)


# What is written


def test_every_route_is_described_or_a_carrier_s() -> None:
    described = {operation.path for operation in OPERATIONS}
    for route in PATHS:
        assert route.path in described or route.path.startswith(CARRIERS), f"{route.path} is in no table"


def test_every_method_of_a_described_path_is_described() -> None:
    described = {(operation.path, operation.method) for operation in OPERATIONS}
    for route in PATHS:
        for method in getattr(route, "methods", None) or {"GET"}:
            if method != "HEAD" and not route.path.startswith(CARRIERS):
                assert (route.path, method.lower()) in described


def test_nothing_is_described_that_is_not_served() -> None:
    paths = [route.path for route in PATHS]
    assert set(document(paths)["paths"]) == {path for path in paths if not path.startswith(CARRIERS)}
    assert document([])["paths"] == {}


def test_the_document_is_openapi(house: House) -> None:
    house.api.validate()
    written = document(route.path for route in PATHS)
    assert house.client.get("/openapi.json").json() == json.loads(json.dumps(written))


@pytest.mark.parametrize("shape", EXAMPLES, ids=lambda shape: str(shape.__name__))
def test_every_example_is_of_its_shape(shape: type) -> None:
    written = document(operation.path for operation in OPERATIONS)
    jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{shape.__name__}", "components": written["components"]}
    ).validate(EXAMPLES[shape])


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


def test_two_operations_of_one_path_are_described_together(monkeypatch: pytest.MonkeyPatch) -> None:
    mint, calls = (
        next(each for each in OPERATIONS if each.name == name) for name in ("createCalendarReminder", "listCalls")
    )
    other = structs.replace(calls, path=mint.path, method=mint.method, body=MintBody, answers={200: Calls, 201: Calls})
    monkeypatch.setattr("phone_bridge.app.openapi.OPERATIONS", (other, mint))
    both = document([mint.path])["paths"][mint.path][mint.method]
    assert both["summary"] == f"{calls.summary} Or: {mint.summary}"
    assert {"200", "201", "503", "409"} <= set(both["responses"])
    shapes = both["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert [shape["$ref"].rpartition("/")[2] for shape in shapes] == ["MintBody", "CalendarReminderBody"]
    answers = both["responses"]["201"]["content"]["application/json"]["schema"]["anyOf"]
    assert [shape["$ref"].rpartition("/")[2] for shape in answers] == ["Calls", "CalendarReminder"]
    assert {each["name"] for each in both["parameters"]} == {"carrier_id", *mint.headers}


# What is answered


@pytest.mark.parametrize(("operation", "mode"), ASKED_IN_MODES, ids=named)
def test_whatever_is_asked_the_answer_is_one_that_is_described(
    house: House, operation: Operation, mode: GenerationMode
) -> None:
    described = house.api[operation.path][operation.method]

    @BOUNDED
    @given(described.as_strategy(generation_mode=mode))
    def ask(case: "schemathesis.Case[Any]") -> None:
        assume(not has_whole_float(case.body))
        house.check(
            case, operation, CHECKS_BUT_ACCEPTANCE if operation.name in RULED or is_shared(operation.path) else CHECKS
        )

    ask()


@pytest.mark.parametrize(("name", "status"), [("showCall", 200), ("endCall", 409)])
@pytest.mark.parametrize("id", ["call_full", "call_rings"])
def test_a_call_that_there_is_is_shown_as_described(house: House, id: str, name: str, status: int) -> None:
    (operation,) = (each for each in SERVED if each.name == name)
    described = house.api[operation.path][operation.method]
    assert house.check(described.Case(path_parameters={"id": id}), operation) == status


def test_a_session_is_minted_shown_and_deleted_as_described(house: House) -> None:
    mint, show, delete = (next(each for each in SERVED if each.name == f"{verb}Session") for verb in VERBS)
    body = EXAMPLES[mint.body or type(None)]
    case = house.api[mint.path]["post"].Case(body=body, media_type="application/json")
    assert house.check(case, mint) == 201
    made = house.client.post(mint.path, json=body, headers={"Authorization": f"Bearer {house.key_of(mint)}"}).json()
    for operation in (show, delete, show):
        described = house.api[operation.path][operation.method]
        assert house.check(described.Case(path_parameters={"id": made["id"]}), operation) == 200


VERBS = ("mint", "show", "delete")


@pytest.mark.parametrize("operation", [each for each in ASKED if each.key and not is_shared(each.path)], ids=named)
@pytest.mark.parametrize("shown", ["", "Bearer wrong", "Basic eHk6eno="])
def test_without_the_key_the_answer_is_the_described_refusal(house: House, operation: Operation, shown: str) -> None:
    house.forgive()
    described = house.api[operation.path][operation.method]
    ids = dict.fromkeys(re.findall(r"{(\w+)}", operation.path), "call_full")
    case = described.Case(path_parameters=ids, headers={"Authorization": shown} if shown else {})
    response = case.call()
    assert response.status_code == 401
    case.validate_response(response, checks=CHECKS)


@pytest.mark.parametrize("path", sorted({operation.path for operation in ASKED}))
def test_another_method_is_refused_in_the_shape_of_all_errors(house: House, path: str) -> None:
    allowed = {operation.method.upper() for operation in SERVED if operation.path == path}
    for method in METHODS:
        if method in allowed:
            continue
        shown = {"Authorization": f"Bearer {house.bridge.embedded.key}"} if is_shared(path) else {}
        response = house.client.request(method, re.sub(r"{\w+}", "call_full", path), headers=shown)
        assert response.status_code == 405, method
        assert allowed <= set(response.headers["allow"].split(", "))
        is_error(response.json(), "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/phone",
        "/static/phone.html",
        "/static/..%2Fpages.py",
        "/v1",
        "/v1/calls/a/b",
        "/docs/",
        "/v1/voice/sessions/",
        "/%00",
        "/v2/calls",
    ],
)
def test_another_path_is_refused_in_the_shape_of_all_errors(house: House, path: str) -> None:
    response = house.client.get(path, allow_redirects=False)
    if response.status_code != 307:  # the router knows the path without its last slash
        assert response.status_code == 404
        is_error(response.json(), "path_unknown")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.sampled_from([b"{", b"[" * 50_000, b"{}", b"null", b'"\\ud800"', b"[1e999]"]))
def test_a_body_that_is_no_mint_is_refused_in_the_described_shape(house: House, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {house.bridge.embedded.key}"}
    response = house.client.post("/v1/voice/sessions", data=body, headers=headers)
    assert 400 <= response.status_code < 500
    assert {"type", "code", "message"} <= set(response.json()["error"])


def test_a_body_that_is_too_long_is_refused_in_the_described_shape(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.bridge.embedded.key}"}
    response = house.client.post("/v1/voice/sessions", data=b" " * (MAX_BODY_BYTES + 1), headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")


def is_error(body: Any, code: str) -> None:
    assert set(body) == {"error"}
    assert set(body["error"]) - {"doc_url", "request_id"} == {"type", "code", "message"}
    assert body["error"]["code"] == code


# What is shown


def test_the_page_loads_nothing_from_anywhere_else(house: House) -> None:
    response = house.client.get("/docs")
    page = response.text
    assert response.headers["content-type"].startswith("text/html")
    assert re.findall(r"""(?:src|href)\s*[=:]\s*["']([^"']*)""", page).count("/openapi.json") == 2
    assert not re.findall(r"""(?:https?:)?//[a-z]""", page.replace("// Everything", ""))
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert "unsafe" not in response.headers["content-security-policy"]
    assert page == PAGE.read_text(encoding="utf-8")
