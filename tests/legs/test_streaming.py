"""What all streams have in common: pace, marks, quiet lines, and how much nonsense is borne."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, Event, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.pace import MESSAGES_AT_ONCE
from phone_bridge.legs.patience import MAX_TROUBLES
from phone_bridge.legs.streaming import (
    CATCH_UP_MS,
    LEAD_MS,
    MALFORMED,
    MAX_PAD_MS,
    QUIET_MS,
    SHORT_MS,
    UNKNOWN_EVENT,
    StreamLeg,
    decoded,
    pressed,
)

START = 70_000
FRAME = b"\x10" * 160


class Plain(StreamLeg):
    """A wire of bytes for sound and words for the rest."""

    def _read(self, data: str | bytes, now: int) -> list[Event]:
        if isinstance(data, bytes):
            return self._heard(data, now)
        return self._ended() if data == "bye" else [LegTrouble(data)]

    def _sound(self, frame: bytes) -> bytes:
        return frame

    def _mark(self, name: str) -> str:
        return f"mark {name}"

    def _clear(self) -> str:
        return "clear"

    def _goodbye(self) -> str:
        return "goodbye"


def marked() -> Plain:
    return Plain(PCMU_8K, START)


def inferring(*, steady: bool = False) -> Plain:
    return Plain(PCMU_8K, START, lead_ms=0, marks=False, steady=steady)


def through(leg: StreamLeg, ms: int) -> tuple[list[tuple[int, str | bytes]], list[tuple[int, Event]]]:
    """Let ``ms`` pass; gives what went out and what was told, each with its time since START."""
    sent: list[tuple[int, str | bytes]] = [(0, message) for message in leg.outgoing()]
    told: list[tuple[int, Event]] = []
    while (due := leg.deadline()) is not None and due <= START + ms:
        at = max(due, START)
        told += [(at - START, fact) for fact in leg.expire(at)]
        sent += [(at - START, message) for message in leg.outgoing()]
    return sent, told


def marks(told: list[tuple[int, Event]]) -> list[tuple[int, str]]:
    return [(at, fact.mark) for at, fact in told if isinstance(fact, MarkReached)]


def test_no_more_is_sent_ahead_than_the_lead() -> None:
    leg = marked()
    leg.send(Play(FRAME * 100, "all"), START)
    sent, told = through(leg, 10_000)
    assert [at for at, _ in sent[: LEAD_MS // 20 + 1]] == [0] * (LEAD_MS // 20 + 1)
    assert sent[-1] == (2_000 - 20 - LEAD_MS, "mark all")
    assert b"".join(message for _, message in sent if isinstance(message, bytes)) == FRAME * 100
    assert not marks(told), "marks come from the carrier"


def test_without_marks_the_pace_tells_what_was_played() -> None:
    leg = inferring()
    leg.send(Play(FRAME * 5, "0.1"), START)
    leg.send(Play(FRAME * 5, "0.2"), START)
    sent, told = through(leg, 1_000)
    assert [at for at, _ in sent] == list(range(0, 200, 20))
    assert marks(told) == [(100, "0.1"), (200, "0.2")]


def test_sound_after_a_pause_is_not_taken_for_played_already() -> None:
    leg = inferring()
    through(leg, 400)
    leg.send(Play(FRAME, "late"), START + 410)
    assert marks(through(leg, 1_000)[1]) == [(430, "late")]


def test_a_steady_wire_sends_silence_and_keeps_to_its_beat() -> None:
    leg = inferring(steady=True)
    first, _ = through(leg, 90)
    leg.send(Play(FRAME, "a"), START + 95)
    sent, told = through(leg, 150)
    silence = b"\xff" * 160
    assert [*first, *sent] == [(20 * n, FRAME if n == 5 else silence) for n in range(8)]
    assert marks(told) == [(120, "a")]


def test_a_late_timer_does_not_slow_the_beat_but_a_stall_is_not_made_up_for() -> None:
    leg = inferring(steady=True)
    leg.expire(START + 110)
    assert len(leg.outgoing()) == 6
    assert leg.deadline() == START + 120
    leg.expire(START + 120 + CATCH_UP_MS + 1)
    assert len(leg.outgoing()) == 1


def test_a_frame_that_is_not_full_waits_until_the_carrier_runs_dry() -> None:
    leg = marked()
    leg.send(Play(FRAME[:80], "half"), START)
    assert leg.outgoing() == [FRAME[:80] + b"\xff" * 80, "mark half"]
    leg = marked()
    leg.send(Play(FRAME * 5 + FRAME[:80], "half"), START)
    assert leg.outgoing() == [FRAME] * 5
    leg.send(Play(FRAME[:80], ""), START + 10)
    assert leg.outgoing() == [FRAME, "mark half"]
    leg.send(Play(FRAME[:40], "rest"), START + 10)
    sent, _ = through(leg, 200)
    assert [at for at, _ in sent] == [120 - SHORT_MS] * 2


def test_a_flush_leaves_nothing_to_play_and_forgets_its_marks() -> None:
    for leg in (marked(), inferring(), inferring(steady=True)):
        leg.send(Play(FRAME * 50, "cut"), START)
        leg.outgoing()
        leg.send(Flush(), START + 30)
        assert leg.outgoing() == ["clear"]
        leg.send(Play(FRAME, "next"), START + 30)
        sent, told = through(leg, 400)
        assert [message for _, message in sent if message in (FRAME, "mark cut")] == [FRAME]
        assert "cut" not in dict(marks(told)).values()


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 120)), max_size=20))
def test_all_that_is_to_be_played_goes_out_once_in_its_order(parts: list[tuple[int, int]]) -> None:
    leg, said, out, now = inferring(), b"", b"", START
    for number, (size, wait) in enumerate(parts):
        said += bytes([number + 1]) * size
        leg.send(Play(bytes([number + 1]) * size, ""), now)
        now += wait
        while (due := leg.deadline()) is not None and due <= now:
            leg.expire(due)
    while (due := leg.deadline()) is not None and due <= now + 2_000:
        leg.expire(due)
    out = b"".join(message for message in leg.outgoing() if isinstance(message, bytes))
    assert out.replace(b"\xff", b"") == said
    assert len(out) % 160 == 0


def test_a_quiet_line_is_heard_as_silence() -> None:
    leg = marked()
    assert leg.receive(FRAME, START) == [CallerHeard(FRAME)]
    assert leg.deadline() == START + QUIET_MS
    assert leg.expire(START + QUIET_MS) == [CallerHeard(b"\xff" * 8 * QUIET_MS)]
    assert leg.expire(START + 60_000) == [CallerHeard(b"\xff" * 8 * MAX_PAD_MS)]


def test_half_a_sample_and_nothing_are_no_sound() -> None:
    leg = marked()
    assert leg.receive(b"", START) == [LegTrouble("bad_payload")]


def test_hanging_up_says_so_once_and_ends_the_wire() -> None:
    leg = marked()
    leg.send(HangUp("completed"), START)
    leg.send(Play(FRAME, "late"), START)
    assert leg.outgoing() == ["goodbye"]
    assert leg.closing == HangUp("completed")
    assert leg.deadline() is None
    assert leg.expire(START + 1_000) == []
    assert leg.receive(FRAME, START) == []


def test_nonsense_is_borne_up_to_a_limit_and_unknown_events_for_ever() -> None:
    leg = marked()
    for _ in range(2 * MAX_TROUBLES):
        leg.receive(UNKNOWN_EVENT, START)
    for _ in range(MAX_TROUBLES):
        assert leg.receive(MALFORMED, START) == [LegTrouble(MALFORMED)]
    with pytest.raises(RemoteError) as caught:
        leg.receive(MALFORMED, START)
    assert caught.value.code == "malformed_stream"


def test_a_flood_ends_the_stream() -> None:
    leg = marked()
    for _ in range(MESSAGES_AT_ONCE):
        leg.receive(FRAME, START)
    with pytest.raises(RemoteError) as caught:
        leg.receive(FRAME, START)
    assert caught.value.code == "message_rate"


@pytest.mark.parametrize("digit", ["", "12", "x", "٣", None, 5, "\xb2"])
def test_what_is_no_key_is_trouble(digit: object) -> None:
    assert pressed(digit) == [LegTrouble(MALFORMED)]


def test_what_makes_no_sense_is_decoded_to_nothing() -> None:
    assert decoded(lambda text: text, b"bytes") is None
    assert decoded(lambda text: text, "text") == "text"
