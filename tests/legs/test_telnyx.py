"""Telnyx media streaming."""

import json
from xml.etree import ElementTree

import pytest

from phone_bridge.audio.format import PCMA_8K, PCMU_8K
from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs import telnyx
from phone_bridge.legs.telnyx import REORDER_CHUNKS
from phone_bridge.runtime.pump import LegWire
from tests.legs.streams import lines, opened

NOW = 5_000
SOUND = b"\x80" * 160
SILENCE = b"\xff" * 160


def media(chunk: int, payload: str = "gICA") -> str:
    return json.dumps({"event": "media", "media": {"track": "inbound", "chunk": str(chunk), "payload": payload}})


def heard(leg: LegWire, *chunks: int) -> list[Event]:
    return [fact for chunk in chunks for fact in leg.receive(media(chunk), NOW)]


def test_what_is_said_is_heard_in_its_order() -> None:
    leg = opened("telnyx", NOW)
    facts = [fact for line in lines("telnyx", "said") for fact in leg.receive(line, NOW)]
    assert facts[:3] == [CallerHeard(SOUND)] * 3
    assert facts[3:6] == [LegTrouble("stale_media"), DigitPressed("1"), MarkReached("0.1")]
    assert isinstance(facts[6], LegTrouble)
    assert (facts[6].code, "malformed_frame" in facts[6].message) == ("telnyx_error", True)
    assert facts[7:] == [LegClosed()]


@pytest.mark.parametrize("line", lines("telnyx", "broken"))
def test_nonsense_is_skipped(line: str | bytes) -> None:
    (fact,) = opened("telnyx", NOW).receive(line, NOW)
    assert isinstance(fact, LegTrouble)


def test_a_chunk_that_never_comes_is_silence_after_a_while() -> None:
    leg = opened("telnyx", NOW)
    early = range(3, 3 + REORDER_CHUNKS)
    assert heard(leg, 1, *early) == [CallerHeard(b"\x80" * 3)]
    facts = heard(leg, 3 + REORDER_CHUNKS)
    assert facts == [CallerHeard(b"\xff" * 3), *[CallerHeard(b"\x80" * 3)] * (REORDER_CHUNKS + 1)]
    assert heard(leg, 2) == [LegTrouble("stale_media")]


def test_a_count_that_begins_anew_is_followed() -> None:
    leg = opened("telnyx", NOW)
    assert len(heard(leg, 5_000, 1, 2, 90_000, 90_001)) == 5


def test_sound_without_numbers_is_heard_as_it_comes() -> None:
    assert opened("telnyx", NOW).receive('{"event":"media","media":{"payload":"gA=="}}', NOW) == [CallerHeard(b"\x80")]


def test_what_goes_out_is_as_telnyx_documents_it() -> None:
    leg = opened("telnyx", NOW)
    leg.send(Play(SILENCE, 'a "mark"'), NOW)
    leg.send(Flush(), NOW)
    leg.send(HangUp(), NOW)
    sent = [json.loads(message) for message in leg.outgoing()]
    assert sent[0]["media"] == {"payload": "/" * 213 + "w=="}
    assert sent[1:] == [{"event": "mark", "mark": {"name": 'a "mark"'}}, {"event": "clear"}]


def test_the_start_says_the_codec() -> None:
    assert opened("telnyx").format == PCMU_8K
    a_law = telnyx.begin('{"event":"start","start":{"media_format":{"encoding":"PCMA"}}}', NOW)
    assert a_law is not None
    assert a_law.format == PCMA_8K


@pytest.mark.parametrize("line", lines("telnyx", "formats"))
def test_a_codec_that_is_not_spoken_is_refused_with_its_mend(line: str) -> None:
    with pytest.raises(RemoteError, match="bidirectionalCodec") as caught:
        telnyx.begin(line, NOW)
    assert caught.value.code == "unsupported_media_format"


@pytest.mark.parametrize("line", ["{", b"\x80", '{"event":"start"}'])
def test_a_stream_that_does_not_start_is_refused(line: str | bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        telnyx.begin(line, NOW)
    assert caught.value.code == "malformed_stream"


def test_the_document_brings_the_call_to_the_socket() -> None:
    stream = ElementTree.fromstring(telnyx.answer("wss://b.test/a?b=1&c")).find("Connect/Stream")  # noqa: S314 - our own
    assert stream is not None
    assert stream.attrib["url"] == "wss://b.test/a?b=1&c"
    assert (stream.attrib["bidirectionalMode"], stream.attrib["bidirectionalCodec"]) == ("rtp", "PCMU")
