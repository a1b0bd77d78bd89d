"""A caller whom somebody else's IVR has handed over: which way back it asks for, and the result that it gets."""

import logging
import time
from collections.abc import Mapping
from enum import StrEnum

import msgspec

import twiml
from phone_bridge import handover
from phone_bridge.app.bridge import Bridge
from phone_bridge.app.resuming import Next, newest
from phone_bridge.errors import RemoteError, Unavailable
from phone_bridge.handover import Result, WayBack
from phone_bridge.runtime.record import CallRecord
from phone_bridge.tenants import Served

RETURN_URL = "return_url"
"""The parameter by which an IVR says where its caller is to go in the end."""
REF = "ref"
"""The parameter with which it finds that caller again."""

log = logging.getLogger("phone_bridge.twilio")


class Ended(StrEnum):
    """Why a caller goes back."""

    COMPLETED = "completed"
    FAILED = "failed"  # the caller has heard an apology
    DRAINED = "drained"
    CUT_OFF = "cut_off"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    TRANSFERRED = "transferred"
    NOT_ANSWERED = "not_answered"
    VOICEMAIL = "voicemail"
    NO_CHOICE = "no_choice"  # of our own menus


_BY_STEP = {Next.FALL_BACK: Ended.FAILED, Next.APOLOGISE: Ended.CUT_OFF, Next.RESUME: Ended.CUT_OFF}


def way_back(served: Served, parameters: Mapping[str, str]) -> WayBack | None:
    """Read which way back a call has that is handed over; None without one. Raises RemoteError like ``handover``."""
    url = parameters.get(RETURN_URL)
    if url is None:
        return None
    back = handover.way_back(served.return_urls, served.return_key, url, parameters.get(REF, ""))
    return msgspec.structs.replace(back, route=served.route or "")


def way_back_of(bridge: Bridge, record: CallRecord) -> WayBack | None:
    """Give the way back of a call that is known, if its route allows it still."""
    if record.return_url is None:
        return None
    served = bridge.tenants.named(record.return_route or "")
    told = {RETURN_URL: record.return_url, REF: record.return_ref or ""}
    try:
        return way_back(served or bridge.tenants.own, told)
    except RemoteError as error:
        log.warning("! call %s cannot go back to where it came from: %s", record.id, error.code)
        return None


def keep_way_back(record: CallRecord, back: WayBack | None) -> CallRecord:
    """Write down which way back a call has."""
    if back is not None:
        record.return_url, record.return_ref, record.return_route = back.url, back.ref or None, back.route
    return record


def hand_back(back: WayBack, call_sid: str, ended: Ended, record: CallRecord | None = None) -> str:
    """Give the document that sends a caller back with what came of the call."""
    log.info("> call %s goes back to where it came from: %s", record.id if record else "that never began", ended)
    result = Result(call_sid=call_sid, ended=ended) if record is None else _result(record, call_sid, ended)
    return twiml.hand_back(handover.address(back, result, int(time.time())))


async def hand_back_after(bridge: Bridge, call_sid: str, ended: Ended, told: WayBack | None) -> str:
    """Give the same after a verb that is no stream; an empty text without a way back, or where none can be found.

    ``told`` is the way back in the address that asks, for a call without a record.
    """
    try:
        record = await newest(bridge, call_sid)
    except Unavailable as error:
        log.warning("! whether a call has a way back cannot be looked up: %s", error.code)
        return ""
    back = told if record is None or record.return_url is None else way_back_of(bridge, record)
    return "" if back is None else hand_back(back, call_sid, ended, record)


def why(record: CallRecord, step: Next) -> Ended:
    """Say why a call's stream has ended, of which ``step`` would come next without a way back."""
    if step is Next.HANG_UP:
        return Ended.DRAINED if record.ended_by == "drain" else Ended.COMPLETED
    return _BY_STEP[step]


def _result(record: CallRecord, call_sid: str, ended: Ended) -> Result:
    keys = [action["answer"] for action in record.actions if action["by"] == "digit"]
    return Result(
        call=record.id,
        call_sid=call_sid,
        ended=ended,
        error=record.error or "",
        actions=[(action["name"], action["verdict"], action["outcome"]) for action in record.actions],
        digits=keys[-1] if keys else "",
    )
