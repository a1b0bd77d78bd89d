"""The commands ``phone-bridge call`` and ``phone-bridge remind``: they ask the running bridge by its API."""

import argparse
import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phone_bridge.errors import Refused, SettingsError, Unavailable
from phone_bridge.outbound.sources import MAX_FILE_BYTES, from_csv, from_ics

TIMEOUT_S = 15.0
POLL_S = 0.5
OK, NOT_OK = 0, 1
_LIVE = ("queued", "ringing", "in_progress")

Say = Callable[[str], None]


def add_call(parser: argparse.ArgumentParser) -> None:
    """Take the arguments of ``call`` in."""
    parser.add_argument("to", metavar="TO", help="whom to call, such as +12025550143")
    parser.add_argument("--greeting", default="", help="what is said first")
    parser.add_argument("--digits", default="", help="keys to press when it is answered; w waits half a second")
    parser.add_argument("--user", help="whose calendar the call is bound to")
    parser.add_argument("--wait", action="store_true", help="stay until the call is over; exit 1 if nobody talked")
    _add_common(parser)


def add_remind(parser: argparse.ArgumentParser) -> None:
    """Take the arguments of ``remind`` in."""
    parser.add_argument("to", metavar="TO", nargs="?", help="whom to call; a table names its own")
    parser.add_argument("--at", metavar="WHEN", help="ISO 8601 with an offset, such as 2026-11-24T15:00:00-05:00")
    parser.add_argument("--text", help="what is said")
    parser.add_argument("--timezone", help="where the recipient is, such as America/New_York")
    parser.add_argument("--repeat", metavar="RRULE", help="such as FREQ=DAILY;COUNT=5")
    parser.add_argument("--event", metavar="ID", help="an event of the calendar, instead of --at")
    parser.add_argument("--minutes", type=int, default=0, help="so many minutes before the event (default 0)")
    parser.add_argument("--file", type=Path, help="a table (.csv) or a calendar (.ics) of reminders; again is no more")
    parser.add_argument("--user", help="whose reminder it is")
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="from_number", metavar="NUMBER", help="the number that is shown")
    parser.add_argument("--url", help="the bridge's address (default: that of the settings)")
    parser.add_argument("--json", action="store_true", help="print the bridge's own answer")


class Api:
    """The API of the bridge at ``url``."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key

    def post(self, path: str, body: dict[str, Any], key: str = "") -> Any:
        """Ask for something to be done; once for each ``key``."""
        return self._ask("POST", path, json.dumps(body).encode(), key)

    def get(self, path: str) -> Any:
        """Look at something."""
        return self._ask("GET", path, None, "")

    def _ask(self, method: str, path: str, body: bytes | None, key: str) -> Any:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Authorization": f"Bearer {self._key}"} if self._key else {}
        headers |= {"Idempotency-Key": key} if key else {}
        request = urllib.request.Request(self._url + path, body, headers, method=method)  # noqa: S310  # from settings
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (urllib.error.URLError, TimeoutError, OSError):
            raise Unavailable(f"no bridge answers at {self._url}; start one with: phone-bridge serve") from None
        except ValueError:
            raise Unavailable(f"what answers at {self._url} is no bridge") from None


def _refusal(error: urllib.error.HTTPError) -> Refused:
    try:
        told = json.load(error)["error"]
        param = f" (in {told['param']})" if told.get("param") else ""
        return Refused(f"{told['message']}{param}", code=told["code"])
    except (ValueError, KeyError, TypeError):
        return Refused(f"the bridge answered with the status {error.code}")
    finally:
        error.close()


def call(options: argparse.Namespace, api: Api, say: Say, sleep: Callable[[float], None] = time.sleep) -> int:
    """Have somebody called."""
    body = _given(
        to=options.to,
        greeting=options.greeting,
        digits=options.digits,
        user_id=options.user,
        **{"from": options.from_number},
    )
    shown = api.post("/v1/calls", body)
    if not options.json:
        say(f"{shown['id']} is {shown['status']}: {shown['to']} is called from {shown['from']}")
    while options.wait and shown["status"] in _LIVE:
        sleep(POLL_S)
        before, shown = shown["status"], api.get(f"/v1/calls/{shown['id']}")
        if shown["status"] != before and not options.json:
            say(f"{shown['id']} is {shown['status']}")
    if options.json:
        say(json.dumps(shown))
    return OK if shown["status"] in (*_LIVE, "completed") else NOT_OK


def remind(options: argparse.Namespace, api: Api, say: Say, now: datetime | None = None) -> int:
    """Schedule a reminder, or all of a file."""
    if options.file is None:
        _say_reminder(api.post("/v1/reminders", _one(options)), options, say)
        return OK
    made = failed = 0
    for body in _of_file(options, now or datetime.now(UTC)):
        try:
            shown = api.post("/v1/reminders", body, _key(body))
        except Refused as error:
            failed += 1
            say(f"! {body.get('to')} at {body.get('at')}: {error}")
        else:
            made += 1
            _say_reminder(shown, options, say)
    if not options.json:
        say(f"{made} reminders are scheduled, {failed} are not")
    return NOT_OK if failed else OK


def _say_reminder(shown: Any, options: argparse.Namespace, say: Say) -> None:
    say(json.dumps(shown) if options.json else f"{shown['id']} rings {shown['to']} at {shown['next_at']}")


def _one(options: argparse.Namespace) -> dict[str, Any]:
    if not options.to or not options.text or not (options.at or options.event):
        raise SettingsError("remind needs TO, --text, and --at or --event; or a --file")
    return _given(
        to=options.to,
        at=options.at,
        text=options.text,
        timezone=options.timezone,
        repeat=options.repeat,
        event_id=options.event,
        offset_minutes=options.minutes or None,
        user_id=options.user,
        **{"from": options.from_number},
    )


def _of_file(options: argparse.Namespace, now: datetime) -> Iterable[dict[str, Any]]:
    common = _given(user_id=options.user, **{"from": options.from_number})
    try:
        data = options.file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{options.file} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise SettingsError(f"{options.file} has {len(data)} bytes, {MAX_FILE_BYTES} are the most")
    if options.file.suffix.lower() == ".ics":
        if not options.to:
            raise SettingsError("a calendar names nobody to call: give TO")
        found = from_ics(data, to=options.to, minutes=options.minutes, now=now, timezone=options.timezone or "UTC")
    else:
        try:
            found = from_csv(data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise SettingsError(f"{options.file} is no table in UTF-8") from None
    return (common | body for body in found)


def _key(body: dict[str, Any]) -> str:
    """Name a row by what stands in it, so that the same file again schedules nothing again."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}
