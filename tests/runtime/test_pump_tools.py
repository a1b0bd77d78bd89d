"""A pump whose session's model calls functions: what still runs when the call ends."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.events import Action
from phone_bridge.call.machine import Call
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Asked
from phone_bridge.exchange import Request, Response
from phone_bridge.legs.twilio.stream import TwilioStream
from phone_bridge.offers import Effect
from phone_bridge.runtime.connect import Connector
from phone_bridge.runtime.pump import FAREWELL_SECONDS, Pump
from phone_bridge.runtime.sockets import Socket
from phone_bridge.runtime.toolbox import Ran, Tools
from phone_bridge.sessions.realtime import Realtime
from tests.clock import run_virtual
from tests.runtime.joined import joined
from tests.runtime.pumping import LINE_MS, Carrier, Voice, sound_of, start_of
from tests.runtime.test_toolbox import FACTS, Box, offer
from tests.sessions.realtime.model import Call as Calling
from tests.sessions.realtime.model import Model


class NoHttp:
    async def exchange(self, request: Request, *, timeout_ms: int) -> Response:
        raise AssertionError("nothing is minted")


class Slow(Box):
    async def prepare(self, user_id: str, action: Action) -> Action | Ran:
        return action


async def hung_up_while_it_runs(takes: float) -> tuple[Asked, float]:
    """Have a deed confirmed that takes its time, hang up at once, and see how the call ends."""
    loop = asyncio.get_running_loop()
    tools = Tools([Slow(offer("write", Effect.WRITE, seconds=5.0), "written", takes)], FACTS)
    near, far = joined()
    carrier = Carrier(far.socket, start_of("1"))

    async def dial(url: str, *, headers: Mapping[str, str], subprotocols: Sequence[str], timeout_ms: int) -> Socket:
        ours, theirs = joined()
        model = Model(
            theirs.socket,
            lambda talk: [Calling("write")],
            words=deque(),
            speak=sound_of,
            format=PCMU_8K,
        )
        loop.call_later(1.5, model._respond)
        return ours.socket

    call = Call(PCMU_8K, Rules(effects=tools.effects), 0)
    pump = Pump(
        call,
        TwilioStream(start_of("1")),
        near.socket,
        dialect=Realtime(url="ws://test", offers=tools.offers),
        connector=Connector(NoHttp(), dial=dial),
        prompts=Voice(),
        clock=loop.time,
        tools=tools,
    )
    running = asyncio.create_task(pump.run())
    await asyncio.sleep((1_500 + 300 + 2 * LINE_MS + 500) / 1000)
    carrier.press("1")
    await asyncio.sleep(0.1)
    carrier.hang_up()
    began = loop.time()
    await running
    (asked,) = pump.trace.actions
    assert asked.verdict == "confirmed"
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return asked, loop.time() - began


def test_what_was_consented_to_comes_to_its_end_though_the_caller_has_gone() -> None:
    asked, took = run_virtual(hung_up_while_it_runs(0.5))
    assert (asked.outcome, asked.result) == ("executed", "written")
    assert took == pytest.approx(0.4, abs=0.05)


def test_nobody_waits_longer_for_it_than_a_call_may_take_to_end() -> None:
    asked, took = run_virtual(hung_up_while_it_runs(4.0))
    assert (asked.outcome, asked.result) == ("", None)
    assert took == pytest.approx(FAREWELL_SECONDS, abs=0.05)
