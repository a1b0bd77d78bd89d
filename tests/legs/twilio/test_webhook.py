import hashlib
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # the library ships no types

from phone_bridge.errors import RemoteError
from phone_bridge.legs.twilio.webhook import (
    MAX_DIGITS,
    MAX_FORM_BYTES,
    MAX_PARAMETERS,
    MAX_URL_CHARS,
    ConnectEnded,
    Form,
    IncomingCall,
    StatusChanged,
    StreamStatus,
    dial_answered,
    handshake_signed,
    parse_form,
    recording_url,
    signed,
    status_of,
    whole_number,
    withheld,
)
from tests.legs.twilio import samples
from tests.legs.twilio.samples import ACCOUNT_SID, CALL_SID, STREAM_SID

TOKEN = "12345"
VOICE = "https://bridge.example.com/twilio/voice"
MEDIA = "wss://bridge.example.com/twilio/media"
SHARED_KEY = "key=webhooks_sharedkey_01,algorithm=HMAC_SHA256"


def form(name: str) -> Form:
    return parse_form(samples.raw("requests", name))


def sign(url: str, params: Form | None = None, token: str = TOKEN, algorithm: str = "HMAC_SHA1") -> str:
    return str(RequestValidator(token).compute_signature(url, params or Form(), algorithm))


# Forms


def test_a_form_keeps_blank_and_repeated_parameters_in_their_order() -> None:
    read = parse_form(b"b=2&a=&b=1&c&a=%C3%A9+x")
    assert read.pairs == (("b", "2"), ("a", ""), ("b", "1"), ("c", ""), ("a", "é x"))
    assert read.getlist("b") == ["2", "1"]
    assert read.get("a", "none") == ""
    assert list(read) == ["b", "a", "c"]


def test_a_form_has_a_default_for_what_it_does_not_have() -> None:
    assert (Form().get("a"), Form().get("a", "b"), Form().getlist("a"), len(Form())) == ("", "b", [], 0)


def test_forms_are_values() -> None:
    assert parse_form(b"a=1") == Form([("a", "1")])
    assert hash(parse_form(b"a=1")) == hash(Form([("a", "1")]))
    assert parse_form(b"a=1") != Form([("a", "2")])


@pytest.mark.parametrize("body", [b"", b"&&&", b"\xff\xfe", b"%ff=%", b"=", b"a=\x00"])
def test_strange_bodies_are_read_without_complaint(body: bytes) -> None:
    assert parse_form(body).get("CallSid") == ""


def test_a_form_may_be_as_large_as_the_limits_and_no_larger() -> None:
    assert len(parse_form(b"&".join([b"a=1"] * MAX_PARAMETERS))) == MAX_PARAMETERS
    assert len(parse_form(b"a=".ljust(MAX_FORM_BYTES, b"b"))) == 1
    for body in (b"&".join([b"a=1"] * (MAX_PARAMETERS + 1)), b"a=".ljust(MAX_FORM_BYTES + 1, b"b")):
        with pytest.raises(RemoteError) as caught:
            parse_form(body)
        assert caught.value.code == "form_too_large"


# Signatures of requests


def test_the_official_vector_passes() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    body = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
    assert signed(url, parse_form(body), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", ["12345"])
    assert not signed(url, parse_form(body.replace(b"1234&", b"1235&")), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", ["12345"])


@pytest.mark.parametrize("name", ["voice_inbound.form", "voice_from_sip.form", "voice_with_new_parameters.form"])
def test_every_parameter_counts_blank_and_repeated_ones_too(name: str) -> None:
    params = form(name)
    signature = sign(VOICE, params)
    assert signed(VOICE, params, signature, [TOKEN])
    for left_out in range(len(params)):
        fewer = Form(pair for at, pair in enumerate(params.pairs) if at != left_out)
        assert not signed(VOICE, fewer, signature, [TOKEN])
    assert not signed(VOICE, Form([*params.pairs, ("Extra", "")]), signature, [TOKEN])


parameters = st.lists(st.tuples(st.text("abc", max_size=2), st.text(max_size=3)), max_size=6)


@given(parameters.flatmap(lambda pairs: st.tuples(st.just(pairs), st.permutations(pairs))))
def test_what_the_library_signs_is_admitted_in_any_order(both: tuple[list[tuple[str, str]], ...]) -> None:
    pairs, shuffled = both
    assert signed(VOICE, Form(shuffled), sign(VOICE, Form(pairs)), [TOKEN])


@pytest.mark.parametrize(
    ("public", "asked"),
    [
        ("https://h.example/voice", "https://h.example:443/voice"),
        ("https://h.example:443/voice", "https://h.example/voice"),
        ("https://h.example:8443/voice", "https://h.example/voice"),
        ("http://127.0.0.1:8080/voice", "http://127.0.0.1:8080/voice"),
        ("http://h.example/voice", "http://h.example:80/voice"),
    ],
)
def test_a_port_may_be_written_or_not(public: str, asked: str) -> None:
    assert signed(public, form("voice_inbound.form"), sign(asked, form("voice_inbound.form")), [TOKEN])


@pytest.mark.parametrize(
    "other",
    [
        "http://bridge.example.com/twilio/voice",
        "https://bridge.example.com/twilio/voice/",
        "https://bridge.example.com/twilio/Voice",
        "https://bridge.example.com/twilio/voice?a=1",
        "https://other.example.com/twilio/voice",
        "https://bridge.example.com:8443/twilio/voice",
    ],
)
def test_another_url_is_another_request(other: str) -> None:
    assert not signed(VOICE, Form(), sign(other), [TOKEN])


def test_a_get_is_signed_over_its_whole_url() -> None:
    url = VOICE + "?CallSid=CA1&Blank=&From=%2B1415"
    assert signed(url, Form(), sign(url), [TOKEN])
    assert not signed(url.replace("CA1", "CA2"), Form(), sign(url), [TOKEN])


def test_any_of_several_tokens_will_do_during_a_rotation() -> None:
    params = form("voice_inbound.form")
    assert signed(VOICE, params, sign(VOICE, params, "old"), ["new", "old"])
    assert signed(VOICE, params, sign(VOICE, params, "new"), ["new", "old"])
    assert not signed(VOICE, params, sign(VOICE, params, "older"), ["new", "old"])


def test_without_a_token_nothing_is_signed() -> None:
    assert not signed(VOICE, Form(), sign(VOICE), [])
    assert not signed(VOICE, Form(), sign(VOICE, token=""), ["", ""])


@pytest.mark.parametrize("signature", ["", "=", "x" * 28, "é" * 28, "\ud800", "RSOYDt4T1cUTdK1PDd93/VVr8B8=\n"])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    assert not signed(VOICE, form("voice_inbound.form"), signature, [TOKEN])


def test_the_newer_scheme_is_told_by_its_header() -> None:
    params = form("voice_inbound.form")
    signature = sign(VOICE, params, algorithm="HMAC_SHA256")
    assert signed(VOICE, params, signature, [TOKEN], SHARED_KEY)
    assert not signed(VOICE, params, signature, [TOKEN])
    assert not signed(VOICE, params, sign(VOICE, params), [TOKEN], SHARED_KEY)
    assert signed(VOICE, params, sign(VOICE, params), [TOKEN], "key=webhooks_sharedkey_01")


def test_an_unknown_scheme_is_refused_without_a_word_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert not signed(VOICE, Form(), sign(VOICE), [TOKEN], "algorithm=HMAC_MD5")
    assert caplog.records == []


def test_a_json_body_is_held_to_its_hash() -> None:
    body = b'{"text":"caf\xc3\xa9"}'
    url = f"{VOICE}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert signed(url, body, sign(url), [TOKEN])
    assert not signed(url, body + b" ", sign(url), [TOKEN])
    assert not signed(url, b"\xff", sign(url), [TOKEN])


def test_a_json_body_without_its_hash_is_refused() -> None:
    assert not signed(VOICE, b'{"a":1}', sign(VOICE), [TOKEN])


def test_a_url_with_a_port_that_is_no_number_is_refused() -> None:
    assert not signed("https://h.example:port/voice", Form(), sign(VOICE), [TOKEN])


# Signatures of handshakes


@pytest.mark.parametrize(
    ("public", "asked"),
    [
        (MEDIA, MEDIA),
        (MEDIA, "wss://bridge.example.com:443/twilio/media"),
        ("wss://bridge.example.com:443/twilio/media", MEDIA),
        ("wss://bridge.example.com:443/twilio/media", "wss://bridge.example.com:443/twilio/media"),
        ("ws://127.0.0.1:8080/twilio/media", "ws://127.0.0.1:8080/twilio/media"),
        ("wss://[2001:db8::1]/twilio/media", "wss://[2001:db8::1]:443/twilio/media"),
    ],
)
def test_a_handshake_is_signed_over_the_streams_own_url(public: str, asked: str) -> None:
    assert handshake_signed(public, sign(asked), [TOKEN])
    assert handshake_signed(public, sign(asked, token="old"), iter(["new", "old"]))
    assert handshake_signed(public, sign(asked, algorithm="HMAC_SHA256"), [TOKEN], SHARED_KEY)


@pytest.mark.parametrize(
    "other",
    [
        "https://bridge.example.com/twilio/media",
        "ws://bridge.example.com/twilio/media",
        "wss://bridge.example.com/twilio/media/",
        "wss://bridge.example.com",
        "wss://bridge.example.com:8443/twilio/media",
        "wss://bridge.example.com/twilio/media?token=1",
    ],
)
def test_a_handshake_for_another_url_is_refused(other: str) -> None:
    assert not handshake_signed(MEDIA, sign(other), [TOKEN])


def test_a_handshake_without_a_signature_is_refused() -> None:
    assert not handshake_signed(MEDIA, "", [TOKEN])
    assert not handshake_signed(MEDIA, sign(MEDIA), [])


# What requests say


def test_an_incoming_call_is_read() -> None:
    params = form("voice_inbound.form")
    assert IncomingCall.parse(params) == IncomingCall(
        call_sid=CALL_SID,
        account_sid=ACCOUNT_SID,
        from_="+14155550123",
        to="+13105550199",
        direction="inbound",
        status="ringing",
        forwarded_from="+14155550111",
        caller_name="José & Söhne",
        stir_verstat="TN-Validation-Passed-A",
        parameters=params,
    )


def test_a_call_from_sip_brings_its_headers() -> None:
    call = IncomingCall.parse(form("voice_from_sip.form"))
    assert call.from_ == "sip:alice@example.com"
    assert call.parameters.getlist("SipHeader_X-Route-Id") == ["7", "9"]


def test_a_withheld_number_is_none() -> None:
    call = IncomingCall.parse(form("voice_withheld.form"))
    assert (call.from_, call.to, call.caller_name, call.forwarded_from) == (None, "+13105550199", None, None)


def test_what_twilio_adds_tomorrow_is_no_obstacle() -> None:
    call = IncomingCall.parse(form("voice_with_new_parameters.form"))
    assert (call.status, call.direction) == ("ringing", "inbound")
    assert call.parameters.getlist("CallReasonVerdict") == ["a", "b"]


@pytest.mark.parametrize("direction", ["outbound-api", "outbound-dial"])
def test_an_outbound_call_is_outbound_however_it_was_placed(direction: str) -> None:
    assert IncomingCall.parse(Form([("CallSid", "CA1"), ("Direction", direction)])).direction == "outbound"


@pytest.mark.parametrize(
    "number",
    [
        *("", " ", "anonymous", "Anonymous", "UNKNOWN", "restricted", "sip:anonymous@anonymous.invalid"),
        *("+266696687", "+86282452253", "+8656696", "+2562533", "+7378742833"),
    ],
)
def test_hidden_numbers_are_known_as_words_and_as_their_spelling_on_a_keypad(number: str) -> None:
    assert withheld(number)


@pytest.mark.parametrize("number", ["+14155550123", "sip:alice@example.com", "client:unknown", "+2666966871"])
def test_other_numbers_are_not_hidden(number: str) -> None:
    assert not withheld(number)


@pytest.mark.parametrize("what", [IncomingCall, StatusChanged, StreamStatus, ConnectEnded])
def test_a_request_without_its_call_is_refused_by_name(what: type[IncomingCall]) -> None:
    with pytest.raises(RemoteError, match="CallSid") as caught:
        what.parse(form("voice_without_call_sid.form"))
    assert caught.value.code == "missing_parameter"


def test_a_completed_call_is_read_with_its_seconds() -> None:
    assert StatusChanged.parse(form("status_completed.form")) == StatusChanged(
        call_sid=CALL_SID,
        account_sid=ACCOUNT_SID,
        status="completed",
        sequence=3,
        duration_s=42,
        timestamp=1_763_458_215,
        sip_code=200,
        answered_by=None,
    )


def test_a_status_with_unreadable_details_is_a_status_all_the_same() -> None:
    change = StatusChanged.parse(form("status_no_answer.form"))
    assert (change.status, change.sip_code, change.answered_by) == ("no_answer", 487, "unknown")
    assert (change.sequence, change.duration_s, change.timestamp) == (None, None, None)


def test_a_time_without_a_zone_is_universal_time() -> None:
    said = Form([("CallSid", "CA1"), ("CallStatus", "busy"), ("Timestamp", "Tue, 18 Nov 2025 09:30:15 -0000")])
    assert StatusChanged.parse(said).timestamp == 1_763_458_215


def test_numbers_have_a_limit() -> None:
    assert whole_number("9" * MAX_DIGITS) == 10**MAX_DIGITS - 1
    assert [whole_number(text) for text in ("9" * (MAX_DIGITS + 1), "9" * 5000, "", "-1", "٣", "1.0")] == [None] * 6


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(RemoteError) as caught:
        StatusChanged.parse(form("status_unknown.form"))
    assert caught.value.code == "unknown_status"


def test_every_status_of_twilios_has_a_word() -> None:
    theirs = ["queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"]
    ours = ["queued", "queued", "ringing", "in_progress", "completed", "busy", "failed", "no_answer", "canceled"]
    assert [status_of(status) for status in theirs] == ours


def test_a_stream_status_is_read() -> None:
    assert StreamStatus.parse(form("stream_error.form")) == StreamStatus(
        call_sid=CALL_SID, stream_sid=STREAM_SID, event="stream-error", error="31921"
    )
    assert StreamStatus.parse(form("stream_started.form")).error is None


def test_the_end_of_connect_says_whether_the_caller_is_still_there() -> None:
    live, gone = (
        ConnectEnded.parse(form("connect_ended.form")),
        ConnectEnded.parse(form("connect_ended_by_caller.form")),
    )
    assert (live.status, live.ended) == ("in_progress", False)
    assert (gone.status, gone.ended) == ("completed", True)


@given(st.binary(max_size=300))
def test_no_body_makes_reading_fail_otherwise(body: bytes) -> None:
    params = parse_form(b"CallSid=CA1&" + body)
    assert IncomingCall.parse(params).call_sid == "CA1"
    assert signed(VOICE, params, sign(VOICE, params), [TOKEN])


def test_the_end_of_a_stream_tells_who_speaks_to_whom() -> None:
    read = ConnectEnded.parse(Form([("CallSid", CALL_SID), ("From", "anonymous"), ("To", "+15550100")]))
    assert (read.from_, read.to, read.direction) == (None, "+15550100", "inbound")
    out = ConnectEnded.parse(Form([("CallSid", CALL_SID), ("Direction", "outbound-api")]))
    assert (out.from_, out.to, out.direction) == (None, None, "outbound")


@pytest.mark.parametrize(
    ("status", "answered"),
    [("completed", True), ("answered", True), ("busy", False), ("no-answer", False), ("failed", False), ("", False)],
)
def test_a_dialled_party_has_answered_or_not(status: str, answered: bool) -> None:
    assert dial_answered(Form([("DialCallStatus", status)])) is answered


def test_where_a_recording_is_kept_is_read_up_to_a_limit() -> None:
    longest = "https://api.twilio.com/".ljust(MAX_URL_CHARS, "x")
    assert recording_url(Form([("RecordingUrl", longest)])) == longest
    assert recording_url(Form([("RecordingUrl", longest + "x")])) is None


@pytest.mark.parametrize(
    "url", ["", "RE1", "ftp://a.test/x", "https:///x", "https://[x", "https://a.test/\x00", "//a/x"]
)
def test_what_is_no_address_is_no_recording(url: str) -> None:
    assert recording_url(Form([("RecordingUrl", url)])) is None


@given(st.text())
def test_no_text_at_all_breaks_the_reading_of_a_recording(url: str) -> None:
    assert recording_url(Form([("RecordingUrl", url)])) in (None, url)
