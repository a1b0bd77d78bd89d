"""jambonz' listen verb."""

import json

import pytest

from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs import jambonz
from tests.legs.streams import lines, opened

NOW = 5_000
SOUND = b"\x10\x20" * 320


def test_what_is_said_is_heard() -> None:
    leg = opened("jambonz", NOW)
    facts = [fact for line in lines("jambonz", "said") for fact in leg.receive(line, NOW)]
    assert facts == [CallerHeard(SOUND), DigitPressed("5"), CallerHeard(SOUND)]
    assert leg.format == LINEAR_16K


@pytest.mark.parametrize("line", lines("jambonz", "broken"))
def test_nonsense_is_skipped(line: str | bytes) -> None:
    (fact,) = opened("jambonz", NOW).receive(line, NOW)
    assert isinstance(fact, LegTrouble)


def test_sound_goes_out_as_it_is_and_the_pace_tells_when_it_was_played() -> None:
    leg = opened("jambonz", NOW)
    leg.send(Play(SOUND * 2, "0.1"), NOW)
    assert leg.outgoing() == [SOUND, SOUND]
    assert leg.expire(NOW + 39) == []
    assert leg.expire(NOW + 40) == [MarkReached("0.1")]
    leg.send(Flush(), NOW)
    leg.send(HangUp(), NOW)
    assert [json.loads(message) for message in leg.outgoing()] == [{"type": "killAudio"}]


@pytest.mark.parametrize("line", lines("jambonz", "formats"))
def test_sound_that_is_not_spoken_is_refused_with_its_mend(line: str) -> None:
    with pytest.raises(RemoteError, match="mixType") as caught:
        jambonz.begin(line, NOW)
    assert caught.value.code == "unsupported_media_format"


@pytest.mark.parametrize("line", ["{", SOUND, "{}"])
def test_a_socket_that_begins_with_anything_else_is_refused(line: str | bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        jambonz.begin(line, NOW)
    assert caught.value.code == "malformed_stream"


def test_the_verbs_bring_the_call_to_the_socket() -> None:
    answer, listen, hangup = json.loads(jambonz.answer("wss://b.test/a"))
    assert (answer["verb"], listen["verb"], hangup["verb"]) == ("answer", "listen", "hangup")
    assert (listen["url"], listen["passDtmf"]) == ("wss://b.test/a", True)
    assert listen["bidirectionalAudio"] == {"enabled": True, "streaming": True, "sampleRate": listen["sampleRate"]}
