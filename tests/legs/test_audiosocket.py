"""Asterisk's AudioSocket."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.audiosocket import (
    DTMF,
    ERROR,
    HANG_UP,
    ID,
    OTHER_RATES,
    SLIN,
    AudioSocketLeg,
    Frames,
    named,
    pack,
)
from tests.legs.streams import audiosocket, lines

NOW = 5_000
SOUND = b"\x10\x20" * 160


def runs(name: str) -> list[bytes]:
    return [line for line in lines("audiosocket", name) if isinstance(line, bytes)]


def hear(leg: AudioSocketLeg, *data: bytes) -> list[Event]:
    return [fact for each in data for fact in leg.receive(each, NOW)]


def test_what_is_said_is_heard() -> None:
    heard = [CallerHeard(SOUND), DigitPressed("5"), CallerHeard(SOUND), DigitPressed("#"), CallerHeard(SOUND)]
    assert hear(audiosocket(NOW), *runs("said")) == [*heard, LegTrouble("asterisk_error", "02"), LegClosed()]


def test_bytes_may_be_cut_anywhere() -> None:
    whole = b"".join(runs("said"))
    apart = hear(audiosocket(NOW), *(whole[at : at + 1] for at in range(len(whole))))
    assert apart == hear(audiosocket(NOW), whole)


def test_the_name_may_come_in_pieces_and_with_sound_behind_it() -> None:
    (opening,) = runs("opening")
    frames = Frames()
    assert named(frames, opening[:7]) is None
    name = named(frames, opening[7:] + pack(SLIN, SOUND)[:50])
    assert name == "e226e283-c90a-4ea9-9e37-389000b9ef47"
    leg = AudioSocketLeg(frames, NOW)
    assert hear(leg, pack(SLIN, SOUND)[50:]) == [CallerHeard(SOUND)]


@pytest.mark.parametrize("first", [pack(SLIN, SOUND), pack(ID, b"short"), pack(HANG_UP), b"GET / HTTP/1.1" * 2000])
def test_a_connection_that_begins_with_anything_else_is_refused(first: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        named(Frames(), first)
    assert caught.value.code == "stream_not_started"


@pytest.mark.parametrize("kind", OTHER_RATES)
def test_another_rate_ends_the_call_with_its_mend(kind: int) -> None:
    with pytest.raises(RemoteError, match="slin") as caught:
        hear(audiosocket(NOW), pack(kind, SOUND))
    assert caught.value.code == "unsupported_media_format"


def test_nonsense_is_skipped() -> None:
    broken = [pack(SLIN, b"\x01"), pack(SLIN), pack(DTMF, b"x"), pack(DTMF), pack(0x77, b"??"), pack(ERROR)]
    codes = [fact.code for fact in hear(audiosocket(NOW), *broken) if isinstance(fact, LegTrouble)]
    assert codes == [*["bad_payload"] * 2, *["malformed_message"] * 2, "unknown_event", "asterisk_error"]
    assert audiosocket(NOW).receive("text", NOW) == [LegTrouble("malformed_message")]


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_raise_a_remote_error(noise: bytes) -> None:
    for take in (lambda: hear(audiosocket(NOW), noise), lambda: named(Frames(), noise)):
        with contextlib.suppress(RemoteError):
            take()


def test_sound_goes_out_every_20_ms_and_its_mark_is_reached_when_it_is_over() -> None:
    leg = audiosocket(NOW)
    leg.send(Play(SOUND, "a"), NOW)
    assert leg.outgoing() == [pack(SLIN, SOUND)]
    assert leg.expire(NOW + 20) == [MarkReached("a")]
    assert leg.outgoing() == [pack(SLIN, bytes(320))], "silence, for a channel that hears nothing is taken for dead"


def test_a_flush_needs_no_word_and_hanging_up_has_one() -> None:
    leg = audiosocket(NOW)
    leg.send(Play(SOUND * 9, ""), NOW)
    leg.outgoing()
    leg.send(Flush(), NOW)
    assert leg.outgoing() == []
    leg.send(HangUp(), NOW)
    assert leg.outgoing() == [pack(HANG_UP)]
