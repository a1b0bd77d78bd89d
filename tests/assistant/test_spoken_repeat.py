"""How often: spoken words as rules of RFC 5545."""

from datetime import date

import pytest

from phone_bridge.assistant.phrase import Phrase, tokens
from phone_bridge.assistant.spoken_repeat import EVERY_MAX, read_repeat
from phone_bridge.assistant.when import Repeat

TODAY = date(2026, 11, 24)  # a Tuesday


def read(text: str) -> tuple[Repeat, int] | None:
    return read_repeat(Phrase(token.word for token in tokens(text)), 0, TODAY)


@pytest.mark.parametrize(
    ("text", "rule", "first"),
    [
        ("every monday", "FREQ=WEEKLY;BYDAY=MO", date(2026, 11, 30)),
        ("on tuesdays", "FREQ=WEEKLY;BYDAY=TU", date(2026, 12, 1)),
        ("every monday and thursday", "FREQ=WEEKLY;BYDAY=MO,TH", date(2026, 11, 26)),
        ("on fridays and mondays", "FREQ=WEEKLY;BYDAY=MO,FR", date(2026, 11, 27)),
        ("every weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", None),
        ("on weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", None),
        ("every weekend", "FREQ=WEEKLY;BYDAY=SA,SU", date(2026, 11, 28)),
        ("every day", "FREQ=DAILY", None),
        ("daily", "FREQ=DAILY", None),
        ("weekly", "FREQ=WEEKLY", None),
        ("every two weeks", "FREQ=WEEKLY;INTERVAL=2", None),
        ("every other week", "FREQ=WEEKLY;INTERVAL=2", None),
        ("every other friday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", date(2026, 11, 27)),
        ("every three months", "FREQ=MONTHLY;INTERVAL=3", None),
        ("every year", "FREQ=YEARLY", None),
    ],
)
def test_rules(text: str, rule: str, first: date | None) -> None:
    assert read(text) == (Repeat(rule, first), len(text.split()))


@pytest.mark.parametrize(
    "text",
    ["monday", "on monday", "weekday", "every meeting", "every", "weekly summary", f"every {EVERY_MAX + 1} weeks"],
)
def test_what_does_not_come_again(text: str) -> None:
    assert read(text) is None


def test_the_longest_step_is_read() -> None:
    assert read(f"every {EVERY_MAX} weeks") == (Repeat(f"FREQ=WEEKLY;INTERVAL={EVERY_MAX}"), 3)
