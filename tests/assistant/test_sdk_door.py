import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from phone_bridge import voice_sdk as w
from phone_bridge.assistant import sdk_door as d
from phone_bridge.assistant.ports import HangUp, Propose, Run, Say
from phone_bridge.assistant.sdk_door import SdkDoor
from phone_bridge.errors import Unavailable
from phone_bridge.sessions.voice_sdk.server import IDLE_MS
from tests.assistant.house import CANCEL, SECRET, SILENCE, SPEECH, House, play
from tests.assistant.lines import Line, kinds

WS_URL = "ws://bridge.test/api/v1/sdk/ws"


class Doors:
    """The door, and the tokens that were used on it."""

    def __init__(self, house: House) -> None:
        self.used: set[str] = set()
        self.locked = False
        self.door = SdkDoor(
            house.faculties,
            house.clocks,
            secret=SECRET,
            ws_url=WS_URL,
            user_id="usr_alice",
            admit=self.admit,
            new_id=house.new_id,
        )

    async def admit(self, jti: str, expires_at: int, now: int) -> bool:
        if self.locked:
            raise Unavailable("the database is locked")
        first = jti not in self.used
        self.used.add(jti)
        return first

    def token(self) -> str:
        return str(json.loads(self.door.token().body)["token"])

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[Line]:
        """A fresh socket at the door."""
        line = Line()
        serving = asyncio.create_task(self.door.serve(line))
        await asyncio.sleep(0)
        try:
            yield line
        finally:
            line.close(1006)
            async with asyncio.timeout(60):
                await serving

    @asynccontextmanager
    async def opened(self, *features: str) -> AsyncIterator[Line]:
        """A socket whose token was good."""
        async with self.entered() as line:
            line.say(w.encode(w.Hello(self.token(), features)))
            assert kinds(await line.take())[:2] == ["connected", "agent_ready"]
            yield line


def refused(messages: list[Any]) -> str:
    (error,) = messages
    assert error["type"] == "error"
    assert error["message"]
    return str(error["code"])


# The token


def test_a_token_comes_with_the_socket_to_show_it_on() -> None:
    async def story(house: House) -> None:
        answer = json.loads(Doors(house).door.token().body)
        assert answer["ws_url"] == WS_URL
        assert answer["token"].count(".") == 2

    play(story)


def test_who_says_nothing_is_not_waited_for() -> None:
    async def story(house: House) -> None:
        async with Doors(house).entered() as line:
            await asyncio.sleep(w.AUTH_MS / 1000 - 0.01)
            assert await line.take() == []
            await asyncio.sleep(0.02)
            assert (refused(await line.take()), line.code) == ("AUTH_TIMEOUT", 4001)

    play(story)


@pytest.mark.parametrize("first", ["hello", "{}", bytes(640), b"", '{"token":""}'])
def test_a_first_message_without_a_token_is_refused(first: str | bytes) -> None:
    async def story(house: House) -> None:
        async with Doors(house).entered() as line:
            line.say(first)
            assert (refused(await line.take()), line.code) == ("INVALID_AUTH", 4002)

    play(story)


def test_a_token_opens_one_session_and_for_five_minutes() -> None:
    async def story(house: House) -> None:
        doors = Doors(house)
        used, old = doors.token(), doors.token()
        async with doors.entered() as line:
            line.say({"token": used})
            assert kinds(await line.take()) == ["connected", "agent_ready"]
        await asyncio.sleep(d.TOKEN_SECONDS)
        for token in (used, old, "abc.def.ghi", SECRET.decode()):
            async with doors.entered() as line:
                line.say({"token": token})
                assert (refused(await line.take()), line.code) == ("AUTH_FAILED", 4003)

    play(story)


def test_a_token_that_was_used_opens_nothing_more() -> None:
    async def story(house: House) -> None:
        doors = Doors(house)
        token = doors.token()
        for expected in ("connected", "error"):
            async with doors.entered() as line:
                line.say({"token": token})
                assert kinds(await line.take())[0] == expected

    play(story)


def test_a_token_does_not_end_the_session_that_it_opened() -> None:
    async def story(house: House) -> None:
        async with Doors(house).opened() as line:
            for _ in range(d.TOKEN_SECONDS // 60 + 1):
                await asyncio.sleep(60)
                line.say(bytes(640))
            assert await line.take() == []
            assert line.code is None

    play(story)


def test_who_leaves_before_a_word_is_let_go() -> None:
    async def story(house: House) -> None:
        async with Doors(house).entered() as line:
            line.close(1001)
            assert await line.take() == []

    play(story)


def test_a_session_that_cannot_be_had_is_refused_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(house: House) -> None:
        doors = Doors(house)
        doors.locked = True
        async with doors.entered() as line:
            line.say({"token": doors.token()})
            assert (refused(await line.take()), line.code) == ("SESSION_SETUP_FAILED", 4500)
        doors.locked = False
        house.script.strange = Unavailable("the calendar is locked")
        async with doors.entered() as line:
            line.say({"token": doors.token()})
            assert kinds(await line.take()) == ["connected", "error"]
            assert line.code == 4500
        monkeypatch.setattr(d, "MAX_LIVE", 0)
        async with doors.entered() as line:
            assert (refused(await line.take()), line.code) == ("SESSION_SETUP_FAILED", 4500)

    play(story)


def test_so_many_may_wait_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(d, "MAX_OPENING", 1)

    async def story(house: House) -> None:
        doors = Doors(house)
        async with doors.entered() as waiting, doors.entered() as line:
            assert refused(await line.take()) == "SESSION_SETUP_FAILED"
            waiting.say({"token": doors.token()})
            assert kinds(await waiting.take()) == ["connected", "agent_ready"]

    play(story)


# The talk


def test_speech_is_heard_and_answered_with_sound_alone() -> None:
    async def story(house: House) -> None:
        house.script.words = ["what is next"]
        house.script.answers["what is next"] = [Say("x" * 10)]  # 600 ms
        async with Doors(house).opened() as line:
            line.say(SPEECH * 10, b"\1" * 639, "hello", SILENCE)
            await asyncio.sleep(1)
            frames = await line.take()
            assert {len(frame) for frame in frames} == {w.FRAME_BYTES}
            assert len(frames) == 600 // w.FRAME_MS
            assert len(house.script.utterances[0]) == len(SPEECH * 10)

    play(story)


def test_sound_before_the_agent_is_ready_is_not_lost() -> None:
    async def story(house: House) -> None:
        house.script.words = ["what is next"]
        house.script.answers["what is next"] = [Say("Lunch.")]
        doors = Doors(house)
        async with doors.entered() as line:
            line.say({"token": doors.token()}, SPEECH, SILENCE)
            assert kinds(await line.take()) == ["connected", "agent_ready", "sound"]

    play(story)


def test_sound_is_never_further_ahead_than_two_hundred_milliseconds() -> None:
    async def story(house: House) -> None:
        house.script.words = ["talk"]
        house.script.answers["talk"] = [Say("x" * 50)]  # 3 s
        async with Doors(house).opened() as line:
            line.say(SPEECH, SILENCE)
            sent_ms = 0
            for passed_ms in range(0, 2_500, 50):
                sent_ms += w.FRAME_MS * len(await line.take())
                assert sent_ms <= passed_ms + 200
                assert sent_ms >= passed_ms
                await asyncio.sleep(0.05)

    play(story)


def test_the_callers_voice_stops_the_agent() -> None:
    async def story(house: House) -> None:
        house.script.words = ["talk", "stop"]
        house.script.answers = {"talk": [Say("x" * 100)]}
        async with Doors(house).opened("interrupted") as line:
            line.say(SPEECH, SILENCE)
            assert kinds(await line.take()) == ["sound"]
            line.say(SPEECH)
            assert kinds(await line.take()) == ["interrupted"]
            await asyncio.sleep(2)
            assert await line.take() == []

    play(story)


def test_nothing_is_changed_in_the_plain_dialect() -> None:
    async def story(house: House) -> None:
        house.script.words = ["cancel", "quick"]
        house.script.answers = {"cancel": [Propose("act_1", CANCEL)], "quick": [Run("act_2", CANCEL)]}
        house.script.answers["ran act_1 consent_unavailable"] = [Say("I cannot.")]
        async with Doors(house).opened() as line:
            line.say(SPEECH, SILENCE)
            assert kinds(await line.take()) == ["sound"]
            await asyncio.sleep(1)
            line.say(SPEECH, SILENCE)
            await line.take()
            assert house.script.calls == [
                "cancel",
                "ran act_1 consent_unavailable",
                "quick",
                "ran act_2 consent_unavailable",
            ]
            assert house.script.runs == []

    play(story)


@pytest.mark.parametrize(
    "answer",
    [{"type": "confirmation_answer", "id": "act_1", "answer": "yes"}, {"type": "dtmf", "digit": "1"}],
)
def test_a_question_that_was_asked_for_is_answered_and_done_once(answer: dict[str, str]) -> None:
    async def story(house: House) -> None:
        house.script.words = ["cancel"]
        house.script.answers = {"cancel": [Propose("act_1", CANCEL)], "ran act_1 well": [Say("Lunch is off.")]}
        async with Doors(house).opened("confirmation", "dtmf", "transcript") as line:
            line.say(SPEECH, SILENCE)
            assert kinds(await line.take()) == ["transcript", "confirmation"]
            line.say(answer, answer)
            assert kinds(await line.take()) == ["confirmation_settled", "transcript", "sound"]
            assert len(house.script.runs) == 1

    play(story)


# The end


def test_a_goodbye_ends_the_session() -> None:
    async def story(house: House) -> None:
        house.script.words = ["goodbye"]
        house.script.answers["goodbye"] = [Say("Goodbye."), HangUp()]
        async with Doors(house).opened() as line:
            line.say(SPEECH, SILENCE)
            await asyncio.sleep(2)
            assert (await line.take())[-1] == {"type": "session_ended", "reason": "agent_disconnected"}
            assert line.code == 1000

    play(story)


def test_a_client_without_sound_is_let_go_after_five_minutes() -> None:
    async def story(house: House) -> None:
        async with Doors(house).opened() as line:
            await asyncio.sleep(IDLE_MS / 1000 - 0.1)
            assert await line.take() == []
            await asyncio.sleep(0.2)
            assert await line.take() == [{"type": "session_ended", "reason": "session_closed"}]
            assert line.code == 1000

    play(story)


def test_a_session_ends_after_an_hour() -> None:
    async def story(house: House) -> None:
        async with Doors(house).opened() as line:
            for _ in range(d.SESSION_MINUTES):
                line.say(bytes(640))
                await asyncio.sleep(60)
            assert (await line.take())[-1] == {"type": "session_ended", "reason": "session_closed"}

    play(story)


def test_a_server_that_stops_says_so() -> None:
    async def story(house: House) -> None:
        doors = Doors(house)
        async with doors.opened() as line:
            assert doors.door.live == 1
            doors.door.close()
            assert await line.take() == [{"type": "session_ended", "reason": "server_shutdown"}]
        assert doors.door.live == 0

    play(story)
