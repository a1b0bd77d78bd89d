"""How a process comes to its end while calls are live: they go on, then hear a goodbye, then the process may go."""

import logging
from collections.abc import Callable

from phone_bridge.runtime.registry import Registry

GOODBYE_SECONDS = 10.0
"""How long the calls that are left have for their goodbye, which is spoken."""

log = logging.getLogger("phone_bridge.drain")


class Drain:
    """Let the calls of ``registry`` come to their end within ``seconds``; ``clock`` gives seconds that never run back.

    From ``begin`` on the registry takes no new calls. ``step`` is called again and again and looks at the clock.
    """

    def __init__(self, registry: Registry, *, seconds: float, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._seconds = seconds
        self._clock = clock
        self._until: float | None = None
        self._saying_goodbye = False

    @property
    def begun(self) -> bool:
        """Whether the end has begun."""
        return self._until is not None

    def begin(self) -> None:
        """Take no new calls from now on; may be called from a signal handler."""
        self._registry.draining = True
        if self._until is None:
            self._until = self._clock() + self._seconds

    def step(self) -> bool:
        """Do what is due; True as soon as nothing is left to wait for."""
        if self._until is None:
            return False
        if self._registry.idle:
            return True
        now = self._clock()
        if now >= self._until and not self._saying_goodbye:
            self._saying_goodbye = True
            log.warning("= %d calls are live after %d s, they hear a goodbye", self._registry.live, self._seconds)
            self._registry.end_all("drain")
        return now >= self._until + GOODBYE_SECONDS
