"""Wishes as JSON's values."""

from datetime import date

import pytest

from phone_bridge.assistant.when import Clock, When
from phone_bridge.assistant.wishes import Reference, Wish


def test_only_what_was_said_is_reported() -> None:
    assert Wish(name="get_next_event").parameters() == {}


def test_all_slots_are_reported() -> None:
    when = When(
        day=date(2026, 11, 25),
        last=date(2026, 11, 26),
        part="morning",
        start=Clock(3),
        end=Clock(16, 30, exact=True),
        ahead=5,
    )
    reference = Reference(place=2, words=("budget", "talk"), soft=("lunch",), when=When(day=date(2026, 11, 27)))
    wish = Wish(name="x", when=when, reference=reference, title="T", aspect="a", length=1, shift=-2, stretch=3, lead=4)
    assert wish.parameters() == {
        "date": "2026-11-25",
        "last_date": "2026-11-26",
        "part_of_day": "morning",
        "time": "3:00",
        "until": "16:30",
        "in_minutes": 5,
        "title": "T",
        "aspect": "a",
        "length_minutes": 1,
        "shift_minutes": -2,
        "stretch_minutes": 3,
        "lead_minutes": 4,
        "reference": {"place": 2, "words": "budget talk", "soft": "lunch", "date": "2026-11-27"},
    }


@pytest.mark.parametrize(
    ("reference", "points", "named"),
    [
        (Reference(), False, False),
        (Reference(pronoun=True), False, False),
        (Reference(thing=True), False, False),
        (Reference(place=1), True, False),
        (Reference(other=True), True, False),
        (Reference(every=True), True, False),
        (Reference(upcoming=True), True, False),
        (Reference(when=When(start=Clock(3))), True, False),
        (Reference(words=("x",)), True, True),
        (Reference(soft=("x",)), True, True),
    ],
)
def test_a_reference_knows_whether_it_points(reference: Reference, points: bool, named: bool) -> None:
    assert (reference.points(), reference.named()) == (points, named)
