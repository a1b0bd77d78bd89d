"""Taking events in from elsewhere and giving them out: calendar objects into a keeper, and a keeper's objects."""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from phone_bridge.errors import Refused
from phone_bridge.tools.ics.names import uid_for
from phone_bridge.tools.ics.reading import Found, Skipped
from phone_bridge.tools.keeper import Event, EventFields, EventKeeper, Series
from phone_bridge.tools.series import occurrence_id

_FIELDS = tuple(field for field in EventFields.__struct_fields__ if field not in ("calendar_id", "source"))


class Imported(Struct, frozen=True):
    """What became of the objects of a file."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()


async def take_in(keeper: EventKeeper, user_id: str, found: Found) -> Imported:
    """Keep what a file holds; an object that is known by its UID is brought up to date. Raises Unavailable.

    The same file again changes nothing. What was forgotten in the file stays here: a file is no order to forget.
    """
    known = {
        uid_for(event): event
        for event in await keeper.events(user_id, start=None, end=None, include_cancelled=True, unroll=False)
    }
    tally = {"created": 0, "changed": 0, "unchanged": 0}
    skipped = list(found.skipped)
    for series in found.objects:
        try:
            tally[await _take(keeper, user_id, series, known.get(uid_for(series.master)))] += 1
        except Refused as error:
            skipped.append(Skipped(series.master.title, str(error)))
    return Imported(**tally, skipped=tuple(skipped))


async def give_out(keeper: EventKeeper, user_id: str) -> list[Series]:
    """List everything that a user's calendars hold as calendar objects, by their beginning."""
    masters = await keeper.events(user_id, start=None, end=None, include_cancelled=True, unroll=False)
    return [
        await keeper.series(user_id, event.id) if event.recurrence is not None else Series(master=event)
        for event in masters
    ]


async def _take(keeper: EventKeeper, user_id: str, series: Series, known: Event | None) -> str:
    master = series.master
    if known is None:
        if master.is_cancelled:
            return "unchanged"  # nobody here knew of it
        fields = EventFields(**{name: getattr(master, name) for name in _FIELDS}, source=master.source)
        known = await keeper.create_event(user_id, fields, key=_key("create", master))
        await _take_overrides(keeper, user_id, series, known)
        return "created"
    changed = await _bring_up_to_date(keeper, user_id, known, master)
    return "changed" if await _take_overrides(keeper, user_id, series, known) or changed else "unchanged"


async def _take_overrides(keeper: EventKeeper, user_id: str, series: Series, known: Event) -> bool:
    changed = False
    for override in series.overrides:
        if override.original_start_time is None or known.recurrence is None:
            continue
        now = await keeper.event(occurrence_id(known, override.original_start_time), user_id=user_id)
        changed |= await _bring_up_to_date(keeper, user_id, now, structs.replace(override, recurrence=now.recurrence))
    return changed


async def _bring_up_to_date(keeper: EventKeeper, user_id: str, known: Event, wanted: Event) -> bool:
    """Make an event that is known as a file says; False where it is already, or is over and done with here."""
    if known.is_cancelled:
        return False
    if wanted.is_cancelled:
        await keeper.cancel_event(user_id, known.id, reason=wanted.cancel_reason, key=_key("cancel", wanted))
        return True
    if all(getattr(known, name) == getattr(wanted, name) for name in _FIELDS):
        return False
    fields = {name: getattr(wanted, name) for name in _FIELDS}
    key = _key(f"change:{known.updated_at.isoformat()}", wanted)
    await keeper.update_event(user_id, known.id, lambda event: structs.replace(event, **fields), key=key)
    return True


def _key(deed: str, event: Event) -> str:
    """Name a deed by what it does, so that a file that is taken in twice at once does it once."""
    said: Sequence[object] = [event.original_start_time, *(getattr(event, name) for name in _FIELDS)]
    return f"ics:{deed}:{hashlib.sha256(msgspec.json.encode([event.id, said])).hexdigest()}"
