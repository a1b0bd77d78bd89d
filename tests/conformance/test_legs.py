"""Every leg through the one door; a new one is one line in ``LEGS``."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.runtime.pump import LegWire
from tests.conformance.door import Message, check_leg
from tests.legs import streams
from tests.legs.browser import samples as browser
from tests.legs.sip import samples as sip
from tests.legs.twilio import samples as twilio


class Leg(NamedTuple):
    """How a fresh wire is made, and what its peer says, well and badly."""

    make: Callable[[], LegWire]
    said: list[Message]
    broken: list[Message]


def texts(folder: str) -> list[Message]:
    return [twilio.text(folder, name) for name in twilio.names(folder)]


def messages(folder: str) -> list[Message]:
    return [sip.text(folder, name) for name in sip.names(folder)]


SOUND: list[Message] = [sip.sound(1).pack(), sip.key("5", 2, 160).pack(), sip.sound(3).pack()]

WIDE: list[Message] = [sip.sound(number, payload_type=9).pack() for number in (1, 2, 3)]


def stream(kind: str) -> Leg:
    return Leg(lambda: streams.opened(kind), streams.lines(kind, "said"), streams.lines(kind, "broken"))


LEGS = {
    "audiosocket": stream("audiosocket"),
    "browser": Leg(
        browser.leg, [browser.FRAME, *browser.lines("said.jsonl")], [*browser.lines("broken.jsonl"), b"\x01"]
    ),
    "chan_websocket": stream("chan_websocket"),
    "jambonz": stream("jambonz"),
    "plivo": stream("plivo"),
    "signalwire": stream("signalwire"),
    "sip": Leg(sip.leg, [*SOUND, *messages("said")], [*messages("broken"), b"binary", b"\x80"]),
    "sip_g722": Leg(sip.wide_leg, [*WIDE, sip.text("said", "9_bye.sip")], [*messages("broken"), b"binary", b"\x80"]),
    "telnyx": stream("telnyx"),
    "twilio": Leg(lambda: TwilioStream(twilio.START), texts("said"), [*texts("broken"), *texts("formats"), b"binary"]),
    "vonage": stream("vonage"),
}


@pytest.mark.parametrize("name", LEGS)
def test_a_leg_keeps_its_promises(name: str) -> None:
    check_leg(*LEGS[name])
