"""What a page says, as ``tests/wire/browser`` has it, and a leg that was granted everything."""

from pathlib import Path

from phone_bridge import voice_sdk as w
from phone_bridge.legs.browser.stream import BrowserLeg

WIRE = Path(__file__).parents[2] / "wire" / "browser"
FRAME = b"\x01\x00" * 320


def lines(name: str) -> list[str]:
    return (WIRE / name).read_text().splitlines()


def leg(*features: str, now: int = 0) -> BrowserLeg:
    return BrowserLeg(features or w.PHONE_FEATURES, now)
