"""The API that programs use, as a table: every operation, and the shapes that it takes and gives.

The shapes are the structs that are sent and read, or made from them, so that they cannot drift: a route that is in no
table, an answer of another shape and a body that is refused against its description fail a test.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from phone_bridge.app.assistant_operations import ASSISTANT_EXAMPLES, ASSISTANT_OPERATIONS
from phone_bridge.app.campaigns import CampaignBody
from phone_bridge.app.do_not_call import BarBody
from phone_bridge.app.operation import EVENTS as EVENTS
from phone_bridge.app.operation import HTML as HTML
from phone_bridge.app.operation import JSON as JSON
from phone_bridge.app.operation import TEXT as TEXT
from phone_bridge.app.operation import Error as Error
from phone_bridge.app.operation import Failure as Failure
from phone_bridge.app.operation import Operation as Operation
from phone_bridge.app.phone import PhoneToken, PhoneWish
from phone_bridge.app.placing import CallBody, DtmfBody, TransferBody
from phone_bridge.call.receipt import Receipt
from phone_bridge.call.timeline import Noted
from phone_bridge.call.trace import Asked, Recorded, Said
from phone_bridge.outbound.campaign import State as CampaignState
from phone_bridge.outbound.policy import Policy
from phone_bridge.outbound.reminders import ReminderBody
from phone_bridge.runtime.record import CallRecord
from phone_bridge.sessions.voice_agent.server import DEFAULT_MODEL, MAX_MODEL_CHARS

CARRIERS = ("/twilio/", "/lines/", "/chronapilot/", "/static/")
"""Where the paths of carriers, of ChronaPilot and of the pages' files begin: of no use to a program."""


# What is sent and read


_SHOWN_AS = {"action": (("name", str), ("parameters", dict[str, Any]))}

Action = msgspec.defstruct(
    "Action",
    [
        shown
        for field in msgspec.structs.fields(Asked)
        for shown in _SHOWN_AS.get(field.name, ((field.name, field.type),))
    ],
    namespace={"__doc__": "One action that was proposed, what the caller answered, and what became of it."},
    forbid_unknown_fields=True,
)

Status = Literal[
    "queued", "ringing", "in_progress", "completed", "no_answer", "busy", "failed", "canceled", "voicemail"
]


class Looked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a call looked: each side's loudness by steps, ``0`` to ``z``, and what happened when."""

    step_ms: int
    caller: str
    heard: str
    events: list[Noted]


class Call(CallRecord, kw_only=True, forbid_unknown_fields=True):
    """One call, live or over; times are ISO 8601 in UTC, ``at_ms`` counts from the call's beginning."""

    direction: Literal["inbound", "outbound"]
    status: Status
    transcript: list[Said]  # type: ignore[assignment]  # which the record keeps as it is written
    actions: list[Action]  # type: ignore[valid-type]  # made from a struct's fields, above
    recording: Recorded | None = None  # type: ignore[assignment]
    timeline: Looked | None = None  # type: ignore[assignment]


class Calls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls, newest first."""

    object: Literal["list"]
    data: list[Call]


class CallWithReceipts(Call, kw_only=True, forbid_unknown_fields=True):
    """One call, with the signed receipt of every action that was confirmed in it; null while they cannot be read."""

    receipts: list[Receipt] | None


class Try(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attempt of a reminder: a call, when it ended, and how, or what the callee replied."""

    call_id: str
    at: str
    outcome: str


class Reminder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reminder: ``at`` is the time it is for, ``next_at`` when the telephone is to ring."""

    id: str
    object: Literal["reminder"]
    to: str
    from_: str | None = msgspec.field(name="from")
    user_id: str
    text: str
    at: str
    timezone: str
    event_id: str | None
    offset_minutes: int
    before: Literal["start", "departure"]
    repeat: str | None
    policy: Policy
    consent: str | None
    campaign: str | None
    metadata: dict[str, str]
    status: Literal["scheduled", "calling", "done", "cancelled", "failed"]
    outcome: str | None
    next_at: str | None
    attempts: list[Try]
    call_id: str | None
    created_at: str


class Reminders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reminders, newest first."""

    object: Literal["list"]
    data: list[Reminder]


class Campaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign: of ``total`` people, how many are scheduled or being called, and what came of those who are over."""

    id: str
    object: Literal["campaign"]
    name: str
    total: int
    state: CampaignState
    scheduled: int
    calling: int
    over: int
    outcomes: dict[str, int]
    created_at: str


class Campaigns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Campaigns, newest first."""

    object: Literal["list"]
    data: list[Campaign]


class Barred(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number that must not be called, since when, and the call in which that was asked for."""

    to: str
    since: str
    call_id: str | None


class AllBarred(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers that must not be called, newest first."""

    object: Literal["list"]
    data: list[Barred]


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key as a JWK (RFC 7517, RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    use: Literal["sig"]
    alg: Literal["EdDSA"]
    kid: str
    x: str


class PublicKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys that receipts are checked with, as a JWK Set."""

    keys: list[PublicKey]


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a process is; ``calls`` are live in it, ``reason`` says why no call may be sent to it."""

    status: Literal["ok", "unavailable", "draining"]
    calls: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class ClientSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that opens sessions until ``expires_at`` (Unix seconds), and what they will be set to."""

    value: str
    expires_at: int
    session: dict[str, Any]


class SecretOfBeta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that opens sessions until ``expires_at`` (Unix seconds)."""

    value: str
    expires_at: int


class BetaSession(msgspec.Struct, frozen=True, kw_only=True):
    """What sessions will be set to, in the beta's shape, and the key that opens them."""

    id: str
    object: Literal["realtime.session"]
    model: str
    client_secret: SecretOfBeta


class AgentError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every refusal and failure of the voice-agent endpoint: one sentence."""

    error: str


class AgentWish(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a session is wanted with; all of it may be missing."""

    model: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARS)] = DEFAULT_MODEL
    voice: Literal["ash", "sage", "coral", "alloy", "echo", "shimmer", "ballad", "verse"] = "ash"


class Execution(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which tool is to be run, and with what."""

    toolName: Annotated[str, Meta(min_length=1)]  # noqa: N815 - the dialect's own word
    args: dict[str, Any] = {}


class ToolResult(msgspec.Struct, frozen=True):
    """What a tool gave: its own JSON; of our tools, ``ok`` says whether it did its work."""

    ok: bool | UnsetType = UNSET


class SdkToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token that opens one session within five minutes, and the socket to show it on."""

    token: str
    ws_url: str


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The service is there, and the key is good."""

    status: Literal["ok"]


# The operations


_PROMISE = {"Idempotency-Key": "The same request with the same key is answered once, and done once."}

OPERATIONS = (
    Operation(
        name="listCalls",
        tag="calls",
        method="get",
        path="/v1/calls",
        summary="List the newest hundred calls, live ones as they are now.",
        query={"carrier_id": "Only calls that the carrier knows by this id (Twilio's CallSid)."},
        answers={200: Calls},
        failures=(401, 403, 429, 503),
    ),
    Operation(
        name="placeCall",
        tag="calls",
        method="post",
        path="/v1/calls",
        summary="Call somebody, who is connected to the assistant.",
        headers=_PROMISE,
        body=CallBody,
        answers={201: Call},
        failures=(400, 401, 403, 409, 413, 429, 503),
    ),
    Operation(
        name="transferCall",
        tag="calls",
        method="post",
        path="/v1/calls/{id}/transfer",
        summary="Put the other side of a live call through to somebody else.",
        body=TransferBody,
        answers={202: Call},
        failures=(400, 401, 403, 404, 409, 413, 429, 503),
    ),
    Operation(
        name="pressKeys",
        tag="calls",
        method="post",
        path="/v1/calls/{id}/dtmf",
        summary="Press keys for the other side of a live call.",
        body=DtmfBody,
        answers={202: Call},
        failures=(400, 401, 403, 404, 409, 413, 429, 503),
    ),
    Operation(
        name="makeReminder",
        tag="reminders",
        method="post",
        path="/v1/reminders",
        summary="Have somebody called at a time, or before an event.",
        headers=_PROMISE,
        body=ReminderBody,
        answers={201: Reminder},
        failures=(400, 401, 403, 409, 413, 429, 503),
    ),
    Operation(
        name="listReminders",
        tag="reminders",
        method="get",
        path="/v1/reminders",
        summary="List the newest hundred reminders.",
        query={"status": "Only those that are scheduled, calling, done, cancelled or failed."},
        answers={200: Reminders},
        failures=(401, 403, 429, 503),
    ),
    Operation(
        name="showReminder",
        tag="reminders",
        method="get",
        path="/v1/reminders/{id}",
        summary="Show a reminder and its attempts.",
        answers={200: Reminder},
        failures=(401, 403, 404, 429, 503),
    ),
    Operation(
        name="cancelReminder",
        tag="reminders",
        method="delete",
        path="/v1/reminders/{id}",
        summary="Cancel a reminder; it never rings again.",
        answers={200: Reminder},
        failures=(401, 403, 404, 409, 429, 503),
    ),
    Operation(
        name="listCampaigns",
        tag="campaigns",
        method="get",
        path="/v1/campaigns",
        summary="List the newest campaigns with their figures.",
        answers={200: Campaigns},
        failures=(401, 403, 429, 503),
    ),
    Operation(
        name="changeCampaign",
        tag="campaigns",
        method="post",
        path="/v1/campaigns",
        summary="Begin a campaign, or pause, resume or end it: what belongs to it rings only while it is running.",
        body=CampaignBody,
        answers={200: Campaign},
        failures=(400, 401, 403, 404, 413, 429, 503),
    ),
    Operation(
        name="showCampaign",
        tag="campaigns",
        method="get",
        path="/v1/campaigns/{id}",
        summary="Show a campaign's figures.",
        answers={200: Campaign},
        failures=(401, 403, 404, 429, 503),
    ),
    Operation(
        name="listDoNotCall",
        tag="reminders",
        method="get",
        path="/v1/do-not-call",
        summary="List the newest hundred numbers that must not be called.",
        answers={200: AllBarred},
        failures=(401, 403, 429, 503),
    ),
    Operation(
        name="changeDoNotCall",
        tag="reminders",
        method="post",
        path="/v1/do-not-call",
        summary="Put a number on the do-not-call list, or take it off: nothing of ours rings it while it is on it.",
        body=BarBody,
        answers={200: BarBody},
        failures=(400, 401, 403, 413, 429, 503),
    ),
    Operation(
        name="showCall",
        tag="calls",
        method="get",
        path="/v1/calls/{id}",
        summary="Show one call: what was said and heard, what was asked and answered.",
        answers={200: CallWithReceipts},
        failures=(401, 403, 404, 429, 503),
    ),
    Operation(
        name="watchCalls",
        tag="calls",
        method="get",
        path="/v1/calls/events",
        summary="Follow the list of calls: `you` says what the key is good for, `calls` what is new or has changed.",
        answers={200: EVENTS},
        failures=(401, 403, 429, 503),
        endless=True,
    ),
    Operation(
        name="watchCall",
        tag="calls",
        method="get",
        path="/v1/calls/{id}/events",
        summary="Follow one call: `call` is all of it, `now` what is being said and asked, `end` the last event.",
        answers={200: EVENTS},
        failures=(401, 403, 404, 429, 503),
        endless=True,
    ),
    Operation(
        name="getRecording",
        tag="calls",
        method="get",
        path="/v1/calls/{id}/recording",
        summary="Give a call's sound once it is over: WAV in stereo, the caller left, what was heard right.",
        answers={200: "audio/wav", 206: "audio/wav"},
        failures=(401, 403, 404, 409, 429, 503),
    ),
    Operation(
        name="deleteRecording",
        tag="calls",
        method="delete",
        path="/v1/calls/{id}/recording",
        summary="Delete a call's sound.",
        answers={204: None},
        failures=(401, 403, 404, 409, 429, 503),
    ),
    Operation(
        name="endCall",
        tag="calls",
        method="post",
        path="/v1/calls/{id}/end",
        summary="End a live call, after a goodbye that is heard.",
        answers={202: Call},
        failures=(401, 403, 404, 409, 429, 503),
    ),
    Operation(
        name="receiptKeys",
        tag="calls",
        method="get",
        path="/v1/receipts/keys",
        summary="Give the public keys that receipts are checked with.",
        answers={200: PublicKeys},
        failures=(503,),
        key=False,
    ),
    *ASSISTANT_OPERATIONS,
    Operation(
        name="createClientSecret",
        tag="realtime",
        method="post",
        path="/v1/realtime/client_secrets",
        summary="Make a short-lived key for Realtime sessions; REALTIME.md has the body.",
        answers={200: ClientSecret},
        failures=(400, 401, 403, 413, 429),
    ),
    Operation(
        name="createBetaSession",
        tag="realtime",
        method="post",
        path="/v1/realtime/sessions",
        summary="Make a short-lived key as the beta did; REALTIME.md has the body.",
        answers={200: BetaSession},
        failures=(400, 401, 403, 413, 429),
    ),
    Operation(
        name="openRealtime",
        tag="realtime",
        method="get",
        path="/v1/realtime",
        summary="Open the WebSocket of a Realtime session; REALTIME.md has its messages.",
        query={"model": "A name that the session shows again.", "user_id": "Whose calendar, for holders of API keys."},
        answers={101: None},
        failures=(400, 401, 403, 429),
        socket=True,
    ),
    Operation(
        name="createVoiceAgent",
        tag="realtime",
        method="post",
        path="/api/voice-agent",
        body=AgentWish,
        summary="Mint a session with its tools; client_secret.value is the address of its socket, good for once.",
        answers={200: BetaSession},
        failures=(400, 401, 403, 413, 429),
        failure=AgentError,
    ),
    Operation(
        name="executeTool",
        tag="realtime",
        method="post",
        path="/api/voice-agent/execute-tool",
        body=Execution,
        summary="Run one of the tools of such a session: {toolName, args}; the answer is the tool's own JSON.",
        answers={200: ToolResult},
        failures=(400, 401, 403, 404, 429),
        failure=AgentError,
    ),
    Operation(
        name="createSdkToken",
        tag="voice_sdk",
        method="post",
        path="/api/v1/sdk/token",
        summary="Make a token for one Voice SDK session.",
        answers={200: SdkToken},
        failures=(401, 403, 429),
    ),
    Operation(
        name="sdkHeartbeat",
        tag="voice_sdk",
        method="post",
        path="/api/v1/sdk/heartbeat",
        summary="Say that the service is there and the key is good.",
        answers={200: Heartbeat},
        failures=(401, 403, 429),
    ),
    Operation(
        name="openSdkSession",
        tag="voice_sdk",
        method="get",
        path="/api/v1/sdk/ws",
        summary="Open the WebSocket of a Voice SDK session; VOICE_SDK.md has its messages.",
        answers={101: None},
        key=False,
        socket=True,
    ),
    Operation(
        name="createPhoneToken",
        tag="phone",
        method="post",
        path="/phone/token",
        body=PhoneWish,
        summary="Make a token for one call from a browser, or for one that was cut off to go on.",
        answers={200: PhoneToken},
        failures=(400, 401, 403, 409, 429, 503),
    ),
    Operation(
        name="openPhone",
        tag="phone",
        method="get",
        path="/phone/ws",
        summary="Open the WebSocket of a call from a browser; VOICE_SDK.md has its messages.",
        answers={101: None},
        key=False,
        socket=True,
    ),
    Operation(
        name="phone",
        tag="phone",
        method="get",
        path="/",
        summary="Show the soft-phone.",
        answers={200: HTML},
        key=False,
    ),
    Operation(
        name="monitor",
        tag="phone",
        method="get",
        path="/monitor",
        summary="Show the monitor of calls.",
        answers={200: HTML},
        key=False,
    ),
    Operation(
        name="health",
        tag="process",
        method="get",
        path="/healthz",
        summary="Say that the process answers.",
        answers={200: State},
        key=False,
    ),
    Operation(
        name="readiness",
        tag="process",
        method="get",
        path="/readyz",
        summary="Say whether a call may be sent here.",
        answers={200: State, 503: State},
        key=False,
    ),
    Operation(
        name="metrics",
        tag="process",
        method="get",
        path="/metrics",
        summary="Show the figures that Prometheus collects.",
        answers={200: TEXT},
        failures=(401, 403, 429),
    ),
    Operation(
        name="description",
        tag="about",
        method="get",
        path="/openapi.json",
        summary="Describe this API.",
        answers={200: JSON},
        key=False,
    ),
    Operation(
        name="documentation",
        tag="about",
        method="get",
        path="/docs",
        summary="Show this description as a page.",
        answers={200: HTML},
        key=False,
    ),
)

TAGS = {
    "reminders": "Calls that are made at a time, or before an event.",
    "campaigns": "One message to each of many people.",
    "calls": "What is going on, what went on, and ending a call.",
    "assistant": "The built-in assistant's sessions, in ChronaPilot's dialect.",
    "realtime": "The built-in assistant's sessions, in OpenAI Realtime's dialect.",
    "voice_sdk": "The built-in assistant's sessions, in the Voice SDK's dialect.",
    "phone": "Calls from a browser, and the pages that people open.",
    "process": "Whether this process lives and can take calls.",
    "about": "What you are reading.",
}

ABOUT = """\
Programs speak to the bridge in JSON. Send the key of `PHONE_BRIDGE_API_KEY` as `Authorization: Bearer KEY`; while no \
key is set, only this machine is served. A refusal is an HTTP status and `{"error": {"type", "code", "message"}}`, of \
which `code` is stable and `message` is for people."""

EXAMPLES: dict[type, Any] = {
    Error: {
        "error": {
            "type": "invalid_request_error",
            "code": "call_not_found",
            "message": "There is no call call_1f9d6a40c2b7e8d35a061c94.",
        }
    },
    **ASSISTANT_EXAMPLES,
    Call: {
        "id": "call_1f9d6a40c2b7e8d35a061c94",
        "carrier_id": "CA9876543210fedcba9876543210fedcba",
        "direction": "inbound",
        "from": "+12025550143",
        "to": "+12025550100",
        "user_id": "usr_demo_alice",
        "session": "embedded",
        "status": "completed",
        "started_at": "2026-11-21T10:15:00.000Z",
        "answered_at": "2026-11-21T10:15:00.412Z",
        "ended_at": "2026-11-21T10:15:34.207Z",
        "ended_by": "caller",
        "transcript": [{"at_ms": 0, "speaker": "bridge", "text": "Hello, this is your calendar assistant."}],
        "actions": [
            {
                "id": "act_1",
                "name": "cancel_event",
                "parameters": {"event_id": "evt_dentist"},
                "verdict": "confirmed",
                "by": "digit",
                "at_ms": 27900,
                "question": "I am about to cancel Dentist, on Tuesday the 24th of November at 3 p.m.",
                "question_ms": 5800,
                "heard_ms": 5800,
                "answer": "1",
                "outcome": "executed",
                "trust": "known",
                "result": {"id": "evt_dentist", "status": "cancelled"},
            }
        ],
        "error": None,
        "resumed": 0,
        "voicemail": None,
        "recording": {"state": "kept", "from_ms": 1900, "ms": 32307, "reason": ""},
        "timeline": {
            "step_ms": 100,
            "caller": "0002hk",
            "heard": "00dhb0",
            "events": [],
        },
        "answered_by": None,
        "reply": None,
        "reminder_id": None,
        "metadata": None,
        "usage": None,
        "route": None,
        "return_url": None,
        "return_ref": None,
        "return_route": None,
        "trust": "known",
    },
}
