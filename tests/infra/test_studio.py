"""The Studio flow, its Function and the TwiML Bins: each leads where it says, and takes what the bridge tells."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from phone_bridge.app.handing_back import Ended
from phone_bridge.handover import PREFIX, Result, WayBack, address, way_back
from phone_bridge.routing import Route
from phone_bridge.settings import Settings
from phone_bridge.simulator.verbs import Dial, Redirect, Say, parse
from phone_bridge.tenants import read
from tests.infra.files import INFRA
from tests.infra.test_ivr import KEY, block

TWILIO = INFRA / "twilio"
FLOW = json.loads((TWILIO / "studio-flow.json").read_text())
STATES: Mapping[str, Any] = {state["name"]: state for state in FLOW["states"]}
EVENTS = {
    "trigger": {
        "incomingMessage",
        "incomingCall",
        "incomingConversationMessage",
        "incomingRequest",
        "incomingParent",
    },
    "gather-input-on-call": {"keypress", "speech", "timeout"},
    "split-based-on": {"noMatch", "match"},
    "add-twiml-redirect": {"return", "timeout", "fail"},
    "run-function": {"success", "fail"},
    "say-play": {"audioComplete"},
    "connect-call-to": {"callCompleted", "hangup"},
}
"""The widgets that are used, and what each may end with."""
NEEDED = {
    "gather-input-on-call": {"say", "number_of_digits", "timeout"},
    "split-based-on": {"input"},
    "add-twiml-redirect": {"url", "method", "timeout"},
    "run-function": {"service_sid", "environment_sid", "function_sid", "url", "parameters"},
    "say-play": {"say", "language"},
    "connect-call-to": {"noun", "to", "caller_id", "timeout"},
}
ALL = Result(call="c", call_sid="CA1", ended="completed", error="x", actions=[("a", "b", "c")], digits="1")
NODE = shutil.which("node")


@pytest.fixture
def route(tmp_path: Path) -> Route:
    (tmp_path / "phone-bridge.toml").write_text(block("toml", "webhooks.twilio.com"))
    (route,) = read({"IVR_RETURN_KEY": KEY}, tmp_path, Settings())
    return route


def leads(state: Mapping[str, Any]) -> Iterator[str]:
    yield from (each["next"] for each in state["transitions"] if "next" in each)


def after(name: str, event: str, value: str = "") -> str:
    """Walk one step: which widget comes after an event, or after a value that is split on."""
    for each in STATES[name]["transitions"]:
        values = [condition["value"] for condition in each.get("conditions", ())]
        if each["event"] == event and (event != "match" or value in values):
            return str(each.get("next", ""))
    return after(name, "noMatch") if event == "match" else ""


@pytest.mark.parametrize("name", STATES)
def test_each_widget_is_one_and_has_what_it_needs(name: str) -> None:
    state = STATES[name]
    assert {each["event"] for each in state["transitions"]} == EVENTS[state["type"]]
    assert NEEDED.get(state["type"], set()) <= state["properties"].keys()
    assert {"x", "y"} == state["properties"]["offset"].keys()
    assert set(leads(state)) <= STATES.keys()
    for each in state["transitions"]:
        assert ("conditions" in each) is (each["event"] == "match")


def test_every_widget_is_reached_and_nobody_is_left_in_silence() -> None:
    reached, ahead = set(), [FLOW["initial_state"]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += leads(STATES[name])
    assert reached == set(STATES)
    ends = {name for name in STATES if not list(leads(STATES[name]))}
    assert ends == {"goodbye", "reception"}  # a word, or a person
    for name in ("main_menu", "chosen", "to_assistant", "is_it_ours", "what_came_of_it"):
        assert len(list(leads(STATES[name]))) == len(STATES[name]["transitions"])  # whatever happens, it goes on


def test_the_caller_is_handed_over_with_a_way_back_that_the_route_allows(route: Route) -> None:
    assert after("chosen", "match", "1") == "to_assistant"
    url = urlsplit(STATES["to_assistant"]["properties"]["url"])
    query = dict(parse_qsl(url.query))
    assert (url.path, query["route"]) == ("/twilio/voice", route.name)
    back = way_back(route.return_urls, route.return_key, query["return_url"], "FN" + "f" * 32)
    assert "FlowEvent=return&pb_at=" in address(back, Result(call_sid="CA1", ended="busy"), 0)


def test_each_end_leads_somewhere_and_faults_to_the_reception() -> None:
    led = {end: after("what_came_of_it", "match", end) for end in Ended}
    assert {end for end, name in led.items() if name == "goodbye"} == {"completed", "voicemail", "transferred"}
    assert {end for end, name in led.items() if name == "main_menu"} == {"no_choice"}
    assert after("sorry", "audioComplete") == after("is_it_ours", "fail") == "reception"


def test_the_function_is_given_all_that_is_told() -> None:
    told = {name for name, _ in parse_qsl(urlsplit(address(WayBack(url="https://x", key=KEY, ref="r"), ALL, 0)).query)}
    given = {each["key"]: each["value"] for each in STATES["is_it_ours"]["properties"]["parameters"]}
    assert told == {name for name in given if name.startswith(PREFIX)}
    assert {name: given[name] for name in told} == {name: f"{{{{widgets.to_assistant.{name}}}}}" for name in told}
    assert given["CallSid"] == "{{trigger.call.CallSid}}"


def asked(event: Mapping[str, str]) -> Any:
    """Run the Function as Twilio does."""
    assert NODE is not None
    program = (
        f"require({json.dumps(str(TWILIO / 'verify.js'))}).handler({json.dumps({'IVR_RETURN_KEY': KEY})}, "
        f"{json.dumps(dict(event))}, (error, answer) => console.log(JSON.stringify(error ? null : answer)));"
    )
    told = subprocess.run([NODE, "-e", program], capture_output=True, check=True, timeout=20)
    return json.loads(told.stdout)


@pytest.mark.skipif(NODE is None, reason="there is no node on this machine")
def test_the_function_tells_our_results_from_others() -> None:
    result = Result(call="c", call_sid="CA1", ended="completed", actions=[("cancel_event", "confirmed", "executed")])
    url = address(WayBack(url="https://x/y?FlowEvent=return", key=KEY, ref="é"), result, int(time.time()))
    query = dict(parse_qsl(urlsplit(url).query))
    given = {**query, "pb_error": "", "pb_digits": "", "CallSid": "CA1"}  # Studio gives what is not there as empty
    assert asked(given) == {"ended": "completed", "actions": "cancel_event:confirmed:executed"}
    old = dict(parse_qsl(urlsplit(address(WayBack(url="https://x", key=KEY), result, 1)).query))
    for other in (
        {**given, "CallSid": "CA2"},
        {**given, "pb_ended": "failed"},
        {**given, "pb_signature": ""},
        {**old, "CallSid": "CA1"},
    ):
        assert asked(other) is None


def test_the_bins_are_documents_that_a_carrier_follows() -> None:
    over, back = (parse((TWILIO / f"{name}.xml").read_bytes()) for name in ("hand-over", "take-back"))
    assert over.faults == back.faults == ()
    (redirect,) = over.verbs
    assert isinstance(redirect, Redirect)
    query = dict(parse_qsl(urlsplit(redirect.url).query))
    assert way_back((query["return_url"],), KEY, query["return_url"], "CA" + "f" * 32).url == query["return_url"]
    assert [type(verb) for verb in back.verbs] == [Say, Dial]
