"""A worker program behind a pipe: one request, one answer, each a length (4 bytes, big-endian) and that many bytes."""

import asyncio
import contextlib
import os
import struct
import sys
from collections.abc import Callable

from phone_bridge.errors import Unavailable

LENGTH = struct.Struct(">I")
FAILED = 0xFFFF_FFFF
"""The length that stands for: this request could not be fulfilled."""

MAX_BYTES = 64 * 1024 * 1024
"""A longer request or answer is a broken pipe."""

LOSSES_MAX = 3
"""So often in a row a program may be lost before it is left alone for a while."""

REST_SECONDS = 10.0
"""How long it is left alone then; a program that cannot start must not be started for every sentence."""


class Worker:
    """Run ``python -m module arguments…`` and ask it; one that dies or hangs is replaced at the next request.

    One that is lost ``LOSSES_MAX`` times in a row is Unavailable for ``REST_SECONDS``.
    """

    def __init__(self, module: str, *arguments: str, timeout_seconds: float) -> None:
        self._module = module
        self._arguments = arguments
        self._timeout = timeout_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._closed = False
        self._losses = 0
        self._rests_until = 0.0

    @property
    def busy(self) -> bool:
        """Whether somebody is being answered."""
        return self._turn.locked()

    async def ask(self, request: bytes) -> bytes | None:
        """Get the answer to ``request``, None where the program said FAILED; raises Unavailable when it is lost."""
        async with self._turn:
            if self._closed:
                raise Unavailable(f"{self._module} was closed", code="worker_closed")
            self._check_rest()
            try:
                async with asyncio.timeout(self._timeout):
                    answer = await self._exchange(request)
            except BaseException as error:
                await self._end()  # whatever is left in the pipe belongs to nobody
                if isinstance(error, OSError | EOFError | TimeoutError):
                    self._lost()
                    raise Unavailable(f"{self._module} failed: {type(error).__name__}", code="worker_failed") from error
                raise
            self._losses = 0
            return answer

    async def close(self) -> None:
        """End the program; whoever is being answered is let down."""
        self._closed = True
        self._kill()
        async with self._turn:  # whoever was being answered has ended it, and read its pipe to the end
            await self._end()

    def _check_rest(self) -> None:
        left = self._rests_until - asyncio.get_running_loop().time()
        if left > 0:
            raise Unavailable(
                f"{self._module} failed {LOSSES_MAX} times in a row and is left alone for a while",
                code="worker_failed",
                retry_after_ms=int(left * 1000),
            )

    def _lost(self) -> None:
        self._losses += 1
        if self._losses >= LOSSES_MAX:
            self._losses = 0
            self._rests_until = asyncio.get_running_loop().time() + REST_SECONDS

    async def _exchange(self, request: bytes) -> bytes | None:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # a Ctrl-C at the terminal is the server's to obey, which then closes us
            )
            if self._closed:
                raise EOFError
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None  # noqa: S101 - both were asked for
        assert answers is not None  # noqa: S101
        requests.write(LENGTH.pack(len(request)) + request)
        await requests.drain()
        size = LENGTH.unpack(await answers.readexactly(LENGTH.size))[0]
        if size == FAILED:
            return None
        if size > MAX_BYTES:
            raise EOFError
        return await answers.readexactly(size)

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it had just ended by itself
                self._process.kill()

    async def _end(self) -> None:
        self._kill()
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdout is not None:
            # asyncio knows of an exit once the pipe has ended, too, and reads no more of a pipe that nobody empties.
            while await process.stdout.read(MAX_BYTES):
                pass
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()


class Workers:
    """Several programs of one kind: a request goes to the one that fewest wait for."""

    def __init__(self, module: str, *arguments: str, count: int, timeout_seconds: float) -> None:
        self._workers = [Worker(module, *arguments, timeout_seconds=timeout_seconds) for _ in range(count)]
        self._waiting = [0] * count
        self._tasks: set[asyncio.Task[bytes | None]] = set()

    async def ask(self, request: bytes) -> bytes | None:
        """Get the answer to ``request``; who gives up lets the program finish, for starting it anew costs seconds."""
        number = min(range(len(self._workers)), key=self._waiting.__getitem__)
        return await asyncio.shield(self._begin(number, request))

    def tell_all(self, request: bytes) -> None:
        """Send ``request`` to every program, and wait for no answer."""
        for number in range(len(self._workers)):
            self._begin(number, request)

    async def tell_each(self, request: bytes) -> None:
        """Send ``request`` to one program after the other, so that the others are free; the answers are dropped."""
        for number in range(len(self._workers)):
            await asyncio.shield(self._begin(number, request))

    async def close(self) -> None:
        """End the programs."""
        await asyncio.gather(*(worker.close() for worker in self._workers))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, number: int, request: bytes) -> "asyncio.Task[bytes | None]":
        self._waiting[number] += 1
        task = asyncio.create_task(self._workers[number].ask(request))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(number, done))
        return task

    def _done(self, number: int, task: "asyncio.Task[bytes | None]") -> None:
        self._waiting[number] -= 1
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen: whoever still waits for it gets it too


def serve(answer: Callable[[bytes], bytes | None]) -> None:
    """Be the program: answer every request on the input until there are no more; None says FAILED."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get into the answers
    requests = sys.stdin.buffer
    while len(head := requests.read(LENGTH.size)) == LENGTH.size:
        given = answer(requests.read(LENGTH.unpack(head)[0]))
        answers.write(LENGTH.pack(FAILED) if given is None else LENGTH.pack(len(given)) + given)
        answers.flush()
