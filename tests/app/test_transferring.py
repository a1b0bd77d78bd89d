"""Callers who are put through, and come back, on simulated calls over real sockets; and webhooks that do not belong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from phone_bridge.outbound.transfer import MAX_TRANSFERS
from phone_bridge.routing import Route
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.caller import Manners
from phone_bridge.simulator.carrier import LiveCall, Site
from phone_bridge.simulator.dialled import Dialled, of_manner
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import Wait
from phone_bridge.simulator.verbs import ConnectStream, Dial, Enqueue, Gather, Hangup, Leave, Record, Say
from phone_bridge.simulator.webhooks import Dialling
from tests.app.premises import ACCOUNT, PUBLIC, TOKEN, Premises, Tone, call_form, document, json_of, play
from tests.app.ringing import JSON
from tests.runtime.serving import PATIENCE_SECONDS, until

RECEPTION = "+493012345678"
TARGETS = f"reception={RECEPTION},desk=sip:desk@pbx.example,sales=queue:sales,box=voicemail,billing=assistant:billing"
GIVEN: dict[str, Any] = {"transfers": TARGETS, "twilio_auth_token": TOKEN, "destinations": "+1"}


class Phoned:
    """A call of the simulator's to the bridge, and its record."""

    def __init__(self, house: Premises, call: LiveCall, task: "asyncio.Task[CallResult]") -> None:
        self.house = house
        self.call = call
        self.task = task
        self.result: CallResult | None = None

    async def record(self) -> Any:
        """Show the call as the API does."""
        (found,) = json_of(await self.house.ask("GET", f"/v1/calls?carrier_id={self.call.call_sid}"))["data"]
        return json_of(await self.house.ask("GET", f"/v1/calls/{found['id']}"))

    async def until(self, wanted: Callable[[Any], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                shown = await self.record()
                if wanted(shown):
                    return shown
                await asyncio.sleep(0.02)

    async def transfer(self, to: str, **more: Any) -> Any:
        path = f"/v1/calls/{(await self.record())['id']}/transfer"
        return await self.house.ask("POST", path, headers=JSON, body=msgspec.json.encode({"to": to, **more}))


@asynccontextmanager
async def phoned(house: Premises, **dialled: Dialled) -> AsyncIterator[Phoned]:
    """Phone the bridge; the caller stays until the bridge hangs up, or the test is done."""
    site = Site(url=f"http://127.0.0.1:{house.running.port}", public_url=PUBLIC)
    who = {RECEPTION: dialled.get("reception", Dialled()), "sip:desk@pbx.example": dialled.get("desk", Dialled())}
    call = await LiveCall.prepare(
        site,
        (Wait(60_000),),
        Tone(),
        dialling=Dialling(account_sid=ACCOUNT, auth_token=TOKEN),
        manners=Manners(stay=True),
        dialled=who,
    )
    task = asyncio.create_task(call.run())
    phone = Phoned(house, call, task)
    try:
        await until(lambda: house.bridge.registry.known(call.call_sid) is not None)
        await phone.until(lambda shown: shown["transcript"])
        yield phone
        call.drop()
        phone.result = await task
    finally:
        task.cancel()


def said(shown: Any) -> list[str]:
    return [line["text"] for line in shown["transcript"] if line["speaker"] == "bridge"]


def states(shown: Any) -> list[tuple[str, str, str]]:
    return [(each["to"], each["mode"], each["state"]) for each in shown["transfers"]]


def came_back(part: int) -> Callable[[Any], bool]:
    return lambda shown: shown["resumed"] == part and "busy" in said(shown)[-1]


# Cold


def test_whoever_picks_up_has_the_caller_and_the_last_sentence_was_heard(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house) as phone:
            assert (await phone.transfer("reception")).status == 202
            over = await phone.until(lambda shown: states(shown) == [("reception", "cold", "completed")])
            await phone.task  # the bridge hangs up
            assert said(over)[-1] == "Please stay on the line, I am putting you through to reception."
            assert (over["status"], over["ended_by"], over["error"], over["resumed"]) == (
                "completed",
                "transfer",
                None,
                0,
            )
        assert phone.result is not None
        assert phone.result.verbs == ("ConnectStream", "Dial", "Hangup")
        assert phone.result.dialled == (RECEPTION,)
        assert phone.result.metrics.bytes_cut == 0, "nothing that was said was cut off"
        assert not [fault for fault in phone.result.faults if fault.blames]

    play(tmp_path, story, **GIVEN)


@pytest.mark.parametrize(
    ("manner", "state", "words"),
    [
        ("no-answer", "no_answer", "Nobody at reception picked up."),
        ("busy", "busy", "The line of reception is busy."),
        ("failed", "failed", "I could not reach reception."),
    ],
)
def test_whoever_does_not_sends_the_caller_back_to_the_same_conversation(
    tmp_path: Path, manner: str, state: str, words: str
) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house, reception=of_manner(manner)) as phone:
            house.peers.live[-1].tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("put me through"))
            before = await phone.until(lambda shown: any(x["text"] == "put me through" for x in shown["transcript"]))
            await phone.transfer("reception")
            back = await phone.until(lambda shown: shown["resumed"] == 1 and words in said(shown)[-1])
            assert (back["id"], back["status"], back["ended_at"]) == (before["id"], "in_progress", None)
            assert back["transcript"][: len(before["transcript"])] == before["transcript"]
            assert states(back) == [("reception", "cold", state)]
            assert not any("cut off" in text for text in said(back))
            await until(lambda: len(house.peers.live) == 2)
            told = house.peers.live[-1]
            await until(lambda: any(words in str(word) for word in told.words))
            assert any("put me through" in str(word) for word in told.words)

    play(tmp_path, story, **GIVEN)


def test_a_caller_is_put_through_so_often_and_no_oftener(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house, reception=of_manner("busy")) as phone:
            for part in range(1, MAX_TRANSFERS + 1):
                assert (await phone.transfer("reception")).status == 202
                await phone.until(came_back(part))
            answer = await phone.transfer("reception")
            assert (answer.status, json_of(answer)["error"]["code"]) == (409, "too_many_transfers")

    play(tmp_path, story, **GIVEN)


def test_a_transfer_that_is_not_allowed_changes_nothing(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house) as phone:
            for body, status, code in [
                ({"to": "boss"}, 403, "target_not_listed"),
                ({"to": "sip:x@evil.example"}, 403, "destination_not_allowed"),
                ({"to": "+442071838750"}, 403, "destination_not_allowed"),
                ({"to": "+19005550100"}, 403, "destination_expensive"),
                ({"to": "sales", "mode": "warm"}, 409, "transfer_mode"),
                ({"to": "reception", "mode": "lukewarm"}, 400, "invalid_parameter"),
                ({"to": "reception", "about": "x" * 401}, 400, "invalid_parameter"),
            ]:
                answer = await phone.transfer(**body)
                assert (answer.status, json_of(answer)["error"]["code"]) == (status, code), body
            shown = await phone.record()
            assert (shown["transfers"], shown["status"]) == ([], "in_progress")

    play(tmp_path, story, **GIVEN)


# Warm


def test_whoever_is_told_who_calls_and_accepts_has_the_caller(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house, desk=of_manner("accept")) as phone:
            assert (await phone.transfer("desk", mode="warm", about="a broken heater")).status == 202
            await phone.until(lambda shown: states(shown) == [("desk", "warm", "completed")])
            await phone.task
        assert phone.result is not None
        assert phone.result.verbs == ("ConnectStream", "Dial", "Hangup")
        assert phone.result.dialled == ("sip:desk@pbx.example",)
        (kept,) = house.bridge.transfers.of_call((await phone.record())["id"])
        assert "from 1 2 0 2 5 5 5 0 1 4 3. It is about this: a broken heater. Press 1" in kept.about
        assert kept.leg is not None
        assert kept.leg != phone.call.call_sid

    play(tmp_path, story, **GIVEN)


@pytest.mark.parametrize(
    ("manner", "state", "words"),
    [
        ("refuse", "refused", "Desk cannot take your call now."),
        ("busy", "busy", "The line of desk is busy."),
    ],
)
def test_whoever_refuses_sends_the_caller_back(tmp_path: Path, manner: str, state: str, words: str) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house, desk=of_manner(manner)) as phone:
            await phone.transfer("desk", mode="warm")
            back = await phone.until(lambda shown: shown["resumed"] == 1 and words in said(shown)[-1])
            assert states(back) == [("desk", "warm", state)]

    play(tmp_path, story, **GIVEN)


async def rung(house: Premises, target: str = "desk", **more: Any) -> tuple[str, str]:
    """Bring a call of which the test plays the carrier to the point where a warm transfer rings; gives its id."""
    carrier, _ = await house.talk("CA1")
    (record,) = await house.calls()
    body = msgspec.json.encode({"to": target, **more})
    answer = await house.ask("POST", f"/v1/calls/{record.id}/transfer", headers=JSON, body=body)
    assert answer.status == 202, answer
    await house.ended(carrier)
    (transfer,) = house.bridge.transfers.of_call(record.id)
    return record.id, transfer.id


def leg(sid: str = "CA2", parent: str = "CA1", **more: str) -> list[tuple[str, str]]:
    return call_form(
        sid, **{"ParentCallSid": parent, "Direction": "outbound-dial", "CallStatus": "in-progress", **more}
    )


NO_TOKEN = {"transfers": TARGETS}


def test_an_address_is_good_for_one_line_of_one_call_and_for_one_choice(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        call_id, id_ = await rung(house, mode="warm")
        (dial,) = (await house.connect("CA1")).verbs
        assert isinstance(dial, Dial)
        whisper, key = f"/twilio/transfer/whisper?transfer={id_}", f"/twilio/transfer/key?transfer={id_}"
        assert dial.whisper == PUBLIC + whisper
        assert await house.connect("CA1") == await house.connect("CA1"), "asked twice, answered alike"

        async def ask(path: str, form: list[tuple[str, str]]) -> type:
            verbs = document(await house.post(path, form)).verbs
            return type(verbs[0]) if verbs else type(None)

        assert await ask(whisper, leg(parent="CA9")) is Hangup, "another call's"
        assert await ask("/twilio/transfer/whisper?transfer=trf_x", leg()) is Hangup
        assert await ask(key, leg(Digits="1")) is Hangup, "nobody was told yet"
        assert await ask(whisper, leg()) is Gather
        assert await ask(whisper, leg()) is Gather, "the carrier asks again where an answer was lost"
        assert await ask(whisper, leg("CA3")) is Hangup, "another line"
        assert await ask(key, leg("CA3", Digits="1")) is Hangup
        assert await ask(key, leg(Digits="*")) is Gather
        assert await ask(key, leg(Digits="2")) is Hangup
        assert await ask(key, leg(Digits="1")) is Hangup, "it was refused"
        assert await ask(whisper, leg()) is Hangup
        assert [each.state for each in house.bridge.transfers.of_call(call_id)] == ["refused"]
        other = await house.connect("CA9", f"?transfer={id_}&after=dial", DialCallStatus="busy")
        assert isinstance(other.verbs[0], Hangup), "another call's"

    play(tmp_path, story, **NO_TOKEN)


def test_an_unsigned_word_of_whoever_was_rung_is_refused(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for path in ("whisper", "key", "wait"):
            answer = await house.post(f"/twilio/transfer/{path}?transfer=trf_1", leg())
            assert answer.status == 403

    play(tmp_path, story, **GIVEN)


@pytest.mark.parametrize(
    ("digits", "status", "end"),
    [("", "completed", "no_answer"), ("1", "completed", "completed"), ("2", "completed", "refused")],
)
def test_a_machine_that_picks_up_and_presses_nothing_has_not_picked_up(
    tmp_path: Path, digits: str, status: str, end: str
) -> None:
    async def story(house: Premises) -> None:
        call_id, id_ = await rung(house, mode="warm")
        await house.connect("CA1")
        await house.post(f"/twilio/transfer/whisper?transfer={id_}", leg())
        if digits:
            await house.post(f"/twilio/transfer/key?transfer={id_}", leg(Digits=digits))
        query = f"?transfer={id_}&after=dial"
        first = await house.connect("CA1", query, DialCallStatus=status)
        assert [each.state for each in house.bridge.transfers.of_call(call_id)] == [end]
        assert isinstance(first.verbs[0], Hangup if end == "completed" else ConnectStream)
        assert await house.connect("CA1", query, DialCallStatus=status) == first, "asked twice, answered alike"

    play(tmp_path, story, **NO_TOKEN)


def test_a_caller_who_hangs_up_while_it_rings_has_canceled_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        call_id, id_ = await rung(house)
        await house.connect("CA1")
        query = f"?transfer={id_}&after=dial"
        gone = await house.connect("CA1", query, DialCallStatus="no-answer", CallStatus="completed")
        assert isinstance(gone.verbs[0], Hangup)
        assert [each.state for each in house.bridge.transfers.of_call(call_id)] == ["canceled"]

    play(tmp_path, story, **NO_TOKEN)


# A queue, a voicemail, another assistant


def test_a_caller_waits_in_a_queue_and_comes_back_when_nobody_comes(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        call_id, id_ = await rung(house, "sales")
        (queue,) = (await house.connect("CA1")).verbs
        assert isinstance(queue, Enqueue)
        assert queue.name == "sales"
        wait = document(await house.post(queue.wait_url.removeprefix(PUBLIC), call_form("CA1")))
        assert isinstance(wait.verbs[0], Say)
        assert isinstance(wait.verbs[-1], Leave)
        stranger = document(await house.post(queue.wait_url.removeprefix(PUBLIC), call_form("CA9")))
        assert isinstance(stranger.verbs[0], Hangup)
        back = await house.connect("CA1", f"?transfer={id_}&after=queue", QueueResult="leave")
        assert isinstance(back.verbs[0], ConnectStream)
        assert [each.state for each in house.bridge.transfers.of_call(call_id)] == ["no_answer"]

    play(tmp_path, story, **NO_TOKEN)


def test_somebody_takes_the_caller_out_of_the_queue(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house) as phone:
            await phone.transfer("sales")
            await phone.until(lambda shown: states(shown) == [("sales", "cold", "completed")])
            await phone.task  # the bridge hangs up
        assert phone.result is not None
        assert phone.result.verbs == ("ConnectStream", "Enqueue", "Hangup")

    play(tmp_path, story, **GIVEN)


def test_a_caller_is_put_through_to_the_voicemail(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await rung(house, "box")
        say, record, *_ = (await house.connect("CA1")).verbs
        assert isinstance(say, Say)
        assert isinstance(record, Record)

    play(tmp_path, story, **NO_TOKEN)


def billing(user_id: str, **more: Any) -> Callable[[Any], list[Route]]:
    return lambda settings: [Route(name="billing", called="+19990000000", user_id=user_id, language="de", **more)]


def test_another_assistant_takes_the_conversation_over(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        async with phoned(house) as phone:
            house.peers.live[-1].tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("about my bill"))
            await phone.until(lambda shown: any(x["text"] == "about my bill" for x in shown["transcript"]))
            await phone.transfer("billing")
            over = await phone.until(lambda shown: shown["resumed"] == 1 and "Sie" in said(shown)[-1])
            assert (over["route"], over["status"]) == ("billing", "in_progress")
            assert said(over)[-1] == "Sie sprechen jetzt mit: billing.", "in the language of its route"
            await until(lambda: len(house.peers.live) == 2)
            told = house.peers.live[-1]
            await until(lambda: any("about my bill" in str(word) for word in told.words))

    play(tmp_path, story, read_routes=billing("usr_demo_alice"), **GIVEN)


@pytest.mark.parametrize("routes", [lambda settings: [], billing("usr_other")])
def test_an_assistant_of_nobody_or_of_somebody_else_is_not_reached(
    tmp_path: Path, routes: Callable[[Any], list[Route]]
) -> None:
    """The operator's file is checked when it is read; by a reload between, a route may be gone all the same."""

    async def story(house: Premises) -> None:
        async with phoned(house) as phone:
            await phone.transfer("billing")
            back = await phone.until(lambda shown: "I could not reach billing." in said(shown)[-1])
            assert (back["route"], states(back)) == (None, [("billing", "cold", "failed")])

    play(tmp_path, story, read_routes=routes, **GIVEN)
