"""The command ``phone-bridge receipt``: ``verify`` says whether receipts prove consent, ``show`` lists a call's.

``verify`` needs no database and no bridge when it is given the public key: a receipt can be checked by anybody.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from phone_bridge.call.proof import doubts, tell
from phone_bridge.call.receipt import ID_PREFIX, Caller, Receipt, read_json
from phone_bridge.errors import Refused, RemoteError
from phone_bridge.runtime.receipt_keys import PublicKey, key_doubts, parse_keys
from phone_bridge.runtime.receipts import Receipts, newest
from phone_bridge.runtime.record import Records

PROVEN = 0
NOT_PROVEN = 1
MAX_BYTES = 4_000_000  # of a file that is read: thousands of receipts

Say = Callable[[str], None]
Database = Callable[[], str]
"""Gives the database's URL where one is needed; whoever has the key and a file needs none."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the subcommands in."""
    commands = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    verifying = commands.add_parser("verify", help="say whether receipts prove a consent: exit 0 if all do, 1 if not")
    verifying.add_argument(
        "source",
        metavar="FILE|RECEIPT_ID",
        help="a receipt, a list of them or a call as JSON (- for standard input), or a receipt's id in the database",
    )
    verifying.add_argument("--key", help="the public key or keys, as a JWK or a file of it; else the database's own")
    verifying.add_argument("--caller", metavar="NUMBER", help="also check that this number was the caller's")
    showing = commands.add_parser("show", help="list the receipts of a call")
    showing.add_argument("call_id", metavar="CALL_ID")
    showing.add_argument("--json", action="store_true", help="as JSON, with all revisions")
    commands.add_parser("rotate", help="make the next signing key, in use from the bridge's next start")


def run(options: argparse.Namespace, database: Database, say: Say) -> int:
    """Do what was asked for and give the exit status; ``say`` takes the lines of its answer."""
    if options.what == "verify":
        return _verify(options, database, say)
    with _open(database) as receipts:
        if options.what == "rotate":
            say(f"made {receipts.rotate()}; each process signs with it from its next start")
            return 0
        return _show(receipts, options.call_id, say, as_json=options.json)


# verify


def _verify(options: argparse.Namespace, database: Database, say: Say) -> int:
    try:
        receipts = _receipts(options.source, database)
        keys = _keys(options.key, database)
    except RemoteError as error:
        say(f"NOT PROVEN: {error}")
        return NOT_PROVEN
    if not receipts:
        say(f"NOT PROVEN: there is no receipt in {options.source}")
        return NOT_PROVEN
    return max(_judge(receipt, keys, options.caller, say) for receipt in receipts)


def _judge(receipt: Receipt, keys: list[PublicKey], caller: str | None, say: Say) -> int:
    found = [*key_doubts(receipt, keys), *doubts(receipt)]
    if caller is not None and Caller.of(caller, receipt.call.id) != receipt.caller:
        found.append("its caller had another number")
    say(tell(receipt))
    for doubt in found:
        say(f"NOT PROVEN: {doubt}")
    if found:
        return NOT_PROVEN
    say(f"PROVEN: signed with {receipt.key_id}, heard, and answered with yes")
    return PROVEN


def _receipts(source: str, database: Database) -> list[Receipt]:
    if source.startswith(ID_PREFIX) and not Path(source).exists():
        with _open(database) as receipts:
            return newest(receipts.find(source))
    document = read_json(_read(source))
    if isinstance(document, dict) and "receipts" in document:
        document = document["receipts"]
    return [Receipt.convert(each) for each in (document if isinstance(document, list) else [document])]


def _keys(given: str | None, database: Database) -> list[PublicKey]:
    if given is not None:
        return parse_keys(read_json(given if given.lstrip().startswith("{") else _read(given)))
    with _open(database) as receipts:
        return receipts.keys()


def _read(source: str) -> bytes:
    """Read a file or, for ``-``, standard input."""
    try:
        if source == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(f"{source} cannot be read: {error.strerror}", code="no_file") from None
    if len(data) > MAX_BYTES:
        raise Refused(f"{source} holds more than {MAX_BYTES} bytes: give a smaller piece at a time", code="too_large")
    return data


# show


def _show(receipts: Receipts, call_id: str, say: Say, *, as_json: bool) -> int:
    found = receipts.of_call(call_id)
    if as_json:
        say(msgspec.json.format(msgspec.json.encode(found)).decode())
        return 0
    for receipt in newest(found):
        say(tell(receipt))
    if not found:
        say(f"The call {call_id} has no receipts: nothing was confirmed in it, or it is not known here.")
    return 0


@contextmanager
def _open(database: Database) -> Iterator[Receipts]:
    records = Records(database())
    try:
        yield Receipts(records)
    finally:
        records.close()
