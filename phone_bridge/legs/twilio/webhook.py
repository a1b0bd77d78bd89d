"""Twilio's webhooks: whether a request is Twilio's own, and what it says.

Twilio adds parameters without notice, so nothing here minds what it does not know. Repeated and blank parameters are
kept, in order: they count in the signature. Sources: https://www.twilio.com/docs/usage/security and
https://www.twilio.com/docs/voice/twiml (parameters of a voice webhook).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

import msgspec
from twilio.request_validator import (  # type: ignore[import-untyped]  # the library ships no types
    HMAC_SHA1,
    HMAC_SHA256,
    RequestValidator,
    get_signature_algorithm,
)

from phone_bridge.errors import RemoteError

MAX_FORM_BYTES = 262_144
"""Longer bodies are refused unread; a voice webhook has about 1 kB, with add-ons some tens."""

MAX_PARAMETERS = 1_000
"""More parameters in one body are refused; a voice webhook has about forty."""

MAX_DIGITS = 15
"""Longer numbers in a parameter are not read."""


MAX_URL_CHARS = 512
"""Longer addresses in a parameter are not read."""

MAX_TRANSCRIPT_CHARS = 10_000
"""The longest text of a message that is kept; two minutes of speech have about 2,000 characters."""

CARRIER_DOMAIN = "twilio.com"
CARRIER_URL = "https://api.twilio.com"
"""Where recordings are, unless the REST API is elsewhere."""


class Form:
    """The parameters of a request in the order they came, blank and repeated ones included.

    Has what the official validator asks of a multi-dict: iteration over names, and ``getlist``.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = tuple(pairs)
        self._values: dict[str, list[str]] = {}
        for name, value in self.pairs:
            self._values.setdefault(name, []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """Give the first value of ``name``."""
        return self._values[name][0] if name in self._values else default

    def getlist(self, name: str) -> list[str]:
        """Give every value of ``name``, in order."""
        return self._values.get(name, [])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(self.pairs)


def parse_form(body: bytes) -> Form:
    """Read an ``application/x-www-form-urlencoded`` body; raises RemoteError ``form_too_large``."""
    if len(body) > MAX_FORM_BYTES:
        raise RemoteError(f"The carrier sent a form of {len(body)} bytes.", code="form_too_large")
    text = body.decode("utf-8", "replace")
    try:
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS))
    except ValueError:
        raise RemoteError(
            f"The carrier sent a form of more than {MAX_PARAMETERS} parameters.", code="form_too_large"
        ) from None


# Whose request it is


def signed(url: str, params: Form | bytes, signature: str, tokens: Iterable[str], settings_header: str = "") -> bool:
    """Tell whether ``signature`` (X-Twilio-Signature) was made with one of ``tokens``.

    ``url`` is the public one that Twilio was given, with its query and without a fragment. ``params`` is the form of a
    POST, an empty Form for a GET, and the raw body where the URL has a ``bodySHA256`` (JSON). ``settings_header`` is
    X-Twilio-Webhooks-Signature-Settings, which names the algorithm of the newer scheme; its shared key is then one of
    ``tokens``. Several tokens serve a rotation.
    """
    algorithm = get_signature_algorithm(settings_header).upper()
    if algorithm not in (HMAC_SHA1, HMAC_SHA256):  # the library would write the header's words into its log
        return False
    try:
        content = params.decode() if isinstance(params, bytes) else params
        verdicts = [
            bool(RequestValidator(token).validate(url, content, signature, algorithm)) for token in tokens if token
        ]
    except (TypeError, ValueError):  # a body without its hash, text that is no UTF-8, a port that is no number
        return False
    return any(verdicts)


def handshake_signed(url: str, signature: str, tokens: Iterable[str], settings_header: str = "") -> bool:
    """Tell whether a media socket's handshake was signed: over the exact ``<Stream url>`` with no parameters.

    The default port may be written or not, on either side. No other form is tried: not ``https``, not another slash.
    """
    tokens = list(tokens)
    return any(signed(form, Form(), signature, tokens, settings_header) for form in _port_forms(url))


def _port_forms(url: str) -> tuple[str, ...]:
    """Give ``url`` and its form with the port written out, which the library gets wrong for ``wss``."""
    parts = urlsplit(url)
    if parts.scheme != "wss" or parts.port is not None:
        return (url,)
    return (url, parts._replace(netloc=f"{parts.netloc}:443").geturl())


# What it says

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "queued": "queued",
        "initiated": "queued",
        "ringing": "ringing",
        "in-progress": "in_progress",
        "completed": "completed",
        "busy": "busy",
        "failed": "failed",
        "no-answer": "no_answer",
        "canceled": "canceled",
    }
)
"""Twilio's CallStatus in the words of ``GET /v1/calls``."""

_WITHHELD_WORDS = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld")
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_WITHHELD = frozenset(_WITHHELD_WORDS) | {"+" + word.translate(_KEYPAD) for word in _WITHHELD_WORDS}


class IncomingCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that asks for its TwiML; an absent or withheld number is None."""

    call_sid: str
    account_sid: str
    from_: str | None
    to: str | None
    direction: str
    status: str
    forwarded_from: str | None
    caller_name: str | None
    stir_verstat: str | None
    parameters: Form
    answered_by: str | None = None

    @classmethod
    def parse(cls, form: Form) -> "IncomingCall":
        """Read a voice webhook; raises RemoteError ``missing_parameter`` without a CallSid.

        A status that nobody knows is told as ``ringing``: the caller is to be answered all the same.
        """
        return cls(
            call_sid=_required(form, "CallSid"),
            account_sid=form.get("AccountSid"),
            from_=_number(form, "From"),
            to=_number(form, "To"),
            direction="inbound" if form.get("Direction", "inbound") == "inbound" else "outbound",
            status=STATUSES.get(form.get("CallStatus"), "ringing"),
            forwarded_from=_number(form, "ForwardedFrom"),
            caller_name=_text(form, "CallerName"),
            stir_verstat=_text(form, "StirVerstat"),
            parameters=form,
            answered_by=_text(form, "AnsweredBy"),
        )


class StatusChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A call's state as a status callback tells it; callbacks may repeat and overtake each other.

    ``sequence`` counts from 0, ``duration_s`` comes with the end, ``timestamp`` is in seconds since 1970.
    """

    call_sid: str
    account_sid: str
    status: str
    sequence: int | None
    duration_s: int | None
    timestamp: int | None
    sip_code: int | None
    answered_by: str | None

    @classmethod
    def parse(cls, form: Form) -> "StatusChanged":
        """Read a status callback; raises RemoteError ``missing_parameter`` or ``unknown_status``."""
        return cls(
            call_sid=_required(form, "CallSid"),
            account_sid=form.get("AccountSid"),
            status=status_of(_required(form, "CallStatus")),
            sequence=_count(form, "SequenceNumber"),
            duration_s=_count(form, "CallDuration"),  # not Duration, which is in minutes
            timestamp=_moment(form, "Timestamp"),
            sip_code=_count(form, "SipResponseCode"),
            answered_by=_text(form, "AnsweredBy"),
        )


class MachineDetected(msgspec.Struct, frozen=True, kw_only=True):
    """Who answered, as the callback of an asynchronous detection tells it; ``duration_ms`` is how long it took."""

    call_sid: str
    answered_by: str
    duration_ms: int | None

    @classmethod
    def parse(cls, form: Form) -> "MachineDetected":
        """Read the callback; raises RemoteError ``missing_parameter``."""
        return cls(
            call_sid=_required(form, "CallSid"),
            answered_by=_required(form, "AnsweredBy"),
            duration_ms=_count(form, "MachineDetectionDuration"),
        )


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream callback tells; ``event`` is stream-started, stream-stopped or stream-error."""

    call_sid: str
    stream_sid: str
    event: str
    error: str | None

    @classmethod
    def parse(cls, form: Form) -> "StreamStatus":
        """Read a stream callback; raises RemoteError ``missing_parameter``."""
        return cls(
            call_sid=_required(form, "CallSid"),
            stream_sid=_required(form, "StreamSid"),
            event=_required(form, "StreamEvent"),
            error=_text(form, "StreamError"),
        )


class ConnectEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The request to ``<Connect action>``: the stream is over, and a caller who is still there waits for what comes."""

    call_sid: str
    account_sid: str
    status: str
    from_: str | None = None
    to: str | None = None
    direction: str = "inbound"

    @property
    def ended(self) -> bool:
        """Whether the caller has gone, too."""
        return self.status not in ("queued", "ringing", "in_progress")

    @classmethod
    def parse(cls, form: Form) -> "ConnectEnded":
        """Read the request; raises RemoteError ``missing_parameter``. A status nobody knows is told as live."""
        return cls(
            call_sid=_required(form, "CallSid"),
            account_sid=form.get("AccountSid"),
            status=STATUSES.get(form.get("CallStatus"), "in_progress"),
            from_=_number(form, "From"),
            to=_number(form, "To"),
            direction="inbound" if form.get("Direction", "inbound") == "inbound" else "outbound",
        )


def dial_answered(form: Form) -> bool:
    """Tell from the request to ``<Dial action>`` whether somebody took the call."""
    return form.get("DialCallStatus") in ("completed", "answered")


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """What the carrier tells of a message that a caller has left; ``url`` is None where it is not the carrier's."""

    call_sid: str
    url: str | None
    seconds: int | None

    @classmethod
    def parse(cls, form: Form, carrier_url: str) -> "Recording":
        """Read the request to ``<Record action>``, or its callback; raises RemoteError ``missing_parameter``."""
        return cls(
            call_sid=_required(form, "CallSid"),
            url=recording_url(form, carrier_url),
            seconds=_count(form, "RecordingDuration"),
        )


class Transcription(msgspec.Struct, frozen=True, kw_only=True):
    """What the carrier has heard in a message; ``text`` is empty where it could not hear anything."""

    call_sid: str
    url: str | None
    text: str

    @classmethod
    def parse(cls, form: Form, carrier_url: str) -> "Transcription":
        """Read the transcription's callback; raises RemoteError ``missing_parameter``."""
        done = form.get("TranscriptionStatus") == "completed"
        return cls(
            call_sid=_required(form, "CallSid"),
            url=recording_url(form, carrier_url),
            text=form.get("TranscriptionText")[:MAX_TRANSCRIPT_CHARS] if done else "",
        )


def recording_url(form: Form, carrier_url: str = CARRIER_URL) -> str | None:
    """Give the address of what was recorded, from the request to ``<Record action>``; None where it is not Twilio's.

    It is kept and told of, never fetched. ``carrier_url`` is where Twilio's REST API is.
    """
    url = form.get("RecordingUrl")
    try:
        parts, carrier = urlsplit(url), urlsplit(carrier_url)
    except ValueError:
        return None
    host = parts.hostname or ""
    theirs = parts.scheme == "https" and (host == CARRIER_DOMAIN or host.endswith(f".{CARRIER_DOMAIN}"))
    same = bool(host) and (parts.scheme, parts.netloc) == (carrier.scheme, carrier.netloc)
    readable = len(url) <= MAX_URL_CHARS and url.isprintable() and "@" not in parts.netloc
    return url if readable and (theirs or same) else None


def status_of(twilio_status: str) -> str:
    """Translate a CallStatus to the word of ``GET /v1/calls``; raises RemoteError ``unknown_status``."""
    try:
        return STATUSES[twilio_status]
    except KeyError:
        raise RemoteError(
            "The carrier named a call status that is not in its documents.", code="unknown_status"
        ) from None


def withheld(number: str) -> bool:
    """Tell whether a number is one of the words, or their spelling on a keypad, that stand for a hidden one."""
    user = number.strip().lower().removeprefix("sip:").partition("@")[0]
    return not user or user in _WITHHELD


def whole_number(text: str) -> int | None:
    """Read digits, at most MAX_DIGITS of them; None for anything else."""
    return int(text) if len(text) <= MAX_DIGITS and text.isascii() and text.isdigit() else None


def _required(form: Form, name: str) -> str:
    value = form.get(name)
    if not value:
        raise RemoteError(f"The carrier's request has no {name}.", code="missing_parameter")
    return value


def _text(form: Form, name: str) -> str | None:
    return form.get(name) or None


def _number(form: Form, name: str) -> str | None:
    value = form.get(name)
    return None if withheld(value) else value


def _count(form: Form, name: str) -> int | None:
    return whole_number(form.get(name))


def _moment(form: Form, name: str) -> int | None:
    try:
        moment = parsedate_to_datetime(form.get(name))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
