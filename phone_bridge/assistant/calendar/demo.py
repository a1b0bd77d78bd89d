"""A believable week for ``usr_demo_alice``, so that a first call has something to talk about.

The titles are made of words that a small offline recogniser knows.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import structs

from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.tools.keeper import AlertFields, Attendee, EventFields, Location, Meeting, Recurrence, User

HOME = Location(name="home", address="210 Prospect Park West, Brooklyn", lat=40.6601, lng=-73.9800)
ALICE = User(
    id="usr_demo_alice",
    name="Alice",
    email="alice@example.com",
    timezone="America/New_York",
    home_location=HOME,
    shares_free_busy=True,
)
BOB = User(
    id="usr_demo_bob",
    name="Bob",
    email="bob@example.com",
    timezone="America/New_York",
    shares_free_busy=True,
)
FIRST_HOUR, LAST_HOUR = 7, 20
"""Between these hours the first meeting begins soon; in the night it begins at ``MORNING``."""
MORNING = time(8, 30)
LEAD = timedelta(minutes=75)
"""How far ahead the first meeting lies at least, in the daytime."""
DAYS = 7
"""How many days the demonstration covers."""

ANNA = Attendee(email="anna@example.com", name="Anna", status="accepted")
CAROL = Attendee(email="carol@example.com", name="Carol", status="accepted")
MARTIN = Attendee(email="martin@example.com", name="Martin", status="accepted")
SIMON = Attendee(email="simon@example.com", name="Simon", status="needs_action")
OFFICE = Location(name="the office", address="350 Fifth Avenue, New York", lat=40.7484, lng=-73.9857)
RESTAURANT = Location(name="Garden Restaurant", address="12 Market Street, New York", lat=40.7127, lng=-73.9935)
SURGERY = Location(name="Doctor Miller's practice", address="48 Park Street, New York", lat=40.7736, lng=-73.9566)
AIRPORT = Location(name="Kennedy airport", address="Queens, New York", lat=40.6413, lng=-73.7781)
ONLINE = Meeting(type="online", link="https://meet.example.com/demo")


async def refill(keeper: SqlKeeper, now: datetime) -> bool:
    """Give Alice and Bob a new week when nothing is ahead of them; nobody else's calendar is touched.

    Tells whether Alice got one.
    """
    await keeper.fill(BOB, bobs_week(now))
    events = week(now)
    return await keeper.fill(ALICE, events, [_alert(events[0])])


def week(now: datetime) -> list[EventFields]:
    """Plan the week that begins at ``now``, in Alice's time zone, in order of time."""
    zone = ZoneInfo(ALICE.timezone)
    first = _first(now.astimezone(zone))
    day = first.date()
    events = [
        _event("Project review with Anna", first, 45, "work", location=OFFICE, attendees=(ANNA, MARTIN)),
        _team_meeting(day, zone),
        _at(day, 1, time(12, 30), "Lunch with Carol", 60, "social", zone, RESTAURANT, (CAROL,)),
        _at(day, 1, time(16), "Phone call with Martin", 30, "work", zone, None, (MARTIN,)),
        _at(day, 2, time(15), "Dentist appointment", 45, "health", zone, SURGERY),
        _at(day, 2, time(18, 30), "Yoga class", 60, "personal", zone),
        _at(day, 3, time(10, 30), "Interview with Simon", 60, "work", zone, OFFICE, (SIMON,)),
        _at(day, 3, time(14), "Budget planning", 90, "work", zone, OFFICE, (ANNA,)),
        _at(day, 4, time(19), "Dinner with Thomas", 120, "social", zone, RESTAURANT),
        _at(day, 5, time(7, 45), "Flight to London", 420, "travel", zone, AIRPORT),
        _at(day, 6, time(11), "Piano lesson", 60, "education", zone),
    ]
    return sorted(events, key=lambda event: event.start_time)


def bobs_week(now: datetime) -> list[EventFields]:
    """Plan Bob's week, which overlaps Alice's here and there, so that a time for both can be looked for."""
    zone = ZoneInfo(BOB.timezone)
    day = _first(now.astimezone(zone)).date()
    events = [
        _team_meeting(day, zone),
        _at(day, 1, time(10), "Design workshop", 120, "work", zone, OFFICE, (ANNA,)),
        _at(day, 1, time(15), "Phone call with Alice", 30, "work", zone),
        _at(day, 2, time(13), "Lunch with Thomas", 60, "social", zone, RESTAURANT),
        _at(day, 3, time(14), "Budget planning", 90, "work", zone, OFFICE, (ANNA,)),
        _at(day, 4, time(11), "Football", 90, "personal", zone),
    ]
    return sorted(events, key=lambda event: event.start_time)


def _team_meeting(day: date, zone: ZoneInfo) -> EventFields:
    """Plan the meeting of every working day as one series, which ends with the week."""
    days = _workdays(day, time(9, 15), zone)
    rule = f"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT={len(days)}"
    meeting = _event("Team meeting", days[0], 15, "work", meeting=ONLINE)
    return structs.replace(meeting, recurrence=Recurrence(rule))


def _alert(first: EventFields) -> AlertFields:
    return AlertFields(
        type="departure",
        severity="warning",
        title=f"Leave in time for {first.title}",
        body="There is more traffic than usual on the way to the office.",
        expires_at=first.start_time,
    )


def _first(now: datetime) -> datetime:
    """Find the time of the first meeting: soon, on a half hour, or in the morning when it is night."""
    if FIRST_HOUR <= now.hour < LAST_HOUR:
        soon = now + LEAD
        return soon.replace(minute=0, second=0, microsecond=0) + timedelta(minutes=30 if soon.minute < 30 else 60)
    day = now.date() if now.hour < FIRST_HOUR else now.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, now.tzinfo)


def _workdays(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    ahead = (day + timedelta(days=n) for n in range(1, DAYS))
    return [datetime.combine(other, at, zone) for other in ahead if other.weekday() < 5]


def _at(
    day: date,
    days: int,
    at: time,
    title: str,
    minutes: int,
    category: str,
    zone: ZoneInfo,
    location: Location | None = None,
    attendees: tuple[Attendee, ...] = (),
) -> EventFields:
    start = datetime.combine(day + timedelta(days=days), at, zone)
    return _event(title, start, minutes, category, location=location, attendees=attendees)


def _event(
    title: str,
    start: datetime,
    minutes: int,
    category: str,
    *,
    location: Location | None = None,
    attendees: tuple[Attendee, ...] = (),
    meeting: Meeting | None = None,
) -> EventFields:
    return EventFields(
        title=title,
        start_time=start,
        end_time=start + timedelta(minutes=minutes),
        timezone=ALICE.timezone,
        category=category,
        location=location,
        attendees=attendees,
        meeting=meeting,
    )
