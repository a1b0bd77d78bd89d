"""The parameters of the tools: one source for the schema and for the check."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phone_bridge.tools import parameters as p
from phone_bridge.tools import schemas
from phone_bridge.tools.schemas import Invalid, Parameters
from phone_bridge.tools.table import CALENDAR_TOOLS

START = "2026-11-25T15:00:00-05:00"
END = "2026-11-25T16:00:00-05:00"
CREATE = {"title": "Lunch", "start_time": START}
KINDS: tuple[type[Parameters], ...] = (
    p.CreateEvent,
    p.UpdateEvent,
    p.CancelEvent,
    p.BulkCancelEvents,
    p.GetDayOverview,
    p.GetDaySummary,
    p.GetWeeklySummary,
    p.GetNextEvent,
    p.SearchEvents,
    p.GetDepartureInfo,
    p.GetTravelTime,
    p.GetAlternateRoutes,
    p.StartNavigation,
    p.CheckIfLate,
    p.AcknowledgeLate,
    p.ReportArrival,
    p.GetAlerts,
    p.DismissAlert,
    p.SnoozeAlert,
    p.CreateReminder,
    p.NotifyAttendees,
    p.UpdatePreferences,
    p.SetQuietHours,
    p.SetAlertProfile,
    p.SetGlobalBuffer,
    p.CheckAvailability,
)
EVENT, PLACE = "evt_abc123", {"address": "1 Main Street"}
SIXTY_IDS = [f"evt_{n:06}" for n in range(p.BULK_MAX + 1)]

GOOD: list[tuple[type[Parameters], dict[str, Any]]] = [
    (p.CreateEvent, CREATE),
    (p.CreateEvent, CREATE | {"end_time": END, "timezone": "Europe/Berlin", "description": None}),
    (p.CreateEvent, CREATE | {"duration_minutes": 1440}),
    (p.CreateEvent, {"title": "Fair", "start_time": "2026-11-25", "all_day": True}),
    (p.CreateEvent, CREATE | {"location": {"address": "1 Main Street"}, "attendees": [{"email": "a@b.c"}]}),
    (p.CreateEvent, CREATE | {"recurrence": {"rule": "FREQ=DAILY"}, "meeting": {"type": "online"}}),
    (p.CreateEvent, CREATE | {"travel": {"mode": "walk", "walk_buffer_min": 240}, "color_hex": "#12aBcD"}),
    (p.UpdateEvent, {"event_id": "evt_abc123", "description": None, "series_scope": "all"}),
    (p.UpdateEvent, {"event_id": "evt_abc123", "start_time": START, "end_time": END}),
    (p.CancelEvent, {"event_id": "evt_abc123", "reason": "ill"}),
    (p.GetDayOverview, {}),
    (p.GetDayOverview, {"date": "2026-11-25", "calendar_ids": ["cal_1"], "include_health": True}),
    (p.GetNextEvent, {"after": START, "with_location_only": True}),
    (p.SearchEvents, {"query": "lunch"}),
    (p.SearchEvents, {"from": START, "to": END, "limit": 25}),
    (p.CreateReminder, {"title": "Milk", "remind_at": START}),
    (p.CreateReminder, {"title": "Milk", "event_id": "evt_abc123", "offset_minutes_before_start": 40320}),
    (p.CreateReminder, {"title": "Milk", "event_id": "evt_abc123", "offset_minutes_before_departure": 0}),
    (p.CheckAvailability, {"start_time": START, "end_time": END}),
    (p.CheckAvailability, {"from": START, "to": END, "participants": ["external:a@b.c"]}),
    (p.CheckAvailability, {"duration_minutes": 30, "earliest_start": START, "latest_end": END}),
]

GOOD += [
    (p.CreateEvent, CREATE | {"recurrence": {"rule": "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"}, "send_invitations": True}),
    (p.CancelEvent, {"event_id": f"{EVENT}R20261125T140000Z", "series_scope": "following"}),
    (p.BulkCancelEvents, {"event_ids": SIXTY_IDS[:-1]}),
    (p.BulkCancelEvents, {"filter": {"from": START, "to": END, "category": "work"}, "notify": True}),
    (p.GetDaySummary, {"style": "normal", "timezone": "Asia/Tokyo"}),
    (p.GetWeeklySummary, {"week_start": "2026-11-23"}),
    (p.GetDepartureInfo, {"event_id": EVENT, "force_recompute": True}),
    (p.GetTravelTime, {"to_location": PLACE, "depart_at": START, "travel": {"mode": "transit"}}),
    (p.GetAlternateRoutes, {"event_id": EVENT, "modes": ["drive", "walk"], "max_routes": 5}),
    (p.StartNavigation, {"event_id": EVENT, "app": "waze", "start_tracking": True}),
    (p.CheckIfLate, {"current_location": {"lat": 1.5, "lng": 2.5}}),
    (p.AcknowledgeLate, {"event_id": EVENT, "minutes_late": 600, "notify": True}),
    (p.ReportArrival, {"arrived_at": START, "location": {"lat": 1.5, "lng": 2.5, "accuracy_m": 10.0}}),
    (p.GetAlerts, {"status": "all", "type": "late", "since": START, "limit": 50}),
    (p.DismissAlert, {"all": True}),
    (p.SnoozeAlert, {"alert_id": "alt_abc123", "minutes": 1440}),
    (p.NotifyAttendees, {"event_id": EVENT, "kind": "custom", "message": "Hi", "attendee_emails": ["a@b.c"]}),
    (p.UpdatePreferences, {"auto_confirm": "none", "locale": "de-AT", "work_location": None}),
    (p.UpdatePreferences, {"auto_confirm": ["create_event"], "working_hours": {"start": "08:00", "end": "16:00"}}),
    (p.SetQuietHours, {"enabled": False}),
    (p.SetQuietHours, {"enabled": True, "start": "22:00", "end": "07:00", "days": ["mon"]}),
    (p.SetAlertProfile, {"profile": "silent", "event_id": EVENT}),
    (p.SetGlobalBuffer, {"minutes": 240, "kind": "walk"}),
]

BAD: list[tuple[type[Parameters], Any, str, str]] = [
    (p.CreateEvent, {"start_time": START}, "title", "missing_required_field"),
    (p.CreateEvent, {"title": "Lunch"}, "start_time", "missing_required_field"),
    (p.CreateEvent, CREATE | {"colour": "red"}, "colour", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"title": ""}, "title", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"title": "x" * 501}, "title", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"description": "x" * 8001}, "description", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"start_time": "2026-11-25T15:00:00"}, "start_time", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"start_time": "2026-11-25"}, "start_time", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"start_time": "1969-12-31T23:00:00Z"}, "start_time", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"start_time": "9999-12-31T23:59:00Z"}, "start_time", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"end_time": "2201-01-01T00:00:00Z"}, "end_time", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"end_time": END, "duration_minutes": 5}, "duration_minutes", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"duration_minutes": 0}, "duration_minutes", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"duration_minutes": 1441}, "duration_minutes", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"duration_minutes": True}, "duration_minutes", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"timezone": "Mars/Olympus"}, "timezone", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"timezone": "../etc/passwd"}, "timezone", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"timezone": "America"}, "timezone", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"color_hex": "red"}, "color_hex", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"location": {"name": "here"}}, "location", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"location": {"lat": 91.0, "lng": 0.0}}, "location.lat", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"attendees": [{"name": "A"}]}, "attendees[0].email", "missing_required_field"),
    (p.CreateEvent, CREATE | {"attendees": [{"email": "a@b"}] * 201}, "attendees", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"recurrence": {"rule": "daily"}}, "recurrence.rule", "invalid_parameter"),
    (p.UpdateEvent, {"event_id": "evt_abc123"}, "event_id", "missing_required_field"),
    (p.UpdateEvent, {"event_id": "evt_abc123", "notify": True}, "event_id", "missing_required_field"),
    (p.UpdateEvent, {"event_id": "cal_abc123", "title": "x"}, "event_id", "invalid_parameter"),
    (p.UpdateEvent, {"event_id": "evt_abc123", "title": None}, "title", "invalid_parameter"),
    (p.CancelEvent, {"event_id": "evt_abc123", "reason": "x" * 501}, "reason", "invalid_parameter"),
    (p.CancelEvent, {"event_id": "evt_abc123", "series_scope": "some"}, "series_scope", "invalid_parameter"),
    (p.GetDayOverview, {"date": "tomorrow"}, "date", "invalid_parameter"),
    (p.GetDayOverview, {"date": "0001-01-01"}, "date", "invalid_parameter"),
    (p.SearchEvents, {}, "query", "missing_required_field"),
    (p.SearchEvents, {"limit": 5}, "query", "missing_required_field"),
    (p.SearchEvents, {"query": "x" * 201}, "query", "invalid_parameter"),
    (p.SearchEvents, {"query": "x", "limit": 26}, "limit", "invalid_parameter"),
    (p.SearchEvents, {"from": END, "to": START}, "to", "invalid_parameter"),
    (p.CreateReminder, {"title": "Milk"}, "remind_at", "invalid_parameter"),
    (p.CreateReminder, {"title": "Milk", "offset_minutes_before_start": 5}, "event_id", "invalid_parameter"),
    (
        p.CreateReminder,
        {"title": "Milk", "remind_at": START, "event_id": "evt_abc123"},
        "event_id",
        "invalid_parameter",
    ),
    (
        p.CreateReminder,
        {"title": "M", "event_id": "evt_abc123", "offset_minutes_before_start": 40321},
        "offset_minutes_before_start",
        "invalid_parameter",
    ),
    (p.CheckAvailability, {}, "start_time", "invalid_parameter"),
    (p.CheckAvailability, {"start_time": START}, "start_time", "invalid_parameter"),
    (
        p.CheckAvailability,
        {"start_time": START, "end_time": END, "from": START},
        "start_time",
        "invalid_parameter",
    ),
    (p.CheckAvailability, {"start_time": END, "end_time": START}, "end_time", "invalid_parameter"),
    (p.CheckAvailability, {"from": END, "to": START}, "to", "invalid_parameter"),
    (
        p.CheckAvailability,
        {"duration_minutes": 30, "earliest_start": START, "latest_end": "2027-11-25T16:00:00-05:00"},
        "latest_end",
        "invalid_parameter",
    ),
    (p.GetNextEvent, [1], "", "invalid_parameter"),
    (p.CreateEvent, CREATE | {"recurrence": {"rule": "FREQ=HOURLY"}}, "recurrence", "invalid_parameter"),
    (
        p.CreateEvent,
        CREATE | {"recurrence": {"rule": "FREQ=DAILY", "exdates": []}},
        "recurrence.exdates",
        "invalid_parameter",
    ),
    (p.BulkCancelEvents, {}, "event_ids", "missing_required_field"),
    (p.BulkCancelEvents, {"event_ids": []}, "event_ids", "invalid_parameter"),
    (p.BulkCancelEvents, {"event_ids": SIXTY_IDS}, "event_ids", "invalid_parameter"),
    (p.BulkCancelEvents, {"event_ids": [EVENT, EVENT]}, "event_ids", "invalid_parameter"),
    (p.BulkCancelEvents, {"filter": {"from": END, "to": START}}, "filter.to", "invalid_parameter"),
    (p.BulkCancelEvents, {"filter": {"from": START}}, "filter.to", "missing_required_field"),
    (p.GetWeeklySummary, {"timezone": "Mars"}, "timezone", "invalid_parameter"),
    (p.GetTravelTime, {"to_location": PLACE}, "arrive_by", "missing_required_field"),
    (p.GetAlternateRoutes, {"event_id": EVENT, "max_routes": 6}, "max_routes", "invalid_parameter"),
    (p.GetAlternateRoutes, {"event_id": EVENT, "modes": ["fly"]}, "modes[0]", "invalid_parameter"),
    (p.StartNavigation, {"to_location": PLACE, "start_tracking": True}, "start_tracking", "invalid_parameter"),
    (p.CheckIfLate, {"current_location": {"lat": 91.0, "lng": 0.0}}, "current_location.lat", "invalid_parameter"),
    (p.AcknowledgeLate, {"event_id": EVENT, "minutes_late": 601}, "minutes_late", "invalid_parameter"),
    (p.GetAlerts, {"limit": 51}, "limit", "invalid_parameter"),
    (p.DismissAlert, {"all": False}, "all", "invalid_parameter"),
    (p.SnoozeAlert, {"alert_id": "alt_abc123", "minutes": 1441}, "minutes", "invalid_parameter"),
    (p.NotifyAttendees, {"event_id": EVENT, "kind": "custom"}, "message", "missing_required_field"),
    (p.NotifyAttendees, {"event_id": EVENT, "message": "x" * 1001}, "message", "invalid_parameter"),
    (p.UpdatePreferences, {}, "", "missing_required_field"),
    (p.UpdatePreferences, {"default_event_duration_min": 4}, "default_event_duration_min", "invalid_parameter"),
    (
        p.UpdatePreferences,
        {"working_hours": {"start": "16:00", "end": "08:00"}},
        "working_hours.end",
        "invalid_parameter",
    ),
    (p.SetQuietHours, {"enabled": True, "start": "24:00", "end": "07:00"}, "start", "invalid_parameter"),
    (p.SetAlertProfile, {"profile": "loud"}, "profile", "invalid_parameter"),
    (p.SetGlobalBuffer, {"minutes": 241}, "minutes", "invalid_parameter"),
]


@pytest.mark.parametrize(("kind", "parameters"), GOOD)
def test_good_parameters_pass_the_check_and_the_schema(kind: type[Parameters], parameters: dict[str, Any]) -> None:
    schemas.read(kind, parameters)
    jsonschema.Draft202012Validator(schemas.schema_of(kind)).validate(parameters)


@pytest.mark.parametrize(("kind", "parameters", "param", "code"), BAD)
def test_bad_parameters_are_named(kind: type[Parameters], parameters: Any, param: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        schemas.read(kind, parameters)
    assert (caught.value.param, caught.value.code) == (param, code)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_valid_and_every_object_in_them_is_closed(kind: type[Parameters]) -> None:
    schema = schemas.schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    closed = [node["additionalProperties"] for node in _objects(schema)]
    assert closed
    assert not any(closed)
    assert "$ref" not in str(schema)


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for each in node.values():
            yield from _objects(each)
    elif isinstance(node, list):
        for each in node:
            yield from _objects(each)


def test_given_leaves_out_what_was_not_said_but_keeps_null() -> None:
    asked = schemas.read(p.UpdateEvent, {"event_id": "evt_abc123", "description": None})
    assert asked.given() == {"event_id": "evt_abc123", "description": None, "series_scope": "this", "notify": False}


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.just(START) | st.just(END)


def test_every_tool_has_its_parameters_here() -> None:
    assert [schemas.schema_of(kind) for kind in KINDS] == [tool.schema for tool in CALENDAR_TOOLS]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(KINDS), st.data())
def test_any_input_is_read_or_named_invalid(kind: type[Parameters], data: st.DataObject) -> None:
    names = [*schemas.schema_of(kind)["properties"], "else"]
    parameters = data.draw(st.dictionaries(st.sampled_from(names), _VALUES | st.dictionaries(st.text(), _VALUES)))
    try:
        schemas.read(kind, parameters)
    except Invalid as error:
        assert error.code in ("invalid_parameter", "missing_required_field")  # noqa: PT017 - both ways out are right
