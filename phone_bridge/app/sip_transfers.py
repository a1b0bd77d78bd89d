"""Putting callers through who came by SIP, or were called by it: their own side is told whom to call (REFER)."""

import logging
from collections.abc import Callable

import msgspec

from phone_bridge.errors import Refused
from phone_bridge.legs.sip.leg import SipLeg
from phone_bridge.outbound.transfer import Transfer
from phone_bridge.routing import sip_host
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.sip import Party, SipServer
from phone_bridge.runtime.sockets import Socket

log = logging.getLogger("phone_bridge.sip")


CANNOT_REFER = frozenset({403, 405, 420, 489, 501})
"""What a peer answers that puts nobody through itself; no telephone has rung then."""


class NotMoved(Refused):
    """The other side has not put a caller through; ``status`` is what it has said, or 0."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The other side could not be put through (status {status}).", code="not_transferred")
        self.status = status


class Line(msgspec.Struct, frozen=True):
    """A caller on the line, and by whom they are."""

    record: CallRecord
    leg: SipLeg
    socket: Socket
    party: Party
    server: SipServer


class SipTransfers:
    """The calls of this process that are by SIP, while they are live; ``note`` is told of each that was put through."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._parties: dict[str, tuple[Party, str]] = {}
        self._begun: dict[str, Transfer] = {}

    def enter(self, call_id: str, party: Party, domain: str) -> None:
        """Know a call; ``domain`` is where its other side calls numbers."""
        self._parties[call_id] = party, domain

    def leave(self, call_id: str) -> None:
        """Know that it is over."""
        self._parties.pop(call_id, None)
        self._begun.pop(call_id, None)

    def id_of(self, party: Party) -> str:
        """Give the call's id; empty for one that is over, or has not begun."""
        return next((call_id for call_id, (known, _) in self._parties.items() if known is party), "")

    def carries(self, call_id: str) -> bool:
        """Tell whether a call can be put through here."""
        return call_id in self._parties

    def begin(self, transfer: Transfer) -> None:
        """Know a transfer that is for us to do, once the caller has heard of it."""
        self._begun[transfer.call_id] = transfer

    def begun(self, call_id: str) -> Transfer:
        """Give the last transfer of a call that was begun."""
        return self._begun[call_id]

    def press(self, call_id: str, digits: str) -> None:
        """Press keys for the other side of a call; raises Refused ``call_not_live``."""
        party, _ = self._parties[call_id]
        party.press(digits)

    async def move(self, call_id: str, to: str) -> None:
        """Have the other side call a number or a SIP address, and leave it to that once it has; the call goes on else.

        Raises NotMoved where it will not or cannot, Refused ``call_ended`` when it hangs up meanwhile.
        """
        party, domain = self._parties[call_id]
        code = await party.refer(to if sip_host(to) else f"sip:{to}@{domain}")
        if not 200 <= code < 300:
            log.info("= call %s was not put through: %s", call_id, code or "nobody says")
            raise NotMoved(code)
        log.info("= call %s was put through", call_id)
        self._note(call_id)
        party.hang_up()
