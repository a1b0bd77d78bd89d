"""ChronaPilot's webhooks: whether a delivery is its own, and what it says that is worth a call."""

import hmac
import re
from hashlib import sha256

import msgspec

from phone_bridge.errors import RemoteError
from phone_bridge.exchange import Request, Response

TOLERANCE_S = 300
"""How old, or how far ahead, a signature may be."""
MAX_SIGNATURES = 5
"""Signatures of one delivery that are looked at; there are two while a secret is rotated."""
MAX_TITLE_CHARS = 200

LEAVE, LATE = "departure.threshold_reached", "event.late_predicted"

_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_-]{1,64}")
_HEX = re.compile("[0-9a-f]{64}")


class _Object(msgspec.Struct):
    event_id: str = ""
    user_id: str = ""
    title: str = ""
    minutes_late: int | None = None


class _Data(msgspec.Struct):
    object: _Object


class _Delivery(msgspec.Struct):
    id: str
    type: str
    data: _Data


class _Event(msgspec.Struct):
    id: str
    title: str = ""
    user_id: str = ""
    is_cancelled: bool = False


_NOTICES = {
    "en": {
        "event": "your next event",
        "leave": "It is time to leave for {}.",
        "late": "You will probably be late for {}.",
        "late_by": "You will probably be {} minutes late for {}.",
    },
    "de": {
        "event": "Ihren nächsten Termin",
        "leave": "Zeit zum Aufbruch für: {}.",
        "late": "Sie kommen voraussichtlich zu spät zu: {}.",
        "late_by": "Sie kommen voraussichtlich {} Minuten zu spät zu: {}.",
    },
    "es": {
        "event": "su próximo evento",
        "leave": "Es hora de salir para: {}.",
        "late": "Es probable que llegue tarde a: {}.",
        "late_by": "Es probable que llegue {} minutos tarde a: {}.",
    },
    "fr": {
        "event": "votre prochain événement",
        "leave": "Il est temps de partir pour : {}.",
        "late": "Vous serez probablement en retard pour : {}.",
        "late_by": "Vous aurez probablement {} minutes de retard pour : {}.",
    },
}
"""What is said to whoever is rung, by language."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery tells; what it does not tell is empty."""

    id: str
    type: str
    event_id: str = ""
    user_id: str = ""
    title: str = ""
    minutes_late: int | None = None
    cancelled: bool = False

    @property
    def worth_a_call(self) -> bool:
        """Whether somebody is to be rung for it."""
        return self.type in (LEAVE, LATE) and not self.cancelled

    @classmethod
    def parse(cls, body: bytes) -> "Notice":
        """Read a delivery; raises RemoteError ``webhook_malformed``."""
        try:
            told = msgspec.json.decode(body, type=_Delivery)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise RemoteError("ChronaPilot's webhook cannot be read.", code="webhook_malformed") from None
        about = told.data.object
        return cls(
            id=told.id[:128],
            type=told.type,
            event_id=about.event_id if _EVENT_ID.fullmatch(about.event_id) else "",
            user_id=about.user_id[:128],
            title=about.title[:MAX_TITLE_CHARS],
            minutes_late=about.minutes_late,
        )

    def with_event(self, response: Response) -> "Notice":
        """Fill in what the event itself says, for a delivery is no more than a hint of it."""
        try:
            event = msgspec.json.decode(response.body, type=_Event) if response.status == 200 else None
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            event = None
        if event is None or event.id != self.event_id:
            return self
        return msgspec.structs.replace(
            self,
            title=event.title[:MAX_TITLE_CHARS] or self.title,
            user_id=event.user_id[:128] or self.user_id,
            cancelled=event.is_cancelled,
        )

    def words(self, language: str) -> str:
        """Say it to whoever is rung."""
        said = _NOTICES.get(language.partition("-")[0].lower(), _NOTICES["en"])
        title = " ".join(self.title.split()) or said["event"]
        if self.type == LEAVE:
            return said["leave"].format(title)
        late = self.minutes_late
        return said["late_by"].format(late, title) if late else said["late"].format(title)


def signed(header: str, body: bytes, secrets: tuple[str, ...], now_s: int) -> bool:
    """Tell whether ``Chronapilot-Signature`` was made with one of ``secrets``, not long ago."""
    parts = [part.strip().partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in parts if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12:
        return False
    if abs(now_s - int(times[0])) > TOLERANCE_S:
        return False
    given = [value for name, value in parts if name == "v1" and _HEX.fullmatch(value)][:MAX_SIGNATURES]
    right = [hmac.new(secret.encode(), times[0].encode() + b"." + body, sha256).hexdigest() for secret in secrets]
    verdicts = [hmac.compare_digest(one, other) for one in given for other in right]
    return any(verdicts)


def event_request(base_url: str, key: str, event_id: str) -> Request:
    """Ask for an event."""
    url = f"{base_url.rstrip('/')}/v1/events/{event_id}"
    return Request(method="GET", url=url, headers={"Authorization": f"Bearer {key}"})
