"""The call itself as a toolbox: what a model may do with the line on which it speaks."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from phone_bridge.app import placing, transferring
from phone_bridge.app.bridge import Bridge
from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, Refused
from phone_bridge.offers import Effect, Offer
from phone_bridge.outbound.targets import MAX_ADDRESS_CHARS, named, targets
from phone_bridge.outbound.transfer import MAX_ABOUT_CHARS
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.toolbox import CallFacts, Ran, failure, wanted
from phone_bridge.tools.schemas import Parameters, schema_of

MAX_TEXT_CHARS = 480
"""The longest text message: three of the network's own."""
DONE = '{"ok":true}'
BY = "assistant"
"""Who ended a call that its model ended."""


class EndCall(Parameters, frozen=True):
    """Parameters of end_call."""


class TransferCall(Parameters, frozen=True):
    """Parameters of transfer_call."""

    target: Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS_CHARS, description="A name of the list.")]
    mode: Annotated[
        Literal["cold", "warm"], Meta(description="warm: whoever picks up is told first who calls, and may refuse.")
    ] = "cold"
    about: Annotated[str, Meta(max_length=MAX_ABOUT_CHARS, description="For warm: what the caller wants.")] = ""


class SendDigits(Parameters, frozen=True):
    """Parameters of send_digits."""

    digits: Annotated[str, Meta(pattern="^[0-9*#w]{1,32}$", description="Keys to press; w waits half a second.")]


class TextCaller(Parameters, frozen=True):
    """Parameters of text_caller."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]


class CallToolbox:
    """End one call, put it through, press keys in it, and write to the caller's phone.

    Ending needs no consent: it takes nothing from anybody who can dial again, and a goodbye that is asked for twice is
    none. Putting through is asked for, since it leads to somebody else and costs, and so is a
    text message. Keys are pressed without asking where
    we have rung a machine that asks for them, and are not offered where somebody has rung us.
    """

    def __init__(self, bridge: Bridge, facts: CallFacts) -> None:
        self._bridge = bridge
        self._call_id = facts.call_id
        self._targets = targets(facts.transfers)

    def offers(self, facts: CallFacts) -> tuple[Offer, ...]:
        """Offer what this line can do."""
        found = [
            Offer(
                name="end_call",
                description="End the call, once the caller has said goodbye; a goodbye is spoken by the line itself.",
                schema=schema_of(EndCall),
                effect=Effect.READ,
            )
        ]
        if self._bridge.outbound.configured and self._bridge.settings.twilio_phone_number:
            found.append(
                Offer(
                    name="text_caller",
                    description="Text the caller what is too long to be said; offer it first.",
                    schema=schema_of(TextCaller),
                    effect=Effect.OUTWARD,
                )
            )
        names = ", ".join(target.name for target in self._targets.values())
        if names and transferring.movable(self._bridge, self._call_id, facts.carrier_id):
            found.append(
                Offer(
                    name="transfer_call",
                    description=f"Put the caller through to one of: {names}. If nobody takes the call you get it back.",
                    schema=schema_of(TransferCall),
                    effect=Effect.OUTWARD,
                )
            )
        presses = self._bridge.outbound.configured or self._bridge.sip_transfers.carries(self._call_id)
        if presses and facts.direction == "outbound":
            found.append(
                Offer(
                    name="send_digits",
                    description="Press keys for a machine that has answered and asks for them.",
                    schema=schema_of(SendDigits),
                    effect=Effect.READ,
                )
            )
        return tuple(found)

    async def prepare(self, user_id: str, action: Action) -> Action:
        """Check where a caller would be put through to; raises Refused."""
        if action.name != "transfer_call":
            return action
        asked = wanted(TransferCall, action)
        target = named(asked.target, self._targets)  # so that the caller consents to a name, and not to a number
        given = {"target": target.name, "mode": asked.mode} | ({"about": asked.about} if asked.about else {})
        return msgspec.structs.replace(action, parameters=given)

    async def run(self, user_id: str, action: Action, key: str) -> Ran:
        """Do it to the call that this was made for."""
        try:
            await self._run(action)
        except BridgeError as error:
            return Ran(failure(error.code, str(error)), False)
        return Ran(DONE, True)

    async def _run(self, action: Action) -> None:
        match action.name:
            case "end_call":
                wanted(EndCall, action)
                if not self._bridge.registry.end(self._call_id, BY):
                    raise Refused("The call is over already.", code="call_ended")
            case "transfer_call":
                asked = wanted(TransferCall, action)
                target = named(asked.target, self._targets)
                await transferring.ask(self._bridge, await self._call(), target, mode=asked.mode, about=asked.about)
            case "text_caller":
                call, text = await self._call(), wanted(TextCaller, action).text
                if not await self._bridge.texting.send(call.user_id, text):
                    raise Refused("The message could not be sent to the phone that calls.", code="not_sent")
            case _:
                digits = wanted(SendDigits, action).digits
                await placing.press(self._bridge, await self._call(), digits)

    async def _call(self) -> CallRecord:
        call = await self._bridge.registry.find(self._call_id)
        if call is None or not self._bridge.registry.is_live(call.id):
            raise Refused("The call is over already.", code="call_ended")
        return call
