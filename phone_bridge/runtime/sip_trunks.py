"""Who may call by SIP, as an operator writes it down: ``[[sip_trunks]]`` in ``phone-bridge.toml``, and where we listen.

A password is never written there: it is the value of an environment variable.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct, structs
from sipmessage import URI

from phone_bridge.errors import SettingsError
from phone_bridge.legs.sip.access import REALM, Trunk
from phone_bridge.legs.sip.codec import CODECS, NAMES
from phone_bridge.legs.sip.dialog import TRANSPORTS, Hop, port_of
from phone_bridge.legs.sip.digest import ALGORITHMS
from phone_bridge.legs.sip.locating import Target, fixed_transport
from phone_bridge.legs.sip.registering import MAX_EXPIRES_S, MIN_EXPIRES_S, Binding
from phone_bridge.legs.sip.srtp import Srtp
from phone_bridge.routing import sip_host, sip_user_of
from phone_bridge.runtime.sip import Ports
from phone_bridge.runtime.sip_transports import Listening

OURSELVES = "assistant"
"""Who calls a desk phone."""
MIN_RTP_PORT, MAX_RTP_PORT = 1_024, 65_535


_CODECS = {name.lower(): codec for codec, name in NAMES.items()}


class SipTrunk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A telephone, a PBX or a provider: known by where it calls from, by credentials, or by both.

    One with a ``proxy`` is called there; its credentials are what we show then, and not what it shows to us.
    """

    name: str
    user_id: str = ""
    """Whose assistant it reaches; ``PHONE_BRIDGE_USER_ID``'s when empty."""
    addresses: tuple[str, ...] = ()
    """Addresses or networks, such as ``192.0.2.7`` or ``198.51.100.0/24``."""
    username: str = ""
    password_env: str = ""
    """Names the environment variable that holds the password."""
    algorithm: str = "MD5"
    """How the password is proven, ``SHA-256`` (RFC 8760) or ``MD5``, which is all that most telephones know."""
    proxy: str = ""
    """Where it is called, ``host[:port][;transport=udp|tcp|tls]``; a name alone leads to its servers (RFC 3263)."""
    calls_out: bool = False
    """Whether outbound calls go by it: to all numbers, or to those that begin with any of ``prefixes``, and to SIP
    addresses of its ``domains``. Of several the first that fits has the call."""
    registers: bool = False
    """Whether we register there as ``username``, for ``expires`` seconds at a time, and take the calls that come."""
    expires: int = 600
    prefixes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    """Beside the proxy's own name; the first is where numbers are called and what calls come from."""
    srtp: str = ""
    """Whether sound is sealed: ``off``, ``offer`` (where the peer knows it), ``require``; empty for ``offer`` over TLS,
    and ``off`` where keys would go in the clear."""
    codecs: tuple[str, ...] = ()
    """What is spoken with it, of ``pcmu``, ``pcma`` and ``g722``, in the order of our offers; else the first two."""
    desk_phone: bool = False
    """Whether it is a telephone that registers with us, by its credentials; called as ``sip:username@phone-bridge``."""
    may_refer: bool | None = None
    """Whether it may have us go on with somebody else (REFER); where nothing is said, a desk phone alone may."""
    number: str = ""
    """The number that is shown, where a call names none; else the username is."""
    password: str = ""
    """Filled in by ``opened``."""

    @property
    def refers(self) -> bool:
        """Whether it may have us go on with somebody else."""
        return self.desk_phone if self.may_refer is None else self.may_refer

    def __repr__(self) -> str:
        return f"SipTrunk(name={self.name!r})"


def opened(trunks: Sequence[SipTrunk], environ: Mapping[str, str | None]) -> tuple[SipTrunk, ...]:
    """Check the trunks and find their passwords; raises SettingsError with the mend, and never with a password."""
    names = [trunk.name for trunk in trunks]
    for trunk in trunks:
        if not trunk.name or names.count(trunk.name) > 1:
            raise SettingsError("each of [[sip_trunks]] needs a name of its own")
        _check(trunk)
    return tuple(structs.replace(trunk, password=_password(trunk, environ)) for trunk in trunks)


def _check(trunk: SipTrunk) -> None:
    where = f"[[sip_trunks]] {trunk.name!r}"
    if trunk.password:
        raise SettingsError(
            f"{where} has its password in the clear: put it into an environment variable, "
            "and name that with password_env"
        )
    _check_proxy(trunk, where)
    if trunk.srtp and trunk.srtp not in list(Srtp):
        raise SettingsError(f"{where} needs srtp to be one of {', '.join(Srtp)}, not {trunk.srtp!r}")
    unknown = [name for name in trunk.codecs if name not in _CODECS]
    if unknown or len(set(trunk.codecs)) < len(trunk.codecs):
        raise SettingsError(f"{where} needs codecs of {', '.join(_CODECS)}, each once, not {', '.join(trunk.codecs)}")
    if not trunk.addresses and not trunk.username and not trunk.proxy:
        raise SettingsError(f"{where} would let anybody in: give it addresses, or username and password_env")
    if bool(trunk.username) != bool(trunk.password_env):
        raise SettingsError(f"{where} needs both of username and password_env, or neither")
    if trunk.algorithm not in ALGORITHMS:
        raise SettingsError(f"{where} needs an algorithm of {', '.join(ALGORITHMS)}, not {trunk.algorithm!r}")
    for address in trunk.addresses:
        try:
            ip_network(address)
        except ValueError as error:
            raise SettingsError(f"{where} has an address that is none: {error}") from None


def _check_proxy(trunk: SipTrunk, where: str) -> None:
    if trunk.calls_out and not trunk.proxy:
        raise SettingsError(f"{where} calls out, and needs a proxy to call by, such as sip.provider.example")
    if trunk.desk_phone and (trunk.proxy or not trunk.username):
        raise SettingsError(f"{where} is a desk phone: it needs username and password_env, and no proxy")
    if trunk.registers and not (trunk.proxy and trunk.username):
        raise SettingsError(f"{where} registers, and needs a proxy to register with, username and password_env")
    if not MIN_EXPIRES_S <= trunk.expires <= MAX_EXPIRES_S:
        raise SettingsError(f"{where} needs expires from {MIN_EXPIRES_S} to {MAX_EXPIRES_S} seconds")
    if trunk.proxy:
        try:
            proxy(trunk)
        except ValueError:
            raise SettingsError(
                f"{where} needs a proxy written as host[:port][;transport=udp|tcp|tls], not {trunk.proxy!r}"
            ) from None


def _password(trunk: SipTrunk, environ: Mapping[str, str | None]) -> str:
    if not trunk.password_env:
        return ""
    found = environ.get(trunk.password_env)
    if not found:
        raise SettingsError(
            f"[[sip_trunks]] {trunk.name!r} names the environment variable {trunk.password_env}, which is not set"
        )
    return found


def trunk(written: SipTrunk, user_id: str) -> Trunk:
    """Give a trunk as a leg knows it; ``user_id`` is for one that names nobody."""
    return Trunk(
        name=written.name,
        user_id=written.user_id or user_id,
        networks=tuple(map(ip_network, written.addresses)),
        username="" if written.proxy else written.username,
        password="" if written.proxy else written.password,
        user=written.username if written.proxy else "",
        credentials=(written.username, written.password) if written.proxy else ("", ""),
        desk_phone=written.desk_phone,
        algorithm=written.algorithm,
        srtp=Srtp(written.srtp) if written.srtp else None,
        codecs=codecs(written),
    )


def codecs(trunk: SipTrunk) -> tuple[int, ...]:
    """Say what is spoken with a trunk, by the payload types of it."""
    return tuple(_CODECS[name] for name in trunk.codecs) or CODECS


def binding(trunk: SipTrunk) -> Binding:
    """Say what is registered by a trunk; where its registrar is has to be looked up."""
    return Binding(
        name=trunk.name,
        user=trunk.username,
        domain=domain(trunk),
        hop=Hop("", 0),
        password=trunk.password,
        expires_s=trunk.expires,
    )


def check_proxies(trunks: Sequence[SipTrunk], places: Sequence[Listening]) -> None:
    """See that whoever is called can call back the same way, as within a call it may; raises SettingsError."""
    for trunk in trunks:
        how = fixed_transport(proxy(trunk)) if trunk.proxy else ""
        if how and how not in {where.transport for where in places}:
            raise SettingsError(
                f"[[sip_trunks]] {trunk.name!r} is called by {how}, so PHONE_BRIDGE_SIP_LISTEN must name {how}, too"
            )


def proxy(trunk: SipTrunk) -> Target:
    """Read a trunk's ``proxy``; raises ValueError."""
    uri = URI.parse(f"sip:{trunk.proxy}")
    named = uri.parameters.get("transport")
    if uri.user or (named is not None and named.lower() not in TRANSPORTS):
        raise ValueError(trunk.proxy)
    return Target(uri.host.strip("[]"), uri.port, (named or "").lower())


def domain(trunk: SipTrunk) -> str:
    """Give the domain in which a trunk's numbers are called."""
    return trunk.domains[0] if trunk.domains else trunk.proxy.partition(";")[0]


def domains(trunks: Sequence[SipTrunk]) -> frozenset[str]:
    """Name the domains whose SIP addresses may be called."""
    found = {name for trunk in trunks if trunk.calls_out for name in _domains(trunk)}
    return frozenset(found | {REALM} if any(trunk.desk_phone for trunk in trunks) else found)


def outward(trunks: Sequence[SipTrunk], to: str) -> SipTrunk | None:
    """Find the trunk by which a number or a SIP address is called; None where there is none."""
    if sip_host(to) == REALM:
        return next((trunk for trunk in trunks if trunk.desk_phone and trunk.username == sip_user_of(to)), None)
    return next((trunk for trunk in trunks if trunk.calls_out and _leads_to(trunk, to)), None)


def calls_as(trunk: SipTrunk) -> str:
    """Say as whom we call by a trunk, where a call names nothing."""
    return trunk.number or (OURSELVES if trunk.desk_phone else trunk.username) or trunk.name


def _leads_to(trunk: SipTrunk, to: str) -> bool:
    host = sip_host(to)
    if host:
        return host in _domains(trunk)
    return not trunk.prefixes or to.startswith(trunk.prefixes)


def _domains(trunk: SipTrunk) -> tuple[str, ...]:
    return (proxy(trunk).host.lower(), *(name.lower() for name in trunk.domains))


def listening(urls: str) -> tuple[Listening, ...]:
    """Read where to listen, ``udp://host[:port]`` with more between commas (``tcp``, ``tls``); raises SettingsError."""
    return tuple(_listening(url.strip()) for url in urls.split(","))


def _listening(url: str) -> Listening:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        ip_address(host)
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in TRANSPORTS or parts.path or parts.query or parts.username:
        raise SettingsError(
            "PHONE_BRIDGE_SIP_LISTEN must be udp://address[:port], such as udp://0.0.0.0:5060, and may name more "
            f"between commas, with tcp and tls, too; not {url!r}"
        )
    return Listening(parts.scheme, host, port_of(port, parts.scheme))


def rtp_ports(text: str) -> Ports:
    """Read a range of ports, ``16384-32767``; raises SettingsError."""
    first, dash, last = text.partition("-")
    fits = dash and first.isdecimal() and last.isdecimal() and MIN_RTP_PORT <= int(first) < int(last) <= MAX_RTP_PORT
    if not fits:
        raise SettingsError(
            f"PHONE_BRIDGE_SIP_RTP_PORTS must be two ports from {MIN_RTP_PORT} to {MAX_RTP_PORT}, such as 16384-32767, "
            f"not {text!r}"
        )
    return Ports(int(first), int(last))
