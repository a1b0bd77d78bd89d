"""Whose turn it is: since when nobody has spoken, and how long a caller has waited for a reply."""

from enum import StrEnum

from phone_bridge.call.rules import Rules


class Due(StrEnum):
    """What the passing of time asks for."""

    ONE_MOMENT = "one_moment"
    STILL_THERE = "still_there"
    SILENT = "silent"
    LIMIT = "limit"


class Turns:
    """Keep the clocks of silence; every time on the call's clock."""

    def __init__(self, rules: Rules, now: int) -> None:
        self._rules = rules
        self._limit_at = now + rules.limit_ms
        self._quiet_since = now
        self._asked = False  # "are you still there?" was said and not answered
        self._reply_due: int | None = None

    def caller(self, now: int) -> None:
        """Note that the caller did something."""
        self._quiet_since = max(self._quiet_since, now)
        self._asked = False

    def caller_done(self, now: int) -> None:
        """Note that the caller ended a turn and waits for a reply."""
        self.caller(now)
        self._reply_due = now + self._rules.one_moment_ms

    def sounding(self, until: int) -> None:
        """Note that the caller hears something until ``until``; the clock of silence starts after it."""
        self._quiet_since = max(self._quiet_since, until)
        self._reply_due = None

    def deadline(self) -> int:
        """Say when ``due`` has something to tell."""
        soonest = min(self._limit_at, self._quiet_since + self._patience())
        return soonest if self._reply_due is None else min(soonest, self._reply_due)

    def due(self, now: int) -> Due | None:
        """Tell what time asks for, once for each time it does."""
        if now >= self._limit_at:
            return Due.LIMIT
        if self._reply_due is not None and now >= self._reply_due:
            self._reply_due = None
            return Due.ONE_MOMENT
        if now < self._quiet_since + self._patience():
            return None
        if self._asked:
            return Due.SILENT
        self._asked = True
        self._quiet_since = now
        return Due.STILL_THERE

    def _patience(self) -> int:
        return self._rules.last_silence_ms if self._asked else self._rules.silence_ms
