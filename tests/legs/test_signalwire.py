"""SignalWire's streams, which are Twilio's."""

from xml.etree import ElementTree

import pytest

from phone_bridge.call.events import CallerHeard, DigitPressed, LegClosed, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs import signalwire
from tests.legs.streams import lines, opened

NOW = 5_000


def test_what_is_said_is_heard() -> None:
    leg = opened("signalwire", NOW)
    facts = [fact for line in lines("signalwire", "said") for fact in leg.receive(line, NOW)]
    assert facts == [CallerHeard(b"\x80" * 160), DigitPressed("5"), MarkReached("0.1"), LegClosed()]


@pytest.mark.parametrize("line", ["{", '{"event":"stop","streamSid":"a"}'])
def test_a_stream_that_does_not_start_is_refused(line: str) -> None:
    with pytest.raises(RemoteError) as caught:
        signalwire.begin(line, NOW)
    assert caught.value.code == "malformed_stream"


def test_the_document_brings_the_call_to_the_socket() -> None:
    stream = ElementTree.fromstring(signalwire.answer("wss://b.test/a")).find("Connect/Stream")  # noqa: S314 - our own
    assert stream is not None
    assert stream.attrib == {"url": "wss://b.test/a"}
