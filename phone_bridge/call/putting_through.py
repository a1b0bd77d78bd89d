"""A caller who asks for a person in a session that cannot put anybody through: the bridge does it by itself.

What is asked for is read from the caller's own words, as ``through`` understands them. As long as that turn is ours the
session's answer to it is not heard. Whoever asks consents to nothing: what was open meanwhile gets its no.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from phone_bridge.call.assent import Assent, understand
from phone_bridge.call.through import Names, Wanted, Whom, chosen, wanted
from phone_bridge.call.words.moving import ANYBODY

MAX_OFFERED = 9
"""How many names a caller is asked to choose from: as many as there are keys. The others are found by their name."""
STRAY_WORDS = 3
"""Longer words that name nobody are no answer to the question who it shall be, but something else that is wanted."""
RINGING_MS = 90_000
"""How long a line may take to move, before the session may be heard again; a far side by SIP rings first."""


class Step(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"  # the words were for somebody else
    HUSH = "hush"  # they were for us, and there is nothing to do
    ASK = "ask"  # whom it shall be
    PUT = "put"  # through, to the name


class Heard(msgspec.Struct, frozen=True):
    """What a caller's words or key ask for; ``name`` with ``PUT``."""

    step: Step
    name: str = ""


_NOTHING, _HUSH, _ASK = Heard(Step.NOTHING), Heard(Step.HUSH), Heard(Step.ASK)


class PuttingThrough:
    """Know who may be asked for: ``callees`` by their names, and whether each is a person who picks up."""

    def __init__(self, callees: Mapping[str, bool]) -> None:
        self._names = Names(callees)
        self._default = next((name for name in callees if name.lower() == ANYBODY), "")
        self._callees = {name: person for name, person in callees.items() if name != self._default}
        self._until: int | None = None
        self._asking = False
        self._unclear = False
        self.offered: Sequence[str] = ()
        """Whom the caller is asked to choose from."""

    def holds(self, now: int) -> bool:
        """Tell whether the turn is ours, so that nobody else answers it."""
        return self._until is not None and now < self._until

    def wait(self, until: int) -> None:
        """Wait until then for the caller's choice, or for the line to move."""
        self._until = until

    def close(self) -> None:
        """Let the session have the word again."""
        self._until, self._asking, self._unclear, self.offered = None, False, False, ()

    def hear(self, text: str, language: str, prompt: str, now: int) -> Heard:
        """Take in what the caller said in ``language``; ``prompt`` is what they were asked, should it come back."""
        if not self._callees and not self._default:
            return _NOTHING
        if not self.holds(now):
            self.close()
            return self._taken(wanted(text, language, self._names), now)
        return self._answered(text, language, prompt, now) if self._asking else _HUSH

    def person(self, now: int) -> Heard:
        """Take in that a person is asked for, of whom nobody has heard which."""
        known = bool(self._callees or self._default)
        return self._taken(Wanted(Whom.ANYONE), now) if known else _NOTHING

    def press(self, digit: str, now: int) -> Heard:
        """Take in a key."""
        place = int(digit) if digit.isdecimal() else 0
        if not (self._asking and self.holds(now) and 1 <= place <= len(self.offered)):
            return _NOTHING
        return self._put(self.offered[place - 1], now)

    def _answered(self, text: str, language: str, prompt: str, now: int) -> Heard:
        found = chosen(text, language, self._names)
        if found.whom is Whom.ANYONE:
            return self._put(self._default or self.offered[0], now)
        if found.whom is not Whom.NOBODY:
            return self._taken(found, now)
        assent = understand(text, language, prompt=prompt)
        if assent is Assent.YES and len(self.offered) == 1:
            return self._put(self.offered[0], now)
        if assent in (Assent.ECHO, Assent.NOTHING):
            return _HUSH
        if assent in (Assent.NO, Assent.WISH) or self._unclear or len(text.split()) > STRAY_WORDS:
            self.close()  # the session has heard it, too
            return _NOTHING
        self._unclear = True
        return _ASK

    def _taken(self, found: Wanted, now: int) -> Heard:
        if found.whom is Whom.NOBODY:
            return _NOTHING
        if found.whom is Whom.NAMED:
            return self._put(found.name, now)
        people = [name for name, person in self._callees.items() if person]
        if found.whom is Whom.ANYONE and (self._default or len(people) == 1):
            return self._put(self._default or people[0], now)
        offered = people if people and found.whom is Whom.ANYONE else list(self._callees)
        if not offered:
            return self._put(self._default, now)
        self._asking, self.offered = True, offered[:MAX_OFFERED]
        self._until = now + RINGING_MS
        return _ASK

    def _put(self, name: str, now: int) -> Heard:
        self._asking, self.offered = False, ()
        self._until = now + RINGING_MS
        return Heard(Step.PUT, name)
