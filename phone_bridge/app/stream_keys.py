"""The keys that stream tokens are signed with: a new one each day, known by its name, shared through the database."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from phone_bridge.legs.twilio.admission import Key

DAY_SECONDS = 86_400
SKEW_SECONDS = 30
"""How far ahead of ours the clock of another process may be; around midnight its tokens name tomorrow's key."""

Secret = Callable[[str], bytes]
"""Gives the secret of a name, made at its first use and the same for every process (``Records.secret``)."""


def name_of(now_epoch_s: int) -> str:
    """Name the key of the UTC day that ``now_epoch_s`` is in."""
    return f"stream-{datetime.fromtimestamp(now_epoch_s, UTC):%Y%m%d}"


class StreamKeys:
    """Today's key to sign with, and those that are admitted; ``secret`` blocks, so both are called in a thread.

    Only the two or three keys that may be in use are ever looked up: a token cannot make the bridge ask for others.
    """

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._keys: Mapping[str, Key] = {}

    def signing(self, now_epoch_s: int) -> Key:
        """Give today's key; raises Unavailable when it is new and the database fails."""
        return self._key(name_of(now_epoch_s))

    def admitting(self, now_epoch_s: int) -> Mapping[str, Key]:
        """Give the keys that tokens may be signed with now: yesterday's and today's, just before midnight tomorrow's.

        Raises Unavailable when one is new and the database fails.
        """
        moments = (now_epoch_s - DAY_SECONDS, now_epoch_s, now_epoch_s + SKEW_SECONDS)
        keys = {name: self._key(name) for name in dict.fromkeys(map(name_of, moments))}
        self._keys = keys  # older ones are forgotten
        return keys

    def _key(self, name: str) -> Key:
        key = self._keys.get(name)
        if key is None:
            key = Key(name, self._secret(name))
            self._keys = {**self._keys, name: key}
        return key
