"""The life of a call's sessions: how often they were lost, when the present one ends, and the spare for that time."""

from enum import Enum, auto

from phone_bridge.call.rules import Rules


class Spare(Enum):
    """How far the session is that will take the place of the present one."""

    NONE = auto()
    OPENING = auto()
    READY = auto()


class Lifeline:
    """Keep the clocks of one call's sessions; every time on the call's clock."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._failures = 0
        self._opened_at: int | None = None
        self._ends_at: int | None = None
        self._renew_at: int | None = None
        self._press_at: int | None = None
        self._spare_life = 0
        self.spare = Spare.NONE
        self.reopen_at: int | None = None
        self.due_at: int | None = None
        """Until when the first session may take its time whatever the caller hears."""

    # The present session

    def awaited(self, now: int) -> None:
        """Note that the first session is being opened."""
        self.due_at = now + self._rules.session_ms

    def opened(self, life_ms: int, now: int) -> None:
        """Note that a session is open, which lives ``life_ms`` from now (0: nobody knows)."""
        self._opened_at = now
        self._ends_at = self._renew_at = self._press_at = self.reopen_at = self.due_at = None
        if life_ms > 0:
            self.expiring(life_ms, now)

    def expiring(self, left_ms: int, now: int) -> None:
        """Note when the session ends; a spare one is wanted some time before."""
        ends_at = now + left_ms
        if self._ends_at is None or ends_at < self._ends_at:
            self._ends_at = ends_at
            self._renew_at = ends_at - min(self._rules.renew_ms, left_ms // 2)
            self._press_at = ends_at - min(self._rules.swap_ms, left_ms // 8)

    def lost(self, now: int) -> bool:
        """Note that the session is gone, or could not be had; False when it happened too often to try again.

        The first loss is tried to be mended at once, a further one after a pause.
        """
        if self._opened_at is not None and now - self._opened_at >= self._rules.settled_ms:
            self._failures = 0
        self._opened_at = self._ends_at = self._renew_at = self._press_at = self.due_at = None
        self._failures += 1
        self.reopen_at = now + self._rules.reopen_ms * (self._failures - 1)
        if self.spare is Spare.READY:
            self.reopen_at = now
        return self._failures <= self._rules.session_failures

    # The spare one

    def wants_spare(self, now: int) -> bool:
        """Tell, once each time, that a spare session is to be opened."""
        if self._renew_at is None or now < self._renew_at or self.spare is not Spare.NONE:
            return False
        self.spare = Spare.OPENING
        return True

    def spare_ready(self, life_ms: int, now: int) -> None:
        """Note that the spare session stands by."""
        self.spare = Spare.READY
        self._spare_life = now + life_ms if life_ms else 0

    def spare_failed(self, now: int) -> None:
        """Note that there is no spare session; the next one is tried for after a pause."""
        self.spare = Spare.NONE
        if self._renew_at is not None:
            self._renew_at = now + self._rules.spare_pause_ms

    def presses(self, now: int) -> bool:
        """Tell whether the present session ends so soon that no pause can be waited for."""
        return self._press_at is not None and now >= self._press_at

    def taken(self, now: int) -> None:
        """Note that the spare session took the place of the other."""
        self.spare = Spare.NONE
        self.opened(max(0, self._spare_life - now), now)

    def deadline(self) -> int | None:
        """Say when something is due about the session that is open."""
        if self.spare is Spare.NONE:
            return self._renew_at
        return self._press_at if self.spare is Spare.READY else None
