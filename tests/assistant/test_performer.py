import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phone_bridge.assistant import small_talk
from phone_bridge.assistant.performer import CONFIRM_MS
from phone_bridge.assistant.ports import Drop, Expecting, Intent, Mood, Move, Propose, Run, Say, Think
from phone_bridge.call.commands import HandOn, Turn
from phone_bridge.call.events import Affected
from phone_bridge.errors import Unavailable
from phone_bridge.sessions.chronapilot import handing_on
from phone_bridge.sessions.chronapilot import messages as m
from tests.assistant.house import ANSWER, CANCEL, NEXT, House, errors, kinds, play, proposed


def test_a_proposal_comes_after_its_intent_and_holds_no_response_open() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            action = m.ActionProposed(
                id="act_1",
                action=m.ProposedAction(
                    name="cancel_event",
                    parameters={"event_id": "evt_1"},
                    summary="cancel Lunch",
                    effect="calendar_write",
                    affects=(),
                    reversible=True,
                ),
                expires_at="2026-11-21T09:01:00+00:00",
                response_id="rsp_1",
            )
            sent = await proposed(house, client)
            assert kinds(sent) == ["intent.detected", "response.created", "action.proposed", "response.done"]
            assert sent[2] == action
            assert house.script.runs == []

    play(story)


def test_the_ear_gets_ready_for_what_is_new_once_the_answer_is_said() -> None:
    async def story(house: House) -> None:
        house.script.answers["cancel"] = [Say("Which one?")]
        async with house.open() as client:
            await client.say("hello", "again")
            assert house.script.prepared == [Expecting()]
            house.script.expected = Expecting(Mood.WHICH, ("Team meeting",))
            await client.say("cancel")
            assert house.script.prepared == [Expecting(), house.script.expected]

    play(story)


def test_what_is_affected_is_named() -> None:
    async def story(house: House) -> None:
        affected = (Affected("evt_1", "Lunch", "2026-11-21T12:00:00Z"), Affected(title="Tea"))
        action = type(CANCEL)("cancel_event", {}, affects=affected)
        house.script.answers["cancel"] = [Propose("act_1", action, effect="state_write", reversible=False)]
        async with house.open() as client:
            sent = await client.say("cancel")
            assert isinstance(sent[1], m.ActionProposed)
            written = sent[1].action
            assert isinstance(written, m.ProposedAction)
            assert written.affects == (
                m.AffectedThing("evt_1", "Lunch", "2026-11-21T12:00:00Z"),
                m.AffectedThing(title="Tea"),
            )
            assert (written.effect, written.reversible) == ("state_write", False)

    play(story)


def test_consent_runs_exactly_what_was_proposed_once_and_tells_it_again_when_asked_again() -> None:
    async def story(house: House) -> None:
        house.script.results["cancel_event"] = {"ok": True, "resource": {"object": "event", "id": "evt_1"}}
        house.script.answers["confirmed act_1"] = [Say("One moment.")]
        house.script.answers["ran act_1 well"] = [Say("Lunch is off.")]
        async with house.open() as client:
            await proposed(house, client)
            client.tell(m.ActionConfirm("act_1"), m.ActionConfirm("act_1"))
            sent = await client.take()
            executed = next(each for each in sent if isinstance(each, m.ActionExecuted))
            assert (executed.id, executed.event_id, executed.confirmed_by_user) == ("act_1", "evt_1", True)
            assert executed.result == house.script.results["cancel_event"]
            assert executed.resource == {"object": "event", "id": "evt_1"}
            assert kinds(sent).count("action.executed") == 1
            assert kinds([each for each in sent if each is not executed]) == ANSWER * 2
            assert house.script.runs == [("usr_alice", "cancel_event", {"event_id": "evt_1"}, "hub_1:act_1")]

            client.tell(m.ActionConfirm("act_1"))
            assert await client.take() == [executed]
            assert len(house.script.runs) == 1

    play(story)


def test_the_conversation_knows_of_consent_before_it_hears_anything_more() -> None:
    async def story(house: House) -> None:
        house.script.gate = asyncio.Event()
        async with house.open() as client:
            await proposed(house, client)
            client.tell(m.ActionConfirm("act_1"), m.TextAppend("no"))
            await client.take()
            assert house.script.calls == ["cancel lunch", "confirmed act_1", "no"]
            house.script.gate.set()
            await client.take()
            assert house.script.calls[-1] == "ran act_1 well"

    play(story)


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({"ok": False, "error": {"type": "connection_error", "code": "gone", "message": "x"}}, "gone"),
        (Unavailable("the calendar is locked", code="locked"), "locked"),
    ],
)
def test_what_fails_is_said_to_fail(result: Any, code: str) -> None:
    async def story(house: House) -> None:
        house.script.results["cancel_event"] = result
        async with house.open() as client:
            await proposed(house, client)
            client.tell(m.ActionConfirm("act_1"))
            (failed,) = await client.take()
            assert isinstance(failed, m.ActionFailed)
            assert failed.error["code"] == code
            assert house.script.calls[-1] == f"ran act_1 {code}"

    play(story)


def test_a_declined_proposal_is_over() -> None:
    async def story(house: House) -> None:
        house.script.answers["declined act_1"] = [Say("Fine.")]
        async with house.open() as client:
            await proposed(house, client)
            client.tell(m.ActionDecline("act_1"))
            sent = await client.take()
            assert kinds(sent) == ["action.declined", *ANSWER]
            assert sent[0] == m.ActionDeclined("act_1", "client")

            client.tell(m.ActionDecline("act_1"), m.ActionConfirm("act_1"))
            assert errors(await client.take()) == ["action_already_resolved"]
            assert house.script.runs == []

    play(story)


def test_an_action_that_nobody_proposed_is_not_found() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            client.tell(m.ActionConfirm("act_9"), m.ActionDecline("act_9"))
            assert errors(await client.take()) == ["action_not_found"] * 2

    play(story)


@pytest.mark.parametrize(
    ("outcome", "settled"),
    [
        ("declined", m.ActionDeclined("act_1", "spoken_no")),
        ("expired", m.ActionExpired("act_1", "spoken_no")),
    ],
)
def test_the_conversation_may_drop_a_proposal(outcome: str, settled: m.ServerMessage) -> None:
    async def story(house: House) -> None:
        house.script.answers["no"] = [Drop("act_1", outcome, "spoken_no"), Say("Fine.")]
        async with house.open() as client:
            await proposed(house, client)
            sent = await client.say("no")
            assert kinds(sent)[1:] == ANSWER
            assert sent[0] == settled
            assert kinds(await client.say("no")) == ANSWER  # it is dropped once

    play(story)


def test_a_drop_that_comes_after_consent_changes_nothing() -> None:
    async def story(house: House) -> None:
        house.script.answers["no"] = [Drop("act_1", "declined", "spoken_no")]
        async with house.open() as client:
            await proposed(house, client)
            client.tell(m.ActionConfirm("act_1"), m.TextAppend("no"))
            assert kinds(await client.take()) == ["action.executed"]

    play(story)


def test_a_cancel_while_a_proposal_waits_withdraws_it() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            await proposed(house, client)
            client.tell(m.ResponseCancel())
            assert await client.take() == [m.ActionExpired("act_1", "cancelled")]
            client.tell(m.ActionConfirm("act_1"))
            assert errors(await client.take()) == ["action_already_resolved"]
            assert house.script.calls[-1] == "withdrawn act_1"

    play(story)


def test_a_cancel_undoes_nothing_that_is_being_done() -> None:
    async def story(house: House) -> None:
        house.script.gate = asyncio.Event()
        house.script.answers["confirmed act_1"] = [Say("x" * 20)]
        async with house.open() as client:
            await proposed(house, client)
            client.writable.clear()
            client.tell(m.ActionConfirm("act_1"))
            await client.take()
            client.tell(m.ResponseCancel())
            house.script.gate.set()
            client.writable.set()
            assert kinds(await client.take()) == ["response.done", "action.executed"]

    play(story)


def test_a_proposal_waits_for_a_minute() -> None:
    async def story(house: House) -> None:
        house.script.answers["withdrawn act_1"] = [Say("I left it.")]
        async with house.open() as client:
            await proposed(house, client)
            await asyncio.sleep((CONFIRM_MS - 1) / 1000)
            assert await client.take() == []
            await asyncio.sleep(0.002)
            sent = await client.take()
            assert kinds(sent) == ["action.expired", *ANSWER]
            assert sent[0] == m.ActionExpired("act_1", "timeout")

    play(story)


def test_consent_that_comes_too_late_counts_for_nothing_though_the_timer_is_later() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            await proposed(house, client)
            house.late_ms = CONFIRM_MS
            client.tell(m.ActionConfirm("act_1"))
            sent = await client.take()
            assert sent[0] == m.ActionExpired("act_1", "timeout")
            assert errors(sent) == ["action_already_resolved"]
            assert house.script.runs == []

    play(story)


def test_what_is_done_is_what_was_proposed_whatever_became_of_it_meanwhile() -> None:
    async def story(house: House) -> None:
        action = type(CANCEL)("cancel_event", {"event_id": "evt_1"})
        house.script.answers["cancel"] = [Propose("act_1", action)]
        async with house.open() as client:
            await client.say("cancel")
            action.parameters["event_id"] = "evt_2"
            client.tell(m.ActionConfirm("act_1"))
            await client.take()
            assert house.script.runs[0][2] == {"event_id": "evt_1"}

    play(story)


def test_several_proposals_are_settled_in_any_order_and_done_in_the_order_of_consent() -> None:
    async def story(house: House) -> None:
        create = type(CANCEL)("create_event", {"title": "Tea"})
        async with house.open() as client:
            await proposed(house, client, Propose("act_2", create), Propose("act_3", CANCEL))
            client.tell(m.ActionConfirm("act_2"), m.ActionDecline("act_3", "not_now"), m.ActionConfirm("act_1"))
            sent = await client.take()
            assert kinds(sent) == ["action.declined", "action.executed", "action.executed"]
            assert [tool for _, tool, _, _ in house.script.runs] == ["create_event", "cancel_event"]

    play(story)


def test_consent_that_arrived_is_carried_out_although_the_caller_has_gone() -> None:
    async def story(house: House) -> None:
        house.script.gate = asyncio.Event()
        async with house.open() as client:
            await proposed(house, client, Propose("act_2", CANCEL))
            client.tell(m.ActionConfirm("act_1"), m.ActionConfirm("act_2"))
            client.lose()
            await client.take()
            house.script.gate.set()
        assert [key for *_, key in house.script.runs] == ["hub_1:act_1", "hub_1:act_2"]

    play(story)


def test_what_was_not_consented_to_falls_with_the_socket() -> None:
    async def story(house: House) -> None:
        async with house.open() as client:
            await proposed(house, client)
        assert house.script.runs == []

    play(story)


def test_a_tool_beyond_the_scopes_is_not_run() -> None:
    async def story(house: House) -> None:
        house.script.answers["cancel"] = [Run("act_1", CANCEL)]
        async with house.open(scopes=["events:read"]) as client:
            sent = await client.say("cancel")
            assert kinds(sent) == ["response.created", "action.failed", "response.done"]
            assert house.script.runs == []

    play(story)


# The order that clients may rely on


def handed_on(*turns: Turn, answer: bool) -> str:
    return handing_on.write(HandOn(turns, (), answer))


def test_a_conversation_that_goes_on_is_thought_through_again_without_a_word_and_without_a_deed() -> None:
    async def story(house: House) -> None:
        house.script.answers["next"] = [Run("run_1", NEXT), Say("Lunch is next.")]
        house.script.answers["ran run_1 well"] = [Say("It is at noon.")]
        house.script.answers["cancel"] = [Propose("act_1", CANCEL)]
        house.script.answers["quick"] = [Run("run_2", CANCEL)]
        async with house.open() as client:
            told = [Turn("caller", text) for text in ("next", "cancel", "quick")]
            sent = await client.say(handed_on(*told, Turn("assistant", "Done."), answer=False))
            assert sent == []
            assert house.script.calls == ["next", "ran run_1 well", "cancel", "withdrawn act_1", "quick"]
            assert [run[1] for run in house.script.runs] == ["get_next_event"]

    play(story)


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ((Turn("assistant", "Hello."), Turn("caller", "next")), "Lunch is next."),
        ((Turn("caller", "next"), Turn("assistant", "Lunch is next.")), small_talk.BACK),
        ((), small_talk.BACK),
    ],
)
def test_the_callers_last_words_are_answered_where_nobody_has_answered_them(turns: tuple[Turn, ...], said: str) -> None:
    async def story(house: House) -> None:
        house.script.answers["next"] = [Say("Lunch is next.")]
        async with house.open() as client:
            sent = await client.say(handed_on(*turns, answer=True))
            assert kinds(sent) == ANSWER
            assert isinstance(sent[1], m.AudioTranscriptDelta)
            assert sent[1].text.strip() == said

    play(story)


def check_order(sent: list[m.ServerMessage]) -> None:
    """Check every promise of PROTOCOL.md on what one session sent."""
    running: set[str | None] = set()
    over: set[str | None] = set()
    proposed_ids: list[str] = []
    settled: dict[str | None, m.ServerMessage] = {}
    for message in sent:
        match message:
            case m.ResponseCreated(name):
                assert not running
                assert name not in over
                running.add(name)
            case m.AudioDelta(_, name) | m.AudioTranscriptDelta(_, name) | m.ActionProposed(response_id=name):
                assert name in running
            case m.ResponseDone(response):
                running.remove(response["id"])
                over.add(response["id"])
            case _:
                pass
        match message:
            case m.ActionProposed(id=action_id):
                assert action_id not in proposed_ids
                proposed_ids.append(action_id)
            case m.ActionExecuted(id=action_id, confirmed_by_user=True):
                assert action_id in proposed_ids
                assert settled.setdefault(action_id, message) == message
            case m.ActionDeclined(action_id) | m.ActionExpired(action_id):
                assert action_id in proposed_ids
                assert action_id not in settled
                settled[action_id] = message
            case _:
                pass


ids = st.sampled_from(["act_1", "act_2", "act_3"])
moves = st.one_of(
    st.builds(Say, st.sampled_from(["Yes.", "x" * 20])),
    st.builds(Run, st.just("act_9"), st.just(NEXT)),
    st.builds(Drop, ids, st.sampled_from(["declined", "expired"]), st.just("spoken")),
)
client_steps = st.one_of(
    st.builds(m.TextAppend, st.sampled_from(["one", "two", "cancel lunch"])),
    st.builds(m.ActionConfirm, ids),
    st.builds(m.ActionDecline, ids),
    st.just(m.ResponseCancel()),
    st.sampled_from([0.0, 0.01, 61.0]),  # let things happen, or time pass
    st.booleans(),  # read, or read no more
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(moves, max_size=4), st.lists(moves, max_size=4), st.lists(client_steps, max_size=14))
def test_whatever_a_client_does_the_order_holds_and_nothing_is_done_twice(
    one: list[Any], two: list[Any], history: list[Any]
) -> None:
    async def story(house: House) -> None:
        script = house.script
        script.answers = {"one": one, "two": two, "ran act_1 well": [Say("Done.")], "withdrawn act_2": [Say("Left.")]}
        script.answers["cancel lunch"] = [
            Intent("cancel_event", 1.0, {}),
            *(Propose(f"act_{n}", CANCEL) for n in (1, 2, 3)),
        ]
        sent: list[m.ServerMessage] = []
        async with house.open(ttl_seconds=300) as client:
            for step in history:
                match step:
                    case True:
                        client.writable.set()
                    case False:
                        client.writable.clear()
                    case float():
                        await asyncio.sleep(step)
                    case m.TextAppend("cancel lunch") if "cancel lunch" in script.calls:
                        pass  # ids are new each time in a real conversation
                    case _:
                        client.tell(step)
                sent += await client.take()
        check_order(sent)
        keys = [key for *_, key in script.runs if key != "hub_1:act_9"]
        assert len(keys) == len(set(keys))

    play(story)


def test_an_answer_that_is_waited_for_is_spoken_as_it_comes() -> None:
    async def story(house: House) -> None:
        house.script.results["get_next_event"] = {"ok": True}
        gate = asyncio.Event()

        async def think() -> AsyncGenerator[Move, None]:
            yield Say("One moment.")
            yield Run("act_1", NEXT)
            assert "ran act_1 well" in house.script.calls
            await gate.wait()
            yield Say("Done.")

        house.script.answers["think"] = [Think(think)]
        async with house.open() as client:
            sent = await client.say("think")
            assert kinds(sent) == [*ANSWER[:3], "action.executed"]
            gate.set()
            assert kinds(await client.take()) == ANSWER[1:]

    play(story)


def test_who_cancels_an_answer_that_is_waited_for_hears_no_more_of_it() -> None:
    async def story(house: House) -> None:
        ended = []

        async def think() -> AsyncGenerator[Move, None]:
            try:
                yield Say("One.")
                await asyncio.sleep(10)
                yield Say("Two.")
                yield Run("act_1", NEXT)
            finally:
                ended.append(True)

        house.script.answers["think"] = [Think(think)]
        async with house.open() as client:
            await client.say("think")
            client.tell(m.ResponseCancel())
            assert kinds(await client.take()) == ["response.done"]
            await asyncio.sleep(11)
            assert ended
            assert house.script.runs == []
            assert kinds(await client.take()) == []

    play(story)
