"""Opening a session and parting from it: mint, dial, try again while there is time, say goodbye.

A caller waits meanwhile, so the whole has one budget: what cannot work within it is given up at once, not at its end.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from phone_bridge.audio.format import Format
from phone_bridge.call.events import Action
from phone_bridge.call.handing_on import UNKNOWN
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.websocket_client import dial
from phone_bridge.sessions.dialect import Dialect, SessionWire, Ticket

SESSION_BUDGET_MS = 2_500  # the caller is told within three seconds that a session cannot be had
PATIENCE_MS = 10_000  # for one that is only slow, beyond that: as long as a greeting may be
BACK_OFF_MS = 100
BACK_OFF_LIMIT_MS = 1_000
FAREWELL_TIMEOUT_MS = 700  # everything of a call ends within a second
LOOK_UP_MS = 1_200  # a caller waits meanwhile for the next session

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class Http(Protocol):
    """What carries the HTTP half; ``runtime.http.HttpClient`` does."""

    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        """Send a request and read the answer; raises Unavailable, Refused or RemoteError."""
        ...


class Dial(Protocol):
    """What opens a socket; ``runtime.websocket_client.dial`` does."""

    async def __call__(
        self, url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int
    ) -> Socket:
        """Make one attempt; raises Unavailable, Refused or RemoteError."""
        ...


class Link(NamedTuple):
    """An open session: its socket, which nobody listens to yet, its wire, and the ticket it was opened with."""

    socket: Socket
    wire: SessionWire
    ticket: Ticket


def _monotonic_ms() -> int:
    return int(time.monotonic() * 1000)


class Connector:
    """Opens sessions and parts from them.

    ``clock`` gives milliseconds and never runs back, ``sleep`` takes seconds, ``jitter`` gives numbers in [0, 1).
    """

    def __init__(
        self,
        http: Http,
        *,
        dial: Dial = dial,
        clock: Callable[[], int] = _monotonic_ms,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._dial = dial
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._farewells: set[asyncio.Task[None]] = set()

    async def connect(
        self, dialect: Dialect, leg: Format, *, nonce: str, budget_ms: int = SESSION_BUDGET_MS, patience_ms: int = 0
    ) -> Link:
        """Mint a session and open its socket within ``budget_ms``; a session minted in vain is dismissed.

        Nothing is tried anew after that, but what has been tried may be answered up to ``patience_ms`` later.

        What is Unavailable is tried again after a jittered, doubling pause, or after the peer's own ``Retry-After``;
        where that does not fit into the budget, the error is raised at once. Refused and RemoteError are raised as is.
        """
        until = self._clock() + budget_ms
        late = until + patience_ms
        ticket = await self._persist(until, late, lambda left_ms: self._mint(dialect, nonce, left_ms))
        try:
            wire = dialect.wire(leg)
            socket = await self._persist(until, late, lambda left_ms: self._open(ticket, left_ms))
        except BaseException:
            self.dismiss(dialect, ticket)
            raise
        return Link(socket, wire, ticket)

    async def part(self, link: Link, dialect: Dialect) -> None:
        """Close the socket and tell the API that the session is over, within ``FAREWELL_TIMEOUT_MS``; never fails."""
        link.socket.close()
        await self._say_farewell(dialect, link.ticket)

    def dismiss(self, dialect: Dialect, ticket: Ticket) -> None:
        """Say farewell without keeping the caller waiting for it."""
        task = asyncio.get_running_loop().create_task(self._say_farewell(dialect, ticket))
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def look_up(self, dialect: Dialect, action: Action) -> str:
        """Find out within ``LOOK_UP_MS`` what came of ``action``; ``unknown`` where nobody can tell. Never fails."""
        request = dialect.look_up(action)
        if request is None:
            return UNKNOWN
        try:
            return dialect.looked_up(action, await self._http.exchange(request, timeout_ms=LOOK_UP_MS))
        except BridgeError as error:
            _log.warning("x the outcome of an action could not be looked up: %s", error.code)
            return UNKNOWN

    async def close(self) -> None:
        """Let the farewells that are on their way arrive."""
        await asyncio.gather(*self._farewells)

    async def _persist(self, until: int, late: int, attempt: Callable[[int], Awaitable[Result]]) -> Result:
        """Try until it works, is refused, or no time is left; an attempt that is under way then has until ``late``."""
        pause_ms = BACK_OFF_MS
        while True:
            try:
                return await attempt(max(1, late - self._clock()))
            except Unavailable as error:
                wait_ms = max(round(pause_ms * (1 + self._jitter()) / 2), error.retry_after_ms or 0)
                if self._clock() + wait_ms >= until:
                    raise
            await self._sleep(wait_ms / 1000)
            pause_ms = min(pause_ms * 2, BACK_OFF_LIMIT_MS)

    async def _mint(self, dialect: Dialect, nonce: str, left_ms: int) -> Ticket:
        request = dialect.mint(nonce)
        response = await self._http.exchange(request, timeout_ms=left_ms) if request is not None else None
        return dialect.minted(response)

    async def _open(self, ticket: Ticket, left_ms: int) -> Socket:
        socket = await self._dial(
            ticket.url, headers=ticket.headers, subprotocols=ticket.subprotocols, timeout_ms=left_ms
        )
        for message in ticket.opening:
            socket.send(message)
        return socket

    async def _say_farewell(self, dialect: Dialect, ticket: Ticket) -> None:
        request = dialect.farewell(ticket)
        if request is None:
            return
        try:
            await self._http.exchange(request, timeout_ms=FAREWELL_TIMEOUT_MS)
        except BridgeError as error:
            _log.warning("x a session could not be told that it is over: %s", error.code)
