"""Twilio's requests as values: its parameters, its headers, its signature.

Source: https://www.twilio.com/docs/voice/twiml (request parameters), https://www.twilio.com/docs/usage/webhooks and the
headers that Twilio Labs' own emulator sends. The signature is computed by the official library.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urldefrag, urlencode, urlsplit, urlunsplit

import msgspec
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator  # type: ignore[import-untyped]  # ships none

from phone_bridge.exchange import Request
from phone_bridge.simulator.verbs import ConnectStream

API_VERSION = "2010-04-01"
SECONDS_PER_MINUTE = 60

_COUNTRIES = {"+1": "US", "+44": "GB", "+49": "DE", "+33": "FR", "+61": "AU"}
_PLACE = {"US": {"City": "", "State": "DC", "Zip": "20001"}}
_NOWHERE = {"City": "", "State": "", "Zip": ""}


class Dialling(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls whom, and for which account; without ``auth_token`` nothing is signed."""

    account_sid: str
    auth_token: str = ""
    from_number: str = "+12025550143"
    to_number: str = "+12025550100"
    direction: str = "inbound"
    stir_verstat: str = ""
    parent_sid: str = ""
    """The call for which this one is made, of those that a ``<Dial>`` rings."""


class Webhooks:
    """The requests of one call; ``started_at`` is the wall clock at its first millisecond."""

    def __init__(self, dialling: Dialling, call_sid: str, started_at: datetime, new_uuid: Callable[[], str]) -> None:
        self._dialling = dialling
        self._call_sid = call_sid
        self._started_at = started_at
        self._new_uuid = new_uuid
        self._validator = RequestValidator(dialling.auth_token) if dialling.auth_token else None

    def voice(self, url: str, method: str, status: str, extra: Mapping[str, str] | None = None) -> Request:
        """Ask for a document: the standard parameters, and ``extra`` of the verb that ended."""
        return self._request(url, method, {**self._standard(status), **(extra or {})})

    def progress(self, url: str, status: str, sequence: int, at_ms: int) -> Request:
        """Tell how a call that was placed comes on."""
        return self._request(url, "POST", {**self._standard(status), **self._numbered(sequence, at_ms)})

    def machine(self, url: str, answered_by: str, duration_ms: int) -> Request:
        """Tell what has answered, as an asynchronous detection found out."""
        form = {
            "AccountSid": self._dialling.account_sid,
            "CallSid": self._call_sid,
            "AnsweredBy": answered_by,
            "MachineDetectionDuration": str(duration_ms),
        }
        return self._request(url, "POST", form)

    def _numbered(self, sequence: int, at_ms: int) -> dict[str, str]:
        return {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(sequence),
            "Timestamp": format_datetime(self._wall(at_ms)),
        }

    def call_status(self, url: str, status: str, duration_ms: int, at_ms: int, sequence: int = 0) -> Request:
        """Tell that the call is over: ``CallDuration`` in seconds, ``Duration`` in minutes begun."""
        seconds = -(-duration_ms // 1000)
        extra = {
            "CallDuration": str(seconds),
            "Duration": str(-(-seconds // SECONDS_PER_MINUTE)),
            **self._numbered(sequence, at_ms),
        }
        return self._request(url, "POST", {**self._standard(status), **extra})

    def recording(self, url: str, extra: Mapping[str, str]) -> Request:
        """Tell of a recording that can be fetched now, or of what was said in it."""
        form = {"AccountSid": self._dialling.account_sid, "CallSid": self._call_sid, **extra}
        return self._request(url, "POST", form)

    def stream_status(self, verb: ConnectStream, event: str, sid: str, at_ms: int, error: str = "") -> Request:
        """Tell what became of a stream: ``stream-started``, ``stream-stopped`` or ``stream-error``."""
        form = {
            "AccountSid": self._dialling.account_sid,
            "CallSid": self._call_sid,
            "StreamSid": sid,
            "StreamName": verb.name or sid,
            "StreamEvent": event,
            "Timestamp": self._wall(at_ms).isoformat(timespec="milliseconds"),
        }
        form |= {"StreamError": error} if error else {}
        return self._request(verb.status_callback, verb.status_callback_method, form)

    def handshake(self, url: str) -> dict[str, str]:
        """Make the headers that open a media stream; the signature is over ``url`` alone."""
        return {"User-Agent": "TwilioProxy/1.1", **self._signature(url, {})}

    def redirected(self, url: str) -> Request:
        """Follow a 301, 302 or 303: a GET without any parameter."""
        return self._request(url, "GET", {})

    def _wall(self, at_ms: int) -> datetime:
        return self._started_at + timedelta(milliseconds=at_ms)

    def _standard(self, status: str) -> dict[str, str]:
        dialling = self._dialling
        form = {
            "AccountSid": dialling.account_sid,
            "ApiVersion": API_VERSION,
            "CallSid": self._call_sid,
            "CallStatus": status,
            "Direction": dialling.direction,
        }
        for role, number in {
            "From": dialling.from_number,
            "Caller": dialling.from_number,
            "To": dialling.to_number,
            "Called": dialling.to_number,
        }.items():
            form |= {role: number, **{role + key: value for key, value in _place(number).items()}}
        if dialling.parent_sid:
            form["ParentCallSid"] = dialling.parent_sid
        if dialling.stir_verstat:
            form["StirVerstat"] = dialling.stir_verstat
        return form

    def _request(self, url: str, method: str, form: dict[str, str]) -> Request:
        url = urldefrag(url).url  # connection overrides live in the fragment, which is neither sent nor signed
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            "I-Twilio-Idempotency-Token": self._new_uuid(),
            "X-Home-Region": "us1",
        }
        if method == "GET":
            url = _with_query(url, form)
            return Request(method="GET", url=url, headers=headers | self._signature(url, {}))
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        signature = self._signature(url, form)
        return Request(method="POST", url=url, headers=headers | signature, body=urlencode(form).encode())

    def _signature(self, url: str, form: dict[str, str]) -> dict[str, str]:
        if self._validator is None:
            return {}
        return {SIGNATURE_HEADER: self._validator.compute_signature(url, form)}


def _place(number: str) -> dict[str, str]:
    country = next((country for prefix, country in _COUNTRIES.items() if number.startswith(prefix)), "")
    return {**_PLACE.get(country, _NOWHERE), "Country": country}


def _with_query(url: str, form: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *form.items()])
    return urlunsplit(parts._replace(query=query))
