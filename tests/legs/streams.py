"""What the carriers of streams say, as ``tests/wire`` has it, a message a line; bytes stand in hexadecimal."""

from collections.abc import Callable
from pathlib import Path

from phone_bridge.legs import chan_websocket, jambonz, plivo, signalwire, telnyx, vonage
from phone_bridge.legs.audiosocket import AudioSocketLeg, Frames, named
from phone_bridge.runtime.pump import LegWire

WIRE = Path(__file__).parents[1] / "wire"

Begin = Callable[[str | bytes, int], LegWire | None]
BEGINS: dict[str, Begin] = {
    "chan_websocket": chan_websocket.begin,
    "jambonz": jambonz.begin,
    "plivo": plivo.begin,
    "signalwire": signalwire.begin,
    "telnyx": telnyx.begin,
    "vonage": vonage.begin,
}


def lines(kind: str, name: str) -> list[str | bytes]:
    return [read(line) for line in (WIRE / kind / f"{name}.txt").read_text().splitlines()]


def read(line: str) -> str | bytes:
    return bytes.fromhex(line.removeprefix("hex:")) if line.startswith("hex:") else line


def opened(kind: str, now: int = 0, name: str = "opening") -> LegWire:
    """Make a leg of the messages that begin a stream."""
    if kind == "audiosocket":
        return audiosocket(now)
    found = [BEGINS[kind](line, now) for line in lines(kind, name)]
    assert found[:-1] == [None] * (len(found) - 1)
    leg = found[-1]
    assert leg is not None
    return leg


def audiosocket(now: int = 0) -> AudioSocketLeg:
    frames = Frames()
    (opening,) = lines("audiosocket", "opening")
    assert isinstance(opening, bytes)
    assert named(frames, opening) is not None
    return AudioSocketLeg(frames, now)
