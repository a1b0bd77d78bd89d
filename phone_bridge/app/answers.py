"""What programs are answered with: JSON, and one shape for every refusal."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from starlette.responses import Response

_NOTHING: Mapping[str, str] = MappingProxyType({})


def answer(content: Any, status: int = 200, headers: Mapping[str, str] = _NOTHING) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")


def problem(
    status: int, kind: str, code: str, message: str, headers: Mapping[str, str] = _NOTHING, *, param: str = ""
) -> Response:
    """Answer with the API's error shape; ``param`` names the parameter at fault."""
    error = {"type": kind, "code": code, "message": message} | ({"param": param} if param else {})
    return answer({"error": error}, status, headers)
