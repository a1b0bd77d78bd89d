"""A talk that a language model leads, with the same tools and the same consent as the grammar's.

The model reads by itself and never writes: what needs consent becomes a proposal, in the calendar's own words, and only
the client's verdict has it run. Whether words are a yes or a no is judged here and not by the model; so are a goodbye
and what becomes of a confirmed action. Where the model fails, the grammar answers the same turn.
"""

import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from msgspec import structs

from phone_bridge.assistant import answering, small_talk
from phone_bridge.assistant.chat_completions import ToolCall
from phone_bridge.assistant.ports import (
    Conversation,
    Drop,
    Expecting,
    Intent,
    Mood,
    Move,
    Propose,
    Run,
    Say,
    Think,
)
from phone_bridge.assistant.sentences import Sentences
from phone_bridge.assistant.understanding import understand
from phone_bridge.call import words
from phone_bridge.call.assent import Assent
from phone_bridge.call.assent import understand as judge
from phone_bridge.call.events import Action
from phone_bridge.errors import BridgeError, RemoteError
from phone_bridge.tools.calendar import Prepared
from phone_bridge.tools.catalogue import Catalogue, Tool

ROUNDS_MAX = 5
"""How often the model is asked in one turn: it looks something up, and thinks again."""

MESSAGES_KEPT = 40
"""How much of the talk the model is told again; a turn takes two to eight messages."""

RESULT_CHARS = 8_000
"""How much of a tool's result the model is told."""

_RULES = """\
You are a calendar assistant on the telephone. Today is {today}, the time is {time}, the time zone {zone}.
Answer in one to three short plain sentences, without lists, marks or links. Say times as people do.
Look things up with the tools before you answer, and never invent an event, a time or an id.
To change something call its tool once, with exact parameters; date-times carry their offset. The caller is then asked
for consent by others: do not ask yourself, and never say that it is done.
If something is missing, ask for one thing. Do only what concerns the calendar.\
"""


class ModelAnswer(Protocol):
    """An answer of the model's that is coming in."""

    def words(self) -> AsyncIterator[str]:
        """Give the words as they come; raises Unavailable, Refused or RemoteError where it fails."""
        ...

    @property
    def calls(self) -> list[ToolCall]:
        """The tools that it calls; whole once the words are over."""
        ...


Prepare = Callable[[str, Mapping[str, Any]], Awaitable[Prepared | Mapping[str, Any]]]
"""How a call of a tool is made ready, as ``CalendarTools.prepare`` does it; what cannot be is its error's result."""

Ask = Callable[[Sequence[Mapping[str, Any]], Sequence[Tool]], AbstractAsyncContextManager[ModelAnswer]]
"""How the model is asked to go on with messages; raises as ``ModelAnswer.words`` does."""


class ModelConversation:
    """A talk in ``zone`` that the model behind ``ask`` leads, and ``grammar`` where it fails.

    ``tools`` may be used, once ``prepare`` has made a call ready; ``new_id`` makes the ids of proposals and runs.
    """

    def __init__(
        self,
        grammar: Conversation,
        ask: Ask,
        prepare: Prepare,
        tools: Catalogue,
        zone: str,
        new_id: Callable[[], str],
    ) -> None:
        self._grammar = grammar
        self._ask = ask
        self._prepare = prepare
        self._tools = tools
        self._zone = ZoneInfo(zone)
        self._new_id = new_id
        self._messages: list[dict[str, Any]] = []
        self._open: dict[str, Action] = {}
        self._confirmed: dict[str, Action] = {}
        self._results: dict[str, Mapping[str, Any]] = {}
        self._running: set[str] = set()

    # What the session calls

    def heard(self, text: str, now: datetime) -> list[Move]:
        """Take a turn of the caller's: what needs no model is decided at once, the rest is thought about."""
        now = now.astimezone(self._zone)
        proposed = next(iter(self._open), "")
        if not proposed:
            if self._grammar.expecting().mood is Mood.CONSENT or not text.strip() or _is_goodbye(text, now):
                return self._grammar.heard(text, now)
            return self._thought(text, now)
        if not text.strip():
            return []
        if _is_goodbye(text, now):
            return self._grammar.heard(text, now)
        verdict = judge(text, prompt=words.question(self._open[proposed]).text)
        if verdict is Assent.NO:
            del self._open[proposed]
            return [Drop(proposed, "declined", "spoken_no"), Say(small_talk.LEFT)]
        if verdict is Assent.WISH:
            del self._open[proposed]
            return [Drop(proposed, "expired", "replaced"), *self._thought(text, now)]
        return []

    def confirmed(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the caller consented; the session now runs the proposed action by itself and calls ``ran``."""
        if action_id not in self._open:
            return self._grammar.confirmed(action_id, now)
        self._confirmed[action_id] = self._open.pop(action_id)
        return []

    def declined(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the client declined a proposal (it is settled already)."""
        if self._open.pop(action_id, None) is None:
            return self._grammar.declined(action_id, now)
        return self._told([small_talk.LEFT])

    def withdrawn(self, action_id: str, now: datetime) -> list[Move]:
        """Know that a proposal's time ran out or the client cancelled it (it is settled already)."""
        return [] if self._open.pop(action_id, None) else self._grammar.withdrawn(action_id, now)

    def ran(self, action_id: str, result: Mapping[str, Any], now: datetime) -> list[Move]:
        """Take a result: of a tool that the model waits for, of a confirmed action, or of the grammar's."""
        now = now.astimezone(self._zone)
        if action_id in self._running:
            self._results[action_id] = result
            return []
        if action_id in self._open:  # the session may not even ask
            del self._open[action_id]
            return self._told(answering.failed(result))
        action = self._confirmed.pop(action_id, None)
        if action is None:
            return self._grammar.ran(action_id, result, now)
        return self._told(answering.done(action, result, now) if result.get("ok") else answering.failed(result))

    def expecting(self) -> Expecting:
        """Say what may be heard next."""
        expecting = self._grammar.expecting()
        return structs.replace(expecting, mood=Mood.CONSENT) if self._open else expecting

    # Thinking

    def _thought(self, text: str, now: datetime) -> list[Move]:
        self._messages.append({"role": "user", "content": text})
        return [Think(lambda: self._turn(text, now))]

    async def _turn(self, text: str, now: datetime) -> AsyncGenerator[Move, None]:
        """Have the model answer; where it fails, and has proposed nothing, the grammar does."""
        before = len(self._open)
        try:
            for _ in range(ROUNDS_MAX):
                calls: list[ToolCall] = []
                async with aclosing(self._round(now, calls)) as moves:
                    async for move in moves:
                        yield move
                if not calls:
                    return
                async with aclosing(self._called(calls, now)) as moves:
                    async for move in moves:
                        yield move
                if len(self._open) > before:
                    return
            raise RemoteError(f"the model came to no end in {ROUNDS_MAX} rounds", code="no_end")
        except BridgeError:
            moves_instead = self._grammar.heard(text, now)
        self._remember([move.text for move in moves_instead if isinstance(move, Say)], [])
        for move in moves_instead:
            yield move

    async def _round(self, now: datetime, calls: list[ToolCall]) -> AsyncGenerator[Move, None]:
        """Ask the model once: its sentences are spoken as they come, its ``calls`` are given back."""
        said: list[str] = []
        sentences = Sentences()
        try:
            async with self._ask([self._rules(now), *self._recent()], list(self._tools)) as answer:
                async for piece in answer.words():
                    for sentence in sentences.push(piece):
                        said.append(sentence)
                        yield Say(sentence)
                for sentence in sentences.finish():
                    said.append(sentence)
                    yield Say(sentence)
                calls += answer.calls
        finally:
            self._remember(said, calls)
        if not said and not calls:
            raise RemoteError("the model said nothing", code="no_answer")

    async def _called(self, calls: Sequence[ToolCall], now: datetime) -> AsyncGenerator[Move, None]:
        """Do what the model called for: look things up, and propose the first thing that needs consent."""
        left = deque(calls)
        try:
            while left:
                async for move in self._do(left[0], now):
                    yield move
                left.popleft()
        finally:
            for call in left:  # every call must have its result, or the service refuses the talk from now on
                self._result(call, _error("The caller interrupted."))

    async def _do(self, call: ToolCall, now: datetime) -> AsyncGenerator[Move, None]:
        """Do what one call asks for: run it, or propose it, or tell the model what is wrong with it."""
        try:
            prepared = await self._prepared(call)
        except RemoteError as error:
            prepared = _error(str(error))
        if not isinstance(prepared, Prepared):
            self._result(call, prepared)
        elif not prepared.needs_consent:
            async for move in self._run(call, prepared.action):
                yield move
        elif self._open:
            self._result(call, _error("One change at a time: the caller is still being asked about another."))
        else:
            new, action = self._new_id(), prepared.action
            self._open[new] = action
            told = {"ok": True, "status": "The caller is being asked for consent.", "conflicts": prepared.conflicts}
            self._result(call, told)
            yield Intent(action.name, 1.0, action.parameters)
            yield Propose(new, action, prepared.reach, prepared.reversible)

    async def _prepared(self, call: ToolCall) -> Prepared | Mapping[str, Any]:
        if call.name not in self._tools:
            raise RemoteError(f"there is no tool {call.name!r}", code="bad_call")
        return await self._prepare(call.name, call.parameters())

    async def _run(self, call: ToolCall, action: Action) -> AsyncGenerator[Move, None]:
        """Run a tool; the session brings its result to ``ran`` before it goes on here."""
        yield Intent(action.name, 1.0, action.parameters)
        new = self._new_id()
        self._running.add(new)
        try:
            yield Run(new, action)
        finally:
            self._running.discard(new)
        self._result(call, self._results.pop(new, _error("It was not run.")))

    # What the model is told

    def _rules(self, now: datetime) -> dict[str, Any]:
        told = _RULES.format(today=f"{now:%A}, {now.date().isoformat()}", time=f"{now:%H:%M}", zone=self._zone.key)
        return {"role": "system", "content": told}

    def _recent(self) -> list[dict[str, Any]]:
        """Give the newest messages, from a turn of the caller's on."""
        recent = self._messages[-MESSAGES_KEPT:]
        begin = next((at for at, message in enumerate(recent) if message["role"] == "user"), 0)
        self._messages = recent[begin:]
        return self._messages

    def _remember(self, said: Sequence[str], calls: Sequence[ToolCall]) -> None:
        if said or calls:
            message: dict[str, Any] = {"role": "assistant", "content": " ".join(said) or None}
            if calls:
                message["tool_calls"] = [call.plain() for call in calls]
            self._messages.append(message)

    def _result(self, call: ToolCall, result: Mapping[str, Any]) -> None:
        told = json.dumps(result, default=str)[:RESULT_CHARS]
        self._messages.append({"role": "tool", "tool_call_id": call.id, "content": told})

    def _told(self, sentences: Sequence[str]) -> list[Move]:
        """Say what is said without the model, and have it know."""
        self._remember(sentences, [])
        return [Say(sentence) for sentence in sentences]


def _error(message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"message": message}}


def _is_goodbye(text: str, now: datetime) -> bool:
    return understand(text, now.date()).name == "goodbye"
