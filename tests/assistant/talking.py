"""A talk in text with a real calendar: the session's part, played by hand."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from phone_bridge.assistant.calendar.demo import ALICE
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.mind import CalendarMind
from phone_bridge.assistant.ports import Conversation, Drop, HangUp, Intent, Move, Propose, Run, Say
from phone_bridge.call.events import Action
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools
from phone_bridge.tools.catalogue import Policy
from phone_bridge.tools.keeper import Event
from tests.assistant.some_week import NOW


class Talk:
    """Talk with Alice's demonstration week on a Tuesday at ten; ``said`` is what was answered to the last turn."""

    def __init__(self, tmp_path: Path, tools: Iterable[str] | None = None, policy: Policy = Policy.DEFAULT) -> None:
        numbers = count(1)
        self.now = NOW
        self.keeper = SqlKeeper(
            f"sqlite:///{tmp_path}/calendar.db",
            new_id=lambda prefix: f"{prefix}_{next(numbers):06}",
            now=lambda: self.now,
        )
        self.keeper.prepare()
        self.tools = CalendarTools(self.keeper, lambda: self.now)
        self.mind = CalendarMind(
            self.keeper, new_id=lambda prefix: f"{prefix}_{next(numbers):06}", now=lambda: self.now, policy=policy
        )
        names = CALENDAR_TOOLS.names() if tools is None else frozenset(tools)
        self.conversation: Conversation = asyncio.run(self.mind.converse(ALICE.id, names))
        self.proposals: dict[str, Action] = {}
        self.moves: list[Move] = []

    def say(self, text: str) -> str:
        """Take a turn; what is answered, in one string."""
        self.moves = []
        self._perform(self.conversation.heard(text, self.now))
        return self.said

    def confirm(self, index: int = 0) -> str:
        """Consent to an open proposal; what is answered."""
        self.moves = []
        id, action = list(self.proposals.items())[index]  # noqa: A001 - the field's own word
        del self.proposals[id]
        self._perform(self.conversation.confirmed(id, self.now))
        self._perform(self.conversation.ran(id, self._run(id, action), self.now))
        return self.said

    def tool(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Run a tool beside the talk."""
        return self._run("aside", Action(name, parameters))

    def decline(self) -> str:
        """Decline the oldest open proposal as a client would."""
        self.moves = []
        self._perform(self.conversation.declined(self._settled(), self.now))
        return self.said

    def expire(self) -> str:
        """Let the time of the oldest open proposal run out."""
        self.moves = []
        self._perform(self.conversation.withdrawn(self._settled(), self.now))
        return self.said

    @property
    def said(self) -> str:
        """What was answered."""
        return " ".join(move.text for move in self.moves if isinstance(move, Say))

    @property
    def asked(self) -> list[str]:
        """What is proposed, in words."""
        return [action.summary for action in self.proposals.values()]

    @property
    def intents(self) -> list[str]:
        """The wishes that were reported."""
        return [move.name for move in self.moves if isinstance(move, Intent)]

    @property
    def dropped(self) -> list[tuple[str, str]]:
        """The outcome and the reason of every proposal that fell."""
        return [(move.outcome, move.reason) for move in self.moves if isinstance(move, Drop)]

    @property
    def over(self) -> bool:
        """Whether the talk was ended."""
        return any(isinstance(move, HangUp) for move in self.moves)

    def events(self, title: str = "") -> list[Event]:
        """The events ahead with that title."""
        events = asyncio.run(self.keeper.events(ALICE.id, start=self.now, end=None))
        return [event for event in events if title in event.title]

    def later(self, **time: Any) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def close(self) -> None:
        """Let the calendar go."""
        self.keeper.close()

    def _settled(self) -> str:
        oldest = next(iter(self.proposals))
        del self.proposals[oldest]
        return oldest

    def _perform(self, moves: list[Move]) -> None:
        todo = list(moves)
        while todo:
            move = todo.pop(0)
            self.moves.append(move)
            if isinstance(move, Run):
                todo[:0] = self.conversation.ran(move.id, self._run(move.id, move.action), self.now)
            elif isinstance(move, Propose):
                self.proposals[move.id] = move.action
            elif isinstance(move, Drop):
                del self.proposals[move.id]

    def _run(self, id: str, action: Action) -> dict[str, Any]:
        key = f"hub_1:{id}"
        return asyncio.run(self.tools.run(ALICE.id, action.name, action.parameters, key=key))


def local(moment: datetime) -> str:
    """Write a moment in Alice's zone: ``25 15:00``."""
    return f"{moment.astimezone(NOW.tzinfo):%d %H:%M}"
