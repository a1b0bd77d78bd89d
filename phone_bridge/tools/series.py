"""Series of events: unrolled into occurrences, and changed in one place, from a place on, or as a whole; pure.

What a deed does to the calendar objects that are kept comes back as a ``Rewrite``, so that every keeper, on a database
or on a server, changes series alike.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from phone_bridge.errors import Refused
from phone_bridge.tools.keeper import Edit, Event, Recurrence, Series, SeriesScope
from phone_bridge.tools.rules import OCCURRENCES_MAX, BadRule, Rule, moment_of, shifted

UNROLL_BACK = timedelta(days=31)
UNROLL_AHEAD = timedelta(days=366)
"""How far series are unrolled from now, or from the bound that is given, where the other bound is open."""
_OCCURRENCE = re.compile(r"(.+)R(\d{8})(?:T(\d{6})Z)?")
_TIMES = frozenset({"start_time", "end_time", "timezone", "all_day"})
_OWN = frozenset(
    {"id", "user_id", "object", "series_id", "original_start_time", "recurrence", "source", "created_at", "updated_at"}
)
_SECOND = timedelta(seconds=1)


class Rewrite(Struct, frozen=True, kw_only=True):
    """What a deed does to what is kept, and how the event that it named looked before and looks after it.

    ``kept`` are masters and overrides to write, new ones among them; ``gone`` are ids to forget. A new master stands
    before its overrides.
    """

    edit: Edit
    kept: tuple[Event, ...] = ()
    gone: tuple[str, ...] = ()


Change = Callable[[Event], Event]


# Names of occurrences


def occurrence_id(master: Event, original: datetime) -> str:
    """Name the occurrence of a series that its rule has begin at ``original``: the series' id, "R" and that time."""
    if master.all_day:
        return f"{master.id}R{original.astimezone(ZoneInfo(master.timezone)):%Y%m%d}"
    return f"{master.id}R{original.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def series_id_of(event_id: str) -> str | None:
    """Find the series in the id of an occurrence; None for an id that is no occurrence's."""
    found = _OCCURRENCE.fullmatch(event_id)
    return found.group(1) if found else None


def original_of(master: Event, event_id: str) -> datetime:
    """Find when the rule has an occurrence begin; raises Refused for an id that is not one of this series."""
    found = _OCCURRENCE.fullmatch(event_id)
    if found is None or found.group(1) != master.id:
        raise _missing()
    try:
        wall = datetime.strptime(f"{found.group(2)}{found.group(3) or '000000'}", "%Y%m%d%H%M%S")
    except ValueError:
        raise _missing() from None
    return moment_of(wall, ZoneInfo(master.timezone)) if found.group(3) is None else wall.replace(tzinfo=UTC)


# Unrolling


def window(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Close the open ends between which series are unrolled."""
    first = min(now, end or now) - UNROLL_BACK if start is None else start
    return first, max(now, first) + UNROLL_AHEAD if end is None else end


def occurrences(series: Series, start: datetime, end: datetime, *, include_cancelled: bool = False) -> list[Event]:
    """List what of a series touches ``start`` to ``end``, by its beginning, ``OCCURRENCES_MAX`` at most."""
    master = series.master
    if master.recurrence is None:
        found: Iterable[Event] = [master]
    else:
        own = {event.original_start_time for event in series.overrides}
        originals = islice(_originals(master, start - length(master), end), OCCURRENCES_MAX)
        found = [_occurrence(master, at) for at in originals if at not in own]
        found = [*found, *(_shown(master, override) for override in series.overrides)]
    touching = (event for event in found if event.end_time > start and event.start_time < end)
    alive = (event for event in touching if include_cancelled or not event.is_cancelled)
    return sorted(alive, key=lambda event: (event.start_time, event.id))[:OCCURRENCES_MAX]


def occurrence(series: Series, event_id: str) -> Event:
    """Find the series itself or one of its occurrences; raises Refused for none."""
    master = series.master
    if event_id == master.id:
        return master
    original = original_of(master, event_id)
    for override in series.overrides:
        if override.original_start_time == original:
            return _shown(master, override)
    if master.recurrence is None or original not in _originals(master, original - _SECOND, original + _SECOND):
        raise _missing()
    return _occurrence(master, original)


def length(event: Event) -> timedelta:
    """Measure an event in real time; between two times of one zone Python would count what the clock shows."""
    return event.end_time.astimezone(UTC) - event.start_time.astimezone(UTC)


def check(event: Event) -> None:
    """Raise Refused for a rule that cannot be reckoned with, or that does not begin with the event's own beginning."""
    if event.recurrence is None:
        return
    try:
        rule = Rule.parse(event.recurrence.rule)
    except BadRule as error:
        raise Refused(f"That recurrence cannot be kept: {error}.", code="invalid_recurrence") from None
    if not rule.meets(event.start_time, ZoneInfo(event.timezone)):
        raise Refused(
            "A series begins with an occurrence of its own rule: start_time is not one.", code="invalid_recurrence"
        )


def _originals(master: Event, after: datetime, before: datetime) -> Iterator[datetime]:
    """Give the beginnings of a series, without those that it leaves out and with those that it adds."""
    recurrence = master.recurrence
    if recurrence is None:
        return
    left_out = {moment.astimezone(UTC) for moment in recurrence.exdates}
    added = sorted(moment.astimezone(UTC) for moment in recurrence.rdates if after < moment < before)
    ruled = _rule(recurrence).starts(master.start_time, zone=_zone(master), after=after, before=before)
    last = None
    for at in _merged(ruled, added):
        if at != last and at not in left_out:
            yield at
        last = at


def _merged(ruled: Iterator[datetime], added: list[datetime]) -> Iterator[datetime]:
    for at in ruled:
        while added and added[0] <= at:
            yield added.pop(0)
        yield at
    yield from added


def _rule(recurrence: Recurrence) -> Rule:
    try:
        return Rule.parse(recurrence.rule)
    except BadRule as error:  # it came from elsewhere
        raise Refused(f"A series of this calendar cannot be reckoned with: {error}.", code="unsupported") from None


def _zone(event: Event) -> ZoneInfo:
    return ZoneInfo(event.timezone)


def _occurrence(master: Event, original: datetime) -> Event:
    """Make the occurrence at ``original``: as long as the first one, or as many days where it is of whole days."""
    zone = _zone(master)
    if master.all_day:
        days = _wall(master.end_time, zone) - _wall(master.start_time, zone)
        end = moment_of(_wall(original, zone) + days, zone)
    else:
        end = original + length(master)
    return structs.replace(
        master,
        id=occurrence_id(master, original),
        series_id=master.id,
        original_start_time=original,
        start_time=original,
        end_time=end,
    )


def _shown(master: Event, override: Event) -> Event:
    """Show an override with its series' rule; of a cancelled series nothing takes place."""
    if master.is_cancelled and not override.is_cancelled:
        gone = {name: getattr(master, name) for name in ("is_cancelled", "cancelled_at", "cancel_reason")}
        override = structs.replace(override, **gone)
    return structs.replace(override, recurrence=master.recurrence)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


# Changing


def changed(
    series: Series, event_id: str, scope: SeriesScope, change: Change, *, now: datetime, new_id: Callable[[], str]
) -> Rewrite:
    """Change an event, or ``scope`` of a series from one of its occurrences; raises Refused, also as ``change`` does.

    ``new_id`` names the series that goes on where another one was cut in two.
    """
    before = occurrence(series, event_id)
    if before.is_cancelled:
        raise Refused("That event is cancelled already.", code="event_already_cancelled")
    after = structs.replace(change(before), updated_at=now)
    if before.series_id is None:
        return _whole(series, before, after)
    if scope == "this":
        return _one(before, after)
    if scope == "following":
        return _from_here_on(series, before, after, new_id)
    return _all_of(series, before, after)


def deleted(series: Series, event_id: str, scope: SeriesScope, *, now: datetime) -> Rewrite:
    """Forget an event, or ``scope`` of a series from one of its occurrences."""
    master, before = series.master, occurrence(series, event_id)
    edit = Edit(before, before)
    everything = (*(override.id for override in series.overrides), master.id)
    original = before.original_start_time
    if original is None or scope == "all":
        return Rewrite(edit=edit, gone=everything)
    if scope == "following":
        if not _has_earlier(master, original):
            return Rewrite(edit=edit, gone=everything)
        head = structs.replace(_head(master, original), updated_at=now)
        later = (event.id for event in series.overrides if _original(event) >= original)
        return Rewrite(edit=edit, kept=(head,), gone=tuple(later))
    recurrence = master.recurrence or Recurrence("")
    without = structs.replace(recurrence, exdates=(*recurrence.exdates, original))
    kept = structs.replace(master, recurrence=without, updated_at=now)
    return Rewrite(edit=edit, kept=(kept,), gone=(before.id,))


def _whole(series: Series, before: Event, after: Event) -> Rewrite:
    """Change an event alone, or a series by itself."""
    if before.recurrence is None:
        check(after)
        return Rewrite(edit=Edit(before, after), kept=(after,))
    first = _occurrence(before, before.start_time)
    named = {"id": first.id, "series_id": before.id, "original_start_time": before.start_time}
    rewrite = _all_of(series, first, structs.replace(after, **named))
    return structs.replace(rewrite, edit=Edit(before, rewrite.kept[0]))


def _one(before: Event, after: Event) -> Rewrite:
    """Keep one occurrence as an override."""
    if after.recurrence != before.recurrence:
        raise Refused(
            "One occurrence has no rule of its own: say whether all, or this and the following ones, are meant.",
            code="invalid_parameter",
        )
    return Rewrite(edit=Edit(before, after), kept=(structs.replace(after, recurrence=None),))


def _from_here_on(series: Series, before: Event, after: Event, new_id: Callable[[], str]) -> Rewrite:
    """End the series before an occurrence, and let a new one, changed, go on from it."""
    master, original = series.master, _original(before)
    if not _has_earlier(master, original):
        return _all_of(series, before, after)
    head, tail = _head(master, original), _tail(master, original, new_id())
    later = [event for event in series.overrides if _original(event) >= original]
    moved = tuple(
        structs.replace(event, id=occurrence_id(tail, _original(event)), series_id=tail.id) for event in later
    )
    here = structs.replace(before, id=occurrence_id(tail, original), series_id=tail.id, recurrence=tail.recurrence)
    rule_stays = after.recurrence == before.recurrence
    there = structs.replace(
        after, id=here.id, series_id=tail.id, recurrence=tail.recurrence if rule_stays else after.recurrence
    )
    rewrite = _all_of(Series(master=tail, overrides=moved), here, there)
    return Rewrite(
        edit=Edit(before, rewrite.edit.after),
        kept=(structs.replace(head, updated_at=after.updated_at), *rewrite.kept),
        gone=tuple(event.id for event in later),
    )


def _all_of(series: Series, before: Event, after: Event) -> Rewrite:
    """Change a series by what one of its occurrences is changed by; overrides keep what is their own."""
    master = series.master
    fields, times = _differences(before, after), _moved(master, before, after)
    new = structs.replace(master, **fields, **times, updated_at=after.updated_at)
    if (new.start_time, new.recurrence) != (master.start_time, master.recurrence):
        check(new)
    old_ids = tuple(override.id for override in series.overrides)
    if new.recurrence is None:
        return Rewrite(edit=Edit(before, new), kept=(new,), gone=old_ids)
    by = _wall(after.start_time, _zone(after)) - _wall(before.start_time, _zone(before))
    overrides = tuple(_carried(override, master, new, fields, by) for override in series.overrides)
    own = {override.id: _shown(new, override) for override in overrides}
    here = _occurrence(new, _shift(master, new, before, by))
    return Rewrite(
        edit=Edit(before, own.get(here.id, here)),
        kept=(new, *overrides),
        gone=tuple(id for id in old_ids if id not in own),  # noqa: A001 - the field's own word
    )


def _differences(before: Event, after: Event) -> dict[str, Any]:
    """Find the changed fields that have nothing to do with times."""
    names = [name for name in before.__struct_fields__ if name not in _OWN | _TIMES]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def _moved(master: Event, before: Event, after: Event) -> dict[str, Any]:
    """Work out the times and the rule of a series one of whose occurrences is moved."""
    old, new = _zone(before), _zone(after)
    by = _wall(after.start_time, new) - _wall(before.start_time, old)
    days = (_wall(after.start_time, new).date() - _wall(before.start_time, old).date()).days
    start = moment_of(_wall(master.start_time, _zone(master)) + by, new)
    if after.all_day:
        lasting = _wall(after.end_time, new) - _wall(after.start_time, new)
        end = moment_of(_wall(start, new) + lasting, new)
    else:
        end = start + length(after)
    times = {"start_time": start, "end_time": end, "timezone": after.timezone, "all_day": after.all_day}
    if not by and old == new and after.recurrence == before.recurrence:
        return {**times, "recurrence": master.recurrence}
    return {**times, "recurrence": _moved_rule(master, before, after, by, days)}


def _moved_rule(master: Event, before: Event, after: Event, by: timedelta, days: int) -> Recurrence | None:
    old, wanted = master.recurrence, after.recurrence
    if old is None or wanted is None or wanted != before.recurrence:
        return wanted
    try:
        rule = str(shifted(_rule(old), by, days, _zone(master))) if by else old.rule
    except BadRule as error:
        raise Refused(f"The whole series cannot be moved: {error}.", code="invalid_recurrence") from None
    exdates, rdates = (
        tuple(moment_of(_wall(moment, _zone(master)) + by, _zone(after)) for moment in moments)
        for moments in (old.exdates, old.rdates)
    )
    return Recurrence(rule, exdates, rdates)


def _shift(old: Event, new: Event, event: Event, by: timedelta) -> datetime:
    """Find when the rule has an occurrence begin after its series was moved."""
    return moment_of(_wall(_original(event), _zone(old)) + by, _zone(new))


def _carried(override: Event, old: Event, new: Event, fields: dict[str, Any], by: timedelta) -> Event:
    """Take an override along: what it shared with its series it shares further, what is its own it keeps."""
    shared = {name: value for name, value in fields.items() if getattr(override, name) == getattr(old, name)}
    original = _shift(old, new, override, by)
    if override.start_time == override.original_start_time and length(override) == length(old):
        fresh = _occurrence(new, original)
        shared |= {"start_time": fresh.start_time, "end_time": fresh.end_time}
        shared |= {"timezone": new.timezone, "all_day": new.all_day}
    named = {"id": occurrence_id(new, original), "series_id": new.id, "original_start_time": original}
    return structs.replace(override, **shared, **named)


def _has_earlier(master: Event, original: datetime) -> bool:
    return next(_originals(master, master.start_time - _SECOND, original), None) is not None


def _head(master: Event, original: datetime) -> Event:
    """End a series before ``original``."""
    recurrence = master.recurrence or Recurrence("")
    last = original - _SECOND
    until = f"{_wall(last, _zone(master)):%Y%m%d}" if master.all_day else f"{last.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    rule = str(_rule(recurrence).replaced(COUNT="", UNTIL=until))
    return structs.replace(master, recurrence=_of(recurrence, rule, lambda moment: moment < original))


def _tail(master: Event, original: datetime, id: str) -> Event:
    """Let a series begin with ``original``, as often as it has still to come."""
    recurrence = master.recurrence or Recurrence("")
    rule = _rule(recurrence)
    if rule.count is not None:
        past = rule.starts(master.start_time, zone=_zone(master), after=master.start_time - _SECOND, before=original)
        rule = rule.replaced(COUNT=str(max(1, rule.count - sum(1 for _ in past))))
    here = _occurrence(master, original)
    rest = _of(recurrence, str(rule), lambda moment: moment >= original)
    return structs.replace(master, id=id, start_time=here.start_time, end_time=here.end_time, recurrence=rest)


def _of(recurrence: Recurrence, rule: str, holds: Callable[[datetime], bool]) -> Recurrence:
    exdates, rdates = (
        tuple(moment for moment in moments if holds(moment)) for moments in (recurrence.exdates, recurrence.rdates)
    )
    return Recurrence(rule, exdates, rdates)


def _original(event: Event) -> datetime:
    return event.original_start_time or event.start_time


def _missing() -> Refused:
    return Refused("There is no such event in this calendar.", code="resource_missing")
