"""The command ``phone-bridge campaign``: rings everybody in a table, at a rate, and may be paused and resumed.

What was scheduled stands in a file beside the table, so that Ctrl-C is a pause and the same command goes on.
"""

import argparse
import csv
import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
    parser.add_argument("--timezone", default="UTC", help="where they are (default UTC); a column timezone wins")
    parser.add_argument("--window", default="09:00-20:00", help="when they may be rung (default 09:00-20:00)")
    parser.add_argument("--rate", type=float, default=10.0, help="people a minute at the most (default 10)")
    parser.add_argument("--breaker", type=int, default=50, metavar="PERCENT", help="stop when so many of 20 fail")
    parser.add_argument("--url", help="the bridge's address (default: that of the settings)")


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
        self._policy = {"window": options.window}
        check(Policy(window=options.window))
        self._texts = [fill(options.text, row) for row in self._rows]  # all of them, before anybody is rung
        self._kept: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._reminders: dict[str, Any] = {}
        self._breaker = Breaker(options.breaker)

    def run(self, sleep: Callable[[float], None], now: Callable[[], float]) -> int:
        """Ring everybody, or stop where too many fail."""
        looked = now()
        for place, row in enumerate(self._rows):
            if str(place) not in self._kept:
                self._schedule(place, row)
                sleep(60 / self._options.rate)
            if now() - looked >= LOOK_S:
                looked = now()
                self._look()
            if self._breaker.open:
                return self._stop()
        while self._look().over < len(self._kept):
            if self._breaker.open:
                return self._stop()
            sleep(LOOK_S)
        return self._report()

    def _schedule(self, place: int, row: dict[str, str]) -> None:
        body = {
            "to": row["to"],
            "text": self._texts[place],
            "at": datetime.now(UTC).isoformat(),
            "timezone": row.get("timezone") or self._options.timezone,
            "policy": self._policy,
            "metadata": {"campaign": self._options.table.name[:64], "row": str(place + 2)},
        }
        try:
            self._kept[str(place)] = self._api.post("/v1/reminders", body)["id"]
        except Refused as error:
            self._say(f"! row {place + 2}: {error}")
            self._kept[str(place)] = ""
            self._breaker.note(failed=True)
        self._file.write_text(json.dumps(self._kept))

    def _look(self) -> Progress:
        for place, name in self._kept.items():
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
        return OK if all(one["status"] == DONE for one in self._reminders.values()) else NOT_OK


def run(options: argparse.Namespace, api: Api, say: Say) -> int:
    """Run a campaign to its end."""
    return Campaign(options, api, say).run(time.sleep, time.monotonic)


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
