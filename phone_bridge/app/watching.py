"""Calls as they happen, as server-sent events: one call, or the list of all.

Nothing of this is on a call's way: whoever watches is nudged when there may be something new, looks at most every
``LOOK_SECONDS``, and is sent what has changed. A client that reads slowly is sent less, not later.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from phone_bridge.app import receipts
from phone_bridge.app.answers import problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import events_for, find, shown
from phone_bridge.app.door import Door, refuse, sees
from phone_bridge.call.timeline import STEP_MS
from phone_bridge.call.trace import Counts
from phone_bridge.runtime.pump import Pump
from phone_bridge.runtime.record import CallRecord

LOOK_SECONDS = 0.2
"""How often a watcher is sent something new at most."""

BEAT_SECONDS = 1.0
"""How often a watcher looks where nothing has nudged it."""

LIST_SECONDS = 10.0
"""How often the list is read anew: other processes have calls, too."""

MAX_WATCHERS = 100
"""Streams of events that a process keeps open."""

EVENT_STREAM = "text/event-stream"
_READ, _WRITE, _HEAR = "calls:read", "calls:write", "recordings:read"


async def one(request: Request) -> Response:
    """Follow one call to its end."""
    if refusal := refuse(request, _READ):
        return refusal
    id = request.path_params["id"]  # noqa: A001 - the parameter's own name
    if await find(request) is None:
        return problem(404, "invalid_request_error", "call_not_found", f"There is no call {id}.")
    return _stream(request, _one(request, id))


async def every(request: Request) -> Response:
    """Follow the list of calls."""
    if refusal := refuse(request, _READ):
        return refusal
    return _stream(request, _every(request))


def _stream(request: Request, events: AsyncIterator[str]) -> Response:
    bridge: Bridge = request.app.state.bridge
    if bridge.watchers >= MAX_WATCHERS:
        return problem(503, "api_error", "busy", f"{MAX_WATCHERS} others are watching: try again later.")
    headers = {"X-Accel-Buffering": "no"}  # or nginx would keep the events for itself
    return StreamingResponse(_counted(bridge, events), media_type=EVENT_STREAM, headers=headers)


async def _counted(bridge: Bridge, events: AsyncIterator[str]) -> AsyncIterator[str]:
    bridge.watchers += 1
    try:
        async for event in events:
            yield event
    finally:
        bridge.watchers -= 1


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"


def _you(request: Request) -> str:
    """Tell a watcher what its key is good for."""
    door: Door = request.app.state.bridge.door
    return _event("you", {"may_act": door.allows(request, _WRITE), "may_hear": door.allows(request, _HEAR)})


def _stopping(bridge: Bridge) -> bool:
    return bridge.registry.draining and bridge.registry.idle


# One call


async def _one(request: Request, id: str) -> AsyncIterator[str]:
    bridge: Bridge = request.app.state.bridge
    yield _you(request)
    told_record, told_now, seen = "", "", _Seen()
    async for pump in _looks(bridge, id):
        record = await bridge.registry.find(id)
        if record is None:
            return
        shown_record = _event("call", await _whole(request, record))
        if shown_record != told_record:
            told_record = shown_record
            yield shown_record
        if pump is None:
            yield _event("end", {"id": id, "status": record.status})
            return
        now = _event("now", _now(pump))
        yield now if now != told_now else ": still here\n\n"
        told_now = now
        if picture := seen.more(request, pump):
            yield _event("timeline", picture)


class _Seen:
    """How much of a call's time line a watcher was shown; the newest steps may still change."""

    def __init__(self) -> None:
        self._steps = 0
        self._events = 0

    def more(self, request: Request, pump: Pump) -> dict[str, Any] | None:
        """Give what is new, from the step ``from`` on; None where there is nothing."""
        timeline = pump.trace.timeline
        steps = pump.view().ms // STEP_MS
        events = events_for(request, msgspec.to_builtins(timeline.events[self._events :]))
        if steps <= self._steps and not events:
            return None
        caller, heard = timeline.levels(self._steps)
        shown, new = self._steps, max(0, steps - self._steps)
        self._steps, self._events = shown + new, len(timeline.events)
        return {"step_ms": STEP_MS, "from": shown, "caller": caller[:new], "heard": heard[:new], "events": events}


async def _looks(bridge: Bridge, id: str) -> AsyncIterator[Pump | None]:
    """Give the call's pump whenever it is worth a look, and at last None: it is not live here, or not any more."""
    nudged = asyncio.Event()
    while (pump := bridge.registry.pump(id)) is not None and not _stopping(bridge):
        pump.watch(nudged.set)
        try:
            while bridge.registry.pump(id) is pump:
                yield pump
                await _nudge(nudged)
        finally:
            pump.unwatch(nudged.set)
    yield None


async def _nudge(nudged: asyncio.Event) -> None:
    """Wait for a nudge, for LOOK_SECONDS at least and BEAT_SECONDS at most."""
    await asyncio.sleep(LOOK_SECONDS)
    try:
        async with asyncio.timeout(BEAT_SECONDS):
            await nudged.wait()
    except TimeoutError:
        pass
    nudged.clear()


async def _whole(request: Request, record: CallRecord) -> dict[str, Any]:
    found = await receipts.of_call(request.app.state.bridge, record.id) if record.actions else []
    return {**shown(request, record), "receipts": found}


def _now(pump: Pump) -> dict[str, Any]:
    """Show what is going on, and the figures so far."""
    view, trace = msgspec.to_builtins(pump.view()), pump.trace
    counts = {field: getattr(trace.counts, field) for field in Counts.__struct_fields__}
    samples: dict[str, list[float]] = {}
    for sample in trace.samples:
        samples.setdefault(sample.name, []).append(round(sample.value, 3))
    return {**view, "counts": counts, "samples": {name: values[-50:] for name, values in samples.items()}}


# All calls


async def _every(request: Request) -> AsyncIterator[str]:
    bridge: Bridge = request.app.state.bridge
    yield _you(request)
    told: dict[str, dict[str, Any]] = {}
    read_at = -LIST_SECONDS
    while not _stopping(bridge):
        now = time.monotonic()
        if now - read_at >= LIST_SECONDS:
            read_at, records = now, [each for each in await bridge.registry.list() if sees(request, each.user_id)]
            told = {record.id: told[record.id] for record in records if record.id in told}
        else:
            found = [await bridge.registry.find(each) for each in _changing(bridge, told)]
            records = [record for record in found if record is not None and sees(request, record.user_id)]
        rows = [_row(request, record) for record in records]
        fresh = [row for row in rows if told.get(row["id"]) != row]
        told.update((row["id"], row) for row in fresh)
        yield _event("calls", fresh) if fresh else ": still here\n\n"
        await asyncio.sleep(LOOK_SECONDS * 2)


def _changing(bridge: Bridge, told: dict[str, dict[str, Any]]) -> list[str]:
    """Name the calls that are live here, and those that were when they were told last."""
    live = {record.id for record, _ in bridge.registry.traces()}
    return [*live, *(each for each, row in told.items() if row["live"] and each not in live)]


def _row(request: Request, record: CallRecord) -> dict[str, Any]:
    """Show a call in a line: no more of what was said than the last words."""
    pump = request.app.state.bridge.registry.pump(record.id)
    row = shown(request, record)
    transcript, actions = row.pop("transcript"), row.pop("actions")
    del row["timeline"]
    answer_ms = None if pump is None else _last_answer(pump)
    lines = pump.view().lines if pump is not None else ()
    last = {"speaker": lines[-1].speaker, "text": lines[-1].text} if lines else _last(transcript)
    return {**row, "live": pump is not None, "last": last, "actions": len(actions), "answer_ms": answer_ms}


def _last_answer(pump: Pump) -> int | None:
    return next((each.ms for each in reversed(pump.trace.timeline.events) if each.kind == "answer"), None)


def _last(transcript: list[dict[str, Any]]) -> dict[str, Any] | None:
    return {name: transcript[-1][name] for name in ("speaker", "text")} if transcript else None


ROUTES = (
    Route("/v1/calls/events", every, methods=["GET"]),
    Route("/v1/calls/{id}/events", one, methods=["GET"]),
)
