"""Who may use the API: whoever shows a key that is good for it, or, while there is none, this machine alone."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from phone_bridge.app.answers import problem
from phone_bridge.runtime.api_keys import ApiKey, operators, shown
from phone_bridge.settings import Settings

MAX_FAILURES = 10
"""Wrong keys that one address may show within ``FAILURE_SECONDS``; then it is asked to wait."""

FAILURE_SECONDS = 60
MAX_ADDRESSES = 4_096
"""Addresses whose failures are remembered; the oldest is forgotten first."""

NETWORK_BITS = 64
"""How much of an IPv6 address tells clients apart; one client has all addresses behind that."""

FORWARDED = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
)
"""Headers that only a proxy sets: what comes through one does not come from this machine."""

_LOOPBACK_NAMES = frozenset({"localhost"})
_SCHEME = "Bearer"
_REALM = f'{_SCHEME} realm="phone-bridge"'

log = logging.getLogger("phone_bridge.door")


def refuse(request: HTTPConnection, scope: str, given: str | None = None, *, whole: bool = False) -> Response | None:
    """Refuse a request that may not do what needs ``scope``; None lets it pass. The rest is as in ``Door.refuse``."""
    door: Door = request.app.state.bridge.door
    return door.refuse(request, scope, given, whole=whole)


def sees(request: HTTPConnection, user_id: str) -> bool:
    """Tell whether whoever asks, and was let in, may know of what is ``user_id``'s."""
    door: Door = request.app.state.bridge.door
    key = door.key(request)
    return key is None or key.sees(user_id)


def refuse_user(request: HTTPConnection, user_id: str) -> Response | None:
    """Refuse a request, which was let in, to do something for ``user_id``; None lets it pass."""
    if sees(request, user_id):
        return None
    message = f"This API key may do nothing for the user {user_id}: name one of its own in user_id."
    return problem(403, "authorization_error", "user_not_allowed", message)


def bearer(request: HTTPConnection) -> str:
    """Read the key that a request shows; "" where it shows none."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == _SCHEME.lower() else ""


class Door:
    """The keys of one deployment; ``clock`` gives seconds that never run back, ``today`` the date in UTC."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float], today: Callable[[], date]) -> None:
        self._keys = (*operators(settings.operator_keys), *settings.api_keys)
        self._failures = Failures(clock)
        self._today = today

    def refuse(
        self, request: HTTPConnection, scope: str, given: str | None = None, *, whole: bool = False
    ) -> Response | None:
        """Refuse a request that may not do what needs ``scope``; None lets it pass.

        ``given`` is the key of a client that cannot send it as a header. What concerns the ``whole`` deployment is
        nothing for a key of single users.
        """
        if not self._keys:
            return self._without_key(request)
        return self._by_key(request, scope, bearer(request) if given is None else given, whole=whole)

    def key(self, request: HTTPConnection) -> ApiKey | None:
        """Give the key that a request shows; None where none is needed, and for none that there is."""
        return shown(bearer(request), self._keys)

    def allows(self, request: HTTPConnection, scope: str) -> bool:
        """Tell whether a request that was let in may do what needs ``scope``, too."""
        if not self._keys:
            return is_local(request)
        key = self.key(request)
        return key is not None and key.allows(scope)

    def _by_key(self, request: HTTPConnection, scope: str, given: str, *, whole: bool) -> Response | None:
        address = _client(request)
        wait_s = self._failures.wait_s(address)
        if wait_s:
            return _slow_down(wait_s)
        key = shown(given, self._keys) if given else None
        if key is None or key.is_over(self._today()):
            if given:
                self._failures.count(address)
            return _who_are_you(key, given=bool(given))
        if not key.allows(scope):
            return _not_with_this(key, scope)
        return _not_of_some(key) if whole and key.users else None

    def _without_key(self, request: HTTPConnection) -> Response | None:
        if is_local(request):
            return None
        message = "Only this machine is served until PHONE_BRIDGE_API_KEY or [[api_keys]] is set."
        return problem(403, "authorization_error", "api_key_required", message)


class Failures:
    """Counts the wrong keys of each address, within bounds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, address: str) -> None:
        """Know of one more."""
        now = self._clock()
        count, since = self._counts.pop(address, (0, now))
        if now - since >= FAILURE_SECONDS:
            count, since = 0, now
        self._counts[address] = (count + 1, since)
        if count + 1 == MAX_FAILURES:
            log.warning("x an address has shown %d wrong API keys; it has to wait", MAX_FAILURES)
        while len(self._counts) > MAX_ADDRESSES:
            del self._counts[next(iter(self._counts))]

    def wait_s(self, address: str) -> int:
        """Say how many seconds ``address`` has to wait; 0 for one that may try."""
        count, since = self._counts.get(address, (0, 0.0))
        left = since + FAILURE_SECONDS - self._clock()
        return max(0, -int(-left // 1)) if count >= MAX_FAILURES else 0


def is_local(request: HTTPConnection) -> bool:
    """Tell whether a request comes from this machine, by a name of its own, through no proxy, and from no foreign page.

    A tunnel connects from here under a public name; a page of another site may make a browser here send requests.
    """
    headers = request.headers
    client = request.client.host if request.client is not None else ""
    if not _is_loopback(client) or not _names_this_machine(request.url.hostname or ""):
        return False
    if any(name in headers for name in FORWARDED):
        return False
    origin = headers.get("origin")
    return origin is None or _names_this_machine(_host_of(origin))


def _names_this_machine(host: str) -> bool:
    return _is_loopback(host) or host in _LOOPBACK_NAMES


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _client(request: HTTPConnection) -> str:
    """Name the client as far as clients can be told apart by their addresses."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, NETWORK_BITS), strict=False))
    return host


def _who_are_you(key: ApiKey | None, *, given: bool) -> Response:
    challenge = {"WWW-Authenticate": f'{_REALM}, error="invalid_token"' if given else _REALM}
    if key is not None:
        message = f"The API key {key.id} has expired: have a new one made."
        return problem(401, "authentication_error", "expired_api_key", message, challenge)
    message = "Send an API key: Authorization: Bearer KEY."
    return problem(401, "authentication_error", "invalid_api_key", message, challenge)


def _not_of_some(key: ApiKey) -> Response:
    message = f"The API key {key.id} is for single users, and this concerns everybody: ask with another one."
    return problem(403, "authorization_error", "user_not_allowed", message)


def _not_with_this(key: ApiKey, scope: str) -> Response:
    challenge = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{scope}"'}
    message = f"The API key {key.id} is not good for this: it needs the scope {scope}."
    return problem(403, "authorization_error", "insufficient_scope", message, challenge)


def _slow_down(wait_s: int) -> Response:
    message = f"Too many wrong API keys came from this address: try again in {wait_s} seconds."
    return problem(429, "rate_limit_error", "too_many_attempts", message, {"Retry-After": str(wait_s)})


def utc_today() -> date:
    """Give the date in UTC."""
    return datetime.now(UTC).date()
