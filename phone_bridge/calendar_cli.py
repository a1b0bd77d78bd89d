"""The command ``phone-bridge calendar``: looks at a calendar, adds to it, and takes ``.ics`` files in and out."""

import argparse
import asyncio
import sys
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from phone_bridge.assistant.calendar.accounts import Account
from phone_bridge.assistant.calendar.demo import ALICE, refill
from phone_bridge.assistant.calendar.importing import give_out, take_in
from phone_bridge.assistant.calendar.joined import add_users, keeper_of
from phone_bridge.assistant.calendar.page import bounds, day_page, week_page
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.minting import random_id
from phone_bridge.errors import Refused, SettingsError
from phone_bridge.tools.ics.reading import read
from phone_bridge.tools.ics.writing import write
from phone_bridge.tools.keeper import Attendee, EventFields, Location, Recurrence, User
from phone_bridge.tools.rules import moment_of

SKIPPED = 1
"""Exit status of an import of which something had to be left out."""

Say = Callable[[str], None]


class Desk(msgspec.Struct, frozen=True):
    """What the command needs of the settings: where calendars are kept, and whose is looked at by default."""

    database_url: str
    accounts: tuple[Account, ...]
    user_id: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the subcommands in."""
    parser.add_argument("--user", help="whose calendar (default PHONE_BRIDGE_USER_ID)")
    parser.set_defaults(what="week", day=None)
    commands = parser.add_subparsers(metavar="WHAT", dest="what")
    for what in ("day", "week"):
        showing = commands.add_parser(what, help=f"show a {what} (default: this one)")
        showing.add_argument("day", nargs="?", type=date.fromisoformat, metavar="YYYY-MM-DD")
    adding = commands.add_parser("add", help="add an event")
    adding.add_argument("title")
    adding.add_argument("--at", required=True, metavar="WHEN", help="2026-12-01T15:00 in the user's zone, or a date")
    adding.add_argument("--minutes", type=int, help="how long (default: the user's usual length)")
    adding.add_argument("--where", help="its place")
    adding.add_argument("--with", action="append", dest="people", metavar="EMAIL", help="who comes; again for more")
    adding.add_argument("--repeat", metavar="RRULE", help="such as FREQ=WEEKLY;BYDAY=MO")
    importing = commands.add_parser("import", help="take in an .ics file; again changes nothing")
    importing.add_argument("file", metavar="FILE", help="- for standard input")
    exporting = commands.add_parser("export", help="give everything out as one .ics file")
    exporting.add_argument("file", metavar="FILE", nargs="?", default="-", help="(default: standard output)")


def run(options: argparse.Namespace, desk: Desk, say: Say, *, now: datetime | None = None) -> int:
    """Do what was asked for and give the exit status; ``say`` takes the lines of the answer."""
    user_id = options.user or desk.user_id
    moment = now or datetime.now(UTC)
    keeper = keeper_of(desk.database_url, desk.accounts, new_id=random_id, now=lambda: moment)
    keeper.prepare()
    works: dict[str, Callable[..., Coroutine[Any, Any, int]]] = {
        "day": _show,
        "week": _show,
        "add": _add,
        "import": _import,
        "export": _export,
        None: _show,  # type: ignore[dict-item]
    }

    async def work() -> int:
        user = await _user(keeper, desk, user_id, moment)
        return await works[options.what](options, keeper, user, say, moment)

    try:
        return asyncio.run(work())
    finally:
        keeper.close()


async def _user(keeper: SqlKeeper, desk: Desk, user_id: str, now: datetime) -> User:
    await add_users(keeper, desk.accounts)
    remote = any(account.user_id == user_id for account in desk.accounts)
    if user_id == ALICE.id and not remote:
        await refill(keeper, now)
    elif user_id == desk.user_id:
        await keeper.add_user(User(id=user_id))
    try:
        return await keeper.user(user_id)
    except Refused:
        raise SettingsError(f"nobody is known here as {user_id!r}: name a user with --user") from None


async def _show(options: argparse.Namespace, keeper: SqlKeeper, user: User, say: Say, now: datetime) -> int:
    zone = ZoneInfo(user.timezone)
    day = options.day or now.astimezone(zone).date()
    first, days = (day, 1) if options.what == "day" else (day - timedelta(days=day.weekday()), 7)
    start, end = bounds(first, days, zone)
    events = await keeper.events(user.id, start=start - timedelta(seconds=1), end=end)
    page = day_page if options.what == "day" else week_page
    say("\n".join([*page(first, events, zone, now), "", f"{user.name or user.id}, {user.timezone}"]))
    return 0


async def _add(options: argparse.Namespace, keeper: SqlKeeper, user: User, say: Say, now: datetime) -> int:
    zone = ZoneInfo(user.timezone)
    start, all_day = _moment(options.at, zone)
    if options.minutes is not None and not 0 < options.minutes <= 24 * 60:
        raise SettingsError(f"--minutes is 1 to 1440, not {options.minutes}")
    days = start.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)
    lasting = timedelta(minutes=options.minutes or user.default_event_duration_min)
    try:
        people = [msgspec.convert({"email": email}, Attendee) for email in options.people or ()]
        recurrence = msgspec.convert({"rule": options.repeat}, Recurrence) if options.repeat else None
    except msgspec.ValidationError as error:
        raise SettingsError(f"the event cannot be added: {error}") from None
    event = await keeper.create_event(
        user.id,
        EventFields(
            title=options.title,
            start_time=start,
            end_time=moment_of(days, zone) if all_day else start + lasting,
            timezone=user.timezone,
            all_day=all_day,
            location=Location(address=options.where) if options.where else None,
            attendees=tuple(people),
            recurrence=recurrence,
        ),
        key=f"cli:{uuid.uuid4()}",
    )
    begins = event.start_time.astimezone(zone)
    say(f"added {event.title}, {begins:%A} {begins.day} {begins:%B %Y}{'' if all_day else f' at {begins:%H:%M}'}")
    return 0


async def _import(options: argparse.Namespace, keeper: SqlKeeper, user: User, say: Say, now: datetime) -> int:
    done = await take_in(keeper, user.id, read(_content(options.file), user_id=user.id, zone=user.timezone, now=now))
    say(f"{done.created} new, {done.changed} brought up to date, {done.unchanged} as they were")
    for skipped in done.skipped:
        say(f"left out: {skipped.name}: {skipped.reason}")
    return SKIPPED if done.skipped else 0


async def _export(options: argparse.Namespace, keeper: SqlKeeper, user: User, say: Say, now: datetime) -> int:
    objects = await give_out(keeper, user.id)
    text = write(objects, name=user.name or user.id)
    if options.file == "-":
        say(text.decode().replace("\r\n", "\n").rstrip("\n"))
        return 0
    _put(options.file, text)
    say(f"{len(objects)} calendar objects are in {options.file}")
    return 0


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from None


def _put(file: str, text: bytes) -> None:
    try:
        Path(file).write_bytes(text)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}") from None


def _moment(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Read a beginning: a date is a whole day, a time without an offset is of the user's zone."""
    try:
        if len(text) == len("2026-12-01"):
            return moment_of(datetime.fromisoformat(text), zone), True
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--at is a time such as 2026-12-01T15:00, or a date, not {text!r}") from None
    return (moment_of(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)), False
