"""The sessions of one call: the present one, one that stands by to take its place, and those that are let go."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from phone_bridge.audio.format import Format
from phone_bridge.call import events as e
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.runtime.connect import PATIENCE_MS, Connector, Link
from phone_bridge.sessions.dialect import Dialect

NONCE_BYTES = 16


class Links:
    """Open, change and part from one call's sessions; ``fact`` hears of it, ``heard`` and ``lost`` of their sockets.

    ``heard(link, data)`` and ``lost(link, code)`` are told of every link; which of them counts is for the pump to ask.
    ``spawn`` owns the tasks.
    """

    def __init__(
        self,
        connector: Connector,
        dialect: Dialect,
        leg: Format,
        *,
        fact: Callable[[e.Event], None],
        heard: Callable[[Link, str | bytes], None],
        lost: Callable[[Link, int, str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._connector = connector
        self._dialect = dialect
        self._leg = leg
        self._fact = fact
        self._heard = heard
        self._lost = lost
        self._spawn = spawn
        self._over = False
        self.present: Link | None = None
        self.spare: Link | None = None

    def open(self, *, patient: bool = False) -> None:
        """Open a session in the place of the present one, which is let go; a ``patient`` call waits for a slow one."""
        self._let_go(self.present)
        self.present = None
        self._spawn(self._open(PATIENCE_MS if patient else 0))

    def open_spare(self) -> None:
        """Open a session that stands by."""
        self._spawn(self._open_spare())

    def take_spare(self) -> None:
        """Make the session that stands by the present one."""
        self._let_go(self.present)
        self.present, self.spare = self.spare, None

    def drop_spare(self) -> None:
        """Let the session go that stood by."""
        self._let_go(self.spare)
        self.spare = None

    def look_up(self, id: str, action: e.Action) -> None:
        """Find out what came of an action."""
        self._spawn(self._look_up(id, action))

    def close(self) -> None:
        """Close the present socket; nobody is to be told anything any more."""
        self._over = True
        if self.present is not None:
            self.present.socket.close(1000)

    async def part(self) -> None:
        """Part from what is left, within the connector's own time limits."""
        self.close()
        links = [link for link in (self.present, self.spare) if link is not None]
        await asyncio.gather(
            *(link.socket.wait_closed() for link in links),
            *(self._connector.part(link, self._dialect) for link in links),
        )

    async def _open(self, patience_ms: int) -> None:
        try:
            link = await self._connect(patience_ms)
        except (Unavailable, Refused, RemoteError) as error:
            reason = "unavailable" if isinstance(error, Unavailable) else "refused"
            self._fact(e.SessionClosed(reason, error.code))
            return
        self.present = link
        if not self._over:  # the caller may have gone meanwhile: the end parts from it
            self._fact(e.SessionOpened(link.ticket.session_id, link.ticket.life_ms))
            self._attach(link)

    async def _open_spare(self) -> None:
        try:
            link = await self._connect()
        except (Unavailable, Refused, RemoteError) as error:
            self._fact(e.SpareFailed(error.code))
            return
        self.spare = link
        if not self._over:
            self._attach(link)
            self._fact(e.SpareReady(link.ticket.life_ms))

    async def _connect(self, patience_ms: int = 0) -> Link:
        nonce = secrets.token_hex(NONCE_BYTES)
        return await self._connector.connect(self._dialect, self._leg, nonce=nonce, patience_ms=patience_ms)

    async def _look_up(self, id: str, action: e.Action) -> None:
        self._fact(e.OutcomeFound(id, await self._connector.look_up(self._dialect, action)))

    def _attach(self, link: Link) -> None:
        link.socket.attach(Ear(partial(self._heard, link), partial(self._lost, link)))

    def _let_go(self, link: Link | None) -> None:
        if link is not None:
            link.socket.close(1000)
            self._connector.dismiss(self._dialect, link.ticket)


class Ear:
    """A socket's listener made of two callables."""

    def __init__(self, message: Callable[[str | bytes], None], closed: Callable[[int, str], None]) -> None:
        self.message = message
        self.closed = closed
