"""The carrier's end of a live stream: what the bridge sends is heard in its time, what the caller does is told."""

import json
from binascii import b2a_base64
from typing import Any

from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.simulator.caller import SILENT_FRAME, Caller, Manners
from phone_bridge.simulator.faults import Code, Fault
from phone_bridge.simulator.line import CallerHungUp, FrameSpoken, KeyPressed, Line, MarkPlayed
from phone_bridge.simulator.script import Say
from phone_bridge.simulator.stream_link import StreamLink

SID = "MZ1"


class Bench:
    """A link on a line with a caller who says one long thing, 1 s after the answer."""

    def __init__(self, *, leaves_out_silence: bool = False) -> None:
        caller = Caller([Say("long", after_ms=1000)], {"long": b"\x01" * 8000}, Manners(stay=True))
        self.line = Line(caller, 0)
        codec = CarrierStream(StreamStart(call_sid="CA1", stream_sid=SID, account_sid="AC1"))
        self.link = StreamLink(codec, self.line, caller, leaves_out_silence=leaves_out_silence)

    def pass_to(self, now: int) -> list[dict[str, Any]]:
        return [json.loads(text) for fact in self.line.advance(now) for text in self.link.tell(fact)]

    def media(self, audio: bytes) -> None:
        payload = b2a_base64(audio, newline=False).decode()
        assert self.link.receive(json.dumps({"event": "media", "streamSid": SID, "media": {"payload": payload}})) == []

    def mark(self, name: str) -> list[str]:
        return names(self.link.receive(json.dumps({"event": "mark", "streamSid": SID, "mark": {"name": name}})))

    def clear(self) -> list[str]:
        return names(self.link.receive(json.dumps({"event": "clear", "streamSid": SID})))


def names(messages: list[str]) -> list[str]:
    return [json.loads(message)["mark"]["name"] for message in messages]


def test_the_stream_begins_with_connected_and_start() -> None:
    first, second = (json.loads(message) for message in Bench().link.begin())
    assert first["event"] == "connected"
    assert (second["event"], second["start"]["callSid"]) == ("start", "CA1")


def test_frames_are_media_with_timestamps_that_never_drift() -> None:
    bench = Bench()
    bench.line.advance(33)  # the stream begins in the middle of a frame
    media = bench.pass_to(500)
    assert [message["media"]["timestamp"] for message in media] == [str(20 * at) for at in range(len(media))]
    assert [message["media"]["chunk"] for message in media] == [str(at + 1) for at in range(len(media))]
    assert len(media) == 24


def test_silence_is_left_out_where_the_network_does_and_the_time_goes_on() -> None:
    bench = Bench(leaves_out_silence=True)
    (first, *_) = bench.pass_to(1100)
    assert first["media"]["timestamp"] == "1000"


def test_keys_and_marks_are_told_and_the_rest_is_nobodys_business() -> None:
    link = Bench().link
    assert json.loads(link.tell(KeyPressed("7", 0))[0])["dtmf"]["digit"] == "7"
    assert names(link.tell(MarkPlayed("m", 0))) == ["m"]
    assert link.tell(CallerHungUp(0)) == []
    assert json.loads(link.tell(FrameSpoken(SILENT_FRAME, 20))[0])["event"] == "media"


def test_media_is_heard_and_its_mark_returns_afterwards() -> None:
    bench = Bench()
    bench.media(b"\x01" * 160)
    assert bench.mark("end") == []
    told = bench.pass_to(20)
    assert [message["event"] for message in told] == ["mark", "media"]
    assert bytes(bench.line.heard) == b"\x01" * 160
    assert bench.link.media_bytes == 160


def test_a_mark_with_nothing_before_it_returns_at_once() -> None:
    assert Bench().mark("empty") == ["empty"]


def test_a_clear_returns_what_was_pending_and_counts_what_was_never_heard() -> None:
    bench = Bench()
    bench.media(b"\x01" * 1600)
    bench.mark("a")
    bench.mark("b")
    bench.pass_to(50)
    assert bench.clear() == ["a", "b"]
    assert bench.link.bytes_cut == 1600 - 400
    assert bench.line.playout.buffered == 0


def test_media_after_a_clear_counts_while_the_caller_still_speaks() -> None:
    bench = Bench()
    bench.pass_to(1200)
    bench.clear()
    bench.media(b"\x01" * 100)
    assert bench.link.bytes_after_clear == 100
    bench.pass_to(2100)
    bench.media(b"\x01" * 100)
    assert bench.link.bytes_after_clear == 100


def test_media_after_a_clear_that_no_words_led_to_is_a_new_answer() -> None:
    bench = Bench()
    bench.clear()
    bench.media(b"\x01" * 100)
    assert bench.link.bytes_after_clear == 0


def test_bad_messages_are_reported_once_each_by_twilios_numbers() -> None:
    bench = Bench()
    for message in ("nonsense", "{}", b"\x00", '{"event":"media","streamSid":"MZ2","media":{"payload":""}}', b"\x01"):
        assert bench.link.receive(message) == []
    assert sorted(fault.code for fault in bench.link.faults) == [31950, 31951]


def test_a_complaint_of_the_shells_is_reported_once_too() -> None:
    link = Bench().link
    link.complain(Fault(Code.STREAM_OVERFLOW, "first"))
    link.complain(Fault(Code.STREAM_OVERFLOW, "second"))
    assert [fault.message for fault in link.faults] == ["first"]


def test_the_stream_stops_with_a_word() -> None:
    assert json.loads(Bench().link.stop())["event"] == "stop"
