"""The official client against a server that answers as the test says: each request as Twilio's own schema has it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from phone_bridge.errors import Refused, Unavailable
from phone_bridge.legs.twilio.rest import LATER, NEVER, Account, Placing, error_of, never_taken
from phone_bridge.outbound.carrier import NOT_SENT, UNSURE, Carrier, Placed
from tests.outbound.schema import is_valid

SID, CALL = "AC" + "a" * 32, "CA" + "b" * 32
RESOURCE = {"sid": CALL, "status": "queued", "to": "+12025550143", "from": "+12025550100", "date_created": None}
PLACING = Placing(
    call_id="call_1",
    to="+12025550143",
    from_="+12025550100",
    url="https://bridge.test/twilio/voice?call=call_1",
    status_url="https://bridge.test/twilio/status?call=call_1",
    amd_url="https://bridge.test/twilio/amd?call=call_1",
    ring_s=30,
    limit_s=3_600,
)


class Twilio(ThreadingHTTPServer):
    """Answers every request with ``status`` and ``body``; None breaks the connection off, after ``wait_s``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        self.status = 201
        self.body: Any = RESOURCE
        self.wait_s = 0.0
        self.carriers: list[Carrier] = []

    def carrier(self, answer_s: float = 5.0) -> Carrier:
        url = f"http://127.0.0.1:{self.server_address[1]}/"
        self.carriers.append(Carrier(Account(sid=SID, token="token", base_url=url), answer_s=answer_s))
        return self.carriers[-1]


class _Handler(BaseHTTPRequestHandler):
    server: Twilio

    def do_POST(self) -> None:  # the library's name
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def _answer(self, form: str) -> None:
        twilio = self.server
        twilio.asked.append((self.command, urlsplit(self.path).path, parse_qs(form, keep_blank_values=True)))
        time.sleep(twilio.wait_s)
        if twilio.body is None:
            self.close_connection = True
            return
        content = twilio.body if isinstance(twilio.body, bytes) else json.dumps(twilio.body).encode()
        with suppress(ConnectionError):  # the client may have gone meanwhile
            self.send_response(twilio.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        for carrier in server.carriers:
            carrier.close()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("machine", "later"), [("", False), ("Enable", False), ("Enable", True), ("DetectMessageEnd", True)]
)
def test_what_is_asked_is_as_the_schema_has_it(twilio: Twilio, machine: str, later: bool) -> None:
    import msgspec

    placing = msgspec.structs.replace(PLACING, machine_detection=machine, async_amd=later)
    assert twilio.carrier().place(placing) == Placed(CALL, "queued")
    ((method, path, form),) = twilio.asked
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{SID}/Calls.json")
    is_valid(form, "create")
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert ("AsyncAmdStatusCallback" in form) is later


def test_with_keys_to_press_no_machine_is_looked_for(twilio: Twilio) -> None:
    import msgspec

    placing = msgspec.structs.replace(PLACING, machine_detection="Enable", async_amd=True, digits="ww1w#")
    twilio.carrier().place(placing)
    ((_, _, form),) = twilio.asked
    is_valid(form, "create")
    assert form["SendDigits"] == ["ww1w#"]
    assert not {"MachineDetection", "AsyncAmd"} & set(form)


def test_a_call_is_looked_at_found_changed_and_ended(twilio: Twilio) -> None:
    carrier = twilio.carrier()
    twilio.status, twilio.body = 200, {**RESOURCE, "status": "in-progress"}
    assert carrier.look(CALL) == Placed(CALL, "in_progress")
    carrier.redirect(CALL, "<Response/>")
    carrier.end(CALL, answered=True)
    carrier.end(CALL, answered=False)
    for _, path, form in twilio.asked[1:]:
        assert path == f"/2010-04-01/Accounts/{SID}/Calls/{CALL}.json"
        is_valid(form, "update")
    assert [form.get("Status") for _, _, form in twilio.asked[2:]] == [["completed"], ["canceled"]]


def test_a_call_is_found_among_those_to_the_same_number_since(twilio: Twilio) -> None:
    made = {"old": "Tue, 24 Nov 2026 11:00:00 +0000", "new": "Tue, 24 Nov 2026 12:00:01 +0000"}
    calls = [{**RESOURCE, "sid": name, "date_created": at} for name, at in made.items()]
    twilio.status = 200
    twilio.body = {"calls": [*calls, {**RESOURCE, "sid": "undated"}], "page": 0, "next_page_uri": None}
    found = twilio.carrier().find("+12025550143", "+12025550100", 1_795_521_600)
    assert [call.carrier_id for call in found] == ["new", "undated"]
    is_valid(twilio.asked[0][2], "list")


@pytest.mark.parametrize("code", [*LATER, *NEVER, 20404, 21220, 99999])
def test_an_error_by_its_number_is_final_or_not(twilio: Twilio, code: int) -> None:
    twilio.status = 429 if code == 20429 else 400
    twilio.body = {"code": code, "message": "no", "status": twilio.status}
    with pytest.raises((Refused, Unavailable)) as caught:
        twilio.carrier().place(PLACING)
    assert isinstance(caught.value, Unavailable if code in LATER else Refused)
    assert caught.value.code == ("call_gone" if code in (20404, 21220) else f"twilio_{code}")
    if isinstance(caught.value, Unavailable):
        assert never_taken(caught.value)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_may_have_taken_the_call(twilio: Twilio, status: int) -> None:
    twilio.status, twilio.body = status, b"upstream"
    with pytest.raises(Unavailable) as caught:
        twilio.carrier().place(PLACING)
    assert not never_taken(caught.value)
    assert caught.value.code != NOT_SENT


def test_an_answer_that_does_not_come_in_time_leaves_it_open(twilio: Twilio) -> None:
    twilio.wait_s = 0.5
    with pytest.raises(Unavailable) as caught:
        twilio.carrier(answer_s=0.1).place(PLACING)
    assert caught.value.code == UNSURE


@pytest.mark.parametrize("body", [None, b"{", b"[]", b"", {"sid": 1}])
def test_a_broken_or_senseless_answer_leaves_it_open(twilio: Twilio, body: Any) -> None:
    twilio.body = body
    try:
        placed = twilio.carrier().place(PLACING)
    except Unavailable as error:
        assert error.code == UNSURE  # noqa: PT017  # some nonsense is read as a call without a name
    else:
        assert placed.status == "queued"


def test_where_nobody_listens_nothing_was_sent() -> None:
    carrier = Carrier(Account(sid=SID, token="token", base_url="http://127.0.0.1:9"))
    for ask in (lambda: carrier.place(PLACING), lambda: carrier.find("+1", "+1", 0)):
        with pytest.raises(Unavailable) as caught:
            ask()
        assert caught.value.code == NOT_SENT
    carrier.close()


def test_a_wrong_token_is_told_for_a_list_too(twilio: Twilio) -> None:
    twilio.status, twilio.body = 401, {"code": 20003, "message": "Authenticate", "status": 401}
    with pytest.raises(Refused) as caught:
        twilio.carrier().find("+1", "+1", 0)
    assert caught.value.code == "twilio_401"
    with pytest.raises(Refused, match="TWILIO_AUTH_TOKEN"):
        twilio.carrier().place(PLACING)


def test_the_environment_does_not_write_into_an_address_of_our_own(
    twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    assert twilio.carrier().place(PLACING).carrier_id == CALL


def test_a_call_that_is_over_was_ended_well(twilio: Twilio) -> None:
    twilio.status, twilio.body = 404, {"code": 20404, "message": "not found", "status": 404}
    twilio.carrier().end(CALL, answered=True)
    with pytest.raises(Refused) as caught:
        twilio.carrier().redirect(CALL, "<Response/>")
    assert caught.value.code == "call_gone"


def test_every_error_of_the_tables_says_what_to_make_of_it() -> None:
    for table in (LATER, NEVER):
        for code, words in table.items():
            assert words in str(error_of(400, code))
