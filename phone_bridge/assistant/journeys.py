"""Ways to events, being late and telling others: from a wish to an action with its exact parameters; pure."""

from datetime import datetime
from typing import Any

from phone_bridge.assistant.answering import event_words, joined, length_words, title_words
from phone_bridge.assistant.plans import Question, Slot, about
from phone_bridge.assistant.references import Person, Seen
from phone_bridge.assistant.when import later
from phone_bridge.assistant.wishes import Reference, Wish
from phone_bridge.call.events import Action

TO_PLACES = frozenset(("get_travel_time", "get_alternate_routes", "start_navigation"))
"""Tools that lead to a place as well as to an event, and to nothing else."""
BY_THEMSELVES = frozenset(("get_departure_info", "check_if_late", "report_arrival"))
"""Tools that find the event by themselves where none is named."""
ABOUT_NOW = frozenset(("acknowledge_late", "notify_attendees"))
"""Tools that mean the event of this hour where none is named."""
JOURNEYS = TO_PLACES | BY_THEMSELVES | ABOUT_NOW


def journey(wish: Wish, event: Seen | None, now: datetime, place: str = "") -> Action | Question:
    """Plan what ``wish`` asks for, about an event, or about a ``place`` that is none's."""
    if wish.name == "notify_attendees":
        return _notifying(wish, event, now)
    if wish.name == "acknowledge_late":
        return _late(wish, event, now)
    parameters = _aim(event, place)
    if wish.name == "get_travel_time":
        parameters |= {"depart_at": now.isoformat()} if place else {}
        parameters |= {"from_location": {"name": wish.origin, "address": wish.origin}} if wish.origin else {}
        parameters |= {"travel": {"mode": wish.modes[0]}} if wish.modes else {}
    elif wish.name == "get_alternate_routes" and wish.modes:
        parameters["modes"] = list(wish.modes)
    elif wish.name == "start_navigation":
        parameters |= {"mode": wish.modes[0]} if wish.modes else {}
        parameters |= {"app": wish.value} if wish.value else {}
    return Action(wish.name, parameters, _summary(wish, event, place, now))


def _aim(event: Seen | None, place: str) -> dict[str, Any]:
    if event is not None:
        return {"event_id": event.id}
    return {"to_location": {"name": place, "address": place}} if place else {}


def _summary(wish: Wish, event: Seen | None, place: str, now: datetime) -> str:
    where = event_words(event, now) if event else place or "your next event"
    verbs = {"start_navigation": "Navigate to", "report_arrival": "Note that you have arrived at"}
    return f"{verbs.get(wish.name, 'Look up')} {where}"


def _late(wish: Wish, event: Seen | None, now: datetime) -> Action | Question:
    if event is None:
        return Question(Slot.WHICH, "For which event?", wish)
    parameters: dict[str, Any] = {"event_id": event.id}
    late = f"{length_words(wish.late)} late" if wish.late else "late"
    if wish.late:
        parameters["minutes_late"] = wish.late
    if wish.notify:
        parameters["notify"] = True
    told = f", and tell {people_words(event.attendees)}" if wish.notify else ""
    return about(event, wish.name, parameters, f"Note that you are {late} for {event_words(event, now)}{told}")


def _notifying(wish: Wish, event: Seen | None, now: datetime) -> Action | Question:
    if event is None:
        return Question(Slot.WHICH, "The people of which event?", wish)
    if not wish.message and wish.choice not in ("running_late", "cancelled"):
        return Question(Slot.MESSAGE, "What shall I tell them?", wish)
    persons = addressed(wish, event)
    parameters: dict[str, Any] = {"event_id": event.id, "kind": wish.choice or "custom"}
    if wish.message:
        parameters["message"] = wish.message
    if wish.late:
        parameters["eta"] = later(event.start_time, wish.late).isoformat()
    if persons:
        parameters["attendee_emails"] = [person.email for person in persons]
    whom = people_words(persons or event.attendees)
    return about(event, wish.name, parameters, f"Tell {whom}, about {event_words(event, now)}: {_said(wish, event)}")


def _said(wish: Wish, event: Seen) -> str:
    if wish.message:
        return wish.message
    if wish.choice == "cancelled":
        return "it is cancelled"
    return f"you will be {length_words(wish.late)} late" if wish.late else "you are running late"


def addressed(wish: Wish, event: Seen) -> list[Person]:
    """Find the people of an event that the words name; none where they name the event, and so everybody."""
    reference = wish.reference or Reference()
    words = {*reference.words, *reference.soft}
    return [person for person in event.attendees if words and words <= set(person.called().lower().split())]


def people_words(persons: Any) -> str:
    """Name people: all of a few, else how many."""
    names = [title_words(person.called()) for person in persons]
    if not names:
        return "everybody"
    return joined(names) if len(names) <= 3 else f"{len(names)} people"
