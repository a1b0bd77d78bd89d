"""Being told by the other side of a call to go on with somebody else (REFER): who may, and whom they may name.

Whoever has the bridge call somebody does it at its operator's cost. So a trunk has to be allowed to at all, and whom it
names passes as the destination of any outbound call does; beside those only the trunk's own addresses do.
"""

import logging
from ipaddress import ip_address, ip_network

from msgspec import structs

from phone_bridge.app.bridge import Bridge
from phone_bridge.app.sip_calls import seal, wanted
from phone_bridge.errors import Refused, RemoteError, Unavailable
from phone_bridge.legs.sip.access import REALM
from phone_bridge.legs.sip.calling import Wanted
from phone_bridge.legs.sip.dialog import is_address, transport_of
from phone_bridge.legs.sip.locating import Target
from phone_bridge.legs.sip.message import Fields
from phone_bridge.legs.sip.referring import Referral
from phone_bridge.legs.sip.replacing import REPLACES
from phone_bridge.outbound.destinations import allowed
from phone_bridge.runtime.sip import FORBIDDEN, MAX_CHANGES, UNAVAILABLE, Party, SipServer
from phone_bridge.runtime.sip_trunks import SipTrunk, calls_as, codecs, domain, domains, outward
from phone_bridge.settings import Settings

MAX_RING_S = 45
"""How long whoever is named may ring: the one who has named them may be gone, and a line without sound ends soon."""

log = logging.getLogger("phone_bridge.sip")


async def refer(bridge: Bridge, server: SipServer, party: Party, referral: Referral) -> None:
    """Go on with whom the other side names, or tell it why not."""
    call_id = bridge.sip_transfers.id_of(party)
    try:
        asked = await _asked(bridge.settings, server, party, referral)
    except Refused as error:
        log.warning("x call %s is not put through by trunk %s: %s", call_id, party.trunk_name, error)
        party.decline(FORBIDDEN)
        return
    except Unavailable as error:
        log.warning("x call %s cannot be put through by trunk %s: %s", call_id, party.trunk_name, error)
        party.decline(UNAVAILABLE)
        return
    log.info("= call %s is being put through by trunk %s to trunk %s", call_id, party.trunk_name, asked.trunk)
    try:
        await party.follow(asked)
    except (Refused, RemoteError, Unavailable) as error:
        log.info("= call %s was not put through: %s", call_id, error.code)


def may_change(bridge: Bridge, party: Party) -> bool:
    """Tell whether a call is with an assistant, which learns that somebody else has come; menus take nobody over.

    Behind a menu a call begins with what is known of whoever has phoned.
    """
    call_id = bridge.sip_transfers.id_of(party)
    return any(record.id == call_id and bool(record.session) for record, _ in bridge.registry.traces())


def changed(bridge: Bridge, party: Party) -> None:
    """Know that somebody else has taken a call over."""
    call_id = bridge.sip_transfers.id_of(party)
    if not call_id:
        return
    trunk = _trunk(bridge.settings, party)
    named = trunk is not None and (trunk.domains or trunk.proxy)
    bridge.sip_transfers.enter(
        call_id, party, domain(trunk) if trunk is not None and named else party.dialog.source.host
    )
    log.info("= call %s goes on with somebody else, trunk %s", call_id, party.trunk_name)


async def _asked(settings: Settings, server: SipServer, party: Party, referral: Referral) -> Wanted:
    trunk = _trunk(settings, party)
    if trunk is None or not trunk.refers:
        raise Refused("It may not: see may_refer in [[sip_trunks]].", code="refer_not_allowed")
    if party.changes >= MAX_CHANGES:
        raise Refused(f"It was put through {MAX_CHANGES} times already.", code="refer_too_often")
    if (referral.uri.parameters.get("method") or "INVITE").upper() != "INVITE":
        raise Refused("It asks for something else than a call.", code="refer_not_allowed")
    asked = await _within(settings, server, trunk, party, referral)
    if asked is None:
        to = destination(settings, referral, party.dialog.here[0])
        out = outward(settings.sip_trunks, to)
        if out is None:
            raise Refused("No trunk leads there.", code="destination_not_allowed")
        asked = await wanted(server, out, to, "", min(settings.ring_seconds, MAX_RING_S))
    fields: Fields = (("Referred-By", referral.by),) if referral.by else ()
    if referral.replaces is not None:
        fields = (*fields, ("Replaces", referral.replaces.written()), ("Require", REPLACES))
    return structs.replace(asked, fields=fields)


async def _within(
    settings: Settings, server: SipServer, trunk: SipTrunk, party: Party, referral: Referral
) -> Wanted | None:
    """Say how somebody is called at the trunk's own addresses; None for who is not there. Raises Refused."""
    uri = referral.uri
    host = uri.host.strip("[]")
    if not is_address(host) or not any(ip_address(host) in ip_network(each) for each in trunk.addresses):
        return None
    if uri.user:
        allowed(f"sip:{uri.user}@{uri.host}".lower(), settings.allowed_prefixes, {uri.host.lower()})
    elif referral.replaces is None:
        raise Refused("It names nobody.", code="destination_malformed")
    hop, *_ = await server.find(Target(host, uri.port, transport_of(uri)))
    port = f":{uri.port}" if uri.port else ""
    return Wanted(
        uri=f"{uri.scheme}:{uri.user}@{uri.host}{port}" if uri.user else f"{uri.scheme}:{uri.host}{port}",
        from_=f"<sip:{calls_as(trunk)}@{party.dialog.here[0]}>",
        hop=hop,
        ring_ms=min(settings.ring_seconds, MAX_RING_S) * 1000,
        description=b"",
        username=trunk.username if trunk.proxy else "",
        password=trunk.password if trunk.proxy else "",
        srtp=seal(trunk, hop),
        codecs=codecs(trunk),
        trunk=trunk.name,
    )


def destination(settings: Settings, referral: Referral, here: str) -> str:
    """Give whom a peer names as an outbound call would name them, ``+…`` or ``sip:…``; raises Refused."""
    uri = referral.uri
    user, host = (uri.user or "").partition(";")[0], uri.host.lower()
    if uri.scheme.lower() == "tel" or host in (here, settings.sip_host, REALM):
        to = user if user.startswith("+") or uri.scheme.lower() == "tel" else f"sip:{user}@{REALM}"
    else:
        to = f"sip:{user}@{host}"
    allowed(to, settings.allowed_prefixes, domains(settings.sip_trunks))
    return to


def _trunk(settings: Settings, party: Party) -> SipTrunk | None:
    return next((trunk for trunk in settings.sip_trunks if trunk.name == party.trunk_name), None)
