"""Webhooks as values: what happened, who wants to know, how it is written and signed, and when it is tried again."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from phone_bridge.assistant.problems import Problem
from phone_bridge.assistant.versions import CURRENT
from phone_bridge.exchange import Request

TYPES = (
    "event.created",
    "event.updated",
    "event.rescheduled",
    "event.cancelled",
    "event.deleted",
    "event.late_predicted",
    "departure.threshold_reached",
    "voice.session_started",
    "voice.session_ended",
    "voice.action_executed",
)
"""What this server tells of; the product knows more, so an endpoint may ask for others and will not hear of them."""

ALL = "*"
MAX_URL_CHARS = 2_000
MAX_EVENTS = 100
"""Types that one endpoint may name."""
MAX_TEXT_CHARS = 500
MIN_SECRET_CHARS, MAX_SECRET_CHARS = 16, 200

TIMEOUT_MS = 8_000
"""How long a receiver may take to answer with 2xx."""
MAX_ATTEMPTS = 24
"""How often a delivery is tried."""
GIVE_UP_MS = 72 * 3600 * 1000
"""How long after the first attempt the last one may be."""
FIRST_WAIT_MS = 30_000
LONGEST_WAIT_MS = 6 * 3600 * 1000

_SUCCESS = range(200, 300)


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened: ``object`` is what is told of it, ``deed`` its own name, so that it is told once.

    ``account`` is the connected account that it belongs to, "" for none.
    """

    type: str
    object: Mapping[str, Any]
    deed: str
    account: str = ""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody wants to be told; ``secret`` signs, and is shown once."""

    id: str
    url: str
    events: tuple[str, ...]
    secret: str
    description: str = ""
    connect_events: bool = False
    status: str = "enabled"
    account: str = ""
    created_at: datetime

    def __repr__(self) -> str:
        return f"Endpoint(id={self.id!r}, status={self.status!r})"

    def wants(self, type: str, account: str) -> bool:
        """Tell whether it is to be told of a ``type`` that belongs to ``account``."""
        if self.status != "enabled" or not (ALL in self.events or type in self.events):
            return False
        return account == self.account or (self.connect_events and not self.account)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint; times are Unix milliseconds. ``status`` is pending, delivered or failed."""

    id: str
    endpoint_id: str
    event_id: str
    type: str
    url: str
    status: str = "pending"
    attempts: int = 0
    began_at: int
    next_at: int
    answered: int | None = None
    """The status of the last answer; None where none came."""


# Writing


def event_id(happening: Happening) -> str:
    """Name the event: one deed, told again, has the same name."""
    told = "\0".join((happening.type, happening.account, happening.deed))
    return "whe_" + hashlib.sha256(told.encode()).hexdigest()[:24]


def body_of(
    id: str, happening: Happening, *, created: int, live: bool, request_id: str, is_test: bool = False
) -> bytes:
    """Write the body that every receiver gets; ``created`` is Unix seconds."""
    body = {
        "id": id,
        "type": happening.type,
        "api_version": CURRENT,
        "created": created,
        "data": {"object": dict(happening.object)},
        "livemode": live,
        "request_id": request_id,
    }
    return msgspec.json.encode({**body, "livemode_test": True} if is_test else body)


def signature(secret: str, body: bytes, now_s: int) -> str:
    """Sign ``body`` at ``now_s`` (Unix seconds), as the header ``Chronapilot-Signature`` has it."""
    digest = hmac.new(secret.encode(), f"{now_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now_s},v1={digest}"


def request(endpoint: Endpoint, delivery: Delivery, body: bytes, now_s: int) -> Request:
    """Write one attempt."""
    headers = {
        "Content-Type": "application/json",
        "Chronapilot-Event": delivery.event_id,
        "Chronapilot-Delivery": delivery.id,
        "Chronapilot-Signature": signature(endpoint.secret, body, now_s),
    }
    return Request(method="POST", url=delivery.url, headers=headers, body=body)


# Deciding


def after(delivery: Delivery, answered: int | None, now: int, chance: float) -> Delivery:
    """Say how a delivery stands after an attempt that was answered with a status, or not at all.

    ``chance`` (0 to 1) spreads the next attempts of many, so that they do not come all at once.
    """
    tried = msgspec.structs.replace(delivery, attempts=delivery.attempts + 1, answered=answered)
    if answered in _SUCCESS:
        return msgspec.structs.replace(tried, status="delivered")
    next_at = now + wait_ms(tried.attempts, chance)
    if tried.attempts >= MAX_ATTEMPTS or next_at > delivery.began_at + GIVE_UP_MS:
        return msgspec.structs.replace(tried, status="failed")
    return msgspec.structs.replace(tried, next_at=next_at)


def wait_ms(attempts: int, chance: float) -> int:
    """Say how long to wait after so many attempts: twice as long each time, of which up to a half is left to chance."""
    whole = min(FIRST_WAIT_MS * 2**attempts, LONGEST_WAIT_MS)
    return max(FIRST_WAIT_MS, int(whole * (1 + chance) / 2))


def choose(due: Iterable[Delivery], busy: Mapping[str, int], most: int, most_each: int) -> list[Delivery]:
    """Choose what to send now: at most ``most``, until ``most_each`` are under way to an endpoint."""
    counts, chosen = Counter(busy), list[Delivery]()
    for delivery in due:
        if len(chosen) < most and counts[delivery.endpoint_id] < most_each:
            counts[delivery.endpoint_id] += 1
            chosen.append(delivery)
    return chosen


# Where to


def check_url(url: str, param: str = "url") -> str:
    """Give a receiver's address back; raises Problem for one that is not https, unless it is on this machine."""
    parts = _split(url)
    if parts is None or len(url) > MAX_URL_CHARS or parts.username is not None or parts.fragment:
        raise Problem("the url is not one that a webhook can be sent to", code="invalid_parameter", param=param)
    if parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
        raise Problem("the url must begin with https://, except on this machine", code="invalid_parameter", param=param)
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if whole and url.isprintable() and " " not in url else None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# Examples, for an endpoint that wants to be tried


_SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "event.created": {"event_id": "evt_example", "title": "Example", "start_time": "2026-11-21T10:00:00Z"},
    "event.updated": {"event_id": "evt_example", "changed_fields": ["title"]},
    "event.rescheduled": {
        "event_id": "evt_example",
        "old_start_time": "2026-11-21T10:00:00Z",
        "new_start_time": "2026-11-21T11:00:00Z",
    },
    "event.cancelled": {"event_id": "evt_example", "cancelled_at": "2026-11-21T09:00:00Z"},
    "event.deleted": {"event_id": "evt_example"},
    "event.late_predicted": {
        "event_id": "evt_example",
        "user_id": "usr_example",
        "predicted_arrival": "2026-11-21T10:12:00Z",
        "minutes_late": 12,
    },
    "departure.threshold_reached": {
        "event_id": "evt_example",
        "user_id": "usr_example",
        "earliest_departure": "2026-11-21T09:15:00Z",
        "latest_departure": "2026-11-21T09:30:00Z",
    },
    "voice.session_started": {"session_id": "hub_example", "user_id": "usr_example"},
    "voice.session_ended": {"session_id": "hub_example", "duration_seconds": 60, "closed_reason": "client_close"},
    "voice.action_executed": {
        "session_id": "hub_example",
        "action": "create_event",
        "event_id": "evt_example",
        "confirmed_by_user": True,
    },
}


def sample(type: str, deed: str, account: str) -> Happening:
    """Make up a happening of ``type``; raises Problem for one that this server never tells of."""
    if type not in _SAMPLES:
        raise Problem(f"type is one of {', '.join(TYPES)}", code="invalid_parameter", param="type")
    return Happening(type=type, object=_SAMPLES[type], deed=deed, account=account)
