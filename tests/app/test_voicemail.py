"""What callers leave on the voicemail, on a simulated call over real sockets and by webhooks in any order."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from phone_bridge.app.outbound import DELIVERY_FIRST_S, sign
from phone_bridge.outbound.tables import DELIVERIES
from phone_bridge.runtime.retention import purge
from phone_bridge.simulator.carrier import Site, place_call
from phone_bridge.simulator.script import HangUp, Say
from phone_bridge.simulator.webhooks import Dialling
from tests.app.premises import ACCOUNT, PUBLIC, TOKEN, Premises, Tone, call_form, json_of, play
from tests.runtime.serving import serving, until

RECORDING = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
MESSAGE = "Please call me back about the heater."


def test_a_message_is_kept_with_its_words_and_told_of_until_it_is_taken(tmp_path: Path) -> None:
    told: list[tuple[str, bytes]] = []

    async def take(request: Request) -> Response:
        told.append((request.headers["phone-bridge-signature"], await request.body()))
        return Response(status_code=503 if len(told) == 1 else 200)

    async def story(house: Premises) -> None:
        house.peers.mint_status = 403  # nobody can serve the caller
        site = Site(url=f"http://127.0.0.1:{house.running.port}", public_url=PUBLIC)
        dialling = Dialling(account_sid=ACCOUNT, auth_token=TOKEN)
        result = await place_call(site, (Say(MESSAGE), HangUp()), Tone(), dialling=dialling)
        assert result.verbs[:3] == ("ConnectStream", "Say", "Record")
        await until(lambda: len(told) >= 2)
        (call,) = json_of(await house.ask("GET", "/v1/calls"))["data"]
        assert call["status"] == "voicemail"
        assert call["voicemail_text"] == MESSAGE
        assert call["voicemail_seconds"] >= 1
        assert call["voicemail"].startswith("https://api.twilio.com/")

        signature, body = told[0]
        at = int(signature.partition(",")[0].removeprefix("t="))
        assert signature == sign(body.decode(), at, "whsec_1")
        events = {event["type"]: event for _, body in told if (event := msgspec.json.decode(body))}
        assert set(events) == {"voicemail.left", "voicemail.transcribed"}
        assert events["voicemail.transcribed"]["data"]["voicemail_text"] == MESSAGE
        refused = msgspec.json.decode(told[0][1])["id"]
        book = house.bridge.outbound.book
        await until(lambda: next_try_s(house, refused) <= DELIVERY_FIRST_S)  # the bridge knows it was refused
        book.delivered(refused, 0)  # its time has come
        await until(lambda: [msgspec.json.decode(body)["id"] for _, body in told].count(refused) == 2)

    async def run() -> None:
        async with serving(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as server:
            given = {
                "fallback": "voicemail",
                "twilio_auth_token": TOKEN,  # and no account to call from
                "webhook_url": f"http://127.0.0.1:{server.port}/hook",
                "webhook_secret": "whsec_1",
            }
            await asyncio.to_thread(lambda: play(tmp_path, story, **given))

    asyncio.run(run())


def next_try_s(house: Premises, id: str) -> float:
    """Say in how many seconds a webhook is sent again; a lease's length while it is under way."""
    with house.bridge.records.transaction() as connection:
        at = connection.execute(sa.select(DELIVERIES.c.next_at).where(DELIVERIES.c.id == id)).scalar_one()
    return float(at) - time.time()


def recording(**more: str) -> list[tuple[str, str]]:
    return list({"CallSid": "CA1", "RecordingUrl": RECORDING, "RecordingDuration": "7", **more}.items())


def heard(**more: str) -> list[tuple[str, str]]:
    said = {"TranscriptionStatus": "completed", "TranscriptionText": MESSAGE, "RecordingUrl": RECORDING}
    return list({"CallSid": "CA1", **said, **more}.items())


def message(shown: Any) -> tuple[Any, Any, Any]:
    return shown["voicemail"], shown["voicemail_seconds"], shown["voicemail_text"]


async def over(house: Premises) -> str:
    carrier, _ = await house.talk("CA1")
    carrier.hang_up()
    _, record = await house.ended(carrier)
    return record.id


@pytest.mark.parametrize(
    "order", [("said", "ready", "action"), ("action", "ready", "said"), ("ready", "said", "action")]
)
def test_the_carriers_words_on_a_message_come_in_any_order_and_twice(tmp_path: Path, order: tuple[str, ...]) -> None:
    async def story(house: Premises) -> None:
        id_ = await over(house)
        for each in (*order, *order):
            if each == "action":
                await house.connect("CA1", "?after=record", RecordingUrl=RECORDING, RecordingDuration="7")
            elif each == "ready":
                assert (await house.post("/twilio/recording", recording())).status == 204
            else:
                assert (await house.post("/twilio/transcription", heard())).status == 204
        shown = json_of(await house.ask("GET", f"/v1/calls/{id_}"))
        assert message(shown) == (RECORDING, 7, MESSAGE)
        assert shown["status"] == "voicemail"
        due = house.bridge.outbound.book.due_deliveries(2**40, 2**41, 10)
        assert sorted(name for name, _, _ in due) == [f"evt_{id_}_left", f"evt_{id_}_transcribed"]

    play(
        tmp_path,
        story,
        webhook_url="http://127.0.0.1:9/hook",
        webhook_secret="whsec_1",
        twilio_url="http://127.0.0.1:9",
    )


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/RE1", "http://api.twilio.com/RE1", "https://api.twilio.com.evil.example/x", "file:///x"],
)
def test_no_address_is_kept_that_is_not_the_carriers(tmp_path: Path, url: str) -> None:
    async def story(house: Premises) -> None:
        id_ = await over(house)
        await house.post("/twilio/recording", recording(RecordingUrl=url))
        await house.post("/twilio/transcription", heard(RecordingUrl=url))
        await house.connect("CA1", "?after=record", RecordingUrl=url, RecordingDuration="7")
        shown = json_of(await house.ask("GET", f"/v1/calls/{id_}"))
        assert (message(shown), shown["status"]) == ((None, None, None), "completed")

    play(tmp_path, story)


def test_words_that_could_not_be_heard_are_empty_and_an_absent_recording_is_none(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        id_ = await over(house)
        await house.post("/twilio/recording", recording(RecordingStatus="absent"))
        assert json_of(await house.ask("GET", f"/v1/calls/{id_}"))["voicemail"] is None
        await house.post("/twilio/transcription", heard(TranscriptionStatus="failed"))
        assert message(json_of(await house.ask("GET", f"/v1/calls/{id_}"))) == (RECORDING, None, "")
        assert (await house.post("/twilio/recording", recording(CallSid="CA9"))).status == 204, "nobody's call"

    play(tmp_path, story)


def test_an_unsigned_word_on_a_message_is_refused(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for path in ("/twilio/recording", "/twilio/transcription"):
            assert (await house.post(path, call_form("CA1"))).status == 403

    play(tmp_path, story, twilio_auth_token=TOKEN)


def test_a_message_is_forgotten_with_its_call(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        id_ = await over(house)
        await house.post("/twilio/recording", recording())
        await house.post("/twilio/transcription", heard())

        def forget() -> Any:
            with house.bridge.records.transaction() as connection:
                return purge(connection, "2999-01-01T00:00:00Z")

        await asyncio.sleep(0.3)  # until it is written
        assert await asyncio.to_thread(forget) == [id_]
        kept = house.bridge.records.find(id_)
        assert kept is not None
        assert (kept.voicemail, kept.voicemail_text) == (None, None)

    play(tmp_path, story)
