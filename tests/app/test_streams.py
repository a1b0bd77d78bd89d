"""The media socket: who is let in, and a whole call on it."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from phone_bridge.app import streams
from phone_bridge.app.stream_keys import name_of
from phone_bridge.call.events import Event
from phone_bridge.errors import Refused
from phone_bridge.legs.pace import MESSAGES_AT_ONCE
from phone_bridge.legs.twilio.admission import TOKEN_SECONDS, Key, issue
from phone_bridge.legs.twilio.messages import MediaFormat
from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.runtime.waiting import Waiting
from phone_bridge.sessions.chronapilot import messages as m
from tests.app.premises import ACCOUNT, LINE_MS, TOKEN, Premises, lose_database, play, premises, signature
from tests.runtime.pumping import FRAME, Carrier
from tests.runtime.serving import dial, until

LOUD = b"\x90" * 160


async def turned_away(house: Premises, carrier: Carrier, why: str) -> None:
    """See the socket closed with a reason, before anything was paid for."""
    await until(lambda: carrier.code is not None)
    assert (carrier.code, carrier.reason) == (1008, why)
    assert house.peers.mints == []
    assert house.bridge.registry.live == 0


def token_of(house: Premises, call_sid: str, *, key: Key | None = None, age: int = 0, nonce: str = "call_x") -> str:
    now = int(time.time()) - age
    key = key or house.bridge.stream_keys.signing(now)
    return issue(key, call_sid=call_sid, account_sid=ACCOUNT, now_epoch_s=now, nonce=nonce)


# Tokens


def test_a_stream_without_a_token_is_turned_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: Premises) -> None:
        await house.ring("CA1")
        await turned_away(house, await house.open("CA1"), "token_missing")
        assert "x refused a media stream: token_missing" in caplog.text

    play(tmp_path, story)


def test_a_token_that_we_did_not_sign_is_turned_away(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.ring("CA1")
        forged = Key(name_of(int(time.time())), b"f" * 32)
        await turned_away(house, await house.open("CA1", token=token_of(house, "CA1", key=forged)), "token_signature")
        await turned_away(house, await house.open("CA1", token="header.claims.signature"), "token_malformed")

    play(tmp_path, story)


def test_a_token_that_is_too_old_is_turned_away(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        await house.ring("CA1")
        old = token_of(house, "CA1", age=TOKEN_SECONDS)
        await turned_away(house, await house.open("CA1", token=old), "token_expired")

    play(tmp_path, story)


def test_a_token_of_another_call_or_of_none_is_turned_away(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        token = (await house.ring("CA1")).parameters["token"]
        await turned_away(house, await house.open("CA2", token=token), "token_wrong_call")
        nobodys = token_of(house, "CA3")
        await turned_away(house, await house.open("CA3", token=nobodys), "token_unknown_call")

    play(tmp_path, story)


def test_a_token_is_good_for_one_stream(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        token = (await house.ring("CA1")).parameters["token"]
        first, second, third = [await house.open("CA1", token=token) for _ in range(3)]
        await until(lambda: [first.code, second.code, third.code].count(1008) == 2)
        await until(lambda: len(house.peers.live) == 1)
        assert len(house.peers.mints) == house.bridge.registry.live == 1
        (live,) = [carrier for carrier in (first, second, third) if carrier.code is None]
        live.hang_up()
        await house.ended(live)
        late = await house.open("CA1", token=token)
        await until(lambda: late.code is not None)
        assert late.reason == "token_used"
        assert len(house.peers.mints) == 1

    play(tmp_path, story)


def test_a_stream_that_finds_every_line_taken_is_turned_away(tmp_path: Path) -> None:
    """Its call was expected, and given up because it came so late."""

    async def story(house: Premises) -> None:
        token = (await house.ring("CA1")).parameters["token"]
        house.bridge.registry.forget("CA1")
        carrier, _ = await house.talk("CA2")
        late = await house.open("CA1", token=token)
        await until(lambda: late.code is not None)
        assert (late.code, late.reason) == (1008, "busy")
        assert len(house.peers.mints) == house.bridge.registry.live == 1
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story, max_calls=1)


def test_a_stream_is_turned_away_when_its_token_cannot_be_looked_up(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        token = (await house.ring("CA1")).parameters["token"]
        lose_database(house, tmp_path)
        await turned_away(house, await house.open("CA1", token=token), "database")

    play(tmp_path, story)


# Handshakes


def signed(house: Premises, url: str = "", token: str = TOKEN) -> dict[str, str]:
    over = url or house.bridge.settings.stream_url
    return {"X-Twilio-Signature": signature(over, [], token)}


def test_an_unsigned_handshake_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: Premises) -> None:
        url = f"{house.running.url}/twilio/media"
        for headers in ({}, signed(house, token="another-token"), signed(house, "wss://bridge.test/twilio/media/")):
            with pytest.raises(Refused) as refused:
                await dial(url, headers=headers)
            assert refused.value.code == "http_403"
        assert "x a media handshake was not signed for wss://bridge.test/twilio/media" in caplog.text
        assert TOKEN not in caplog.text

    play(tmp_path, story, twilio_auth_token=TOKEN)


@pytest.mark.parametrize("port", ["", ":443"])
def test_a_signed_handshake_is_let_in(tmp_path: Path, port: str) -> None:
    async def story(house: Premises) -> None:
        headers = signed(house, f"wss://bridge.test{port}/twilio/media")
        carrier = await house.open("CA1", headers=headers)
        await turned_away(house, carrier, "token_missing")  # by the next door

    play(tmp_path, story, twilio_auth_token=TOKEN)


def test_an_unsigned_handshake_may_be_let_in_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: Premises) -> None:
        await turned_away(house, await house.open("CA1"), "token_missing")
        assert "x a media handshake was not signed" in caplog.text

    play(tmp_path, story, twilio_auth_token=TOKEN, stream_signature="warn")


# Beginnings


def test_a_start_that_never_comes_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "START_SECONDS", 0.05)

    async def story(house: Premises) -> None:
        carrier = await house.open_only("CA1")
        carrier.say(carrier.codec.connected())
        await turned_away(house, carrier, "stream_not_started")

    play(tmp_path, story)


@pytest.mark.parametrize("way", ["stop", "close", "vanish"])
def test_a_stream_that_ends_before_it_starts_is_nothing(tmp_path: Path, way: str) -> None:
    async def story(house: Premises) -> None:
        carrier = await house.open_only("CA1")
        carrier.say(carrier.codec.connected())
        if way == "stop":
            carrier.say(carrier.codec.stop())
            await turned_away(house, carrier, "stream_not_started")
        else:
            carrier.socket.close(1000) if way == "close" else carrier.socket.fail("gone")
            await until(lambda: carrier.code is not None)
        assert house.peers.mints == []

    play(tmp_path, story)


def test_another_sound_than_ours_is_turned_away(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        token = (await house.ring("CA1")).parameters["token"]
        linear = MediaFormat(encoding="audio/l16", sample_rate=16000)
        carrier = await house.open("CA1", token=token, media_format=linear)
        await turned_away(house, carrier, "unsupported_media_format")

    play(tmp_path, story)


def test_nonsense_before_the_start_is_skipped_up_to_a_limit(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier = await house.open_only("CA1")
        carrier.say(*["nonsense"] * 20, b"binary", carrier.codec.connected(), carrier.codec.started())
        await turned_away(house, carrier, "token_missing")
        carrier = await house.open_only("CA1")
        carrier.say(*["nonsense"] * 51)
        await turned_away(house, carrier, "malformed_stream")

    play(tmp_path, story)


def test_what_is_said_right_after_the_start_is_not_lost(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        token = (await house.ring("CA1")).parameters["token"]
        carrier = await house.open_only("CA1", token=token)
        carrier.say(carrier.codec.connected(), carrier.codec.started())
        carrier.speak(*[LOUD] * 25)  # half a second, before anybody can have been let in
        await until(lambda: len(house.peers.live) == 1)
        carrier.speak(*[LOUD] * 5)

        def loud() -> int:
            return sum(abs(sample) > 1_000 for sample in memoryview(house.peers.live[0].sound).cast("h"))

        await until(lambda: loud() >= 30 * 480 - 50)
        assert loud() <= 30 * 480 + 50
        carrier.hang_up()
        await house.ended(carrier)

    play(tmp_path, story)


# A whole call


def test_a_call_from_its_first_word_to_its_last(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await house.talk("CA1")
        ((headers, body),) = house.peers.mints
        assert headers["authorization"] == "Bearer sk_test_their_key"
        assert headers["chronapilot-account"] == "cpa_1"
        assert headers["idempotency-key"]
        assert body["user_id"] == "usr_bob"

        await asyncio.sleep(LINE_MS / 1000 + 0.1)  # the greeting
        carrier.speak(*[FRAME] * 10)
        assistant.tell(m.SpeechStarted(), m.SpeechStopped(), m.TranscriptFinal("cancel the dentist"))
        assistant.propose("act_1", "Dentist")
        heard = len(carrier.sound)
        await until(lambda: len(carrier.sound) >= heard + 2 * LINE_MS * 8 - 100)
        await asyncio.sleep(2 * LINE_MS / 1000 + 0.1)  # the question
        carrier.press("11")
        await until(lambda: bool(assistant.words))
        assistant.tell(m.ActionExecuted(id="act_1", result={"ok": True}))
        answer = bytes(24_000)  # half a second
        assistant.tell(m.AudioTranscriptDelta("Done.", "rsp_1"), m.AudioDelta(audio=answer, response_id="rsp_1"))
        assistant.tell(m.ResponseDone({"id": "rsp_1", "status": "completed"}))
        heard = len(carrier.sound)
        await until(lambda: len(carrier.sound) >= heard + 3_900)
        await asyncio.sleep(0.6)
        carrier.hang_up()

        _, record = await house.ended(carrier)
        await until(lambda: house.peers.deleted == ["hub_1"])
        assert assistant.words == [m.ActionConfirm("act_1")]
        assert (record.status, record.ended_by, record.error, record.session) == (
            "completed",
            "caller",
            None,
            "chronapilot",
        )
        assert record.answered_at is not None
        assert record.ended_at is not None
        assert [said["text"] for said in record.transcript if said["speaker"] != "bridge"] == [
            "cancel the dentist",
            "Done.",
        ]
        (action,) = record.actions
        assert (action["verdict"], action["by"], action["result"]) == ("confirmed", "digit", {"ok": True})
        assert assistant.code == 1000

    play(tmp_path, story, user_id="usr_bob", session_account="cpa_1")


def test_a_session_that_cannot_be_minted_is_told_in_words(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.peers.mint_status = 403
        carrier = await house.open("CA1", token=(await house.ring("CA1")).parameters["token"])
        code, record = await house.ended(carrier)
        assert code == 1000
        assert (record.ended_by, record.error) == ("bridge", "session_refused")
        assert [said["text"] for said in record.transcript][-1].startswith("I am sorry")

    play(tmp_path, story)


def test_a_stopping_bridge_ends_its_calls(tmp_path: Path) -> None:
    async def story() -> None:
        async with premises(tmp_path) as house:
            carrier, assistant = await house.talk("CA1")
            task = asyncio.create_task(house.ended(carrier))
            for connection in list(house.running.state.connections):
                connection.shutdown()
            code, record = await task
        assert code == 1012
        assert record.status == "completed"
        assert assistant.code is not None

    asyncio.run(story())


def test_a_mistake_of_ours_ends_one_call_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: Premises) -> None:
        other, _ = await house.talk("CA2")
        carrier, _ = await house.talk("CA1")

        receive = TwilioStream.receive

        def fail(wire: TwilioStream, data: str | bytes, now: int) -> list[Event]:
            if wire.start.call_sid == "CA1":
                raise ZeroDivisionError
            return receive(wire, data, now)

        monkeypatch.setattr(TwilioStream, "receive", fail)
        carrier.speak(FRAME)
        _, record = await house.ended(carrier, live=1)
        assert (record.status, record.ended_by, record.error) == ("completed", "bridge", "bridge_failed")
        assert "ZeroDivisionError" in caplog.text
        assert house.bridge.registry.live == 1
        assert other.code is None
        other.hang_up()
        await house.ended(other)

    with caplog.at_level(logging.ERROR):
        play(tmp_path, story)


# Floods


def test_a_stream_that_says_all_but_its_start_is_turned_away(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        carrier = await house.open_only("CA1", token=(await house.ring("CA1")).parameters["token"])
        carrier.say(*['{"event":"something new"}'] * (streams.MAX_OPENING_MESSAGES + 1))
        carrier.say(carrier.codec.connected(), carrier.codec.started())
        await turned_away(house, carrier, "stream_not_started")

    play(tmp_path, story)


def test_of_too_many_silent_streams_the_oldest_makes_room(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        house.bridge.opening_streams = Waiting(3)
        token = (await house.ring("CA1")).parameters["token"]
        silent = [await house.open_only(f"CA{number}") for number in range(2, 6)]
        await turned_away(house, silent[0], "too_many_waiting")
        carrier = await house.open("CA1", token=token)
        await until(lambda: house.bridge.registry.live == 1)
        await until(lambda: silent[1].code is not None)
        assert [each.code for each in silent] == [1008, 1008, None, None]
        assert len(house.bridge.opening_streams) == 2
        carrier.hang_up()
        await house.ended(carrier)
        for each in silent[2:]:
            each.socket.close()
        await until(lambda: len(house.bridge.opening_streams) == 0)

    play(tmp_path, story)


def test_a_stream_that_brings_far_too_much_ends_by_name_and_no_other_call_with_it(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        other, _ = await house.talk("CA1")
        flood, _ = await house.talk("CA2")
        for _ in range(MESSAGES_AT_ONCE // 50 + 20):
            flood.speak(*[FRAME] * 50)
            await asyncio.sleep(0)
        _, record = await house.ended(flood, live=1)
        assert record.error == "message_rate"
        assert other.code is None
        other.hang_up()
        _, record = await house.ended(other)
        assert record.error is None

    play(tmp_path, story)
