"""Users' accounts on CalDAV servers, as an operator writes them down: ``[[caldav]]`` in ``phone-bridge.toml``.

A password is never written there: it is the value of an environment variable, or what a file holds.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from phone_bridge.errors import SettingsError
from phone_bridge.runtime import secret_values

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One user's account; ``url`` is that of the server, of the principal or of one calendar."""

    user_id: str
    url: str
    username: str
    password_env: str = ""
    """Names the environment variable that holds the password; of an iCloud or Fastmail account, an app password."""
    password_file: str = ""
    timezone: str = "UTC"
    """The user's time zone, and that of whatever in the calendar names none."""
    password: str = ""
    """Filled in by ``opened``."""

    def __repr__(self) -> str:
        return f"Account(user_id={self.user_id!r}, url={self.url!r})"


def opened(accounts: Sequence[Account], environ: Mapping[str, str | None]) -> tuple[Account, ...]:
    """Check the accounts and find their passwords; raises SettingsError with the mend, and never with a password."""
    users = [account.user_id for account in accounts]
    for account in accounts:
        _check(account)
        if users.count(account.user_id) > 1:
            raise SettingsError(f"two of [[caldav]] are of {account.user_id!r}: a user has one account")
    return tuple(structs.replace(account, password=_password(account, environ)) for account in accounts)


def _check(account: Account) -> None:
    where = f"[[caldav]] of {account.user_id!r}"
    if not account.user_id or not account.username:
        raise SettingsError("each of [[caldav]] needs user_id, url and username")
    if account.password:
        raise SettingsError(
            f"{where} has its password in the clear: put it into an environment variable or a file, "
            "and name that with password_env or password_file"
        )
    parts = urlsplit(account.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise SettingsError(f"{where} needs a url such as https://cloud.example.com/remote.php/dav")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise SettingsError(f"{where} would send its password in the clear: its url must begin with https")
    try:
        ZoneInfo(account.timezone)
    except (KeyError, ValueError, OSError):
        raise SettingsError(f"{where} needs a timezone such as Europe/Berlin, not {account.timezone!r}") from None


def _password(account: Account, environ: Mapping[str, str | None]) -> str:
    where = f"[[caldav]] of {account.user_id!r}"
    return secret_values.found(where, "password", account.password_env, account.password_file, environ)
