from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from phone_bridge.assistant.client_tools import MAX_TOLD_CHARS, Borrowing, filled, find, told
from phone_bridge.assistant.ports import Expecting, Move, Run, Say
from phone_bridge.assistant.small_talk import LEFT
from phone_bridge.call.events import Action
from phone_bridge.sessions.serving import ClientTool

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def tool(name: str, description: str = "", required: tuple[str, ...] = (), **properties: Any) -> ClientTool:
    return ClientTool(name, description, {"type": "object", "properties": properties, "required": list(required)})


TEXT = {"type": "string"}
WEATHER = tool("get_weather", "Return the weather for a city.", ("city",), city=TEXT, day={"type": "string"})
EMAIL = tool("sendEmail", "Send a message to a person.", ("recipient", "body"), recipient=TEXT, body=TEXT)
LIGHT = tool(
    "set_light", "Switch a lamp.", ("room", "on"), room={"enum": ["kitchen", "living room"]}, on={"type": "boolean"}
)
TIMER = tool("start-timer", "Start a timer.", ("minutes",), minutes={"type": "integer"})
SEARCH = tool("search_web", "Search the web.", ("query",), query=TEXT)
TOOLS = (WEATHER, EMAIL, LIGHT, TIMER, SEARCH)


class Own:
    """The talk that the functions are borrowed for."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.breaks: Exception | None = None

    def _tell(self, what: str) -> list[Move]:
        self.told.append(what)
        return [Say(what)]

    def heard(self, text: str, now: datetime) -> list[Move]:
        return self._tell(text)

    def confirmed(self, action_id: str, now: datetime) -> list[Move]:
        return self._tell(f"confirmed {action_id}")

    def declined(self, action_id: str, now: datetime) -> list[Move]:
        return self._tell(f"declined {action_id}")

    def withdrawn(self, action_id: str, now: datetime) -> list[Move]:
        return self._tell(f"withdrawn {action_id}")

    def ran(self, action_id: str, result: Mapping[str, Any], now: datetime) -> list[Move]:
        if self.breaks is not None:
            raise self.breaks
        return self._tell(f"ran {action_id}")

    def expecting(self) -> Expecting:
        return Expecting(phrases=("Lunch",))


def talk(*tools: ClientTool) -> tuple[Own, Borrowing]:
    own = Own()
    return own, Borrowing(own, lambda: "act_1", lambda: tools)


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("what is the weather in Berlin?", "get_weather", {"city": "Berlin"}),
        ("weather for New York tomorrow please", "get_weather", {"city": "New York", "day": "tomorrow"}),
        ("tell me the weather in the city of Rome", "get_weather", {"city": "Rome"}),
        ("send an email to Anna saying I am late", "sendEmail", {"recipient": "Anna", "body": "I am late"}),
        ("e-mail Bob", "sendEmail", {"body": "e-mail Bob"}),
        ("turn the light on in the kitchen", "set_light", {"room": "kitchen", "on": True}),
        ("start a timer of ten minutes", "start-timer", {"minutes": 10}),
        ("timer, 5 minutes", "start-timer", {"minutes": 5}),
        ("search the web for cheap flights", "search_web", {"query": "cheap flights"}),
        ("a lamp to switch", "set_light", {}),
    ],
)
def test_a_wish_finds_its_function_and_what_was_said_for_it(text: str, name: str, arguments: dict[str, Any]) -> None:
    wanted = find(text, TOOLS, NOW)
    assert wanted is not None
    assert (wanted.tool.name, wanted.arguments) == (name, arguments)
    assert set(wanted.missing) == set(wanted.tool.parameters["required"]) - arguments.keys()


@pytest.mark.parametrize("text", ["good morning", "how are you", "set it", "what is my next meeting", ""])
def test_what_names_no_function_finds_none(text: str) -> None:
    assert find(text, TOOLS, NOW) is None


def test_a_calendar_wish_must_name_all_of_a_function_to_be_meant_for_it() -> None:
    meetings = tool("schedule_meeting", "Book a meeting room.")
    assert find("what is my next meeting", [meetings], NOW) is None
    assert find("schedule a meeting tomorrow at three", [meetings], NOW) is not None


def test_a_schema_that_says_nothing_asks_for_nothing() -> None:
    for parameters in ({}, {"properties": 5, "required": 5}, {"properties": {"a": 5}, "required": ["b"]}):
        wanted = find("weather", [ClientTool("weather", "", parameters)], NOW)
        assert wanted is not None
        assert (wanted.arguments, wanted.missing) == ({}, ())


def test_a_talk_goes_to_the_function_or_to_itself() -> None:
    own, borrowing = talk(*TOOLS)
    assert borrowing.heard("what is the weather in Berlin", NOW) == [
        Run("act_1", Action("get_weather", {"city": "Berlin"}))
    ]
    assert borrowing.heard("what is next", NOW) == [Say("what is next")]
    assert borrowing.offers("get_weather")
    assert not borrowing.offers("cancel_event")
    assert own.told == ["what is next"]


def test_what_is_missing_is_asked_for() -> None:
    _, borrowing = talk(WEATHER)
    assert borrowing.heard("how is the weather", NOW) == [Say("Which city do you mean?")]
    assert borrowing.heard("in Berlin", NOW) == [Run("act_1", Action("get_weather", {"city": "Berlin"}))]


def test_what_is_missing_need_not_be_said_after_all() -> None:
    own, borrowing = talk(WEATHER)
    borrowing.heard("how is the weather", NOW)
    assert isinstance(borrowing.heard("never mind", NOW)[0], Say)
    assert borrowing.heard("hello", NOW) == [Say("hello")]
    assert own.told == ["hello"]


def test_an_answer_of_the_wrong_kind_fills_nothing() -> None:
    wanted = find("start a timer", [TIMER], NOW)
    assert wanted is not None
    assert filled(wanted, "soon").missing == ("minutes",)
    assert filled(wanted, "seven").arguments == {"minutes": 7}


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("The sky is clear.", ["The sky is clear."]),
        ('"sunny"', ["Sunny."]),
        ('{"temperature_c": 18, "sky": "clear", "rain": false}', ["Temperature c 18, sky clear, rain no."]),
        ('["one", {"name": "two"}]', ["One, name two."]),
        ("", ["That is done."]),
        ("null", ["That is done."]),
        ("7.5", ["7.5."]),
        ('{"error": {"message": "no such city"}}', ["That did not work.", "message no such city"]),
    ],
)
def test_a_result_is_told_in_words(output: str, said: list[str]) -> None:
    _, borrowing = talk(WEATHER)
    borrowing.heard("weather in Berlin", NOW)
    assert borrowing.returned("act_1", output, NOW) == [Say(sentence) for sentence in said]


def test_a_long_result_is_cut_to_what_can_be_said() -> None:
    (sentence,) = told("word " * 1_000)
    assert len(sentence) <= MAX_TOLD_CHARS + len(", and more.")
    assert sentence.endswith("word, and more.")


def test_a_calendar_result_in_the_catalogues_shape_goes_to_the_talk() -> None:
    own, borrowing = talk(WEATHER)
    assert borrowing.returned("act_7", '{"ok": true}', NOW) == [Say("ran act_7")]
    assert borrowing.returned("act_7", '{"event": "Lunch"}', NOW) == [Say("Event Lunch.")]
    own.breaks = KeyError("events")
    assert borrowing.returned("act_7", '{"ok": true, "lunch": "noon"}', NOW) == [Say("Lunch noon.")]


@pytest.mark.parametrize("code", ["declined", "expired"])
def test_a_refusal_is_told_as_one_unless_something_else_was_wished_since(code: str) -> None:
    _, borrowing = talk(WEATHER)
    output = f'{{"ok": false, "error": {{"code": "{code}", "message": "for models"}}}}'
    assert borrowing.returned("act_7", output, NOW) == [Say(LEFT)]
    assert borrowing.returned("act_7", output, NOW, followed=True) == []


def test_all_else_is_the_talks_own() -> None:
    _, borrowing = talk()
    assert borrowing.confirmed("a", NOW) == [Say("confirmed a")]
    assert borrowing.declined("a", NOW) == [Say("declined a")]
    assert borrowing.withdrawn("a", NOW) == [Say("withdrawn a")]
    assert borrowing.ran("a", {"ok": True}, NOW) == [Say("ran a")]
    assert borrowing.expecting() == Expecting(phrases=("Lunch",))
