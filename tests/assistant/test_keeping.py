"""A talk over all sockets of its session, and what webhooks are told of the session."""

import asyncio

import pytest

from phone_bridge.assistant.keeping import KEPT_MS
from phone_bridge.assistant.ports import Run
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.tools.catalogue import Policy
from tests.assistant.house import NEXT, House, errors, kinds, play, proposed

KEPT_S = KEPT_MS / 1000


def told(house: House) -> list[str]:
    return [each.type.removeprefix("voice.") for each in house.told]


def test_who_comes_back_in_time_goes_on_with_the_same_talk() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token) as client:
            await client.say("hello")
        await asyncio.sleep(KEPT_S - 1)
        async with house.open(token) as client:
            await client.say("again")
        assert len(house.script.conversed) == 1
        await asyncio.sleep(KEPT_S + 1)
        async with house.open(token) as client:
            await client.say("anew")
        assert len(house.script.conversed) == 2

    play(story)


def test_what_was_proposed_on_the_lost_socket_has_fallen() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token) as client:
            await proposed(house, client)
        async with house.open(token) as client:
            await client.say("hello")
            assert house.script.calls == ["cancel lunch", "withdrawn act_1", "hello"]
            client.tell(m.ActionConfirm("act_1"))
            assert errors(await client.take()) == ["action_not_found"]
        assert house.script.runs == []

    play(story)


def test_what_was_confirmed_is_done_once_although_the_socket_goes_and_it_is_told() -> None:
    async def story(house: House) -> None:
        house.script.gate = asyncio.Event()
        token = house.token()
        opened = house.open(token)
        client = await opened.__aenter__()
        await proposed(house, client)
        client.tell(m.ActionConfirm("act_1"), m.ActionConfirm("act_1"))
        client.lose()
        house.script.results["cancel_event"] = {"ok": True, "resource": {"object": "event", "id": "evt_1"}}
        house.script.gate.set()
        await opened.__aexit__(None, None, None)
        assert [run[3] for run in house.script.runs] == ["hub_1:act_1"]
        (executed,) = [each for each in house.told if each.type == "voice.action_executed"]
        assert dict(executed.object) == {
            "session_id": "hub_1",
            "user_id": "usr_alice",
            "action": "cancel_event",
            "event_id": "evt_1",
            "confirmed_by_user": True,
        }

    play(story)


def test_a_newer_socket_takes_the_talk_over() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token) as older:
            await older.say("hello")
            async with house.open(token) as newer:
                await newer.say("again")
        assert len(house.script.conversed) == 1
        assert house.script.calls == ["hello", "again"]

    play(story)


def test_other_tools_are_another_talk() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token) as client:
            await client.say("hello")
        async with house.open(token) as client:
            client.tell(m.SessionUpdate(session=m.SessionSettings(tools=("get_next_event",))))
            await client.say("hello")
        assert len(house.script.conversed) == 2

    play(story)


@pytest.mark.parametrize(("wish", "policy"), [({}, Policy.DEFAULT), ({"confirm": "all"}, Policy.ALL)])
def test_what_waits_for_consent_is_said_at_the_mint(wish: dict[str, str], policy: Policy) -> None:
    async def story(house: House) -> None:
        async with house.open(**wish) as client:
            await client.say("hello")
        assert house.script.policies == [policy]

    play(story)


def test_a_session_is_told_of_when_it_opens_and_when_it_is_over_for_good() -> None:
    async def story(house: House) -> None:
        token = house.token()
        async with house.open(token):
            assert told(house) == ["session_started"]
            await asyncio.sleep(5)
        assert told(house) == ["session_started"]
        async with house.open(token):
            await asyncio.sleep(2)
        await asyncio.sleep(KEPT_S)
        assert told(house) == ["session_started", "session_ended"]
        assert dict(house.told[-1].object) == {
            "session_id": "hub_1",
            "user_id": "usr_alice",
            "duration_seconds": 7,
            "closed_reason": "error",
        }

    play(story)


def test_a_session_that_nobody_can_come_back_to_is_told_to_be_over_at_once() -> None:
    async def story(house: House) -> None:
        async with house.open():
            house.service.delete({"authorization": "Bearer sk_test_bridge"}, "hub_1")
        assert told(house) == ["session_started", "session_ended"]
        assert house.told[-1].object["closed_reason"] == "api_close"
        async with house.open():
            house.service.close()
        assert told(house)[2:] == ["session_started", "session_ended"]
        assert house.told[-1].object["closed_reason"] == "server_shutdown"
        assert len({(each.type, each.deed) for each in house.told}) == 4

    play(story)


def test_what_reads_is_told_without_consent_and_what_fails_is_not_told() -> None:
    async def story(house: House) -> None:
        house.script.answers["next"] = [Run("act_7", NEXT)]
        async with house.open() as client:
            assert "action.executed" in kinds(await client.say("next"))
            house.script.results["get_next_event"] = {"ok": False, "error": {"code": "tool_timeout"}}
            await client.say("next")
        executed = [each.object for each in house.told if each.type == "voice.action_executed"]
        assert [(each["action"], each["confirmed_by_user"]) for each in executed] == [("get_next_event", False)]

    play(story)
