"""One transfer as values: where it stands, which steps it may take, and what the carrier's words on it mean.

Nothing here knows a clock or a database. Whoever keeps transfers makes each step once: what has been accepted cannot
be refused any more, and an address that was used is used up.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from phone_bridge.outbound.targets import Kind, Target

MAX_TRANSFERS = 5
"""How often the caller of one call is put through; the toll of a model that goes round and round ends here."""
MAX_ABOUT_CHARS = 400
"""The longest word on what a call is about, from a model or a program."""

COLD, WARM = "cold", "warm"
"""Whether whoever is rung gets the caller at once, or is told first who calls, and may refuse."""

ACCEPT_KEY, REFUSE_KEY = "1", "2"
"""What whoever is rung presses."""


class State(StrEnum):
    """Where a transfer stands."""

    ASKED = "asked"  # the last words are being heard
    RINGING = "ringing"
    TOLD = "told"  # somebody has picked up, and hears who calls
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELED = "canceled"  # the caller has hung up before


RETURNS = frozenset({State.NO_ANSWER, State.BUSY, State.REFUSED, State.FAILED})
"""Ends after which the caller comes back to the assistant."""

ENDS = RETURNS | {State.COMPLETED, State.CANCELED}
_OPEN = frozenset({State.ASKED, State.RINGING, State.TOLD, State.ACCEPTED})
BEFORE: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.RINGING: frozenset({State.ASKED}),
        State.TOLD: frozenset({State.RINGING}),
        State.ACCEPTED: frozenset({State.TOLD}),
        State.REFUSED: frozenset({State.TOLD}),
        State.COMPLETED: frozenset({State.ASKED, State.RINGING, State.ACCEPTED}),
        State.NO_ANSWER: frozenset({State.RINGING, State.TOLD}),
        State.BUSY: frozenset({State.ASKED, State.RINGING}),
        State.FAILED: _OPEN,
        State.CANCELED: _OPEN,
    }
)
"""From which states each may be entered; a wrong step changes nothing."""

_DIALLED = {"busy": State.BUSY, "no-answer": State.NO_ANSWER, "failed": State.FAILED, "canceled": State.CANCELED}
_QUEUED = {
    "bridged": State.COMPLETED,
    "redirected-from-bridged": State.COMPLETED,
    "leave": State.NO_ANSWER,
    "hangup": State.CANCELED,
    "queue-full": State.BUSY,
}


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer that is kept.

    ``about`` is what whoever is rung hears in a warm one, ``leg`` the carrier's name for the call to them, ``part``
    the part of the caller's call that came back from it.
    """

    id: str
    call_id: str
    carrier_id: str
    name: str
    kind: str
    address: str
    mode: str = COLD
    state: str = State.ASKED
    about: str = ""
    leg: str | None = None
    part: int | None = None
    created_at: int

    @property
    def target(self) -> Target:
        """Whom the caller is put through to."""
        return Target(self.name, Kind(self.kind), self.address)

    @property
    def where(self) -> State:
        """Where it stands."""
        return State(self.state)


def dialled(state: State, mode: str, status: str) -> State:
    """Say how a transfer ends whose ``<Dial>`` ended with ``status`` (DialCallStatus).

    Whoever was told of the caller and hung up, or pressed nothing, as a voicemail does, has not picked up.
    """
    if status not in ("completed", "answered"):
        return _DIALLED.get(status, State.FAILED)
    if mode == COLD or state is State.ACCEPTED:
        return State.COMPLETED
    return State.REFUSED if state is State.REFUSED else State.NO_ANSWER


def queued(result: str) -> State:
    """Say how a transfer ends whose ``<Enqueue>`` ended with ``result`` (QueueResult)."""
    return _QUEUED.get(result, State.FAILED)
