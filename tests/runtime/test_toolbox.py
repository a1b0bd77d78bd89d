import asyncio
import json

import pytest

from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError, Unavailable
from phone_bridge.offers import Effect, Offer
from phone_bridge.runtime.toolbox import CUT, MAX_RESULT_CHARS, CallFacts, Ran, Some, Toolbox, Tools
from tests.clock import run_virtual

FACTS = CallFacts(call_id="call_1", user_id="usr_1")


def offer(name: str, effect: Effect = Effect.READ, seconds: float = 1.0) -> Offer:
    return Offer(name=name, description=name, schema={"type": "object"}, effect=effect, seconds=seconds)


class Box:
    """A toolbox whose one tool does what its test says."""

    def __init__(self, offered: Offer, outcome: str | Exception = "done", takes: float = 0.0) -> None:
        self._offered = offered
        self._outcome = outcome
        self._takes = takes
        self.ran: list[tuple[str, Action, str]] = []

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        return (self._offered,) if facts.user_id == "usr_1" else ()

    async def prepare(self, user_id: str, action: Action) -> Action | Ran:
        await asyncio.sleep(self._takes)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return Action(action.name, {"user": user_id})

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        self.ran.append((user_id, action, key))
        await asyncio.sleep(self._takes)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return Ran(self._outcome, True)


def code(ran: Ran) -> str:
    return str(json.loads(ran.result)["error"]["code"])


def test_what_is_offered_comes_from_all_boxes_and_the_first_has_the_name() -> None:
    boxes: list[Toolbox] = [Box(offer("a"), "first"), Box(offer("b", Effect.WRITE)), Box(offer("a"), "second")]
    tools = Tools(boxes, FACTS)
    assert [each.name for each in tools.offers] == ["a", "b"]
    assert tools.effects == {"a": "read", "b": "write"}
    assert tools.reads("a")
    assert not tools.reads("b")
    assert not tools.reads("c")
    assert run_virtual(tools.run(Action("a"), "k")) == Ran("first", True)


def test_of_some_tools_only_those_can_be_run() -> None:
    hidden, shown = Box(offer("a", Effect.WRITE)), Box(offer("b"))
    tools = Tools([Some(box, lambda each: each.effect is Effect.READ) for box in (hidden, shown)], FACTS)
    assert [each.name for each in tools.offers] == ["b"]
    assert code(run_virtual(tools.run(Action("a"), "k"))) == "unknown_tool"
    assert hidden.ran == []
    assert run_virtual(tools.run(Action("b"), "k")) == Ran("done", True)
    assert run_virtual(tools.prepare(Action("b"))) == Action("b", {"user": "usr_1"})


def test_a_box_may_offer_nothing_to_a_call() -> None:
    assert Tools([Box(offer("a"))], CallFacts(call_id="call_1", user_id="usr_2")).offers == ()


def test_a_tool_runs_for_the_calls_own_user_under_the_given_key() -> None:
    box = Box(offer("a"))
    run_virtual(Tools([box], FACTS).run(Action("a", {"x": 1}), "key"))
    assert box.ran == [("usr_1", Action("a", {"x": 1}), "key")]


def test_a_tool_that_nobody_offers_is_refused_by_name() -> None:
    tools = Tools([], FACTS)
    assert code(run_virtual(tools.run(Action("a"), "k"))) == "unknown_tool"
    prepared = run_virtual(tools.prepare(Action("a")))
    assert isinstance(prepared, Ran)
    assert code(prepared) == "unknown_tool"


@pytest.mark.parametrize(("effect", "unsure"), [(Effect.READ, False), (Effect.WRITE, True)])
def test_a_tool_that_takes_too_long_is_let_go(effect: Effect, unsure: bool) -> None:
    tools = Tools([Box(offer("a", effect, seconds=2.0), takes=2.1)], FACTS)
    ran = run_virtual(tools.run(Action("a"), "k"))
    assert (code(ran), ran.ok, ran.unsure) == ("tool_timeout", False, unsure)
    prepared = run_virtual(tools.prepare(Action("a")))
    assert isinstance(prepared, Ran)
    assert (code(prepared), prepared.unsure) == ("tool_timeout", False)
    assert run_virtual(Tools([Box(offer("a", seconds=2.0), takes=1.9)], FACTS).run(Action("a"), "k")).ok


def test_a_peer_that_fails_is_told_as_a_result() -> None:
    tools = Tools([Box(offer("a", Effect.WRITE), Unavailable("No.", code="down"))], FACTS)
    ran = run_virtual(tools.run(Action("a"), "k"))
    assert (code(ran), ran.ok, ran.unsure) == ("down", False, True)


def test_our_own_mistakes_are_raised() -> None:
    with pytest.raises(LocalError):
        run_virtual(Tools([Box(offer("a"), LocalError("Oops."))], FACTS).run(Action("a"), "k"))


@pytest.mark.parametrize("length", [MAX_RESULT_CHARS, MAX_RESULT_CHARS + 1])
def test_a_result_is_cut_to_what_a_model_can_read(length: int) -> None:
    ran = run_virtual(Tools([Box(offer("a"), "x" * length)], FACTS).run(Action("a"), "k"))
    assert len(ran.result) == MAX_RESULT_CHARS
    assert ran.result.endswith(CUT) == (length > MAX_RESULT_CHARS)
