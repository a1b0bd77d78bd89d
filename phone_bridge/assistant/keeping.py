"""One session's talk over all of its sockets: who comes back within a minute goes on where the socket was lost."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any

from phone_bridge.assistant.performer import Clocks
from phone_bridge.assistant.ports import Conversation, Drop, Expecting, Mind, Move, Propose, Think
from phone_bridge.tools.catalogue import Policy

KEPT_MS = 60_000
"""How long a talk is kept after its socket has gone."""


class KeptTalk:
    """The mind of one session: it begins the talk once, and gives it again to the next socket while it is kept.

    What was proposed and had no verdict has fallen with the socket it was proposed on.
    """

    def __init__(self, mind: Mind, policy: Policy, clocks: Clocks) -> None:
        self._mind = mind
        self._policy = policy
        self._clocks = clocks
        self._talk: _Noted | None = None
        self._until: int | None = None

    def leave(self, *, over: bool) -> None:
        """Know that the socket has gone; a talk that is ``over`` is not gone on with."""
        self._until = self._clocks.now() + (0 if over else KEPT_MS)

    async def converse(self, user_id: str, tools: frozenset[str], policy: Policy = Policy.DEFAULT) -> Conversation:
        """Go on with the talk, or begin one; the session's own policy holds in it."""
        kept, until = self._talk, self._until
        if kept is None or until is None or kept.tools != tools or self._clocks.now() >= until:
            begun = _Noted(await self._mind.converse(user_id, tools, self._policy), tools)
            if kept is None or until is not None:  # else it is a second talk beside the first, of which nothing is kept
                self._talk, self._until = begun, None
            return begun
        for action_id in list(kept.open):
            kept.withdrawn(action_id, self._clocks.wall())
        self._until = None
        return kept


class _Noted:
    """A conversation, and a note of what it has proposed."""

    def __init__(self, conversation: Conversation, tools: frozenset[str]) -> None:
        self._conversation = conversation
        self.tools = tools
        self.open: dict[str, None] = {}

    def heard(self, text: str, now: datetime) -> list[Move]:
        return self._noting(self._conversation.heard(text, now))

    def confirmed(self, action_id: str, now: datetime) -> list[Move]:
        return self._settled(action_id, self._conversation.confirmed, now)

    def declined(self, action_id: str, now: datetime) -> list[Move]:
        return self._settled(action_id, self._conversation.declined, now)

    def withdrawn(self, action_id: str, now: datetime) -> list[Move]:
        return self._settled(action_id, self._conversation.withdrawn, now)

    def ran(self, action_id: str, result: Mapping[str, Any], now: datetime) -> list[Move]:
        self.open.pop(action_id, None)
        return self._noting(self._conversation.ran(action_id, result, now))

    def expecting(self) -> Expecting:
        return self._conversation.expecting()

    def _settled(self, action_id: str, tell: Callable[[str, datetime], list[Move]], now: datetime) -> list[Move]:
        self.open.pop(action_id, None)
        return self._noting(tell(action_id, now))

    def _noting(self, moves: list[Move]) -> list[Move]:
        return [self._note(move) for move in moves]

    def _note(self, move: Move) -> Move:
        if isinstance(move, Propose):
            self.open[move.id] = None
        elif isinstance(move, Drop):
            self.open.pop(move.id, None)
        elif isinstance(move, Think):
            return Think(lambda: self._thinking(move))
        return move

    async def _thinking(self, think: Think) -> AsyncGenerator[Move, None]:
        async with aclosing(think.moves()) as moves:
            async for move in moves:
                yield self._note(move)
