"""What SIP costs beside the call itself: ``python -m tests.benchmarks.bench_sip``.

A frame is one packet in and one out, through the leg with its jitter buffer; a set-up is INVITE, answer, ACK, BYE
through the agent. Sockets are not in it. Times are of the processor, the best of many rounds; trust the ratios.
"""

import time
from base64 import b64encode
from collections.abc import Callable
from functools import cache

import msgspec

from phone_bridge.call.commands import Play
from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.agent import Invited
from phone_bridge.legs.sip.transaction import LIFE_MS
from phone_bridge.legs.twilio.stream import TwilioStream
from tests.benchmarks.tables import table
from tests.legs.sip import samples as sip
from tests.legs.sip.test_agent import BODY, Line, ack, within
from tests.legs.twilio import samples as twilio

FRAMES = 1_000
SET_UPS = 200
ROUNDS = 15
FRAME_MS = 20


@cache
def _packets(count: int) -> list[bytes]:
    return [sip.sound(number).pack() for number in range(count)]


@cache
def _messages(count: int) -> list[str]:
    return [_media(number) for number in range(count)]


def _media(number: int) -> str:
    payload = b64encode(b"\x10" * 160).decode()
    media = {"track": "inbound", "chunk": str(number + 1), "timestamp": str(number * FRAME_MS), "payload": payload}
    message = {"event": "media", "sequenceNumber": "1", "streamSid": twilio.STREAM_SID, "media": media}
    return msgspec.json.encode(message).decode()


def sip_frames(count: int = FRAMES) -> int:
    """Carry ``count`` frames both ways; gives how many went out."""
    leg, now, sent = sip.leg(), sip.START, 0
    for packet in _packets(count):
        leg.receive(packet, now)
        leg.send(Play(b"\x10" * 160), now)
        leg.expire(now)
        sent += len(leg.outgoing())
        now += FRAME_MS
    return sent


def twilio_frames(count: int = FRAMES) -> int:
    """Carry as many frames of a carrier's stream."""
    leg, now, sent = TwilioStream(twilio.START), sip.START, 0
    for message in _messages(count):
        leg.receive(message, now)
        leg.send(Play(b"\x10" * 160), now)
        sent += len(leg.outgoing())
        now += FRAME_MS
    return sent


def set_ups(count: int = SET_UPS) -> int:
    """Take and end ``count`` calls, one after another; gives how many there were."""
    line, taken = Line(), 0
    invite = sip.raw("outside", "invite.sip")
    for number in range(count):
        this = f"call{number}".encode()
        (fact,) = line.say(_named(invite, this))
        assert isinstance(fact, Invited)
        assert fact.offer is not None
        sdp.answer(fact.offer, sdp.agree(fact.offer), "192.0.2.1", 20_000, 1)
        line.agent.ring(fact.dialog, line.now)
        line.agent.accept(fact.dialog, BODY, line.now)
        taken += len(line.say(_named(ack(fact), this)))
        line.say(_named(within(fact, "9_bye.sip"), this))
        line.agent.release(fact.dialog, line.now)
        line.agent.outgoing()
    line.wait(line.now + LIFE_MS)
    return taken


def _named(data: bytes, name: bytes) -> bytes:
    return data.replace(b"3848276298220188511", name).replace(b"branch=z9hG4bK", b"branch=z9hG4bK" + name)


def microseconds(work: Callable[[], int], rounds: int = ROUNDS) -> float:
    """The processor's time for one piece of ``work``, in the best of ``rounds``."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        pieces = work()
        best = min(best, (time.process_time() - began) / pieces)
    return best * 1e6


def main() -> None:
    """Measure, and print what came out."""
    by_sip, by_stream, set_up = microseconds(sip_frames), microseconds(twilio_frames), microseconds(set_ups)
    rows = [
        ["a frame both ways by SIP", f"{by_sip:.1f}"],
        ["a frame both ways by a media stream", f"{by_stream:.1f}"],
        ["a call's set-up and end", f"{set_up:.0f}"],
    ]
    print(table(["what", "microseconds"], rows))  # noqa: T201 - printing is its work


if __name__ == "__main__":
    main()
