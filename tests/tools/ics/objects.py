"""Calendar objects as somebody might have them, for tests of iCalendar and of CalDAV."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from phone_bridge.tools.ics.names import event_id
from phone_bridge.tools.keeper import Attendee, Event, Location, Meeting, Recurrence, Series, Source, Travel
from phone_bridge.tools.rules import moment_of
from phone_bridge.tools.series import occurrence_id

WIRE = Path(__file__).parents[2] / "wire" / "ics"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
USER = "usr_demo_alice"
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")

_texts = st.text(
    st.sampled_from(r"""\Nn;,:^'"%=2C""") | st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20
)
_places = st.builds(
    Location,
    name=st.none() | _texts,
    address=_texts,
    lat=st.none() | st.just(48.856614),
    lng=st.none() | st.just(2.352222),
).filter(lambda place: (place.lat is None) == (place.lng is None))
_people = st.builds(
    Attendee,
    email=st.from_regex(r"[a-z]{1,8}@example\.com", fullmatch=True),
    name=st.none() | _texts.filter(lambda name: '"' not in name and "\\" not in name),
    status=st.sampled_from(["needs_action", "accepted", "declined", "tentative"]),
)


def wire(name: str) -> bytes:
    return (WIRE / name).read_bytes()


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Draw an event alone, at any time of any of the zones, nights on which clocks change included."""
    uid = draw(st.from_regex(r"[A-Za-z0-9@.-]{1,30}", fullmatch=True))
    zone = draw(st.sampled_from(ZONES))
    start = draw(
        st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
        | st.sampled_from([datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in range(4, 8)])
    ).replace(microsecond=0)
    lasting = timedelta(minutes=draw(st.integers(0, 3000)))
    all_day = draw(st.booleans())
    if all_day:
        day = start.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, tzinfo=None)
        start, end = moment_of(day, ZoneInfo(zone)), moment_of(day + timedelta(days=2), ZoneInfo(zone))
    else:
        end = start + lasting
    cancelled = draw(st.booleans())
    meeting = st.just(Meeting(type="online", link="https://meet.example.com/x")) | st.just(Meeting(type="both"))
    return Event(
        id=event_id(uid),
        user_id=USER,
        title=draw(_texts),
        start_time=start,
        end_time=end,
        timezone=zone,
        all_day=all_day,
        description=draw(st.none() | _texts),
        category=draw(st.none() | _texts),
        color_hex=draw(st.none() | st.just("#aabbcc")),
        location=draw(st.none() | _places),
        from_location=draw(st.none() | _places),
        travel=draw(st.none() | st.just(Travel(mode="walk"))),
        attendees=tuple(draw(st.lists(_people, max_size=3, unique_by=lambda one: one.email))),
        meeting=draw(st.none() | meeting),
        source=Source(type="ics", external_id=uid),
        is_cancelled=cancelled,
        cancelled_at=NOW if cancelled else None,
        cancel_reason="rain" if cancelled else None,
        created_at=NOW,
        updated_at=NOW,
    )


def weekly(uid: str = "weekly", zone: str = "Europe/Berlin") -> Series:
    """Make a series of Mondays over a change of the clock, one of which was moved."""
    start = moment_of(datetime(2026, 10, 12, 9, 30), ZoneInfo(zone))
    left_out = moment_of(datetime(2026, 11, 9, 9, 30), ZoneInfo(zone))
    master = Event(
        id=event_id(uid),
        user_id=USER,
        title="Team meeting",
        start_time=start,
        end_time=start + timedelta(minutes=30),
        timezone=zone,
        recurrence=Recurrence("FREQ=WEEKLY;BYDAY=MO", exdates=(left_out,)),
        source=Source(type="ics", external_id=uid),
        created_at=NOW,
        updated_at=NOW,
    )
    original = moment_of(datetime(2026, 10, 26, 9, 30), ZoneInfo(zone))
    override = Event(
        id=occurrence_id(master, original),
        user_id=USER,
        title="Team meeting, later",
        start_time=original + timedelta(hours=2),
        end_time=original + timedelta(hours=3),
        timezone=zone,
        series_id=master.id,
        original_start_time=original,
        source=Source(type="ics", external_id=uid),
        created_at=NOW,
        updated_at=NOW,
    )
    return Series(master=master, overrides=(override,))
