import asyncio

import pytest

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.permit import Permit
from phone_bridge.errors import LocalError, Unavailable
from phone_bridge.offers import Effect
from phone_bridge.runtime.tool_tasks import ToolTasks
from phone_bridge.runtime.toolbox import Tools, failure
from tests.clock import run_virtual, settle
from tests.runtime.test_toolbox import FACTS, Box, offer

LOOK, WRITE = e.Action("look"), e.Action("write", {"x": 1})


class Bench:
    def __init__(self, look: Box, write: Box) -> None:
        self.facts: list[e.Event] = []
        self.look, self.write = look, write
        self.tasks = ToolTasks(Tools([look, write], FACTS), fact=self.facts.append)


def bench(outcome: str | Exception = "done", takes: float = 0.0) -> Bench:
    look = Box(offer("look", seconds=5.0), outcome, takes)
    return Bench(look, Box(offer("write", Effect.WRITE, seconds=5.0), outcome, takes))


def test_what_only_reads_runs_without_a_permit_and_its_result_is_a_fact() -> None:
    async def story() -> None:
        made = bench()
        made.tasks.run(c.RunTool("call_1", LOOK), 0)
        assert made.facts == [], "it runs in a task of its own"
        await settle()
        assert made.facts == [e.ToolRan("call_1", "done", True)]

    run_virtual(story())


def test_what_does_more_needs_a_permit_for_exactly_that_which_is_used_up() -> None:
    async def story() -> None:
        made = bench()
        permit = Permit(WRITE, 0)
        for wrong in (None, Permit(e.Action("write", {"x": 2}), 0)):
            with pytest.raises(LocalError):
                made.tasks.run(c.RunTool("call_1", WRITE, wrong), 0)
        made.tasks.run(c.RunTool("call_1", WRITE, permit), 0)
        with pytest.raises(LocalError):
            made.tasks.run(c.RunTool("call_1", WRITE, permit), 0)
        await settle()
        assert [action for _, action, _ in made.write.ran] == [WRITE]

    run_virtual(story())


def test_a_tool_of_which_nothing_is_known_needs_a_permit() -> None:
    async def story() -> None:
        with pytest.raises(LocalError):
            bench().tasks.run(c.RunTool("call_1", e.Action("rm")), 0)

    run_virtual(story())


def test_every_run_has_a_key_of_its_own() -> None:
    async def story() -> None:
        made = bench()
        for number in range(3):
            made.tasks.run(c.RunTool(f"call_{number}", LOOK), 0)
        await settle()
        assert len({key for _, _, key in made.look.ran}) == 3

    run_virtual(story())


def test_what_a_tool_would_do_is_a_fact_and_so_is_that_it_cannot() -> None:
    async def story() -> None:
        made = bench()
        made.tasks.prepare(c.PrepareTool("call_1", WRITE))
        await settle()
        assert made.facts == [e.ToolPrepared("call_1", e.Action("write", {"user": "usr_1"}))]
        gone = bench(Unavailable("There is no such event.", code="resource_missing"))
        gone.tasks.prepare(c.PrepareTool("call_1", WRITE))
        await settle()
        refusal = failure("resource_missing", "There is no such event.")
        assert gone.facts == [e.ToolPrepared("call_1", WRITE, refusal)]

    run_virtual(story())


def test_a_tool_that_breaks_costs_its_result_and_not_the_call() -> None:
    async def story() -> None:
        made = bench(ZeroDivisionError())
        made.tasks.run(c.RunTool("call_1", WRITE, Permit(WRITE, 0)), 0)
        made.tasks.run(c.RunTool("call_2", LOOK), 0)
        made.tasks.prepare(c.PrepareTool("call_3", WRITE))
        await settle()
        told = failure("internal_error", "The tool failed.")
        assert made.facts == [
            e.ToolRan("call_1", told, False, True),
            e.ToolRan("call_2", told, False, False),
            e.ToolPrepared("call_3", WRITE, told),
        ]

    run_virtual(story())


def test_at_the_end_what_was_consented_to_is_waited_for_and_what_only_reads_is_not() -> None:
    async def story() -> None:
        made = bench(takes=0.5)
        made.tasks.run(c.RunTool("call_1", WRITE, Permit(WRITE, 0)), 0)
        made.tasks.run(c.RunTool("call_2", LOOK), 0)
        await settle()
        await made.tasks.finish()
        assert made.facts == [e.ToolRan("call_1", "done", True)]
        assert asyncio.get_running_loop().time() == 0.5
        await made.tasks.finish()

    run_virtual(story())


def test_what_takes_too_long_even_then_is_let_go() -> None:
    async def story() -> None:
        made = bench(takes=3.0)
        made.tasks.run(c.RunTool("call_1", WRITE, Permit(WRITE, 0)), 0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await made.tasks.finish()
        await made.tasks.cancel()
        await settle()
        assert made.facts == []
        assert len(asyncio.all_tasks()) == 1

    run_virtual(story())
