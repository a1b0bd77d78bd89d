"""The command ``phone-bridge pin``: gives users a PIN, takes it away, and lists who has one.

The PIN itself is asked for, or read from standard input: an argument would stand in the shell's history and in the
list of processes.
"""

import argparse
import getpass
import sys
from collections.abc import Callable

from phone_bridge.errors import Refused
from phone_bridge.runtime.pins import MAX_DIGITS, MIN_DIGITS, Pins, check
from phone_bridge.runtime.record import Records

MAX_LINE_CHARS = 64
"""Of a line of standard input that holds a PIN."""

Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the subcommands in."""
    commands = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    setting = commands.add_parser("set", help="give a user a PIN, or another one; it is asked for, or read from stdin")
    setting.add_argument("user_id", metavar="USER")
    removing = commands.add_parser("remove", help="take a user's PIN away")
    removing.add_argument("user_id", metavar="USER")
    commands.add_parser("list", help="list who has a PIN, and whose tries wait")


def run(options: argparse.Namespace, database_url: str, say: Say) -> int:
    """Do what was asked for and give the exit status; raises Refused for what cannot be a PIN, and Unavailable."""
    records = Records(database_url)
    try:
        return _run(options, Pins(records), say)
    finally:
        records.close()


def _run(options: argparse.Namespace, pins: Pins, say: Say) -> int:
    if options.what == "list":
        for kept in pins.list():
            waits = f", {kept.wrong} wrong tries, {kept.locked_s} s to wait" if kept.wrong else ""
            say(f"{kept.user_id}  since {kept.set_at}{waits}")
        return 0
    if options.what == "remove":
        if pins.remove(options.user_id):
            say(f"{options.user_id} has no PIN any more")
            return 0
        say(f"{options.user_id} had no PIN")
        return 1
    pins.set(options.user_id, _asked())
    say(f"{options.user_id} has a PIN")
    return 0


def _asked() -> str:
    """Have the PIN keyed in twice, unseen, or read it from a pipe; raises Refused."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(MAX_LINE_CHARS).rstrip("\r\n")
    pin = getpass.getpass(f"The PIN, {MIN_DIGITS} to {MAX_DIGITS} digits: ")
    check(pin)
    if getpass.getpass("Once more: ") != pin:
        raise Refused("The two were not the same: nothing was changed.", code="pins_differ")
    return pin
