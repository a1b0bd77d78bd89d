import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.commands import Flush, HangUp, Play
from phone_bridge.call.events import CallerHeard, DigitPressed, Event, LegClosed, LegTrouble, MarkReached
from phone_bridge.errors import RemoteError
from phone_bridge.legs.patience import MAX_TROUBLES, TROUBLE_WINDOW_MS
from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.messages import Fault, StreamStart
from phone_bridge.legs.twilio.stream import (
    CHUNK_WINDOW,
    JITTER_MS,
    MAX_PAD_MS,
    QUIET_MS,
    Opening,
    TwilioStream,
)
from tests.legs.twilio import samples
from tests.legs.twilio.samples import START, STREAM_SID

FRAME_MS = 20
FRAME = bytes(range(160))
SILENCE = b"\xff"


def silence(ms: int) -> bytes:
    return SILENCE * 8 * ms


def sound_of(facts: list[Event]) -> bytes:
    return b"".join(fact.audio for fact in facts if isinstance(fact, CallerHeard))


def codes(facts: list[Event]) -> list[str]:
    return [fact.code for fact in facts if isinstance(fact, LegTrouble)]


def media(chunk: object, timestamp: object, audio: bytes = FRAME, **inner: object) -> str:
    body = {"track": "inbound", "chunk": chunk, "timestamp": timestamp, "payload": b64encode(audio).decode(), **inner}
    return json.dumps({"event": "media", "streamSid": STREAM_SID, "media": body})


class Line:
    """A started stream with the carrier's end of it."""

    def __init__(self) -> None:
        self.carrier = CarrierStream(START)
        self.wire = TwilioStream(START)

    def hear(self, *messages: str, now: int = 0) -> list[Event]:
        return [fact for message in messages for fact in self.wire.receive(message, now)]


# Opening


def test_an_opening_waits_for_the_start() -> None:
    opening = Opening()
    assert opening.receive(samples.text("said", "connected.json"), 0) is None
    assert opening.receive(samples.text("said", "start.json"), 5) == START


@pytest.mark.parametrize("name", [name for name in samples.names("said") if name.startswith("start")])
def test_every_shape_of_start_opens_the_same_stream(name: str) -> None:
    start = Opening().receive(samples.text("said", name), 0)
    assert isinstance(start, StreamStart)
    assert (start.stream_sid, start.call_sid, start.account_sid) == (STREAM_SID, START.call_sid, START.account_sid)


def test_a_start_without_any_stream_sid_is_skipped() -> None:
    trouble = Opening().receive('{"event":"start","start":{"callSid":"CA1"}}', 0)
    assert isinstance(trouble, LegTrouble)
    assert trouble.code == Fault.MALFORMED


@pytest.mark.parametrize("name", samples.names("formats"))
def test_another_media_format_is_refused_by_name(name: str) -> None:
    with pytest.raises(RemoteError, match="mono mu-law at 8000 Hz") as caught:
        Opening().receive(samples.text("formats", name), 0)
    assert caught.value.code == "unsupported_media_format"


@pytest.mark.parametrize("name", ["media.json", "dtmf.json", "mark.json"])
def test_what_comes_before_the_start_is_skipped(name: str) -> None:
    opening = Opening()
    assert opening.receive(samples.text("said", name), 0) == LegTrouble(Fault.OUT_OF_TURN, "before the start")
    assert opening.receive(samples.text("said", "start.json"), 0) == START


def test_a_stream_may_stop_before_it_started() -> None:
    assert Opening().receive(samples.text("said", "stop.json"), 0) == LegClosed("hangup")


def test_an_opening_bears_broken_messages_but_not_without_end() -> None:
    opening = Opening()
    for _ in range(MAX_TROUBLES):
        assert isinstance(opening.receive("nonsense", 0), LegTrouble)
    with pytest.raises(RemoteError) as caught:
        opening.receive("nonsense", 0)
    assert caught.value.code == "malformed_stream"


# From the carrier


def test_a_whole_stream_is_told_as_facts() -> None:
    line = Line()
    carrier = line.carrier
    assert line.hear(carrier.media(FRAME, 57), now=100) == [CallerHeard(FRAME)]
    assert line.hear(carrier.dtmf("#"), now=110) == [DigitPressed("#")]
    assert line.hear(carrier.mark("1:item:800"), now=115) == [MarkReached("1:item:800")]
    assert line.hear(carrier.media(FRAME, 77), now=120) == [CallerHeard(FRAME)]
    assert line.hear(carrier.stop(), now=130) == [LegClosed("hangup")]


def test_the_captured_messages_are_told_as_facts() -> None:
    line = Line()
    assert line.hear(samples.text("said", "dtmf.json")) == [DigitPressed("1")]
    assert line.hear(samples.text("said", "mark.json")) == [MarkReached("my label")]
    assert len(sound_of(line.hear(samples.text("said", "media.json")))) == 160
    assert line.hear(samples.text("said", "stop.json")) == [LegClosed("hangup")]


@pytest.mark.parametrize("name", samples.names("broken"))
def test_a_broken_message_is_skipped_and_the_stream_goes_on(name: str) -> None:
    line = Line()
    fault = name.partition(".")[0]
    data = samples.raw("broken", name) if fault == Fault.BINARY else samples.text("broken", name)
    assert codes(line.wire.receive(data, 0)) == [fault]
    assert line.hear(line.carrier.media(FRAME, 0)) == [CallerHeard(FRAME)]


@pytest.mark.parametrize("name", ["connected.json", "start.json"])
def test_a_second_beginning_is_skipped(name: str) -> None:
    assert codes(Line().hear(samples.text("said", name))) == [Fault.OUT_OF_TURN]


@pytest.mark.parametrize("name", ["media.json", "dtmf.json", "mark.json", "stop.json"])
def test_another_streams_message_is_skipped(name: str) -> None:
    text = samples.text("said", name).replace(STREAM_SID, "MZother")
    assert codes(Line().hear(text)) == [Fault.WRONG_STREAM]
    without = json.loads(text)
    del without["streamSid"]
    assert codes(Line().hear(json.dumps(without))) == [Fault.WRONG_STREAM]


@pytest.mark.parametrize("name", ["media.json", "dtmf.json", "mark.json", "stop.json"])
def test_nothing_counts_after_the_stop(name: str) -> None:
    line = Line()
    line.hear(samples.text("said", "stop.json"))
    assert codes(line.hear(samples.text("said", name))) == [Fault.OUT_OF_TURN]


def test_another_track_is_not_the_caller() -> None:
    assert codes(Line().hear(media(1, 0, track="outbound"))) == [Fault.WRONG_TRACK]


def test_empty_sound_is_no_fact() -> None:
    assert Line().hear(media(1, 0, b"")) == []


# Patience


def test_a_run_of_malformed_messages_ends_the_call_with_a_named_error() -> None:
    line = Line()
    assert codes(line.hear(*["{}"] * MAX_TROUBLES)) == [Fault.MALFORMED] * MAX_TROUBLES
    with pytest.raises(RemoteError, match=f"more than {MAX_TROUBLES} malformed") as caught:
        line.hear("{}")
    assert caught.value.code == "malformed_stream"


def test_good_messages_in_between_do_not_excuse_the_malformed_ones() -> None:
    line = Line()
    for at in range(0, MAX_TROUBLES * FRAME_MS, FRAME_MS):
        line.hear("{}", line.carrier.media(FRAME, at), now=at)
    with pytest.raises(RemoteError):
        line.hear("{}", now=MAX_TROUBLES * FRAME_MS)


def test_malformed_messages_now_and_then_are_borne_for_ever() -> None:
    line = Line()
    for at in range(5 * MAX_TROUBLES):
        line.hear("{}", now=at * TROUBLE_WINDOW_MS // MAX_TROUBLES + at)


@pytest.mark.parametrize(
    "message", ['{"event":"news"}', media(1, 0, track="outbound"), media(7, 0)], ids=["unknown", "track", "stale"]
)
def test_harmless_messages_are_borne_in_any_number(message: str) -> None:
    line = Line()
    line.hear(media(7, 0))
    assert len(codes(line.hear(*[message] * (2 * MAX_TROUBLES)))) == 2 * MAX_TROUBLES


@given(st.lists(st.text() | st.binary(), max_size=200))
def test_only_a_named_error_ever_comes_out(frames: list[str | bytes]) -> None:
    line = Line()
    for frame in frames[:MAX_TROUBLES]:
        assert len(codes(line.wire.receive(frame, 0))) == 1
    for frame in frames[MAX_TROUBLES:]:
        with pytest.raises(RemoteError):
            line.wire.receive(frame, 0)


# Sound without holes


def test_sound_that_was_left_out_is_padded_by_its_timestamps() -> None:
    line = Line()
    facts = line.hear(media(1, 57), media(2, 157))
    assert facts == [CallerHeard(FRAME), CallerHeard(silence(80)), CallerHeard(FRAME)]


def test_the_clock_starts_with_the_first_sound() -> None:
    assert sound_of(Line().hear(media(1, 1_763_458_215_000))) == FRAME


def test_a_gap_is_padded_up_to_the_limit_and_told_beyond_it() -> None:
    line = Line()
    longest = line.hear(media(1, 0), media(2, FRAME_MS + MAX_PAD_MS))
    assert sound_of(longest) == FRAME + silence(MAX_PAD_MS) + FRAME
    assert codes(longest) == []
    line = Line()
    longer = line.hear(media(1, 0), media(2, FRAME_MS + MAX_PAD_MS + 1))
    assert sound_of(longer) == FRAME + silence(MAX_PAD_MS) + FRAME
    assert codes(longer) == [Fault.LONG_GAP]
    assert sound_of(line.hear(media(3, 2 * FRAME_MS + MAX_PAD_MS + 1))) == FRAME


def test_jitter_in_the_timestamps_is_no_gap_until_it_adds_up() -> None:
    line = Line()
    early = JITTER_MS - 1
    assert sound_of(line.hear(media(1, 0), media(2, 20 + early), media(3, 40), media(4, 60 + early))) == FRAME * 4
    assert sound_of(line.hear(media(5, 80 + JITTER_MS))) == silence(JITTER_MS) + FRAME


def test_a_doubled_or_late_chunk_is_dropped() -> None:
    line = Line()
    facts = line.hear(media(1, 0), media(3, 40), media(2, 20), media(3, 40), media(4, 60))
    assert sound_of(facts) == FRAME + silence(20) + FRAME + FRAME
    assert codes(facts) == [Fault.STALE_MEDIA, Fault.STALE_MEDIA]


def test_new_sound_is_kept_even_when_its_timestamp_lies_in_the_past() -> None:
    line = Line()
    facts = line.hear(media(1, 0), media(2, 200), media(3, 201), media(4, 202), media(5, 260))
    assert sound_of(facts) == FRAME + silence(180) + FRAME * 4


def test_a_clock_that_begins_anew_is_followed() -> None:
    line = Line()
    assert sound_of(line.hear(media(1, 60_000), media(2, 0), media(3, 40))) == FRAME + FRAME + silence(20) + FRAME


def test_one_absurd_number_does_not_deafen_the_call() -> None:
    line = Line()
    line.hear(media(1, 0), media(10**15, 10**15))
    facts = line.hear(media(3, 40), media(4, 60), media(5, 100))
    assert sound_of(facts) == FRAME + FRAME + silence(20) + FRAME


def test_a_chunk_is_late_within_the_window_only() -> None:
    line = Line()
    line.hear(media(CHUNK_WINDOW + 1, 0))
    assert codes(line.hear(media(2, 20))) == [Fault.STALE_MEDIA]
    assert sound_of(line.hear(media(1, 20))) == FRAME


def test_sound_without_chunk_or_timestamp_is_taken_as_it_comes() -> None:
    bare = f'{{"event":"media","streamSid":"{STREAM_SID}","media":{{"payload":"YWJj"}}}}'
    assert sound_of(Line().hear(*[bare] * 10_000)) == b"abc" * 10_000


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Make (chunk, timestamp, milliseconds) as they arrive: with gaps, doubles and late ones."""
    timestamp = draw(st.integers(0, 5_000))
    sent: list[tuple[int, int, int]] = []
    for chunk in range(1, draw(st.integers(1, 30)) + 1):
        length = draw(st.sampled_from([20, 20, 20, 10, 40, 100]))
        sent.append((chunk, timestamp, length))
        timestamp += length + draw(st.sampled_from([0, 0, 0, 10, 20, 60, 500, MAX_PAD_MS]))
    arriving = list(sent)
    for _ in range(draw(st.integers(0, 5))):
        again = draw(st.integers(0, len(sent) - 1))
        arriving.insert(draw(st.integers(0, len(arriving))), sent[again])
    return arriving


@given(deliveries())
def test_the_caller_is_heard_without_holes_for_exactly_the_time_the_timestamps_span(
    arriving: list[tuple[int, int, int]],
) -> None:
    line = Line()
    heard, expected = bytearray(), bytearray()
    begin = clock = arriving[0][1]
    newest = lost = 0
    for chunk, timestamp, length in arriving:
        audio = bytes([chunk]) * PCMU_8K.size(length)
        heard += sound_of(line.hear(media(str(chunk), str(timestamp), audio)))
        if chunk > newest:
            padded = min(timestamp - clock, MAX_PAD_MS)
            lost += timestamp - clock - padded
            expected += silence(padded) + audio
            newest, clock = chunk, timestamp + length
    assert heard == expected
    assert PCMU_8K.ms(len(heard)) == clock - begin - lost


@given(st.lists(st.tuples(st.integers(), st.integers(), st.integers(0, 400)), max_size=30))
def test_whatever_the_numbers_say_new_sound_is_kept_and_padding_is_bounded(
    chunks: list[tuple[int, int, int]],
) -> None:
    line = Line()
    for chunk, timestamp, size in chunks:
        facts = line.hear(media(chunk, timestamp, b"a" * size))
        sound = sound_of(facts)
        assert sound.endswith(b"a" * size) or codes(facts) == [Fault.STALE_MEDIA] or codes(facts) == [Fault.MALFORMED]
        assert len(sound) <= size + PCMU_8K.size(MAX_PAD_MS)


# A line that says nothing


def test_a_quiet_line_is_given_silence_by_the_clock() -> None:
    line = Line()
    assert line.wire.deadline() is None
    line.hear(media(1, 0), now=1_000)
    assert line.wire.deadline() == 1_000 + QUIET_MS
    assert line.wire.expire(1_000 + QUIET_MS - 1) == []
    assert line.wire.expire(1_000 + QUIET_MS) == [CallerHeard(silence(QUIET_MS))]
    assert line.wire.deadline() == 1_000 + 2 * QUIET_MS


def test_silence_given_by_the_clock_is_not_padded_again_by_timestamps() -> None:
    line = Line()
    line.hear(media(1, 0), now=0)
    line.wire.expire(500)
    assert sound_of(line.hear(media(2, 720), now=720)) == silence(200) + FRAME


def test_sound_that_was_only_held_up_is_kept_whole_after_silence_was_given() -> None:
    line = Line()
    line.hear(media(1, 0), now=0)
    line.wire.expire(600)
    late = [media(chunk, (chunk - 1) * FRAME_MS) for chunk in range(2, 32)]
    assert sound_of(line.hear(*late, now=620)) == FRAME * 30


def test_silence_given_by_the_clock_is_bounded() -> None:
    line = Line()
    line.hear(media(1, 0), now=0)
    assert sound_of(line.wire.expire(60_000)) == silence(MAX_PAD_MS)
    assert line.wire.deadline() == 60_000 + QUIET_MS


def test_a_line_is_not_quiet_before_its_first_sound_nor_after_its_end() -> None:
    line = Line()
    assert line.wire.expire(10_000) == []
    line.hear(media(1, 0), now=10_000)
    line.hear(line.carrier.stop(), now=10_020)
    assert line.wire.deadline() is None
    assert line.wire.expire(20_000) == []


# To the carrier


def sent(wire: TwilioStream) -> list[object]:
    return [json.loads(message) for message in wire.outgoing()]


def test_play_is_media_and_then_its_mark() -> None:
    wire = TwilioStream(START)
    wire.send(Play(b"\x00\x01\x02\xff", "1:item:0"), 0)
    assert sent(wire) == [
        {"event": "media", "streamSid": STREAM_SID, "media": {"payload": "AAEC/w=="}},
        {"event": "mark", "streamSid": STREAM_SID, "mark": {"name": "1:item:0"}},
    ]
    assert wire.outgoing() == []


def test_sound_without_a_mark_and_a_mark_without_sound_go_alone() -> None:
    wire = TwilioStream(START)
    wire.send(Play(b"\x00"), 0)
    wire.send(Play(b"", "end"), 0)
    wire.send(Play(b""), 0)
    assert [json.loads(message)["event"] for message in wire.outgoing()] == ["media", "mark"]


def test_flush_is_clear() -> None:
    wire = TwilioStream(START)
    wire.send(Flush(), 0)
    assert sent(wire) == [{"event": "clear", "streamSid": STREAM_SID}]


def test_hanging_up_has_no_word_and_leaves_what_waits_in_place() -> None:
    wire = TwilioStream(START)
    assert wire.closing is None
    wire.send(Play(b"\x00", "goodbye"), 0)
    wire.send(HangUp("transfer"), 0)
    assert wire.closing == HangUp("transfer")
    assert len(wire.outgoing()) == 2


def test_every_message_out_is_text() -> None:
    wire = TwilioStream(START)
    for command in (Play(b"\x00", "m"), Flush()):
        wire.send(command, 0)
    assert [type(message) for message in wire.outgoing()] == [str, str, str]


def test_strange_names_are_quoted() -> None:
    sid = 'MZ"},\n\\é'
    wire = TwilioStream(StreamStart(call_sid="CA1", stream_sid=sid))
    wire.send(Play(b"\x00", 'a"b\\c\né'), 0)
    wire.send(Flush(), 0)
    messages = [json.loads(message) for message in wire.outgoing()]
    assert [message["streamSid"] for message in messages] == [sid] * 3
    assert messages[1]["mark"]["name"] == 'a"b\\c\né'


def test_the_format_is_that_of_the_line() -> None:
    assert TwilioStream(START).format == PCMU_8K
