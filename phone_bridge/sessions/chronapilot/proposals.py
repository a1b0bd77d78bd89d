"""What a session proposed and what became of it: confirmed at most once, and only while open and unchanged."""

from enum import Enum, auto
from typing import Any

import msgspec

from phone_bridge.call.commands import Answer, Verdict
from phone_bridge.call.events import Action, ActionSettled, ConfirmationAsked, Event, SessionTrouble
from phone_bridge.errors import LocalError


class _State(Enum):
    OPEN = auto()  # waits for the caller's answer
    CONFIRMED = auto()  # answered; the server has not said yet what came of it
    REFUSED = auto()  # answered with anything but a yes
    VOID = auto()  # the server changed it, so it can never be answered
    SETTLED = auto()  # the server said what came of it


_ANSWERED = (_State.CONFIRMED, _State.REFUSED)


class _Proposal(msgspec.Struct):
    action: Action
    state: _State = _State.OPEN


class Proposals:
    """The proposals of one session by their ids; none is forgotten while the session lives."""

    def __init__(self) -> None:
        self._all: dict[str, _Proposal] = {}

    @property
    def waiting(self) -> bool:
        """True while the server waits for an answer."""
        return any(proposal.state is _State.OPEN for proposal in self._all.values())

    def propose(self, action_id: str, action: Action) -> list[Event]:
        """Ask a new question, once; an open one whose action changes is void, for the caller heard another."""
        known = self._all.get(action_id)
        if known is None:
            self._all[action_id] = _Proposal(action)
            return [ConfirmationAsked(action_id, action)]
        if known.action == action:
            return []
        if known.state is not _State.OPEN:
            return [SessionTrouble("proposal_changed")]
        known.state = _State.VOID
        return [ActionSettled(action_id, "expired", known.action, "changed"), SessionTrouble("proposal_changed")]

    def answer(self, command: Answer, now: int) -> None:
        """Take the caller's verdict; raises LocalError for a second one, or a yes to what is not open exactly so.

        A yes uses up its permit here.
        """
        proposal = self._all.get(command.id)
        if proposal is None or proposal.state in _ANSWERED:
            raise LocalError(f"the proposal {command.id} was never made, or is answered already")
        if command.verdict is not Verdict.CONFIRMED:
            proposal.state = _State.REFUSED if proposal.state is _State.OPEN else proposal.state
            return
        if proposal.state is not _State.OPEN or command.action != proposal.action:
            raise LocalError(f"the proposal {command.id} is not open with this action, so it must not be confirmed")
        if command.permit is None:
            raise LocalError(f"the proposal {command.id} was confirmed without a permit")
        command.permit.use(proposal.action, now)
        proposal.state = _State.CONFIRMED

    def settle(self, action_id: str, outcome: str, action: Action | None, result: Any) -> list[Event]:
        """Take the server's word on what became of an action, once for each proposal."""
        proposal = self._all.get(action_id)
        if proposal is None:  # a tool that needs no consent
            return [ActionSettled(action_id, outcome, action, result)]
        if proposal.state is _State.SETTLED:
            return []
        proposal.state = _State.SETTLED
        return [ActionSettled(action_id, outcome, action or proposal.action, result)]

    def meant(self, action_id: str, name: str) -> str:
        """Find the proposal that the server speaks of when its id is no proposal's.

        Documented is only that ``action.executed`` holds "the affected id": where exactly one confirmed action waits
        for its outcome, and the name does not speak against it, that one is meant.
        """
        if action_id in self._all:
            return action_id
        waiting = [key for key, each in self._all.items() if each.state is _State.CONFIRMED]
        if len(waiting) == 1 and name in ("", self._all[waiting[0]].action.name):
            return waiting[0]
        return action_id
