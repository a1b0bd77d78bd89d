"""The far ends of streams for tests: what each carrier says and understands, written down apart from the legs."""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

from phone_bridge.audio.format import LINEAR_8K, LINEAR_16K, PCMU_8K, Format
from phone_bridge.exchange import Request
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.sockets import Socket
from tests.legs.streams import lines
from tests.runtime.serving import dial

PARAMETERS = {
    "telnyx": {"CallSid": "v2:T02", "From": "+4930123456", "To": "+49301"},
    "signalwire": {"CallSid": "8c3e1a50", "From": "+4930123456", "To": "+49301"},
    "plivo": {"CallUUID": "e3eb1c84", "From": "4930123456", "To": "49301"},
    "vonage": {"uuid": "aaaaaaaa-bbbb", "from": "4930123456", "to": "49301"},
    "jambonz": {"call_sid": "2b1a2b1a", "from": "+4930123456", "to": "+49301"},
    "chan_websocket": {"id": "pbx1-1.2", "from": "+4930123456", "to": "+49301"},
    "audiosocket": {"from": "+4930123456", "to": "+49301"},
}
IDS = ("CallSid", "CallUUID", "uuid", "call_sid", "id")
FORMATS: dict[str, Format] = {"vonage": LINEAR_16K, "jambonz": LINEAR_16K, "audiosocket": LINEAR_8K}


class FarStream:
    """One stream as its carrier sees it; marks come back when the sound before them was heard."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.format = FORMATS.get(kind, PCMU_8K)
        self.carrier_id = next((PARAMETERS[kind][name] for name in IDS if name in PARAMETERS[kind]), "")
        self.sound = bytearray()
        self.clears = 0
        self.said: list[Any] = []
        """What was neither sound nor mark."""
        self.code: int | None = None
        self._chunk = 0
        self._free_at = 0.0  # when all that was given will have been heard
        self._rest = b""
        self._socket: Socket
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # Opening

    async def ring(self, port: int, audiosocket_port: int, secret: str) -> "FarStream":
        """Ask the webhook at ``port``, and do what it answers."""
        url = (
            f"http://127.0.0.1:{port}/lines/{self.kind}/answer?{urlencode({'secret': secret, **PARAMETERS[self.kind]})}"
        )
        http = HttpClient()
        try:
            answered = (await http.exchange(Request(method="GET", url=url), timeout_ms=5_000)).body.decode()
        finally:
            await http.close()
        return await self.open(audiosocket_port if self.kind == "audiosocket" else port, answered)

    async def open(self, port: int, answer: str) -> "FarStream":
        """Do what the answer of the webhook says."""
        if self.kind == "audiosocket":
            self.carrier_id = answer
            reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
            self._writer.write(frame(0x01, bytes.fromhex(answer.replace("-", ""))))
            self._spawn(self._read(reader))
            return self
        path = answer if self.kind == "chan_websocket" else urlsplit(url_of(self.kind, answer)).path
        if self.kind == "chan_websocket":
            path = f"/lines/{self.kind}/media?token={answer}"
        protocols = {"jambonz": ["audio.jambonz.org"], "chan_websocket": ["media"]}.get(self.kind, [])
        self._socket = await dial(f"ws://127.0.0.1:{port}{path}", subprotocols=protocols)
        self._socket.attach(self)
        for message in lines(self.kind, "opening"):
            self._socket.send(message)
        return self

    # What is said

    def speak(self, sound: bytes) -> None:
        """Say one frame."""
        payload = base64.b64encode(sound).decode()
        self._chunk += 1
        match self.kind:
            case "audiosocket":
                self._send(frame(0x10, sound))
            case "vonage" | "jambonz" | "chan_websocket":
                self._send(sound)
            case "telnyx":
                self._say(event="media", media={"track": "inbound", "chunk": str(self._chunk), "payload": payload})
            case "plivo":
                self._say(event="media", media={"track": "inbound", "payload": payload})
            case _:
                media = {"track": "inbound", "chunk": str(self._chunk), "timestamp": str(20 * self._chunk)}
                stream = "4a8c1b2d-1111-4222-8333-944455556666"
                self._say(event="media", streamSid=stream, media={**media, "payload": payload})

    def press(self, digit: str) -> None:
        match self.kind:
            case "audiosocket":
                self._send(frame(0x03, digit.encode()))
            case "vonage":
                self._say(event="websocket:dtmf", digit=digit, duration=260)
            case "jambonz":
                self._say(event="dtmf", dtmf=digit, duration="1600")
            case "chan_websocket":
                self._send(f"DTMF_END digit:{digit}")
            case "signalwire":
                self._say(event="dtmf", streamSid="4a8c1b2d-1111-4222-8333-944455556666", dtmf={"digit": digit})
            case _:
                self._say(event="dtmf", dtmf={"digit": digit})

    async def hang_up(self) -> None:
        if self._writer is not None:
            self._writer.write(frame(0x00))
            self._writer.close()
        else:
            self._socket.close()
            await self._socket.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def dropped(self) -> None:
        """Wait until the far end has let go."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()

    def _say(self, **message: object) -> None:
        self._send(json.dumps(message))

    def _send(self, message: str | bytes) -> None:
        if self._writer is not None:
            assert isinstance(message, bytes)
            self._writer.write(message)
        else:
            self._socket.send(message)

    # What is heard

    def message(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._heard(data)
            return
        told = json.loads(data) if data.startswith("{") else {"command": data}
        match told:
            case {"event": "media" | "playAudio", "media": {"payload": payload}}:
                self._heard(base64.b64decode(payload))
            case {"event": "mark", "mark": {"name": name}}:
                stream = {"streamSid": told["streamSid"]} if "streamSid" in told else {}
                self._return({"event": "mark", "mark": {"name": name}, **stream})
            case {"event": "checkpoint", "name": name}:
                self._return({"event": "playedStream", "name": name})
            case {"action": "notify", "payload": payload}:
                self._return({"event": "websocket:notify", "payload": payload})
            case {"event": "clear" | "clearAudio"} | {"action": "clear"} | {"type": "killAudio"}:
                self._clear()
            case {"command": "FLUSH_MEDIA"}:
                self._clear()
            case _:
                self.said.append(told)

    def closed(self, code: int, reason: str) -> None:
        self.code = code

    def _clear(self) -> None:
        self.clears += 1
        self._free_at = 0.0

    def _heard(self, sound: bytes) -> None:
        self.sound += sound
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + self.format.ms(len(sound)) / 1000

    def _return(self, mark: dict[str, object]) -> None:
        async def wait(until: float) -> None:
            await asyncio.sleep(until - asyncio.get_running_loop().time())
            self._say(**mark)

        self._spawn(wait(self._free_at))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while head := await reader.read(3):
            head += await reader.readexactly(3 - len(head))
            payload = await reader.readexactly(int.from_bytes(head[1:], "big"))
            if head[0] == 0x10:
                self._heard(payload)
            else:
                self.said.append({"command": head[0]})
        self.code = 1000

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def frame(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


def url_of(kind: str, answer: str) -> str:
    """Find the media socket in what a webhook answers."""
    if kind == "vonage":
        return str(json.loads(answer)[0]["endpoint"][0]["uri"])
    if kind == "jambonz":
        return str(json.loads(answer)[1]["url"])
    (stream,) = ElementTree.fromstring(answer).iter("Stream")  # noqa: S314 - the bridge's own
    return stream.attrib.get("url") or (stream.text or "")
