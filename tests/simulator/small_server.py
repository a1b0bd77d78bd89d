"""A bridge of a few routes on the loopback: TwiML, a media socket that echoes, and the calls API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # ships none

from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.runtime.voice import Speech
from tests.runtime.serving import serving

TOKEN = "12345"


class BeepVoice:
    """Says every text as a tone of 20 ms a letter, at 16 kHz."""

    async def speak(self, text: str, *, language: str = "en") -> Speech:
        time = np.arange(320 * len(text)) / 16_000
        return Speech((9_000 * np.sin(2 * np.pi * 400 * time)).astype("<i2").tobytes(), LINEAR_16K)

    async def close(self) -> None:
        """Have nothing to let go."""


class EchoBridge:
    """Says back what it hears, sends a mark after each message, and keeps a record as the bridge does."""

    def __init__(self) -> None:
        self.port = 0
        self.public = ""
        self.twiml = '<Connect action="/twilio/connect"><Stream url="{ws}/twilio/media"/></Connect>'
        self.after_connect = ""
        self.close_after: int | None = None
        """Messages after which the socket is closed by the bridge."""
        self.vanish = False
        self.refuse = False
        self.deaf = False
        """Reads nothing more after ``stop``, not even a close."""
        self.list_status = 200
        self.unsigned: list[str] = []
        self.asked: list[str] = []
        """Paths with their queries, as they were sent."""
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.events: list[str] = []
        self.digits = ""
        self.sid = ""
        self.unfinished = 0
        """How often the record is asked for before the call in it is over."""
        self.record: dict[str, Any] | None = {"id": "call_1", "status": "completed", "transcript": [], "actions": []}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["EchoBridge"]:
        app = Starlette(
            routes=[
                Route("/twilio/{name}", self._webhook, methods=["POST", "GET"]),
                WebSocketRoute("/twilio/media", self._media),
                Route("/healthz", self._health),
                Route("/v1/calls", self._calls),
                Route("/v1/calls/call_1", self._call),
            ]
        )
        self._released = asyncio.Event()
        async with serving(app) as server:
            self.port = server.port
            yield self
            self._released.set()

    def _address(self, path: str, scheme: str = "http") -> str:
        return (self.public or self.url).replace("http", scheme, 1) + path

    async def _webhook(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        path = request.url.path
        self.forms.append((path, form))
        query = request.scope["query_string"].decode()
        self.asked.append(f"{path}?{query}" if query else path)
        self.sid = form.get("CallSid", self.sid)
        if not _signed(self._address(self.asked[-1]), form, request.headers.get("x-twilio-signature", "")):
            self.unsigned.append(path)
        twiml = {"/twilio/voice": self.twiml, "/twilio/connect": self.after_connect}.get(path, "")
        body = f"<Response>{twiml.format(ws=self._address('', 'ws'))}</Response>"
        return Response(body, media_type="text/xml")

    async def _media(self, websocket: WebSocket) -> None:
        if self.refuse:
            await websocket.close(1008)
            return
        if not _signed(self._address("/twilio/media", "ws"), {}, websocket.headers.get("x-twilio-signature", "")):
            self.unsigned.append("media")
        await websocket.accept()
        try:
            await self._echo(websocket)
        except WebSocketDisconnect as gone:
            self.events.append(f"closed {gone.code}")

    async def _echo(self, websocket: WebSocket) -> None:
        sid, count = "", 0
        while True:
            message = json.loads(await websocket.receive_text())
            self.events.append(message["event"])
            match message["event"]:
                case "start":
                    sid = message["streamSid"]
                case "stop" if self.deaf:
                    await self._released.wait()
                case "dtmf":
                    self.digits += message["dtmf"]["digit"]
                case "media":
                    media = {"payload": message["media"]["payload"]}
                    await websocket.send_text(json.dumps({"event": "media", "streamSid": sid, "media": media}))
                    count += 1
                    mark = {"name": str(count)}
                    await websocket.send_text(json.dumps({"event": "mark", "streamSid": sid, "mark": mark}))
            if self.close_after is not None and count >= self.close_after:
                await websocket.close(1011 if self.vanish else 1000)
                return

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _calls(self, request: Request) -> Response:
        wanted = request.query_params["carrier_id"]
        known = self.record is not None and wanted == self.sid
        calls = [{**(self.record or {}), "carrier_id": self.sid}] if known else []
        return JSONResponse({"object": "list", "data": calls}, self.list_status)

    async def _call(self, _: Request) -> Response:
        self.unfinished -= 1
        live = {"status": "in_progress"} if self.unfinished >= 0 else {}
        return JSONResponse({**(self.record or {}), "carrier_id": self.sid, **live})


def _signed(url: str, form: dict[str, str], signature: str) -> bool:
    return bool(RequestValidator(TOKEN).validate(url, form, signature))
