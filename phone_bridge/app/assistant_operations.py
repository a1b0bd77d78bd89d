"""The built-in assistant's API as a table: its operations, and the shapes that they take and give."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from phone_bridge.app.operation import JSON, Operation, Query
from phone_bridge.assistant.calendar_api import ALERT_STATUSES, ORDERS, REMINDER_STATUSES
from phone_bridge.assistant.keys import SESSION_SCOPES
from phone_bridge.assistant.minting import MAX_NAME_CHARS, MAX_TTL_SECONDS, MIN_TTL_SECONDS, MintRequest
from phone_bridge.assistant.paging import MAX_LIMIT
from phone_bridge.assistant.webhook_api import EndpointBody, EndpointChange, ReplayBody, TrialBody
from phone_bridge.assistant.webhooks import TYPES
from phone_bridge.sessions.chronapilot.messages import ErrorBody
from phone_bridge.tools import parameters, schemas
from phone_bridge.tools.keeper import Alert, AlertProfile, Event, Reminder, User

TAG = "assistant"


class SessionError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every refusal and failure of the built-in assistant's API."""

    error: ErrorBody


# Sessions


class MintBody(MintRequest, frozen=True):
    """For whom a session of the built-in assistant is wanted, with which scopes, for how long, and what asks in it."""

    user_id: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
    scopes: tuple[Annotated[str, Meta(extra_json_schema={"enum": sorted(SESSION_SCOPES)})], ...]
    ttl_seconds: Annotated[int, Meta(ge=MIN_TTL_SECONDS, le=MAX_TTL_SECONDS)] = 300


class VoiceSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session of the built-in assistant."""

    id: str
    object: Literal["voice_session"]
    user_id: str
    scopes: list[str]
    status: Literal["pending", "open", "closed", "expired"]
    created_at: str
    expires_at: str
    livemode: bool
    connected_account_id: str | UnsetType = UNSET
    opened_at: str | UnsetType = UNSET
    closed_at: str | UnsetType = UNSET
    closed_reason: str | UnsetType = UNSET
    duration_seconds: int | UnsetType = UNSET


class MintedSession(VoiceSession, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new session; its token opens the socket and is never shown again."""

    session_token: str


# Calendars


class EventBody(parameters.CreateEvent, frozen=True, kw_only=True):
    """A new event: the parameters of the tool create_event, and in whose calendar."""

    user_id: str | UnsetType = UNSET


class CalendarReminderBody(parameters.CreateReminder, frozen=True, kw_only=True):
    """A new reminder: the parameters of the tool create_reminder, and whose it is."""

    user_id: str | UnsetType = UNSET


def _without(name: str, tool: type[schemas.Parameters], param: str, doc: str) -> type[msgspec.Struct]:
    """Make the shape of a body that has all the tool's parameters but the one which stands in the path."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(tool):
        if field.name == param:
            continue
        if field.default_factory is not msgspec.NODEFAULT:
            fields.append((field.name, field.type, msgspec.field(default_factory=field.default_factory)))
        elif field.default is not msgspec.NODEFAULT:
            fields.append((field.name, field.type, field.default))
        else:
            fields.append((field.name, field.type))
    return msgspec.defstruct(name, fields, namespace={"__doc__": doc}, kw_only=True, forbid_unknown_fields=True)


EventChange = _without(
    "EventChange", parameters.UpdateEvent, "event_id", "What of an event to change: the parameters of update_event."
)


AlertSnooze = _without(
    "AlertSnooze", parameters.SnoozeAlert, "alert_id", "Until when an alert is put off: the parameters of snooze_alert."
)

Minutes = Annotated[int, Meta(ge=0, le=240)]


class BuffersChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes to spare, each as the tool set_global_buffer takes it."""

    arrival: Minutes | UnsetType = UNSET
    parking: Minutes | UnsetType = UNSET
    walk: Minutes | UnsetType = UNSET
    between_meetings: Minutes | UnsetType = UNSET


class UserChange(parameters.UpdatePreferences, frozen=True, kw_only=True):
    """What of a user's wishes to change: the parameters of update_preferences, and those of the tools beside it."""

    quiet_hours: parameters.SetQuietHours | UnsetType = UNSET
    alert_profile: AlertProfile | UnsetType = UNSET
    buffers: BuffersChange | UnsetType = UNSET


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of events."""

    object: Literal["list"]
    data: list[Event]
    has_more: bool
    next_cursor: str | None


class CalendarReminder(Reminder, frozen=True, kw_only=True):
    """A reminder of the calendar's, which is none of the bridge's own reminder calls."""


class CalendarReminders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of reminders."""

    object: Literal["list"]
    data: list[CalendarReminder]
    has_more: bool
    next_cursor: str | None


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of alerts."""

    object: Literal["list"]
    data: list[Alert]
    has_more: bool
    next_cursor: str | None


# Webhooks


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where somebody is told what happens."""

    id: str
    object: Literal["webhook_endpoint"]
    url: str
    events: list[str]
    description: str
    connect_events: bool
    status: Literal["enabled", "disabled"]
    created_at: str


class NewWebhookEndpoint(WebhookEndpoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new endpoint; its secret signs what is sent there, and is never shown again."""

    secret: str


class WebhookEndpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of endpoints."""

    object: Literal["list"]
    data: list[WebhookEndpoint]
    has_more: bool
    next_cursor: str | None


class WebhookEndpointGone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint that is no more."""

    id: str
    object: Literal["webhook_endpoint"]
    deleted: bool


class WebhookDelivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event on its way to one endpoint; times are Unix seconds, ``answered`` is the status of the last answer."""

    id: str
    object: Literal["webhook_delivery"]
    endpoint_id: str
    event_id: str
    type: str
    url: str
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    answered: int | None
    created: int
    next_attempt: int | None


class WebhookDeliveries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of an endpoint's newest deliveries."""

    object: Literal["list"]
    data: list[WebhookDelivery]
    has_more: bool
    next_cursor: str | None


# The operations

VERSION = {"Chronapilot-Version": "The API's version, for this request; the key's own if it is left out."}
ACCOUNT = {"Chronapilot-Account": "The connected account that is acted for."}
ONCE = {"Idempotency-Key": "The same request with the same key is answered as it was the first time."}

TEXT = {"type": "string"}
TIME = {"type": "string", "format": "date-time"}
FLAG = {"type": "string", "enum": ["true", "false"]}


def _choice(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


_PAGES: Query = {
    "limit": ("How many things a page has.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
    "starting_after": ("The page behind the thing of this id.", TEXT),
    "ending_before": ("The page before the thing of this id.", TEXT),
}
_USER: Query = {"user_id": ("Whose calendar; the key's first user, or else the server's own, if it is left out.", TEXT)}
_CREATED: Query = {f"created[{how}]": ("Only what was created then.", TIME) for how in ("gte", "gt", "lte", "lt")}
_STARTS: Query = {f"start_time[{how}]": ("Only what begins then.", TIME) for how in ("gte", "gt", "lte", "lt")}
_FAILURES = (400, 401, 403, 404, 429, 503)


def _operation(
    name: str,
    method: str,
    path: str,
    summary: str,
    *,
    answers: dict[int, Any],
    body: type | None = None,
    query: Query | None = None,
    failures: tuple[int, ...] = (),
) -> Operation:
    """Write an operation with all that every one of this API has."""
    writes = method in ("post", "patch")
    unread = (409, 413, 415) if body is not None else (409,) if writes else ()
    return Operation(
        name=name,
        tag=TAG,
        method=method,
        path=path,
        summary=summary,
        answers=answers,
        body=body,
        query=query or {},
        headers={**VERSION, **ACCOUNT, **(ONCE if writes else {})},
        failures=tuple(sorted({*_FAILURES, *unread, *failures})),
        failure=SessionError,
    )


_SESSIONS = (
    _operation(
        "mintSession",
        "post",
        "/v1/voice/sessions",
        "Mint a session of the built-in assistant.",
        body=MintBody,
        answers={201: MintedSession},
    ),
    _operation("showSession", "get", "/v1/voice/sessions/{id}", "Show a session.", answers={200: VoiceSession}),
    _operation(
        "deleteSession",
        "delete",
        "/v1/voice/sessions/{id}",
        "End a session for good; again is no error.",
        answers={200: VoiceSession},
    ),
    Operation(
        name="openSession",
        tag=TAG,
        method="get",
        path="/v1/voice/realtime",
        summary="Open the WebSocket of a session; its messages are in /v1/voice/realtime/schema.json.",
        query={"session": "The session's token."},
        answers={101: None},
        failures=(401, 409, 429),
        failure=SessionError,
        key=False,
        socket=True,
    ),
    Operation(
        name="socketSchema",
        tag=TAG,
        method="get",
        path="/v1/voice/realtime/schema.json",
        summary="Describe the messages of that WebSocket as a JSON Schema.",
        answers={200: JSON},
        key=False,
    ),
)

_CALENDARS = (
    _operation(
        "listEvents",
        "get",
        "/v1/events",
        "List events, those that were created last first.",
        answers={200: Events},
        query={
            **_USER,
            **_PAGES,
            **_CREATED,
            **_STARTS,
            "calendar_id": ("Only events of this calendar.", TEXT),
            "q": ("Only events with all these words in their title or description.", TEXT),
            "order": ("By creation, or by beginning.", _choice(*ORDERS)),
            "include_cancelled": ("Cancelled ones, too.", FLAG),
        },
    ),
    _operation(
        "createEvent", "post", "/v1/events", "Put an event into a calendar.", body=EventBody, answers={201: Event}
    ),
    _operation("showEvent", "get", "/v1/events/{id}", "Show an event, cancelled or not.", answers={200: Event}),
    _operation("changeEvent", "patch", "/v1/events/{id}", "Change an event.", body=EventChange, answers={200: Event}),
    _operation(
        "deleteEvent",
        "delete",
        "/v1/events/{id}",
        "Cancel an event, or forget it for good; again is no error.",
        answers={200: Event},
        query={
            "hard": ("Forget it: what it was is answered, and it cannot be shown any more.", FLAG),
            "reason": ("Why it is cancelled.", TEXT),
            "series_scope": ("How much of a series is meant.", _choice("this", "following", "all")),
        },
        failures=(409,),
    ),
    _operation(
        "listCalendarReminders",
        "get",
        "/v1/reminders",
        "List a user's reminders, those that were created last first.",
        answers={200: CalendarReminders},
        query={
            **_USER,
            **_PAGES,
            **_CREATED,
            "event_id": ("Only those of this event.", TEXT),
            "status": ("Only those that stand so.", _choice(*REMINDER_STATUSES)),
        },
    ),
    _operation(
        "createCalendarReminder",
        "post",
        "/v1/reminders",
        "Keep a reminder.",
        body=CalendarReminderBody,
        answers={201: CalendarReminder},
    ),
    _operation(
        "showCalendarReminder", "get", "/v1/reminders/{id}", "Show a reminder.", answers={200: CalendarReminder}
    ),
    _operation(
        "deleteCalendarReminder",
        "delete",
        "/v1/reminders/{id}",
        "Cancel a reminder; again is no error.",
        answers={200: CalendarReminder},
    ),
    _operation(
        "listAlerts",
        "get",
        "/v1/alerts",
        "List a user's alerts, the newest first.",
        answers={200: Alerts},
        query={
            **_USER,
            **_PAGES,
            **_CREATED,
            "event_id": ("Only those of this event.", TEXT),
            "type": ("Only those of this type.", TEXT),
            "status": ("Only those that stand so; active, if it is left out.", _choice(*ALERT_STATUSES)),
        },
    ),
    _operation(
        "dismissAlert", "post", "/v1/alerts/{id}/dismiss", "Dismiss an alert; again is no error.", answers={200: Alert}
    ),
    _operation(
        "snoozeAlert", "post", "/v1/alerts/{id}/snooze", "Put an alert off.", body=AlertSnooze, answers={200: Alert}
    ),
    _operation(
        "changeUser", "patch", "/v1/users/{id}", "Change a user's wishes.", body=UserChange, answers={200: User}
    ),
    _operation("showUser", "get", "/v1/users/{id}", "Show a user and their wishes.", answers={200: User}),
)

_WEBHOOKS = (
    _operation(
        "createWebhookEndpoint",
        "post",
        "/v1/webhook_endpoints",
        "Name an address that is told what happens.",
        body=EndpointBody,
        answers={201: NewWebhookEndpoint},
    ),
    _operation(
        "listWebhookEndpoints",
        "get",
        "/v1/webhook_endpoints",
        "List the endpoints, the newest first.",
        answers={200: WebhookEndpoints},
        query=_PAGES,
    ),
    _operation(
        "showWebhookEndpoint",
        "get",
        "/v1/webhook_endpoints/{id}",
        "Show an endpoint.",
        answers={200: WebhookEndpoint},
    ),
    _operation(
        "changeWebhookEndpoint",
        "patch",
        "/v1/webhook_endpoints/{id}",
        "Change an endpoint, or switch it off and on.",
        body=EndpointChange,
        answers={200: WebhookEndpoint},
    ),
    _operation(
        "deleteWebhookEndpoint",
        "delete",
        "/v1/webhook_endpoints/{id}",
        "Remove an endpoint, with all that is on its way there.",
        answers={200: WebhookEndpointGone},
    ),
    _operation(
        "testWebhookEndpoint",
        "post",
        "/v1/webhook_endpoints/{id}/test",
        f"Send something made up, of one of these types: {', '.join(TYPES)}.",
        body=TrialBody,
        answers={202: WebhookDelivery},
    ),
    _operation(
        "listWebhookDeliveries",
        "get",
        "/v1/webhook_endpoints/{id}/deliveries",
        "List what was sent to an endpoint lately, or is on its way.",
        answers={200: WebhookDeliveries},
        query=_PAGES,
    ),
    _operation(
        "replayWebhookDelivery",
        "post",
        "/v1/webhook_endpoints/{id}/deliveries/{delivery_id}/replay",
        "Send something once more, there or elsewhere.",
        body=ReplayBody,
        answers={202: WebhookDelivery},
    ),
)

ASSISTANT_OPERATIONS = (*_SESSIONS, *_CALENDARS, *_WEBHOOKS)

ASSISTANT_EXAMPLES: dict[type, Any] = {
    MintBody: {"user_id": "usr_demo_alice", "scopes": ["calendars:read", "events:read", "events:write"]},
    EventBody: {
        "title": "Tea with Carol",
        "start_time": "2026-11-24T16:00:00-05:00",
        "duration_minutes": 30,
        "timezone": "America/New_York",
    },
    EndpointBody: {"url": "https://example.com/hooks", "events": ["voice.action_executed", "event.updated"]},
}
