"""How callers point at events."""

from datetime import date

import pytest

from phone_bridge.assistant.phrase import tokens
from phone_bridge.assistant.pointing import point
from phone_bridge.assistant.when import Clock, When
from phone_bridge.assistant.wishes import Reference

TODAY = date(2026, 11, 24)
TOMORROW = date(2026, 11, 25)
THREE = When(start=Clock(3))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("it", Reference(pronoun=True)),
        ("that", Reference(pronoun=True)),
        ("that one", Reference(pronoun=True, thing=True)),
        ("the meeting", Reference(pronoun=True, thing=True)),
        ("my meeting", Reference(thing=True)),
        ("a meeting", Reference(thing=True)),
        ("them", Reference(every=True)),
        ("both of them", Reference(every=True)),
        ("all my meetings tomorrow", Reference(every=True, when=When(day=TOMORROW))),
        ("my next meeting", Reference(upcoming=True, thing=True)),
        ("the other one", Reference(other=True, thing=True)),
        ("the second one", Reference(place=2, thing=True)),
        ("the first meeting tomorrow", Reference(place=1, thing=True, when=When(day=TOMORROW))),
        ("my last appointment", Reference(place=-1, thing=True)),
        ("the dentist", Reference(words=("dentist",))),
        ("my dentist appointment", Reference(words=("dentist",), thing=True)),
        ("lunch with anna", Reference(words=("anna",), soft=("lunch",))),
        ("anna's interview", Reference(words=("anna",), soft=("interview",))),
        ("tomorrow's lunch", Reference(soft=("lunch",), when=When(day=TOMORROW))),
        ("my three o'clock", Reference(when=THREE)),
        ("my three", Reference(when=THREE)),
        ("the three", Reference(when=THREE)),
        ("my three meeting", Reference(thing=True, when=THREE)),
        ("my three o'clock meeting with bob", Reference(words=("bob",), thing=True, when=THREE)),
        ("my three thirty", Reference(when=When(start=Clock(3, 30)))),
        ("the one at three", Reference(thing=True, when=THREE)),
        ("my two hours", Reference()),
        ("my three friends", Reference(words=("three", "friends"))),
        ("the dentist and the lunch", Reference(words=("dentist",), soft=("lunch",), joined=True)),
        ("", Reference()),
    ],
)
def test_pointing(text: str, reference: Reference) -> None:
    assert point(tokens(text), TODAY) == reference


def test_a_title_of_the_callers_own_keeps_its_words() -> None:
    titles = ("Next steps meeting", "Research and development")
    assert point(tokens("the next steps meeting"), TODAY, titles).words == ("next", "steps", "meeting")
    assert not point(tokens("research and development"), TODAY, titles).joined
