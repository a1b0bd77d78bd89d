import json
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.offers import Effect
from phone_bridge.sessions.voice_agent.tools import EFFECTS, execute, executed, offers

MINTED = Path(__file__).parents[2] / "wire" / "voice_agent" / "minted.json"


def minted() -> Any:
    return json.loads(MINTED.read_text())


def arguments(name: str, **given: Any) -> dict[str, Any]:
    request = execute("http://agent", {"Authorization": "Bearer t"}, "usr_a", name, given)
    assert (request.method, request.url) == ("POST", "http://agent/api/voice-agent/execute-tool")
    assert request.headers["Authorization"] == "Bearer t"
    body = json.loads(request.body)
    assert body["toolName"] == name
    found: dict[str, Any] = body["args"]
    return found


def test_a_telephone_is_offered_what_a_telephone_can_do() -> None:
    names = {offer.name for offer in offers(minted()["tools"])}
    assert names == {"tavilySearchTool", "addMemory", "searchMemory", "windows-mcp_Powershell-Tool"}


def test_no_model_is_asked_whose_memory_it_is() -> None:
    (add,) = (offer for offer in offers(minted()["tools"]) if offer.name == "addMemory")
    assert "userId" not in add.schema["properties"]
    assert add.schema["required"] == ["messages"]


def test_what_is_not_known_counts_as_the_worst() -> None:
    effects = {offer.name: offer.effect for offer in offers(minted()["tools"])}
    assert effects["windows-mcp_Powershell-Tool"] is Effect.DESTROY
    assert effects["searchMemory"] is Effect.READ
    assert effects["addMemory"] is Effect.WRITE
    assert "windows-mcp_Type-Tool" not in EFFECTS


def test_tools_that_are_none_are_passed_over() -> None:
    assert offers(None) == ()
    assert offers([3, {}, {"name": 7}, {"type": "mcp", "name": "x"}, {"name": ""}]) == ()
    (bare,) = offers([{"name": "x"}])
    assert bare.schema == {"type": "object", "properties": {}}


def test_the_caller_s_identity_is_filled_in_whatever_the_model_says() -> None:
    assert arguments("searchMemory", query="x", userId="usr_b") == {"query": "x", "userId": "usr_a"}
    assert arguments("tavilySearchTool", query="x", userId="usr_b") == {"query": "x"}


def test_a_result_is_given_as_it_is() -> None:
    assert executed(Response(status=200, body=b'{"results": []}')) == '{"results": []}'
    assert executed(Response(status=200, body=b"plain")) == "plain"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"error": "Tool is not executable"}', Refused),
        (400, b'{"error": "toolName is required"}', Refused),
        (404, b'{"error": "Tool \'x\' not found"}', Refused),
        (401, b"Unauthorized", Refused),
        (503, b"", Unavailable),
        (500, b'{"error": "it broke"}', RemoteError),
        (302, b"", RemoteError),
    ],
)
def test_what_went_wrong_is_told_by_its_kind(status: int, body: bytes, kind: type[BridgeError]) -> None:
    with pytest.raises(kind):
        executed(Response(status=status, body=body))
