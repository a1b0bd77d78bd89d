"""The codes that a user's telephone is sent in one call: made here, kept nowhere else, and good for once.

A code belongs to the part of the call that had it sent, lives in this process's memory for ``CODE_SECONDS``, and is
gone when another one is made. What PINs have to keep people from guessing, codes have too: a try is counted over all
processes before the code is looked at. Sendings are counted in the same way, so that no number of calls makes a
telephone ring all night: after three of which no code came back, the next one has to wait, and longer each time.
"""

import hmac
import secrets
import time
from collections.abc import Callable

from phone_bridge.call.proving import CODE_DIGITS
from phone_bridge.runtime.pins import Outcome, Pins

CODE_SECONDS = 300
"""How long a code is valid."""
MAX_TRIES = 3
"""Wrong ones after which a code is none any more."""


class Codes:
    """Make and judge the codes of one call for ``user_id``, whose caller has ``number`` (None where it is withheld).

    Methods block and are called in a thread; they raise Unavailable when the database fails.
    """

    def __init__(
        self, pins: Pins, user_id: str, number: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pins = pins
        self._sent = f"sent:{user_id}"
        self._subjects = [f"code:{user_id}", *pins.subjects(number)]
        self._clock = clock
        self._code = ""
        self._until = 0.0
        self._wrong = 0

    def __repr__(self) -> str:
        return "Codes()"  # not what is in it

    def make(self) -> str | None:
        """Make a code in the place of any other; None where the user was sent too many of late."""
        self._code = ""
        if not self._pins.take_a_try([self._sent]):
            return None
        self._code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        self._until, self._wrong = self._clock() + CODE_SECONDS, 0
        return self._code

    def forget(self) -> None:
        """Have no code count that was made before."""
        self._code = ""

    def judge(self, given: str) -> Outcome:
        """Look whether ``given`` is the code; MISSING where there is none that is valid still."""
        if not self._code or self._clock() >= self._until:
            return Outcome.MISSING
        if not self._pins.take_a_try(self._subjects):
            return Outcome.LOCKED
        if not hmac.compare_digest(given.encode(), self._code.encode()):
            self._wrong += 1
            if self._wrong >= MAX_TRIES:
                self._code = ""
            return Outcome.WRONG
        self._code = ""
        self._pins.give_back(self._subjects)
        self._pins.give_back([self._sent])
        return Outcome.RIGHT
