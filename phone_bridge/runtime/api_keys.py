"""The keys of the API: what is kept of one, which one was shown, and how a new one is made.

Only hashes are kept. A key is 32 random bytes, so one round of SHA-256 without a salt hides it well enough, and nothing
slower has to be paid for with each request.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol, TypeVar

import msgspec

from phone_bridge.errors import SettingsError

TALK = "assistant:talk"
"""What a key needs that opens sessions of the built-in assistant."""

SCOPES = ("calls:read", "calls:write", "recordings:read", "reminders:read", "reminders:write", "metrics:read", TALK)
"""What a key may be good for."""

OF_THE_WHOLE = frozenset({"metrics:read", TALK})
"""Scopes in which no user's things can be told from another's, so that no key of single users has them."""

MAX_USER_CHARS = 128
"""Longer ids are no user's."""

KEY_PREFIX = "pb_"
KEY_BYTES = 32
"""Randomness of a key that is made here."""

MAX_KEY_CHARS = 512
"""Longer keys are refused unread."""

_HASH = re.compile("[0-9a-f]{64}")
_ID = re.compile("[A-Za-z0-9._-]{1,64}")


class Hashed(Protocol):
    """Whatever is kept of a key by its hash."""

    @property
    def sha256(self) -> str:
        """The hash, in lower-case hex."""
        ...


K = TypeVar("K", bound=Hashed)


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key by a name that may be shown; it is good until the end of the day ``expires`` (UTC).

    With ``users`` it is good for their calls and reminders alone, and nothing of anybody else's is there for it.
    """

    id: str
    sha256: str
    scopes: tuple[str, ...]
    expires: date | None = None
    users: tuple[str, ...] = ()

    def sees(self, user_id: str) -> bool:
        """Tell whether the key is good for what is ``user_id``'s."""
        return not self.users or user_id in self.users

    def allows(self, scope: str) -> bool:
        """Tell whether the key is good for ``scope``."""
        return scope in self.scopes

    def is_over(self, today: date) -> bool:
        """Tell whether the key's last day has passed."""
        return self.expires is not None and today > self.expires


def check(keys: Sequence[ApiKey]) -> None:
    """Check the keys that an operator wrote down; raises SettingsError, which never shows what stands in ``sha256``."""
    for key in keys:
        where = f"[[api_keys]] {key.id!r}"
        if not _ID.fullmatch(key.id):
            raise SettingsError(
                "each of [[api_keys]] needs an id of 1 to 64 letters, digits, dots, dashes or underscores"
            )
        if not _HASH.fullmatch(key.sha256):
            raise SettingsError(f"{where} needs sha256, 64 lower-case hex digits: `phone-bridge key` prints them")
        if not key.scopes or not set(key.scopes) <= set(SCOPES):
            raise SettingsError(f"{where} needs scopes, some of: {', '.join(SCOPES)}")
        _check_users(key, where)
    if len({key.id for key in keys}) < len(keys):
        raise SettingsError("two of [[api_keys]] have the same id: give each its own")


def _check_users(key: ApiKey, where: str) -> None:
    if not all(0 < len(user) <= MAX_USER_CHARS for user in key.users):
        raise SettingsError(f"{where} has users of which one is empty or too long: write ids as in user_id")
    if key.users and (whole := sorted(OF_THE_WHOLE.intersection(key.scopes))):
        raise SettingsError(
            f"{where} is for single users, and {' and '.join(whole)} cannot be kept to them: take that scope away"
        )


def operators(plain: Iterable[str]) -> tuple[ApiKey, ...]:
    """Make the operator's own keys, good for everything, of the keys themselves."""
    return tuple(ApiKey(f"operator-{at}", fingerprint(key), SCOPES) for at, key in enumerate(plain, start=1))


def fingerprint(key: str) -> str:
    """Hash a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def shown(given: str, keys: Iterable[K]) -> K | None:
    """Find the key that was shown; takes as long for each, whichever it is, and whether it is one."""
    if len(given) > MAX_KEY_CHARS:
        return None
    hashed = fingerprint(given)
    found: K | None = None
    for key in keys:
        if hmac.compare_digest(hashed, key.sha256):
            found = key
    return found


def new() -> str:
    """Make a key."""
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def as_toml(key: ApiKey) -> str:
    """Write a key as the lines of ``phone-bridge.toml``; raises SettingsError where it would not be read again."""
    check([key])
    scopes = ", ".join(f'"{scope}"' for scope in key.scopes)
    lines = ["[[api_keys]]", f'id = "{key.id}"', f'sha256 = "{key.sha256}"', f"scopes = [{scopes}]"]
    if key.expires is not None:
        lines.append(f"expires = {key.expires.isoformat()}")
    if key.users:
        lines.append(f"users = {msgspec.json.encode(key.users).decode()}")
    return "\n".join(lines) + "\n"
