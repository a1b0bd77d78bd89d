"""A campaign: one message to each of a list of people, as values; when it has to stop, and what came of it."""

import string
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from phone_bridge.errors import Refused

LOOKED_AT = 20
"""Outcomes that the breaker judges by: the last ones."""
OVER = ("done", "cancelled", "failed")
BAR = 30
"""Characters of the progress bar."""


def fill(template: str, row: Mapping[str, str]) -> str:
    """Fill a template such as ``Hello {name}``; raises Refused ``template`` for a column that the row does not have."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError:
        raise Refused("The text has a brace that is not closed: write {{ and }} for braces.", code="template") from None
    missing = sorted(set(names) - set(row))
    if missing:
        raise Refused(f"The text names {missing[0]!r}, which is no column of the table.", code="template")
    return template.format(**{name: row[name] for name in names})


RUNNING = "running"
State = Literal["running", "paused", "stopped", "over"]
"""How a campaign stands: only what belongs to a running one rings; ``stopped`` is what its breaker did."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How far a campaign has come, as the book has it; ``created_at`` in seconds since 1970."""

    id: str
    name: str
    total: int
    state: str
    created_at: int
    scheduled: int = 0
    calling: int = 0
    outcomes: dict[str, int] = {}

    def shown(self) -> dict[str, Any]:
        """Show it as ``GET /v1/campaigns/{id}`` does."""
        fields = msgspec.to_builtins(self)
        over = sum(self.outcomes.values())
        at = datetime.fromtimestamp(self.created_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {**fields, "object": "campaign", "over": over, "created_at": at}


class Breaker:
    """Stop a campaign whose calls fail: ``percent`` of the last ``LOOKED_AT`` outcomes are too many."""

    def __init__(self, percent: int) -> None:
        self._percent = percent
        self._last: deque[bool] = deque(maxlen=LOOKED_AT)

    def note(self, *, failed: bool) -> None:
        """Take one outcome in."""
        self._last.append(failed)

    @property
    def open(self) -> bool:
        """Whether too many have failed; a few say nothing yet."""
        return len(self._last) == LOOKED_AT and sum(self._last) * 100 >= self._percent * LOOKED_AT


class Progress(msgspec.Struct, frozen=True):
    """How far a campaign has come: of ``total`` people, how many are scheduled, and what came of those who are over."""

    total: int
    scheduled: int
    outcomes: dict[str, int]

    @classmethod
    def of(cls, total: int, reminders: Iterable[Mapping[str, str | None]]) -> "Progress":
        """Sum reminders up, as the API shows them."""
        known = list(reminders)
        over = Counter(str(one["outcome"]) for one in known if one["status"] in OVER)
        return cls(total, len(known), dict(sorted(over.items())))

    @property
    def over(self) -> int:
        """How many are over."""
        return sum(self.outcomes.values())

    def report(self) -> str:
        """Tell at the end what came of everybody."""
        told = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.items())
        return f"{self.over} of {self.total} people: {told}" if told else f"{self.over} of {self.total} people"

    def line(self) -> str:
        """Draw it as one line."""
        full = BAR * self.over // self.total if self.total else BAR
        told = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.items())
        return f"[{'#' * full}{'.' * (BAR - full)}] {self.over}/{self.total} {told}".rstrip()
