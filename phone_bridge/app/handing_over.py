"""A stream that somebody else's IVR opens by itself: let in by a token made with its route's key, and put on record."""

import asyncio
from collections.abc import Mapping
from hashlib import sha256

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.handing_back import keep_way_back, way_back
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.legs.twilio.admission import ROUTE_KEY, Admission, Key
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.legs.twilio.webhook import withheld
from phone_bridge.runtime.record import CallRecord

FROM, TO = "from", "to"
"""The parameters that say who calls whom, which no stream tells by itself."""


def route_keys(bridge: Bridge, route: str) -> Mapping[str, Key]:
    """Give the key that tokens of an IVR's own may be made with for ``route``, by its name; none for most routes."""
    served = bridge.tenants.named(route)
    name = ROUTE_KEY + route
    return {name: Key(name, served.return_key.encode())} if served is not None and served.return_key else {}


async def take_over(bridge: Bridge, start: StreamStart, admission: Admission, now: int) -> CallRecord:
    """Begin the record of a call whose stream has come without a webhook; the token is used up.

    Raises Refused, Unavailable, and RemoteError for a way back that is not allowed.
    """
    served = bridge.tenants.named(admission.route)
    if served is None or bridge.registry.draining:
        raise Refused("The stream was not announced to this process, which is about to stop.", code="draining")
    if not bridge.registry.has_room_on(served.route, served.max_calls):
        raise Unavailable("all lines of the route are in use", code="busy")
    told = start.custom_parameters
    back = way_back(served, told)
    used = sha256(f"{admission.route}/{admission.jti}".encode()).hexdigest()
    if not await asyncio.to_thread(bridge.records.admit, used, admission.expires_at, now):
        raise Refused("The stream's token was used before.", code="token_used")
    record = bridge.record(
        carrier_id=start.call_sid,
        direction="inbound",
        from_number=_number(told.get(FROM, "")),
        to_number=_number(told.get(TO, "")),
        served=served,
    )
    return keep_way_back(record, back)


def _number(told: str) -> str | None:
    return None if withheld(told) else told
