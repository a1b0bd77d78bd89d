"""What became of a simulated call, and whether it went as a call should."""

from typing import Any

import msgspec

from phone_bridge.simulator.faults import Fault

GOOD_ENDS = frozenset({"completed"})


class Spoken(msgspec.Struct, frozen=True):
    """One line of the bridge's transcript."""

    at_ms: int
    speaker: str
    text: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The bridge's own record of the call, as ``GET /v1/calls/{id}`` gives it."""

    id: str
    carrier_id: str | None = None
    status: str = ""
    ended_by: str | None = None
    transcript: list[Spoken] = []
    actions: list[dict[str, Any]] = []
    error: Any = None


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on the line; sound that the caller heard, not sound that was sent."""

    first_audio_ms: int | None = None
    """From the answer to the first sound that the caller heard."""
    reply_ms: tuple[int, ...] = ()
    """From the end of what the caller said (at first: from the answer) to the first sound after it."""
    longest_silence_ms: int = 0
    """The longest silence that the other side broke, or that the caller gave up on."""
    underruns: int = 0
    """How often sound came too late to follow the sound before it."""
    underrun_ms: int = 0
    bytes_after_clear: int = 0
    """Media that came after a ``clear``, while the caller was still speaking the words that led to it."""
    bytes_cut: int = 0
    """Media that was never heard, because a ``clear`` or the end of the stream threw it away."""
    media_bytes: int = 0
    """All media that the bridge sent."""
    late_ms: int = 0
    """The worst lateness of the carrier's own clock: how far this machine was behind real time."""


class CallResult(msgspec.Struct, frozen=True, kw_only=True):
    """A finished call; ``said`` and ``heard`` are mu-law at 8 kHz from the answer on, equally long."""

    call_sid: str
    status: str
    ended_by: str
    """Who ended it: ``caller``, ``bridge``, or the ``carrier`` (an application's error, the longest time)."""
    duration_ms: int = 0
    heard: bytes = b""
    said: bytes = b""
    faults: tuple[Fault, ...] = ()
    complaints: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    """Steps of the script that were not done."""
    verbs: tuple[str, ...] = ()
    """The TwiML verbs that were followed, in order."""
    dialled: tuple[str, ...] = ()
    """Where ``<Dial>`` would have connected the caller to."""
    metrics: Metrics = Metrics()
    record: Record | None = None
    record_error: str = ""
    """Why the bridge's record of the call could not be had, in a sentence."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Say in sentences why the call did not go as a call should; empty when it did."""
        reasons = [] if self.status in GOOD_ENDS else [f"the carrier ended the call as {self.status}"]
        reasons += [str(fault) for fault in self.faults if fault.blames]
        reasons += self.complaints
        reasons += [f"the call ended before: {step}" for step in self.undone]
        if self.record_error:
            reasons.append(self.record_error)
        if self.record is not None and self.record.status not in GOOD_ENDS:
            reasons.append(f"the bridge says that the call is {self.record.status or 'of no status'}")
        if self.record is not None and self.record.error:
            reasons.append(f"the bridge reports an error: {self.record.error}")
        return tuple(reasons)

    @property
    def ok(self) -> bool:
        """True when the call went as a call should."""
        return not self.reasons
