import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.events import Action
from phone_bridge.exchange import Response
from phone_bridge.sessions.chronapilot.outcomes import event_of, outcome

CANCEL = Action("cancel_event", {"event_id": "evt_1"})
MOVE = Action(
    "update_event", {"event_id": "evt_1", "start_time": "2026-11-24T15:00:00Z", "title": "Tea", "notify": True}
)


def answer(status: int = 200, **event: Any) -> Response:
    return Response(status=status, body=json.dumps({"id": "evt_1", **event}).encode())


@pytest.mark.parametrize(
    "action",
    [
        Action("create_event", {"title": "Tea"}),
        Action("bulk_cancel_events", {"event_ids": ["evt_1"]}),
        Action("cancel_event", {"event_id": "evt_1", "series_scope": "all"}),
        Action("cancel_event", {"event_id": "../../v1/keys"}),
        Action("cancel_event", {"event_id": 5}),
        Action("cancel_event", {}),
        Action("report_arrival", {"event_id": "evt_1"}),
    ],
)
def test_only_what_shows_in_one_event_can_be_looked_up(action: Action) -> None:
    assert event_of(action) == ""


def test_the_event_of_an_action_is_named() -> None:
    assert event_of(CANCEL) == event_of(MOVE) == "evt_1"


@pytest.mark.parametrize(
    ("action", "response", "found"),
    [
        (CANCEL, answer(is_cancelled=True), "executed"),
        (CANCEL, answer(is_cancelled=False), "not_executed"),
        (CANCEL, answer(404), "executed"),
        (CANCEL, answer(410), "executed"),
        (CANCEL, answer(500, is_cancelled=True), "unknown"),
        (CANCEL, answer(403), "unknown"),
        (MOVE, answer(404), "unknown"),
        (MOVE, answer(title="Tea", start_time="2026-11-24T16:00:00+01:00"), "executed"),
        (MOVE, answer(title="Lunch", start_time="2026-11-24T12:00:00Z"), "not_executed"),
        (MOVE, answer(title="Tea", start_time="2026-11-24T12:00:00Z"), "unknown"),
        (MOVE, answer(title="Tea", start_time="soon"), "unknown"),
        (Action("update_event", {"event_id": "evt_1", "location": {"name": "Cafe"}}), answer(), "unknown"),
        (Action("update_event", {"event_id": "evt_1", "title": None}), answer(), "executed"),
        (Action("cancel_event", {"event_id": "evt_2"}), answer(is_cancelled=True), "unknown"),
    ],
)
def test_an_event_tells_whether_the_action_was_done(action: Action, response: Response, found: str) -> None:
    assert outcome(action, response) == found


@given(st.binary())
def test_whatever_is_answered_there_is_a_verdict(body: bytes) -> None:
    assert outcome(CANCEL, Response(status=200, body=body)) == "unknown"
