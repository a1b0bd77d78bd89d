"""Idempotency: the same request again gets the same answer again, for a day."""

from collections import OrderedDict

import msgspec

from phone_bridge.assistant.problems import Problem
from phone_bridge.exchange import Response

REMEMBERED_MS = 24 * 3600 * 1000
"""How long an answer is remembered."""

MOST_REPLAYS = 10_000
"""How many answers are remembered; the oldest goes first."""

RETRY_SECONDS = 1
"""When the same request may be asked for again that is still being answered."""

REPLAY_HEADER = "chronapilot-idempotent-replay"

_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500


class _Stored(msgspec.Struct, frozen=True):
    body: bytes
    response: Response | None  # None while the first one runs
    until: int


class Replays:
    """Answers by what the client named its requests; bodies are compared as given, so in one canonical form."""

    def __init__(self) -> None:
        self._stored: OrderedDict[tuple[str, ...], _Stored] = OrderedDict()

    def begin(self, name: tuple[str, ...], body: bytes, now: int) -> Response | None:
        """Recall the answer, marked as a replay; None begins the request, which ``keep`` or ``forget`` ends.

        Raises Problem when ``name`` stood for another request, or when the first one still runs.
        """
        stored = self._stored.get(name)
        if stored is None or now >= stored.until:
            self._store(name, _Stored(body, None, now + REMEMBERED_MS), now)
            return None
        if stored.body != body:
            raise Problem("that Idempotency-Key was used with another body", code="idempotency_key_in_use")
        if stored.response is None:
            raise Problem(
                "the first request with that Idempotency-Key still runs",
                code="idempotency_key_in_use",
                retry_after_seconds=RETRY_SECONDS,
            )
        return msgspec.structs.replace(stored.response, headers={**stored.response.headers, REPLAY_HEADER: "true"})

    def keep(self, name: tuple[str, ...], body: bytes, response: Response, now: int) -> None:
        """Remember an answer, unless it may be another one soon: too many requests, or a fault of ours."""
        if response.status == _TOO_MANY_REQUESTS or response.status >= _SERVER_ERRORS:
            self.forget(name)
        else:
            self._store(name, _Stored(body, response, now + REMEMBERED_MS), now)

    def forget(self, name: tuple[str, ...]) -> None:
        """Let the next request of that name be a new one."""
        self._stored.pop(name, None)

    def _store(self, name: tuple[str, ...], stored: _Stored, now: int) -> None:
        self._stored[name] = stored
        self._stored.move_to_end(name)
        while len(self._stored) > MOST_REPLAYS or now >= next(iter(self._stored.values())).until:
            self._stored.popitem(last=False)
