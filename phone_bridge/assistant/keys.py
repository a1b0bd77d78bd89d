"""The keys of the voice API: their kinds, what each is good for, for whom, and how a new one is made.

A key is known by its prefix, as the product's are: ``sk_`` (secret, good for everything), ``rk_`` (restricted to some
scopes), ``pk_`` (publishable: reads, never mints) and ``cat_`` (a connected account's access token). Only hashes are
kept. One server keeps one set of data, so its keys are either all of the sandbox (``_test_``) or all live.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, get_args

import msgspec

from phone_bridge.assistant import versions
from phone_bridge.errors import SettingsError
from phone_bridge.runtime.api_keys import MAX_KEY_CHARS, fingerprint, shown

SESSION_SCOPES = frozenset(
    (
        "calendars:read",
        "calendars:write",
        "events:read",
        "events:write",
        "profile:read",
        "profile:write",
        "alerts:read",
        "alerts:write",
        "notifications:write",
        "voice:invoke",
    )
)
"""What a session may be minted with."""

SCOPES = SESSION_SCOPES | {"webhooks:manage"}
"""What a key may be good for; ``webhooks:manage`` stays with keys, no session has a use for it."""

Kind = Literal["sk_test", "sk_live", "rk_test", "rk_live", "pk_test", "pk_live", "cat"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MIN_SECRET_CHARS = 20
"""Shortest secret after the prefix of a key that an operator makes up."""

_REGION = "l"  # the character after a prefix is the region, as the product has it; this one is local
_RANDOM_CHARS = 40
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_HASH = re.compile("[0-9a-f]{64}")
_ID = re.compile("[A-Za-z0-9._-]{1,64}")
_ACCOUNT = re.compile("cpa_[0-9A-Za-z]{1,64}")


class VoiceKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key by a name that may be shown; it is good until the end of the day ``expires`` (UTC).

    ``users`` (none: everybody) are those whose calendars it opens, ``accounts`` the connected accounts that it may act
    for; an ``sk_`` key acts for all unless it names some. ``version`` is the one that it was made under. A key that is
    not ``limited`` may ask as often as it likes.
    """

    id: str
    sha256: str
    kind: Kind = "sk_test"
    scopes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    version: str = versions.CURRENT
    expires: date | None = None
    limited: bool = True

    @property
    def grant(self) -> frozenset[str]:
        """What the key is good for."""
        return SCOPES if self.kind.startswith("sk") else frozenset(self.scopes)

    @property
    def mints(self) -> bool:
        """Tell whether voice sessions may be minted with it."""
        return not self.kind.startswith("pk") and "voice:invoke" in self.grant

    def is_over(self, today: date) -> bool:
        """Tell whether the key's last day has passed."""
        return self.expires is not None and today > self.expires

    def acts_for(self, account: str) -> bool:
        """Tell whether the key may act for a connected account."""
        return account in self.accounts or (self.kind.startswith("sk") and not self.accounts)

    def opens(self, user_id: str) -> bool:
        """Tell whether the key opens the calendar of ``user_id``."""
        return not self.users or user_id in self.users


def kind_of(secret: str) -> Kind | None:
    """Read the kind of a key off its prefix; None for what is no key of this API."""
    return next((kind for kind in KINDS if secret.startswith(f"{kind}_")), None)


def of_plain(id: str, secret: str, *, limited: bool = True) -> VoiceKey:
    """Make a secret key (``sk_``) of the key itself; raises SettingsError for another kind."""
    kind = kind_of(secret)
    if kind not in ("sk_test", "sk_live"):
        raise SettingsError("PHONE_BRIDGE_VOICE_KEY holds secret keys alone, which begin with sk_test_ or sk_live_")
    return VoiceKey(id, fingerprint(secret), kind, limited=limited)


def operators(plain: Iterable[str]) -> tuple[VoiceKey, ...]:
    """Make the operator's own keys of the keys themselves; raises SettingsError for one that could be guessed."""
    made = []
    for at, secret in enumerate(plain, start=1):
        key = of_plain(f"operator-{at}", secret)
        if len(secret) < len(f"{key.kind}_") + MIN_SECRET_CHARS or len(secret) > MAX_KEY_CHARS:
            raise SettingsError(
                f"PHONE_BRIDGE_VOICE_KEY needs {MIN_SECRET_CHARS} characters or more after the prefix "
                f"(and {MAX_KEY_CHARS} at most): `phone-bridge voice-key` makes one"
            )
        made.append(key)
    return tuple(made)


def check(keys: Sequence[VoiceKey]) -> None:
    """Check the keys that an operator wrote down; raises SettingsError, which never shows what stands in ``sha256``."""
    for key in keys:
        wrong = _wrong_with(key)
        if wrong:
            raise SettingsError(f"[[voice_keys]] {key.id!r} {wrong}")
    if len({key.id for key in keys}) < len(keys):
        raise SettingsError("two of [[voice_keys]] have the same id: give each its own")
    is_live(keys)


def is_live(keys: Iterable[VoiceKey]) -> bool:
    """Tell whether this server is a live one, by its keys; raises SettingsError where they do not agree."""
    modes = {key.kind.endswith("live") for key in keys if key.kind != "cat"}
    if len(modes) > 1:
        raise SettingsError(
            "the voice keys must be all of _test_ or all of _live_, for one server keeps one set of data"
        )
    return modes == {True}


def _wrong_with(key: VoiceKey) -> str:
    kind = key.kind.partition("_")[0]
    unknown = sorted(set(key.scopes) - SCOPES)
    rules = (
        (not _ID.fullmatch(key.id), "needs an id of 1 to 64 letters, digits, dots, dashes or underscores"),
        (
            not _HASH.fullmatch(key.sha256),
            "needs sha256, 64 lower-case hex digits: `phone-bridge voice-key` prints them",
        ),
        (bool(unknown), f"has a scope that there is not; there are: {', '.join(sorted(SCOPES))}"),
        (not versions.is_served(key.version), f"has a version that is not served; the newest is {versions.CURRENT}"),
        (any(not _ACCOUNT.fullmatch(each) for each in key.accounts), "has an account that does not begin with cpa_"),
        (
            kind == "sk" and bool(key.scopes or key.users),
            "is secret and good for everything: restrict a key of kind rk_",
        ),
        (kind != "sk" and not key.scopes, "needs scopes"),
        (kind == "cat" and len(key.accounts) != 1, "is an access token, so it needs its one account in accounts"),
        (kind == "pk" and any(not each.endswith(":read") for each in key.scopes), "is publishable: it may only read"),
        (kind == "pk" and not key.users, "is publishable, and anybody may have it: name the users it opens in users"),
        ("webhooks:manage" in key.scopes and bool(key.users), "cannot manage webhooks, which tell of all users"),
    )
    return next((complaint for broken, complaint in rules if broken), "")


class Keyring:
    """The keys of one server."""

    def __init__(self, keys: Sequence[VoiceKey]) -> None:
        self._keys = tuple(keys)
        self.live = is_live(keys)

    def find(self, given: str) -> VoiceKey | None:
        """Find the key that was shown; takes as long for each, whichever it is, and whether it is one."""
        found = shown(given, self._keys)
        return found if found is None or kind_of(given) == found.kind else None

    def is_of_the_other_mode(self, given: str) -> bool:
        """Tell whether a test key was shown to a live server, or a live one to a sandbox."""
        kind = kind_of(given)
        return kind is not None and kind != "cat" and kind.endswith("live") != self.live


def new(kind: Kind) -> str:
    """Make a key."""
    return f"{kind}_{_REGION}" + "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM_CHARS))


def as_toml(key: VoiceKey) -> str:
    """Write a key as the lines of ``phone-bridge.toml``; raises SettingsError where it would not be read again."""
    check([key])
    lines = ["[[voice_keys]]", f'id = "{key.id}"', f'sha256 = "{key.sha256}"', f'kind = "{key.kind}"']
    lists = {name: getattr(key, name) for name in ("scopes", "users", "accounts")}
    lines += [f"{name} = {msgspec.json.encode(values).decode()}" for name, values in lists.items() if values]
    lines.append(f'version = "{key.version}"')
    if key.expires is not None:
        lines.append(f"expires = {key.expires.isoformat()}")
    return "\n".join(lines) + "\n"
