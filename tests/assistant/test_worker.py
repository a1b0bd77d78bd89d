"""A worker program and its pipe; the program is ``echoing``."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.assistant.worker import LOSSES_MAX, REST_SECONDS, Worker, Workers
from phone_bridge.errors import Unavailable

NAME = "tests.assistant.echoing"
PATIENCE_SECONDS = 300.0
"""No test waits so long; a busy machine may take its time to start a program."""


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock can be put forward: a program that hangs is waited for without waiting."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        runner.run(main)


def skip(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    loop.skipped += seconds


def test_each_request_has_its_answer_in_turn() -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        requests = [b"x" * size for size in (0, 1, 70_000)]
        assert await asyncio.gather(*(worker.ask(request) for request in requests)) == requests
        assert not worker.busy
        await worker.close()

    run(ask())


def test_what_a_library_prints_does_not_get_into_the_answers() -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        assert await worker.ask(b"print") == b"print"
        await worker.close()

    run(ask())


def test_a_request_that_cannot_be_fulfilled_has_no_answer() -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        assert await worker.ask(b"fail") is None
        assert await worker.ask(b"next") == b"next"
        await worker.close()

    run(ask())


@pytest.mark.parametrize(("request_", "why"), [(b"die", "IncompleteReadError"), (b"hang", "TimeoutError")])
def test_a_program_that_dies_or_hangs_is_replaced(request_: bytes, why: str) -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        assert await worker.ask(b"first") == b"first"
        asked = asyncio.create_task(worker.ask(request_))
        await asyncio.sleep(0)
        if request_ == b"hang":
            skip(PATIENCE_SECONDS)
        with pytest.raises(Unavailable, match=f"failed: {why}"):
            await asked
        assert await worker.ask(b"second") == b"second"
        await worker.close()

    run(ask())


def test_a_program_that_keeps_dying_is_left_alone_for_a_while() -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        for _ in range(LOSSES_MAX):
            with pytest.raises(Unavailable, match="failed: "):
                await worker.ask(b"die")
        with pytest.raises(Unavailable, match="left alone") as caught:
            await worker.ask(b"first")
        assert 0 < (caught.value.retry_after_ms or 0) <= REST_SECONDS * 1000
        await worker.close()

    run(ask())


def test_deaths_between_answers_are_forgiven() -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        for _ in range(LOSSES_MAX):
            with pytest.raises(Unavailable):
                await worker.ask(b"die")
            assert await worker.ask(b"well") == b"well"
        await worker.close()

    run(ask())


def test_one_who_gives_up_leaves_no_answer_for_the_next() -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        assert await worker.ask(b"first") == b"first"
        task = asyncio.create_task(worker.ask(b"hang"))
        await asyncio.sleep(0)
        assert worker.busy
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await worker.ask(b"second") == b"second"
        await worker.close()

    run(ask())


@pytest.mark.parametrize("close", [False, True])
def test_a_program_that_is_in_the_middle_of_a_long_answer_can_be_ended(tmp_path: Path, *, close: bool) -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        told = tmp_path / "told"
        task = asyncio.create_task(worker.ask(b"flood " + bytes(told)))
        while not told.exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0)
        if close:
            await worker.close()
        else:
            task.cancel()
        with pytest.raises(Unavailable if close else asyncio.CancelledError):
            await task
        if not close:
            assert await worker.ask(b"second") == b"second"
            await worker.close()

    run(ask())


def test_nobody_waits_for_another_while_a_program_is_free() -> None:
    async def ask() -> None:
        workers = Workers(NAME, count=2, timeout_seconds=PATIENCE_SECONDS)
        workers.tell_all(b"get ready")
        held = asyncio.create_task(workers.ask(b"hang"))
        await asyncio.sleep(0)
        assert await workers.ask(b"second") == b"second"
        assert await workers.ask(b"third") == b"third"
        assert not held.done()
        held.cancel()
        await workers.close()
        with pytest.raises(Unavailable, match="closed"):
            await workers.ask(b"late")

    run(ask())


def test_one_program_after_the_other_is_told_and_the_others_are_free() -> None:
    async def ask() -> None:
        workers = Workers(NAME, count=2, timeout_seconds=PATIENCE_SECONDS)
        telling = asyncio.create_task(workers.tell_each(b"hang"))
        await asyncio.sleep(0)
        assert await workers.ask(b"free") == b"free"
        assert not telling.done()
        telling.cancel()
        await workers.close()

    run(ask())


def test_after_its_end_it_answers_nobody() -> None:
    async def ask() -> None:
        worker = Worker(NAME, timeout_seconds=PATIENCE_SECONDS)
        await worker.ask(b"first")
        await worker.close()
        await worker.close()
        with pytest.raises(Unavailable, match="closed"):
            await worker.ask(b"second")

    run(ask())
