"""Setting a PIN as a tool."""

import asyncio
import json

from phone_bridge.call.events import Action
from phone_bridge.offers import Effect
from phone_bridge.runtime.pin_toolbox import CHANGE_PIN, PinToolbox
from phone_bridge.runtime.toolbox import CallFacts, Ran, Tools

FACTS = CallFacts(call_id="call_1", user_id="usr_a", pin=True)


class Line:
    def __init__(self, *, live: bool = True) -> None:
        self.asked = 0
        self._live = live

    def ask(self) -> bool:
        self.asked += 1
        return self._live


def run(line: Line, **parameters: str) -> Ran:
    return asyncio.run(Tools([PinToolbox(line.ask)], FACTS).run(Action(CHANGE_PIN, parameters), "key"))


def test_it_is_one_tool_that_nobody_is_asked_for() -> None:
    (offer,) = PinToolbox(Line().ask).offers(FACTS)
    assert (offer.name, offer.effect) == ("change_pin", Effect.READ)


def test_it_is_none_where_a_pin_opens_nothing() -> None:
    assert PinToolbox(Line().ask).offers(CallFacts(call_id="call_1", user_id="usr_a")) == ()


def test_the_line_is_told_to_ask_and_the_model_to_be_silent() -> None:
    line = Line()
    ran = run(line)
    assert (ran.ok, line.asked) == (True, 1)
    assert "Say nothing" in ran.result


def test_a_model_cannot_give_a_pin_by_it() -> None:
    line = Line()
    ran = run(line, pin="482913")
    assert (ran.ok, line.asked) == (False, 0)
    assert json.loads(ran.result)["error"]["code"] == "invalid_parameter"


def test_a_line_that_cannot_ask_now_is_told() -> None:
    assert json.loads(run(Line(live=False)).result)["error"]["code"] == "busy"
