"""How many messages a carrier's stream may bring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.events import CallerHeard
from phone_bridge.errors import RemoteError
from phone_bridge.legs.pace import CHARS_PER_MESSAGE, MESSAGES_AT_ONCE, MESSAGES_PER_SECOND, Pace
from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.pace import PacedStream
from tests.legs.twilio.samples import START

BEGIN = 5_000
FRAME = b"\x80" * 160


def spent(pace: Pace, count: int, now: int, size: int = 300) -> int:
    """Count how many of ``count`` messages pass."""
    return sum(pace.spend(size, now) for _ in range(count))


def test_so_many_messages_may_come_at_once_and_no_more() -> None:
    assert spent(Pace(BEGIN), MESSAGES_AT_ONCE + 10, BEGIN) == MESSAGES_AT_ONCE


def test_a_telephone_call_of_hours_passes() -> None:
    pace = Pace(BEGIN)
    for second in range(4 * 3600):
        assert spent(pace, 60, BEGIN + second * 1000) == 60


def test_a_stall_of_a_minute_passes_when_it_ends() -> None:
    pace = Pace(BEGIN)
    assert spent(pace, 60 * 60, BEGIN + 60_000) == 60 * 60


def test_the_pace_itself_may_be_kept_for_ever_and_nothing_above_it() -> None:
    for rate, holds in ((MESSAGES_PER_SECOND, True), (MESSAGES_PER_SECOND + 100, False)):
        pace = Pace(BEGIN)
        seconds = range(1, 2 * MESSAGES_AT_ONCE // 100)
        assert all(spent(pace, rate, BEGIN + second * 1000) == rate for second in seconds) is holds


def test_a_long_message_counts_as_several() -> None:
    assert spent(Pace(BEGIN), MESSAGES_AT_ONCE, BEGIN, size=CHARS_PER_MESSAGE - 1) == MESSAGES_AT_ONCE
    assert spent(Pace(BEGIN), MESSAGES_AT_ONCE, BEGIN, size=3 * CHARS_PER_MESSAGE) == MESSAGES_AT_ONCE // 4


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 100_000)), max_size=200))
def test_the_budget_is_never_more_than_it_was_at_first(steps: list[tuple[int, int]]) -> None:
    pace, now = Pace(BEGIN), BEGIN
    for wait, size in steps:
        now += wait
        pace.spend(size, now)
    assert spent(pace, MESSAGES_AT_ONCE + 1, now) <= MESSAGES_AT_ONCE


def test_a_stream_beyond_its_pace_ends_by_name() -> None:
    carrier = CarrierStream(START)
    wire = PacedStream(START, BEGIN)
    for number in range(MESSAGES_AT_ONCE):
        (heard,) = wire.receive(carrier.media(FRAME, 20 * number), BEGIN)
        assert isinstance(heard, CallerHeard)
    with pytest.raises(RemoteError, match="200 messages a second") as caught:
        wire.receive(carrier.media(FRAME, 0), BEGIN)
    assert caught.value.code == "message_rate"
