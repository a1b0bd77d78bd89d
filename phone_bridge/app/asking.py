"""Callers who ask for a person in words: to whom they may be put through, and the putting through.

Models that call functions have ``transfer_call`` for it; for every other session the bridge understands the wish.
"""

from collections.abc import Mapping

from phone_bridge.app import transferring
from phone_bridge.app.bridge import Bridge
from phone_bridge.outbound.targets import Kind, named
from phone_bridge.runtime.record import CallRecord
from phone_bridge.settings import FUNCTION_CALLING


def serve(bridge: Bridge) -> None:
    """Have the calls of ``bridge`` understand who asks for a person."""
    bridge.callees = lambda record: callees(bridge, record)
    bridge.put_through = lambda record, name: put_through(bridge, record, name)


def callees(bridge: Bridge, record: CallRecord) -> Mapping[str, bool]:
    """Say to whom a call's caller may be put through by the bridge itself, and whether a person picks up there."""
    settings = bridge.tenants.settings_of(record)
    if settings.session in FUNCTION_CALLING or not transferring.movable(bridge, record.id, record.carrier_id):
        return {}
    by_sip = bridge.sip_transfers.carries(record.id)  # whose own side calls numbers and addresses, and nothing else
    return {
        target.name: target.rings or target.kind is Kind.QUEUE
        for target in settings.targets.values()
        if target.rings or not by_sip
    }


async def put_through(bridge: Bridge, record: CallRecord, name: str) -> None:
    """Put a call's caller through to one of those; raises Refused, Unavailable, RemoteError."""
    target = named(name, bridge.tenants.settings_of(record).targets)
    await transferring.ask(bridge, record, target)
