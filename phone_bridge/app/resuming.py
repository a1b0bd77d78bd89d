"""A call whose stream has ended: whether it is over, has failed, or was cut off and comes back.

Each stream carries one part of a call; the first is part 0. A call that was cut off, by the network, by a process that
was killed or by one that stopped, goes on as its next part in whichever process the carrier asks.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urlencode

import twiml
from phone_bridge.app.bridge import Bridge
from phone_bridge.errors import Unavailable
from phone_bridge.legs.twilio.admission import issue, nonce
from phone_bridge.legs.twilio.webhook import whole_number
from phone_bridge.runtime.record import CallRecord
from phone_bridge.runtime.registry import Announced

CONNECT_PATH = "/twilio/connect"
PART = "part"
"""The query parameter that says which part of a call has ended; the first one's address has none."""
ATTEMPT = "attempt"
"""The query parameter that counts how often a call was sent on."""

MAX_MOVES = 5
"""How often a call is sent on by processes that are about to stop, before its caller hears an apology."""
MOVE_SECONDS = 2
"""How long the carrier waits before it asks again."""
MAX_RESUMES = 3
"""How often one call is brought back after it was cut off."""

FAULTS = frozenset({"session_unavailable", "session_refused", "session_lost", "session_expired", "bridge_failed"})
"""Errors of a call that the bridge ended, after an apology, because it could not serve the caller any longer."""

log = logging.getLogger("phone_bridge.twilio")


class Next(StrEnum):
    """What comes after a stream."""

    HANG_UP = "hang_up"
    RESUME = "resume"
    FALL_BACK = "fall_back"  # the caller has heard the apology
    APOLOGISE = "apologise"  # and then fall back


def next_step(record: CallRecord | None, part: int, returned: int = 0) -> Next:
    """Decide what comes after the stream of ``part``, of a call that came back ``returned`` times unhurt."""
    if record is None:
        return Next.APOLOGISE
    if record.ended_by == "bridge" and record.error in FAULTS:
        return Next.FALL_BACK
    if not was_cut(record):
        return Next.HANG_UP
    return Next.RESUME if part - returned < MAX_RESUMES else Next.APOLOGISE


def was_cut(record: CallRecord) -> bool:
    """Tell whether a call was cut off: its leg was lost, or nobody has said a word about its end."""
    return record.ended_by in (None, "carrier")


def ended_part(bridge: Bridge, record: CallRecord | None, named: str) -> int:
    """Tell which part's stream has ended, as its address names it; that of the first part has no name."""
    part = whole_number(named)
    if part is not None or record is None:
        return part or 0
    return 0 if bridge.registry.is_live(record.id) else record.resumed


async def newest(bridge: Bridge, carrier_id: str) -> CallRecord | None:
    """Find the record of the carrier's call as far as any process has brought it; raises Unavailable.

    A call that is live here or ended here a moment ago is known without the database, unless it went on elsewhere.
    """
    known = bridge.registry.known(carrier_id)
    if known is not None and bridge.registry.is_live(known.id):
        return known
    try:
        kept = await bridge.spool.find_carrier(carrier_id)
    except Unavailable:
        if known is None:
            raise
        return known
    if known is None or (kept is not None and (kept.id != known.id or kept.resumed > known.resumed)):
        return kept
    return known


async def resume(bridge: Bridge, record: CallRecord, part: int, account_sid: str) -> Announced | None:
    """Expect the stream of ``part``; None without a free line. Asked again it gives the same answer."""
    registry = bridge.registry
    key = await asyncio.to_thread(bridge.stream_keys.signing, int(time.time()))
    if record.resumed < part:
        await registry.supersede(record.id)  # its socket may still look alive from here
    known = registry.announced(record.carrier_id)
    if known is not None and known.record.id == record.id and known.part >= part:
        return known
    registry.forget(record.carrier_id)
    if not registry.has_room():
        return None
    token = issue(
        key,
        call_sid=record.carrier_id,
        account_sid=account_sid,
        now_epoch_s=int(time.time()),
        nonce=nonce(record.id, part),
    )
    return registry.announce(record, token, part)


def connect_stream(bridge: Bridge, known: Announced) -> str:
    """Give the document that connects the caller to the stream of an announced call."""
    base = bridge.settings.base_url
    action = f"{base}{CONNECT_PATH}" + (f"?{PART}={known.part}" if known.part else "")
    return twiml.connect_stream(bridge.settings.stream_url, action, known.token, f"{base}/twilio/stream")


def move_on(bridge: Bridge, path: str, query: Iterable[tuple[str, str]]) -> str:
    """Have the carrier ask again in a moment, when another process answers; an empty text after MAX_MOVES times."""
    pairs = list(query)
    attempt = whole_number(dict(pairs).get(ATTEMPT, "")) or 0
    if attempt >= MAX_MOVES:
        log.warning("x a call was turned away: nobody but a stopping process answered %d times", attempt)
        return ""
    kept = [pair for pair in pairs if pair[0] != ATTEMPT]
    log.info("= a call is moved on, attempt %d", attempt + 1)
    return twiml.move_on(f"{bridge.settings.base_url}{path}?{urlencode([*kept, (ATTEMPT, attempt + 1)])}", MOVE_SECONDS)
