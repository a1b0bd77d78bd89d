"""Two sockets joined in memory: what one end sends, the other hears at once, in virtual time."""

import asyncio

from phone_bridge.runtime.sockets import NO_CODE, Socket, sendable


class End:
    """One end; ``stuck`` makes its peer stop reading, ``silent`` lets a close of ours go unanswered."""

    def __init__(self) -> None:
        self.socket = Socket(self)
        self.peer: End
        self.sent: list[str | bytes] = []
        self.stuck = False
        self.silent = False
        self._reading = True
        self._backlog: list[str | bytes] = []

    # What the socket asks of its line

    def write(self, message: str | bytes) -> None:
        self.sent.append(message)
        if self.stuck:
            self.peer._backlog.append(message)
            self.socket.pause()
        else:
            self._soon(self.peer._hear, message)

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._soon(self._catch_up)

    def close(self, code: int, reason: str) -> None:
        if not self.silent:
            self._soon(self._close_peer, code, reason)

    def abort(self) -> None:
        self._soon(self.socket.lost)
        self._soon(self.peer.socket.lost)

    # What a test does

    def unstick(self) -> None:
        """Let the peer read again."""
        self.stuck = False
        self._soon(self.peer._catch_up)
        self._soon(self.socket.resume)

    def break_off(self) -> None:
        """Let the connection vanish for both."""
        self.abort()

    def _soon(self, step: object, *arguments: object) -> None:
        assert callable(step)
        asyncio.get_running_loop().call_soon(step, *arguments)

    def _hear(self, message: str | bytes) -> None:
        if self._reading and not self._backlog:
            self.socket.hear(message)
        else:
            self._backlog.append(message)

    def _catch_up(self) -> None:
        while self._backlog and self._reading:
            self.socket.hear(self._backlog.pop(0))

    def _close_peer(self, code: int, reason: str) -> None:
        self.peer.socket.close_received(code if sendable(code) else NO_CODE, reason)
        self.peer.socket.lost()
        self.socket.lost()


def joined() -> tuple[End, End]:
    """Make both ends of a connection."""
    near, far = End(), End()
    near.peer, far.peer = far, near
    return near, far
