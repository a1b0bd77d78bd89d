"""The messages under tests/wire/sip, and the call they belong to."""

from collections.abc import Callable
from pathlib import Path

from phone_bridge.legs.sip import sdp
from phone_bridge.legs.sip.codec import FORMATS, G722, decoder
from phone_bridge.legs.sip.dialog import Dialog, Hop
from phone_bridge.legs.sip.leg import Numbers, SipLeg
from phone_bridge.legs.sip.message import Request, read
from phone_bridge.legs.sip.rtp import Packet
from phone_bridge.legs.sip.telephone_event import pack

WIRE = Path(__file__).parents[2] / "wire" / "sip"

CALLER = Hop("192.0.2.10", 5060)
BRIDGE = ("192.0.2.1", 5060)
MEDIA = ("192.0.2.1", 20_000)
NUMBERS = Numbers(ssrc=7, sequence=65_534, timestamp=2**32 - 160)
START = 1_000_000


class Ids:
    """Texts that were never given before, and are the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return f"id{self._count}"


def names(folder: str) -> list[str]:
    """List the samples of ``folder``; an empty one would make its tests pass for nothing."""
    found = sorted(path.name for path in (WIRE / folder).iterdir())
    assert found
    return found


def raw(folder: str, name: str) -> bytes:
    return (WIRE / folder / name).read_bytes()


def text(folder: str, name: str) -> str:
    return raw(folder, name).decode()


def request(folder: str, name: str) -> Request:
    found = read(raw(folder, name))
    assert isinstance(found, Request)
    return found


def dialog() -> Dialog:
    return Dialog.answering(request("outside", "invite.sip"), "ours", BRIDGE, CALLER, Ids())


def leg(now: int = START) -> SipLeg:
    agreed = sdp.agree(sdp.read(request("outside", "invite.sip").body))
    return SipLeg(dialog(), agreed, MEDIA, NUMBERS, now)


def wide_leg(now: int = START, *, events: bool = True) -> SipLeg:
    """A leg that speaks G.722 with its peer, and takes keys as events or in the sound."""
    offer = sdp.offer("192.0.2.10", 4000, 1, codecs=(G722,))
    if not events:
        offer = offer.replace(b" 101", b"").replace(b"a=rtpmap:101", b"a=x")
    return SipLeg(dialog(), sdp.agree(sdp.read(offer), codecs=(G722,)), MEDIA, NUMBERS, now)


def wide_decoder() -> Callable[[bytes], bytes]:
    """Give what makes the sound of a ``wide_leg``'s packets."""
    return decoder(G722, FORMATS[G722])


def sound(number: int, octet: int = 0x10, ssrc: int = 1, payload_type: int = 0) -> Packet:
    return Packet(payload_type, number % 65_536, 160 * number, ssrc, bytes([octet]) * 160)


def key(digit: str, number: int, at: int, *, end: bool = False) -> Packet:
    return Packet(101, number, at, 1, pack(digit, end=end, duration=160))
