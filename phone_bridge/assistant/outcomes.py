"""What is said of journeys, lateness, summaries and settings: short sentences, made of what the tools gave; pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from phone_bridge.assistant.answering import (
    LISTED,
    clock_words,
    count_words,
    day_words,
    ended,
    joined,
    length_words,
    moment_words,
    on_day,
    title_words,
)
from phone_bridge.assistant.habits import days_words, zone_words
from phone_bridge.assistant.references import Seen, seen
from phone_bridge.call.events import Action

Result = Mapping[str, Any]
Sentences = list[str]

_BY = {"drive": "by car", "walk": "on foot", "transit": "by public transport"}
_TRAFFIC = {"moderate": "Traffic is moderate.", "heavy": "Traffic is heavy.", "severe": "Traffic is very heavy."}


def told(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str = "") -> Sentences:
    """Tell what a tool of journeys, summaries or settings gave; ``event`` is the one that was asked about."""
    subject = seen(result["event"], now) if isinstance(result.get("event"), Mapping) else event
    return _TELLERS[action.name](action, result, now, subject, aspect)


def _moment(result: Result, name: str, now: datetime) -> datetime | None:
    written = result.get(name)
    return datetime.fromisoformat(written).astimezone(now.tzinfo) if written else None


def _named(result: Result, event: Seen | None, word: str) -> str:
    """Name the event behind ``word``, also where the tool found it by itself."""
    title = event.title if event else str(result.get("title") or "")
    return f" {word} {title_words(title)}" if title else ""


def _where(action: Action, event: Seen | None) -> str:
    place = (action.parameters.get("to_location") or {}).get("name", "")
    if event is None and place == "home":
        return " home"
    return f" to {title_words(event.title if event else place)}" if event or place else ""


def _departure(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    """Say when to leave; what is past is said as such."""
    early, late = _moment(result, "earliest_departure", now), _moment(result, "latest_departure", now)
    chosen = late if aspect == "latest" else early or late
    if chosen is None or late is None:
        return ["I cannot tell when you have to leave."]
    named = _named(result, event, "for")
    if late <= now:
        return [ended(f"You should have left{named} by {clock_words(late)}, so leave now"), *_road(result)]
    if chosen <= now:
        return [ended(f"You should leave{named} now, and at the latest {_at(late, now)}"), *_road(result)]
    how = "at the latest " if aspect == "latest" else ""
    return [ended(f"You have to leave{named} {how}{_at(chosen, now)}"), *_road(result)]


def _at(moment: datetime, now: datetime) -> str:
    return f"at {clock_words(moment)}" if moment.date() == now.date() else moment_words(moment, now)


def _road(result: Result) -> Sentences:
    """Say how long the way takes, and what is in it."""
    minutes = (result.get("travel") or {}).get("total_minutes")
    way = [ended(f"The way takes {length_words(int(minutes))}")] if minutes else []
    warning = result.get("weather_warning")
    traffic = _TRAFFIC.get(result.get("traffic_level", ""), "")
    return [*way, *([ended(str(warning))] if warning else []), *([traffic] if traffic else [])]


def _travel(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    minutes = (result.get("travel") or {}).get("total_minutes")
    if minutes is None:
        return ["I cannot tell how long that takes."]
    mode = _BY.get((action.parameters.get("travel") or {}).get("mode", ""), "")
    by = f" {mode}" if mode else ""
    traffic = _TRAFFIC.get(result.get("traffic_level", ""), "")
    return [ended(f"It takes {length_words(int(minutes))}{by}{_where(action, event)}"), *([traffic] if traffic else [])]


def _routes(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    routes = list(result.get("routes", ()))[:LISTED]
    if not routes:
        return ["I know no other way."]
    named = [f"{_route(route)} in {length_words(int(route['total_minutes']))}" for route in routes]
    if len(named) == 1:
        return [ended(f"There is one way{_where(action, event)}: {named[0]}")]
    return [ended(f"There are {count_words(len(named))} ways{_where(action, event)}: {joined(named)}")]


def _route(route: Mapping[str, Any]) -> str:
    return str(route.get("label") or _BY.get(route.get("mode", ""), "the usual way"))


def _navigation(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    if result.get("sent"):
        return [ended(f"I have sent you a link with the way{_where(action, event)}")]
    return [ended(f"I have the link with the way{_where(action, event)}, but I cannot send it to your phone")]


def _lateness(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    named = _named(result, event, "for")
    minutes = int(result.get("minutes_late") or 0)
    sentences = {
        "on_time": f"You are on time{named}",
        "at_risk": f"It is getting tight{named}",
        "late": f"You will be {length_words(minutes)} late{named}" if minutes else f"You will be late{named}",
        "arrived": "You are there already",
    }
    return [ended(sentences.get(str(result.get("status")), f"I cannot tell whether you will be on time{named}"))]


def _noted_late(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    minutes = action.parameters.get("minutes_late")
    late = f"{length_words(int(minutes))} late" if minutes else "late"
    named = _named(result, event, "for")
    notified = list(result.get("notified") or ())
    told_too = [_message_words(_people(notified, event), result)] if notified else []
    return [ended(f"I noted that you will be {late}{named}"), *told_too]


def _people(emails: Sequence[Any], event: Seen | None) -> str:
    """Name people by what their event calls them."""
    called = {person.email: person.called() for person in event.attendees} if event else {}
    names = [called.get(str(email), str(email).partition("@")[0]) for email in emails]
    return joined(names) if len(names) <= LISTED else f"{len(names)} people"


def _arrived(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    named = _named(result, event, "at")
    return [ended(f"I noted that you have arrived{named}")]


def _notified(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    emails = [each.get("attendee_email") for each in result.get("invitations", ())]
    if not emails:
        return ["There is nobody to tell."]
    return [_message_words(_people(emails, event), result)]


def _message_words(people: str, result: Result) -> str:
    """Say what became of a message, and not more: one that nothing has sent yet is only kept."""
    if result.get("delivered"):
        return ended(f"I told {people}")
    return ended(f"The message to {people} is written, but it has not been sent yet")


def _day(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    """Sum up a day: how much, from when to when, how long in all, and what stands out."""
    span = on_day(date.fromisoformat(result["date"]), now.date())
    count, busy = int(result["event_count"]), int(result["busy_minutes"])
    if not count:
        return [ended(f"You have nothing {span}")]
    first, last = _moment(result, "first_start", now), _moment(result, "last_end", now)
    hours = f", from {clock_words(first)} to {clock_words(last)}" if first and last and count > 1 else ""
    in_all = f", {length_words(busy)} in all" if busy else ""
    said = [ended(f"You have {things(count)} {span}{hours}{in_all}")]
    outstanding = [_outstanding(each, now) for each in result.get("highlights", ())]
    return [*said, *([ended(joined(outstanding))] if outstanding else []), *_overlapping(result["conflict_count"])]


def _outstanding(highlight: Mapping[str, Any], now: datetime) -> str:
    start = datetime.fromisoformat(highlight["start_time"]).astimezone(now.tzinfo)
    return f"{title_words(highlight['title'])} at {clock_words(start)}"


def _week(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    """Sum up a week: how much, how long in all, and its busiest day."""
    first, totals = date.fromisoformat(result["week_start"]), result["totals"]
    monday = now.date() - timedelta(days=now.weekday())
    weeks = {monday: "this week", monday + timedelta(days=7): "next week", monday - timedelta(days=7): "last week"}
    span = weeks.get(first, f"in the week of {day_words(first, now.date())}")
    if not totals["events"]:
        return [ended(f"You have nothing {span}")]
    hours = round(totals["busy_minutes"] / 60)
    in_all = f"about {length_words(hours * 60)}" if hours else "under an hour"
    said = [ended(f"You have {things(totals['events'])} {span}, {in_all} in all")]
    busiest = result.get("busiest_day")
    if busiest:
        count = next((int(day["event_count"]) for day in result["days"] if day["date"] == busiest), 0)
        said.append(ended(f"The busiest day is {date.fromisoformat(busiest):%A}, with {things(count)}"))
    return [*said, *_overlapping(totals["conflicts"])]


def things(count: int) -> str:
    """Count what is in a calendar."""
    return f"{count_words(count)} thing{'' if count == 1 else 's'}"


def _overlapping(count: int) -> Sentences:
    return (
        [ended(f"{count_words(count).capitalize()} time{'s' if count != 1 else ''} two of them overlap")]
        if count
        else []
    )


def _bulk(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    done, failed = len(result.get("cancelled", ())), len(result.get("failed", ()))
    said = [ended(f"{count_words(done).capitalize()} event{'s are' if done != 1 else ' is'} cancelled")] if done else []
    return ["Done.", *said] if not failed else [*said, ended(f"I could not cancel {count_words(failed)} of them")]


def _preferences(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    (name, value), *_ = action.parameters.items()
    if name == "timezone":
        return [ended(f"Your time zone is now {zone_words(str(value))}")]
    if name == "working_hours":
        span = f"from {_hhmm(value['start'])} to {_hhmm(value['end'])}"
        return [ended(f"You work {span}{days_words(tuple(value['days']))}")]
    if name in ("home_location", "work_location") and "lat" not in value:
        return ["Done.", "I do not know where that is on the map, so I cannot work out ways to it."]
    return ["Done."]


def _quiet(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    if not action.parameters["enabled"]:
        return ["Quiet hours are off."]
    start, end = (_hhmm(action.parameters[name]) for name in ("start", "end"))
    days = days_words(tuple(action.parameters.get("days", ())))
    return [ended(f"Quiet hours are from {start} to {end}{days}")]


def _hhmm(written: str) -> str:
    return clock_words(datetime.strptime(written, "%H:%M"))


def _profile(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    for_event = _named(result, event, "for")
    return [ended(f"Your alerts are now {action.parameters['profile']}{for_event}")]


def _buffer(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    minutes = int(action.parameters["minutes"])
    return [ended(f"I keep {length_words(minutes)} free") if minutes else "I keep no time free."]


_TELLERS: dict[str, Callable[[Action, Result, datetime, Seen | None, str], Sentences]] = {
    "get_departure_info": _departure,
    "get_travel_time": _travel,
    "get_alternate_routes": _routes,
    "start_navigation": _navigation,
    "check_if_late": _lateness,
    "acknowledge_late": _noted_late,
    "report_arrival": _arrived,
    "notify_attendees": _notified,
    "get_day_summary": _day,
    "get_weekly_summary": _week,
    "bulk_cancel_events": _bulk,
    "update_preferences": _preferences,
    "set_quiet_hours": _quiet,
    "set_alert_profile": _profile,
    "set_global_buffer": _buffer,
}
TOLD = frozenset(_TELLERS)
"""The tools whose results are told here."""
