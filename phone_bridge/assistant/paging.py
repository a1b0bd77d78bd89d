"""Pages of a list: which ones a client asks for, and how they are cut."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any, TypeVar

import msgspec

from phone_bridge.assistant.problems import Problem
from phone_bridge.tools.schemas import FIRST_YEAR, LAST_YEAR

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
"""Things on a page."""

_COMPARE: Mapping[str, Callable[[datetime, datetime], bool]] = {"gte": ge, "gt": gt, "lte": le, "lt": lt}

Query = Sequence[tuple[str, str]]
T = TypeVar("T")


class Page(msgspec.Struct, frozen=True):
    """Which page of a list: at most ``limit`` things after one, or before one."""

    limit: int = DEFAULT_LIMIT
    after: str = ""
    before: str = ""

    def cut(self, things: Sequence[T], id_of: Callable[[T], str], plain: Callable[[T], Any]) -> dict[str, Any]:
        """Write the page of ``things`` as the API's list; raises Problem where the thing it begins at is not there."""
        ids = [id_of(thing) for thing in things]
        if self.before:
            last = _place(ids, self.before, "ending_before")
            first = max(0, last - self.limit)
            more = first > 0
        else:
            first = _place(ids, self.after, "starting_after") + 1 if self.after else 0
            last = min(len(ids), first + self.limit)
            more = last < len(ids)
        return {
            "object": "list",
            "data": [plain(thing) for thing in things[first:last]],
            "has_more": more,
            "next_cursor": ids[last - 1] if more and last > first else None,
        }


def read(query: Query) -> Page:
    """Read a page off a query; ``cursor`` is taken for ``starting_after``. Raises Problem."""
    given = dict(query)
    after, before = given.get("starting_after") or given.get("cursor", ""), given.get("ending_before", "")
    if after and before:
        raise Problem("say either starting_after or ending_before", code="invalid_parameter", param="ending_before")
    return Page(_limit(given.get("limit", "")), after, before)


def within(query: Query, name: str) -> Callable[[datetime], bool]:
    """Make the test for the bounds of ``name[gte]``, ``[gt]``, ``[lte]`` and ``[lt]``; raises Problem."""
    bounds = [
        (compare, moment(value, f"{name}[{how}]"))
        for how, compare in _COMPARE.items()
        for given, value in query
        if given == f"{name}[{how}]"
    ]
    return lambda time: all(compare(time, bound) for compare, bound in bounds)


def moment(text: str, param: str) -> datetime:
    """Read a time with its offset; raises Problem."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that was not written as %2B
    except ValueError:
        found = datetime.min
    if found.tzinfo is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        years = f"from {FIRST_YEAR} to {LAST_YEAR}"
        raise Problem(f"{param} must be a date and time with an offset, {years}", code="invalid_parameter", param=param)
    return found


def flag(query: Query, name: str) -> bool:
    """Read a true or false, which is false where it is missing; raises Problem."""
    given = dict(query).get(name, "false")
    if given not in ("true", "false"):
        raise Problem(f"{name} is true or false", code="invalid_parameter", param=name)
    return given == "true"


def choice(query: Query, name: str, choices: Iterable[str], default: str) -> str:
    """Read one of some words; raises Problem."""
    given = dict(query).get(name, default)
    if given not in (allowed := tuple(choices)):
        raise Problem(f"{name} is one of {', '.join(allowed)}", code="invalid_parameter", param=name)
    return given


def _limit(given: str) -> int:
    if not given:
        return DEFAULT_LIMIT
    number = int(given) if given.isascii() and given.isdigit() and len(given) < len("1000000") else 0
    if not 1 <= number <= MAX_LIMIT:
        raise Problem(f"limit is a number from 1 to {MAX_LIMIT}", code="invalid_parameter", param="limit")
    return number


def _place(ids: Sequence[str], id: str, param: str) -> int:
    if id not in ids:
        raise Problem(f"{param} names nothing of this list", code="invalid_parameter", param=param)
    return ids.index(id)
