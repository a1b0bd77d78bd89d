"""The Voice SDK's door and our own client of it, joined in memory."""

import asyncio
import json

from phone_bridge import voice_sdk as w
from phone_bridge.assistant.ports import Propose, Say
from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.call import events as e
from phone_bridge.call.commands import Answer, AnsweredBy, CancelReply, Listen, SessionCommand, Verdict
from phone_bridge.call.permit import Permit
from phone_bridge.exchange import Response
from phone_bridge.sessions.voice_sdk import VoiceSdk
from tests.assistant.house import CANCEL, House, play
from tests.assistant.lines import Line
from tests.assistant.test_sdk_door import Doors
from tests.clock import settle

LOUD = linear_to_ulaw(b"\x00\x20" * 160)
QUIET = b"\xff" * 160


class Caller:
    """A leg that speaks mu-law, joined to an open session."""

    def __init__(self, house: House, doors: Doors, line: Line) -> None:
        self.house = house
        self.line = line
        dialect = VoiceSdk(base_url="http://bridge.test", key="key")
        ticket = dialect.minted(Response(status=200, body=doors.door.token().body))
        self.wire = dialect.wire(PCMU_8K)
        self.facts: list[e.Event] = []
        line.say(*ticket.opening)

    async def do(self, *commands: SessionCommand) -> list[e.Event]:
        """Do these duties, and take the facts that come of them."""
        now = self.house.clocks.now()
        for command in commands:
            self.wire.send(command, now)
        self.line.say(*self.wire.outgoing())
        facts = self.wire.expire(now)
        for message in await self.line.take():
            facts += self.wire.receive(message if isinstance(message, bytes) else json.dumps(message), now)
        self.line.say(*self.wire.outgoing())
        await settle()
        self.facts += facts
        return facts

    async def live(self, seconds: float, audio: bytes = QUIET) -> list[e.Event]:
        """Let time pass on the line, 20 ms by 20 ms."""
        facts: list[e.Event] = []
        for _ in range(round(seconds * 50)):
            facts += await self.do(Listen(audio))
            await asyncio.sleep(0.02)
        return facts

    async def speak(self, words: str) -> list[e.Event]:
        self.house.script.words.append(words)
        return [*await self.live(0.4, LOUD), *await self.live(1.6)]


def test_a_caller_asks_changes_something_and_interrupts() -> None:
    async def story(house: House) -> None:
        answers = house.script.answers
        answers["what is next"] = [Say("Lunch is next.")]
        answers["cancel it"] = [Propose("act_1", CANCEL)]
        answers["ran act_1 well"] = [Say("x" * 200)]
        doors = Doors(house)
        async with doors.entered() as line:
            caller = Caller(house, doors, line)
            await caller.live(0.1)
            assert e.SessionOpened() in caller.facts

            facts = await caller.speak("what is next")
            assert e.CallerSaid("what is next") in facts
            assert e.AssistantSaid("#1", "Lunch is next.") in facts
            spoken = b"".join(fact.audio for fact in facts if isinstance(fact, e.AssistantSpoke))
            assert abs(PCMU_8K.ms(len(spoken)) - 60 * len("Lunch is next.")) <= w.FRAME_MS + 5
            assert e.ReplyEnded("#1") in [*facts, *await caller.live(1)]

            facts = await caller.speak("cancel it")
            (asked,) = [fact for fact in facts if isinstance(fact, e.ConfirmationAsked)]
            assert asked.action == CANCEL
            yes = Answer(asked.id, CANCEL, Verdict.CONFIRMED, AnsweredBy.SPEECH, permit=Permit(CANCEL, 0))
            facts = [*await caller.do(yes), *await caller.live(0.5)]
            (settled,) = [fact for fact in facts if isinstance(fact, e.ActionSettled)]
            assert (settled.id, settled.outcome) == (asked.id, "executed")
            assert len(house.script.runs) == 1

            (began,) = [fact for fact in facts if isinstance(fact, e.ReplyStarted)]
            await caller.do(CancelReply(began.item))
            facts = await caller.speak("stop")
            assert not [fact for fact in facts if isinstance(fact, e.AssistantSpoke)]
            assert e.ReplyEnded(began.item, "cancelled") in caller.facts

    play(story)
