"""The bridge's own wire on one end of the socket, the voice service on the other: a whole call in memory."""

import asyncio

import pytest

from phone_bridge.assistant.ports import HangUp, Intent, Propose, Run, Say
from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.call import events as e
from phone_bridge.call.commands import Answer, AnsweredBy, CancelReply, Listen, SessionCommand, Verdict
from phone_bridge.call.permit import Permit
from phone_bridge.sessions.chronapilot import ChronaPilot, ChronaPilotWire
from phone_bridge.sessions.chronapilot import messages as m
from tests.assistant.house import CANCEL, NEXT, PLAIN, Client, House, play

LOUD = linear_to_ulaw(b"\x00\x20" * 160)
QUIET = b"\xff" * 160


class Caller:
    """A leg that speaks mu-law, joined to an open session."""

    def __init__(self, house: House, client: Client, output_format: str) -> None:
        self.house = house
        self.client = client
        settings = ChronaPilot(
            base_url="http://bridge.test", key=PLAIN["bridge"], user_id="usr_alice", output_format=output_format
        )
        self.wire: ChronaPilotWire = settings.wire(PCMU_8K)
        self.facts: list[e.Event] = self.wire.receive(m.encode(m.SessionCreated(m.SessionState(id="hub_1"))), self.now)

    @property
    def now(self) -> int:
        return self.house.clocks.now()

    async def do(self, *commands: SessionCommand) -> list[e.Event]:
        for command in commands:
            self.wire.send(command, self.now)
        self.client.tell(*self.wire.outgoing())
        facts: list[e.Event] = []
        while sent := await self.client.take():
            for message in sent:
                facts += self.wire.receive(m.encode(message), self.now)
            self.client.tell(*self.wire.outgoing())
        self.facts += facts
        return facts

    async def speak(self, words: str) -> list[e.Event]:
        self.house.script.words.append(words)
        facts: list[e.Event] = []
        for audio in [*[LOUD] * 20, *[QUIET] * 30]:
            facts += await self.do(Listen(audio))
            await asyncio.sleep(0.02)
        return facts


@pytest.mark.parametrize("output_format", ["pcm16", "g711_ulaw"])
def test_a_caller_asks_changes_something_and_says_goodbye(output_format: str) -> None:
    async def story(house: House) -> None:
        answers = house.script.answers
        answers["what is next"] = [Intent("get_next_event", 1.0, {}), Run("act_1", NEXT)]
        answers["ran act_1 well"] = [Say("Lunch is next.")]
        answers["cancel it"] = [Intent("cancel_event", 0.9, {"event_id": "evt_1"}), Propose("act_2", CANCEL)]
        answers["ran act_2 well"] = [Say("Lunch is off.")]
        answers["goodbye"] = [Say("Goodbye."), HangUp()]
        async with house.open() as client:
            caller = Caller(house, client, output_format)
            await caller.do()
            assert e.SessionOpened("hub_1") in caller.facts
            assert not [fact for fact in caller.facts if isinstance(fact, e.SessionTrouble)]

            asked_at = caller.now
            facts = await caller.speak("what is next")
            started = next(fact for fact in facts if isinstance(fact, e.VoiceStarted))
            assert asked_at <= started.at + 120  # said at most one anchor too early, never too late
            assert started.at <= asked_at + 20
            assert e.CallerSaid("what is next") in facts
            assert e.AssistantSaid("rsp_1", "Lunch is next.") in facts
            spoken = b"".join(fact.audio for fact in facts if isinstance(fact, e.AssistantSpoke))
            assert abs(PCMU_8K.ms(len(spoken)) - 60 * len("Lunch is next.")) <= 5
            assert facts[-1] == e.ReplyEnded("rsp_1")

            facts = await caller.speak("cancel it")
            asked = next(fact for fact in facts if isinstance(fact, e.ConfirmationAsked))
            assert (asked.id, asked.action) == ("act_2", CANCEL)
            assert await caller.do(CancelReply("rsp_2")) == []  # a cancel would withdraw the question
            permit = Permit(asked.action, 0)
            facts = await caller.do(Answer("act_2", asked.action, Verdict.CONFIRMED, AnsweredBy.DIGIT, "", permit))
            assert isinstance(facts[0], e.ActionSettled)
            assert (facts[0].id, facts[0].outcome) == ("act_2", "executed")
            assert e.AssistantSaid("rsp_3", "Lunch is off.") in facts
            assert len(house.script.runs) == 2

            assert e.AssistantSaid("rsp_4", "Goodbye.") in await caller.speak("goodbye")
            assert client.closed is not None
            assert caller.wire.closed(*client.closed) == e.SessionClosed("ended")

    play(story)


def test_a_key_refusal_reaches_the_conversation_as_words() -> None:
    async def story(house: House) -> None:
        house.script.answers["cancel it"] = [Propose("act_1", CANCEL)]
        async with house.open() as client:
            caller = Caller(house, client, "pcm16")
            facts = await caller.speak("cancel it")
            asked = next(fact for fact in facts if isinstance(fact, e.ConfirmationAsked))
            await caller.do(Answer("act_1", asked.action, Verdict.DECLINED, AnsweredBy.DIGIT, "No."))
            assert house.script.calls == ["cancel it", "No."]
            assert house.script.runs == []

    play(story)
