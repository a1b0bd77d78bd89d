"""Measure what one message costs on a Twilio media stream, beside ``json`` and ``base64`` doing the same work.

Run with ``python -m tests.benchmarks.bench_twilio``. Times are of the processor, the best of many rounds; on a busy
machine trust the ratios.
"""

import base64
import json
import sys
import time
from collections.abc import Callable

from phone_bridge.call.commands import Play
from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.stream import TwilioStream

MESSAGES = 2_000
ROUNDS = 60
FRAME = bytes(range(160))
START = StreamStart(call_sid="CA" + "1" * 32, stream_sid="MZ" + "2" * 32, account_sid="AC" + "3" * 32)
MARK = "12:item_0123456789abcdef:800"


def media() -> list[str]:
    """Make a stream of 20 ms messages."""
    carrier = CarrierStream(START)
    return [carrier.media(FRAME, 20 * at) for at in range(MESSAGES)]


def receive(messages: list[str]) -> None:
    """Read them as the bridge does: order, gaps and the right stream are checked."""
    wire = TwilioStream(START)
    for message in messages:
        wire.receive(message, 0)


def receive_generic(messages: list[str]) -> None:
    """Read them as most others do, with no check but the event's name."""
    for message in messages:
        data = json.loads(message)
        if data["event"] == "media":
            base64.b64decode(data["media"]["payload"])


def send(play: Play) -> None:
    """Write them as the bridge does."""
    wire = TwilioStream(START)
    for _ in range(MESSAGES):
        wire.send(play, 0)
        wire.outgoing()


def send_generic(play: Play) -> None:
    """Write them as most others do."""
    for _ in range(MESSAGES):
        payload = base64.b64encode(play.audio).decode("ascii")
        json.dumps({"event": "media", "streamSid": START.stream_sid, "media": {"payload": payload}})
        if play.mark:
            json.dumps({"event": "mark", "streamSid": START.stream_sid, "mark": {"name": play.mark}})


def microseconds(work: Callable[[], None]) -> float:
    """Give the processor's time for one of ``MESSAGES``, the best of ``ROUNDS``."""
    best = min(_seconds(work) for _ in range(ROUNDS))
    return best / MESSAGES * 1e6


def _seconds(work: Callable[[], None]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """Print one line for each direction."""
    messages = media()
    plain, marked = Play(FRAME), Play(FRAME, MARK)
    report = sys.stdout.write
    report(f"{'a 20 ms message':24}{'bridge':>10}{'json+base64':>14}{'ratio':>8}\n")
    for name, ours, theirs in (
        ("media in", lambda: receive(messages), lambda: receive_generic(messages)),
        ("media out", lambda: send(plain), lambda: send_generic(plain)),
        ("media and mark out", lambda: send(marked), lambda: send_generic(marked)),
    ):
        mine, other = microseconds(ours), microseconds(theirs)
        report(f"{name:24}{mine:>7.2f} µs{other:>11.2f} µs{other / mine:>8.1f}\n")


if __name__ == "__main__":
    main()
