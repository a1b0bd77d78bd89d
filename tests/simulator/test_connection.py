"""One <Connect><Stream>, from its TwiML to its socket."""

from datetime import UTC, datetime

import pytest

from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.simulator.caller import Caller
from phone_bridge.simulator.connection import HANDSHAKE_MS, Connection
from phone_bridge.simulator.duties import Open
from phone_bridge.simulator.faults import Fault
from phone_bridge.simulator.line import Line
from phone_bridge.simulator.stream_link import StreamLink
from phone_bridge.simulator.verbs import ConnectStream
from phone_bridge.simulator.webhooks import Dialling, Webhooks

WEBHOOKS = Webhooks(
    Dialling(account_sid="AC1", auth_token="12345"), "CA1", datetime(2026, 1, 1, tzinfo=UTC), lambda: "u"
)


def connection(verb: ConnectStream) -> Connection:
    return Connection(verb, StreamStart(call_sid="CA1", stream_sid="MZ1"), WEBHOOKS)


@pytest.mark.parametrize(
    "url", ["wss://a.test/media", "ws://127.0.0.1:8080/media", "ws://localhost/media", "ws://[::1]:1/m"]
)
def test_wss_is_opened_and_ws_on_this_machine(url: str) -> None:
    opening = connection(ConnectStream(url=url)).open(0)
    assert isinstance(opening, Open)
    assert opening.url == url
    assert opening.headers == WEBHOOKS.handshake(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ws://a.test/media", 31922),
        ("ws://10.0.0.1/media", 31922),
        ("https://a.test/media", 31922),
        ("/media", 31923),
        ("", 31923),
        ("wss://[::1/media", 31923),
    ],
)
def test_what_is_no_address_for_a_stream_is_refused_by_twilios_number(url: str, code: int) -> None:
    opening = connection(ConnectStream(url=url)).open(0)
    assert isinstance(opening, Fault)
    assert opening.code == code


def test_a_query_string_is_dropped_as_twilio_does() -> None:
    opening = connection(ConnectStream(url="wss://a.test/media?token=1#x")).open(0)
    assert isinstance(opening, Open)
    assert opening.url == "wss://a.test/media"


def test_only_the_inbound_track_can_be_had() -> None:
    opening = connection(ConnectStream(url="wss://a.test/m", track="both_tracks")).open(0)
    assert isinstance(opening, Fault)
    assert opening.code == 31941


def test_the_handshake_has_its_time() -> None:
    stream = connection(ConnectStream(url="wss://a.test/m"))
    assert (stream.opening, stream.deadline()) == (False, None)
    stream.open(100)
    assert (stream.opening, stream.deadline()) == (True, 100 + HANDSHAKE_MS)
    caller = Caller((), {})
    link = stream.opened(lambda codec: StreamLink(codec, Line(caller, 200), caller))
    assert stream.link is link
    assert (stream.opening, stream.deadline()) == (False, None)


def test_callbacks_are_told_to_those_who_want_them() -> None:
    assert connection(ConnectStream(url="wss://a.test/m")).callback("stream-started", 0) is None
    wanted = connection(ConnectStream(url="wss://a.test/m", status_callback="https://a.test/stream"))
    request = wanted.callback("stream-error", 0, "no")
    assert request is not None
    assert b"StreamSid=MZ1" in request.body
    assert b"StreamError=no" in request.body
