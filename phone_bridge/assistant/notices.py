"""Alerts in a talk: which one is pointed at, what to do with it, and how it is told; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from phone_bridge.assistant.answering import LISTED, clock_words, count_words, ended, joined, length_words, title_words
from phone_bridge.assistant.grammar import spoken
from phone_bridge.assistant.when import later, on
from phone_bridge.assistant.wishes import Reference, Wish
from phone_bridge.call.events import Action

NOTICES = frozenset(("get_alerts", "dismiss_alert", "snooze_alert"))
NOTICE_CHARS = 80
"""How much of an alert is spoken."""
SNOOZE_MINUTES = 10
"""How long an alert is put off where nobody says."""
SNOOZE_MAX = 1440
"""As many minutes as the tool puts off at most; what is farther is said as a time."""
_BEGINS = {"morning": 8, "afternoon": 13, "evening": 18, "night": 20}
_KINDS = {"departure": ("departure",), "traffic": ("traffic", "departure"), "late": ("late",), "weather": ("weather",)}


class Notice(Struct, frozen=True):
    """What the talk knows of an alert."""

    id: str
    title: str
    type: str = ""
    body: str | None = None
    event_id: str | None = None

    def words(self) -> frozenset[str]:
        """Give the words that one may call it by."""
        return frozenset(spoken(f"{self.title} {self.body or ''}").split())


def notices_in(result: Mapping[str, Any]) -> list[Notice]:
    """Read the alerts of a result."""
    return msgspec.convert(list(result.get("data", ())), list[Notice])


def choose(wish: Wish, notices: Sequence[Notice]) -> list[Notice]:
    """Keep the alerts that are pointed at; those that a word fits, or a kind, or a place in the list."""
    reference = wish.reference or Reference(pronoun=True)
    words = {*reference.words, *reference.soft}
    left = [notice for notice in notices if words <= notice.words()]
    if wish.choice:
        kinds = _KINDS.get(wish.choice, (wish.choice,))
        left = [notice for notice in left if notice.type in kinds or wish.choice in notice.words()]
    if reference.place:
        at = reference.place - 1 if reference.place > 0 else -1
        return [left[at]] if at < len(left) and left else []
    return left


def asking(wish: Wish) -> Action:
    """Plan to list alerts."""
    parameters = {"status": wish.choice} if wish.choice == "snoozed" else {}
    return Action("get_alerts", parameters)


def dismissing(notice: Notice | None) -> Action:
    """Plan to dismiss one alert, or all of them."""
    if notice is None:
        return Action("dismiss_alert", {"all": True}, "Dismiss all alerts")
    return Action("dismiss_alert", {"alert_id": notice.id}, f"Dismiss the alert: {title_words(notice.title)}")


def snoozing(wish: Wish, notice: Notice, now: datetime) -> Action:
    """Plan to put an alert off: by minutes, until a time, or by ``SNOOZE_MINUTES``."""
    parameters: dict[str, Any] = {"alert_id": notice.id}
    until = _until(wish, now)
    minutes = wish.length or wish.when.ahead
    if until is not None:
        parameters["until"] = until.isoformat()
    elif minutes and minutes > SNOOZE_MAX:
        parameters["until"] = later(now, minutes).isoformat()
    else:
        parameters["minutes"] = minutes or SNOOZE_MINUTES
    return Action("snooze_alert", parameters, f"Put off the alert: {title_words(notice.title)}")


def _until(wish: Wish, now: datetime) -> datetime | None:
    when = wish.when
    if when.ahead is not None or not when:
        return None
    day = when.day or now.date()
    moment = when.moment(now, day=day) or on(day, _BEGINS.get(when.part, 8) * 60, now)
    return moment if moment > now else None


def told(notices: Sequence[Notice], *, more: bool = False) -> list[str]:
    """Tell which alerts there are."""
    if not notices:
        return ["You have no alerts."]
    if len(notices) == 1:
        return [ended(f"You have one alert: {title_words(notices[0].title, NOTICE_CHARS)}")]
    rest = len(notices) - LISTED
    named = [title_words(notice.title, NOTICE_CHARS) for notice in notices[:LISTED]]
    named += [f"{count_words(rest)} more"] if rest > 0 else []
    many = "many" if more else count_words(len(notices))
    return [ended(f"You have {many} alerts: {joined(named)}")]


def which(notices: Sequence[Notice]) -> str:
    """Ask which of several alerts is meant."""
    named = [title_words(notice.title, NOTICE_CHARS) for notice in notices[:LISTED]]
    return f"Which alert: {joined([*named, *(['another one'] if len(notices) > LISTED else [])], 'or')}?"


def settled(action: Action, result: Mapping[str, Any], now: datetime) -> list[str]:
    """Tell what became of an alert."""
    if action.name == "dismiss_alert":
        return ["All alerts are dismissed." if action.parameters.get("all") else "That alert is dismissed."]
    until = (result.get("alert") or {}).get("snoozed_until")
    if until is None:
        return [
            ended(f"I will tell you again in {length_words(int(action.parameters.get('minutes', SNOOZE_MINUTES)))}")
        ]
    return [ended(f"I will tell you again at {clock_words(datetime.fromisoformat(until).astimezone(now.tzinfo))}")]
