"""The API's description: ``GET /openapi.json`` (OpenAPI 3.1), written from the table of operations, and ``GET /docs``.

The page is our own, one small file: what is vendored elsewhere for it is a megabyte of script and more, for a dozen
operations, and wants a policy that lets it do far more than show them.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from phone_bridge.app.envelopes import refused
from phone_bridge.app.operations import ABOUT, EXAMPLES, HTML, JSON, OPERATIONS, TAGS, Operation
from phone_bridge.assistant.minting import MAX_NAME_CHARS

PAGE = Path(__file__).with_name("static") / "docs.html"


# The document


def document(served: Iterable[str]) -> dict[str, Any]:
    """Write the OpenAPI document of those operations whose paths are ``served``."""
    there = frozenset(served)
    operations = [operation for operation in OPERATIONS if operation.path in there]
    shapes = {shape.__name__: shape for operation in operations for shape in _shapes(operation)}
    _, schemas = msgspec.json.schema_components(shapes.values(), ref_template="#/components/schemas/{name}")
    for schema in schemas.values():
        schema["description"] = schema.get("description", "").replace("``", "`")
    for shape, example in EXAMPLES.items():
        if shape.__name__ in schemas:
            schemas[shape.__name__]["examples"] = [example]
    paths: dict[str, Any] = {}
    for operation in operations:
        methods, described = paths.setdefault(operation.path, {}), _describe(operation)
        before = methods.get(operation.method)
        methods[operation.method] = described if before is None else _either(before, described)
    return {
        "openapi": "3.1.0",
        "info": {"title": "phone_bridge", "version": version("phone_bridge"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _shapes(operation: Operation) -> list[type]:
    given = [*operation.answers.values(), operation.body, operation.failure if operation.failures else None]
    return [each for each in given if isinstance(each, type)]


def _describe(operation: Operation) -> dict[str, Any]:
    answers = {**operation.answers, **dict.fromkeys(operation.failures, operation.failure)}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {str(status): _answer(status, content) for status, content in sorted(answers.items())},
    }
    if operation.key:
        described["security"] = [{"key": []}]
    if parameters := list(_parameters(operation)):
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    if operation.socket:
        described["x-websocket"] = True
    return described


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Describe two operations of one method and path, of which the kind of the key decides."""
    parameters = {
        (each["in"], each["name"]): each for each in (*one.get("parameters", ()), *other.get("parameters", ()))
    }
    both = {
        **one,
        **other,
        "summary": f"{one['summary']} Or: {other['summary']}",
        "parameters": list(parameters.values()),
    }
    both["responses"] = {
        status: _either_content(one["responses"].get(status), other["responses"].get(status))
        for status in sorted({*one["responses"], *other["responses"]})
    }
    if "requestBody" in both:
        both["requestBody"] = _either_content(one.get("requestBody"), other.get("requestBody"))
    return both


def _either_content(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any]:
    if one is None or other is None:
        return one or other or {}
    schemas = [each["content"][JSON]["schema"] for each in (one, other)]
    return {**one, "content": {JSON: {"schema": {"anyOf": schemas}}}} if schemas[0] != schemas[1] else one


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    name = {"type": "string", "maxLength": MAX_NAME_CHARS}
    inside = re.findall(r"{(\w+)}", operation.path)
    return [
        *({"name": each, "in": "path", "required": True, "schema": text} for each in inside),
        *(_in_query(name, what) for name, what in operation.query.items()),
        *({"name": n, "in": "header", "description": d, "schema": name} for n, d in operation.headers.items()),
    ]


def _in_query(name: str, what: str | tuple[str, dict[str, Any]]) -> dict[str, Any]:
    description, schema = (what, {"type": "string"}) if isinstance(what, str) else what
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _answer(status: int, content: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if content is not None:
        answer["content"] = _content(content)
    return answer


def _content(content: Any) -> dict[str, Any]:
    if isinstance(content, type):
        return {JSON: {"schema": {"$ref": f"#/components/schemas/{content.__name__}"}}}
    return {content: {}}


# The paths


async def openapi(request: Request) -> Response:
    """Give the OpenAPI document."""
    return Response(_encoded(tuple(route.path for route in request.app.routes)), media_type=JSON)


async def docs(request: Request) -> Response:
    """Show the document as a page that loads nothing from anywhere else."""
    page, policy = _page()
    return Response(page, media_type=HTML, headers={"Content-Security-Policy": policy})


async def not_served(request: Request, error: Exception) -> Response:
    """Refuse a path or a method that there is not, in the shape of all errors."""
    why = error if isinstance(error, HTTPException) else HTTPException(HTTPStatus.NOT_FOUND)
    code = "method_not_allowed" if why.status_code == HTTPStatus.METHOD_NOT_ALLOWED else "path_unknown"
    message = f"{request.method} {request.url.path} is not served here; GET /docs shows what is."
    allow = {"Allow": _allowed(request)} if why.status_code == HTTPStatus.METHOD_NOT_ALLOWED else {}
    return refused(request.scope, why.status_code, code, message, {**(why.headers or {}), **allow})


def _allowed(request: Request) -> str:
    """Name every method that is served under the request's path, which the router does for one route alone."""
    there = (route for route in request.app.routes if isinstance(route, Route))
    methods = {
        each for route in there if route.matches(request.scope)[0] is not Match.NONE for each in route.methods or ()
    }
    return ", ".join(sorted(methods))


@cache
def _encoded(served: tuple[str, ...]) -> bytes:
    return msgspec.json.encode(document(served))


@cache
def _page() -> tuple[str, str]:
    """Read the page, and allow it nothing but its own script, its own style, and the document."""
    page = PAGE.read_text(encoding="utf-8")
    (style,), (script,) = (re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("style", "script"))
    allowed = f"connect-src 'self'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    return page, f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
