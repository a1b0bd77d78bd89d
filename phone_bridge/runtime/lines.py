"""Streams of other carriers and PBXs, as an operator writes them down: ``[[lines]]`` in ``phone-bridge.toml``.

A secret is never written there: it is the value of an environment variable.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct, structs

from phone_bridge.errors import SettingsError

AUDIOSOCKET = "audiosocket"
KINDS = (AUDIOSOCKET, "chan_websocket", "jambonz", "plivo", "signalwire", "telnyx", "vonage")

MIN_SECRET_CHARS = 24
"""Shorter secrets could be guessed by whoever asks often enough."""

DEFAULT_PORT = 9092
"""Where AudioSocket is listened for when no port is named; Asterisk has none of its own."""

_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
MAX_NAME_CHARS = 40


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One carrier or PBX whose calls come as a stream: known by a secret, and AudioSocket's by where it comes from."""

    name: str
    kind: str
    user_id: str = ""
    """Whose assistant it reaches; what its route says, or ``PHONE_BRIDGE_USER_ID``'s, when empty."""
    secret_env: str = ""
    """Names the environment variable whose value stands in the address that the carrier asks for each call."""
    addresses: tuple[str, ...] = ()
    """For ``audiosocket``: the addresses or networks that may connect."""
    secret: str = ""
    """Filled in by ``opened``."""

    def __repr__(self) -> str:
        return f"Line(name={self.name!r})"

    def admits(self, address: str) -> bool:
        """Tell whether a connection may come from ``address``."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in ip_network(network) for network in self.addresses)


def opened(lines: Sequence[Line], environ: Mapping[str, str | None]) -> tuple[Line, ...]:
    """Check the lines and find their secrets; raises SettingsError with the mend, and never with a secret."""
    names = [line.name for line in lines]
    for line in lines:
        if not 0 < len(line.name) <= MAX_NAME_CHARS or not _NAME_CHARS.issuperset(line.name):
            raise SettingsError(
                "each of [[lines]] needs a name of small letters, digits, - and _: it is in its address"
            )
        if names.count(line.name) > 1:
            raise SettingsError(f"[[lines]] {line.name!r} is there twice: give each a name of its own")
        _check(line)
    return tuple(structs.replace(line, secret=_secret(line, environ)) for line in lines)


def _check(line: Line) -> None:
    where = f"[[lines]] {line.name!r}"
    if line.secret:
        raise SettingsError(f"{where} has its secret in the clear: put it into an environment variable, as secret_env")
    if line.kind not in KINDS:
        raise SettingsError(f"{where} needs a kind of {', '.join(KINDS)}, not {line.kind!r}")
    if line.kind == AUDIOSOCKET and not line.addresses:
        raise SettingsError(f"{where} would let anybody in: give it the addresses of the PBX")
    if line.kind != AUDIOSOCKET and line.addresses:
        raise SettingsError(f"{where} has addresses, which only {AUDIOSOCKET} heeds: remove them")
    if line.kind != AUDIOSOCKET and not line.secret_env:
        raise SettingsError(f"{where} would let anybody in: give it secret_env")
    for address in line.addresses:
        try:
            ip_network(address)
        except ValueError as error:
            raise SettingsError(f"{where} has an address that is none: {error}") from None


def _secret(line: Line, environ: Mapping[str, str | None]) -> str:
    if not line.secret_env:
        return ""
    found = environ.get(line.secret_env) or ""
    if len(found) < MIN_SECRET_CHARS:
        raise SettingsError(
            f"[[lines]] {line.name!r} names the environment variable {line.secret_env}, which must hold at least "
            f"{MIN_SECRET_CHARS} characters, such as openssl rand -hex 24 makes"
        )
    return found


def listening(url: str) -> tuple[str, int]:
    """Read where AudioSocket is listened for, ``tcp://address[:port]``; raises SettingsError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORT
        ip_address(host)
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme != "tcp" or parts.path or parts.query or parts.username:
        raise SettingsError(
            f"PHONE_BRIDGE_AUDIOSOCKET_LISTEN must be tcp://address[:port], such as tcp://127.0.0.1:{DEFAULT_PORT}, "
            f"not {url!r}"
        )
    return host, port
