"""Webhooks in a test's hands: the database in a folder, time that the test sets, and a receiver that it plays."""

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phone_bridge.assistant.telling import Webhooks
from phone_bridge.assistant.webhook_store import WebhookStore
from phone_bridge.assistant.webhooks import Endpoint, Happening
from phone_bridge.errors import BridgeError
from phone_bridge.exchange import Request, Response

URL = "https://example.com/hook"
START_MS = 1_700_000_000_000


class Receiving:
    """The webhooks of one process, and whoever gets them."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/hooks.db"
        self.now = START_MS
        self.got: list[Request] = []
        self.answers: dict[str, int | BridgeError] = {}  # by url
        self.gate: asyncio.Event | None = None  # holds the receiver up
        self._numbers = itertools.count(1)
        self.hooks = self.another()

    def another(self) -> Webhooks:
        """Make the webhooks of another process, or of this one after it was started again."""
        return Webhooks(
            WebhookStore(self.url),
            self._send,
            live=False,
            new_id=self.new_id,
            now=lambda: self.now,
            chance=lambda: 0.0,
        )

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):04}"

    def new_id_of_letters(self, prefix: str) -> str:
        """Make an id that is long enough for the calendar's own."""
        return f"{prefix}_{next(self._numbers):06}"

    async def _send(self, request: Request) -> Response:
        self.got.append(request)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.get(request.url, 200)
        if isinstance(answer, BridgeError):
            raise answer
        return Response(status=answer)

    async def endpoint(self, **more: Any) -> Endpoint:
        """Keep an endpoint that wants everything, unless told otherwise."""
        made = Endpoint(
            **{
                "id": self.new_id("wbk"),
                "url": URL,
                "events": ("*",),
                "secret": "whsec_1",
                "created_at": datetime(2026, 11, 21, tzinfo=UTC),
                **more,
            }
        )
        await asyncio.to_thread(self.hooks.store.add, made)
        return made

    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.got]


def happening(deed: str = "1", kind: str = "event.created", account: str = "") -> Happening:
    return Happening(type=kind, object={"event_id": "evt_1"}, deed=deed, account=account)


def play(folder: Path, story: Callable[[Receiving], Coroutine[Any, Any, None]]) -> None:
    """Run a test's story with webhooks that are started; at the end nothing may be left."""

    async def run() -> None:
        receiving = Receiving(folder)
        await receiving.hooks.start()
        try:
            await story(receiving)
        finally:
            await receiving.hooks.stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(run())
