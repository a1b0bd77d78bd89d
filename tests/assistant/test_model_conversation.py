"""A talk that a scripted model leads, the session's part played by hand; the calendar is the demonstration's."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.assistant.calendar.demo import ALICE
from phone_bridge.assistant.chat_completions import ToolCall
from phone_bridge.assistant.model_conversation import MESSAGES_KEPT, ROUNDS_MAX, ModelConversation
from phone_bridge.assistant.ports import Drop, HangUp, Intent, Mood, Move, Propose, Run, Say, Think
from phone_bridge.errors import RemoteError, Unavailable
from phone_bridge.tools.calendar import CALENDAR_TOOLS, Prepared
from phone_bridge.tools.catalogue import Catalogue, Tool
from tests.assistant.talking import Talk

Answer = str | list[ToolCall] | Exception | tuple[str, Exception]


def call(name: str, **parameters: Any) -> list[ToolCall]:
    return [ToolCall(f"call_{name}", name, json.dumps(parameters))]


class Coming:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.calls = answer if isinstance(answer, list) else []

    async def words(self) -> AsyncIterator[str]:
        if isinstance(self._answer, str):
            for word in self._answer.split(" "):
                yield f"{word} "
        elif isinstance(self._answer, tuple):
            text, error = self._answer
            yield text
            raise error


class ModelTalk:
    """The session's part: does moves, runs tools, and leaves proposals to the test."""

    def __init__(self, tmp_path: Path, *answers: Answer, tools: Sequence[str] = ()) -> None:
        self.talk = Talk(tmp_path)
        self.answers = deque(answers)
        self.asked: list[list[Mapping[str, Any]]] = []
        self.offered: list[str] = []
        self.moves: list[Move] = []
        numbers = count(1)
        catalogue = Catalogue(tool for tool in CALENDAR_TOOLS if not tools or tool.name in tools)
        self.conversation = ModelConversation(
            self.talk.conversation,
            self._ask,
            self._prepare,
            catalogue,
            "America/New_York",
            lambda: f"act_{next(numbers)}",
        )

    @asynccontextmanager
    async def _ask(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Tool]) -> AsyncGenerator[Coming, None]:
        self.asked.append(list(messages))
        self.offered = [tool.name for tool in tools]
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        yield Coming(answer)

    async def _prepare(self, tool: str, parameters: Mapping[str, Any]) -> Prepared | Mapping[str, Any]:
        return await self.talk.tools.prepare(ALICE.id, tool, parameters)

    @property
    def said(self) -> list[str]:
        return [move.text for move in self.moves if isinstance(move, Say)]

    def all(self, kind: type[Any]) -> list[Any]:
        return [move for move in self.moves if isinstance(move, kind)]

    def say(self, text: str) -> list[str]:
        self.moves = []
        asyncio.run(self._do(self.conversation.heard(text, self.talk.now)))
        return self.said

    def bring(self, moves: list[Move]) -> list[str]:
        self.moves = []
        asyncio.run(self._do(moves))
        return self.said

    def propose(self, text: str) -> Propose:
        self.say(text)
        (proposal,) = self.all(Propose)
        assert isinstance(proposal, Propose)
        return proposal

    async def _do(self, moves: list[Move]) -> None:
        for move in moves:
            if isinstance(move, Think):
                async with aclosing(move.moves()) as coming:
                    async for each in coming:
                        await self._do([each])
                continue
            self.moves.append(move)
            if isinstance(move, Run):
                result = await self.talk.tools.run(ALICE.id, move.action.name, move.action.parameters, key=move.id)
                await self._do(self.conversation.ran(move.id, result, self.talk.now))

    def results(self) -> list[Any]:
        return [json.loads(message["content"]) for message in self.asked[-1] if message["role"] == "tool"]


def next_event_id(talk: ModelTalk) -> str:
    result = asyncio.run(talk.talk.tools.run(ALICE.id, "get_next_event", {}, key="k"))
    found: str = result["event"]["id"]
    return found


def proposing(tmp_path: Path, *later: Answer) -> tuple[ModelTalk, Propose]:
    """A talk in which the model has proposed to cancel the next event."""
    tmp_path.mkdir(exist_ok=True)
    talk = ModelTalk(tmp_path, call("get_next_event"))
    talk.answers.extend([call("cancel_event", event_id=next_event_id(talk)), *later])
    return talk, talk.propose("cancel my next thing")


def test_a_plain_answer_is_said_sentence_by_sentence(tmp_path: Path) -> None:
    talk = ModelTalk(tmp_path, "Good morning. How can I help?")
    assert talk.say("hi there") == ["Good morning.", "How can I help?"]
    rules, turn = talk.asked[0]
    assert "Tuesday, 2026-11-24" in rules["content"]
    assert "America/New_York" in rules["content"]
    assert turn == {"role": "user", "content": "hi there"}
    assert "cancel_event" in talk.offered


def test_what_is_looked_up_is_run_and_told_to_the_model(tmp_path: Path) -> None:
    talk = ModelTalk(tmp_path, call("get_next_event"), "It is the review.")
    assert talk.say("what comes next") == ["It is the review."]
    kinds = [type(move) for move in talk.moves]
    assert kinds == [Intent, Run, Say]
    (result,) = talk.results()
    assert result["ok"]
    assert talk.asked[1][-2]["tool_calls"][0]["id"] == talk.asked[1][-1]["tool_call_id"]


def test_a_write_is_proposed_and_never_run_by_the_model(tmp_path: Path) -> None:
    talk, proposal = proposing(tmp_path)
    assert proposal.action.name == "cancel_event"
    assert proposal.action.summary
    assert proposal.action.affects[0].id == proposal.action.parameters["event_id"]
    assert [run.action.name for run in talk.all(Run)] == ["get_next_event"]
    assert talk.conversation.expecting().mood is Mood.CONSENT


def test_what_was_confirmed_is_told_in_the_calendars_own_words(tmp_path: Path) -> None:
    talk, proposal = proposing(tmp_path, "Anything else?")
    assert talk.bring(talk.conversation.confirmed(proposal.id, talk.talk.now)) == []
    result = asyncio.run(talk.talk.tools.run(ALICE.id, "cancel_event", proposal.action.parameters, key="x"))
    (told, *_) = talk.bring(talk.conversation.ran(proposal.id, result, talk.talk.now))
    assert told
    talk.say("thanks, what now")
    assert told in str(talk.asked[-1])


def test_a_yes_does_nothing_a_no_drops_and_another_wish_replaces(tmp_path: Path) -> None:
    talk, proposal = proposing(tmp_path, "On which day?")
    assert talk.bring(talk.conversation.heard("yes go ahead", talk.talk.now)) == []
    assert talk.bring(talk.conversation.heard("", talk.talk.now)) == []
    assert not talk.moves
    talk.say("no leave it")
    assert talk.all(Drop) == [Drop(proposal.id, "declined", "spoken_no")]
    assert talk.conversation.expecting().mood is Mood.WISH

    talk, proposal = proposing(tmp_path / "again", "On which day?")
    assert talk.say("no wait create a meeting with bob") == ["On which day?"]
    assert talk.all(Drop) == [Drop(proposal.id, "expired", "replaced")]


def test_verdicts_of_the_client_are_followed(tmp_path: Path) -> None:
    talk, proposal = proposing(tmp_path)
    assert talk.bring(talk.conversation.declined(proposal.id, talk.talk.now)) == [
        "All right, I left everything as it is."
    ]
    talk, proposal = proposing(tmp_path / "again")
    assert talk.bring(talk.conversation.withdrawn(proposal.id, talk.talk.now)) == []
    assert talk.conversation.expecting().mood is Mood.WISH
    talk, proposal = proposing(tmp_path / "refused")
    refused = {"ok": False, "error": {"code": "authorization_failed", "message": "Not on this line."}}
    assert talk.bring(talk.conversation.ran(proposal.id, refused, talk.talk.now))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (call("launch_rocket"), "no tool 'launch_rocket'"),
        (call("cancel_event", event_id="evt_invented"), "no such event"),
        (call("cancel_event"), "missing required field"),
        (call("get_next_event", colour="blue"), "unknown field"),
        ([ToolCall("c", "get_next_event", "{")], "not JSON"),
    ],
)
def test_a_wrong_call_is_told_to_the_model_and_not_done(tmp_path: Path, wrong: list[ToolCall], told: str) -> None:
    talk = ModelTalk(tmp_path, wrong, "Sorry.")
    assert talk.say("do something") == ["Sorry."]
    assert not talk.all(Run)
    assert not talk.all(Propose)
    (result,) = talk.results()
    assert told in result["error"]["message"]


def test_tools_that_are_not_allowed_are_not_offered(tmp_path: Path) -> None:
    talk = ModelTalk(tmp_path, call("create_event", title="X"), "I may not.", tools=["get_next_event"])
    talk.say("create something")
    assert talk.offered == ["get_next_event"]
    assert not talk.all(Propose)


def test_one_change_at_a_time_is_proposed(tmp_path: Path) -> None:
    times = {"start_time": "2026-11-25T10:00:00-05:00", "duration_minutes": 30}
    both = [*call("create_event", title="One", **times), *call("create_event", title="Two", **times)]
    talk = ModelTalk(tmp_path, both)
    assert talk.propose("create one and two").action.parameters["title"] == "One"


@pytest.mark.parametrize(
    "failure",
    [Unavailable("no model today"), RemoteError("nonsense"), "", [*call("launch_rocket")] * 1],
    ids=["unavailable", "nonsense", "nothing", "no end"],
)
def test_where_the_model_fails_the_grammar_answers_the_same_turn(tmp_path: Path, failure: Answer) -> None:
    rounds = ROUNDS_MAX if isinstance(failure, list) else 1
    talk = ModelTalk(tmp_path, *[failure] * rounds)
    (answer,) = talk.say("when is my next meeting")
    assert "Project review" in answer


def test_a_model_that_breaks_off_is_followed_by_the_grammar(tmp_path: Path) -> None:
    talk = ModelTalk(tmp_path, ("Let me see. Well", Unavailable("gone")), "Fine.")
    first, *rest = talk.say("when is my next meeting")
    assert first == "Let me see."
    assert "Project review" in " ".join(rest)
    talk.say("and then")
    assert "Let me see." in str(talk.asked[-1])


def test_a_proposal_of_the_grammars_is_settled_by_the_grammar(tmp_path: Path) -> None:
    talk = ModelTalk(tmp_path, Unavailable("gone"))
    proposal = talk.propose("cancel the piano lesson")
    assert talk.say("no") == ["All right, I left everything as it is."]
    assert talk.all(Drop) == [Drop(proposal.id, "declined", "spoken_no")]


def test_goodbye_and_silence_need_no_model(tmp_path: Path) -> None:
    talk = ModelTalk(tmp_path)
    assert talk.say("") != []
    talk.say("goodbye")
    assert isinstance(talk.moves[-1], HangUp)


def test_who_interrupts_leaves_a_talk_that_the_service_will_take(tmp_path: Path) -> None:
    talk = ModelTalk(tmp_path, [*call("get_next_event"), *call("get_day_overview")], "Yes?")

    async def interrupt() -> None:
        (think,) = talk.conversation.heard("what comes next", talk.talk.now)
        assert isinstance(think, Think)
        async with aclosing(think.moves()) as coming:
            async for move in coming:
                if isinstance(move, Run):
                    return

    asyncio.run(interrupt())
    talk.say("wait")
    called = [each["id"] for each in talk.asked[-1][2]["tool_calls"]]
    answered = [message["tool_call_id"] for message in talk.asked[-1] if message["role"] == "tool"]
    assert called == answered


def test_the_talk_that_is_told_again_has_an_end_and_begins_with_a_turn(tmp_path: Path) -> None:
    turns = MESSAGES_KEPT
    talk = ModelTalk(tmp_path, *["Yes."] * turns)
    for number in range(turns):
        talk.say(f"tell me fact {number}")
    told = talk.asked[-1][1:]
    assert len(told) <= MESSAGES_KEPT
    assert told[0]["role"] == "user"
