"""The catalogue: names, scopes, and which tools ask before they act."""

import pytest

from phone_bridge.errors import LocalError, Refused
from phone_bridge.tools.catalogue import Catalogue, Effect, Policy, Reach, Tool


def make(name: str, effect: Effect, reach: Reach = Reach.NOTHING, *, asks: bool = False, scope: str = "x:read") -> Tool:
    return Tool(name=name, description="", schema={}, effect=effect, scope=scope, reach=reach, asks=asks)


READER = make("look", Effect.READ)
WRITER = make("write", Effect.WRITE, Reach.CALENDAR, asks=True, scope="x:write")
NOTER = make("note", Effect.WRITE, Reach.STATE, scope="x:write")
TELLER = make("tell", Effect.OUTWARD, Reach.MESSAGE, asks=True, scope="x:write")
ENDER = make("end", Effect.DESTROY, Reach.CALENDAR, asks=True, scope="x:write")
ALL = Catalogue((READER, WRITER, NOTER, TELLER, ENDER))


def test_finds_a_tool_by_its_name() -> None:
    assert ALL.find("note") is NOTER
    assert "note" in ALL
    assert "nothing" not in ALL
    assert [tool.name for tool in ALL] == ["look", "write", "note", "tell", "end"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        ALL.find("nothing")
    assert caught.value.code == "invalid_parameter"


def test_two_tools_of_one_name_are_our_mistake() -> None:
    with pytest.raises(LocalError):
        Catalogue((READER, READER))


def test_scopes_open_tools() -> None:
    assert ALL.within(["x:read"]).names() == {"look"}
    assert ALL.within(["x:write", "y:read"]).names() == {"write", "note", "tell", "end"}
    assert ALL.within([]).names() == frozenset()


@pytest.mark.parametrize(
    ("policy", "asking"),
    [
        (Policy.DEFAULT, {"write", "tell", "end"}),
        (Policy.ALL, {"write", "note", "tell", "end"}),
        (Policy.CALENDAR, {"write", "end"}),
        (Policy.NONE, set()),
    ],
)
def test_the_policy_says_which_tools_ask(policy: Policy, asking: set[str]) -> None:
    assert {tool.name for tool in ALL if tool.needs_consent(policy)} == asking


def test_what_no_tool_brings_back_is_not_reversible() -> None:
    assert {tool.name for tool in ALL if not tool.reversible} == {"tell", "end"}
