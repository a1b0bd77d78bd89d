"""What goes wrong with a session, injected into a whole bridge over real sockets."""

import asyncio
import time
from pathlib import Path

import pytest

from phone_bridge.runtime.connect import SESSION_BUDGET_MS
from phone_bridge.sessions.chronapilot import handing_on
from phone_bridge.sessions.chronapilot import messages as m
from tests.app.premises import LINE_MS, Premises, play
from tests.runtime.pumping import Assistant, Carrier, sound_of
from tests.runtime.serving import until

ONE_MOMENT_SECONDS = 0.7  # within which a caller hears that the session was lost
BACK_SECONDS = 3.0  # within which there is another one, or an apology
NEXT = sound_of("lunch", 400) * 6  # as 24 kHz PCM16


async def heard_again(carrier: Carrier, since: int) -> float:
    """Wait for the next sound, and tell how long it took."""
    began = time.monotonic()
    await until(lambda: len(carrier.sound) > since)
    return time.monotonic() - began


async def another(house: Premises, known: int) -> Assistant:
    await until(lambda: len(house.peers.live) > known)
    return house.peers.live[-1]


def told(assistant: Assistant) -> str:
    return "".join(word.text for word in assistant.words if isinstance(word, m.TextAppend))


async def greeted(house: Premises) -> tuple[Carrier, Assistant]:
    carrier, assistant = await house.talk()
    await until(lambda: carrier.marks > 0)
    await asyncio.sleep(2 * LINE_MS / 1000)
    return carrier, assistant


@pytest.mark.parametrize(("status", "headers"), [(500, {}), (429, {"Retry-After": "1"}), (403, {}), (0, {})])
def test_a_session_that_cannot_be_minted_is_apologised_for_in_time(
    tmp_path: Path, status: int, headers: dict[str, str]
) -> None:
    async def story(house: Premises) -> None:
        house.peers.mint_status, house.peers.mint_headers, house.peers.mint_hangs = status or 201, headers, not status
        carrier = await house.open(token=(await house.ring()).parameters["token"])
        began = time.monotonic()
        _, record = await house.ended(carrier)
        assert time.monotonic() - began < BACK_SECONDS + 1
        assert record.error == ("session_refused" if status == 403 else "session_unavailable")
        nonces = {headers["idempotency-key"] for headers, _ in house.peers.mints}
        assert len(nonces) == 1
        assert (len(house.peers.mints) > 1) == (status in (500, 429))
        assert len(carrier.sound) >= 2 * 8 * LINE_MS  # the greeting and the apology
        assert time.monotonic() - began < SESSION_BUDGET_MS / 1000 + 1

    play(tmp_path, story)


@pytest.mark.parametrize("fault", ["close", "abort", "nonsense"])
def test_a_session_lost_in_the_middle_of_a_sentence_is_replaced(tmp_path: Path, fault: str) -> None:
    async def story(house: Premises) -> None:
        carrier, first = await greeted(house)
        first.tell(m.TranscriptFinal("What is next?"), m.ResponseCreated("rsp_1"), m.TextDelta("Lunch is", "rsp_1"))
        known = len(carrier.sound)
        first.tell(m.AudioDelta(audio=NEXT, response_id="rsp_1"))
        await until(lambda: len(carrier.sound) > known)
        known = len(carrier.sound)
        if fault == "close":
            first.socket.close(1011)
        elif fault == "abort":
            first.socket.fail("cut")
        else:
            first.tell(*[b"\xff"] * 5)
        assert await heard_again(carrier, known) < ONE_MOMENT_SECONDS
        second = await another(house, 1)
        await until(lambda: bool(told(second)))
        duty = handing_on.read(told(second))
        assert duty is not None
        assert duty.turns[0].text == "What is next?"
        second.reply("rsp_1", NEXT)
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert (record.error, record.ended_by) == (None, "caller")
        await until(lambda: len(house.peers.deleted) == 2)

    play(tmp_path, story)


def test_a_confirmation_that_was_sent_is_looked_up_and_an_open_one_is_void(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, first = await greeted(house)
        first.propose("act_1")
        await asyncio.sleep(4 * LINE_MS / 1000)
        carrier.press("1")
        await until(lambda: m.ActionConfirm("act_1") in first.words)
        first.propose("act_2", "Lunch")
        house.peers.event = {"id": "evt_1", "is_cancelled": True}
        first.socket.fail("cut")
        second = await another(house, 1)
        await until(lambda: bool(told(second)))
        duty = handing_on.read(told(second))
        assert duty is not None
        assert [(done.action.name, done.outcome) for done in duty.done] == [("cancel_event", "executed")]
        second.propose("act_1")
        await asyncio.sleep(4 * LINE_MS / 1000)
        carrier.press("1")
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert [(action["verdict"], action["outcome"]) for action in record.actions] == [
            ("confirmed", "executed"),
            ("unanswered", ""),
        ]
        assert not [word for word in second.words if isinstance(word, m.ActionConfirm)]

    play(tmp_path, story)


def test_a_session_near_its_end_is_changed_without_the_callers_hearing_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.peers.mint_times = {"created_at": "2026-11-21T09:00:00Z", "expires_at": "2026-11-21T09:00:04Z"}
        carrier, first = await greeted(house)
        house.peers.mint_times = {}
        first.tell(m.TranscriptFinal("What is next?"))
        first.reply("rsp_1", NEXT)
        second = await another(house, 1)
        known = len(carrier.sound)
        await until(lambda: first.code is not None)
        await until(lambda: bool(told(second)))
        duty = handing_on.read(told(second))
        assert duty is not None
        assert not duty.answer
        assert len(carrier.sound) == known
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert record.error is None

    play(tmp_path, story)
