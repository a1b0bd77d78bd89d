"""Receipts for programs: those of a call, and the keys that check them."""

import asyncio
import logging

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from phone_bridge.app.bridge import Bridge
from phone_bridge.call.receipt import Receipt
from phone_bridge.errors import Unavailable
from phone_bridge.runtime.receipts import newest

KEYS_PATH = "/v1/receipts/keys"

log = logging.getLogger("phone_bridge.receipts")


async def of_call(bridge: Bridge, call_id: str) -> list[Receipt] | None:
    """Read the newest revision of each receipt; None while the database fails, for a live call is shown even then."""
    try:
        return newest(await asyncio.to_thread(bridge.receipts.of_call, call_id))
    except Unavailable as error:
        log.warning("! the receipts of call %s cannot be read now: %s", call_id, error)
        return None


async def keys(request: Request) -> Response:
    """Show the public keys as a JWK Set, to everybody: they tell of no call, and are there to be handed on."""
    bridge: Bridge = request.app.state.bridge
    found = await asyncio.to_thread(bridge.receipts.keys)
    content = msgspec.json.encode({"keys": [key.jwk() for key in found]})
    return Response(content, media_type="application/json")
