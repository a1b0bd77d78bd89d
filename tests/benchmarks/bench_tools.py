"""What a tool adds to an answer: from a Realtime model's call of a function to the function's result, on a live call.

The tools only look, so nothing is asked: what is measured is the bridge's own way to the calendar in its database and
back, while every caller's line goes on sounding.
"""

import asyncio
import time
from itertools import cycle
from random import Random

import msgspec

from phone_bridge.sessions.realtime import messages as m
from tests.benchmarks.far_ends import Ends, World
from tests.benchmarks.listener import ExactCaller
from tests.benchmarks.load import Ear, Marks, Pacer, percentile, speech
from tests.benchmarks.tables import table

TOOLS = {"get_next_event": "{}", "get_day_overview": "{}", "search_events": '{"query":"dentist"}'}
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.3


class Model:
    """The session's end of one call."""

    def __init__(self, ends: Ends) -> None:
        self._socket = ends.session
        self._results: dict[str, asyncio.Future[float]] = {}
        self._socket.attach(Ear(self._message, lambda code, reason: None))

    async def call(self, number: int, tool: str) -> float:
        """Call a function once; return the milliseconds until its result."""
        call_id = f"call_{number}"
        result: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._results[call_id] = result
        item = m.Item(id=f"item_{number}", type="function_call", call_id=call_id, name=tool, arguments=TOOLS[tool])
        response = m.Response(id=f"resp_{number}", status="completed", output=(item,))
        self._socket.send(m.encode(m.ResponseCreated(response=m.Response(id=f"resp_{number}"))))
        began = time.perf_counter()
        self._socket.send(m.encode(m.OutputItemDone(item=item, response_id=f"resp_{number}")))
        self._socket.send(m.encode(m.ResponseDone(response=response)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await result - began) * 1000

    def _message(self, data: str | bytes) -> None:
        if isinstance(data, str) and "function_call_output" in data:
            item = msgspec.json.decode(data, type=_Given).item
            if item.call_id in self._results and '"ok":true' in (item.output or "").replace(" ", ""):
                self._results[item.call_id].set_result(time.perf_counter())


class _Given(msgspec.Struct, frozen=True):
    item: m.Item


async def call_tools(world: World, calls: int, rounds: int, *, seed: int = 1) -> dict[str, list[float]]:
    """Call every tool ``rounds`` times on each of so many calls; return what each took, in milliseconds."""
    marks, pacer, frames = Marks(), Pacer(), speech()
    random = Random(seed)  # noqa: S311 - the same disorder in every run
    pacer.each_ms.append(marks.turn)
    models = []
    for ends in await world.ring(calls):
        caller = ExactCaller(ends, cycle(frames), marks, float)
        pacer.every_frame(caller.speak)
        pacer.each_ms.append(caller.turn)
        models.append(Model(ends))
    pacing = asyncio.create_task(pacer.run())
    took: dict[str, list[float]] = {tool: [] for tool in TOOLS}

    async def one(model: Model) -> None:
        await asyncio.sleep(random.uniform(0, 1))
        for number in range(rounds * len(TOOLS)):
            tool = list(TOOLS)[number % len(TOOLS)]
            took[tool].append(await model.call(number, tool))
            await asyncio.sleep(PAUSE_SECONDS)

    try:
        await asyncio.gather(*(one(model) for model in models))
    finally:
        pacing.cancel()
    return took


def tools_table(calls: int, took: dict[str, list[float]]) -> str:
    """Show what was found."""
    rows = [
        (tool, f"{len(ms)}", f"{percentile(ms, 0.5):.2f}", f"{percentile(ms, 0.99):.2f}") for tool, ms in took.items()
    ]
    return table((f"{calls} calls", "called", "p50 ms", "p99 ms"), rows)
