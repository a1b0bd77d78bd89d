"""A caller and some events, as a talk knows them."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from phone_bridge.assistant.plans import Caller
from phone_bridge.assistant.references import Person, Place, Seen

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZONE)
"""A Tuesday."""
TODAY = NOW.date()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Make a moment ``day`` days from today."""
    return NOW.replace(hour=hour, minute=minute) + timedelta(days=day)


def event(title: str, start: datetime, minutes: int = 60, **more: Any) -> Seen:
    """Make an event; its id is made of its title and its day."""
    name = f"evt_{title.split()[0].lower()}{start.day:02}"
    return Seen(id=name, title=title, start_time=start, end_time=start + timedelta(minutes=minutes), **more)


REVIEW = event(
    "Project review with Anna",
    at(0, 11, 30),
    45,
    attendees=(Person("anna@example.com", "Anna"), Person("martin@example.com")),
    location=Place("the office", "350 Fifth Avenue"),
)
STAND_UPS = [event("Team meeting", at(day, 9, 15), 15) for day in (0, 1, 2, 3)]
LUNCH = event("Lunch with Carol", at(1, 12, 30))
DENTIST = event("Dentist appointment", at(2, 15), 45, location=Place(address="48 Park Street"))
LESSON = event("Piano lesson", at(6, 11))
FAIR = event("Book fair", at(3, 0), 1440, all_day=True)
WEEK = sorted([REVIEW, *STAND_UPS, LUNCH, DENTIST, LESSON, FAIR], key=lambda each: each.start_time)
TITLES = tuple(dict.fromkeys(each.title for each in WEEK))
CALLER = Caller(user_id="usr_alice", timezone=ZONE.key, titles=TITLES)


def plain(seen: Seen) -> dict[str, Any]:
    """Write an event as a tool gives it."""
    return {
        "id": seen.id,
        "object": "event",
        "title": seen.title,
        "start_time": seen.start_time.isoformat(),
        "end_time": seen.end_time.isoformat(),
        "all_day": seen.all_day,
        "attendees": [{"email": person.email, "name": person.name} for person in seen.attendees],
        "location": {"name": seen.location.name, "address": seen.location.address} if seen.location else None,
    }
