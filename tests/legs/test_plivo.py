"""Plivo's audio streams."""

import json
from xml.etree import ElementTree

import pytest

from phone_bridge.audio.format import LINEAR_16K, PCMU_8K
from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, LegClosed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs import plivo
from tests.legs.streams import lines, opened

NOW = 5_000
STREAM = "20170ada-f610-433b-8758-c02a2aab3662"


def test_what_is_said_is_heard() -> None:
    leg = opened("plivo", NOW)
    facts = [fact for line in lines("plivo", "said") for fact in leg.receive(line, NOW)]
    assert facts == [CallerHeard(b"\x80" * 160), DigitPressed("5"), MarkReached("0.1"), LegClosed()]


@pytest.mark.parametrize("line", lines("plivo", "broken"))
def test_nonsense_is_skipped(line: str | bytes) -> None:
    (fact,) = opened("plivo", NOW).receive(line, NOW)
    assert isinstance(fact, LegTrouble)


def test_what_goes_out_is_as_plivo_documents_it() -> None:
    leg = opened("plivo", NOW)
    leg.send(Play(b"\xff" * 160, "0.1"), NOW)
    leg.send(Flush(), NOW)
    leg.send(HangUp(), NOW)
    sound, mark, clear = (json.loads(message) for message in leg.outgoing())
    payload = "/" * 213 + "w=="
    media = {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": payload}
    assert sound == {"event": "playAudio", "media": media}
    assert mark == {"event": "checkpoint", "streamId": STREAM, "name": "0.1"}
    assert clear == {"event": "clearAudio", "streamId": STREAM}


def test_the_start_says_the_format() -> None:
    assert opened("plivo").format == PCMU_8K
    start = {"streamId": STREAM, "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000}}
    wide = plivo.begin(json.dumps({"event": "start", "start": start}), NOW)
    assert wide is not None
    assert wide.format == LINEAR_16K
    assert plivo.begin('{"event":"hello"}', NOW) is None


def test_a_format_that_is_not_spoken_is_refused_with_its_mend() -> None:
    with pytest.raises(RemoteError, match="contentType") as caught:
        plivo.begin(lines("plivo", "formats")[0], NOW)
    assert caught.value.code == "unsupported_media_format"


@pytest.mark.parametrize("line", ["{", b"\x80", '{"event":"start"}'])
def test_a_stream_that_does_not_start_is_refused(line: str | bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        plivo.begin(line, NOW)
    assert caught.value.code == "malformed_stream"


def test_the_document_brings_the_call_to_the_socket() -> None:
    stream = ElementTree.fromstring(plivo.answer("wss://b.test/a?b=1&c")).find("Stream")  # noqa: S314 - our own
    assert stream is not None
    assert stream.text == "wss://b.test/a?b=1&c"
    assert (stream.attrib["bidirectional"], stream.attrib["keepCallAlive"]) == ("true", "true")
