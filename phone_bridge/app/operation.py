"""One operation of the API, as the tables of operations have it."""

from typing import Any

import msgspec

TEXT, HTML, JSON = "text/plain", "text/html", "application/json"
EVENTS = "text/event-stream"

Query = dict[str, str | tuple[str, dict[str, Any]]]
"""The parameters of a query: what each is for and, where it is not any text, its JSON Schema."""


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What went wrong: its kind, a stable word for programs, a sentence for people, and the parameter at fault."""

    type: str
    code: str
    message: str
    param: str | msgspec.UnsetType = msgspec.UNSET


class Error(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every refusal and failure of the bridge's own API."""

    error: Failure


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path.

    ``answers`` gives each status a struct to be sent as JSON, the media type of a text, or None for nothing;
    ``failure`` is the shape of every other status in ``failures``. ``key`` False is open to everybody,
    ``endless`` an answer that goes on as long as there is something to tell.
    """

    name: str
    tag: str
    method: str
    path: str
    summary: str
    answers: dict[int, Any]
    failures: tuple[int, ...] = ()
    failure: type = Error
    key: bool = True
    body: type | None = None
    query: Query = {}
    headers: dict[str, str] = {}
    socket: bool = False
    endless: bool = False
