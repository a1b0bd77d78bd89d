"""Vonage's voice WebSocket."""

import json

import pytest

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K
from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs import vonage
from tests.legs.streams import lines, opened

NOW = 5_000
SOUND = b"\x10\x20" * 320


def test_what_is_said_is_heard() -> None:
    leg = opened("vonage", NOW)
    facts = [fact for line in lines("vonage", "said") for fact in leg.receive(line, NOW)]
    assert facts == [CallerHeard(SOUND), DigitPressed("5"), MarkReached("0.1"), CallerHeard(SOUND)]


@pytest.mark.parametrize("line", lines("vonage", "broken"))
def test_nonsense_is_skipped(line: str | bytes) -> None:
    (fact,) = opened("vonage", NOW).receive(line, NOW)
    assert isinstance(fact, LegTrouble)


def test_what_goes_out_is_as_vonage_documents_it() -> None:
    leg = opened("vonage", NOW)
    leg.send(Play(SOUND * 2, "0.1"), NOW)
    leg.send(Flush(), NOW)
    leg.send(HangUp(), NOW)
    first, second, mark, clear = leg.outgoing()
    assert (first, second) == (SOUND, SOUND), "frames of 20 ms"
    assert json.loads(mark) == {"action": "notify", "payload": {"mark": "0.1"}}
    assert json.loads(clear) == {"action": "clear"}


def test_the_content_type_says_the_rate() -> None:
    assert opened("vonage").format == LINEAR_16K
    narrow = vonage.begin('{"event":"websocket:connected","content-type":"audio/L16; rate=8000"}', NOW)
    assert narrow is not None
    assert narrow.format == LINEAR_8K


def test_what_comes_before_the_greeting_is_let_go() -> None:
    assert vonage.begin(SOUND, NOW) is None
    assert vonage.begin('{"event":"websocket:media:update"}', NOW) is None


@pytest.mark.parametrize("line", lines("vonage", "formats"))
def test_a_rate_that_is_not_spoken_is_refused_with_its_mend(line: str) -> None:
    with pytest.raises(RemoteError, match="rate=16000") as caught:
        vonage.begin(line, NOW)
    assert caught.value.code == "unsupported_media_format"


def test_a_socket_that_begins_with_nonsense_is_refused() -> None:
    with pytest.raises(RemoteError) as caught:
        vonage.begin("{", NOW)
    assert caught.value.code == "malformed_stream"


def test_the_call_control_object_brings_the_call_to_the_socket() -> None:
    (connect,) = json.loads(vonage.answer("wss://b.test/a"))
    (endpoint,) = connect["endpoint"]
    assert (connect["action"], endpoint["type"], endpoint["uri"]) == ("connect", "websocket", "wss://b.test/a")
    assert endpoint["content-type"] == vonage.CONTENT_TYPE
