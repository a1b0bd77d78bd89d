"""How each tool of the calendar is put into words, and which of its parameters it words itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from phone_bridge.call.events import Affected
from phone_bridge.call.words import clean, moments, values
from phone_bridge.call.words.telling import Telling

Recipe = Callable[[Telling], str]

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Details that several tools share


def _when(telling: Telling, place: str) -> None:
    """Say a beginning, an end and a length, as far as they are given; ``place`` is "on" or "to"."""
    start, end = telling.take_moment("start_time"), telling.take_moment("end_time")
    if start is not None and telling.take_flag("all_day"):
        telling.say("all_day", telling.tongue.day(start, telling.year))
        if end is not None:
            telling.say("until", telling.tongue.day(end, telling.year))
    elif start is not None and end is not None:
        telling.details.append(moments.say_span(start, end, place, telling.tongue, year=telling.year))
    elif start is not None:
        telling.say(place, telling.moment(start))
    elif end is not None:
        telling.say("ending", telling.moment(end))
    length = telling.take_minutes("duration_minutes")
    if length:
        telling.say("for", length)


def _event_details(telling: Telling) -> None:
    """Say what an event is made of, apart from its title and time."""
    _recurrence(telling)
    for name, phrase in (("location", "place"), ("from_location", "place_from")):
        _place(telling, name, phrase)
    _people(telling, "attendees", "with_one", "with_many")
    meeting = telling.left.get("meeting")
    if isinstance(meeting, dict) and meeting.get("type") in ("online", "in_person", "both"):
        del telling.left["meeting"]
        telling.say(meeting["type"])
    if telling.take("calendar_id", str) is not None:
        telling.say("calendar")
    if telling.take_flag("send_invitations"):
        telling.say("invitations")


def _recurrence(telling: Telling) -> None:
    recurrence = telling.left.get("recurrence")
    rule = recurrence.get("rule") if isinstance(recurrence, dict) else recurrence
    if isinstance(rule, str):
        del telling.left["recurrence"]
        telling.details.append(moments.say_rule(rule, telling.tongue, year=telling.year))


def _place(telling: Telling, name: str, phrase: str) -> None:
    place = telling.left.get(name)
    fields = [place.get("name"), place.get("address")] if isinstance(place, dict) else [place]
    said = [clean.phrase(field) for field in fields if isinstance(field, str) and clean.has_content(field)]
    if said:
        del telling.left[name]
        telling.say(phrase, ", ".join(dict.fromkeys(said)))
    elif isinstance(place, dict) and "lat" in place and "lng" in place:
        del telling.left[name]
        telling.say(phrase, telling.tongue.say("point"))


def _people(telling: Telling, name: str, one: str, many: str) -> None:
    people = telling.take(name, list)
    if people is None:
        return
    named = [_first_name(person) or telling.tongue.say("somebody") for person in people]
    if not people:
        telling.say("nobody")
    elif len(people) == 1:
        telling.say(one, named[0])
    else:
        telling.say(many, len(people), values.say_list(named, telling.tongue))


def _first_name(person: Any) -> str:
    """Find what to call an attendee: the first name, or what stands before the "@"."""
    fields = [person.get("name"), person.get("email")] if isinstance(person, dict) else [person]
    for field in fields:
        if isinstance(field, str) and clean.has_content(field):
            name = clean.phrase(field.partition("@")[0].replace(".", " ")).partition(" ")[0]
            return name[:1].upper() + name[1:]
    return ""


def _series_and_notice(telling: Telling) -> None:
    scope = telling.left.get("series_scope")
    if scope in ("this", "following", "all"):
        del telling.left["series_scope"]
        if scope != "this":
            telling.say(scope)
    if telling.take_flag("notify"):
        telling.say("notify")


def _choice(telling: Telling, name: str) -> None:
    """Say one of a few fixed words by the tongue's own phrase; another word is left to be said as it is."""
    value = telling.left.get(name)
    phrase = f"{name}.{value}" if isinstance(value, str) else ""
    if phrase in telling.tongue.phrases:
        del telling.left[name]
        telling.say(phrase)


def _on_days(telling: Telling) -> None:
    """Say days of the week; all seven say nothing, and days that there are not are left to be said as they are."""
    days = telling.left.get("days")
    if isinstance(days, list) and days and all(day in _WEEK for day in days):
        del telling.left["days"]
        named = [telling.tongue.weekdays[_WEEK.index(day)] for day in dict.fromkeys(days)]
        if len(named) < len(_WEEK):
            telling.say("on_days", telling.tongue.join(named))


def _message(telling: Telling) -> None:
    message = telling.take_text("message", clean.LONGEST_TEXT)
    if message:
        telling.say("saying", message)


def _named(telling: Telling, head: str, id_field: str = "event_id") -> str:
    """Begin with the thing that an id stands for, by its title where the action tells it."""
    wanted = telling.left.get(id_field)
    things = telling.affected(wanted) if isinstance(wanted, str) else telling.affected()
    if not things:
        return telling.tongue.say(head)
    telling.take(id_field, str)
    telling.named = True
    return telling.tongue.say(f"{head}.named", telling.describe(things))


# The tools


def _create_event(telling: Telling) -> str:
    title = telling.take_text("title")
    telling.named = bool(title)
    _when(telling, "on")
    _event_details(telling)
    return telling.tongue.say("create_event.named", title) if title else telling.tongue.say("create_event")


def _update_event(telling: Telling) -> str:
    moved = moments.parse(telling.left.get("start_time")) is not None
    head = _named(telling, "move_event" if moved else "update_event")
    _when(telling, "to")
    title = telling.take_text("title")
    if title:
        telling.say("new_title", title)
    _event_details(telling)
    _series_and_notice(telling)
    return head


def _cancel_event(telling: Telling) -> str:
    head = _named(telling, "cancel_event")
    _series_and_notice(telling)
    return head


def _bulk_cancel_events(telling: Telling) -> str:
    ids = telling.left.get("event_ids")
    wanted = list(dict.fromkeys(each for each in ids if isinstance(each, str))) if isinstance(ids, list) else []
    things = telling.affected(*wanted)
    count = max(len(wanted), len(things))
    if things:
        telling.left.pop("event_ids", None)
    telling.named = bool(things)
    _filter(telling)
    _series_and_notice(telling)
    return _bulk_head(telling, things, count)


def _bulk_head(telling: Telling, things: list[Affected], count: int) -> str:
    tongue = telling.tongue
    if not things:
        return tongue.say("bulk_cancel_events.counted", count) if count else tongue.say("bulk_cancel_events")
    starts = [moments.parse(thing.start_time) for thing in things]
    days = {start.date() for start in starts if isinstance(start, datetime)}
    titled = all(clean.has_content(thing.title) for thing in things)
    if len(days) > 1 or not titled or not all(isinstance(start, datetime) for start in starts):
        return tongue.say("bulk_cancel_events.named", count, telling.describe(things, count=count))
    hours = [
        tongue.say("day_at", clean.phrase(thing.title), tongue.clock(start.time()))
        for thing, start in zip(things, starts, strict=True)
        if isinstance(start, datetime)
    ]
    said = values.say_list(hours, tongue, count=count)
    return tongue.say("bulk_cancel_events.one_day", count, tongue.day(days.pop(), telling.year), said)


def _filter(telling: Telling) -> None:
    chosen = telling.left.get("filter")
    if not isinstance(chosen, dict):
        return
    del telling.left["filter"]
    given = dict(chosen)
    for name, phrase in (("from", "from"), ("to", "until")):
        moment = moments.parse(given.get(name))
        if moment is not None:
            del given[name]
            telling.say(phrase, telling.moment(moment))
    query = given.get("query")
    if isinstance(query, str) and clean.has_content(query):
        del given["query"]
        telling.say("matching", clean.phrase(query))
    telling.left |= {f"filter_{name}" if name in telling.left else name: value for name, value in given.items()}


def _notify_attendees(telling: Telling) -> str:
    head = _named(telling, "notify_attendees")
    if not telling.left.get("attendee_emails"):
        telling.say("to_everybody")
    _people(telling, "attendee_emails", "to_one", "to_many")
    if telling.left.get("kind") == "custom" and "message" in telling.left:
        del telling.left["kind"]  # the words themselves are said
    _choice(telling, "kind")
    _message(telling)
    eta = telling.take_moment("eta")
    if eta is not None:
        telling.say("arriving", telling.moment(eta))
    return head


def _acknowledge_late(telling: Telling) -> str:
    head = _named(telling, "acknowledge_late")
    late = telling.take_minutes("minutes_late")
    if late:
        telling.say("by", late)
    _series_and_notice(telling)
    _message(telling)
    return head


def _report_arrival(telling: Telling) -> str:
    head = _named(telling, "report_arrival")
    arrived = telling.take_moment("arrived_at")
    if arrived is not None:
        telling.say("on", telling.moment(arrived))
    _place(telling, "location", "place")
    return head


def _create_reminder(telling: Telling) -> str:
    title = telling.take_text("title")
    things = telling.affected(telling.left.get("event_id"))
    if things:
        telling.take("event_id", str)
    telling.named = bool(title) and (bool(things) or "event_id" not in telling.left)
    at = telling.take_moment("remind_at")
    if at is not None:
        telling.say("on", telling.moment(at))
    for name, phrase in (
        ("offset_minutes_before_start", "before_start"),
        ("offset_minutes_before_departure", "before_departure"),
    ):
        before = telling.take_minutes(name)
        if before:
            telling.say(phrase, before)
    _choice(telling, "channel")
    event = telling.describe(things)
    head = "create_reminder" + (".titled" if title else "") + (".named" if event else "")
    return telling.tongue.say(head, *(said for said in (title, event) if said))


def _dismiss_alert(telling: Telling) -> str:
    if telling.take_flag("all"):
        telling.named = True
        return telling.tongue.say("dismiss_alert.all")
    return _named(telling, "dismiss_alert", "alert_id")


def _snooze_alert(telling: Telling) -> str:
    head = _named(telling, "snooze_alert", "alert_id")
    length = telling.take_minutes("minutes")
    if length:
        telling.say("for", length)
    until = telling.take_moment("until")
    if until is not None:
        telling.say("until", telling.moment(until))
    return head


def _start_navigation(telling: Telling) -> str:
    head = _named(telling, "start_navigation")
    _place(telling, "to_location", "place_to")
    _choice(telling, "mode")
    if telling.take_flag("start_tracking"):
        telling.say("tracking")
    return head


def _update_preferences(telling: Telling) -> str:
    telling.named = True
    _unasked(telling)
    for name in ("home_location", "work_location"):
        _place(telling, name, name)
    length = telling.take_minutes("default_event_duration_min")
    if length:
        telling.say("default_event_duration_min", length)
    for name in ("default_travel_mode", "preferred_time_of_day"):
        _choice(telling, name)
    _working_hours(telling)
    zone = telling.take_text("timezone")
    if zone:
        telling.say("timezone", zone.replace("_", " "))
    return telling.tongue.say("update_preferences")


def _unasked(telling: Telling) -> None:
    """Say what would be done without asking: that it is nothing, too."""
    unasked = telling.left.get("auto_confirm")
    if unasked in ("none", []):
        del telling.left["auto_confirm"]
        telling.say("unasked_nothing")
    elif isinstance(unasked, list):
        del telling.left["auto_confirm"]
        tools = [_tool(name, telling) for name in unasked if isinstance(name, str)]
        telling.say("unasked", values.say_list(tools, telling.tongue, count=len(unasked)))


def _tool(name: str, telling: Telling) -> str:
    """Name a tool by what it does, and one that nobody knows by its name."""
    phrases = telling.tongue.phrases
    known = next((key for key in (f"tool.{name}", name) if name in RECIPES and key in phrases), None)
    return phrases[known] if known else clean.phrase(name.replace("_", " "))


def _working_hours(telling: Telling) -> None:
    hours = telling.left.get("working_hours")
    if not isinstance(hours, dict):
        return
    start, end = (moments.parse_clock(hours.get(name)) for name in ("start", "end"))
    days = hours.get("days", [])
    if start is None or end is None or not isinstance(days, list) or not all(day in _WEEK for day in days):
        return
    del telling.left["working_hours"]
    tongue = telling.tongue
    said = tongue.say("working_hours", tongue.clock(start), tongue.clock(end))
    named = [tongue.weekdays[_WEEK.index(day)] for day in dict.fromkeys(days)]
    telling.details.append(f"{said} {tongue.say('on_days', tongue.join(named))}" if named else said)


def _set_quiet_hours(telling: Telling) -> str:
    telling.named = True
    enabled = telling.take("enabled", bool)
    start, end = (moments.parse_clock(telling.left.get(name)) for name in ("start", "end"))
    if start is not None and end is not None:
        del telling.left["start"], telling.left["end"]
        telling.say("from_to", telling.tongue.clock(start), telling.tongue.clock(end))
    _on_days(telling)
    critical = telling.take("allow_critical", bool)
    if critical is not None and enabled is not False:
        telling.say("critical" if critical else "not_critical")
    return telling.tongue.say("set_quiet_hours.off" if enabled is False else "set_quiet_hours")


def _set_alert_profile(telling: Telling) -> str:
    head = _named(telling, "set_alert_profile")
    telling.named = telling.named or "event_id" not in telling.left
    _choice(telling, "profile")
    return head


def _set_global_buffer(telling: Telling) -> str:
    telling.named = True
    length = telling.take_minutes("minutes")
    if length:
        telling.say("of", length)
    telling.left.setdefault("kind", "arrival")
    kind = telling.left["kind"]
    known = isinstance(kind, str) and f"buffer.{kind}" in telling.tongue.phrases
    if known:
        del telling.left["kind"]
        telling.say(f"buffer.{kind}")
    return telling.tongue.say("set_global_buffer")


def _check_availability(telling: Telling) -> str:
    telling.named = bool(telling.left)
    _when(telling, "on")
    return telling.tongue.say("check_availability")


def _about_event(head: str) -> Recipe:
    """Make the recipe of a tool that does one thing to one event."""
    return lambda telling: _named(telling, head)


def _plain(head: str) -> Recipe:
    """Make the recipe of a tool that is about no particular thing."""

    def recipe(telling: Telling) -> str:
        telling.named = bool(telling.left)
        return telling.tongue.say(head)

    return recipe


RECIPES: Mapping[str, Recipe] = {
    "create_event": _create_event,
    "update_event": _update_event,
    "cancel_event": _cancel_event,
    "bulk_cancel_events": _bulk_cancel_events,
    "get_day_overview": _plain("get_day_overview"),
    "get_day_summary": _plain("get_day_summary"),
    "get_weekly_summary": _plain("get_weekly_summary"),
    "get_next_event": _plain("get_next_event"),
    "search_events": _plain("search_events"),
    "get_departure_info": _about_event("get_departure_info"),
    "get_travel_time": _about_event("get_travel_time"),
    "get_alternate_routes": _about_event("get_alternate_routes"),
    "start_navigation": _start_navigation,
    "check_if_late": _about_event("check_if_late"),
    "acknowledge_late": _acknowledge_late,
    "report_arrival": _report_arrival,
    "get_alerts": _plain("get_alerts"),
    "dismiss_alert": _dismiss_alert,
    "snooze_alert": _snooze_alert,
    "create_reminder": _create_reminder,
    "notify_attendees": _notify_attendees,
    "update_preferences": _update_preferences,
    "set_quiet_hours": _set_quiet_hours,
    "set_alert_profile": _set_alert_profile,
    "set_global_buffer": _set_global_buffer,
    "check_availability": _check_availability,
}
"""How each of the calendar's tools begins its sentence; a recipe takes the parameters that it puts into words."""
