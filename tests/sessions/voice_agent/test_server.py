import json

import pytest

from phone_bridge.offers import Effect, Offer
from phone_bridge.sessions.voice_agent import server
from phone_bridge.sessions.voice_agent.server import BadRequest, Wish, read_execution, read_wish
from phone_bridge.sessions.voice_agent.tools import EFFECTS

SEARCH = Offer(name="search_memory", description="Look.", schema={"type": "object"}, effect=Effect.READ)
EVENT = Offer(name="create_event", description="Put.", schema={"type": "object"}, effect=Effect.WRITE)


def test_everything_of_a_wish_may_be_missing() -> None:
    assert read_wish(b"") == read_wish(b"{}") == Wish("gpt-realtime-mini", "ash")
    assert read_wish(b'{"model":"gpt-4-realtime","voice":"verse"}') == Wish("gpt-realtime", "verse")


@pytest.mark.parametrize("body", [b"[]", b'{"voice":"nova"}', b'{"model":""}', b'{"model":3}', b"\xff"])
def test_a_wish_that_cannot_be_is_told(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_wish(body)


def test_tools_have_the_names_and_the_schemas_that_clients_know() -> None:
    session = json.loads(server.session(Wish(), [SEARCH, EVENT]))
    search, event = session["tools"]
    assert (search["name"], event["name"]) == ("searchMemory", "create_event")
    assert search["parameters"]["required"] == ["query"]
    assert "userId" not in search["parameters"]["properties"], "nobody is asked whose memory it is"
    assert event["parameters"] == {"type": "object"}
    assert set(server.DOCUMENTED) <= set(EFFECTS), "our own client knows what they do"


def test_the_key_becomes_the_ticket_of_an_address() -> None:
    minted = b'{"id":"sess_1","expires_at":0,"client_secret":{"value":"ek_1","expires_at":5}}'
    assert json.loads(server.addressed(minted, "wss://b/v1/realtime")) == {
        "id": "sess_1",
        "expires_at": 5,
        "client_secret": {"value": "wss://b/v1/realtime?ticket=ek_1", "expires_at": 5},
    }


def test_a_tool_is_read_by_our_own_name_for_it() -> None:
    messages = [{"role": "user", "content": "I like tea."}, {"role": "assistant", "content": "Noted."}]
    added = read_execution(
        json.dumps({"toolName": "addMemory", "args": {"messages": messages, "userId": "x"}}).encode()
    )
    assert (added.name, added.parameters) == ("add_memory", {"memory": "I like tea. Noted."})
    searched = read_execution(b'{"toolName":"searchMemory","args":{"query":"tea","memoryType":"SEMANTIC"}}')
    assert (searched.name, searched.parameters) == ("search_memory", {"query": "tea", "memory_type": "SEMANTIC"})
    other = read_execution(b'{"toolName":"desktop_State-Tool","args":{"userId":"x","use_dom":true}}')
    assert (other.name, other.parameters) == ("desktop_State-Tool", {"use_dom": True})


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"toolName":""}', b'{"toolName":"addMemory"}', b'{"toolName":"addMemory","args":{"messages":[1]}}'],
)
def test_what_names_no_deed_is_told(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_execution(body)
