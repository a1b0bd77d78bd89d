"""The command ``phone-bridge key``: makes a key of the API and shows it once, for only its hash is kept."""

import argparse
from collections.abc import Callable
from datetime import date

from phone_bridge.runtime import api_keys
from phone_bridge.runtime.api_keys import OF_THE_WHOLE, SCOPES, ApiKey, as_toml, fingerprint

DEFAULT_ID = "key-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the arguments in."""
    parser.add_argument(
        "--id", default=DEFAULT_ID, help=f"its name, which logs and answers show (default {DEFAULT_ID})"
    )
    parser.add_argument(
        "--scope", action="append", choices=SCOPES, help="what it is good for; again for more (default: everything)"
    )
    parser.add_argument(
        "--user", action="append", help="a user whose calls and reminders alone it is good for; again for more"
    )
    parser.add_argument("--expires", type=date.fromisoformat, metavar="YYYY-MM-DD", help="its last day, in UTC")


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Make a key and tell what to do with it; raises SettingsError for an id that cannot be one."""
    plain = api_keys.new()
    users = tuple(options.user or ())
    usual = (scope for scope in SCOPES if not users or scope not in OF_THE_WHOLE)
    scopes = tuple(options.scope or usual)
    lines = as_toml(ApiKey(options.id, fingerprint(plain), scopes, options.expires, users))
    say(f"The key, which is shown this once; whoever has it may do what its scopes say:\n\n  {plain}\n")
    say(f"What the bridge keeps of it; paste this into phone-bridge.toml, and start the bridge again:\n\n{lines}")
    return 0
