"""How many messages a carrier's stream may bring: far more than any does, and far fewer than would wear a process out.

A carrier sends fifty messages of sound a second, gives each mark back, all of them at once when it was told to clear,
and says after a stall of the network at once what it had to say meanwhile. All of that fits; what does not is no
telephone.
"""

MESSAGES_PER_SECOND = 200
"""What a stream may keep up for ever; sound makes fifty, and marks ten."""

MESSAGES_AT_ONCE = 4_000
"""What may come at one moment: eighty seconds of sound, or the marks of six minutes."""

CHARS_PER_MESSAGE = 2_048
"""A longer message counts as several; a frame of sound has about 350 characters."""

_MESSAGE_MS = 1000 // MESSAGES_PER_SECOND
_BUDGET_MS = MESSAGES_AT_ONCE * _MESSAGE_MS


class Pace:
    """A budget that fills with time; ``now`` is in milliseconds and never runs back."""

    __slots__ = ("_spent",)

    def __init__(self, now: int) -> None:
        self._spent = now - _BUDGET_MS  # the time up to which the budget is used up

    def spend(self, size: int, now: int) -> bool:
        """Take a message of ``size`` characters out of the budget; False when there is not enough."""
        spent = self._spent
        if spent < now - _BUDGET_MS:
            spent = now - _BUDGET_MS
        self._spent = spent = spent + _MESSAGE_MS * (1 + size // CHARS_PER_MESSAGE)
        return spent <= now
