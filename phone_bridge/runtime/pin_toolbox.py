"""Setting a PIN as a tool: what a model calls when its caller wants a PIN, or another one."""

from collections.abc import Callable

from phone_bridge.call.events import Action
from phone_bridge.errors import Refused
from phone_bridge.offers import Effect, Offer
from phone_bridge.runtime.toolbox import CallFacts, Ran, failure, wanted
from phone_bridge.tools.schemas import Parameters, schema_of

CHANGE_PIN = "change_pin"
DONE = '{"ok":true,"note":"The line is asking the caller now, and tells them what comes of it. Say nothing to it."}'


class ChangePin(Parameters, frozen=True):
    """Parameters of change_pin."""


class PinToolbox:
    """Have the line ask its caller for a proof of who they are, and for a PIN then; ``ask`` does, on a live call.

    It needs no consent, and tells the model nothing: no digit comes anywhere near it.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Offer the one tool, where a PIN is of use."""
        offer = Offer(
            name=CHANGE_PIN,
            description="Have the line help the caller to set a PIN, or to change it; call this when they want that, "
            "and alone. Never ask for a PIN or a code yourself, and take none.",
            schema=schema_of(ChangePin),
            effect=Effect.READ,
        )
        return (offer,) if facts.pin else ()

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Change nothing: it is never asked for."""
        return action

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Do it to the call that this was made for."""
        try:
            wanted(ChangePin, action)
        except Refused as error:
            return Ran(failure(error.code, str(error)), False)
        if not self._ask():
            return Ran(failure("busy", "The line is asking something else now, or the call is over. Try again."), False)
        return Ran(DONE, True)
