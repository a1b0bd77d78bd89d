"""What callers leave on the voicemail: kept with their call's record, and told to whoever takes the bridge's webhooks.

The carrier keeps the sound, or the bridge does where it took the message itself. The record has its address, its length
and, once the carrier has written it down, its words; all of that goes with the record when the retention time is over.
Nothing is ever fetched from that address.
"""

import asyncio
import logging

from phone_bridge.app.bridge import Bridge
from phone_bridge.errors import Unavailable
from phone_bridge.legs.twilio.webhook import Transcription
from phone_bridge.runtime.record import CallRecord

LEFT, TRANSCRIBED = "voicemail.left", "voicemail.transcribed"
"""The types of the webhooks."""

log = logging.getLogger("phone_bridge.twilio")


async def leave(bridge: Bridge, record: CallRecord, url: str | None, seconds: int | None) -> None:
    """Keep that a message was left at ``url``, and tell of it once, however often the carrier does."""
    async with bridge.voicemail_turn:
        await _catch_up(bridge, record)
        if seconds is not None:
            record.voicemail_seconds = seconds
        _keep(bridge, record, url)
    await _tell(bridge, record, LEFT)
    log.info("= call %s has left a message", record.id)


async def write_down(bridge: Bridge, record: CallRecord, said: Transcription) -> None:
    """Keep what was said in a message, and tell of it once; the text of what the carrier could not hear is empty."""
    async with bridge.voicemail_turn:
        await _catch_up(bridge, record)
        record.voicemail_text = said.text
        _keep(bridge, record, said.url)
    await _tell(bridge, record, TRANSCRIBED)


async def _catch_up(bridge: Bridge, record: CallRecord) -> None:
    """Take over what is kept of a message: the carrier's words on it come in any order, and to any process."""
    try:
        kept = await bridge.spool.find_carrier(record.carrier_id)
    except Unavailable:
        return
    if kept is not None and kept.id == record.id:
        record.voicemail_seconds, record.voicemail_text = kept.voicemail_seconds, kept.voicemail_text


def _keep(bridge: Bridge, record: CallRecord, url: str | None) -> None:
    record.status, record.voicemail = "voicemail", url
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
        "voicemail_seconds": record.voicemail_seconds,
        "voicemail_text": record.voicemail_text,
    }
    id_ = f"evt_{record.id}_{kind.partition('.')[2]}"
    try:
        await asyncio.to_thread(bridge.outbound.announce, id_, kind, data)
    except Unavailable as error:
        log.warning("! a message left in call %s cannot be told of: %s", record.id, error.code)
