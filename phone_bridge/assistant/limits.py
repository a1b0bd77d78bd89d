"""How often something may be done: so many times in a rolling span, for each who does it."""

from collections import deque

import msgspec


class Quota(msgspec.Struct, frozen=True):
    """How many times there are, how many are left, and in how many milliseconds the next one comes back."""

    limit: int
    remaining: int
    reset_ms: int

    def headers(self, now_s: float) -> dict[str, str]:
        """Write it as the API's headers; ``now_s`` is the time of day in Unix seconds."""
        reset = -int(-(now_s + self.reset_ms / 1000) // 1)
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(reset),
        }


class RollingLimit:
    """At most ``most`` times in ``span_ms`` for each key; forgets keys that have been quiet for a span."""

    def __init__(self, most: int, span_ms: int) -> None:
        self._most = most
        self._span_ms = span_ms
        self._times: dict[str, deque[int]] = {}
        self._swept_at = 0

    def wait_ms(self, key: str, now: int) -> int:
        """Count one attempt and return 0, or count nothing and say how many milliseconds to wait."""
        self._sweep(now)
        times = self._times.setdefault(key, deque())
        self._forget(times, now)
        if len(times) >= self._most:
            return times[0] + self._span_ms - now
        times.append(now)
        return 0

    def quota(self, key: str, now: int) -> Quota:
        """Say what is left, counting nothing."""
        times = self._times.get(key, deque())
        self._forget(times, now)
        reset_ms = times[0] + self._span_ms - now if times else 0
        return Quota(self._most, self._most - len(times), reset_ms)

    def _forget(self, times: deque[int], now: int) -> None:
        while times and times[0] <= now - self._span_ms:
            times.popleft()

    def _sweep(self, now: int) -> None:
        if now < self._swept_at + self._span_ms:
            return
        self._swept_at = now
        self._times = {key: times for key, times in self._times.items() if times and times[-1] > now - self._span_ms}
