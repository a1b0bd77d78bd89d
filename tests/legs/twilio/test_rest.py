from base64 import b64decode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.legs.twilio.rest import (
    CALL_GONE,
    MAX_MESSAGE_CHARS,
    MAX_TWIML_CHARS,
    Account,
    CallResource,
    NumberResource,
    end_call,
    fetch_account,
    fetch_call,
    fetch_number,
    read_account,
    read_call,
    read_error,
    read_message,
    read_number,
    redirect_call,
    send_message,
)
from phone_bridge.legs.twilio.webhook import Form, parse_form
from tests.legs.twilio import samples
from tests.legs.twilio.samples import ACCOUNT_SID, CALL_SID

ACCOUNT = Account(sid=ACCOUNT_SID, token="to:ken")
URL = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{CALL_SID}.json"


def answer(name: str, **headers: str) -> Response:
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    return Response(status=int(name.partition(".")[0]), headers=fields, body=samples.raw("answers", name))


def test_ending_a_call_is_an_update_of_its_status() -> None:
    request = end_call(ACCOUNT, CALL_SID)
    assert (request.method, request.url) == ("POST", URL)
    assert parse_form(request.body) == Form([("Status", "completed")])
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_redirecting_a_call_hands_over_its_next_document() -> None:
    request = redirect_call(ACCOUNT, CALL_SID, "<Response><Say>é & b</Say></Response>")
    assert (request.method, request.url) == ("POST", URL)
    assert parse_form(request.body) == Form([("Twiml", "<Response><Say>é & b</Say></Response>")])


def test_a_document_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert redirect_call(ACCOUNT, CALL_SID, "x" * MAX_TWIML_CHARS).body
    with pytest.raises(LocalError, match=str(MAX_TWIML_CHARS)):
        redirect_call(ACCOUNT, CALL_SID, "x" * (MAX_TWIML_CHARS + 1))


def test_fetching_a_call_has_no_body() -> None:
    request = fetch_call(ACCOUNT, CALL_SID)
    assert (request.method, request.url, request.body) == ("GET", URL, b"")


def test_every_request_is_authorised() -> None:
    for request in (end_call(ACCOUNT, CALL_SID), redirect_call(ACCOUNT, CALL_SID, ""), fetch_call(ACCOUNT, CALL_SID)):
        scheme, credentials = request.headers["Authorization"].split()
        assert (scheme, b64decode(credentials)) == ("Basic", f"{ACCOUNT_SID}:to:ken".encode())


def test_a_base_url_of_ones_own_is_used_and_ids_cannot_leave_their_place_in_it() -> None:
    account = Account(sid="AC1", token="t", base_url="http://127.0.0.1:4010/")
    url = fetch_call(account, "../CA1?x=/#").url
    assert url == "http://127.0.0.1:4010/2010-04-01/Accounts/AC1/Calls/..%2FCA1%3Fx%3D%2F%23.json"


def test_a_call_is_read_in_the_bridges_words() -> None:
    assert read_call(answer("200.call.json")) == CallResource(CALL_SID, "completed")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"sid":1,"status":"queued"}', b"\xff", b'{"a":' * 9000])
def test_an_answer_that_is_no_call_is_their_error(body: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        read_call(Response(status=200, body=body))
    assert caught.value.code == "twilio_answer"


@pytest.mark.parametrize("name", ["400.call_not_in_progress.json", "404.no_such_call.json", "404.elsewhere.json"])
def test_a_call_that_is_over_already_is_told_by_its_code(name: str) -> None:
    with pytest.raises(Refused) as caught:
        read_call(answer(name))
    assert caught.value.code == CALL_GONE


@pytest.mark.parametrize(
    ("name", "code"), [("401.wrong_token.json", "twilio_20003"), ("400.bad_number.json", "twilio_21211")]
)
def test_other_errors_are_refusals_by_twilios_code(name: str, code: str) -> None:
    error = read_error(answer(name))
    assert isinstance(error, Refused)
    assert error.code == code


def test_too_many_requests_may_be_tried_again_when_twilio_says() -> None:
    error = read_error(answer("429.too_many.json", retry_after="2"))
    assert isinstance(error, Unavailable)
    assert (error.code, error.retry_after_ms) == ("twilio_20429", 2000)
    assert "20429" in str(error)


@pytest.mark.parametrize(("status", "body"), [(500, b""), (503, b"upstream"), (599, b"{}"), (429, b""), (408, b"")])
def test_a_server_in_trouble_may_be_tried_again(status: int, body: bytes) -> None:
    error = read_error(Response(status=status, body=body, headers={"retry-after": "Wed, 19 Nov 2025 08:00:00 GMT"}))
    assert isinstance(error, Unavailable)
    assert (error.code, error.retry_after_ms) == (f"twilio_{status}", None)


@given(st.integers(300, 599), st.binary(max_size=60))
def test_every_failure_is_one_of_the_two(status: int, body: bytes) -> None:
    error: BridgeError = read_error(Response(status=status, body=body))
    assert isinstance(error, Refused | Unavailable)


# Messages


def test_a_message_goes_from_one_number_to_another() -> None:
    request = send_message(ACCOUNT, to="+12125550123", from_="+12125550100", body="Grüße & more")
    assert (request.method, request.url) == (
        "POST",
        f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json",
    )
    assert parse_form(request.body) == Form(
        [("To", "+12125550123"), ("From", "+12125550100"), ("Body", "Grüße & more")]
    )
    assert request.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("body", ["", "x" * (MAX_MESSAGE_CHARS + 1)])
def test_a_message_has_a_length_that_twilio_takes(body: str) -> None:
    with pytest.raises(LocalError, match="message"):
        send_message(ACCOUNT, to="+12125550123", from_="+12125550100", body=body)


def test_the_answer_to_a_message_names_it_or_says_why_not() -> None:
    assert read_message(Response(status=201, body=b'{"sid": "SM1", "status": "queued"}')) == "SM1"
    with pytest.raises(RemoteError, match="no message"):
        read_message(Response(status=201, body=b"[]"))
    with pytest.raises(Refused) as caught:
        read_message(Response(status=400, body=b'{"code": 21610}'))
    assert caught.value.code == "twilio_21610"


def test_an_account_and_its_number_are_looked_up() -> None:
    request = fetch_account(ACCOUNT)
    assert (request.method, request.url) == ("GET", f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}.json")
    request = fetch_number(ACCOUNT, "+12025550100")
    assert request.url.endswith("/IncomingPhoneNumbers.json?PhoneNumber=%2B12025550100")
    account = read_account(Response(status=200, body=b'{"sid":"AC1","status":"active","type":"Full","more":1}'))
    assert (account.status, account.type) == ("active", "Full")
    body = b'{"incoming_phone_numbers":[{"phone_number":"+12025550100","voice_url":null}]}'
    assert read_number(Response(status=200, body=body)) == NumberResource("+12025550100")
    assert read_number(Response(status=200, body=b'{"incoming_phone_numbers":[]}')) is None


@pytest.mark.parametrize("read", [read_account, read_number])
def test_an_answer_about_an_account_that_is_none_is_a_remote_error(read: Callable[[Response], object]) -> None:
    for body in (b"", b"[]", b"<html>", b'{"status":1}'):
        with pytest.raises(RemoteError):
            read(Response(status=200, body=body))
    with pytest.raises(Refused):
        read(Response(status=401, body=b'{"code":20003}'))
