"""The step up: the PIN is asked for by the bridge's own voice, and what is said and pressed meanwhile is nobody's.

Which digits they are never comes into the call: the pump's pad keeps them and tells how many there are. So no trace,
no journal, no view and no session can hold one. The session hears silence of the same length in the place of the
caller's voice, until the voice that was speaking is over; the keys are masked a little longer, for those of a slow
typist.
"""

from enum import StrEnum

from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier

MAX_WRONG = 3
"""Wrong PINs in one call, after which it is asked for no more."""
MAX_PIN_DIGITS = 12
"""Digits of the longest PIN there is: it is complete then."""
MAX_MUFFLED_MS = 10_000
"""The longest that a voice which does not end may keep the session from hearing the caller again."""

CLEAR, DONE = "*", "#"


class Move(StrEnum):
    """What comes of something that happened while the PIN was asked for."""

    NOTHING = "nothing"
    HUSH = "hush"  # the caller has begun: what is sounding need not be heard
    JUDGE = "judge"
    AGAIN = "again"  # from the first digit
    WRONG = "wrong"  # once more
    RIGHT = "right"
    REFUSED = "refused"  # wrong too often
    LEFT = "left"  # the caller does without
    LATE = "late"
    LOCKED = "locked"
    MISSING = "missing"
    FAILED = "failed"


OVER = frozenset({Move.REFUSED, Move.LEFT, Move.LATE, Move.LOCKED, Move.MISSING, Move.FAILED})
"""Moves after which the caller is as little known as before."""
_OUTCOMES = {"locked": Move.LOCKED, "missing": Move.MISSING}


class Proving:
    """Know how far one caller is known, and ask for more; every time on the call's clock."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.tier = rules.trust.has
        self.open = False
        """Whether the PIN is asked for."""
        self.attempt = 0
        self._wrong = 0
        self._judging = False
        self._digits = 0
        self._ended = False  # with the hash key, so that no more keys follow
        self._until = 0  # the longest that it may be asked for
        self._due: int | None = None  # when silence, or a check that does not come, has an end
        self._complete_at: int | None = None  # when the digits count as all
        self._keys_until: int | None = None
        self._muffled_until: int | None = None
        self._voice = False

    # What is open

    def opens(self, tool: str) -> bool:
        """Tell whether the caller is known well enough for ``tool``."""
        return self.tier.reaches(self._rules.trust.needs(tool))

    @property
    def may_enter(self) -> bool:
        """Whether the caller is known well enough for a session."""
        return self.tier.reaches(self._rules.trust.enter)

    @property
    def spent(self) -> bool:
        """Whether so many PINs were wrong in this call that none is asked for any more."""
        return self._wrong >= MAX_WRONG

    def forget(self) -> None:
        """Know the caller no better than anybody: it is somebody else. The PINs that were wrong count on."""
        self.tier = Tier.UNKNOWN

    # What is withheld

    def masks(self, now: int) -> bool:
        """Tell whether a key that is pressed now may be one of a PIN."""
        return self.open or (self._keys_until is not None and now < self._keys_until)

    def muffles(self, now: int) -> bool:
        """Tell whether the caller's voice may be speaking a PIN."""
        if self.open:
            return True
        if self._muffled_until is not None and now >= self._muffled_until:
            self._muffled_until = None
        return self._muffled_until is not None

    @property
    def listens(self) -> bool:
        """Whether it matters when the caller's voice begins and ends."""
        return self.open or self._muffled_until is not None

    def voice(self, now: int, *, on: bool) -> None:
        """Note that a voice began, or that it is over."""
        self._voice = on
        if not self.open and self._muffled_until is not None:
            self._muffled_until = now + MAX_MUFFLED_MS if on else now

    # Asking

    def begin(self, now: int) -> None:
        """Ask for the PIN."""
        self.open, self._judging, self._voice = True, False, False
        self._until = now + self._rules.question_ms
        self._muffled_until = None
        self._anew(now)

    def asking_until(self, until: int) -> None:
        """Wait for the first digit once the request has sounded, ``until`` then."""
        if self.open and not self._judging and not self._digits:
            self._due = min(until + self._rules.answer_ms, self._until)

    def end(self, now: int) -> None:
        """Ask no more; what is on its way from the caller is withheld still."""
        self.open = self._judging = False
        self._due = self._complete_at = None
        self._keys_until = now + (self._rules.double_tap_ms if self._ended else self._rules.late_key_ms)
        self._muffled_until = now + (MAX_MUFFLED_MS if self._voice else self._rules.muffled_ms)

    def keyed(self, key: str, digits: int, now: int) -> Move:
        """Take a key."""
        if not self.open:
            self._keys_until = now + self._rules.late_key_ms
            return Move.NOTHING
        if self._judging:
            return Move.NOTHING
        if key == CLEAR:
            self._anew(now)
            return Move.AGAIN
        if key == DONE:
            self._ended = True
            return Move.JUDGE if self._digits else Move.LEFT
        return self._take(digits, self._rules.pin_pause_ms, now)

    def spoken(self, digits: int, wish: str, now: int) -> Move:
        """Take what was said."""
        if not self.open or self._judging:
            return Move.NOTHING
        if wish == "no":
            return Move.LEFT
        if wish == "repeat":
            self._anew(now)
            return Move.AGAIN
        return self._take(digits, self._rules.pin_said_ms, now) if digits > self._digits else Move.NOTHING

    def judge(self, now: int) -> int:
        """Have what was given checked; gives the attempt's number."""
        self.attempt += 1
        self._judging, self._complete_at = True, None
        self._due = now + self._rules.pin_judge_ms
        return self.attempt

    def judged(self, attempt: int, outcome: str, now: int) -> Move:
        """Take the verdict on an attempt; one on an attempt that is over proves nothing."""
        if not self.open or not self._judging or attempt != self.attempt:
            return Move.NOTHING
        self._judging = False
        if outcome == "right":
            self.tier = Tier.PIN
            return Move.RIGHT
        if outcome != "wrong":
            return _OUTCOMES.get(outcome, Move.FAILED)
        self._wrong += 1
        if self.spent:
            return Move.REFUSED
        self._anew(now)
        return Move.WRONG

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        if not self.open:
            return None
        return min(time for time in (self._due, self._complete_at, self._until) if time is not None)

    def expire(self, now: int) -> Move:
        """Do what the passing of time asks for."""
        if not self.open:
            return Move.NOTHING
        if self._complete_at is not None and now >= self._complete_at:
            return Move.JUDGE
        if now >= self._until or (self._due is not None and now >= self._due):
            return Move.FAILED if self._judging else Move.LATE
        return Move.NOTHING

    def _take(self, digits: int, pause_ms: int, now: int) -> Move:
        self._digits = digits
        if digits >= MAX_PIN_DIGITS:
            return Move.JUDGE
        self._due = min(now + self._rules.answer_ms, self._until)
        self._complete_at = now + pause_ms if digits >= self._rules.pin_digits else None
        return Move.HUSH

    def _anew(self, now: int) -> None:
        self._digits, self._complete_at, self._ended = 0, None, False
        self._due = min(now + self._rules.prompt_ms + self._rules.answer_ms, self._until)
