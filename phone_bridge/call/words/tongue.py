"""What a language must offer to say a question: its calendar, its clock, and its phrases."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time

import msgspec


class Tongue(msgspec.Struct, frozen=True):
    """One language. ``phrases`` are templates by name; every tongue has the same names with the same places in them.

    ``weekdays`` begin with Monday, as they stand in the phrase ``on_days``. ``day`` says a date (with its year when
    told to), ``clock`` a time of day. ``elided`` are the templates that stand before the article "un" or "une" instead.
    ``labels`` are words for parameters; where one is missing, its name is said.
    """

    weekdays: Sequence[str]
    day: Callable[[date, bool], str]
    clock: Callable[[time], str]
    phrases: Mapping[str, str]
    labels: Mapping[str, str]
    elided: Mapping[str, str] = {}

    def say(self, phrase: str, *values: object) -> str:
        """Fill the template ``phrase``."""
        elides = phrase in self.elided and str(values[0]).startswith(("un ", "une "))
        return (self.elided if elides else self.phrases)[phrase].format(*values)

    def label(self, parameter: str) -> str:
        """Name a parameter; one that the language has no word for keeps its own, without underscores."""
        return self.labels.get(parameter, parameter.replace("_", " "))

    def join(self, things: Sequence[str]) -> str:
        """Say a list: "A, B and C"."""
        if len(things) < 2:
            return "".join(things)
        return self.say("and", ", ".join(things[:-1]), things[-1])
