"""Reminders from files: a table (``.csv``) with a reminder a row, or a calendar (``.ics``) with one an event."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from phone_bridge.errors import Refused
from phone_bridge.outbound.policy import zone

MAX_FILE_BYTES = 10_000_000
MAX_ROWS = 100_000
COLUMNS = ("to", "at", "text", "from", "user_id", "timezone", "event_id", "offset_minutes", "repeat", "consent")
"""What a table may have; any other column goes into the metadata."""


def from_csv(text: str) -> Iterator[dict[str, Any]]:
    """Read a table whose first row names its columns; gives bodies of ``POST /v1/reminders``. Raises Refused."""
    rows = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names = rows.fieldnames or []
    except csv.Error as error:
        raise _wrong(1, str(error)) from None
    missing = {"to", "text"} - set(names)
    if missing:
        raise _wrong(1, f"has no column {' and no column '.join(sorted(missing))}")
    try:
        for number, row in enumerate(rows, start=2):
            if number > MAX_ROWS:
                raise _wrong(number, f"is one too many: {MAX_ROWS} is the most")
            yield _body(row, number)
    except csv.Error as error:
        raise _wrong(rows.line_num, str(error)) from None


def _body(row: dict[str | None, Any], number: int) -> dict[str, Any]:
    if None in row or None in row.values():
        raise _wrong(number, "has more or fewer cells than the first row")
    cells = {str(name).strip(): str(cell).strip() for name, cell in row.items()}
    body: dict[str, Any] = {name: cells[name] for name in COLUMNS if cells.get(name)}
    if "offset_minutes" in body:
        if not body["offset_minutes"].isdecimal():
            raise _wrong(number, "has an offset_minutes that is no whole number")
        body["offset_minutes"] = int(body["offset_minutes"])
    metadata = {name: cell for name, cell in cells.items() if name not in COLUMNS and cell}
    return body | ({"metadata": metadata} if metadata else {})


def from_ics(data: bytes, *, to: str, minutes: int, now: datetime, timezone: str = "UTC") -> Iterator[dict[str, Any]]:
    """Read a calendar; gives a body for each event that is still to come, ``minutes`` before it. Raises Refused.

    A repeating event makes a repeating reminder. An event of a whole day is reminded of from its midnight in
    ``timezone``; one that was cancelled is not.
    """
    from icalendar import Calendar  # a fifth of a second that only a calendar needs

    try:
        calendar = Calendar.from_ical(data)
    except (ValueError, IndexError, KeyError) as error:
        raise Refused(f"The file is no calendar: {error}", code="calendar_malformed") from None
    for event in calendar.walk("VEVENT"):
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or event.get("DTSTART") is None:
            continue
        start: Any = getattr(event["DTSTART"], "dt", None)
        if not isinstance(start, date):
            raise Refused("An event of the calendar has a DTSTART that is no time.", code="calendar_malformed")
        start = start if isinstance(start, datetime) else datetime.combine(start, time())
        start = start if start.tzinfo else start.replace(tzinfo=zone(timezone))
        rule = event.get("RRULE")
        if rule is None and start.astimezone(UTC) <= now:
            continue
        yield _of_event(event, start, rule, to, minutes)


def _of_event(event: Any, start: datetime, rule: Any, to: str, minutes: int) -> dict[str, Any]:
    title = str(event.get("SUMMARY", "")).strip() or "An event"
    where = str(event.get("LOCATION", "")).strip()
    begins = f"in {minutes} minutes" if minutes != 1 else "in one minute"
    text = f"{title} begins {begins if minutes else 'now'}{f', at {where}' if where else ''}."
    body: dict[str, Any] = {
        "to": to,
        "at": (start - timedelta(minutes=minutes)).isoformat(),
        "text": text,
        "metadata": {"uid": str(event.get("UID", ""))[:500]},
    }
    key = getattr(start.tzinfo, "key", None)
    if key:
        body["timezone"] = str(key)
    if rule is not None:
        body["repeat"] = rule.to_ical().decode()
    return body


def _wrong(number: int, what: str) -> Refused:
    return Refused(f"Row {number} of the table {what}.", code="table_malformed")
