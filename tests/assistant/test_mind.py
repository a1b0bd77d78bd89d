"""How talks begin."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from phone_bridge.assistant.calendar.demo import ALICE, week
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.mind import TITLES_AHEAD, CalendarMind
from phone_bridge.assistant.ports import Conversation, Mind, Propose, Run, Tools
from phone_bridge.errors import Refused
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools
from phone_bridge.tools.keeper import EventFields, User
from tests.assistant.some_week import NOW

BOB = User(id="usr_bob", timezone="Europe/Berlin", default_event_duration_min=20)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[SqlKeeper]:
    numbers = count(1)
    keeper = SqlKeeper(f"sqlite:///{tmp_path}/x.db", new_id=lambda p: f"{p}_{next(numbers):06}", now=lambda: NOW)
    keeper.prepare()
    asyncio.run(keeper.add_user(BOB))
    yield keeper
    keeper.close()


def mind(keeper: SqlKeeper) -> CalendarMind:
    return CalendarMind(keeper, new_id=lambda prefix: f"{prefix}_1", now=lambda: NOW)


def converse(keeper: SqlKeeper, user_id: str) -> Conversation:
    mine: Mind = mind(keeper)  # it keeps the promise of the ports
    return asyncio.run(mine.converse(user_id, CALENDAR_TOOLS.names()))


def test_the_tools_keep_the_promise_of_the_ports(keeper: SqlKeeper) -> None:
    tools: Tools = CalendarTools(keeper, lambda: NOW)
    assert asyncio.run(tools.run(BOB.id, "get_next_event", {}, key="k"))["ok"]


def test_alice_has_a_week_to_talk_about(keeper: SqlKeeper) -> None:
    talk = converse(keeper, ALICE.id)
    phrases = set(talk.expecting().phrases)
    assert {event.title for event in week(NOW)} <= phrases
    assert {"Anna", "Martin", "Garden Restaurant"} <= phrases  # who takes part, and where


def test_a_talk_knows_the_callers_zone_habits_and_titles(keeper: SqlKeeper) -> None:
    for title, ahead in (("Soon", timedelta(days=1)), ("Late", TITLES_AHEAD + timedelta(days=1))):
        start = NOW + ahead
        fields = EventFields(title=title, start_time=start, end_time=start + timedelta(hours=1))
        asyncio.run(keeper.create_event(BOB.id, fields, key=title))
    talk = converse(keeper, BOB.id)
    assert talk.expecting().phrases == ("Soon",)
    look = talk.heard("schedule lunch tomorrow at one", NOW)[-1]
    assert isinstance(look, Run)
    (proposal,) = talk.ran(look.id, {"ok": True, "conflicts": []}, NOW)
    assert isinstance(proposal, Propose)
    assert proposal.id == "act_1"
    assert proposal.action.parameters["start_time"] == "2026-11-25T13:00:00+01:00"
    assert proposal.action.parameters["end_time"] == "2026-11-25T13:20:00+01:00"


def test_nobody_talks_for_a_user_who_is_not_known(keeper: SqlKeeper) -> None:
    with pytest.raises(Refused):
        converse(keeper, "usr_carol")
