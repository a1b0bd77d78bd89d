"""From a key to consent: how long after the caller pressed ``1`` the session has its ``action.confirm``.

Every call is asked again and again, by a tone in the place of a voice, while the caller's line goes on sounding and the
bridge listens to it for a voice. The key is pressed once the question's first mark has come back.
"""

import asyncio
import time
from itertools import cycle
from random import Random

import msgspec

from phone_bridge.sessions.chronapilot import messages as m
from tests.benchmarks.far_ends import Ends, World
from tests.benchmarks.listener import ExactCaller
from tests.benchmarks.load import Ear, Marks, Pacer, percentile, speech
from tests.benchmarks.tables import table

PRESS_SECONDS = (0.1, 0.4)
"""How long after the beginning of the question a caller presses."""

QUESTION_PAUSE_SECONDS = 1.2
PATIENCE_SECONDS = 5.0
GREETING_SECONDS = 20.0

_confirm = msgspec.json.Decoder(m.ActionConfirm)


class Asker:
    """The session's end of one call, and the caller's finger."""

    def __init__(self, ends: Ends, caller: ExactCaller, random: Random) -> None:
        self._socket = ends.session
        self._caller = caller
        self._random = random
        self._began = asyncio.Event()
        self._confirmed: asyncio.Future[float]
        self._id = ""
        caller.on_mark = self._began.set
        self._socket.attach(Ear(self._message, self._closed))

    async def hear_greeting(self) -> None:
        """Let the bridge say its own first words."""
        async with asyncio.timeout(GREETING_SECONDS):
            await self._caller.hear_out()

    async def ask(self, number: int) -> float:
        """Propose one action and have it confirmed; return the milliseconds from the key to the confirmation."""
        self._id = f"act_{number}"
        self._confirmed = asyncio.get_running_loop().create_future()
        self._began.clear()
        self._caller.forget()
        action = m.ProposedAction(name="cancel_event", parameters={"event_id": f"evt_{number}"}, summary="Cancel it")
        self._socket.send(m.encode(m.ActionProposed(id=self._id, action=action)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._began.wait()
            await asyncio.sleep(self._random.uniform(*PRESS_SECONDS))
            pressed = time.perf_counter()
            self._caller.press("1")
            confirmed = await self._confirmed
        self._socket.send(m.encode(m.ActionExecuted(id=self._id)))
        await asyncio.sleep(QUESTION_PAUSE_SECONDS)
        return (confirmed - pressed) * 1000

    def _message(self, data: str | bytes) -> None:
        if isinstance(data, str) and data.startswith('{"type":"action.confirm"'):
            if _confirm.decode(data).id != self._id or self._confirmed.done():
                raise RuntimeError("an action was confirmed twice, or another one than was proposed")
            self._confirmed.set_result(time.perf_counter())

    def _closed(self, code: int, reason: str) -> None:
        if not self._confirmed.done():
            self._confirmed.set_exception(RuntimeError(f"the session's socket was closed: {code} {reason}"))


async def press(world: World, calls: int, rounds: int, *, seed: int = 1) -> list[float]:
    """Ask every call ``rounds`` times; return what each confirmation took, in milliseconds."""
    marks, pacer, frames = Marks(), Pacer(), speech()
    random = Random(seed)  # noqa: S311 - the same disorder in every run
    pacer.each_ms.append(marks.turn)
    askers = []
    for ends in await world.ring(calls):
        caller = ExactCaller(ends, cycle(frames), marks, float)
        pacer.every_frame(caller.speak)
        pacer.each_ms.append(caller.turn)
        askers.append(Asker(ends, caller, random))
    pacing = asyncio.create_task(pacer.run())
    try:
        took = await asyncio.gather(*(_rounds(asker, rounds, random.uniform(0, 1)) for asker in askers))
    finally:
        pacing.cancel()
    return [ms for each in took for ms in each]


async def _rounds(asker: Asker, rounds: int, begin: float) -> list[float]:
    await asker.hear_greeting()
    await asyncio.sleep(begin)
    return [await asker.ask(number) for number in range(rounds)]


def keys_table(calls: int, took: list[float]) -> str:
    """Show what was found."""
    rows = [
        ("keys pressed", f"{len(took)}"),
        ("key to action.confirm, p50", f"{percentile(took, 0.5):.2f} ms"),
        ("key to action.confirm, p99", f"{percentile(took, 0.99):.2f} ms"),
    ]
    return table((f"{calls} calls", ""), rows)
