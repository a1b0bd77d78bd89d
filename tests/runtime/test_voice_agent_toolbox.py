import asyncio
import json

from phone_bridge.call.events import Action
from phone_bridge.errors import Unavailable
from phone_bridge.exchange import Response
from phone_bridge.runtime.toolbox import CallFacts, Ran, Tools
from phone_bridge.runtime.voice_agent_toolbox import VoiceAgentTools
from tests.runtime.test_web_toolbox import Web

FACTS = CallFacts(call_id="call_1", user_id="usr_a")


def tools(web: Web) -> Tools:
    return Tools((), FACTS, VoiceAgentTools(web, "http://agent/", "t0ken"))


def run(web: Web, name: str) -> Ran:
    return asyncio.run(tools(web).run(Action(name, {"query": "x", "userId": "usr_b"}), "key"))


def test_a_tool_is_run_by_the_endpoint_for_the_caller() -> None:
    web = Web(Response(status=200, body=b'{"results":[]}'))
    assert run(web, "searchMemory") == Ran('{"results":[]}', True)
    (request,) = web.asked
    assert json.loads(request.body)["args"]["userId"] == "usr_a"
    assert request.headers["Authorization"] == "Bearer t0ken"


def test_what_only_looks_is_not_asked_for_and_all_else_is() -> None:
    made = tools(Web(Response(status=200)))
    assert made.reads("searchMemory")
    assert not made.reads("addMemory")
    assert not made.reads("windows-mcp_Powershell-Tool"), "nobody says what it does"
    assert made.effects["addMemory"] == "write"
    action = Action("anything", {"a": 1})
    assert asyncio.run(made.prepare(action)) == action
    assert made.offers == (), "the session offers them itself"


def test_a_failure_is_told_and_in_doubt_where_it_may_have_happened() -> None:
    gone = Web(Unavailable("gone", code="timeout"))
    assert run(gone, "addMemory").unsure
    assert not run(gone, "searchMemory").unsure
    refused = run(Web(Response(status=404, body=b'{"error":"Tool not found"}')), "addMemory")
    assert (refused.ok, refused.unsure) == (False, False)
    assert "Tool not found" in refused.result
