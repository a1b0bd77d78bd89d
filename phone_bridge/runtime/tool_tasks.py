"""The tools of one call at work: each in a task of its own, away from the sound, behind a door that wants a permit."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.errors import LocalError
from phone_bridge.runtime.toolbox import Ran, Tools, failure

KEY_BYTES = 16

_FAILED = Ran(failure("internal_error", "The tool failed."), False)

_log = logging.getLogger("phone_bridge.tools")


class ToolTasks:
    """Run the tools of one call; ``fact`` hears what came of each, also when the call is over by then."""

    def __init__(self, tools: Tools, *, fact: Callable[[e.Event], None]) -> None:
        self._tools = tools
        self._fact = fact
        self._tasks: dict[asyncio.Task[None], bool] = {}  # and whether it has to come to its end

    def prepare(self, command: c.PrepareTool) -> None:
        """Find out what a tool would do exactly."""
        self._spawn(self._prepare(command), must_end=False)

    def run(self, command: c.RunTool, now: int) -> None:
        """Run a tool; raises LocalError where it does more than read and no permit for exactly that is used up here."""
        if not self._tools.reads(command.action.name):
            if command.permit is None:
                raise LocalError("a tool that does more than read was to be run without a permit")
            command.permit.use(command.action, now)
        self._spawn(self._run(command), must_end=command.permit is not None)

    async def finish(self) -> None:
        """Wait for what was consented to; whatever else is under way is let go."""
        for task, must_end in self._tasks.items():
            if not must_end:
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def cancel(self) -> None:
        """Let go of what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _prepare(self, command: c.PrepareTool) -> None:
        try:
            prepared = await self._tools.prepare(command.action)
        except Exception:  # noqa: BLE001 - the top of a task: a tool that fails is no reason to end the call
            _log.exception("x a tool could not say what it would do")
            prepared = _FAILED
        if isinstance(prepared, Ran):
            self._fact(e.ToolPrepared(command.id, command.action, prepared.result))
        else:
            self._fact(e.ToolPrepared(command.id, prepared))

    async def _run(self, command: c.RunTool) -> None:
        try:
            ran = await self._tools.run(command.action, secrets.token_hex(KEY_BYTES))
        except Exception:  # noqa: BLE001 - the top of a task: a tool that fails is no reason to end the call
            _log.exception("x a tool failed")
            ran = _FAILED._replace(unsure=command.permit is not None)
        self._fact(e.ToolRan(command.id, *ran))

    def _spawn(self, work: Coroutine[Any, Any, None], *, must_end: bool) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = must_end
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
