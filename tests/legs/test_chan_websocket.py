"""Asterisk's chan_websocket."""

import pytest

from phone_bridge.audio.format import LINEAR_16K, PCMU_8K
from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs import chan_websocket
from tests.legs.streams import lines, opened

NOW = 5_000
SOUND = b"\x80" * 160


def test_what_is_said_is_heard_in_words_and_in_json() -> None:
    leg = opened("chan_websocket", NOW)
    facts = [fact for line in lines("chan_websocket", "said") for fact in leg.receive(line, NOW)]
    assert facts == [CallerHeard(SOUND), DigitPressed("5"), DigitPressed("#"), CallerHeard(SOUND)]


@pytest.mark.parametrize("line", lines("chan_websocket", "broken"))
def test_nonsense_is_skipped(line: str) -> None:
    (fact,) = opened("chan_websocket", NOW).receive(line, NOW)
    assert isinstance(fact, LegTrouble)


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        ("opening", ["FLUSH_MEDIA", "HANGUP"]),
        ("opening_json", ['{"command":"FLUSH_MEDIA"}', '{"command":"HANGUP"}']),
    ],
)
def test_commands_are_written_as_asterisk_writes(opening: str, said: list[str]) -> None:
    leg = opened("chan_websocket", NOW, opening)
    leg.send(Flush(), NOW)
    leg.send(HangUp(), NOW)
    assert leg.outgoing() == said


def test_sound_goes_out_as_it_is_and_the_pace_tells_when_it_was_played() -> None:
    leg = opened("chan_websocket", NOW)
    leg.send(Play(SOUND * 2, "0.1"), NOW)
    assert leg.outgoing() == [SOUND, SOUND]
    assert leg.expire(NOW + 40) == [MarkReached("0.1")]


def test_the_start_says_the_format() -> None:
    assert opened("chan_websocket").format == PCMU_8K
    assert opened("chan_websocket", name="opening_json").format == LINEAR_16K
    assert chan_websocket.begin(SOUND, NOW) is None


@pytest.mark.parametrize("line", lines("chan_websocket", "formats"))
def test_a_codec_that_is_not_spoken_is_refused_with_its_mend(line: str) -> None:
    with pytest.raises(RemoteError, match=r"c\(slin16\)") as caught:
        chan_websocket.begin(line, NOW)
    assert caught.value.code == "unsupported_media_format"


@pytest.mark.parametrize("line", ["HELLO", "{", ""])
def test_a_socket_that_begins_with_anything_else_is_refused(line: str) -> None:
    with pytest.raises(RemoteError) as caught:
        chan_websocket.begin(line, NOW)
    assert caught.value.code == "malformed_stream"
