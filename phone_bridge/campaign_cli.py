"""The command ``phone-bridge campaign``: rings everybody in a table, at a rate, and may be paused and resumed.

What was scheduled stands in a file beside the table, so that Ctrl-C is a pause and the same command goes on.
"""

import argparse
import csv
import io
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from phone_bridge.errors import Refused, SettingsError
from phone_bridge.outbound.campaign import OVER, Breaker, Progress, fill
from phone_bridge.outbound.policy import Policy, check
from phone_bridge.outbound_cli import NOT_OK, OK, Api, Say

LOOK_S = 5.0
"""How often it is looked at how the calls have gone."""
KEPT = ".campaign.json"
"""What is added to the table's name for the file that a campaign remembers by."""
DONE = "done"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the arguments in."""
    parser.add_argument("table", type=Path, metavar="FILE.csv", help="people, one a row; a column named to")
    parser.add_argument("--text", required=True, help="what is said, such as 'Hello {name}'; names are columns")
    parser.add_argument("--timezone", help="where they are; a column timezone wins (default: the bridge's setting)")
    parser.add_argument("--window", default="09:00-20:00", help="when they may be rung (default 09:00-20:00)")
    parser.add_argument("--rate", type=float, default=10.0, help="people a minute at the most (default 10)")
    parser.add_argument("--breaker", type=int, default=50, metavar="PERCENT", help="stop when so many of 20 fail")
    parser.add_argument("--require-consent", action="store_true", help="ring those alone with a column consent filled")
    parser.add_argument("--url", help="the bridge's address (default: that of the settings)")


class Kept(msgspec.Struct):
    """What a campaign remembers: its id, the reminder of each row, and the time that each was asked for."""

    id: str
    rows: dict[str, str] = {}
    times: dict[str, str] = {}


class Campaign:
    """One table and what became of its rows so far."""

    def __init__(self, options: argparse.Namespace, api: Api, say: Say) -> None:
        if options.rate <= 0:
            raise SettingsError("--rate must be more than 0")
        self._options = options
        self._api = api
        self._say = say
        self._file = options.table.with_name(options.table.name + KEPT)
        self._rows = _rows(options.table)
        self._policy = {"window": options.window} | ({"consent_required": True} if options.require_consent else {})
        check(Policy(window=options.window))
        self._texts = [fill(options.text, row) for row in self._rows]  # all of them, before anybody is rung
        self._kept = _kept(self._file, options.table)
        self._reminders: dict[str, Any] = {}
        self._breaker = Breaker(options.breaker)

    def run(self, sleep: Callable[[float], None], now: Callable[[], float]) -> int:
        """Ring everybody, or stop where too many fail; Ctrl-C is a pause, for those who are scheduled, too."""
        self._tell("running")
        try:
            code = self._run(sleep, now)
        except KeyboardInterrupt:
            self._tell("paused")
            self._say("paused: nobody is rung until the same command goes on")
            return NOT_OK
        self._tell("stopped" if self._breaker.open else "over")
        return code

    def _run(self, sleep: Callable[[float], None], now: Callable[[], float]) -> int:
        looked = now()
        for place, row in enumerate(self._rows):
            if str(place) not in self._kept.rows:
                self._wait_while_paused(sleep)
                self._schedule(place, row)
                sleep(60 / self._options.rate)
            if now() - looked >= LOOK_S:
                looked = now()
                self._look()
            if self._breaker.open:
                return self._stop()
        while self._look().over < len(self._kept.rows):
            if self._breaker.open:
                return self._stop()
            sleep(LOOK_S)
        return self._report()

    def _tell(self, state: str) -> None:
        """Let the bridge, and whoever watches it, know how the campaign stands."""
        body = {"id": self._kept.id, "name": self._options.table.name[:128], "total": len(self._rows), "state": state}
        self._api.post("/v1/campaigns", body)

    def _wait_while_paused(self, sleep: Callable[[float], None]) -> None:
        told = False
        while self._api.get(f"/v1/campaigns/{self._kept.id}")["state"] == "paused":
            if not told:
                self._say("paused by somebody else: it goes on when it is resumed")
            told = True
            sleep(LOOK_S)

    def _schedule(self, place: int, row: dict[str, str]) -> None:
        """Have one rung. What is asked for is written down first: killed after that, the same is asked for again."""
        key = str(place)
        before = self._kept.times.get(key)
        if before is not None:  # it was asked for, and perhaps the answer did not come any more
            with suppress(Refused):
                self._kept.rows[key] = self._ask(place, row, before)
        if key not in self._kept.rows:
            self._kept.times[key] = datetime.now(UTC).isoformat()
            self._keep()
            try:
                self._kept.rows[key] = self._ask(place, row, self._kept.times[key])
            except Refused as error:
                self._say(f"! row {place + 2}: {error}")
                self._kept.rows[key] = ""
                self._breaker.note(failed=True)
        self._keep()

    def _ask(self, place: int, row: dict[str, str], at: str) -> str:
        body = {
            "to": row["to"],
            "text": self._texts[place],
            "at": at,
            "policy": self._policy,
            "campaign": self._kept.id,
            "metadata": {"row": str(place + 2)},
        }
        given = {"timezone": row.get("timezone") or self._options.timezone, "consent": row.get("consent")}
        body |= {name: value for name, value in given.items() if value}
        return str(self._api.post("/v1/reminders", body, f"{self._kept.id}.{place}.{at}")["id"])

    def _keep(self) -> None:
        new = self._file.with_name(self._file.name + ".new")
        new.write_bytes(msgspec.json.encode(self._kept))
        new.replace(self._file)  # whole, or as it was

    def _look(self) -> Progress:
        for place, name in self._kept.rows.items():
            known = self._reminders.get(place)
            if known is not None and known["status"] in OVER:
                continue
            refused = {"status": "failed", "outcome": "refused"}
            shown = self._reminders[place] = self._api.get(f"/v1/reminders/{name}") if name else refused
            if shown["status"] in OVER and name:
                self._breaker.note(failed=shown["status"] == "failed")
        progress = Progress.of(len(self._rows), self._reminders.values())
        self._say(progress.line())
        return progress

    def _stop(self) -> int:
        self._say("! stopped: too many calls fail. Find out why; the same command goes on with the others.")
        return NOT_OK

    def _report(self) -> int:
        for place, row in enumerate(self._rows):
            shown = self._reminders[str(place)]
            self._say(f"{row['to']}: {shown['status']}, {shown['outcome']}")
        self._say(Progress.of(len(self._rows), self._reminders.values()).report())
        return OK if all(one["status"] == DONE for one in self._reminders.values()) else NOT_OK


def run(options: argparse.Namespace, api: Api, say: Say) -> int:
    """Run a campaign to its end."""
    return Campaign(options, api, say).run(time.sleep, time.monotonic)


def _kept(file: Path, table: Path) -> Kept:
    if not file.exists():
        return Kept(f"{table.stem[:64]}-{secrets.token_hex(4)}")
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError):
        raise SettingsError(f"{file} is not what a campaign has left there: move it away to begin anew") from None


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8-sig")), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{table} cannot be read: {error}") from None
    if not rows or "to" not in rows[0]:
        raise SettingsError(f"{table} needs a first row of names, one of them to, and people below it")
    if any(None in row or None in row.values() for row in rows):
        raise SettingsError(f"{table} has a row with more or fewer cells than the first one")
    return rows
