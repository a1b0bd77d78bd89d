"""What is said of journeys, lateness, summaries and settings: short sentences, made of what the tools gave; pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from phone_bridge.assistant.answering import (
    LISTED,
    clock_words,
    count_words,
    ended,
    event_words,
    joined,
    length_words,
    moment_words,
    title_words,
)
from phone_bridge.assistant.habits import days_words, zone_words
from phone_bridge.assistant.references import Seen, seen
from phone_bridge.call.events import Action

Result = Mapping[str, Any]
Sentences = list[str]

SENTENCES_MAX = 3
"""How much of a written summary is spoken."""
_BY = {"drive": "by car", "walk": "on foot", "transit": "by public transport"}
_TRAFFIC = {"moderate": "Traffic is moderate.", "heavy": "Traffic is heavy.", "severe": "Traffic is very heavy."}


def told(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str = "") -> Sentences:
    """Tell what a tool of journeys, summaries or settings gave; ``event`` is the one that was asked about."""
    subject = seen(result["event"], now) if isinstance(result.get("event"), Mapping) else event
    return _TELLERS[action.name](action, result, now, subject, aspect)


def _moment(result: Result, name: str, now: datetime) -> datetime | None:
    written = result.get(name)
    return datetime.fromisoformat(written).astimezone(now.tzinfo) if written else None


def _where(action: Action, event: Seen | None) -> str:
    place = (action.parameters.get("to_location") or {}).get("name", "")
    return f" to {title_words(event.title if event else place)}" if event or place else ""


def _departure(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    """Say when to leave; what is past is said as such."""
    early, late = _moment(result, "earliest_departure", now), _moment(result, "latest_departure", now)
    chosen = late if aspect == "latest" else early or late
    if chosen is None or late is None:
        return ["I cannot tell when you have to leave."]
    named = f" for {title_words(event.title)}" if event else ""
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
    if result.get("sent_to") or result.get("sms"):
        return [ended(f"I have sent you the way{_where(action, event)}")]
    return [ended(f"The way{_where(action, event)} is ready in your navigation")]


def _lateness(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    named = f" for {title_words(event.title)}" if event else ""
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
    named = f" for {title_words(event.title)}" if event else ""
    notified = list(result.get("notified") or ())
    told_too = [ended(f"I told {_people(notified, event)}")] if notified else []
    return [ended(f"I noted that you will be {late}{named}"), *told_too]


def _people(emails: Sequence[Any], event: Seen | None) -> str:
    """Name people by what their event calls them."""
    called = {person.email: person.called() for person in event.attendees} if event else {}
    names = [called.get(str(email), str(email).partition("@")[0]) for email in emails]
    return joined(names) if len(names) <= LISTED else f"{len(names)} people"


def _arrived(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    named = f" at {title_words(event.title)}" if event else ""
    return [ended(f"I noted that you have arrived{named}")]


def _notified(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    emails = [each.get("attendee_email") for each in result.get("invitations", ())]
    if not emails:
        return ["There is nobody to tell."]
    return [ended(f"The message to {_people(emails, event)} is on its way")]


def _summary(action: Action, result: Result, now: datetime, event: Seen | None, aspect: str) -> Sentences:
    """Say the tool's own text, sentence by sentence, as far as one listens."""
    text = " ".join(str(result.get("text") or "").split())
    return _sentences(text)[:SENTENCES_MAX] if text else ["There is nothing to tell."]


def _sentences(text: str) -> Sentences:
    """Cut at full stops that end a sentence, and not at those of "p.m."."""
    parts: list[str] = []
    for part in text.split(". "):
        if parts and parts[-1].lower().endswith((" a.m", " p.m", "a.m", "p.m")) and not part[:1].isupper():
            parts[-1] += f". {part}"
        else:
            parts.append(part)
    return [ended(part) for part in parts]


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
    for_event = f" for {title_words(event.title)}" if event else ""
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
    "get_day_summary": _summary,
    "get_weekly_summary": _summary,
    "bulk_cancel_events": _bulk,
    "update_preferences": _preferences,
    "set_quiet_hours": _quiet,
    "set_alert_profile": _profile,
    "set_global_buffer": _buffer,
}
TOLD = frozenset(_TELLERS)
"""The tools whose results are told here."""


def names(events: Sequence[Seen], now: datetime) -> str:
    """Name all of a few events, for a question about each of them."""
    return joined([event_words(event, now) for event in events])
