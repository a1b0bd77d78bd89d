"""How a call's sessions were opened: when, how long it took, and what came of it."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from phone_bridge.errors import BridgeError
from phone_bridge.runtime.connect import Connector, Link
from phone_bridge.telemetry.labels import GIVEN_UP, OPENED, OPENINGS, OTHER, bounded

MAX_OPENINGS = 100  # of one call are kept for its spans


class Opening(msgspec.Struct, frozen=True):
    """One session that was asked for; ``began`` and ``seconds`` on the clock of the wall."""

    began: float
    seconds: float
    outcome: str


class WatchedConnector(Connector):
    """The process's connector as one call uses it: every opening is told to ``opened``, on the clock ``wall``."""

    def __init__(
        self,
        connector: Connector,
        opened: Callable[[Opening], None],
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        # Not a second connector: the same connections, and the same farewells that the process waits for in the end.
        vars(self).update(vars(connector))
        self._opened = opened
        self._seconds = clock
        self._wall = wall

    async def connect(self, *arguments: Any, **options: Any) -> Link:
        """Do as the connector does, and tell how long it took."""
        began, since = self._wall(), self._seconds()
        outcome = OTHER
        try:
            link = await super().connect(*arguments, **options)
            outcome = OPENED
        except BridgeError as error:
            outcome = bounded(error.code, OPENINGS)
            raise
        except asyncio.CancelledError:
            outcome = GIVEN_UP
            raise
        finally:
            self._opened(Opening(began, self._seconds() - since, outcome))
        return link
