"""One action on its way into words."""

from collections.abc import Iterable, Sequence
from typing import Any

from phone_bridge.call.events import Action, Affected
from phone_bridge.call.words import clean, moments, values
from phone_bridge.call.words.tongue import Tongue

_MOMENT_FIELDS = ("start_time", "end_time", "remind_at", "until", "eta", "arrive_by", "depart_at")


class Telling:
    """One action on its way into words: what is ``left`` to be said of its parameters, and what has been said."""

    def __init__(self, action: Action, tongue: Tongue) -> None:
        self.tongue = tongue
        self.left = dict(action.parameters)
        self.details: list[str] = []
        self.year = len(moments.years(_moments_of(action))) > 1
        self.named = False
        self._affects = list(action.affects)
        if any(moments.parse(self.left.get(name)) for name in _MOMENT_FIELDS):
            self.left.pop("timezone", None)  # these times carry their offset

    def say(self, phrase: str, *values: object) -> None:
        """Add a detail."""
        self.details.append(self.tongue.say(phrase, *values))

    def take(self, name: str, kind: type) -> Any:
        """Take a parameter that is of the expected kind, or None; another kind is left to be said as it is."""
        return self.left.pop(name) if isinstance(self.left.get(name), kind) else None

    def take_flag(self, name: str) -> bool:
        """Take a switch; one that is off says nothing."""
        return self.take(name, bool) is True

    def take_moment(self, name: str) -> moments.Moment | None:
        """Take a moment, or None."""
        moment = moments.parse(self.left.get(name))
        if moment is not None:
            del self.left[name]
        return moment

    def take_minutes(self, name: str) -> str:
        """Take a number of minutes as words; empty when there is none."""
        value = self.left.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < values.LARGEST_NUMBER:
            return ""
        del self.left[name]
        return moments.say_minutes(value, self.tongue)

    def take_text(self, name: str, limit: int = clean.LONGEST_TITLE) -> str:
        """Take words, made fit to be spoken; empty when there are none."""
        value = self.left.get(name)
        said = clean.phrase(value, limit) if isinstance(value, str) and clean.has_content(value) else ""
        if said:
            del self.left[name]
        return said

    def moment(self, moment: moments.Moment) -> str:
        """Say a moment."""
        return moments.say(moment, self.tongue, year=self.year)

    def affected(self, *ids: object) -> list[Affected]:
        """Find what the action says of the things that ``ids`` name; without ids, all that it affects."""
        found = [each for each in self._affects if not ids or not each.id or each.id in ids]
        self._affects = [each for each in self._affects if each not in found]
        return [each for each in found if clean.has_content(each.title) or moments.parse(each.start_time)]

    def others(self) -> list[Affected]:
        """Give what the action affects besides the things that it names."""
        return [each for each in self._affects if clean.has_content(each.title)]

    def describe(self, things: Sequence[Affected], *, count: int | None = None) -> str:
        """Say affected things: "Dentist, on Tuesday the 24th of November at 3 p.m."; ``count`` if there are more."""
        pause = ", " if len(things) == 1 else " "
        said = [pause.join([piece for piece in self._title_and_time(thing) if piece]) for thing in things]
        return values.say_list(said, self.tongue, count=count)

    def _title_and_time(self, thing: Affected) -> tuple[str, str]:
        title = clean.phrase(thing.title) if clean.has_content(thing.title) else ""
        start = moments.parse(thing.start_time)
        return title, self.tongue.say("on", self.moment(start)) if start is not None else ""


def _moments_of(action: Action) -> Iterable[Any]:
    yield from (action.parameters.get(name) for name in _MOMENT_FIELDS)
    yield from (each.start_time for each in action.affects)
