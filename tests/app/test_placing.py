"""Calls that a program asks for, over the carrier's REST side: placed once, connected, told of, changed, ended."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.tones import dtmf
from phone_bridge.outbound.book import Attempt, Plan
from phone_bridge.runtime.api_keys import ApiKey, fingerprint
from phone_bridge.runtime.http import HttpClient
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.rest import Callee, Mood
from phone_bridge.simulator.script import HangUp, Say, Step, Wait
from tests.app.premises import Premises, json_of, play
from tests.app.ringing import FROM, JSON, PATIENCE_S, TO, Telephone, ring
from tests.outbound.stage import NOON, Stage
from tests.runtime.serving import until
from twiml import documents

TALKS = Callee(script=(Wait(600), HangUp()))
GREETS: tuple[Step, ...] = (*(Say(f"Nobody is here, {part}.", after_ms=100) for part in "abcdef"), Wait(60_000))
"""A machine with a greeting of a second or more."""
STAYS = Callee(script=(Wait(60_000),), manners=Manners(stay=True))
ACCOUNT = {"twilio_account_sid": "AC1", "twilio_auth_token": "token", "twilio_phone_number": FROM}


def number(last: int) -> str:
    return f"{TO[:-2]}{last:02}"


def by_number(*callees: Callee) -> Callable[[str], Callee]:
    return lambda to: callees[int(to[-2:])]


# What becomes of a call


def test_each_call_ends_as_the_carrier_tells_it(tmp_path: Path) -> None:
    callees = (TALKS, Callee(does="busy"), Callee(does="no-answer"), Callee(does="failed"))

    async def story(phone: Telephone) -> None:
        calls = [await phone.call(to=number(last), greeting="Hello.", metadata={"n": str(last)}) for last in range(4)]
        assert {call["status"] for call in calls} == {"queued"}
        ended = [await phone.settled(call) for call in calls]
        assert [call["status"] for call in ended] == ["completed", "busy", "no_answer", "failed"]
        assert [call["to"] for call in ended] == [number(last) for last in range(4)]
        assert [call["metadata"] for call in ended] == [{"n": str(last)} for last in range(4)]
        assert {call["direction"] for call in ended} == {"outbound"}
        assert all(call["carrier_id"].startswith("CA") and call["ended_at"] for call in ended)
        assert [said["text"] for said in ended[0]["transcript"]] == ["Hello."]  # the opening line, spoken first
        assert (ended[0]["answered_at"] is None, ended[1]["answered_at"]) == (False, None)
        assert len(phone.house.peers.mints) == 1  # a session is had for whoever answers, and for nobody else
        assert len(phone.rest.calls) == 4

    ring(tmp_path, story, by_number(*callees))


def test_it_is_told_when_what_calls_are_made_with_is_loaded(tmp_path: Path) -> None:
    told: list[bool] = []

    async def story(phone: Telephone) -> None:
        outbound, http = phone.house.bridge.outbound, HttpClient()
        await until(lambda: outbound.engine.running, PATIENCE_S)
        await outbound.stop()
        outbound.loaded = lambda: told.append(outbound.engine.running)
        outbound.start(http)
        await until(lambda: bool(told), PATIENCE_S)
        assert told == [True]
        assert (await phone.settled(await phone.call(greeting="Hello.")))["status"] == "completed"
        await http.close()

    ring(tmp_path, story, TALKS)


def test_keys_are_pressed_for_whoever_answers_before_the_assistant_is_connected(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        call = await phone.call(digits="w1w2#", greeting="Hello.")
        shown = await phone.settled(call)
        assert (shown["status"], shown["answered_by"]) == ("completed", None)  # the detection that is set looks not
        ((_, taken),) = phone.rest.calls.items()
        assert taken.one("SendDigits") == "w1w2#"
        assert taken.result is not None
        pressed = taken.result.heard[: PCMU_8K.size(1_700)]
        assert pressed.startswith(PCMU_8K.silence * PCMU_8K.size(480))  # the w
        for digit in "12#":
            assert dtmf(digit, PCMU_8K) in pressed
        assert [said["text"] for said in shown["transcript"]] == ["Hello."]

    ring(tmp_path, story, lambda to: Callee(script=(Wait(2_600), HangUp()), detected="machine_start"), amd="enable")


@pytest.mark.parametrize("digits", ["", "1 2", "x", "1" * 33])
def test_what_are_no_keys_are_not_dialled_with(tmp_path: Path, digits: str) -> None:
    async def story(phone: Telephone) -> None:
        answer = await phone.post("/v1/calls", {"to": TO, "digits": digits})
        assert answer.status == 400
        error = json_of(answer)["error"]
        assert (error["param"], error["message"].startswith("Keys are 0 to 9")) == ("digits", True)
        assert not phone.rest.calls

    ring(tmp_path, story, TALKS)


MOODS = {
    0: Mood(callbacks="doubled"),
    1: Mood(callbacks="reversed"),
    2: Mood(refuse=21215),
    3: Mood(refuse=20429),
}


def test_callbacks_out_of_order_and_errors_by_their_numbers(tmp_path: Path) -> None:
    tries: dict[str, int] = {}

    def mood(to: str) -> Mood:
        tries[to] = tries.get(to, 0) + 1
        return MOODS[int(to[-2:])] if tries[to] == 1 else Mood()

    async def story(phone: Telephone) -> None:
        calls = [await phone.call(to=number(last)) for last in MOODS]
        ended = [await phone.settled(call) for call in calls]
        outcomes = [(call["status"], call["error"]) for call in ended]
        assert outcomes == [("completed", None), ("completed", None), ("failed", "twilio_21215"), ("completed", None)]
        assert [tries[number(last)] for last in MOODS] == [1, 1, 1, 2]  # only "too many requests" is asked again
        again = [json_of(await phone.house.ask("GET", f"/v1/calls/{call['id']}")) for call in ended]
        assert again == ended  # and what came after the end has moved nothing back

    ring(tmp_path, story, TALKS, mood)


# Who answers


ENDS = ("machine_end_beep", "voicemail", "Pause", "Say", "Hangup")
STARTS = ("machine_start", "voicemail", "Gather", "Pause", "Say", "Hangup")


@pytest.mark.parametrize(
    ("mode", "machine"),
    [("enable", STARTS), ("enable-async", STARTS), ("message-end", ENDS), ("message-end-async", ENDS)],
)
def test_a_machine_gets_the_message_after_its_beep_and_a_person_the_assistant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, machine: tuple[str, ...]
) -> None:
    monkeypatch.setattr(documents, "GREETING_QUIET_SECONDS", 1)
    connected = ("ConnectStream",)
    later = connected if mode.endswith("-async") else ()
    detected, status, *verbs = machine
    silent = ("Gather", "Say", "Hangup") if detected == "machine_start" else tuple(verbs)
    cases = [
        (Callee(detected=detected, detect_s=0.3, script=GREETS), "Call us.", status, later + tuple(verbs)),
        (Callee(detected=detected, detect_s=0.3, script=STAYS.script), "Call us.", status, later + silent),
        (Callee(detected=detected, detect_s=0.3, script=GREETS), "", status, later or ("Hangup",)),
        (Callee(detected="fax", detect_s=0.3, script=STAYS.script), "Call us.", "failed", later or ("Hangup",)),
        (Callee(detected="human", detect_s=0.3, script=TALKS.script), "Call us.", "completed", connected),
        (Callee(detected="unknown", detect_s=0.3, script=TALKS.script), "Call us.", "completed", connected),
    ]

    async def story(phone: Telephone) -> None:
        made = [
            await phone.call(to=number(last), greeting="Hello.", message=message)
            for last, (_, message, _, _) in enumerate(cases)
        ]
        ended = [await phone.settled(call) for call in made]
        played = {call.one("To"): call.result for call in phone.rest.calls.values()}
        for last, (callee, _, status, verbs) in enumerate(cases):
            result = played[number(last)]
            assert result is not None
            assert (ended[last]["status"], ended[last]["answered_by"]) == (status, callee.detected), last
            assert result.verbs == verbs, last

    ring(tmp_path, story, by_number(*(callee for callee, *_ in cases)), amd=mode, calls_per_second=10)


def test_what_was_detected_may_come_before_the_answer_to_the_dial(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        book = house.bridge.outbound.book
        plan = msgspec.to_builtins(Plan(text="Hello."))
        dialled = Attempt(call_id="call_1", user_id="usr_1", to_number=TO, from_number=FROM, plan=plan, created_at=NOON)
        book.add(dialled, Stage.row_of(dialled, NOON))
        assert book.step("call_1", "intend")
        for sid, answered_by in (("CA1", "human"), ("CA2", "fax")):  # the second one is another call's
            form = [("CallSid", sid), ("AccountSid", "AC1"), ("AnsweredBy", answered_by)]
            answer = await house.post("/twilio/amd?call=call_1", form, token="the-auth-token")
            assert answer.status == 204
            found = book.find("call_1")
            assert found is not None
            assert (found.carrier_id, found.answered_by) == ("CA1", "human")

    play(tmp_path, story, twilio_auth_token="the-auth-token")


# Asked twice, and asked wrongly


def test_the_same_request_with_the_same_key_is_one_call(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        body = {"to": TO, "greeting": "Hello."}
        answers = await asyncio.gather(*(phone.post("/v1/calls", body, idempotency_key="one") for _ in range(5)))
        assert {answer.status for answer in answers} == {201}
        assert len({json_of(answer)["id"] for answer in answers}) == 1
        other = await phone.post("/v1/calls", {"to": number(7)}, idempotency_key="one")
        assert (other.status, json_of(other)["error"]["code"]) == (409, "idempotency_key_reused")
        await phone.settled(json_of(answers[0]))
        assert len(phone.rest.calls) == 1

    ring(tmp_path, story, Callee(does="busy"))


WRONG = [
    ({}, 400, "invalid_parameter", "to"),
    ({"to": "0171 123"}, 400, "invalid_parameter", "to"),
    ({"to": TO, "from": 1}, 400, "invalid_parameter", "from"),
    ({"to": TO, "typo": 1}, 400, "invalid_parameter", "typo"),
    ({"to": TO, "metadata": {"a": 1}}, 400, "invalid_parameter", "metadata[...]"),
    ({"to": TO, "greeting": "x" * 1_001}, 400, "invalid_parameter", "greeting"),
    ({"to": TO, "session": "openai"}, 409, "session_not_served", None),
    ({"to": "+4930123456"}, 403, "destination_not_allowed", "to"),
    ({"to": "+19005550100"}, 403, "destination_expensive", "to"),
]


def test_a_wrong_request_is_told_what_is_wrong_and_dials_nothing(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for body, status, code, param in WRONG:
            answer = await house.ask("POST", "/v1/calls", headers=JSON, body=msgspec.json.encode(body))
            error = json_of(answer)["error"]
            assert (answer.status, error["code"], error.get("param")) == (status, code, param), body
        broken = await house.ask("POST", "/v1/calls", headers=JSON, body=b"{")
        assert (broken.status, json_of(broken)["error"]["code"]) == (400, "invalid_parameter")
        long = {**JSON, "Idempotency-Key": "x" * 256}
        answer = await house.ask("POST", "/v1/calls", headers=long, body=msgspec.json.encode({"to": TO}))
        assert (answer.status, json_of(answer)["error"]["param"]) == (400, "Idempotency-Key")
        assert await house.calls() == []

    play(tmp_path, story, destinations="+1", twilio_url="http://127.0.0.1:9", **ACCOUNT)


def test_without_an_account_nobody_can_be_called(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        answer = await house.ask("POST", "/v1/calls", headers=JSON, body=msgspec.json.encode({"to": TO}))
        error = json_of(answer)["error"]
        assert (answer.status, error["code"]) == (409, "carrier_not_configured")
        assert "TWILIO_ACCOUNT_SID" in error["message"]

    play(tmp_path, story, destinations="+1")


def test_calling_needs_a_key_that_may(tmp_path: Path) -> None:
    paths = ["/v1/calls", "/v1/calls/call_1/transfer", "/v1/calls/call_1/dtmf"]

    async def story(house: Premises) -> None:
        for path in paths:
            answer = await house.ask("POST", path, headers={**JSON, "Authorization": "Bearer reader"}, body=b"{}")
            assert (answer.status, json_of(answer)["error"]["code"]) == (403, "insufficient_scope")

    play(tmp_path, story, api_keys=(ApiKey("reader", fingerprint("reader"), ("calls:read",)),))


# A live call


def test_a_live_call_is_put_through_gets_keys_pressed_and_is_ended(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        talking = [await phone.call(to=number(last)) for last in range(3)]
        for call in talking:
            await phone.until(f"/v1/calls/{call['id']}", lambda shown: shown["transcript"])
        through, keys, over = (f"/v1/calls/{call['id']}" for call in talking)

        answer = await phone.post(f"{through}/transfer", {"to": "+442071838750"})
        assert answer.status == 403
        answer = await phone.post(f"{through}/transfer", {"to": "+12025550199"})
        assert answer.status == 202, answer
        assert (await phone.settled(talking[0]))["status"] == "completed"
        dialled = [call.result.dialled for call in phone.rest.calls.values() if call.result is not None]
        assert ("+12025550199",) in dialled

        assert (await phone.post(f"{keys}/dtmf", {"digits": "12 34"})).status == 400
        assert (await phone.post(f"{keys}/dtmf", {"digits": "1w2#"})).status == 202
        resumed = await phone.until(keys, lambda shown: shown["resumed"] == 1 and shown["status"] == "in_progress")
        assert resumed["ended_at"] is None

        for path in (keys, over):
            assert (await phone.post(f"{path}/end", {})).status == 202
        for call in talking:
            assert (await phone.settled(call))["status"] == "completed"
        again = await phone.post(f"{over}/dtmf", {"digits": "1"})
        assert (again.status, json_of(again)["error"]["code"]) == (409, "call_ended")
        assert (await phone.post("/v1/calls/call_x/transfer", {"to": TO})).status == 404

    ring(tmp_path, story, STAYS)


def test_a_call_that_rings_is_taken_back(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        call = await phone.call()
        path = f"/v1/calls/{call['id']}"
        await phone.until(path, lambda shown: shown["status"] == "ringing")
        assert (await phone.post(f"{path}/end", {})).status == 202
        assert (await phone.settled(call))["status"] == "canceled"

    ring(tmp_path, story, Callee(ring_s=30))


def test_a_second_call_that_was_answered_for_the_same_attempt_is_hung_up(tmp_path: Path) -> None:
    async def story(phone: Telephone) -> None:
        call = await phone.call()
        await phone.until(f"/v1/calls/{call['id']}", lambda shown: shown["transcript"])
        form = [("CallSid", "CA" + "f" * 32), ("AccountSid", "AC1"), ("CallStatus", "in-progress")]
        path = f"/twilio/voice?call={call['id']}"
        answer = await phone.house.post(path, form, token="the-auth-token")
        assert b"<Hangup" in answer.body
        assert b"<Stream" not in answer.body
        unknown = await phone.house.post("/twilio/voice?call=call_x", form, token="the-auth-token")
        assert b"<Hangup" in unknown.body
        await phone.post(f"/v1/calls/{call['id']}/end", {})
        await phone.settled(call)

    ring(tmp_path, story, STAYS)
