"""The step up: the PIN is asked for by the bridge's own voice, and what is said and pressed meanwhile is nobody's.

Which digits they are never comes into the call: the pump's pad keeps them and tells how many there are. So no trace,
no journal, no view and no session can hold one. The session hears silence of the same length in the place of the
caller's voice, until the voice that was speaking is over; the keys are masked a little longer, for those of a slow
typist. All of this holds for a code that was sent, and for a new PIN, too.
"""

from collections import Counter
from enum import StrEnum

from phone_bridge.call.rules import Rules
from phone_bridge.call.trust import Tier

MAX_WRONG = 3
"""Wrong PINs in one call, after which it is asked for no more; so of codes, and of new PINs that cannot be one."""
MAX_PIN_DIGITS = 12
"""Digits of the longest PIN there is: it is complete then."""
CODE_DIGITS = 6
"""Digits of a code: it is complete then."""
MAX_SENDINGS = 3
"""Codes that one call may have sent."""
MAX_REMINDERS = 3
"""How often a caller is told that a code is waited for, before it is waited for no more."""
MAX_MUFFLED_MS = 10_000
"""The longest that a voice which does not end may keep the session from hearing the caller again."""

CLEAR, DONE = "*", "#"


class Wanted(StrEnum):
    """What is asked for."""

    PIN = "pin"
    CODE = "code"  # that was sent to the user's telephone
    LOOK = "look"  # nothing: it is looked whether the user has a PIN
    NEW = "new"  # a PIN that is to be the user's
    ONCE_MORE = "once_more"  # the same PIN again


class Move(StrEnum):
    """What comes of something that happened while the PIN was asked for."""

    NOTHING = "nothing"
    HUSH = "hush"  # the caller has begun: what is sounding need not be heard
    JUDGE = "judge"
    AGAIN = "again"  # from the first digit
    ANOTHER = "another"  # code is to be sent
    WAITING = "waiting"  # for the code that was sent
    WRONG = "wrong"  # once more
    RIGHT = "right"
    SHORT = "short"  # or too long for a PIN
    WEAK = "weak"
    SAME = "same"  # as the old one
    DIFFERS = "differs"  # from what was given first
    CHANGED = "changed"
    REFUSED = "refused"  # wrong too often
    LEFT = "left"  # the caller does without
    LATE = "late"
    LOCKED = "locked"
    MISSING = "missing"
    BARRED = "barred"  # whoever has no PIN, and may set none by telephone
    UNSENT = "unsent"
    FAILED = "failed"


OVER = frozenset(
    {
        Move.REFUSED,
        Move.LEFT,
        Move.LATE,
        Move.LOCKED,
        Move.MISSING,
        Move.BARRED,
        Move.UNSENT,
        Move.FAILED,
    }
)
"""Moves after which the caller is as little known as before."""
_OUTCOMES = {"locked": Move.LOCKED, "missing": Move.MISSING}
_UNFIT = {"wrong": Move.WRONG, "short": Move.SHORT, "weak": Move.WEAK, "same": Move.SAME, "differs": Move.DIFFERS}
_MAY_BE = {
    Wanted.PIN: frozenset({"wrong"}),
    Wanted.CODE: frozenset({"wrong"}),
    Wanted.LOOK: frozenset[str](),
    Wanted.NEW: frozenset({"short", "weak", "same"}),
    Wanted.ONCE_MORE: frozenset({"differs"}),
}
_PROVES = {Wanted.PIN: Tier.PIN, Wanted.CODE: Tier.CODE}


class Proving:
    """Know how far one caller is known, and ask for more; every time on the call's clock."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.tier = rules.trust.has
        self.given: set[Wanted] = set()
        """What was proven here, and not in a part of the call before."""
        self.open = False
        """Whether the PIN is asked for."""
        self.wanted = Wanted.PIN
        self.attempt = 0
        self.sendings = 0
        self._wrong: Counter[Wanted] = Counter()
        self._reminders = 0
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

    def spent(self, wanted: Wanted) -> bool:
        """Tell whether so many were wrong in this call, or so many codes sent, that none is asked for any more."""
        return self._wrong[wanted] >= MAX_WRONG or (wanted is Wanted.CODE and self.sendings >= MAX_SENDINGS)

    def forget(self) -> None:
        """Know the caller no better than anybody: it is somebody else. The PINs that were wrong count on."""
        self.tier = Tier.UNKNOWN
        self.given.clear()

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

    def begin(self, now: int, wanted: Wanted = Wanted.PIN) -> None:
        """Ask for what is ``wanted``, the first thing or one more."""
        if not self.open:
            self._voice = False
        self.open, self._judging, self.wanted = True, False, wanted
        self._until = now + (self._rules.code_ms if wanted is Wanted.CODE else self._rules.question_ms)
        self._muffled_until = None
        self._reminders = 0
        self._anew(now)

    def send(self) -> int:
        """Have a code sent; gives the sending's number."""
        self.sendings += 1
        return self.sendings

    def sent(self, sending: int, outcome: str) -> Move:
        """Know what came of a sending; nobody waits any more for one that another has followed."""
        if not self.open or self.wanted is not Wanted.CODE or sending != self.sendings or outcome == "sent":
            return Move.NOTHING
        return Move.LOCKED if outcome == "locked" else Move.UNSENT

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
            self._keys_until = now + (self._rules.double_tap_ms if key == DONE else self._rules.late_key_ms)
            return Move.NOTHING
        if self._judging:
            return Move.NOTHING
        if key == CLEAR:
            return self._clear(now)
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
            return self._clear(now)
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
            if self.wanted in _PROVES:
                self.given.add(self.wanted)
                self.tier = self.tier.plus(_PROVES[self.wanted])
            return Move.RIGHT
        if outcome not in _MAY_BE[self.wanted]:
            known = _OUTCOMES if self.wanted in (*_PROVES, Wanted.LOOK) else {}
            return known.get(outcome, Move.FAILED)
        self._wrong[self.wanted] += 1
        if self._wrong[self.wanted] >= MAX_WRONG:
            return Move.REFUSED
        self._anew(now)
        return _UNFIT[outcome]

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
        late = self._due is not None and now >= self._due
        if late and now < self._until and self._reminds():
            self._anew(now)
            return Move.WAITING
        if late or now >= self._until:
            return Move.FAILED if self._judging else Move.LATE
        return Move.NOTHING

    def _reminds(self) -> bool:
        """Count one reminder more of a code that takes its time, if there is one left."""
        if self.wanted is not Wanted.CODE or self._judging or self._digits or self._reminders >= MAX_REMINDERS:
            return False
        self._reminders += 1
        return True

    def _clear(self, now: int) -> Move:
        another = self.wanted is Wanted.CODE and not self._digits and not self.spent(Wanted.CODE)
        self._anew(now)
        return Move.ANOTHER if another else Move.AGAIN

    def _take(self, digits: int, pause_ms: int, now: int) -> Move:
        self._digits = digits
        code = self.wanted is Wanted.CODE
        if digits >= (CODE_DIGITS if code else MAX_PIN_DIGITS):
            self._ended = code  # all of them have so many
            return Move.JUDGE
        self._due = min(now + self._rules.answer_ms, self._until)
        self._complete_at = now + pause_ms if digits >= self._rules.pin_digits else None
        return Move.HUSH

    def _anew(self, now: int) -> None:
        self._digits, self._complete_at, self._ended = 0, None, False
        self._due = min(now + self._rules.prompt_ms + self._rules.answer_ms, self._until)
