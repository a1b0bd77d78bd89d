"""Turns with signs in the place of times and titles."""

import re
from datetime import date

import pytest

from phone_bridge.assistant.masking import Times, Turn, masked, without_manners
from phone_bridge.assistant.phrase import tokens
from phone_bridge.assistant.when import Clock, Day, Length, Shift, When

TODAY = date(2026, 11, 24)


def turn(text: str, *titles: str, bare: bool = False) -> Turn:
    return masked(tokens(text), TODAY, titles, bare=bare)


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("move it to Friday at three", "move it to ~ ~"),
        ("cancel the flight to london", "cancel the @"),
        ("cancel the friday review tomorrow", "cancel the @ ~"),
        ("friday review of the friday review", "@ of the @"),
        ("q three review anna", "@"),
        ("lunch", "lunch"),  # a title of one word is read like any other word
        ("three", "three"),
    ],
)
def test_times_and_titles_become_signs(text: str, signs: str) -> None:
    titles = ("Flight to London", "Friday review", "Review", "Q3 Review – Anna", "Lunch")  # noqa: RUF001
    assert turn(text, *titles).text == signs


def test_a_number_alone_is_a_time_only_where_one_was_asked_for() -> None:
    assert turn("three", bare=True).text == "~"


def test_the_bones_are_the_words_without_the_times() -> None:
    said = turn("what do i have tomorrow at three")
    assert said.bones == "what do i have"
    assert said.pieces[0] == Day(date(2026, 11, 25))
    assert [token.raw for token in said.said] == ["what", "do", "i", "have", "tomorrow", "at", "three"]


def test_groups_of_a_match_are_cut_out_with_what_they_stand_for() -> None:
    said = turn("cancel the flight to london on friday", "Flight to London")
    match = re.fullmatch(r"cancel (?P<ref>the @) ~(?P<rest> .+)?", said.text)
    assert match is not None
    assert [token.word for token in said.group(match, "ref").said] == ["the", "flight", "to", "london"]
    assert said.group(match, "rest").items == ()
    assert said.cut(0, len("cancel")).text == "cancel"


def test_signs_and_kinds_of_time_are_left_out() -> None:
    said = turn("push it back by an hour on friday")
    assert said.without("push", kinds=(Shift,)).text == "it ~"


def test_only_a_time_is_only_a_time() -> None:
    allowed = frozenset(["make", "it"])
    times = turn("make it three thirty").only_time(allowed)
    assert times is not None
    assert times.when == When(start=Clock(3, 30))
    assert not times.begins
    assert turn("make lunch three thirty").only_time(allowed) is None
    assert turn("make it").only_time(allowed) is None


def test_times_say_how_long_how_much_later_and_how_long_before() -> None:
    said = Times(tuple(turn("an hour earlier for 20 minutes and 10 minutes before").pieces))
    assert (said.shift(1), said.length(), said.lead()) == (-60, 20, 10)
    assert Times((Shift(30),)).shift(-1) == -30
    assert Times((Length(5),)).shift(1) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("could you please cancel it for me thanks", "cancel it"),
        ("okay and i'd like to know what's next", "what's next"),
        ("can you tell me what's next", "what's next"),
        ("tell me about it", "tell me about it"),
        ("please", "please"),
        ("", ""),
    ],
)
def test_manners_are_taken_off(text: str, rest: str) -> None:
    assert " ".join(token.word for token in without_manners(tokens(text))) == rest
