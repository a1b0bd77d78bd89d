"""The typed slots of what people say: an event, a time, a length, a way to travel, days of the week, and so on."""

import re
from collections.abc import Callable
from functools import cache
from zoneinfo import available_timezones

from msgspec import structs

from phone_bridge.assistant.masking import Times, Turn
from phone_bridge.assistant.phrase import WEEKDAYS, Phrase
from phone_bridge.assistant.phrasing import Slot
from phone_bridge.assistant.pointing import ARTICLES, pointed, time_of_event
from phone_bridge.assistant.when import Day, Lead, Repeat, When
from phone_bridge.assistant.wishes import Reference, Wish

_SOME = r"(?:\S+ )+?"
_REST = r"(?:\S+ )+"
_DAY_CODES = tuple(day[:3] for day in WEEKDAYS)
_AROUND_TIMES = frozenset(
    ("from", "to", "until", "at", "on", "after", "before", "and", "between", "for", "by", "the", "in", "of")
)

MODES = {
    "drive": ("car", "drive", "driving", "taxi", "cab", "by car"),
    "walk": ("walk", "walking", "foot", "on foot"),
    "transit": ("train", "bus", "subway", "metro", "tram", "transit", "public transport", "public transit"),
}
"""Ways to travel, and what people call them."""
PROFILES = {
    "minimal": ("minimal", "minimum", "low", "important", "fewer", "less", "only important", "few"),
    "balanced": ("balanced", "normal", "medium", "standard", "default", "regular"),
    "aggressive": ("aggressive", "high", "maximum", "more", "all", "full", "everything"),
    "silent": ("silent", "no", "none", "off", "mute", "silence", "zero"),
}
"""The profiles of alerts, and what people call them."""
BUFFERS = {
    "between_meetings": ("between", "meetings", "appointments", "events"),
    "parking": ("park", "parking"),
    "walk": ("walk", "walking"),
    "arrival": ("early", "arrive", "arrival"),
}
"""What minutes are kept free for, and the words that tell."""
ALERT_KINDS = {
    "departure": ("departure", "leave", "leaving"),
    "traffic": ("traffic",),
    "weather": ("weather", "rain", "snow"),
    "late": ("late",),
    "conflict": ("conflict", "overlap"),
    "connection": ("connection",),
}
_ZONES = {
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
    "greenwich": "Europe/London",
    "utc": "UTC",
    "gmt": "Etc/GMT",
    "california": "America/Los_Angeles",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "boston": "America/New_York",
    "washington": "America/New_York",
    "miami": "America/New_York",
    "germany": "Europe/Berlin",
    "munich": "Europe/Berlin",
    "hamburg": "Europe/Berlin",
    "france": "Europe/Paris",
    "england": "Europe/London",
    "india": "Asia/Kolkata",
    "mumbai": "Asia/Kolkata",
    "delhi": "Asia/Kolkata",
    "japan": "Asia/Tokyo",
    "beijing": "Asia/Shanghai",
}  # what is called otherwise than the database's own cities


@cache
def _cities() -> dict[str, str]:
    """The time zones' names by their cities; of several, the first by the alphabet."""
    return {zone.lower().rsplit("/")[-1]: zone for zone in sorted(available_timezones(), reverse=True)}


def zone_called(words: str) -> str:
    """Find the time zone of a city or a region as people call it; empty where none is known."""
    plain = words.removesuffix(" time").removesuffix(" standard").removeprefix("the ").strip()
    if plain in _ZONES:
        return _ZONES[plain]
    return _cities().get(plain.replace(" ", "_").lower(), "")


def _words(turn: Turn) -> str:
    return " ".join(token.word for token in turn.said)


def _raw(turn: Turn) -> str:
    return " ".join(token.raw for token in turn.said)


def _event(turn: Turn, wish: Wish) -> Wish | None:
    if _words(turn) in ("there", "here"):
        return structs.replace(wish, reference=Reference(pronoun=True))
    leads = (item for item in turn.items if isinstance(item.piece, Lead))
    if next(leads, None) is not None:
        return None
    reference = pointed(turn)
    if wish.reference is not None and not reference.when:
        reference = structs.replace(reference, when=wish.reference.when)
    return structs.replace(wish, reference=reference)


def _mine(turn: Turn, wish: Wish) -> Wish | None:
    """Read an event of the caller's own; "in my calendar" speaks of one that is not there yet."""
    return None if {"in", "into", "calendar", "schedule"} & set(turn.text.split()) else _event(turn, wish)


def _there(turn: Turn, wish: Wish) -> Wish | None:
    return structs.replace(wish, reference=Reference(pronoun=True))


def _when(turn: Turn, wish: Wish) -> Wish | None:
    """Read times that stand alone; in a reference they belong to the event that is pointed at."""
    when = time_of_event(turn.pieces)
    length = Times(tuple(turn.pieces)).length() or wish.length
    return structs.replace(wish, when=when, length=length) if when else None


def _day(turn: Turn, wish: Wish) -> Wish | None:
    """Read one day, or a part of it."""
    when = time_of_event(turn.pieces)
    return structs.replace(wish, when=when) if when and when.last is None and not when.has_time() else None


def _bare(turn: Turn) -> Times | None:
    return turn.only_time(_AROUND_TIMES)


def _span(turn: Turn, wish: Wish) -> Wish | None:
    """Read a time in words that are nothing but one: "from nine to five", "until three", "half an hour"."""
    times = _bare(turn)
    if times is None or times.when.doubtful:
        return None
    return structs.replace(wish, when=times.when, length=times.length())


def _minutes(name: str) -> Callable[[Turn, Wish], Wish | None]:
    """Read how long, into the slot ``name``."""

    def read(turn: Turn, wish: Wish) -> Wish | None:
        times = _bare(turn)
        minutes = times and (times.length() or times.shift(1))
        return structs.replace(wish, **{name: minutes}) if minutes else None

    return read


def _one_of(name: str, choices: dict[str, tuple[str, ...]]) -> Callable[[Turn, Wish], Wish | None]:
    """Read a word of ``choices``, into the slot ``name``."""

    def read(turn: Turn, wish: Wish) -> Wish | None:
        said = f" {_words(turn)} "
        meant = next((choice for choice, ways in choices.items() if any(f" {way} " in said for way in ways)), None)
        return structs.replace(wish, **{name: meant}) if meant else None

    return read


def _modes(turn: Turn, wish: Wish) -> Wish | None:
    said = f" {_words(turn)} "
    found = [mode for mode, ways in MODES.items() if any(f" {way} " in said for way in ways)]
    return structs.replace(wish, modes=tuple(found) or wish.modes)


def _days_said(words: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Read days of the week at the end of some words, and say where they begin."""
    phrase = Phrase(words)
    for at in range(len(words)):
        begin = phrase.skip(at, "on", "at", "from")
        rest = " ".join(words[begin:])
        for group, days in (
            (r"(?:the )?week ?days?|work ?days?|working days|during the week", _DAY_CODES[:5]),
            (r"(?:the )?weekends?", _DAY_CODES[5:]),
            (r"every day", _DAY_CODES),
        ):
            if re.fullmatch(group, rest):
                return days, at
        names = [word.removesuffix("s") for word in words[begin:] if word not in ("and", "to", "until", "through")]
        if not names or any(name not in WEEKDAYS for name in names):
            continue
        numbers = [WEEKDAYS.index(name) for name in names]
        if len(numbers) == 2 and "and" not in words[begin:] and begin + 2 < len(words):
            first, last = numbers
            numbers = [n % 7 for n in range(first, (last if last >= first else last + 7) + 1)]
        return tuple(_DAY_CODES[n] for n in sorted(set(numbers))), at
    return (), len(words)


def _hours(turn: Turn, wish: Wish) -> Wish | None:
    """Read hours of the day, and the days of the week that they are for: "from ten to six monday to thursday"."""
    said = turn.said
    days, end = _days_said(tuple(token.word for token in said))
    if not end or not days:
        return _span(turn, wish)
    length = 0
    for at, item in enumerate(turn.items):
        if length >= end:
            rest = Turn(turn.items[:at], turn.today)
            break
        length += len(item.said)
    else:
        return None
    kept = Turn(tuple(item for item in rest.items if not isinstance(item.piece, Day | Repeat)), turn.today)
    read = _span(kept, wish)
    return read and structs.replace(read, days=days)


def _place(name: str) -> Callable[[Turn, Wish], Wish | None]:
    """Read the name or the address of a place, into the slot ``name``."""

    def read(turn: Turn, wish: Wish) -> Wish | None:
        words = _raw(turn).split()
        while words and words[0].lower() in (ARTICLES - {"my"}) | {"at", "in"}:
            words = words[1:]
        return structs.replace(wish, **{name: " ".join(words)}) if words else None

    return read


def _home(turn: Turn, wish: Wish) -> Wish | None:
    """Read the way home or to work, which the caller's own settings know."""
    return structs.replace(wish, place="work" if "work" in turn.text.split() else "home")


def _venue(turn: Turn, wish: Wish) -> Wish | None:
    """Read where an event is to be; what can be a time is no place."""
    return None if turn.pieces or _bare(turn) is not None else _place("place")(turn, wish)


def _zone(turn: Turn, wish: Wish) -> Wish | None:
    zone = zone_called(_words(turn))
    return structs.replace(wish, value=zone) if zone else None


def _message(turn: Turn, wish: Wish) -> Wish | None:
    """Read words for other people; being late and being cancelled are known to the tool by themselves."""
    said = _raw(turn)
    late = re.fullmatch(
        r"(?:(?:i'm|i am|i'll be|i will be|i'm going to be|running|we're|we are) )+.*\blate\b.*", said, re.IGNORECASE
    )
    if late is not None:
        times = Times(tuple(turn.pieces))
        return structs.replace(wish, choice="running_late", late=times.length())
    return structs.replace(wish, message=said)


def _called_off(turn: Turn, wish: Wish) -> Wish | None:
    return structs.replace(wish, reference=pointed(turn), choice="cancelled")


def _alert(turn: Turn, wish: Wish) -> Wish | None:
    """Read which alert: it, the second one, all of them, the one about an event."""
    signs = turn.text.split()
    about = next(
        (at for at, sign in enumerate(signs) if sign in ("about", "for", "on", "of", "from") and at), len(signs)
    )
    head = [sign for sign in signs[:about] if sign not in _ALERT_WORDS]
    kind = _one_of("choice", ALERT_KINDS)(Turn(turn.items[:about], turn.today), wish)
    reference = pointed(Turn(tuple(item for item in turn.items[:about] if item.sign in head), turn.today))
    if {"all", "every", "everything", "them"} & set(head) or signs == ["alerts"]:
        reference = Reference(every=True)
    elif about < len(signs) - 1 and signs[about:] not in (["of", "them"], ["of", "these"]):
        reference = pointed(Turn(turn.items[about + 1 :], turn.today))
    elif not reference.place and not reference.other:
        reference = Reference(pronoun=kind is None)
    return structs.replace(kind or wish, reference=reference)


_NOBODY = "me|us|you|it|them|him|her|everyone|everybody|all|the|that"
_ALERT_WORDS = frozenset(("alert", "alerts", "warning", "warnings", "notification", "notifications", "message"))
_ALERT = r"(?:\S+ )*?(?:alerts?|warnings?|notifications?) (?:(?:about|for|on|of|from) (?:\S+ )+?)?"
_VEHICLE = r"(?:by |on |with |using |taking |take |took |in |via )?(?:(?:the|a|my|public) )?"
_MODE = rf"{_VEHICLE}(?:car|foot|train|bus|subway|metro|tram|taxi|cab|transit|transport|driving|walking|drive|walk) "


def _ignored(turn: Turn, wish: Wish) -> Wish | None:
    return wish


def _told(turn: Turn, wish: Wish) -> Wish | None:
    return structs.replace(wish, notify=True)


def _bulk(turn: Turn, wish: Wish) -> Wish | None:
    """Read several events at once: all of a time, or all that a word or a name fits."""
    if (whole := pointed(turn)).every:  # all of those that the talk is about
        return structs.replace(wish, reference=whole)
    words = turn.without(
        "all", "every", "everything", "each", "whole", "entire", "rest", "calls", "day", "i", "have", "whatever"
    )
    reference = structs.replace(pointed(words), every=True, pronoun=False, thing=False)
    if not reference.when and "day" in turn.text.split():
        reference = structs.replace(reference, when=When(day=turn.today))
    return structs.replace(wish, reference=reference)


def _window(turn: Turn, wish: Wish) -> Wish | None:
    """Read "my afternoon" and "tomorrow morning" as all that is then."""
    when = time_of_event(turn.pieces)
    vague = when and not when.has_time()
    return structs.replace(wish, reference=Reference(every=True, when=when)) if vague else None


def _event_at(turn: Turn, wish: Wish) -> Wish | None:
    """Read the time of the event that is pointed at, before it or behind it."""
    reference = wish.reference or Reference()
    return structs.replace(wish, reference=structs.replace(reference, when=time_of_event(turn.pieces)))


def _week(turn: Turn, wish: Wish) -> Wish | None:
    """Read a time that is a week, by its first day."""
    when = time_of_event(turn.pieces)
    if when.day is None or when.last is None or (when.last - when.day).days > 6 or _words(turn).endswith("weekend"):
        return None
    return structs.replace(wish, when=When(day=when.day))


def _lead(turn: Turn, wish: Wish) -> Wish | None:
    lead = Times(tuple(turn.pieces)).lead()
    return structs.replace(wish, lead=lead) if lead else None


SLOTS = {
    "event": Slot(_SOME, _event),
    "mine": Slot(r"(?:the |my |our )(?:\S+ ){1,5}?", _mine),
    "person": Slot(rf"(?!(?:{_NOBODY}) )(?:\S+ ){{1,3}}?", _event),
    "ago": Slot("~ ", _ignored),
    "there": Slot("(?:there|here) ", _there),
    "time": Slot("(?:~ )+", _when),
    "at": Slot("(?:~ )+", _event_at),
    "span": Slot(_SOME, _span),
    "hours": Slot(_SOME, _hours),
    "length": Slot("(?:for )?~ ", _minutes("length")),
    "late": Slot(r"(?:by )?(?:~ )", _minutes("late")),
    "mode": Slot(_MODE, _modes),
    "modes": Slot(rf"{_MODE}(?:(?:and|or|with|to) {_MODE})*", _modes),
    "go": Slot(r"(?:get|go|travel|drive|walk|come|be|reach) ", _modes),
    "trip": Slot(r"(?:drive|walk|ride|way|trip|journey|train ride|bus ride|car ride) ", _modes),
    "travelling": Slot(r"(?:driving|walking|travel|travelling|traveling) ", _modes),
    "place": Slot(_REST, _place("place")),
    "home": Slot(r"(?:my )?(?:home|house|place) |(?:to )?work ", _home),
    "somewhere": Slot(_SOME, _place("place")),
    "origin": Slot(_SOME, _place("origin")),
    "zone": Slot(_SOME, _zone),
    "message": Slot(_REST, _message),
    "words": Slot(
        r"(?:i|i'm|i'll|i've|we|we're|we'll|we've|it|it's|the|there|there's|they|my|our|please|not) (?:\S+ )*", _message
    ),
    "calledoff": Slot(_SOME, _called_off),
    "alert": Slot(_ALERT, _alert),
    "nth": Slot(r"(?:(?:the|that|this|my) )?(?:\S+ )?ones? |it |that |this |them |all(?: of them)? ", _alert),
    "profile": Slot(
        rf"(?:{'|'.join(word for ways in PROFILES.values() for word in ways if word.isalpha())}) ",
        _one_of("choice", PROFILES),
    ),
    "buffer": Slot(
        r"(?:for |to )?(?:park|parking|walk|walking|early) (?:everywhere |for everything |always )?"
        r"|between (?:all )?(?:my |the )?(?:meetings|appointments|events|calls|them) ",
        _one_of("choice", BUFFERS),
    ),
    "app": Slot(
        r"(?:apple|google|waze) (?:maps )?", _one_of("value", {name: (name,) for name in ("apple", "google", "waze")})
    ),
    "reason": Slot(_REST, _ignored),
    "who": Slot(_REST, _told),
    "told": Slot(
        r"(?:and )?(?:please )?(?:tell|let|inform|notify|warn) (?:everybody|everyone|them|the others|people|all)"
        r" (?:know )?(?:about it )?",
        _told,
    ),
    "venue": Slot(_SOME, _venue),
    "alt": Slot("~ ", _ignored),
    "other": Slot("~ ", _ignored),
    "bulk": Slot(
        r"(?:all |every |everything |each |whatever i have |(?:my |the )?(?:whole|entire|rest of) )(?:\S+ )*?", _bulk
    ),
    "window": Slot("(?:~ )+", _window),
    "day": Slot("(?:~ )+", _day),
    "week": Slot("~ ", _week),
    "lead": Slot("~ ", _lead),
}
"""All slots, by the names that phrasings use."""
