"""Telling others what happened: webhooks are kept first, then sent until they arrive or their time is over."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from phone_bridge.assistant import webhooks
from phone_bridge.assistant.webhook_store import WebhookStore
from phone_bridge.assistant.webhooks import Delivery, Endpoint, Happening
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.exchange import Request, Response

AT_A_TIME = 16
"""Attempts that may be under way."""
AT_A_TIME_EACH = 4
"""Attempts at one endpoint that may be under way, so that a slow one holds nobody else up."""
LOOKED_AT = 64
"""Deliveries that are due and looked at together."""
LEASE_MS = 60_000
"""How long an attempt is somebody's; should they be lost, another tries then."""
UNKEPT = 1_000
"""Happenings that may wait for the database; more are lost, and the log says so."""
KEPT_MS = 7 * 24 * 3600 * 1000
"""How long an event can be looked up and sent again."""

_RETRY_S = 5.0
_LONGEST_SLEEP_S = 60.0
_SHORTEST_SLEEP_S = 1.0
_log = logging.getLogger("phone_bridge.webhooks")

Send = Callable[[Request], Awaitable[Response]]
"""Send a request; raises BridgeError where no answer comes."""


class Webhooks:
    """The webhooks of one process; ``now`` gives Unix milliseconds, ``chance`` a number from 0 to 1."""

    def __init__(
        self,
        store: WebhookStore,
        send: Send,
        *,
        live: bool,
        new_id: Callable[[str], str],
        now: Callable[[], int],
        chance: Callable[[], float],
    ) -> None:
        self.store = store
        self.now = now
        self.new_id = new_id
        self._send = send
        self._live = live
        self._chance = chance
        self._unkept: asyncio.Queue[Happening] = asyncio.Queue(UNKEPT)
        self._woken = asyncio.Event()
        self._busy: Counter[str] = Counter()
        self._attempts: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._purged_at = 0

    async def start(self) -> None:
        """Make the tables ready and begin to send; raises Unavailable."""
        await asyncio.to_thread(self.store.prepare)
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._deliver())]

    async def stop(self) -> None:
        """Keep what is not kept yet, break off what is being sent (it is sent again), and let the database go."""
        for task in (*self._tasks, *self._attempts):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._attempts, return_exceptions=True)
        while not self._unkept.empty():
            await self.tell(self._unkept.get_nowait())
        await asyncio.to_thread(self.store.close)

    # What happened

    def soon(self, happening: Happening) -> None:
        """Tell of something without waiting."""
        try:
            self._unkept.put_nowait(happening)
        except asyncio.QueueFull:
            _log.error("! a %s is lost: the database has taken none for too long", happening.type)

    async def tell(self, happening: Happening) -> None:
        """Keep what happened for every endpoint that wants to know; what cannot be kept now is kept later."""
        try:
            await self.keep(happening)
        except Unavailable as error:
            _log.warning("! a %s cannot be kept now (%s)", happening.type, error.code)
            if self._tasks and not self._tasks[0].done():
                self.soon(happening)

    async def keep(self, happening: Happening, to: Endpoint | None = None) -> list[Delivery]:
        """Keep what happened for those who want to know, or as a test for one of them; raises Unavailable."""
        made = await asyncio.to_thread(self._kept, happening, to)
        self.wake()
        return made

    def wake(self) -> None:
        """Look for what is due now."""
        self._woken.set()

    def delivery(self, endpoint: Endpoint, event_id: str, type: str, url: str = "") -> Delivery:
        """Make the first state of a delivery."""
        now = self.now()
        return Delivery(
            id=self.new_id("whd"),
            endpoint_id=endpoint.id,
            event_id=event_id,
            type=type,
            url=url or endpoint.url,
            began_at=now,
            next_at=now,
        )

    def _kept(self, happening: Happening, to: Endpoint | None) -> list[Delivery]:
        wanting = [each for each in self.store.endpoints() if each.wants(happening.type, happening.account)]
        to_whom = wanting if to is None else [to]
        if not to_whom:
            return []
        event_id, now = webhooks.event_id(happening), self.now()
        body = webhooks.body_of(
            event_id,
            happening,
            created=now // 1000,
            live=self._live,
            request_id=self.new_id("req"),
            is_test=to is not None,
        )
        made = [self.delivery(each, event_id, happening.type) for each in to_whom]
        return made if self.store.tell(event_id, body, made, now) else []

    async def _keep(self) -> None:
        while True:
            happening = await self._unkept.get()
            if not await self._kept_now(happening):
                self.soon(happening)
                await asyncio.sleep(_RETRY_S)

    async def _kept_now(self, happening: Happening) -> bool:
        try:
            await self.keep(happening)
        except Unavailable as error:
            _log.warning("! a %s cannot be kept now (%s)", happening.type, error.code)
            return False
        except asyncio.CancelledError:
            self._unkept.put_nowait(happening)
            raise
        except Exception:  # noqa: BLE001 - the top of a task: one bad happening stops no other
            _log.exception("! a %s could not be kept", happening.type)
        return True

    # Sending

    async def _deliver(self) -> None:
        while True:
            self._woken.clear()
            try:
                sleep_s = await self._begin_what_is_due()
            except Unavailable as error:
                _log.warning("! webhooks wait for the database (%s)", error.code)
                sleep_s = _LONGEST_SLEEP_S
            except Exception:  # noqa: BLE001 - the top of a task: the next round may be a better one
                _log.exception("! webhooks could not be sent")
                sleep_s = _LONGEST_SLEEP_S
            with suppress(TimeoutError):
                async with asyncio.timeout(sleep_s):  # wait_for may swallow that we are cancelled, in Python 3.11
                    await self._woken.wait()

    async def _begin_what_is_due(self) -> float:
        """Begin the attempts that are due, and say for how many seconds there is nothing to do."""
        now = self.now()
        for delivery, endpoint, body in await asyncio.to_thread(self._claimed, now):
            self._busy[endpoint.id] += 1
            attempt = asyncio.create_task(self._attempt(delivery, endpoint, body))
            self._attempts.add(attempt)
            attempt.add_done_callback(self._attempts.discard)
        if now - self._purged_at > _LONGEST_SLEEP_S * 1000:
            self._purged_at = now
            await asyncio.to_thread(self.store.purge, now - KEPT_MS)
        next_at = await asyncio.to_thread(self.store.next_at)
        left_s = _LONGEST_SLEEP_S if next_at is None else (next_at - self.now()) / 1000
        return min(max(left_s, _SHORTEST_SLEEP_S), _LONGEST_SLEEP_S)

    def _claimed(self, now: int) -> list[tuple[Delivery, Endpoint, bytes]]:
        room = AT_A_TIME - len(self._attempts)
        full = [each for each, count in self._busy.items() if count >= AT_A_TIME_EACH]
        due = self.store.due(now, full, LOOKED_AT) if room else []
        return self.store.claim(webhooks.choose(due, self._busy, room, AT_A_TIME_EACH), now + LEASE_MS)

    async def _attempt(self, delivery: Delivery, endpoint: Endpoint, body: bytes) -> None:
        try:
            answered = await self._ask(webhooks.request(endpoint, delivery, body, self.now() // 1000))
            stands = webhooks.after(delivery, answered, self.now(), self._chance())
            await asyncio.to_thread(self.store.settle, stands)
            if stands.status == "failed":
                _log.warning("! the delivery %s to %s was given up", delivery.id, endpoint.id)
        except Unavailable as error:  # the lease runs out, and it is sent again
            _log.warning("! the delivery %s cannot be settled now (%s)", delivery.id, error.code)
        finally:
            self._busy[endpoint.id] -= 1
            self.wake()

    async def _ask(self, request: Request) -> int | None:
        try:
            return (await self._send(request)).status
        except BridgeError as error:
            _log.info("! a webhook did not arrive (%s)", error.code)
            return None


def shown(delivery: Delivery) -> dict[str, object]:
    """Write a delivery as the API shows it."""
    plain = msgspec.structs.asdict(delivery)
    began_at, next_at = plain.pop("began_at"), plain.pop("next_at")
    waits = delivery.status == "pending"
    return {
        "object": "webhook_delivery",
        **plain,
        "created": began_at // 1000,
        "next_attempt": next_at // 1000 if waits else None,
    }
