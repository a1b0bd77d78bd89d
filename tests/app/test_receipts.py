"""A consent over the telephone can be proven by whoever reads the call and the keys."""

import asyncio
import logging
from pathlib import Path

import pytest

from phone_bridge.call.proof import doubts
from phone_bridge.call.receipt import Receipt
from phone_bridge.runtime.receipt_keys import key_doubts, parse_keys
from phone_bridge.sessions.chronapilot import messages as m
from tests.app.premises import LINE_MS, Premises, json_of, lose_database, play
from tests.runtime.serving import PATIENCE_SECONDS, until

KEYS = "/v1/receipts/keys"


async def receipts_of(house: Premises, call_id: str) -> list[Receipt]:
    shown = json_of(await house.ask("GET", f"/v1/calls/{call_id}"))["receipts"]
    return [Receipt.convert(each) for each in shown]


async def revision(house: Premises, call_id: str, number: int) -> Receipt:
    """Wait until the one receipt of a call has come to that revision."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for receipt in await receipts_of(house, call_id):
                if receipt.revision == number:
                    return receipt


async def consent(house: Premises) -> list[Receipt]:
    """Have an action proposed, confirmed by key and executed, and give its receipt after each."""
    carrier, assistant = await house.talk("CA1")
    (record,) = await house.calls()
    await asyncio.sleep(LINE_MS / 1000 + 0.1)  # the greeting
    assistant.propose("act_1", "Dentist")
    heard = len(carrier.sound)
    await until(lambda: len(carrier.sound) >= heard + 2 * LINE_MS * 8 - 100)
    await asyncio.sleep(2 * LINE_MS / 1000 + 0.1)  # the question
    assert await receipts_of(house, record.id) == []
    carrier.press("1")
    await until(lambda: assistant.words == [m.ActionConfirm("act_1")])
    issued = await revision(house, record.id, 1)
    assistant.tell(m.ActionExecuted(id="act_1", result={"ok": True}))
    settled = await revision(house, record.id, 2)
    carrier.hang_up()
    await house.ended(carrier)
    assert await receipts_of(house, record.id) == [settled]
    return [issued, settled]


def test_a_confirmed_action_can_be_proven_by_who_reads_the_call_and_the_keys(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        issued, settled = await consent(house)
        keys = parse_keys(json_of(await house.ask("GET", KEYS)))
        for receipt in (issued, settled):
            assert doubts(receipt) == key_doubts(receipt, keys) == []
            assert (receipt.answer.by, receipt.answer.said) == ("digit", "1")
            assert (receipt.action.id, receipt.user_id, receipt.call.carrier_id) == ("act_1", "usr_bob", "CA1")
            assert receipt.question.heard_ms == receipt.question.ms == LINE_MS
            assert "Dentist" in receipt.question.text
            assert receipt.question.asked_at is not None
        assert (issued.revision, issued.outcome.status) == (1, "unknown")
        assert (settled.revision, settled.outcome.status, settled.id) == (2, "executed", issued.id)

    play(tmp_path, story, user_id="usr_bob")


def test_a_live_call_is_shown_without_its_receipts_while_the_database_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        (record,) = await house.calls()
        await until(lambda: not house.bridge.spool.waiting)
        lose_database(house, tmp_path)
        with caplog.at_level(logging.WARNING):
            answer = await house.ask("GET", f"/v1/calls/{record.id}")
        assert (answer.status, json_of(answer)["receipts"]) == (200, None)
        assert "receipts of call" in caplog.text
        assert (await house.ask("GET", KEYS)).status == 503
        (tmp_path / "bridge.db").rmdir()
        (tmp_path / "away.db").rename(tmp_path / "bridge.db")
        assert json_of(await house.ask("GET", f"/v1/calls/{record.id}"))["receipts"] == []
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story)


def test_the_keys_are_there_for_everybody(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for headers in ({}, {"Host": "bridge.example"}, {"Authorization": "Bearer wrong"}):
            answer = await house.ask("GET", KEYS, headers=headers)
            assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
            (key,) = json_of(answer)["keys"]
            assert set(key) == {"kty", "crv", "kid", "x", "alg", "use"}  # and so nothing of the secret half
            assert key["kid"] == "receipt-1"

    play(tmp_path, story, api_key="the-api-key")
