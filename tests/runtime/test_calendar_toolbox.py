import json
from datetime import timedelta
from typing import Any

import pytest

from phone_bridge.call.events import Action, Affected
from phone_bridge.offers import Effect
from phone_bridge.runtime.calendar_toolbox import CalendarToolbox
from phone_bridge.runtime.toolbox import CallFacts, Ran
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools
from tests.clock import run_virtual
from tests.tools.shelf import ALICE, NOW, Shelf

FACTS = CallFacts(call_id="call_1", user_id=ALICE.id)


def box_of(shelf: Shelf) -> CalendarToolbox:
    return CalendarToolbox(CalendarTools(shelf, lambda: NOW))


def shelf_with_lunch() -> tuple[Shelf, str]:
    shelf = Shelf()
    return shelf, shelf.add("Lunch", NOW + timedelta(hours=2), NOW + timedelta(hours=3))


def code(ran: Action | Ran) -> Any:
    assert isinstance(ran, Ran)
    return json.loads(ran.result)["error"]["code"]


def test_every_tool_of_the_calendar_is_offered_with_its_effect() -> None:
    offers = box_of(Shelf()).offers(FACTS)
    assert [offer.name for offer in offers] == [tool.name for tool in CALENDAR_TOOLS]
    effects = {offer.name: offer.effect for offer in offers}
    assert effects["get_next_event"] is Effect.READ
    assert effects["cancel_event"] is Effect.DESTROY
    assert all(offer.schema["type"] == "object" and offer.description for offer in offers)


def test_what_would_be_touched_is_named_before_it_is_asked_for() -> None:
    shelf, lunch = shelf_with_lunch()
    prepared = run_virtual(box_of(shelf).prepare(ALICE.id, Action("cancel_event", {"event_id": lunch})))
    assert isinstance(prepared, Action)
    assert prepared.parameters == {"event_id": lunch}
    assert prepared.affects == (Affected(lunch, "Lunch", "2026-11-24T12:00:00-05:00"),)


@pytest.mark.parametrize("parameters", [{"event_id": "evt_000099"}, {"event_id": 5}, {}])
def test_what_cannot_be_done_is_said_before_anybody_is_asked(parameters: dict[str, Any]) -> None:
    assert code(run_virtual(box_of(Shelf()).prepare(ALICE.id, Action("cancel_event", parameters))))


def test_a_tool_runs_and_its_result_is_json_for_the_model() -> None:
    shelf, lunch = shelf_with_lunch()
    ran = run_virtual(box_of(shelf).run(ALICE.id, Action("cancel_event", {"event_id": lunch}), "key"))
    assert (ran.ok, ran.unsure) == (True, False)
    assert json.loads(ran.result)["resource"]["id"] == lunch
    assert shelf.kept[lunch].is_cancelled


@pytest.mark.parametrize(("tool", "unsure"), [("get_next_event", False), ("cancel_event", True)])
def test_a_calendar_that_fails_leaves_a_write_unsure(tool: str, unsure: bool) -> None:
    shelf, lunch = shelf_with_lunch()
    shelf.broken = True
    parameters = {"event_id": lunch} if unsure else {}
    ran = run_virtual(box_of(shelf).run(ALICE.id, Action(tool, parameters), "key"))
    assert (ran.ok, ran.unsure) == (False, unsure)


def test_a_refusal_leaves_nothing_unsure() -> None:
    ran = run_virtual(box_of(Shelf()).run(ALICE.id, Action("cancel_event", {"event_id": "evt_000099"}), "key"))
    assert (ran.ok, ran.unsure) == (False, False)
