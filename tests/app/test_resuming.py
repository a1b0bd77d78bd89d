"""Calls that were cut off, over the loopback: the carrier asks what comes next, and the call goes on."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.app.resuming import FAULTS, MAX_MOVES, MAX_RESUMES, MOVE_SECONDS, Next, next_step
from phone_bridge.legs.twilio.admission import issue, nonce
from phone_bridge.runtime import registry
from phone_bridge.runtime.record import CallRecord
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.verbs import ConnectStream, Hangup, Pause, Redirect, Say
from tests.app.premises import (
    ACCOUNT,
    LINE_MS,
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
from tests.runtime.serving import PATIENCE_SECONDS, until
from tests.runtime.test_registry import call


def kept(**fields: Any) -> CallRecord:
    record = call(1)
    for name, value in {"status": "in_progress", "answered_at": "2026-11-21T09:00:00.000Z", **fields}.items():
        setattr(record, name, value)
    return record


@pytest.mark.parametrize(
    ("record", "step"),
    [
        (None, Next.APOLOGISE),
        (kept(), Next.RESUME),  # its process was killed, or does not know yet
        (kept(status="completed", ended_by="carrier", error="leg_lost"), Next.RESUME),
        (kept(status="completed", ended_by="carrier", error="malformed_stream"), Next.RESUME),
        (kept(status="ringing", answered_at=None), Next.RESUME),  # its stream never came
        (kept(ended_by="bridge"), Next.HANG_UP),  # its goodbye was heard
        (kept(ended_by="caller"), Next.HANG_UP),
        (kept(ended_by="api"), Next.HANG_UP),
        (kept(ended_by="drain"), Next.HANG_UP),
        *((kept(ended_by="bridge", error=error), Next.FALL_BACK) for error in sorted(FAULTS)),
    ],
)
def test_what_comes_after_a_stream(record: CallRecord | None, step: Next) -> None:
    assert next_step(record, 0) is step


def test_a_call_is_brought_back_so_often_and_no_oftener() -> None:
    assert [next_step(kept(), part) for part in (MAX_RESUMES - 1, MAX_RESUMES)] == [Next.RESUME, Next.APOLOGISE]
    assert next_step(kept(), MAX_RESUMES, returned=1) is Next.RESUME, "it came back from a transfer, unhurt"


async def heard(house: Premises, record_id: str, speaker: str, words: str) -> None:
    """Wait until the record shows that words were heard."""

    async def look() -> None:
        while True:
            record = await house.bridge.registry.find(record_id)
            assert record is not None
            if any(said["speaker"] == speaker and words in said["text"] for said in record.transcript):
                return
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), PATIENCE_SECONDS)


# The carrier's socket drops


def test_a_call_whose_socket_dropped_comes_back_as_the_same_call(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk("CA1")
        assistant.tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("cancel the dentist"))
        (record,) = await house.calls()
        await heard(house, record.id, "caller", "cancel the dentist")
        carrier.socket.fail("gone")
        _, lost = await house.ended(carrier)
        assert (lost.status, lost.ended_by, lost.error) == ("completed", "carrier", "leg_lost")

        back, _ = await house.come_back("CA1")
        live = await house.bridge.registry.find(record.id)
        assert live is not None
        assert (live.id, live.status, live.resumed, live.ended_at, live.error) == (
            record.id,
            "in_progress",
            1,
            None,
            None,
        )
        await heard(house, record.id, "bridge", "we were cut off")
        back.hang_up()
        _, over = await house.ended(back)
        assert (over.status, over.ended_by, over.error, over.resumed) == ("completed", "caller", None, 1)
        said = [said["text"] for said in over.transcript]
        assert said.index("cancel the dentist") < next(at for at, text in enumerate(said) if "cut off" in text)
        assert over.answered_at == live.answered_at
        assert [each.id for each in await house.calls()] == [record.id]

    play(tmp_path, story)


def test_the_next_part_has_a_fresh_token_and_an_address_of_its_own(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        first = await house.ring("CA1")
        carrier = await house.open("CA1", token=first.parameters["token"])
        await until(lambda: len(house.peers.live) == 1)
        carrier.socket.fail("gone")
        await house.ended(carrier)
        (verb,) = (await house.connect("CA1")).verbs
        assert isinstance(verb, ConnectStream)
        assert verb.action == f"{PUBLIC}/twilio/connect?part=1"
        assert verb.parameters["token"] != first.parameters["token"]
        old = await house.open("CA1", token=first.parameters["token"])
        await until(lambda: old.code is not None)
        assert old.reason == "token_used"

    play(tmp_path, story)


def test_a_stream_that_only_looks_alive_is_superseded(tmp_path: Path) -> None:
    """The carrier has lost its socket; ours is half open and knows nothing of it."""

    async def story(house: Premises) -> None:
        stale, assistant = await house.talk("CA1")
        (record,) = await house.calls()
        back, _ = await house.come_back("CA1")
        await until(lambda: stale.code is not None and assistant.code is not None)
        live = await house.bridge.registry.find(record.id)
        assert live is not None
        assert (live.resumed, live.status, live.ended_by, live.error) == (1, "in_progress", None, None)
        assert house.bridge.registry.live == 1
        assert back.code is None
        back.hang_up()
        await house.ended(back)

    play(tmp_path, story, max_calls=1)


def test_a_call_that_drops_again_and_again_is_given_up_with_words(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        for part in range(MAX_RESUMES):
            carrier.socket.fail("gone")
            await house.ended(carrier)
            carrier, _ = await house.come_back("CA1", f"?part={part}" if part else "")
        carrier.socket.fail("gone")
        _, record = await house.ended(carrier)
        assert record.resumed == MAX_RESUMES
        say, hang_up = (await house.connect("CA1", f"?part={MAX_RESUMES}")).verbs
        assert isinstance(say, Say)
        assert isinstance(hang_up, Hangup)
        (again, _) = (await house.connect("CA1")).verbs  # by its record, where the address says nothing
        assert isinstance(again, Say)

    play(tmp_path, story)


def test_a_call_whose_stream_never_came_is_connected_again(tmp_path: Path) -> None:
    """Its process was lost between the webhook and the stream. What the first stream would have shown is void then."""

    async def story(house: Premises) -> None:
        first = await house.ring("CA1")
        carrier, _ = await house.come_back("CA1")
        (record,) = await house.calls()
        await heard(house, record.id, "bridge", "calendar assistant")  # a greeting: there was no earlier part
        late = await house.open("CA1", token=first.parameters["token"])
        await until(lambda: late.code is not None)
        assert late.reason == "token_superseded"
        assert carrier.code is None
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story, max_calls=1)


def test_a_call_that_finds_every_line_taken_when_it_comes_back_is_told_so(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        carrier.socket.fail("gone")
        await house.ended(carrier)
        other, _ = await house.talk("CA2")
        (say, _) = (await house.connect("CA1")).verbs
        assert isinstance(say, Say)
        assert say.text.startswith("I am sorry, all our lines are taken.")
        other.hang_up()
        await house.ended(other)

    play(tmp_path, story, max_calls=1)


# Late, doubled, reordered


def test_the_same_end_told_twice_brings_one_call_back(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        stale, _ = await house.talk("CA1")
        answers = await asyncio.gather(
            *(house.post("/twilio/connect", call_form("CA1", CallStatus="in-progress")) for _ in range(4))
        )
        assert len({answer.body for answer in answers}) == 1
        await until(lambda: stale.code is not None)
        carrier, _ = await house.come_back("CA1")
        assert document(answers[0]) == await house.connect("CA1")  # late: the next part is live
        assert carrier.code is None
        assert house.bridge.registry.live == 1
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story)


def test_a_voice_webhook_for_a_live_call_gets_the_same_answer(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        carrier.socket.fail("gone")
        await house.ended(carrier)
        back, _ = await house.come_back("CA1")
        (verb,) = document(await house.voice("CA1")).verbs
        assert isinstance(verb, ConnectStream)
        assert verb.action == f"{PUBLIC}/twilio/connect?part=1"
        assert (back.code, house.bridge.registry.live) == (None, 1)
        back.hang_up()
        await house.ended(back)

    play(tmp_path, story)


def test_the_voice_webhook_brings_a_lost_call_back_where_the_carrier_falls_back_to_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        carrier.socket.fail("gone")
        _, record = await house.ended(carrier)
        (verb,) = document(await house.voice("CA1")).verbs
        assert isinstance(verb, ConnectStream)
        back = await house.open("CA1", token=verb.parameters["token"])
        await until(lambda: house.bridge.registry.live == 1)
        back.hang_up()
        _, over = await house.ended(back)
        assert (over.id, over.resumed) == (record.id, 1)

        assert [each.id for each in await house.calls()] == [record.id]

    play(tmp_path, story)


def test_the_voice_webhook_does_not_bring_a_call_back_for_ever(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.records.save(kept(resumed=MAX_RESUMES))
        say, hang_up = document(await house.voice("CA1")).verbs
        assert isinstance(say, Say)
        assert isinstance(hang_up, Hangup)
        house.bridge.records.save(kept(id="call_2", carrier_id="CA2", resumed=MAX_RESUMES - 1))
        (verb,) = document(await house.voice("CA2")).verbs
        assert isinstance(verb, ConnectStream)

    play(tmp_path, story)


def test_a_call_that_is_over_may_be_made_anew_under_the_same_name(tmp_path: Path) -> None:
    """A menu of the carrier's has sent the caller here for the second time."""

    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        carrier.hang_up()
        _, first = await house.ended(carrier)
        again, _ = await house.talk("CA1")
        again.hang_up()
        await house.ended(again)
        ids = [each.id for each in await house.calls()]
        assert len(set(ids)) == 2
        assert first.id in ids

    play(tmp_path, story)


def test_a_second_stream_under_a_new_token_takes_the_call_over(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        stale, _ = await house.talk("CA1")
        (record,) = await house.calls()
        key = house.bridge.stream_keys.signing(int(time.time()))
        token = issue(
            key,
            call_sid="CA1",
            account_sid=ACCOUNT,
            now_epoch_s=int(time.time()),
            nonce=nonce(record.id, 1),  # as another process has issued it
        )
        carrier = await house.open("CA1", token=token)
        await until(lambda: stale.code is not None and len(house.peers.live) == 2)
        live = await house.bridge.registry.find(record.id)
        assert live is not None
        assert (live.resumed, live.status, house.bridge.registry.live) == (1, "in_progress", 1)
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story)


def test_the_callers_end_is_believed_before_the_streams(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        await house.post("/twilio/status", call_form("CA1", CallStatus="completed"))
        (verb,) = (await house.connect("CA1", CallStatus="completed")).verbs
        assert isinstance(verb, Hangup)
        assert carrier.code is None  # its own end is under way, and says more
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert (record.status, record.ended_by, record.resumed) == ("completed", "caller", 0)

    play(tmp_path, story)


# Two processes


def test_a_call_whose_process_was_lost_comes_back_to_another(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with premises(tmp_path) as other:
            carrier, assistant = await house.talk("CA1")
            assistant.tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("cancel the dentist"))
            (record,) = await house.calls()
            await heard(house, record.id, "caller", "cancel the dentist")
            await until(lambda: house.bridge.spool.waiting == 0)
            back, _ = await other.come_back("CA1")  # the first process still believes that the call is live there
            await heard(other, record.id, "bridge", "we were cut off")
            carrier.socket.fail("gone")
            await house.ended(carrier)
            await until(lambda: house.bridge.spool.waiting == 0)
            (shown,) = await other.calls()
            assert (shown.status, shown.resumed, shown.error) == ("in_progress", 1, None)  # its late word is void
            assert "cancel the dentist" in [said["text"] for said in shown.transcript]
            back.hang_up()
            await other.ended(back)
            await until(lambda: other.bridge.spool.waiting == 0)
            (over,) = await house.calls()
            assert (over.id, over.status, over.ended_by, over.resumed) == (record.id, "completed", "caller", 1)

    play(tmp_path, story)


def test_a_call_that_was_ended_in_another_process_is_not_brought_back(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with premises(tmp_path) as other:
            carrier, _ = await house.talk("CA1")
            (record,) = await house.calls()
            house.bridge.registry.end(record.id, "api")
            await until(lambda: house.bridge.spool.waiting == 0)
            (verb,) = (await other.connect("CA1")).verbs  # as soon as the goodbye has begun
            assert isinstance(verb, Hangup)
            await house.ended(carrier)

    play(tmp_path, story)


def test_a_caller_who_hangs_up_on_a_lost_call_ends_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ELSEWHERE_SECONDS", 0.05)

    async def story(house: Premises) -> None:
        async with premises(tmp_path) as other:
            carrier, _ = await house.talk("CA1")
            await until(lambda: house.bridge.spool.waiting == 0)
            (verb,) = (await other.connect("CA1", CallStatus="completed")).verbs
            assert isinstance(verb, Hangup)
            await until(lambda: other.bridge.spool.waiting == 0)
            (record,) = await other.calls()
            assert (record.status, record.ended_by) == ("completed", "caller")
            carrier.hang_up()
            await house.ended(carrier)

    play(tmp_path, story)


def test_what_ended_here_is_known_without_the_database(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        (record,) = await house.calls()
        house.bridge.registry.end(record.id, "api")
        await until(lambda: carrier.code is not None and house.bridge.spool.waiting == 0)
        lose_database(house, tmp_path)
        (verb,) = (await house.connect("CA1")).verbs
        assert isinstance(verb, Hangup)

    play(tmp_path, story)


def test_the_carrier_asks_before_the_end_is_written(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        (record,) = await house.calls()
        await until(lambda: house.bridge.spool.waiting == 0)
        lose_database(house, tmp_path)
        house.bridge.registry.end(record.id, "api")
        (verb,) = (await house.connect("CA1")).verbs  # the goodbye is being heard
        assert isinstance(verb, Hangup)
        await until(lambda: carrier.code is not None and house.bridge.registry.live == 0)
        (verb,) = (await house.connect("CA1")).verbs
        assert isinstance(verb, Hangup)
        assert house.bridge.spool.waiting == 1
        (tmp_path / "bridge.db").rmdir()
        (tmp_path / "away.db").rename(tmp_path / "bridge.db")
        await until(lambda: house.bridge.spool.waiting == 0)
        (kept,) = await house.calls()
        assert (kept.status, kept.ended_by) == ("completed", "api")

    play(tmp_path, story)


# While a process drains


def test_while_draining_a_new_call_is_moved_on_and_at_last_given_up(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.registry.draining = True
        ready = await house.ask("GET", "/readyz")
        assert (ready.status, json_of(ready)) == (503, {"status": "unavailable", "reason": "draining"})
        assert (await house.ask("GET", "/healthz")).status == 200
        path = "/twilio/voice?tenant=a+b"
        for attempt in range(1, MAX_MOVES + 1):
            pause, redirect = document(await house.post(path, call_form("CA1"), token=TOKEN)).verbs
            assert pause == Pause(MOVE_SECONDS)
            assert redirect == Redirect(f"{PUBLIC}/twilio/voice?tenant=a+b&attempt={attempt}")
            path = redirect.url.removeprefix(PUBLIC)
        say, hang_up = document(await house.post(path, call_form("CA1"), token=TOKEN)).verbs
        assert isinstance(say, Say)
        assert isinstance(hang_up, Hangup)
        assert await house.calls() == []

    play(tmp_path, story, twilio_auth_token=TOKEN)


def test_an_attempt_that_is_no_number_is_the_first(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.registry.draining = True
        for attempt in ("-9", "x", "9" * 400, ""):
            answer = await house.post(f"/twilio/voice?attempt={attempt}", call_form("CA1"))
            _, redirect = document(answer).verbs
            assert redirect == Redirect(f"{PUBLIC}/twilio/voice?attempt=1")

    play(tmp_path, story)


def test_a_stream_that_was_announced_before_the_drain_is_let_in(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        verb = await house.ring("CA1")
        house.bridge.registry.draining = True
        assert await house.ring("CA1") == verb  # the same call once more
        carrier = await house.open("CA1", token=verb.parameters["token"])
        await until(lambda: len(house.peers.live) == 1)
        carrier.hang_up()
        _, record = await house.ended(carrier)
        assert record.status == "completed"

    play(tmp_path, story)


def test_a_stream_that_another_process_has_announced_is_sent_back(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with premises(tmp_path) as other:
            token = (await other.ring("CA1")).parameters["token"]
            house.bridge.registry.draining = True
            carrier = await house.open("CA1", token=token)
            await until(lambda: carrier.code is not None)
            assert (carrier.code, carrier.reason) == (1008, "draining")
            back, _ = await other.come_back("CA1")
            back.hang_up()
            await other.ended(back)

    play(tmp_path, story)


def test_while_draining_a_call_that_was_cut_off_is_moved_on(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with premises(tmp_path) as other:
            stale, _ = await house.talk("CA1")
            house.bridge.registry.draining = True
            pause, redirect = (await house.connect("CA1")).verbs
            assert pause == Pause(MOVE_SECONDS)
            assert redirect == Redirect(f"{PUBLIC}/twilio/connect?attempt=1")
            await until(lambda: stale.code is not None and house.bridge.registry.idle)
            await until(lambda: house.bridge.spool.waiting == 0)
            back, _ = await other.come_back("CA1", "?attempt=1")
            back.hang_up()
            _, record = await other.ended(back)
            assert (record.resumed, record.ended_by) == (1, "caller")

    play(tmp_path, story)


def test_a_drained_call_hears_its_goodbye_and_is_not_brought_back(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, _ = await house.talk("CA1")
        await asyncio.sleep(LINE_MS / 1000 + 0.1)
        house.bridge.registry.draining = True
        house.bridge.registry.end_all("drain")
        code, record = await house.ended(carrier)
        assert (code, record.ended_by, record.error) == (1000, "drain", None)
        assert record.transcript[-1]["text"].endswith("Goodbye.")
        (verb,) = (await house.connect("CA1")).verbs
        assert isinstance(verb, Hangup)

    play(tmp_path, story)
