"""Both ends of a call under soak: frames that carry their number, so that a lost or doubled one is seen."""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.legs.twilio.carrier import CarrierStream, Cleared, Marked, Played
from phone_bridge.runtime.sockets import Socket, accept
from phone_bridge.sessions.chronapilot import messages as m
from tests.benchmarks.load import Ear
from tests.benchmarks.tongues import CHRONAPILOT

FRAME_MS = 20
FRAME_BYTES = PCMU_8K.size(FRAME_MS)
_STAMP = b"\x5a\xa5"  # no tone of the bridge's own and no silence begins so


def numbered(number: int) -> bytes:
    """Make a frame that says which it is."""
    return (_STAMP + number.to_bytes(3)) * (FRAME_BYTES // 5)


class Track:
    """One direction: which frames went in and which came out; whatever is not numbered is not counted."""

    def __init__(self) -> None:
        self.sent = 0
        self.came = 0
        self.lost = 0
        self.wrong = 0  # doubled, or out of their order
        self._excused = False

    def next(self) -> bytes:
        """Make the next frame."""
        self.sent += 1
        return numbered(self.sent)

    def take(self, audio: bytes) -> None:
        """Look for numbered frames in ``audio``."""
        for at in range(0, len(audio), FRAME_BYTES):
            frame = audio[at : at + FRAME_BYTES]
            if frame.startswith(_STAMP):
                number = int.from_bytes(frame[2:5])
                self.wrong += number <= self.came or frame != numbered(number)
                self._miss(number - self.came - 1)
                self.came = max(self.came, number)

    def settle(self) -> None:
        """Count what never came as lost."""
        self._miss(self.sent - self.came)
        self.came = self.sent

    def excuse(self) -> None:
        """Count the next gap as none: a socket was cut with frames on their way."""
        self._excused = True

    def _miss(self, frames: int) -> None:
        if not self._excused:
            self.lost += max(0, frames)
        self._excused = False


class Carrier:
    """The carrier's end of one stream: plays in real time, gives marks back when they were reached, hears clears."""

    def __init__(self, codec: CarrierStream, socket: Socket, down: Track) -> None:
        self.codec = codec
        self.socket = socket
        self.down = down
        self.clears = 0
        self.played_ms = 0.0
        self.gone = asyncio.Event()
        self._timestamp = 0
        self._end = 0.0
        self._marks: list[tuple[asyncio.TimerHandle, str]] = []
        socket.attach(Ear(self._hear, self._closed))

    def speak(self, frame: bytes) -> None:
        """Send one frame of the caller's."""
        self.say(self.codec.media(frame, self._timestamp))
        self._timestamp += FRAME_MS

    def say(self, message: str | bytes) -> None:
        """Send a message, if anybody is there to hear it."""
        if not self.gone.is_set():
            self.socket.send(message)

    def hang_up(self) -> None:
        """End the call as a carrier does."""
        self.say(self.codec.stop())
        self.socket.close()

    def _hear(self, data: str | bytes) -> None:
        heard = self.codec.receive(data)
        now = asyncio.get_running_loop().time()
        if isinstance(heard, Played):
            self.down.take(heard.audio)
            self._end = max(self._end, now) + len(heard.audio) / PCMU_8K.size(1000)
            self.played_ms += len(heard.audio) / PCMU_8K.size(1)
        elif isinstance(heard, Marked):
            timer = asyncio.get_running_loop().call_at(max(self._end, now), self._back, heard.name)
            self._marks.append((timer, heard.name))
        elif isinstance(heard, Cleared):
            self.clears += 1
            self._end = now
            for timer, name in self._marks:
                if not timer.cancelled() and timer.when() > now:
                    timer.cancel()
                    self._back(name)
            self._marks.clear()

    def _back(self, name: str) -> None:
        self.say(self.codec.mark(name))
        self._marks = [(timer, each) for timer, each in self._marks if each != name]

    def _closed(self, code: int, reason: str) -> None:
        self.gone.set()
        for timer, _ in self._marks:
            timer.cancel()


class Assistant:
    """The session's end of one call, over as many sockets as it takes."""

    def __init__(self) -> None:
        self.up = Track()
        self.socket: Socket | None = None
        self.sessions = 0
        self.confirmed: list[str] = []
        self.changed = asyncio.Event()

    def opened(self, socket: Socket) -> None:
        """Serve one more socket."""
        self.socket = socket
        self.sessions += 1
        for message in CHRONAPILOT.opening(PCMU_8K):
            self.tell(message)
        socket.attach(Ear(self._hear, lambda code, reason: None))
        self.changed.set()

    def say(self, *messages: m.ServerMessage) -> None:
        """Send messages on the newest socket."""
        for message in messages:
            self.tell(m.encode(message))

    def tell(self, text: str | bytes) -> None:
        """Send whatever it is."""
        if self.socket is not None:
            self.socket.send(text)

    async def session(self, number: int) -> None:
        """Wait for the ``number``-th session."""
        while self.sessions < number:
            self.changed.clear()
            await self.changed.wait()

    def _hear(self, data: str | bytes) -> None:
        message = msgspec.json.decode(data)
        if message["type"] == "audio.append":
            self.up.take(b64decode(message["audio"]))
        elif message["type"] == "action.confirm":
            self.confirmed.append(message["id"])
            self.say(m.ActionExecuted(id=message["id"], result={"ok": True}))


class Sessions:
    """Mints sessions for all calls, and hands each socket to the assistant of its call."""

    def __init__(self) -> None:
        self.of_call: dict[str, Assistant] = {}
        self.app = Starlette(
            routes=[
                Route("/v1/voice/sessions", self._mint, methods=["POST"]),
                Route("/v1/voice/sessions/{id}", self._delete, methods=["DELETE"]),
                Route("/v1/events/{id}", self._event, methods=["GET"]),
                WebSocketRoute("/v1/voice/realtime", self._realtime),
            ]
        )

    async def _mint(self, request: Request) -> Response:
        user = (await request.json())["user_id"]
        return _json(201, {"id": f"vs_{user}", "session_token": user})

    async def _delete(self, _: Request) -> Response:
        return Response(status_code=204)

    async def _event(self, _: Request) -> Response:
        return _json(404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "?"}})

    async def _realtime(self, websocket: WebSocket) -> None:
        assistant = self.of_call.get(websocket.query_params["session"])
        if assistant is None:  # the call is over
            await websocket.close(4001)
            return
        socket = await accept(websocket)
        assistant.opened(socket)
        await socket.wait_closed()


def _json(status: int, content: Any) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def every_frame(seconds: float, turn: Callable[[], None]) -> None:
    """Call ``turn`` once for each frame's time, for so long; what comes late is made up for."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(int(seconds * 1000 / FRAME_MS)):
        await asyncio.sleep(max(0.0, began + number * FRAME_MS / 1000 - loop.time()))
        turn()
