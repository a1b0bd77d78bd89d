"""Twilio's webhooks, over the loopback."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.legs.twilio.webhook import MAX_FORM_BYTES
from phone_bridge.simulator.verbs import ConnectStream, Hangup, Say
from tests.app.premises import (
    ACCOUNT,
    PUBLIC,
    TOKEN,
    Premises,
    call_form,
    document,
    json_of,
    lose_database,
    play,
    premises,
)
from tests.runtime.serving import until

PREFIXED = "https://bridge.test:8443/phones/alice"


# An incoming call


def test_an_incoming_call_is_connected_to_a_stream(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        (verb,) = document(await house.voice("CA1")).verbs
        assert isinstance(verb, ConnectStream)
        assert (verb.url, verb.action, verb.status_callback) == (
            "wss://bridge.test/twilio/media",
            f"{PUBLIC}/twilio/connect",
            f"{PUBLIC}/twilio/stream",
        )
        assert list(verb.parameters) == ["token"]
        (record,) = await house.calls()
        assert (record.carrier_id, record.direction, record.from_number, record.to_number, record.status) == (
            "CA1",
            "inbound",
            "+12025550143",
            "+12025550100",
            "ringing",
        )
        assert house.peers.mints == []  # nothing is paid for yet

    play(tmp_path, story)


def test_the_same_webhook_delivered_twice_is_one_call_and_one_answer(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        first, second = await house.voice("CA1"), await house.voice("CA1")
        assert first == second
        answers = await asyncio.gather(*(house.voice("CA2") for _ in range(8)))
        assert len({answer.body for answer in answers}) == 1
        assert answers[0].body != first.body
        assert sorted(record.carrier_id for record in await house.calls()) == ["CA1", "CA2"]

    play(tmp_path, story)


def test_a_withheld_number_is_no_number(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.post("/twilio/voice", call_form("CA1", From="anonymous"))
        (record,) = await house.calls()
        assert record.from_number is None

    play(tmp_path, story)


def test_above_the_cap_a_caller_hears_an_apology_and_no_record_is_made(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        assert isinstance(document(await house.voice("CA1")).verbs[0], ConnectStream)
        say, hang_up = document(await house.voice("CA2")).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("I am sorry, all our lines are taken.")
        assert isinstance(hang_up, Hangup)
        assert isinstance(document(await house.voice("CA1")).verbs[0], ConnectStream)  # the same call once more
        assert [record.carrier_id for record in await house.calls()] == ["CA1"]

    play(tmp_path, story, max_calls=1)


def test_a_caller_with_enough_calls_hears_an_apology_and_others_do_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: Premises) -> None:
        async def gets_through(call_sid: str, number: str = "+12025550143") -> bool:
            answer = await house.post("/twilio/voice", call_form(call_sid, From=number))
            return isinstance(document(answer).verbs[0], ConnectStream)

        carrier, _ = await house.talk("CA1")  # one is live, one is announced
        assert [await gets_through(sid) for sid in ("CA2", "CA3", "CA2")] == [True, False, True]
        assert "x a call was turned away: its caller has 2 already" in caplog.text
        assert "+12025550143" not in caplog.text
        assert await gets_through("CA4", "+12025550199")
        assert [await gets_through(f"CA{number}", "anonymous") for number in range(5, 9)] == [True] * 4
        carrier.hang_up()
        await house.ended(carrier)
        assert await gets_through("CA3")

    play(tmp_path, story, calls_per_caller=2)


def test_without_a_cap_a_caller_may_have_any_number_of_calls(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for number in range(10):
            assert isinstance(document(await house.voice(f"CA{number}")).verbs[0], ConnectStream)

    play(tmp_path, story, calls_per_caller=0)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ([("From", "+1")], "missing_parameter"),
        ([("CallSid", "")], "missing_parameter"),
        ([("CallSid", "CA1"), ("More", "x" * MAX_FORM_BYTES)], "form_too_large"),
        ([("a", "")] * 1_001, "form_too_large"),
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused_and_named(
    tmp_path: Path, form: list[tuple[str, str]], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: Premises) -> None:
        answer = await house.post("/twilio/voice", form)
        assert answer.status == 400
        assert f"({code})" in answer.body.decode()
        assert f"x refused a webhook to /twilio/voice: {code}" in caplog.text
        assert await house.calls() == []

    play(tmp_path, story)


def test_a_database_that_fails_is_told_to_the_caller_in_words(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        lose_database(house, tmp_path)
        for answer in (await house.voice("CA1"), await house.post("/twilio/connect", call_form("CA1"))):
            say, hang_up = document(answer).verbs
            assert isinstance(say, Say)
            assert "cannot reach your calendar assistant" in say.text
            assert isinstance(hang_up, Hangup)
        assert house.bridge.registry.announced("CA1") is None
        answer = await house.post("/twilio/status", call_form("CA1", CallStatus="completed"))
        assert (answer.status, json_of(answer)["error"]["code"]) == (503, "database")

    play(tmp_path, story)


def test_two_processes_on_one_database_make_one_call_of_a_webhook(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with premises(tmp_path) as other:
            await house.ring("CA1")
            token = (await other.ring("CA1")).parameters["token"]
            (record,) = await house.calls()
            carrier = await other.open("CA1", token=token)
            await until(lambda: other.bridge.registry.live == 1)
            carrier.hang_up()
            _, kept = await other.ended(carrier)
            assert kept.id == record.id

    play(tmp_path, story)


# Signatures


def test_with_a_token_every_webhook_must_be_signed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: Premises) -> None:
        for path in ("/twilio/voice", "/twilio/connect", "/twilio/status", "/twilio/stream"):
            for answer in (
                await house.post(path, call_form("CA1")),
                await house.post(path, call_form("CA1"), token="another-token"),
                await house.post(path, call_form("CA1"), token=TOKEN, signed_url=f"{PUBLIC}{path}/"),
            ):
                assert (answer.status, answer.body) == (403, b"The signature does not fit.")
            assert f"x refused a webhook to {path}: its signature does not fit {PUBLIC}" in caplog.text
        assert TOKEN not in caplog.text
        assert "+1202" not in caplog.text
        assert await house.calls() == []
        assert document(await house.voice("CA1", token=TOKEN)).verbs

    play(tmp_path, story, twilio_auth_token=TOKEN, twilio_account_sid=ACCOUNT)


@pytest.mark.parametrize("token", ["old-token", "new-token"])
def test_while_a_token_is_rotated_the_old_and_the_new_one_count(tmp_path: Path, token: str) -> None:
    async def story(house: Premises) -> None:
        assert (await house.voice("CA1", token=token)).status == 200
        assert (await house.voice("CA1", token="older-token")).status == 403

    play(tmp_path, story, twilio_auth_token="old-token, new-token")


def test_blank_and_repeated_parameters_are_signed_too(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        form = [
            *call_form("CA1", FromCity="", CallerName="José & Söhne + 1"),
            ("SipHeader_X", "b"),
            ("SipHeader_X", "a"),
        ]
        assert (await house.post("/twilio/voice", form, token=TOKEN)).status == 200

    play(tmp_path, story, twilio_auth_token=TOKEN)


@pytest.mark.parametrize("public", [PREFIXED, "https://bridge.test/", "http://10.0.0.7:8080"])
def test_signatures_are_over_the_public_address(tmp_path: Path, public: str) -> None:
    """A proxy takes the prefix away, and Twilio signs what it was given."""

    async def story(house: Premises) -> None:
        base = public.rstrip("/")
        answer = await house.voice("CA1", token=TOKEN, signed_url=f"{base}/twilio/voice")
        (verb,) = document(answer).verbs
        assert isinstance(verb, ConnectStream)
        assert verb.action == f"{base}/twilio/connect"
        assert verb.url == f"ws{base.removeprefix('http')}/twilio/media"
        inside = f"http://127.0.0.1:{house.running.port}/twilio/voice"
        assert (await house.voice("CA1", token=TOKEN, signed_url=inside)).status == 403

    play(tmp_path, story, twilio_auth_token=TOKEN, public_url=public)


def test_a_query_belongs_to_what_is_signed(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        path = "/twilio/voice?tenant=a%20b&x="
        assert (await house.post(path, call_form("CA1"), token=TOKEN)).status == 200
        signed_without = f"{PUBLIC}/twilio/voice"
        assert (await house.post(path, call_form("CA1"), token=TOKEN, signed_url=signed_without)).status == 403

    play(tmp_path, story, twilio_auth_token=TOKEN)


def test_a_sub_accounts_signed_webhook_is_served(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        form = call_form("CA1", AccountSid="AC" + "b" * 32)
        assert (await house.post("/twilio/voice", form, token=TOKEN)).status == 200

    play(tmp_path, story, twilio_auth_token=TOKEN, twilio_account_sid=ACCOUNT)


# What comes after the stream


def test_after_a_call_the_line_is_let_go(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        (record,) = await house.calls()
        house.bridge.registry.end(record.id, "api")
        await house.ended(carrier)
        (verb,) = document(await house.post("/twilio/connect", call_form("CA1", CallStatus="in-progress"))).verbs
        assert isinstance(verb, Hangup)

    play(tmp_path, story)


def test_a_call_that_nobody_knows_hears_an_apology(tmp_path: Path) -> None:
    """Its announcement was lost with its process, or comes later than this."""

    async def story(house: Premises) -> None:
        say, hang_up = document(await house.post("/twilio/connect", call_form("CA1", CallStatus="in-progress"))).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("I am sorry, I cannot reach your calendar assistant.")
        assert isinstance(hang_up, Hangup)

    play(tmp_path, story)


def test_a_caller_who_has_gone_hears_nothing_any_more(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.ring("CA1")
        (verb,) = document(await house.post("/twilio/connect", call_form("CA1", CallStatus="completed"))).verbs
        assert isinstance(verb, Hangup)

    play(tmp_path, story)


# Callbacks


def test_status_callbacks_come_late_doubled_and_out_of_order(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async def told(status: str, sequence: int) -> Any:
            form = call_form("CA1", CallStatus=status, SequenceNumber=str(sequence))
            assert (await house.post("/twilio/status", form)).status == 204
            (record,) = await house.calls()
            return record.status, record.ended_at

        await house.ring("CA1")
        assert await told("in-progress", 2) == ("ringing", None)
        assert await told("ringing", 1) == ("ringing", None)
        status, ended_at = await told("no-answer", 3)
        assert status == "no_answer"
        assert ended_at is not None
        for late in (("completed", 3), ("in-progress", 2), ("initiated", 0)):
            assert await told(*late) == (status, ended_at)

    play(tmp_path, story)


def test_a_status_of_a_live_call_changes_nothing(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        await house.post("/twilio/status", call_form("CA1", CallStatus="completed"))
        (record,) = await house.calls()
        assert record.status == "in_progress"
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert (record.status, record.ended_by) == ("completed", "caller")
        await house.post("/twilio/status", call_form("CA1", CallStatus="failed"))
        (record,) = await house.calls()
        assert record.status == "completed"

    play(tmp_path, story)


@pytest.mark.parametrize(("status", "answer"), [("of a new kind", 400), ("", 400), ("completed", 204)])
def test_a_status_of_nobodys_call_is_taken_or_refused_by_its_shape(tmp_path: Path, status: str, answer: int) -> None:
    async def story(house: Premises) -> None:
        assert (await house.post("/twilio/status", call_form("CA9", CallStatus=status))).status == answer

    play(tmp_path, story)


def test_a_stream_error_leaves_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: Premises) -> None:
        form = call_form("CA1", StreamSid="MZ1", StreamEvent="stream-started")
        assert (await house.post("/twilio/stream", form)).status == 204
        assert "stream error" not in caplog.text
        failed = [*form[:-1], ("StreamEvent", "stream-error"), ("StreamError", "31921 closed")]
        assert (await house.post("/twilio/stream", failed)).status == 204
        assert "! the carrier reports a stream error: 31921 closed" in caplog.text
        assert (await house.post("/twilio/stream", call_form("CA1"))).status == 400

    with caplog.at_level(logging.INFO, "phone_bridge"):
        play(tmp_path, story)
