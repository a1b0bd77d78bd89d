"""Which of several carriers has a call: Twilio, or a trunk by SIP where one leads to whom is called."""

from typing import Protocol

from phone_bridge.errors import Refused
from phone_bridge.legs.twilio.rest import Placing
from phone_bridge.outbound.carrier import Carrier, Placed


class Trunks(Protocol):
    """The trunks by which calls go out, as ``app/sip_calls`` has them."""

    def leads_to(self, to: str) -> bool:
        """Tell whether a number or an address is called by a trunk."""
        ...

    def has(self, carrier_id: str) -> bool:
        """Tell whether that names a call by SIP."""
        ...

    def place(self, placing: Placing) -> Placed:
        """Have somebody called."""
        ...

    def look(self, carrier_id: str) -> Placed:
        """Say how a call stands."""
        ...

    def end(self, carrier_id: str, *, answered: bool) -> None:
        """End a call, or take it back."""
        ...


class Carriers:
    """All that calls can be placed with; ``trunks`` comes with the server of SIP."""

    def __init__(self, twilio: Carrier, *, has_account: bool) -> None:
        self.trunks: Trunks | None = None
        self._twilio = twilio
        self._has_account = has_account

    def load(self) -> None:
        """Load what takes long to load."""
        if self._has_account:
            self._twilio.load()

    def close(self) -> None:
        """Let the connections go."""
        self._twilio.close()

    def place(self, placing: Placing) -> Placed:
        """Have a call placed; raises as ``Carrier`` does."""
        if self.trunks is not None and self.trunks.leads_to(placing.to):
            return self.trunks.place(placing)
        return self._twilio.place(placing)

    def look(self, carrier_id: str) -> Placed:
        """Ask how a call stands; raises Refused ``call_gone`` where there is none."""
        trunks = self._of(carrier_id)
        return self._twilio.look(carrier_id) if trunks is None else trunks.look(carrier_id)

    def find(self, to: str, from_: str, since_s: int) -> list[Placed]:
        """List the calls between two numbers that were made since then, newest first.

        Nobody keeps such a list for a trunk: raises Refused ``carrier_unsure``, so that nobody is dialled twice.
        """
        if self.trunks is not None and self.trunks.leads_to(to):
            raise Refused("Nobody knows whether the trunk has rung.", code="carrier_unsure")
        return self._twilio.find(to, from_, since_s)

    def end(self, carrier_id: str, *, answered: bool) -> None:
        """End a call, or take it back while it is not answered."""
        trunks = self._of(carrier_id)
        if trunks is None:
            self._twilio.end(carrier_id, answered=answered)
        else:
            trunks.end(carrier_id, answered=answered)

    def redirect(self, carrier_id: str, twiml: str) -> None:
        """Go on with another document; raises Refused ``call_gone``, or ``not_by_sip``."""
        if self._of(carrier_id) is not None:
            raise Refused("A call by SIP takes no documents of Twilio's.", code="not_by_sip")
        self._twilio.redirect(carrier_id, twiml)

    def _of(self, carrier_id: str) -> Trunks | None:
        return self.trunks if self.trunks is not None and self.trunks.has(carrier_id) else None
