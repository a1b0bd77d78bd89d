"""What a session does of what its conversation decides: speaks, proposes, and acts, once and only as consented."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import msgspec

from phone_bridge.assistant import small_talk
from phone_bridge.assistant.client_tools import Borrowing
from phone_bridge.assistant.docket import Docket
from phone_bridge.assistant.mouth import Mouth
from phone_bridge.assistant.ports import (
    Drop,
    Ear,
    Endpointer,
    Expecting,
    HangUp,
    Intent,
    Mind,
    Move,
    Propose,
    Run,
    Say,
    Think,
    Tools,
)
from phone_bridge.assistant.problems import Problem
from phone_bridge.audio.format import Format
from phone_bridge.audio.path import Path
from phone_bridge.call.assent import Assent
from phone_bridge.call.assent import understand as judge
from phone_bridge.call.commands import HandOn
from phone_bridge.call.events import Action
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.runtime.voice import Voice
from phone_bridge.sessions import serving as s
from phone_bridge.tools.calendar import CALENDAR_TOOLS
from phone_bridge.tools.catalogue import Effect

CONFIRM_MS = 60_000
"""How long a proposal waits for its verdict, in milliseconds."""

EXPIRING_MS = 30_000
"""How long before its end a session is said to expire; nothing is proposed any more from then on."""

NO_CONSENT = "consent_unavailable"
"""Why an action is refused whose client has no way to bring the caller's consent."""

_TO_THE_CLIENT = (Assent.YES, Assent.NO, Assent.REPEAT)


class Faculties(msgspec.Struct, frozen=True):
    """What a session hears, thinks, acts and speaks with; ``acted`` is told what was done in which session."""

    endpointer: Callable[[], Endpointer]
    ear: Ear
    mind: Mind
    tools: Tools
    voice: Voice
    acted: Callable[[str, s.Acted], None] = lambda session_id, acted: None


class Clocks(msgspec.Struct, frozen=True):
    """Both kinds of time: ``now`` in milliseconds and never set back, ``wall`` the aware time of day."""

    now: Callable[[], int]
    wall: Callable[[], datetime]


class Grant(msgspec.Struct, frozen=True):
    """What a session may do: as whom, with which tools, and until when on both clocks."""

    session_id: str
    user_id: str
    tools: frozenset[str]
    expires_at: datetime
    until: int


class Outlet(msgspec.Struct, frozen=True):
    """Where a performer's work goes: what happens, our own sound's way to the client, further moves, and the end."""

    send: Callable[[s.Happening], None]
    writable: Callable[[], Awaitable[None]]
    way: Callable[[Format], Path]
    follow: Callable[[list[Move]], None]
    hang_up: Callable[[], None]
    manners: Callable[[], s.Manners] = s.Manners


class Performer:
    """One session's conversation, its open proposals and its responses."""

    def __init__(
        self, grant: Grant, faculties: Faculties, clocks: Clocks, outlet: Outlet, new_id: Callable[[str], str]
    ) -> None:
        self._grant = grant
        self._faculties = faculties
        self._clocks = clocks
        self._outlet = outlet
        self._new_id = new_id
        self._tools = grant.tools
        self._docket = Docket()
        self._mouth = Mouth(
            faculties.voice,
            send=outlet.send,
            writable=outlet.writable,
            way=outlet.way,
            new_id=new_id,
            now=clocks.now,
            manners=outlet.manners,
        )
        self._conversation: Borrowing  # from ``begin`` on
        self._prepared: Expecting | None = None
        self._offered: tuple[s.ClientTool, ...] = ()
        self._offered_now: tuple[s.ClientTool, ...] | None = None
        self._called: set[str] = set()  # the client's tools that have not returned yet
        self._returned: list[tuple[str, str]] = []  # what the client's tools gave, and nobody was told yet
        self._confirmed: asyncio.Queue[tuple[str, Action] | None] = asyncio.Queue()

    @property
    def responding(self) -> bool:
        """True while a response is running."""
        return bool(self._mouth.response)

    # Turns

    async def begin(self) -> None:
        """Begin the conversation, with the tools that the client has left in use; raises Refused or Unavailable."""
        self._conversation = await self._converse(
            lambda: self._offered if self._offered_now is None else self._offered_now
        )
        self._prepare()

    def _prepare(self) -> None:
        """Have the ear learn what may be said next, if that is something new; the answer had the first sound by now."""
        expecting = self._conversation.expecting()
        if expecting != self._prepared:
            self._prepared = expecting
            self._faculties.ear.prepare(expecting)

    def expecting(self) -> Expecting:
        """Say what the caller may say next; anything until the conversation has begun."""
        return self._conversation.expecting() if hasattr(self, "_conversation") else Expecting()

    async def _converse(self, offered: Callable[[], Sequence[s.ClientTool]] = tuple) -> Borrowing:
        conversation = await self._faculties.mind.converse(self._grant.user_id, self._tools)
        return Borrowing(conversation, lambda: self._new_id("act"), offered)

    @property
    def silenced(self) -> bool:
        """True where the reply to come was cancelled before it had begun."""
        return self._mouth.mute

    def begin_reply(self) -> None:
        """Begin the next turn's response ahead of what it will say."""
        self._mouth.begin()

    def end_reply(self) -> None:
        """Leave it at what was said."""
        self._mouth.finish()

    async def answer(self, texts: Sequence[str], tools: tuple[s.ClientTool, ...] | None = None) -> None:
        """Answer what the client's tools gave and turns of the caller's, in their order, as one response.

        ``tools`` takes the place of what the client has offered, this once.
        """
        results, self._returned = self._returned, []
        self._offered_now = tools
        if self._outlet.manners().answers_always:
            self._mouth.begin()
        wishes = list(texts)
        if results or self._called:  # a yes or no is to the client's own question, and the result will tell it
            wishes = [text for text in texts if text.strip() and judge(text) not in _TO_THE_CLIENT]
        for action_id, output in results:
            await self._carry_out(
                self._conversation.returned(action_id, output, self._clocks.wall(), followed=bool(wishes))
            )
        for text in wishes:
            await self._carry_out(self._conversation.heard(text, self._clocks.wall()))
        if not results and not texts:
            await self._carry_out([Say(small_talk.OFFER)])
        self._offered_now = None
        self._mouth.finish()

    async def answer_aside(self, texts: Sequence[str]) -> None:
        """Answer ``texts`` as a talk of their own, of which this one learns nothing; without the client's tools."""
        kept = self._conversation
        self._mouth.begin()
        try:
            self._conversation = await self._converse()
            for text in texts:
                await self._carry_out(self._conversation.heard(text, self._clocks.wall()))
        finally:
            self._conversation = kept
        self._mouth.finish()

    async def recall(self, texts: Sequence[str]) -> None:
        """Know turns that were answered elsewhere: think them through, silently; nothing is proposed or written."""
        for text in texts:
            await self._rethink(self._conversation.heard(text, self._clocks.wall()))

    async def go_on(self, before: HandOn) -> None:
        """Go on with a conversation that another session began: think through it again, silently, then answer.

        What was read is read again, so that "it" means the same as before; nothing is proposed and nothing written.
        """
        turns = [turn for turn in before.turns if turn.speaker == "caller"]
        unanswered = bool(before.turns) and before.turns[-1].speaker == "caller"
        await self.recall([turn.text for turn in turns[: len(turns) - unanswered]])
        if not before.answer:
            return
        if unanswered:
            await self.answer([turns[-1].text])
        else:
            await self.perform([Say(small_talk.BACK)])

    async def _rethink(self, moves: list[Move]) -> None:
        todo = deque(moves)
        while todo:
            move = todo.popleft()
            if isinstance(move, Run) and _reads(move.action):
                result = await self._run(move.id, move.action)
                todo.extendleft(reversed(self._conversation.ran(move.id, result, self._clocks.wall())))
            elif isinstance(move, Propose):
                todo.extendleft(reversed(self._conversation.withdrawn(move.id, self._clocks.wall())))

    async def perform(self, moves: list[Move]) -> None:
        """Do what the conversation decided, and what it decides on the results, as one response."""
        await self._carry_out(moves)
        self._mouth.finish()

    async def _carry_out(self, moves: list[Move]) -> None:
        todo = deque(moves)
        while todo:
            todo.extendleft(reversed(await self._do(todo.popleft())))
        self._prepare()

    async def _do(self, move: Move) -> list[Move]:
        match move:
            case Intent():
                self._outlet.send(s.Understood(move.name, move.confidence, move.parameters))
            case Say():
                await self._say(move.text)
            case Propose():
                return self._propose(move)
            case Run():
                return await self._run_unasked(move)
            case Drop():
                self._drop(move)
            case Think():
                await self._think(move)
            case HangUp():
                if not self._mouth.mute:  # who interrupts a goodbye wants something else
                    self._mouth.finish()
                    self._outlet.hang_up()
        return []

    async def _think(self, thinking: Think) -> None:
        """Do moves as they come; who cancels the response has heard enough of them."""
        self._mouth.begin()
        async with aclosing(thinking.moves()) as coming:
            async for move in coming:
                todo = deque([move])
                while todo:
                    todo.extendleft(reversed(await self._do(todo.popleft())))
                if self._mouth.mute:
                    return

    async def _say(self, text: str) -> None:
        try:
            await self._mouth.say(text)
        except Unavailable as error:
            self._complain(f"speech cannot be made: {error}")

    # Proposals

    def restrict(self, tools: tuple[str, ...]) -> None:
        """Use only ``tools`` from now on; raises Problem for one that the session's scopes do not open."""
        if not self._grant.tools.issuperset(tools):
            raise Problem(
                "session.tools names a tool that does not exist, or that the session's scopes do not open",
                code="invalid_parameter",
                param="session.tools",
            )
        self._tools = frozenset(tools)

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools in use, by name."""
        return tuple(sorted(self._tools))

    def confirm(self, action_id: str) -> None:
        """Take the client's consent; what came of an action that is done already is told again."""
        now = self._clocks.now()
        if now >= self._grant.until:
            raise Problem("the session has expired, and its authority with it", code="session_expired")
        self.expire(now)  # the timer may be a moment late
        action = self._docket.confirm(action_id)
        if action is not None:
            self._confirmed.put_nowait((action_id, action))
            self._outlet.follow(self._conversation.confirmed(action_id, self._clocks.wall()))
            return
        outcome = self._docket.outcome(action_id)
        if outcome is not None:
            self._outlet.send(outcome)

    def decline(self, action_id: str, reason: str) -> None:
        """Take the client's refusal."""
        if self._docket.decline(action_id):
            self._outlet.send(s.ProposalDeclined(action_id, reason))
            self._outlet.follow(self._conversation.declined(action_id, self._clocks.wall()))

    def cancel(self, response_id: str) -> None:
        """End the running response and withdraw what is proposed; raises Problem when there is neither."""
        running, open_ids = self._mouth.response, self._docket.open
        if (response_id and response_id != running) or not (running or open_ids):
            raise Problem("no such response is running", code="response_not_active", param="response_id")
        if running:
            self._mouth.cancel()
        for action_id in open_ids:
            self._docket.withdraw(action_id)
            self._withdrawn(action_id, "cancelled")

    def interrupt(self) -> None:
        """End the running response, because the caller speaks."""
        if self._mouth.response:
            self._mouth.cancel("turn_detected")

    def deadline(self) -> int | None:
        """Say when ``expire`` has a proposal to let fall."""
        return self._docket.deadline()

    def expire(self, now: int) -> None:
        """Let the proposals fall whose time is up."""
        for action_id in self._docket.expired(now):
            self._withdrawn(action_id, "timeout")

    def _withdrawn(self, action_id: str, reason: str) -> None:
        self._outlet.send(s.ProposalExpired(action_id, reason))
        self._outlet.follow(self._conversation.withdrawn(action_id, self._clocks.wall()))

    def _propose(self, move: Propose) -> list[Move]:
        now = self._clocks.now()
        if self._mouth.mute:
            return self._conversation.withdrawn(move.id, self._clocks.wall())
        if self._conversation.offers(move.action.name):
            self._conversation.confirmed(move.id, self._clocks.wall())  # what its tools do is the client's own business
            return self._ask_client(move.id, move.action)
        manners = self._outlet.manners()
        late = manners.warns and now >= self._grant.until - EXPIRING_MS
        if move.action.name not in self._tools or late:
            return self._conversation.ran(move.id, _refusal(move.action), self._clocks.wall())
        if not manners.takes_proposals:
            return self._conversation.ran(move.id, _without_consent(), self._clocks.wall())
        response_id = self._mouth.begin()
        until = min(now + CONFIRM_MS, self._grant.until)
        self._docket.propose(move.id, deepcopy(move.action), until)  # whatever becomes of it elsewhere
        expires_at = self._clocks.wall() + timedelta(milliseconds=until - now)
        self._outlet.send(
            s.Proposed(
                move.id,
                move.action,
                move.effect,
                move.reversible,
                expires_at.isoformat(timespec="seconds"),
                response_id,
            )
        )
        return []

    def _drop(self, move: Drop) -> None:
        """Settle a proposal as the conversation says, unless the client was faster."""
        if move.id not in self._docket.open:
            return
        if move.outcome == "declined":
            self._docket.decline(move.id)
            self._outlet.send(s.ProposalDeclined(move.id, move.reason))
        else:
            self._docket.withdraw(move.id)
            self._outlet.send(s.ProposalExpired(move.id, move.reason))

    # The client's own tools

    def offer(self, tools: tuple[s.ClientTool, ...]) -> None:
        """Call these functions of the client's from now on, in place of our own of the same name."""
        self._offered = tools

    def returned(self, action_id: str, output: str) -> None:
        """Take what a function of the client's gave, to be told with the next answer."""
        self._called.discard(action_id)
        self._returned.append((action_id, output))

    def _ask_client(self, action_id: str, action: Action) -> list[Move]:
        response_id = self._mouth.begin()
        if response_id:
            self._called.add(action_id)
            self._outlet.send(s.ToolAsked(action_id, action, response_id))
        return []

    # Actions

    async def _run_unasked(self, move: Run) -> list[Move]:
        self._mouth.begin()
        if self._conversation.offers(move.action.name):
            return self._ask_client(move.id, move.action)
        if not self._outlet.manners().takes_proposals and not _reads(move.action):
            return self._conversation.ran(move.id, _without_consent(), self._clocks.wall())
        return await self._act(move.id, move.action, confirmed=False)

    async def execute(self) -> None:
        """Do confirmed actions in the order of their confirmation, until ``stop``."""
        while (confirmed := await self._confirmed.get()) is not None:
            self._outlet.follow(await self._act(*confirmed, confirmed=True))

    def stop(self) -> None:
        """Have ``execute`` return when everything confirmed so far is done."""
        self._confirmed.put_nowait(None)

    async def _act(self, action_id: str, action: Action, *, confirmed: bool) -> list[Move]:
        result = await self._run(action_id, action)
        outcome = s.Acted(action_id, action, result, confirmed)
        if confirmed:
            self._docket.done(action_id, outcome)
        self._outlet.send(outcome)
        self._faculties.acted(self._grant.session_id, outcome)
        return self._conversation.ran(action_id, result, self._clocks.wall())

    async def _run(self, action_id: str, action: Action) -> Mapping[str, Any]:
        if action.name not in self._tools:
            return _refusal(action)
        key = f"{self._grant.session_id}:{action_id}"
        try:
            return await self._faculties.tools.run(self._grant.user_id, action.name, action.parameters, key=key)
        except (Unavailable, Refused) as error:
            return _failed("api_error", error.code, str(error))

    def _complain(self, message: str) -> None:
        self._outlet.send(s.Trouble("service_unavailable", message))


def _reads(action: Action) -> bool:
    return action.name in CALENDAR_TOOLS and CALENDAR_TOOLS.find(action.name).effect is Effect.READ


def _refusal(action: Action) -> dict[str, Any]:
    message = f"the session may not use {action.name}, or not any more"
    return _failed("authorization_error", "authorization_failed", message)


def _without_consent() -> dict[str, Any]:
    return _failed("authorization_error", NO_CONSENT, "the client has no way to bring the caller's consent")


def _failed(kind: str, code: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"type": kind, "code": code, "message": message}}
