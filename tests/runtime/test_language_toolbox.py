"""The language of the line as a tool."""

import asyncio
import json
from typing import Any

import pytest

from phone_bridge.call.events import Action
from phone_bridge.offers import Effect
from phone_bridge.runtime.language_toolbox import SWITCH_LANGUAGE, LanguageToolbox
from phone_bridge.runtime.toolbox import CallFacts, Ran, Tools

FACTS = CallFacts(call_id="call_1", user_id="usr_a")


class Line:
    def __init__(self, *, live: bool = True) -> None:
        self.spoken: list[str] = []
        self._live = live

    def speak(self, language: str) -> bool:
        self.spoken.append(language)
        return self._live


def run(line: Line, **parameters: Any) -> Ran:
    tools = Tools([LanguageToolbox(line.speak)], FACTS)
    return asyncio.run(tools.run(Action(SWITCH_LANGUAGE, parameters), "key"))


def test_it_is_one_tool_that_nobody_is_asked_for() -> None:
    (offer,) = LanguageToolbox(Line().speak).offers(FACTS)
    assert (offer.name, offer.effect) == ("switch_language", Effect.READ)


@pytest.mark.parametrize("language", ["en", "de", "es-MX", "fr-CA"])
def test_a_language_of_the_bridge_is_spoken_from_then_on(language: str) -> None:
    line = Line()
    assert run(line, language=language).ok
    assert line.spoken == [language]


@pytest.mark.parametrize("language", ["it", "", "de-", "german", "fr; es", 5, None])
def test_any_other_changes_nothing_and_the_model_is_told(language: object) -> None:
    line = Line()
    ran = run(line, language=language)
    assert not ran.ok
    assert json.loads(ran.result)["error"]["code"] == "invalid_parameter"
    assert line.spoken == []


def test_a_call_that_is_over_speaks_no_more() -> None:
    ran = run(Line(live=False), language="de")
    assert json.loads(ran.result)["error"]["code"] == "call_ended"
