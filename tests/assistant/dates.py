"""Spoken dates and times with what they mean, in several zones and at the nights when the clocks change."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from phone_bridge.assistant.phrase import Phrase, tokens
from phone_bridge.assistant.spoken_time import scan
from phone_bridge.assistant.when import gather

FILE = Path(__file__).parent / "spoken_dates.txt"


class Spoken(Struct, frozen=True):
    """A phrase said at ``now``, and what it means as the file writes it."""

    text: str
    now: datetime
    expected: str


class DateScore(Struct, frozen=True):
    """How many phrases there are, how many are read rightly, and how many wrongly, which is worse than not at all."""

    phrases: int
    right: int
    wrong: int


def spoken() -> list[Spoken]:
    """Read the file: each phrase once for each zone of its section."""
    return list(_lines(FILE.read_text("utf-8").splitlines()))


def _lines(lines: list[str]) -> Iterator[Spoken]:
    moments: list[datetime] = []
    for line in lines:
        first, _, second = (part.strip() for part in line.partition("|"))
        if line.startswith("@"):
            moments = [datetime.fromisoformat(second).replace(tzinfo=ZoneInfo(zone)) for zone in first[1:].split()]
        elif second:
            yield from (Spoken(first, now, second) for now in moments)


def heard(said: Spoken) -> str:
    """Read a phrase, and write what it was taken for as the file does."""
    phrase = Phrase(token.word for token in tokens(said.text))
    when = gather(found.piece for found in scan(phrase, said.now.date()))
    if not when or when.doubtful:
        return "?"
    moment = when.moment(said.now, day=said.now.date())
    if moment is None:
        days = " to ".join(str(day) for day in (when.day, when.last) if day)
        return f"{days} {when.part}".strip()
    until = when.until(moment)
    return f"{_local(moment, said)} to {until:%H:%M}" if until else _local(moment, said)


def _local(moment: datetime, said: Spoken) -> str:
    """Write a moment in its zone; an hour that comes twice has its offset behind it the second time."""
    local = moment.astimezone(said.now.tzinfo)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    offset = local.isoformat()[-6:] if twice and local.fold else ""
    return f"{local:%Y-%m-%d %H:%M}{offset}"


def score() -> DateScore:
    """Read every phrase."""
    found = Counter[str]()
    for said in spoken():
        meant = heard(said)
        found["right"] += meant == said.expected
        found["wrong"] += meant not in (said.expected, "?")
    return DateScore(len(spoken()), found["right"], found["wrong"])
