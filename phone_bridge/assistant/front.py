"""What every HTTP request of the voice API goes through, whatever it asks for.

A ``Visit`` stands around one request: it lets the caller in by key, version and rate, answers a request that was
answered before, writes what goes wrong as the API's envelope, and adds the headers that every answer has::

    with front.visit(asked) as visit:
        caller = visit.admit("events:write")
        wish = visit.body()
        if visit.is_new(wish):
            visit.response = ...
    return visit.response
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import msgspec

from phone_bridge.assistant.keys import Keyring, VoiceKey
from phone_bridge.assistant.limits import RollingLimit
from phone_bridge.assistant.minting import name_in, parse
from phone_bridge.assistant.performer import Clocks
from phone_bridge.assistant.problems import Problem, of_error
from phone_bridge.assistant.replays import Replays
from phone_bridge.assistant.versions import VERSION_HEADER, Version, choose
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.exchange import Response

REQUESTS_PER_SECOND = 100
"""Requests that one key may send in a second."""

REQUESTS_AT_A_TIME = 5
"""Requests of one key that may be under way."""

JSON = "application/json"

_UNSAID = "application/octet-stream"  # which is what no type at all means (RFC 9110, 8.3)
_SECOND_MS = 1000
_log = logging.getLogger("phone_bridge.assistant")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``endpoint`` is its method and its path as the API writes it, header names are lower case."""

    endpoint: str
    headers: Mapping[str, str]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Caller(msgspec.Struct, frozen=True):
    """Who asks: a key, and the connected account that it acts for ("" for its own)."""

    key: VoiceKey
    account: str = ""

    def need(self, scope: str) -> None:
        """Raise Problem unless the key is good for ``scope``."""
        if scope and scope not in self.key.grant:
            raise Problem(f"the key is not good for this: it needs {scope}", code="authorization_failed", param=scope)

    def open(self, user_id: str) -> str:
        """Give ``user_id`` back; raises Problem for one whose calendar the key does not open."""
        if not self.key.opens(user_id):
            raise Problem(
                "the key does not open the calendar of that user", code="authorization_failed", param="user_id"
            )
        return user_id

    def user_of(self, given: str | None, default: str) -> str:
        """Say whose calendar is meant: who is named, or else the first one that the key opens, or ``default``."""
        if given:
            return self.open(given)
        return self.key.users[0] if self.key.users else default


class Front:
    """The way in of one server."""

    def __init__(self, keyring: Keyring, clocks: Clocks, new_id: Callable[[str], str]) -> None:
        self.keyring = keyring
        self.clocks = clocks
        self.new_id = new_id
        self.requests = RollingLimit(REQUESTS_PER_SECOND, _SECOND_MS)
        self.running: Counter[str] = Counter()
        self.replays = Replays()

    def visit(self, asked: Asked) -> "Visit":
        """Begin a request."""
        return Visit(self, asked)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Tell who asks; raises Problem."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        given = given.strip()
        key = self.keyring.find(given) if scheme.lower() == "bearer" else None
        if key is None:
            raise Problem(self._why_not(given), code="authentication_failed")
        if key.is_over(self.clocks.wall().date()):
            raise Problem(f"the key {key.id} has expired: have a new one made", code="authentication_failed")
        return Caller(key, self._account(headers, key))

    def _why_not(self, given: str) -> str:
        if not self.keyring.is_of_the_other_mode(given):
            return "the API key is missing or not valid here"
        ours, theirs = ("live", "test") if self.keyring.live else ("test", "live")
        return f"this server takes {ours} keys, and a {theirs} key was shown"

    def _account(self, headers: Mapping[str, str], key: VoiceKey) -> str:
        account = name_in(headers, "chronapilot-account")
        if not account:
            return key.accounts[0] if key.kind == "cat" else ""
        if not key.acts_for(account):
            raise Problem(
                "the key may not act for that account", code="authorization_failed", param="Chronapilot-Account"
            )
        return account


class Visit:
    """One request from its beginning to its answer, which is ``response`` afterwards."""

    def __init__(self, front: Front, asked: Asked) -> None:
        self._front = front
        self._asked = asked
        self._caller: Caller | None = None
        self._version: Version | None = None
        self._begun: tuple[tuple[str, ...], bytes] | None = None
        self._entered = False
        self.response = Response(status=500)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Answer what went wrong, remember the answer if it has a name, and complete its headers."""
        if self._caller is not None and self._entered:
            self._front.running[self._caller.key.id] -= 1
        if error is not None and not isinstance(error, Exception):  # the request was cancelled
            self._leave(keep=False)
            return False
        if error is not None:
            self.response = self._problem(error).response(self._front.new_id("req"))
        self._leave(keep=True)
        self._complete()
        return True

    def admit(self, scope: str) -> Caller:
        """Let the caller in for what needs ``scope``; raises Problem."""
        caller = self._caller = self._front.caller(self._asked.headers)
        self._version = choose(caller.key.version, name_in(self._asked.headers, VERSION_HEADER))
        if caller.key.limited:
            self._count(caller.key)
        caller.need(scope)
        return caller

    def body(self) -> Any:
        """Read the body as JSON; raises Problem."""
        media_type = self._asked.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if media_type not in (JSON, _UNSAID):
            raise Problem(f"a body must be {JSON}", code="unsupported_media_type", param="Content-Type")
        return parse(self._asked.body)

    def is_new(self, wish: Any) -> bool:
        """Tell whether the request is to be done; else ``response`` is what was answered to it before.

        Raises Problem for an Idempotency-Key that is in use.
        """
        caller, given = self._caller, name_in(self._asked.headers, "idempotency-key")
        if caller is None or not given:
            return True
        name = (caller.key.id, caller.account, self._asked.endpoint, given)
        canonical = msgspec.json.encode(wish, order="sorted")
        recalled = self._front.replays.begin(name, canonical, self._front.clocks.now())
        if recalled is not None:
            self.response = recalled
            return False
        self._begun = (name, canonical)
        return True

    @property
    def deed(self) -> str:
        """A name for what the request does: the same when it is sent again under its Idempotency-Key."""
        if self._begun is None:
            return self._front.new_id("req")
        return "rest:" + ":".join(self._begun[0])

    def answer(self, thing: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with ``thing`` as JSON."""
        given = {"content-type": JSON, **(headers or {})}
        self.response = Response(status=status, headers=given, body=msgspec.json.encode(thing))

    def _count(self, key: VoiceKey) -> None:
        """Count the request; raises Problem for one too many."""
        front, now = self._front, self._front.clocks.now()
        if wait_ms := front.requests.wait_ms(key.id, now):
            raise Problem(
                f"{REQUESTS_PER_SECOND} requests came with that key within a second",
                code="rate_limit_exceeded",
                retry_after_seconds=-(-wait_ms // _SECOND_MS),
            )
        if front.running[key.id] >= REQUESTS_AT_A_TIME:
            raise Problem(
                f"{REQUESTS_AT_A_TIME} requests of that key are under way",
                code="rate_limit_exceeded",
                retry_after_seconds=1,
            )
        front.running[key.id] += 1
        self._entered = True

    def _problem(self, error: Exception) -> Problem:
        if isinstance(error, Refused | Unavailable):
            return of_error(error)
        _log.error("! the voice API failed", exc_info=error)
        return Problem("the server failed", code="internal_error")

    def _leave(self, *, keep: bool) -> None:
        if self._begun is None:
            return
        if keep:
            self._front.replays.keep(*self._begun, self.response, self._front.clocks.now())
        else:
            self._front.replays.forget(self._begun[0])

    def _complete(self) -> None:
        """Add what every answer tells: the version, and what is left of the rate."""
        more: dict[str, str] = {}
        if self._caller is not None and self._caller.key.limited:
            quota = self._front.requests.quota(self._caller.key.id, self._front.clocks.now())
            more |= quota.headers(self._front.clocks.wall().timestamp())
        if self._version is not None:
            more |= self._version.headers()
        self.response = msgspec.structs.replace(self.response, headers=more | self.response.headers)
