"""The command ``phone-bridge memory``: shows what models remember of a user, gives it out, and forgets it."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from phone_bridge.assistant.minting import random_id
from phone_bridge.runtime.memories import Memories
from phone_bridge.tools.memory import shown

Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the subcommands in."""
    parser.add_argument("--user", help="whose memory (default PHONE_BRIDGE_USER_ID)")
    commands = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    commands.add_parser("show", help="list what is remembered, the newest first")
    commands.add_parser("export", help="give all of it out as JSON")
    forgetting = commands.add_parser("forget", help="forget one memory, or all of them, for good")
    forgetting.add_argument("id", metavar="MEMORY_ID", nargs="?")
    forgetting.add_argument("--all", action="store_true", dest="everything")


def run(options: argparse.Namespace, database_url: str, user_id: str, say: Say) -> int:
    """Do what was asked for and give the exit status; raises Refused for an id that is not there, and Unavailable."""
    memories = Memories(database_url, new_id=random_id, now=lambda: datetime.now(UTC))
    try:
        memories.prepare()
        return _run(options, memories, options.user or user_id, say)
    finally:
        memories.close()


def _run(options: argparse.Namespace, memories: Memories, user_id: str, say: Say) -> int:
    if options.what == "export":
        whole = {"user_id": user_id, "memories": [shown(memory) for memory in memories.list(user_id)]}
        say(msgspec.json.format(msgspec.json.encode(whole)).decode())
        return 0
    if options.what == "show":
        for memory in memories.list(user_id):
            say(f"{memory.id}  {memory.created_at:%Y-%m-%d}  {memory.memory}")
        return 0
    if options.everything == bool(options.id):
        say("name one memory by its id, or say --all")
        return 2
    gone = memories.forget_all(user_id) if options.everything else len([memories.forget(user_id, options.id)])
    say(f"{gone} forgotten")
    return 0
