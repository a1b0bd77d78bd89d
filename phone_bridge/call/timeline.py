"""What a call looked like: how loud each side was, every tenth of a second, and what happened when.

Loudness is one character a step, ``0`` to ``9`` and ``a`` to ``z``, in 1.4 dB; ``z`` is as loud as a line can be. Our
side's stands where it was heard, as far as the ledger can tell.
"""

from typing import Any

import msgspec

STEP_MS = 100
MAX_STEPS = 150_000
"""Four hours; what comes later is not seen."""

MAX_EVENTS = 2_000
KEPT_STEPS = 3_000
"""Steps that are kept of each side when the call is over: they are made longer until so many are enough."""

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Noted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened ``at_ms`` after the call's beginning, and took ``ms`` where that is of interest.

    ``kind``: ``answer`` (the first sound after a turn of the caller's, which waited ``ms`` for it), ``barge_in`` (it
    was silent ``ms`` after the caller began to speak), ``key``, ``tool``, ``wish`` (as the session understood it),
    ``asked``, ``pin_changed``, ``session_lost``, ``session_renewed``, ``caller_changed``, ``held`` and ``resumed`` (the
    other end put us on hold, and took us back). ``text`` is the key, or a tool's name.
    """

    at_ms: int
    kind: str
    text: str = ""
    ms: int = 0


class Timeline:
    """Collect one call's; times are milliseconds since its beginning, loudness is 0 to 35."""

    def __init__(self) -> None:
        self.events: list[Noted] = []
        self._caller = bytearray()
        self._heard = bytearray()

    def caller(self, at_ms: int, loudness: int) -> None:
        """Note how loud the caller is."""
        _put(self._caller, at_ms, loudness)

    def heard(self, at_ms: int, loudness: int) -> None:
        """Note how loud is what the caller hears then."""
        _put(self._heard, at_ms, loudness)

    def unheard(self, since_ms: int) -> None:
        """Know that nothing is heard of what was to sound from then on."""
        del self._heard[max(0, since_ms // STEP_MS + 1) :]

    def note(self, noted: Noted) -> None:
        """Note what happened, unless that was too much already."""
        if len(self.events) < MAX_EVENTS:
            self.events.append(noted)

    def levels(self, since: int = 0) -> tuple[str, str]:
        """Write both sides' loudness from the step ``since`` on: the caller's, and what was heard."""
        return _written(self._caller[since:]), _written(self._heard[since:])

    def kept(self, earlier: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give what is kept of it, together with what an ``earlier`` part of the call has left."""
        before = earlier or {"step_ms": STEP_MS, "caller": "", "heard": "", "events": []}
        times = before["step_ms"] // STEP_MS
        sides = [
            _louder(_read(before["caller"], times), self._caller),
            _louder(_read(before["heard"], times), self._heard),
        ]
        group = max(1, -(-max(map(len, sides)) // KEPT_STEPS))
        caller, heard = (_written(_grouped(side, group)) for side in sides)
        events = [*before["events"], *msgspec.to_builtins(self.events)][-MAX_EVENTS:]
        return {"step_ms": STEP_MS * group, "caller": caller, "heard": heard, "events": events}


def _put(side: bytearray, at_ms: int, loudness: int) -> None:
    step = at_ms // STEP_MS
    missing = step - len(side)
    if missing == 0 and step < MAX_STEPS:  # nearly always
        side.append(loudness)
    elif missing > 0 and step < MAX_STEPS:
        side += bytes(missing)
        side.append(loudness)
    elif 0 <= step < len(side) and side[step] < loudness:
        side[step] = loudness


def _grouped(side: bytes, size: int) -> bytes:
    return bytes(max(side[at : at + size]) for at in range(0, len(side), size))


def _written(side: bytes | bytearray) -> str:
    return "".join(_LETTERS[each] for each in side)


def _read(written: str, times: int) -> bytes:
    return bytes(_LETTERS.index(letter) for letter in written for _ in range(times))


def _louder(one: bytes | bytearray, other: bytes | bytearray) -> bytes:
    longest = max(len(one), len(other))
    return bytes(map(max, one.ljust(longest, b"\0"), other.ljust(longest, b"\0")))
