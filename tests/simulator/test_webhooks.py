"""Twilio's requests: parameters, headers, and signatures that the official validator accepts."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # ships none

from phone_bridge.exchange import Request
from phone_bridge.simulator.verbs import ConnectStream
from phone_bridge.simulator.webhooks import Dialling, Webhooks

TOKEN = "12345"
URL = "https://a.test/twilio/voice"
DIALLING = Dialling(account_sid="AC1", auth_token=TOKEN, stir_verstat="TN-Validation-Passed-A")


def webhooks(dialling: Dialling = DIALLING) -> Webhooks:
    return Webhooks(dialling, "CA1", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), lambda: "a-uuid")


def form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def is_signed(request: Request, url: str = URL) -> bool:
    params = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
    return bool(RequestValidator(TOKEN).validate(url, params, request.headers["X-Twilio-Signature"]))


def test_the_voice_webhook_carries_the_standard_parameters() -> None:
    fields = form(webhooks().voice(URL, "POST", "ringing"))
    assert fields["CallSid"] == "CA1"
    assert fields["AccountSid"] == "AC1"
    assert fields["CallStatus"] == "ringing"
    assert fields["ApiVersion"] == "2010-04-01"
    assert fields["Direction"] == "inbound"
    assert fields["From"] == fields["Caller"] == "+12025550143"
    assert fields["To"] == fields["Called"] == "+12025550100"
    assert fields["StirVerstat"] == "TN-Validation-Passed-A"
    assert {
        role + key for role in ("From", "To", "Caller", "Called") for key in ("City", "State", "Zip", "Country")
    } <= set(fields)


def test_places_that_are_not_known_are_blank_and_are_sent() -> None:
    fields = form(webhooks().voice(URL, "POST", "ringing"))
    assert (fields["FromCity"], fields["FromCountry"]) == ("", "US")
    fields = form(webhooks(msgspec.structs.replace(DIALLING, from_number="anonymous")).voice(URL, "POST", "ringing"))
    assert (fields["From"], fields["FromCountry"]) == ("anonymous", "")


def test_headers_are_those_of_twilios_proxy() -> None:
    headers = webhooks().voice(URL, "POST", "ringing").headers
    assert headers["User-Agent"] == "TwilioProxy/1.1"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert headers["I-Twilio-Idempotency-Token"] == "a-uuid"


def test_a_post_is_signed_over_its_address_and_form_blank_values_too() -> None:
    request = webhooks().voice(URL, "POST", "in-progress", {"Digits": ""})
    assert is_signed(request)
    assert not is_signed(request, URL + "/")
    assert not is_signed(msgspec.structs.replace(request, body=request.body + b"&a=b"))


def test_without_a_token_nothing_is_signed() -> None:
    unsigned = webhooks(msgspec.structs.replace(DIALLING, auth_token=""))
    assert "X-Twilio-Signature" not in unsigned.voice(URL, "POST", "ringing").headers
    assert "X-Twilio-Signature" not in unsigned.handshake("wss://a.test/m")


def test_the_handshake_is_signed_over_its_address_alone() -> None:
    signature = webhooks().handshake("wss://a.test/m")["X-Twilio-Signature"]
    assert RequestValidator(TOKEN).validate("wss://a.test/m", {}, signature)
    assert not RequestValidator(TOKEN).validate("https://a.test/m", {}, signature)


def test_a_get_carries_its_parameters_in_the_address_and_is_signed_over_it() -> None:
    request = webhooks().voice(URL + "?a=1&empty=", "GET", "ringing", {"Digits": "12"})
    query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    assert (query["a"], query["empty"], query["Digits"], query["CallSid"]) == ("1", "", "12", "CA1")
    assert request.body == b""
    assert RequestValidator(TOKEN).validate(request.url, {}, request.headers["X-Twilio-Signature"])


def test_a_fragment_is_neither_sent_nor_signed() -> None:
    request = webhooks().voice(URL + "#rc=2", "POST", "ringing")
    assert request.url == URL
    assert is_signed(request)


def test_a_redirect_loses_every_parameter() -> None:
    request = webhooks().redirected("https://a.test/other")
    assert (request.method, request.url, request.body) == ("GET", "https://a.test/other", b"")


@pytest.mark.parametrize(
    ("ms", "seconds", "minutes"), [(0, "0", "0"), (1, "1", "1"), (60_000, "60", "1"), (60_001, "61", "2")]
)
def test_the_status_callback_tells_seconds_and_minutes_begun(ms: int, seconds: str, minutes: str) -> None:
    request = webhooks().call_status(URL, "completed", ms, 61_000)
    fields = form(request)
    assert (fields["CallDuration"], fields["Duration"]) == (seconds, minutes)
    assert (fields["CallStatus"], fields["SequenceNumber"]) == ("completed", "0")
    assert fields["CallbackSource"] == "call-progress-events"
    assert fields["Timestamp"] == "Fri, 02 Jan 2026 03:05:06 +0000"
    assert is_signed(request)


def test_the_stream_callback_names_the_stream_and_its_event() -> None:
    verb = ConnectStream(url="wss://a.test/m", status_callback=URL)
    fields = form(webhooks().stream_status(verb, "stream-started", "MZ1", 1500))
    assert fields == {
        "AccountSid": "AC1",
        "CallSid": "CA1",
        "StreamSid": "MZ1",
        "StreamName": "MZ1",
        "StreamEvent": "stream-started",
        "Timestamp": "2026-01-02T03:04:06.500+00:00",
    }


def test_a_failed_stream_tells_its_error_and_its_own_name_and_method() -> None:
    verb = ConnectStream(url="wss://a.test/m", name="mine", status_callback=URL, status_callback_method="GET")
    request = webhooks().stream_status(verb, "stream-error", "MZ1", 0, "no")
    query = dict(parse_qsl(urlsplit(request.url).query))
    assert (request.method, query["StreamName"], query["StreamError"]) == ("GET", "mine", "no")
