"""Whose turn it is: since when nobody has spoken, and how long a caller has waited for a reply."""

from enum import StrEnum

from phone_bridge.call.rules import Rules


class Due(StrEnum):
    """What the passing of time asks for."""

    ONE_MOMENT = "one_moment"
    STILL_THERE = "still_there"
    SILENT = "silent"
    STALLED = "stalled"
    LIMIT = "limit"


class Turns:
    """Keep the clocks of silence; every time on the call's clock."""

    def __init__(self, rules: Rules, now: int) -> None:
        self._rules = rules
        self._limit_at = now + rules.limit_ms
        self.quiet_since = now  # neither side has spoken since then
        self._asked = False  # "are you still there?" was said and not answered
        self._reply_due: int | None = None  # when "one moment" is to be said
        self._waiting_since: int | None = None  # when the turn ended that the session has to answer
        self._producing = False  # a reply is open, so that more of it must come
        self._session_at = now  # when the session last said anything, or its sound ended
        self._busy = False  # it works on something that may take its time
        self._ours = False  # it waits for something that we do
        self._held = False  # nobody hears us, so that nobody owes us a word

    # What happens

    def caller(self, now: int) -> None:
        """Note that the caller did something."""
        self.quiet_since = max(self.quiet_since, now)
        self._asked = False

    def caller_done(self, now: int) -> None:
        """Note that the caller ended a turn and waits for a reply."""
        self.caller(now)
        self._waiting_since = now
        self._reply_due = now + self._rules.one_moment_ms

    def sounding(self, until: int) -> None:
        """Note that the caller hears something until ``until``; the clock of silence starts after it."""
        self.quiet_since = max(self.quiet_since, until)
        self._session_at = max(self._session_at, until)
        self._waiting_since, self._busy = None, False
        self._reply_due = until + self._rules.starved_ms if self._producing else None

    def hold(self, held: bool, now: int) -> None:
        """Note that the caller is away, or back; meanwhile their silence is none, and no "one moment" is for them."""
        if self._held and not held:
            self.caller(now)
            if self._reply_due is not None:
                self._reply_due = max(self._reply_due, now + self._rules.one_moment_ms)
        self._held = held

    def silenced(self, now: int) -> None:
        """Note that what was sounding was cut off now."""
        self.quiet_since = self._session_at = now

    def filled(self, until: int) -> None:
        """Note that "one moment" sounds until ``until``, which is no reply."""
        self.quiet_since = max(self.quiet_since, until)
        if self._reply_due is not None:
            self._reply_due = until + self._rules.one_moment_again_ms

    def session(self, now: int, *, busy: bool = False) -> None:
        """Note that the session said anything at all; ``busy`` when it has begun to work on something."""
        self._session_at = max(self._session_at, now)
        self._busy = self._busy or busy

    def working(self, ours: bool, now: int) -> None:
        """Note whether the session waits for something that we do, so that its silence is no fault of its own."""
        if self._ours and not ours:
            self._session_at = max(self._session_at, now)
        self._ours = ours

    def producing(self, open: bool, now: int, *, owed: bool = False) -> None:
        """Note that a reply was begun, or that it is complete; a complete one without sound is an answer, too.

        It is none while the session has called a function and a reply with its result is ``owed``.
        """
        self._session_at = max(self._session_at, now)
        if self._producing and not open:
            if not owed:
                self._reply_due, self._waiting_since, self._busy = None, None, False
            elif self._waiting_since is None:  # what it has said so far is not the answer
                self._waiting_since = now
                self._reply_due = max(now, self.quiet_since) + self._rules.one_moment_ms
        self._producing = open

    def waited(self) -> int | None:
        """Tell since when the caller has waited for a reply."""
        return self._waiting_since

    # What is due

    def deadline(self) -> int:
        """Say when ``due`` has something to tell."""
        times = [self._limit_at, self._stalled_at()]
        if not self._held:
            times += (self.quiet_since + self._patience(), self._reply_due)
        return min([time for time in times if time is not None])

    def due(self, now: int) -> Due | None:
        """Tell what time asks for, once for each time it does."""
        if now >= self._limit_at:
            return Due.LIMIT
        stalled_at = self._stalled_at()
        if stalled_at is not None and now >= stalled_at:
            self._producing, self._waiting_since, self._reply_due = False, None, None
            return Due.STALLED
        if self._held:
            return None
        if self._reply_due is not None and now >= self._reply_due:
            self._reply_due = now + self._rules.one_moment_again_ms
            return Due.ONE_MOMENT
        if now < self.quiet_since + self._patience():
            return None
        if self._asked:
            return Due.SILENT
        self._asked = True
        self.quiet_since = now
        return Due.STILL_THERE

    def _stalled_at(self) -> int | None:
        """Say from when on the session counts as lost: in the midst of a reply, or where it owes one."""
        if self._ours:
            return None
        if self._producing:
            return self._session_at + (self._rules.mute_ms if self._busy else self._rules.stalled_ms)
        if self._waiting_since is not None:
            return max(self._session_at, self._waiting_since) + self._rules.mute_ms
        return None

    def _patience(self) -> int:
        return self._rules.last_silence_ms if self._asked else self._rules.silence_ms
