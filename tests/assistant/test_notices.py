"""Alerts in a talk: which one is meant, and what is said of them."""

from datetime import datetime
from typing import Any

import pytest

from phone_bridge.assistant import notices
from phone_bridge.assistant.notices import SNOOZE_MAX, SNOOZE_MINUTES, Notice, choose
from phone_bridge.assistant.understanding import understand
from phone_bridge.assistant.wishes import Reference, Wish
from tests.assistant.some_week import NOW, TODAY

LEAVE = Notice("alt_1", "Leave for Dentist appointment", "departure", "Traffic is heavy on Park Street")
RAIN = Notice("alt_2", "Rain on the way to Lunch with Carol", "weather")
CLASH = Notice("alt_3", "Budget planning overlaps with Interview", "conflict")
ALL = [LEAVE, RAIN, CLASH]


@pytest.mark.parametrize(
    ("reference", "choice", "found"),
    [
        (Reference(place=2), "", [RAIN]),
        (Reference(place=-1), "", [CLASH]),
        (Reference(place=5), "", []),
        (Reference(words=("dentist",)), "", [LEAVE]),
        (Reference(words=("carol",), soft=("lunch",)), "", [RAIN]),
        (Reference(words=("piano",)), "", []),
        (Reference(), "traffic", [LEAVE]),
        (Reference(), "weather", [RAIN]),
        (Reference(pronoun=True), "", ALL),
        (None, "", ALL),
    ],
)
def test_alerts_are_chosen_by_place_word_or_kind(reference: Reference | None, choice: str, found: list[Notice]) -> None:
    assert choose(Wish(name="dismiss_alert", reference=reference, choice=choice), ALL) == found


def test_alerts_are_read_from_a_result() -> None:
    plain = {
        "data": [{"id": "alt_1", "title": "Leave now", "type": "departure", "severity": "info", "object": "alert"}]
    }
    assert notices.notices_in(plain) == [Notice("alt_1", "Leave now", "departure")]
    assert notices.notices_in({}) == []


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("snooze it", {"minutes": SNOOZE_MINUTES}),
        ("snooze it for half an hour", {"minutes": 30}),
        ("tell me about that alert again in an hour", {"minutes": 60}),
        ("snooze it until three", {"until": "2026-11-24T15:00:00-05:00"}),
        ("snooze it until tomorrow morning", {"until": "2026-11-25T08:00:00-05:00"}),
        ("snooze it for two days", {"until": "2026-11-26T10:00:00-05:00"}),
    ],
)
def test_an_alert_is_put_off_by_minutes_or_until_a_time(text: str, parameters: dict[str, Any]) -> None:
    action = notices.snoozing(understand(text, TODAY), LEAVE, NOW)
    assert action.parameters == {"alert_id": "alt_1", **parameters}


def test_the_longest_time_in_minutes_stays_in_minutes() -> None:
    assert (
        notices.snoozing(Wish(name="snooze_alert", length=SNOOZE_MAX), LEAVE, NOW).parameters["minutes"] == SNOOZE_MAX
    )


def test_alerts_are_told_three_at_most() -> None:
    assert notices.told([]) == ["You have no alerts."]
    assert notices.told([RAIN]) == ["You have one alert: Rain on the way to Lunch with Carol."]
    (said,) = notices.told([*ALL, LEAVE, RAIN])
    assert said.startswith("You have five alerts: Leave for Dentist appointment, Rain")
    assert said.endswith("and two more.")
    assert notices.which([LEAVE, RAIN]).startswith("Which alert: Leave for Dentist appointment or Rain")


def test_what_became_of_an_alert_is_told() -> None:
    one, whole = notices.dismissing(LEAVE), notices.dismissing(None)
    assert (one.parameters, whole.parameters) == ({"alert_id": "alt_1"}, {"all": True})
    assert notices.settled(one, {"ok": True}, NOW) == ["That alert is dismissed."]
    assert notices.settled(whole, {"ok": True}, NOW) == ["All alerts are dismissed."]
    snoozed = notices.snoozing(Wish(name="snooze_alert"), LEAVE, NOW)
    until = datetime(2026, 11, 24, 10, 10, tzinfo=NOW.tzinfo).isoformat()
    assert notices.settled(snoozed, {"alert": {"snoozed_until": until}}, NOW) == ["I will tell you again at 10:10 a.m."]
    assert notices.settled(snoozed, {"ok": True}, NOW) == ["I will tell you again in 10 minutes."]
