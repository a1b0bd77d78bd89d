"""The command ``phone-bridge voice-key``: makes a key of the built-in assistant's API and shows it once."""

import argparse
from collections.abc import Callable
from datetime import date

from phone_bridge.assistant import keys
from phone_bridge.assistant.keys import KINDS, SCOPES, VoiceKey, as_toml
from phone_bridge.assistant.versions import CURRENT
from phone_bridge.runtime.api_keys import fingerprint

DEFAULT_ID = "voice-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the arguments in."""
    add = parser.add_argument
    add("--id", default=DEFAULT_ID, help=f"its name, which answers show (default {DEFAULT_ID})")
    add("--kind", choices=KINDS, default="sk_test", help="secret, restricted, publishable, or an access token")
    add("--scope", action="append", choices=sorted(SCOPES), help="what it is good for; again for more (not of sk_)")
    add("--user", action="append", metavar="USR", help="whose calendar it opens; again for more (default: everybody's)")
    add("--account", action="append", metavar="CPA", help="a connected account that it acts for; again for more")
    add("--version", default=CURRENT, help=f"the API's version that it is pinned to (default {CURRENT})")
    add("--expires", type=date.fromisoformat, metavar="YYYY-MM-DD", help="its last day, in UTC")


def run(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Make a key and tell what to do with it; raises SettingsError for one that cannot be."""
    plain = keys.new(options.kind)
    key = VoiceKey(
        options.id,
        fingerprint(plain),
        options.kind,
        scopes=tuple(options.scope or ()),
        users=tuple(options.user or ()),
        accounts=tuple(options.account or ()),
        version=options.version,
        expires=options.expires,
    )
    lines = as_toml(key)
    say(f"The key, which is shown this once; whoever has it may do what it is good for:\n\n  {plain}\n")
    say(f"What the bridge keeps of it; paste this into phone-bridge.toml, and start the bridge again:\n\n{lines}")
    if options.kind in ("sk_test", "sk_live"):
        say(f"Or, to try something, start the bridge with it:\n\n  PHONE_BRIDGE_VOICE_KEY={plain} phone-bridge serve")
    return 0
