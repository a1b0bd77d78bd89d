"""Titles made of a caller's words."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phone_bridge.assistant.masking import masked
from phone_bridge.assistant.naming import TITLE_CHARS, title, title_of
from phone_bridge.assistant.phrase import tokens

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a call with anna tomorrow at three", "Call with Anna"),
        ("lunch with Dr. O'Neill", "Lunch with Dr O'Neill"),
        ("dinner with my wife", "Dinner with my wife"),
        ("a new meeting called budget talk on friday", "Budget talk"),
        ("lunch in my calendar for tomorrow", "Lunch"),
        ("to my calendar lunch", "Lunch"),
        ("an event", ""),
        ("something tomorrow", ""),
        ("", ""),
        ("meeting", "Meeting"),
        ("iOS review", "iOS review"),
        ("the rent for", "Rent"),
    ],
)
def test_a_title_is_what_is_left_without_times_and_small_words(text: str, name: str) -> None:
    assert title_of(masked(tokens(text), TODAY)) == name


def test_a_title_is_not_endless() -> None:
    assert len(title(tokens("x" * 1000))) == TITLE_CHARS


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_makes_a_title_that_a_tool_takes(text: str) -> None:
    assert len(title(tokens(text))) <= TITLE_CHARS
