"""What stands before several processes of one deployment: a TCP forwarder that takes the first one that answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PIECE_BYTES = 65_536


class Balancer:
    """Forwards every connection to the first of ``ports`` that accepts it, and ends both sides with either."""

    def __init__(self) -> None:
        self.port = 0
        self.ports: list[int] = []
        self.sent = 0
        """Bytes that clients have got."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Balancer"]:
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.close())  # a task that is cancelled before it begins closes nothing

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            their_reader, their_writer = await self._reach()
            writers.append(their_writer)
            ways = [
                asyncio.create_task(self._copy(reader, their_writer)),
                asyncio.create_task(self._copy(their_reader, writer, count=True)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except ConnectionError:
            pass  # nobody is there
        finally:
            for each in writers:
                each.close()
            for each in writers:  # whoever is cancelled here has closed them all
                with suppress(ConnectionError):
                    await each.wait_closed()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; who is cancelled meanwhile waits for the connection and closes it, or nobody would."""
        connecting = asyncio.create_task(self._connect())
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            with suppress(ConnectionError):
                (await connecting)[1].close()
            raise

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for port in self.ports:
            with suppress(ConnectionError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionRefusedError

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool = False) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(PIECE_BYTES):
                writer.write(piece)
                await writer.drain()
                self.sent += len(piece) if count else 0
