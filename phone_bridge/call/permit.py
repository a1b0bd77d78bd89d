"""The permit that a caller's yes gives: for one action with its exact parameters, once, and not for long.

It is made where the consent was judged and used up at the door to the session, so that no way between the two can
turn a yes to one action into another's.
"""

import hmac

from phone_bridge.call.events import Action
from phone_bridge.call.receipt import action_sha256
from phone_bridge.errors import LocalError

PERMIT_MS = 30_000


def fingerprint(action: Action) -> str:
    """Give the hash that the action's receipt will show; raises LocalError for parameters that are no JSON."""
    try:
        return action_sha256(action.name, action.parameters)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LocalError(f"an action was proposed whose parameters are no JSON: {type(error).__name__}") from None


class Permit:
    """One yes, given at ``now`` on the call's clock to exactly ``action``."""

    __slots__ = ("_fingerprint", "_until", "_used")

    def __init__(self, action: Action, now: int) -> None:
        self._fingerprint = fingerprint(action)
        self._until = now + PERMIT_MS
        self._used = False

    def __eq__(self, other: object) -> bool:
        """Tell whether both permit the same action until the same time."""
        mine = (self._fingerprint, self._until)
        return isinstance(other, Permit) and mine == (other._fingerprint, other._until)

    def __hash__(self) -> int:
        return hash((self._fingerprint, self._until))

    def use(self, action: Action, now: int) -> None:
        """Use it up; raises LocalError for a second use, for another action, and after PERMIT_MS."""
        used, self._used = self._used, True
        if used:
            raise LocalError("a permit was used a second time", code="permit_used")
        if now > self._until:
            raise LocalError(f"a permit was used more than {PERMIT_MS} ms after it was given", code="permit_expired")
        if not hmac.compare_digest(self._fingerprint, fingerprint(action)):
            raise LocalError("a permit for one action was used for another", code="permit_other_action")
