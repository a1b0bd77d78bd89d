"""What a caller can mean: a wish with its slots, and the ways to point at events."""

from typing import Any

from msgspec import Struct, structs

from phone_bridge.assistant.when import NO_TIME, Clock, When


class Reference(Struct, frozen=True, kw_only=True):
    """Words that point at events.

    ``place`` counts from 1 in what was told or found, -1 is the last one. ``soft`` words may be part of a title or
    may only say what kind of thing it is. Nothing but ``when`` set means any event of that time.
    """

    pronoun: bool = False
    """It, that one, the meeting: whatever the talk is about."""
    upcoming: bool = False
    """The next one from now."""
    other: bool = False
    """The other one of those that the talk is about."""
    every: bool = False
    """All of those that the talk is about."""
    thing: bool = False
    """An event of any kind was named: the one at three, my meeting."""
    joined: bool = False
    """Two things were named with an "and" between them."""
    place: int = 0
    words: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    when: When = NO_TIME

    def named(self) -> bool:
        """Tell whether words of a title or of a name point at it."""
        return bool(self.words or self.soft)

    def points(self) -> bool:
        """Tell whether more than "it" was said."""
        return self.named() or bool(self.when or self.place or self.upcoming or self.other or self.every)


_MINUTES = ("length", "shift", "stretch", "lead", "late")
_WORDS = (
    *("title", "aspect", "repeat", "scope", "place", "origin", "modes", "days", "choice", "value", "message"),
    "notify",
)


class Wish(Struct, frozen=True, kw_only=True):
    """What the caller wants: a tool's name or a word of the talk, how sure that is (0 to 1), and what was said with it.

    ``reference`` is None where nothing was pointed at. ``when`` is the time asked about or wished for; in an update it
    is the new time. ``length``, ``shift``, ``stretch``, ``lead`` and ``late`` are minutes: how long it takes, how much
    later it begins (negative: earlier), how much longer it takes (negative: shorter), how long before it to remind, how
    late the caller will be. ``repeat`` is a rule of RFC 5545, ``scope`` how much of a series is meant (``this``,
    ``following``, ``all``). ``choice`` names one of a few things a tool knows, ``value`` what that is to be; ``modes``
    are ways to travel, ``days`` days of the week, ``message`` words for other people.
    """

    name: str
    confidence: float = 0.95
    reference: Reference | None = None
    when: When = NO_TIME
    title: str = ""
    aspect: str = ""
    length: int | None = None
    shift: int | None = None
    stretch: int | None = None
    lead: int | None = None
    late: int | None = None
    repeat: str = ""
    scope: str = ""
    place: str = ""
    origin: str = ""
    modes: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    choice: str = ""
    value: str = ""
    message: str = ""
    notify: bool = False
    enabled: bool | None = None

    def parameters(self) -> dict[str, Any]:
        """Write the slots as JSON's values."""
        slots: dict[str, Any] = _time_slots(self.when)
        for name in _MINUTES:
            if (minutes := getattr(self, name)) is not None:
                slots[f"{name}_minutes"] = minutes
        for name in _WORDS:
            if (value := getattr(self, name)) not in ("", (), None, False):
                slots[name] = list(value) if isinstance(value, tuple) else value
        if self.enabled is not None:
            slots["enabled"] = self.enabled
        if self.reference is not None:
            slots["reference"] = _reference_slots(self.reference)
        return slots


def _reference_slots(reference: Reference) -> dict[str, Any]:
    slots = {name: value for name, value in structs.asdict(reference).items() if value and name != "when"}
    for name in ("words", "soft"):
        if name in slots:
            slots[name] = " ".join(slots[name])
    return slots | _time_slots(reference.when)


def _time_slots(when: When) -> dict[str, Any]:
    slots: dict[str, Any] = {}
    if when.day is not None:
        slots["date"] = when.day.isoformat()
    if when.last is not None:
        slots["last_date"] = when.last.isoformat()
    if when.part:
        slots["part_of_day"] = when.part
    if when.start is not None:
        slots["time"] = _clock(when.start)
    if when.end is not None:
        slots["until"] = _clock(when.end)
    if when.ahead is not None:
        slots["in_minutes"] = when.ahead
    return slots


def _clock(clock: Clock) -> str:
    """Write a time as ``15:00``, or as ``3:00`` where the half of the day is open."""
    return f"{clock.hour:02}:{clock.minute:02}" if clock.exact else f"{clock.hour}:{clock.minute:02}"
