"""How much nonsense a carrier's stream may bring before its call ends."""

from collections.abc import Collection

from phone_bridge.call.events import LegTrouble
from phone_bridge.errors import RemoteError

MAX_TROUBLES = 50
"""So many malformed messages within TROUBLE_WINDOW_MS are skipped; the next one ends the call."""

TROUBLE_WINDOW_MS = 10_000
"""How long a malformed message is held against the carrier."""


class Patience:
    """How many malformed messages are borne before the call ends with a named error; ``harmless`` ones do not count."""

    def __init__(self, harmless: Collection[str] = ()) -> None:
        self._harmless = harmless
        self._since = 0
        self._count = 0

    def try_with(self, trouble: LegTrouble, now: int) -> LegTrouble:
        """Count ``trouble`` and give it back; raises RemoteError ``malformed_stream`` when there are too many."""
        if trouble.code in self._harmless:
            return trouble
        if now - self._since > TROUBLE_WINDOW_MS:
            self._since, self._count = now, 0
        self._count += 1
        if self._count > MAX_TROUBLES:
            raise RemoteError(
                f"The carrier sent more than {MAX_TROUBLES} malformed stream messages within {TROUBLE_WINDOW_MS} ms, "
                f"the last one {trouble.code}, so the stream ends.",
                code="malformed_stream",
            )
        return trouble
