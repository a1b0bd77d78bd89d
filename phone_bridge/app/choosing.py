"""Which route a call is served by: what a carrier's request says of it, held against the tenants' routes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from phone_bridge.app.bridge import Bridge
from phone_bridge.errors import RemoteError
from phone_bridge.legs.twilio.webhook import ConnectEnded, Form, IncomingCall
from phone_bridge.routing import Facts
from phone_bridge.settings import Settings
from phone_bridge.tenants import Served

LANGUAGE = "language"
"""The query parameter that says which language a call comes with, for whoever sends one on to us."""
ROUTE = "route"
"""The query parameter that names a route, likewise."""
SIP_HEADER = "SipHeader_"
"""What the carrier puts before the name of a header that a SIP call came with."""


def choose(bridge: Bridge, call: IncomingCall | ConnectEnded, language: str = "") -> Served:
    """Find what a call is given that begins now; one of our own is served by a route at any hour."""
    facts = facts_of(call, language)
    if call.direction == "inbound":
        return bridge.tenants.choose(facts, datetime.now(UTC))
    return bridge.tenants.choose_outbound(facts)


def choose_by(bridge: Bridge, call: IncomingCall | ConnectEnded, query: Mapping[str, str]) -> Served:
    """Find the same where the address that was asked may name a route; raises RemoteError ``route_not_named``."""
    name = query.get(ROUTE)
    if name is None:
        return choose(bridge, call, query.get(LANGUAGE, ""))
    served = bridge.tenants.named(name)
    if served is None:
        raise RemoteError(
            "The call was handed over to a route that does not exist or may not be named: give that one return_urls, "
            "or named = true.",
            code="route_not_named",
        )
    return served


def facts_of(call: IncomingCall | ConnectEnded, language: str = "") -> Facts:
    """Say what is known of a call."""
    ours, theirs = (call.to, call.from_) if call.direction == "inbound" else (call.from_, call.to)
    headers = sip_headers(call.parameters) if isinstance(call, IncomingCall) else {}
    return Facts(called=ours, calling=theirs, headers=MappingProxyType(headers), language=language)


def sip_headers(form: Form) -> dict[str, str]:
    """Give the headers of a SIP call as far as the carrier passes them on, by their names in lower case."""
    return {name.removeprefix(SIP_HEADER).lower(): form.get(name) for name in form if name.startswith(SIP_HEADER)}


def settings_of(bridge: Bridge, call: IncomingCall | ConnectEnded) -> Settings:
    """Find the settings that a call is served by, as far as this process knows without asking the database."""
    announced = bridge.registry.announced(call.call_sid)
    record = announced.record if announced is not None else bridge.registry.known(call.call_sid)
    return choose(bridge, call).settings if record is None else bridge.tenants.settings_of(record)
