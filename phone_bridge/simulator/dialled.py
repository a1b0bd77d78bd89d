"""Whoever a ``<Dial>`` rings: busy, not there, or somebody who may be told who calls and press a key.

A pure machine beside the caller's own. The call to whoever is rung is a ``CarrierCall`` like any other, with an address
for its document where the application wants to tell them something; the end of that document connects the two.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from phone_bridge.exchange import Response
from phone_bridge.simulator.caller import Caller
from phone_bridge.simulator.duties import Ask, Duty, Speak
from phone_bridge.simulator.faults import Code
from phone_bridge.simulator.script import Press, Step
from phone_bridge.simulator.webhooks import Dialling

if TYPE_CHECKING:
    from phone_bridge.simulator.carrier_call import CarrierCall

Make = Callable[[Dialling, str, Caller], "CarrierCall"]
"""Makes the call to whoever is rung, of who calls whom, the address of its document, and what they do."""


class Dialled(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at a number, and what they do; ``script`` is what they say and press while they are told who calls."""

    does: Literal["answer", "busy", "no-answer", "failed", "canceled"] = "answer"
    ring_s: float = 0.0
    script: tuple[Step, ...] = (Press("1"),)


class Party:
    """Whoever is rung at ``number`` for the caller of ``parent``, from ``now`` on.

    Duties of theirs have negative ids, so that those of the caller's call are never meant.
    """

    def __init__(self, who: Dialled, dialling: Dialling, whisper: str, make: Make, now: int) -> None:
        self._who = who
        self._due = now + int(who.ring_s * 1000)
        self._call = make(dialling, whisper, Caller(who.script, {})) if whisper and who.does == "answer" else None
        self._begun = False
        self.status = ""
        """The DialCallStatus, once it is known."""
        self.bridged = False
        self.advance(now)

    @property
    def is_told(self) -> bool:
        """Whether they have picked up, and hear who calls."""
        return self._begun

    def advance(self, now: int) -> None:
        """Let time pass until ``now``."""
        if self.status or now < self._due:
            return
        if self._call is None:
            self.status = "completed" if self._who.does == "answer" else self._who.does
            self.bridged = self._who.does == "answer"
        elif not self._begun:
            self._begun = True
            self._call.begin(now)
        else:
            self._call.advance(now)
            self._look(self._call)

    def _look(self, call: "CarrierCall") -> None:
        if call.hung_up and not self.status:
            self.status, self.bridged = "completed", call.ran_out

    def outgoing(self) -> list[Duty]:
        """Take the duties that wait to be done."""
        return [] if self._call is None else [_theirs(duty) for duty in self._call.outgoing()]

    def deadline(self) -> int | None:
        """Say when ``advance`` is due."""
        if self.status:
            return None
        return self._call.deadline() if self._call is not None and self._begun else self._due

    def answered(self, id_: int, response: Response, now: int) -> None:
        """Take the answer to a request."""
        if self._call is not None:
            self._call.answered(-id_, response, now)
            self._look(self._call)

    def unreachable(self, id_: int, code: Code, message: str, now: int) -> None:
        """Take the news that a request got no answer."""
        if self._call is not None:
            self._call.unreachable(-id_, code, message, now)
            self._look(self._call)

    def spoken(self, id_: int, audio: bytes, now: int) -> None:
        """Take the sound of a text that was asked for."""
        if self._call is not None:
            self._call.spoken(-id_, audio, now)

    def drop(self, now: int) -> None:
        """Stop ringing them, because the caller has gone."""
        if self._call is not None and self._begun:
            self._call.drop(now)
        self.status = self.status or "canceled"


def of_status(status: str) -> Dialled:
    """Give somebody with whom a ``<Dial>`` ends as ``status``."""
    known = {"busy", "no-answer", "failed", "canceled"}
    return Dialled(does=status) if status in known else Dialled()  # type: ignore[arg-type]  # one of them


def rung_by(caller: Dialling, number: str, parent_sid: str) -> Dialling:
    """Say who calls whom where ``number`` is rung for a caller."""
    return msgspec.structs.replace(caller, to_number=number, direction="outbound-dial", parent_sid=parent_sid)


def _theirs(duty: Duty) -> Duty:
    return msgspec.structs.replace(duty, id=-duty.id) if isinstance(duty, Ask | Speak) else duty


_MANNERS: dict[str, Dialled] = {
    "accept": Dialled(),
    "refuse": Dialled(script=(Press("2"),)),
    "silent": Dialled(script=()),
    "busy": Dialled(does="busy"),
    "no-answer": Dialled(does="no-answer"),
    "failed": Dialled(does="failed"),
}
MANNERS = tuple(_MANNERS)
"""What whoever is rung may do, in words."""


def of_manner(word: str) -> Dialled:
    """Give somebody who does what ``word`` of MANNERS says; raises ValueError for another word."""
    if word not in _MANNERS:
        raise ValueError(f"{word!r} is none of {', '.join(MANNERS)}")
    return _MANNERS[word]
