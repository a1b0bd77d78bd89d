"""Calls' recordings over HTTP: to be heard by whoever has a key for that, and deleted by an operator.

Who may read what was said may not hear it: that needs a scope of its own, ``recordings:read``.
"""

import asyncio
import time
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from phone_bridge.app.answers import problem
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.calls import find
from phone_bridge.app.door import refuse
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.recordings import DELETED, RECORDING

PATH = "/v1/calls/{id}/recording"
WAV = "audio/wav"
QUIET_SECONDS = 5.0
"""A recording that was written to so lately goes on, perhaps in another process."""


async def show(request: Request) -> Response:
    """Give a call's recording, or a range of it."""
    if refusal := refuse(request, "recordings:read"):
        return refusal
    found = await _find(request)
    if isinstance(found, Response):
        return found
    record, path = found
    return FileResponse(path, media_type=WAV, filename=f"{record.id}.wav", content_disposition_type="inline")


async def delete(request: Request) -> Response:
    """Delete a call's recording; its record says that there was one."""
    if refusal := refuse(request, "calls:write"):
        return refusal
    found = await _find(request)
    if isinstance(found, Response):
        return found
    bridge: Bridge = request.app.state.bridge
    record, _ = found
    try:
        await asyncio.to_thread(bridge.recordings.delete, record.id)
    except OSError as error:
        message = f"The recording of the call {record.id} cannot be deleted: {error.strerror}."
        return problem(503, "api_error", "recording_not_deleted", message)
    known = record.recording or {}
    record.recording = {**known, "state": DELETED, "reason": ""}
    bridge.spool.put(record, urgent=True)
    return Response(status_code=204)


async def _find(request: Request) -> tuple[CallRecord, Path] | Response:
    bridge: Bridge = request.app.state.bridge
    id = request.path_params["id"]  # noqa: A001 - the parameter's own name
    record = await find(request)
    if record is None:
        return problem(404, "invalid_request_error", "call_not_found", f"There is no call {id}.")
    path = await asyncio.to_thread(bridge.recordings.find, record.id) if record.recording is not None else None
    if path is None:
        message = f"There is no recording of the call {record.id} on this machine."
        return problem(404, "invalid_request_error", "recording_not_found", message)
    if bridge.registry.is_live(record.id) or await asyncio.to_thread(_goes_on, record, path):
        message = f"The call {record.id} is still being recorded: ask again when it is over."
        return problem(409, "invalid_request_error", "call_live", message)
    return record, path


def _goes_on(record: CallRecord, path: Path) -> bool:
    going_on = (record.recording or {}).get("state") == RECORDING
    return going_on and time.time() - path.stat().st_mtime < QUIET_SECONDS


ROUTES = (
    Route(PATH, show, methods=["GET"]),
    Route(PATH, delete, methods=["DELETE"]),
)
