"""Who is told whom to call: each call's REFER that is under way (RFC 3515), one at a time."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from phone_bridge.errors import LocalError
from phone_bridge.legs.sip.dialog import Dialog, Hop
from phone_bridge.legs.sip.message import Fields, Request, Response
from phone_bridge.legs.sip.referring import NO_SUBSCRIPTION, Referral, news

TRYING = 100


class ReferAsked(Struct, frozen=True):
    """The other side, which has shown that it is the trunk it was, wants us to call somebody in its place."""

    dialog: Dialog
    referral: Referral


class Lines(Struct, frozen=True):
    """What a ``Transferee`` needs of the agent that it is part of."""

    answer: Callable[[Request, int, int, Fields], None]
    """Answer a request by a status."""
    ask: Callable[[str, Hop, int, Callable[[Response | None, int], Sequence[ReferAsked]]], None]
    """Send a request, and be told what came of it."""


class _Asked(Struct):
    referral: Referral
    request: Request
    agreed: bool = False
    silent: bool = False


class Transferee:
    """Answer what was asked, and tell whoever has asked what comes of it."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._asked: dict[Dialog, _Asked] = {}

    def busy(self, dialog: Dialog) -> bool:
        """Tell whether a REFER of that call is under way."""
        return dialog in self._asked

    def asked(self, dialog: Dialog, referral: Referral, request: Request) -> ReferAsked:
        """Take a REFER, which waits to be agreed to or declined."""
        self._asked[dialog] = _Asked(referral, request, silent=referral.silent)
        return ReferAsked(dialog, referral)

    def agree(self, dialog: Dialog, now: int) -> None:
        """Say that it is being tried (RFC 3515, 2.4.2 and 2.4.4)."""
        asked = self._known(dialog)
        asked.agreed = True
        fields: Fields = (("Contact", dialog.contact), *(NO_SUBSCRIPTION if asked.silent else ()))
        self._lines.answer(asked.request, 202, now, fields)
        self.tell(dialog, TRYING, now)

    def decline(self, dialog: Dialog, code: int, now: int) -> None:
        """Say that it is not done."""
        self._lines.answer(self._known(dialog).request, code, now, ())
        del self._asked[dialog]

    def tell(self, dialog: Dialog, code: int, now: int) -> None:
        """Tell what the call has come to; a final status is the last thing that is told."""
        asked = self._known(dialog)
        if not asked.silent:
            fields, body = news(asked.referral, code, dialog.contact)
            self._lines.ask(dialog.request("NOTIFY", fields, body=body), dialog.next_hop, now, self._heard(asked))
        if code >= 200:
            del self._asked[dialog]

    def end(self, dialog: Dialog, code: int, now: int) -> None:
        """Know that the call is over; what was not done is told, or declined, with ``code``."""
        asked = self._asked.get(dialog)
        if asked is not None:
            (self.tell if asked.agreed else self.decline)(dialog, code, now)

    def _heard(self, asked: _Asked) -> Callable[[Response | None, int], Sequence[ReferAsked]]:
        def told(answer: Response | None, at: int) -> Sequence[ReferAsked]:
            if answer is None or answer.code >= 300:  # it has forgotten that it wanted to know (RFC 6665, 4.2.2)
                asked.silent = True
            return ()

        return told

    def _known(self, dialog: Dialog) -> _Asked:
        found = self._asked.get(dialog)
        if found is None:
            raise LocalError("a REFER was decided about that is not there")
        return found
