"""The proposals of one session as the server keeps them: each is settled once, and done once if it is done at all."""

from enum import Enum, auto

import msgspec

from phone_bridge.assistant.problems import Problem
from phone_bridge.call.events import Action
from phone_bridge.errors import LocalError
from phone_bridge.sessions.serving import Acted


class _Standing(Enum):
    OPEN = auto()
    CONFIRMED = auto()  # will be done, or is being done
    DONE = auto()  # executed or failed
    DECLINED = auto()
    EXPIRED = auto()


class _Matter(msgspec.Struct):
    action: Action
    until: int
    standing: _Standing = _Standing.OPEN
    outcome: Acted | None = None


class Docket:
    """Proposals by their ids; ``now`` is milliseconds on the session's clock."""

    def __init__(self) -> None:
        self._matters: dict[str, _Matter] = {}

    @property
    def open(self) -> list[str]:
        """The ids that wait for a verdict, oldest first."""
        return [action_id for action_id, each in self._matters.items() if each.standing is _Standing.OPEN]

    def propose(self, action_id: str, action: Action, until: int) -> None:
        """Enter a proposal that waits for its verdict ``until`` then; its id must be new."""
        if action_id in self._matters:
            raise LocalError(f"the action {action_id} was proposed twice")
        self._matters[action_id] = _Matter(action, until)

    def confirm(self, action_id: str) -> Action | None:
        """Take consent: the action to be done now, or None where that is under way or done already."""
        matter = self._find(action_id)
        if matter.standing in (_Standing.CONFIRMED, _Standing.DONE):
            return None
        self._settle(action_id, _Standing.CONFIRMED)
        return matter.action

    def decline(self, action_id: str) -> bool:
        """Take a refusal; False where it was declined already."""
        if self._find(action_id).standing is _Standing.DECLINED:
            return False
        self._settle(action_id, _Standing.DECLINED)
        return True

    def withdraw(self, action_id: str) -> bool:
        """Let an open proposal fall; False where it is not open any more."""
        if action_id not in self.open:
            return False
        self._settle(action_id, _Standing.EXPIRED)
        return True

    def expired(self, now: int) -> list[str]:
        """Let those fall whose time is up, and name them."""
        late = [action_id for action_id in self.open if now >= self._matters[action_id].until]
        for action_id in late:
            self._settle(action_id, _Standing.EXPIRED)
        return late

    def deadline(self) -> int | None:
        """Say when the next open proposal's time is up."""
        return min((self._matters[action_id].until for action_id in self.open), default=None)

    def done(self, action_id: str, outcome: Acted) -> None:
        """Keep what came of a confirmed action, to tell it again when it is confirmed again."""
        matter = self._find(action_id)
        if matter.standing is not _Standing.CONFIRMED:
            raise LocalError(f"the action {action_id} was done without being confirmed, or twice")
        matter.standing, matter.outcome = _Standing.DONE, outcome

    def outcome(self, action_id: str) -> Acted | None:
        """Recall what came of an action; None while it is under way."""
        return self._find(action_id).outcome

    def _find(self, action_id: str) -> _Matter:
        try:
            return self._matters[action_id]
        except KeyError:
            raise Problem(
                "no action of that id was proposed in this session", code="action_not_found", param="id"
            ) from None

    def _settle(self, action_id: str, standing: _Standing) -> None:
        matter = self._matters[action_id]
        if matter.standing is not _Standing.OPEN:
            raise Problem("that action was resolved otherwise", code="action_already_resolved", param="id")
        matter.standing = standing
