"""Any value, spoken."""

from phone_bridge.call.words import values
from phone_bridge.call.words.english import ENGLISH


def say(value: object) -> str:
    return values.say_value(value, ENGLISH, year=False)


def test_plain_values() -> None:
    assert say(True) == "switched on"
    assert say(False) == "switched off"
    assert say(3) == "3"
    assert say(2.5) == "2.5"
    assert say("running_late") == "running late"
    assert say("2026-11-24T15:00:00Z") == "Tuesday the 24th of November at 3 p.m."
    assert say("22:30") == "10:30 p.m."
    assert say(None) == ""


def test_numbers_that_nobody_can_listen_to() -> None:
    for value in (values.LARGEST_NUMBER, -values.LARGEST_NUMBER, 10**5000, float("inf"), float("nan")):
        assert say(value) == "a very large number"
    assert say(values.LARGEST_NUMBER - 1) == "999999999999"


def test_lists_are_named_up_to_a_number_and_then_counted() -> None:
    assert say(list("abcdefg")) == "a, b, c, d, e, f and g"
    assert say(list("abcdefghi")) == "a, b, c, d, e, f, g and 2 more"
    assert values.say_list(["a"], ENGLISH, count=3) == "a and 2 more"
    assert values.MOST_NAMED == 7


def test_nested_values_end_at_a_depth() -> None:
    assert say({"mode": "walk", "buffers": {"parking": 5}}) == "mode: walk and buffers: parking: 5"
    assert say([[[["deep"]]]]) == "and so on"
    assert values.DEEPEST == 3


def test_a_pair_of_nothing_clears_and_an_empty_one_is_silent() -> None:
    assert values.say_pair("location", None, ENGLISH, year=False) == "without location"
    assert values.say_pair("notes", "  ", ENGLISH, year=False) == ""
    assert values.say_pair("tags", [], ENGLISH, year=False) == ""
