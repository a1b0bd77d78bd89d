"""What the calendar tools reach outside: who finds ways, and whose phone gets a text message."""

import asyncio
from typing import Any

import msgspec
import pytest

from phone_bridge.app.outside import TEXTS_A_CALL_MAX, Texting, router
from phone_bridge.errors import Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.webhook import parse_form
from phone_bridge.runtime.record import CallRecord
from phone_bridge.settings import Settings
from phone_bridge.tools.osrm import Osrm
from phone_bridge.tools.travel import Estimate

SETTINGS = Settings(twilio_account_sid="AC1", twilio_auth_token="new,old", twilio_phone_number="+12125550100")
ALICE, OTHER = "+12125550123", "+12125550124"


class Twilio:
    """Take requests down; ``answer`` is what each one gets."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer: Response | Unavailable = Response(status=201, body=b'{"sid": "SM1"}')

    async def ask(self, request: Request) -> Response:
        self.asked.append(request)
        if isinstance(self.answer, Unavailable):
            raise self.answer
        return self.answer


def call(number: str | None, id: str = "call_1", **more: Any) -> CallRecord:
    fields: dict[str, Any] = {"direction": "inbound", "to_number": "+12125550100", "user_id": "usr_alice"}
    return CallRecord(
        id=id,
        carrier_id="CA1",
        from_number=number,
        session="embedded",
        status="in_progress",
        started_at="2026-11-24T15:00:00Z",
        **(fields | more),
    )


def send(twilio: Twilio, *calls: CallRecord, settings: Settings = SETTINGS, times: int = 1) -> bool:
    texting = Texting(settings, lambda: calls, twilio.ask)
    return [asyncio.run(texting.send("usr_alice", "Hello")) for _ in range(times)][-1]


def test_the_caller_gets_the_message_on_the_phone_they_call_with() -> None:
    twilio = Twilio()
    assert send(twilio, call(ALICE), call(OTHER, user_id="usr_bob"))
    (request,) = twilio.asked
    assert request.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    form = parse_form(request.body)
    assert (form.get("To"), form.get("From"), form.get("Body")) == (ALICE, "+12125550100", "Hello")


def test_another_telephone_than_the_caller_s_may_be_written_to_for_a_reason_of_our_own() -> None:
    twilio = Twilio()
    texting = Texting(SETTINGS, list, twilio.ask)
    assert [asyncio.run(texting.to(OTHER, "A code")) for _ in range(TEXTS_A_CALL_MAX + 1)][-1]
    assert parse_form(twilio.asked[0].body).get("To") == OTHER
    assert not asyncio.run(Texting(Settings(), list, twilio.ask).to(OTHER, "A code"))


def test_whoever_was_called_gets_it_at_the_number_that_was_dialled() -> None:
    twilio = Twilio()
    assert send(twilio, call("+12125550100", direction="outbound", to_number=ALICE))
    assert parse_form(twilio.asked[0].body).get("To") == ALICE


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [call(None)],
        [call("anonymous")],
        [call("sip:alice@example.com")],
        [call("+19005550123")],  # a premium number
        [call(ALICE), call(OTHER, "call_2")],
        [call(ALICE), call(None, "call_2")],
    ],
)
def test_no_message_goes_where_it_is_not_certain_whose_phone_it_is(calls: list[CallRecord]) -> None:
    twilio = Twilio()
    assert not send(twilio, *calls)
    assert twilio.asked == []


@pytest.mark.parametrize("missing", ["twilio_account_sid", "twilio_auth_token", "twilio_phone_number"])
def test_nothing_is_sent_without_an_account(missing: str) -> None:
    twilio = Twilio()
    assert not send(twilio, call(ALICE), settings=msgspec.structs.replace(SETTINGS, **{missing: ""}))
    assert twilio.asked == []


def test_one_call_sends_only_so_many_messages() -> None:
    twilio = Twilio()
    assert not send(twilio, call(ALICE), times=TEXTS_A_CALL_MAX + 1)
    assert len(twilio.asked) == TEXTS_A_CALL_MAX


@pytest.mark.parametrize(
    "answer", [Response(status=400, body=b'{"code": 21610}'), Response(status=201), Unavailable("no network")]
)
def test_a_message_that_cannot_be_sent_is_not_said_to_be(answer: Response | Unavailable) -> None:
    twilio = Twilio()
    twilio.answer = answer
    assert not send(twilio, call(ALICE))


def test_ways_are_estimated_unless_there_is_a_route_server() -> None:
    assert isinstance(router(SETTINGS, Twilio().ask), Estimate)
    assert isinstance(router(Settings(osrm_url="http://127.0.0.1:5000"), Twilio().ask), Osrm)
