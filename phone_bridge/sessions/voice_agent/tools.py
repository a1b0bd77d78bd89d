"""The endpoint's own tools: which of them only look, whom they belong to, and how they are run, as values of HTTP."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.offers import Effect, Offer

EXECUTE_PATH = "/api/voice-agent/execute-tool"
EXECUTE_SECONDS = 30.0
"""How long one of its tools may take; a desktop's are slow."""

EFFECTS: Mapping[str, Effect] = {
    "tavilySearchTool": Effect.READ,
    "searchMemory": Effect.READ,
    "getAllMemories": Effect.READ,
    "addMemory": Effect.WRITE,
    "updateMemory": Effect.WRITE,
    "deleteMemory": Effect.DESTROY,
    "windows-mcp_State-Tool": Effect.READ,
    "windows-mcp_Wait-Tool": Effect.READ,
    "windows-mcp_Scrape-Tool": Effect.READ,
    "windows-mcp_Move-Tool": Effect.WRITE,
    "windows-mcp_Scroll-Tool": Effect.WRITE,
}
"""What its tools do, as far as it documents them and the desktop server marks them; every other one is the worst."""

BROWSER_ONLY = frozenset({"changeBrowserTheme", "endConversation"})
"""Tools that its web page runs by itself; a telephone has no theme, and ends its calls otherwise."""

USER_ID = "userId"
"""The parameter that says whose memory is meant: filled in by us, and nothing that a model may say."""


_PERSONAL = frozenset({"addMemory", "searchMemory", "getAllMemories", "updateMemory", "deleteMemory"})


class _Tool(Struct):
    name: str
    description: str = ""
    parameters: dict[str, Any] = {}
    type: str = "function"


class _Failure(Struct):
    error: str = ""


_read_failure = msgspec.json.Decoder(_Failure).decode


def offers(tools: Any) -> tuple[Offer, ...]:
    """Read the tools of a minted session, without what a telephone cannot do and without whose they are."""
    found = []
    for each in tools if isinstance(tools, list) else ():
        try:
            tool = msgspec.convert(each, _Tool)
        except msgspec.ValidationError:
            continue
        if tool.name and tool.type == "function" and tool.name not in BROWSER_ONLY:
            found.append(
                Offer(
                    name=tool.name,
                    description=tool.description,
                    schema=_without_user(tool.parameters),
                    effect=EFFECTS.get(tool.name, Effect.DESTROY),
                    seconds=EXECUTE_SECONDS,
                )
            )
    return tuple(found)


def execute(
    base_url: str, headers: Mapping[str, str], user_id: str, name: str, arguments: Mapping[str, Any]
) -> Request:
    """Ask for a tool to be run for ``user_id``, whatever the model says of that."""
    told = {name: value for name, value in arguments.items() if name != USER_ID}
    if name in _PERSONAL:
        told[USER_ID] = user_id
    return Request(
        method="POST",
        url=base_url + EXECUTE_PATH,
        headers={**headers, "Content-Type": "application/json"},
        body=msgspec.json.encode({"toolName": name, "args": told}),
    )


def executed(response: Response) -> str:
    """Read what a tool gave; raises Refused (no such tool, not allowed), Unavailable or RemoteError (it failed).

    A tool that cannot run is told with a 200 and an ``error``.
    """
    text = response.body.decode("utf-8", "replace")
    reason = _reason(response.body)
    if response.status == 200 and not reason:
        return text
    if response.status in (401, 403):
        raise Refused("The voice agent does not accept its key.", code="voice_agent_refused")
    if response.status in (400, 404, 200):
        raise Refused(reason or "The voice agent has no such tool.", code="tool_refused")
    if response.status in (429, 502, 503, 504):
        raise Unavailable("The voice agent cannot run tools just now.", code="voice_agent_unavailable")
    raise RemoteError(reason or f"The voice agent answered {response.status}.", code="tool_failed")


def _reason(body: bytes) -> str:
    try:
        return _read_failure(body).error
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""


def _without_user(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, dict) or USER_ID not in properties:
        return dict(schema) or {"type": "object", "properties": {}}
    required = [name for name in schema.get("required") or () if name != USER_ID]
    kept = {name: value for name, value in properties.items() if name != USER_ID}
    return {**schema, "properties": kept, "required": required}
