"""What callers leave on the voicemail: kept with their call's record, and told to whoever takes the bridge's webhooks.

The carrier keeps the sound. The record has its address, its length and, once the carrier has written it down, its
words; all of that goes with the record when the retention time is over. Nothing is ever fetched from that address.
"""

import asyncio
import logging
from typing import Any

from phone_bridge.app.bridge import Bridge
from phone_bridge.errors import Unavailable
from phone_bridge.legs.twilio.webhook import Recording, Transcription
from phone_bridge.runtime.record import CallRecord

LEFT, TRANSCRIBED = "voicemail.left", "voicemail.transcribed"
"""The types of the webhooks."""

log = logging.getLogger("phone_bridge.twilio")


async def leave(bridge: Bridge, record: CallRecord, recording: Recording) -> None:
    """Keep that a message was left, and tell of it once, however often the carrier does."""
    async with bridge.voicemail_turn:
        known = await _known(bridge, record)
        seconds = recording.seconds if recording.seconds is not None else known.get("seconds")
        _keep(bridge, record, {"url": recording.url, "seconds": seconds, "text": known.get("text")})
    await _tell(bridge, record, LEFT)
    log.info("= call %s has left a message", record.id)


async def write_down(bridge: Bridge, record: CallRecord, said: Transcription) -> None:
    """Keep what was said in a message, and tell of it once; the text of what the carrier could not hear is empty."""
    async with bridge.voicemail_turn:
        known = await _known(bridge, record)
        _keep(bridge, record, {"url": said.url, "seconds": known.get("seconds"), "text": said.text})
    await _tell(bridge, record, TRANSCRIBED)


async def _known(bridge: Bridge, record: CallRecord) -> dict[str, Any]:
    """Read what is kept of a message: the carrier's words on it come in any order, and to any process."""
    try:
        kept = await bridge.spool.find_carrier(record.carrier_id)
    except Unavailable:
        kept = None
    return (kept or record).voicemail or {}


def _keep(bridge: Bridge, record: CallRecord, message: dict[str, Any]) -> None:
    record.status, record.recording, record.voicemail = "voicemail", message["url"], message
    bridge.spool.put(record, urgent=True)


async def _tell(bridge: Bridge, record: CallRecord, kind: str) -> None:
    data = {
        "call_id": record.id,
        "carrier_id": record.carrier_id,
        "from": record.from_number,
        "to": record.to_number,
        "user_id": record.user_id,
        "route": record.route,
        "voicemail": record.voicemail,
    }
    id_ = f"evt_{record.id}_{kind.partition('.')[2]}"
    try:
        await asyncio.to_thread(bridge.outbound.announce, id_, kind, data)
    except Unavailable as error:
        log.warning("! a message left in call %s cannot be told of: %s", record.id, error.code)
