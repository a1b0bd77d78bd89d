"""One transfer as values: its steps, and what the carrier's words on it mean."""

import pytest

from phone_bridge.outbound.transfer import BEFORE, RETURNS, State, dialled, queued

ENDS = RETURNS | {State.COMPLETED, State.CANCELED}


def test_nothing_follows_an_end_but_a_refusal_which_the_carrier_confirms_later() -> None:
    for state, before in BEFORE.items():
        assert not before & ENDS, state
    assert BEFORE.keys() == set(State) - {State.ASKED}


def test_nobody_accepts_who_was_not_told() -> None:
    assert BEFORE[State.ACCEPTED] == BEFORE[State.REFUSED] == {State.TOLD}


@pytest.mark.parametrize(
    ("state", "mode", "status", "end"),
    [
        (State.RINGING, "cold", "completed", State.COMPLETED),
        (State.RINGING, "cold", "answered", State.COMPLETED),
        (State.RINGING, "cold", "no-answer", State.NO_ANSWER),
        (State.RINGING, "cold", "busy", State.BUSY),
        (State.RINGING, "cold", "failed", State.FAILED),
        (State.RINGING, "cold", "canceled", State.CANCELED),
        (State.RINGING, "cold", "a new word", State.FAILED),
        (State.ACCEPTED, "warm", "completed", State.COMPLETED),
        (State.REFUSED, "warm", "completed", State.REFUSED),
        (State.TOLD, "warm", "completed", State.NO_ANSWER),
        (State.RINGING, "warm", "completed", State.NO_ANSWER),
        (State.RINGING, "warm", "busy", State.BUSY),
    ],
)
def test_how_a_dial_ends(state: State, mode: str, status: str, end: State) -> None:
    assert dialled(state, mode, status) is end


@pytest.mark.parametrize(
    ("result", "end"),
    [
        ("bridged", State.COMPLETED),
        ("leave", State.NO_ANSWER),
        ("queue-full", State.BUSY),
        ("hangup", State.CANCELED),
        ("system-error", State.FAILED),
    ],
)
def test_how_waiting_in_a_queue_ends(result: str, end: State) -> None:
    assert queued(result) is end
