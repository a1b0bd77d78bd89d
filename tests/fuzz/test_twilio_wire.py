"""Twilio's stream, from its first word: whatever is said, facts come of it or a RemoteError with a code."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call import events as e
from phone_bridge.errors import RemoteError
from phone_bridge.legs.twilio.carrier import CarrierStream, Complaint, Marked, Played
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.stream import MAX_PAD_MS, Opening, TwilioStream
from tests.conformance.door import _hear as hear  # facts that are facts, or a RemoteError with a code
from tests.fuzz.mutation import mutations
from tests.fuzz.profiles import examples
from tests.legs.twilio import samples

SAID = [samples.text(folder, name) for folder in ("said", "formats", "broken") for name in samples.names(folder)]
STEPS_MS = [0, 1, 20, 499, 500, 10_001, 86_400_000]

messages = st.one_of(mutations(SAID), mutations(SAID), st.text(max_size=30), st.binary(max_size=30))
talk = st.lists(st.tuples(st.sampled_from(STEPS_MS), messages), min_size=1, max_size=12)

OURS = [
    json.dumps({"event": "media", "streamSid": samples.STREAM_SID, "media": {"payload": "//8="}}),
    json.dumps({"event": "mark", "streamSid": samples.STREAM_SID, "mark": {"name": "0.1"}}),
    json.dumps({"event": "clear", "streamSid": samples.STREAM_SID}),
]


@examples(200)
@given(talk)
def test_a_stream_gives_facts_or_a_named_error(said: list[tuple[int, str | bytes]]) -> None:
    wire, now = TwilioStream(samples.START), 1_000_000
    for wait, message in said:
        now += wait
        facts = hear(wire, message, now, wire.format)
        heard = sum(len(fact.audio) for fact in facts if isinstance(fact, e.CallerHeard))
        assert heard <= len(message) + wire.format.size(MAX_PAD_MS), "more sound than came, and more than a gap's"


@examples(120)
@given(talk)
def test_an_opening_gives_a_usable_start_or_a_named_error(said: list[tuple[int, str | bytes]]) -> None:
    opening, now = Opening(), 1_000_000
    for wait, message in said:
        now += wait
        try:
            opened = opening.receive(message, now)
        except RemoteError as error:
            opened = e.LegTrouble(error.code)
        if isinstance(opened, e.LegTrouble):
            assert re.fullmatch(r"[a-z_]+", opened.code)
        elif isinstance(opened, StreamStart):
            assert opened.call_sid
            assert opened.stream_sid
            hear(TwilioStream(opened), SAID[0], now, TwilioStream.format)


@examples(200)
@given(st.lists(mutations(OURS) | st.text(max_size=20) | st.binary(max_size=20), max_size=6))
def test_the_carrier_s_own_end_complains_and_never_fails(said: list[str | bytes]) -> None:
    carrier = CarrierStream(samples.START)
    for message in said:
        heard = carrier.receive(message)
        if isinstance(heard, Complaint):
            assert heard.code
        elif isinstance(heard, Played | Marked):
            assert isinstance(message, str)
            assert samples.STREAM_SID in message
