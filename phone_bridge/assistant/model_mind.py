"""A language model in the grammar's place: any OpenAI-compatible chat service."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from phone_bridge.assistant import chat_completions
from phone_bridge.assistant.chat_completions import Answer, ToolCall
from phone_bridge.assistant.model_conversation import ModelConversation
from phone_bridge.assistant.ports import Mind
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.runtime.http import HttpClient, Streamed
from phone_bridge.tools.calendar import CALENDAR_TOOLS, Prepared
from phone_bridge.tools.catalogue import Catalogue, Policy, Tool

PATIENCE_MS = 4_000
"""How long the model may be silent before or within an answer; then the grammar answers the caller."""

FAILURES_MAX = 2
"""So often in a row the model may fail before it is left alone for ``REST_MS``: a caller waits each time."""

REST_MS = 30_000

_log = logging.getLogger(__name__)


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """Where the model is: ``url`` goes up to and without ``/v1``."""

    url: str
    model: str
    key: str = ""


class PrepareFor(Protocol):
    """``CalendarTools.prepare``."""

    def __call__(
        self, user_id: str, tool: str, parameters: Mapping[str, Any], *, policy: Policy
    ) -> Awaitable[Prepared | Mapping[str, Any]]:
        """Say what a tool would do for a user."""
        ...


class ModelMind:
    """Begin talks that the model of ``service`` leads; ``grammar`` begins those that stand in for it.

    ``prepare`` makes a call of a tool ready to be proposed or run.

    ``zone`` tells the time zone of a user, ``new_id`` makes an id from its prefix, ``now`` is in milliseconds.
    """

    def __init__(
        self,
        service: Service,
        grammar: Mind,
        prepare: PrepareFor,
        *,
        zone: Callable[[str], Awaitable[str]],
        new_id: Callable[[str], str],
        now: Callable[[], int],
    ) -> None:
        self._service = service
        self._grammar = grammar
        self._prepare = prepare
        self._zone = zone
        self._new_id = new_id
        self._now = now
        self._http: HttpClient | None = None
        self._failures = 0
        self._rests_until = 0

    async def converse(self, user_id: str, tools: frozenset[str], policy: Policy = Policy.DEFAULT) -> ModelConversation:
        """Begin a talk with ``user_id`` in which only ``tools`` may be used; raises as the grammar's mind does."""
        return ModelConversation(
            await self._grammar.converse(user_id, tools, policy),
            self._ask,
            lambda tool, parameters: self._prepare(user_id, tool, parameters, policy=policy),
            Catalogue(tool for tool in CALENDAR_TOOLS if tool.name in tools),
            await self._zone(user_id),
            lambda: self._new_id("act"),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    @asynccontextmanager
    async def _ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Tool]
    ) -> AsyncGenerator["_Coming", None]:
        if self._now() < self._rests_until:
            raise Unavailable("the language model is left alone for a while", code="model_rests")
        self._http = self._http or HttpClient()
        service = self._service
        asked = chat_completions.request(service.url, service.key, service.model, messages, tools)
        try:
            async with self._http.stream(asked, timeout_ms=PATIENCE_MS) as answer:
                if answer.status != 200:
                    raise Unavailable(f"the language model's service answered {answer.status}", code="model_failed")
                yield _Coming(answer)
        except BridgeError as error:
            self._failed(error)
            raise
        self._failures = 0

    def _failed(self, error: BridgeError) -> None:
        _log.warning("! the language model failed, the grammar answers: %s", error)
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            self._failures = 0
            self._rests_until = self._now() + REST_MS


class _Coming:
    """An answer that is coming in over HTTP."""

    def __init__(self, answer: Streamed) -> None:
        self._chunks = answer.chunks
        self._answer = Answer(streamed="json" not in answer.headers.get("content-type", ""))

    async def words(self) -> AsyncIterator[str]:
        """Give the words as they come; raises Unavailable, Refused or RemoteError."""
        async for chunk in self._chunks:
            yield self._answer.push(chunk)
        yield self._answer.finish()

    @property
    def calls(self) -> list[ToolCall]:
        """The tools that it calls."""
        return self._answer.calls
