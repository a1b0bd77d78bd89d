"""What a caller says after the beep of a ``<Record>``: when it is over, and how much of it there is.

A pure machine. As at Twilio, a message of silence alone is none. Source:
https://www.twilio.com/docs/voice/twiml/record
"""

import msgspec

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.simulator.caller import loud
from phone_bridge.simulator.line import FrameSpoken, KeyPressed, LineFact
from phone_bridge.simulator.verbs import Record

HANGUP = "hangup"
"""What stands in place of a key where the caller has hung up."""


class Recorded(msgspec.Struct, frozen=True):
    """A ``<Record>`` ended: with so much sound, none if nobody spoke, and with the key that finished it."""

    record: Record
    ms: int
    finished_on: str = ""

    @property
    def extra(self) -> dict[str, str]:
        """What the request to its action tells beside the standard parameters, but for the recording's address."""
        return {"RecordingDuration": str(-(-self.ms // 1000)), "Digits": self.finished_on}


class Recorder:
    """Records from ``now`` on."""

    def __init__(self, record: Record, now: int) -> None:
        self._record = record
        self._quiet_since = now
        self._due = now + record.max_length_s * 1000
        self._bytes = 0
        self._spoken = False

    def tell(self, fact: LineFact) -> Recorded | None:
        """Take in what happened on the line; returns the end if it came."""
        match fact:
            case KeyPressed(digit) if digit in self._record.finish_on_key:
                return self.end(digit)
            case FrameSpoken(audio, at):
                return self._hear(audio, at)
            case _:
                return None

    def _hear(self, audio: bytes, at: int) -> Recorded | None:
        self._bytes += len(audio)
        if loud(audio):
            self._spoken = True
            self._quiet_since = at
        return self.end() if at - self._quiet_since >= self._record.timeout_s * 1000 else None

    def deadline(self) -> int:
        """Say when the message is as long as it may be."""
        return self._due

    def end(self, finished_on: str = "") -> Recorded:
        """End the message."""
        return Recorded(self._record, PCMU_8K.ms(self._bytes) if self._spoken else 0, finished_on)
