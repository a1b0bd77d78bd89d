"""The steps of a caller's script."""

import pytest

from phone_bridge.errors import Refused
from phone_bridge.simulator.script import HangUp, Listen, Press, Say, Step, Wait, describe


@pytest.mark.parametrize("digits", ["0123456789*#ABCD", "1"])
def test_every_key_of_a_telephone_can_be_pressed(digits: str) -> None:
    assert Press(digits).digits == digits


@pytest.mark.parametrize("digits", ["", "E", "1 2", "w"])
def test_what_is_no_key_is_refused_while_the_script_is_written(digits: str) -> None:
    with pytest.raises(Refused) as refusal:
        Press(digits)
    assert refusal.value.code == "keys"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Say("hello"), "say 'hello'"),
        (Press("12"), "press 12"),
        (Wait(500), "wait 500 ms"),
        (Listen(300), "listen for 300 ms"),
        (HangUp(), "hang up"),
    ],
)
def test_a_step_is_described_in_a_few_words(step: Step, words: str) -> None:
    assert describe(step) == words
