"""The HTTP side of the voice API on a database in a folder, with keys that a test knows and time that it sets."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.calendar_api import CalendarApi
from phone_bridge.assistant.front import Asked, Front
from phone_bridge.assistant.keys import Keyring, VoiceKey
from phone_bridge.assistant.performer import Clocks
from phone_bridge.assistant.watched_keeper import watched
from phone_bridge.assistant.webhook_api import WebhookApi
from phone_bridge.assistant.webhooks import Happening
from phone_bridge.exchange import Response
from phone_bridge.runtime.api_keys import fingerprint
from phone_bridge.tools.calendar import CalendarTools
from phone_bridge.tools.keeper import User
from tests.assistant.receiving import Receiving

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SECRET, READER, BOB, CONNECT = "sk_test_secret", "rk_test_reader", "rk_test_bob", "cat_connect"
EVERYTHING = ("events:read", "events:write", "alerts:read", "alerts:write", "profile:read", "profile:write")
KEYS = (
    VoiceKey("secret", fingerprint(SECRET)),
    VoiceKey("reader", fingerprint(READER), "rk_test", ("events:read",)),
    VoiceKey("bob", fingerprint(BOB), "rk_test", EVERYTHING, ("usr_bob",)),
    VoiceKey("connect", fingerprint(CONNECT), "cat", ("webhooks:manage",), accounts=("cpa_1",)),
)

Operation = Callable[..., Awaitable[Response]]


class ApiDesk:
    """Whoever asks over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.receiving = Receiving(folder)
        self.told: list[Happening] = []
        self.seconds = 0
        keeper = SqlKeeper(f"sqlite:///{folder}/calendar.db", new_id=self.receiving.new_id_of_letters, now=self.wall)
        self.keeper = watched(keeper, self._tell)
        self.tools = CalendarTools(self.keeper, self.wall)
        clocks = Clocks(lambda: self.seconds * 1000, self.wall)
        self.front = Front(Keyring(KEYS), clocks, self.receiving.new_id)
        self.calendar = CalendarApi(self.front, self.keeper, self.tools, "usr_alice")
        self.webhooks = WebhookApi(self.front, self.receiving.hooks, self.wall)

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    async def _tell(self, happening: Happening) -> None:
        self.told.append(happening)

    async def ask(
        self,
        operation: Operation,
        *path: str,
        key: str = SECRET,
        body: Any = None,
        once: str = "",
        query: dict[str, str] | None = None,
    ) -> Response:
        headers = {"authorization": f"Bearer {key}"} | ({"idempotency-key": once} if once else {})
        asked = Asked(
            endpoint=" ".join((getattr(operation, "__name__", ""), *path)),
            headers=headers,
            query=tuple((query or {}).items()),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        self.seconds += 1  # so that what is made later is newer
        return await operation(asked, *path)

    async def get(self, operation: Operation, *path: str, status: int = 200, **more: Any) -> Any:
        """Ask, and read the answer that has ``status``."""
        response = await self.ask(operation, *path, **more)
        read = json.loads(response.body)
        assert response.status == status, read
        return read

    async def refused(self, operation: Operation, *path: str, **more: Any) -> tuple[int, str, str]:
        """Ask, and read why not."""
        response = await self.ask(operation, *path, **more)
        error = json.loads(response.body)["error"]
        return response.status, error["code"], error.get("param", "")


def play(folder: Path, story: Callable[[ApiDesk], Coroutine[Any, Any, None]]) -> None:
    """Run a test's story."""

    async def run() -> None:
        desk = ApiDesk(folder)
        await asyncio.to_thread(desk.keeper.prepare)
        for name in ("alice", "bob"):
            await desk.keeper.add_user(User(id=f"usr_{name}", name=name, email=f"{name}@example.com"))
        await desk.receiving.hooks.start()
        try:
            await story(desk)
        finally:
            await desk.receiving.hooks.stop()
            desk.keeper.close()

    asyncio.run(run())
