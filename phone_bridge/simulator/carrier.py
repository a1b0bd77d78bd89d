"""A call in real time: the pure ``CarrierCall`` with a clock, sockets and a voice around it.

One task waits for deadlines; each request, each text to speak and the media socket have a task of their own, owned by
the call and gone when it ends.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.path import path
from phone_bridge.errors import BridgeError, Unavailable
from phone_bridge.exchange import Request, Response
from phone_bridge.runtime.voice import Voice
from phone_bridge.simulator.bridge_api import LIVE, BridgeApi
from phone_bridge.simulator.caller import Caller, Manners
from phone_bridge.simulator.carrier_call import CallPlan, CarrierCall, Note
from phone_bridge.simulator.courier import REQUEST_MS
from phone_bridge.simulator.dialled import Dialled
from phone_bridge.simulator.duties import Ask, Close, Duty, Open, Send, Speak
from phone_bridge.simulator.faults import Fault
from phone_bridge.simulator.network_faults import http_code, sentence, socket_code
from phone_bridge.simulator.result import CallResult, Record
from phone_bridge.simulator.script import Say, Step
from phone_bridge.simulator.verbs import DOCUMENT_BYTES, ConnectStream, Gather
from phone_bridge.simulator.webhooks import Dialling

CONNECT_S = 10.0
"""How long a TCP connection may take: Twilio's two attempts of 5 s."""
OUTBOX_MESSAGES = 250
"""Messages (5 s of sound) that wait for a bridge that does not read; sound that comes on top is thrown away."""
CLOSING_S = 2.0
"""How long the media socket may take to close after the call."""
RECORD_S = 3.0
"""How long the bridge may take to finish its record of a call that is over."""
RECORD_POLL_S = 0.1
NOBODY: Mapping[str, Dialled] = MappingProxyType({})
_TAIL_MS = 20
_ABNORMAL_CLOSURE = 1006


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bridge is: ``url`` to connect to, ``public_url`` as it calls itself, the same if empty.

    ``voice_url`` is where the number that is called leads, if not to the bridge itself: to an IVR that hands over.
    """

    url: str
    public_url: str = ""
    api_key: str = ""
    voice_url: str = ""

    @property
    def public(self) -> str:
        """The address that the carrier believes it calls, and signs."""
        return (self.public_url or self.url).rstrip("/")

    def reach(self, url: str) -> str:
        """Turn an address of the bridge's public self into one that can be connected to from here."""
        parts, public, local = urlsplit(url), urlsplit(self.public), urlsplit(self.url)
        if parts.netloc != public.netloc:
            return url
        scheme = local.scheme if parts.scheme in ("http", "https") else local.scheme.replace("http", "ws")
        return parts._replace(scheme=scheme, netloc=local.netloc).geturl()


async def speak(voice: Voice, text: str, language: str = "en") -> bytes:
    """Make ``text`` sound as on a telephone: mu-law at 8 kHz. Raises Unavailable."""
    speech = await voice.speak(text, language=language)
    tail = speech.format.silence * (speech.format.size(_TAIL_MS) // speech.format.sample_bytes)
    return path(speech.format, PCMU_8K).push(speech.audio + tail)


async def place_call(
    site: Site,
    script: Sequence[Step],
    voice: Voice,
    *,
    dialling: Dialling,
    manners: Manners | None = None,
    dialled: Mapping[str, Dialled] = NOBODY,
    watch: Callable[[Note], None] | None = None,
) -> CallResult:
    """Play a whole call against the bridge at ``site``, in real time, and bring back what became of it.

    ``dialled`` says who is at the numbers that the bridge has rung, ``watch`` is told what happens.
    Raises Unavailable when a text of the script cannot be spoken;
    whatever the bridge does wrong stands in the result.
    """
    call = await LiveCall.prepare(site, script, voice, dialling=dialling, manners=manners, dialled=dialled)
    return await call.run(watch)


class LiveCall:
    """A call that is ready to be placed; ``call_sid`` is known beforehand."""

    def __init__(self, site: Site, call: CarrierCall, voice: Voice) -> None:
        self._site = site
        self._call = call
        self._voice = voice
        self._shell: _Shell | None = None

    @property
    def first_stream_ms(self) -> int:
        """When the bridge began to hear the call, in milliseconds after the answer."""
        return self._call.first_stream_ms

    @property
    def call_sid(self) -> str:
        """The carrier's name for the call."""
        return self._call.call_sid

    @classmethod
    async def prepare(
        cls,
        site: Site,
        script: Sequence[Step],
        voice: Voice,
        *,
        dialling: Dialling,
        manners: Manners | None = None,
        dialled: Mapping[str, Dialled] = NOBODY,
    ) -> "LiveCall":
        """Have all texts of the script spoken; raises Unavailable when the voice cannot."""
        speech = {step.text: await speak(voice, step.text) for step in script if isinstance(step, Say)}
        plan = CallPlan(
            dialling=dialling,
            voice_url=site.voice_url or f"{site.public}/twilio/voice",
            status_url=f"{site.public}/twilio/status",
            dialled=dict(dialled),
            transcript=" ".join(step.text for step in script if isinstance(step, Say)),
        )
        caller = Caller(script, speech, manners)
        return cls(site, CarrierCall(plan, caller, new_hex=_new_hex, started_at=datetime.now(UTC)), voice)

    def redirect(self, document: bytes) -> None:
        """Go on with another document while the call is live."""
        if self._shell is not None:
            self._shell.tell(lambda call, now: call.redirect(document, now))

    def drop(self) -> None:
        """End the call while it is live."""
        if self._shell is not None:
            self._shell.tell(lambda call, now: call.drop(now))

    async def play(self, http: aiohttp.ClientSession, watch: Callable[[Note], None] | None = None) -> CallResult:
        """Stay on the line to its end by connections of somebody else's; the bridge's record is not asked for."""
        self._shell = _Shell(self._site, self._call, self._voice, http, watch or _ignore)
        await self._shell.run()
        return self._call.result()

    async def run(self, watch: Callable[[Note], None] | None = None) -> CallResult:
        """Place the call and stay on the line to its end."""
        timeout = aiohttp.ClientTimeout(total=REQUEST_MS / 1000, sock_connect=CONNECT_S)
        # A connection that is kept may be to a process that was killed a moment ago, and a POST is not sent twice.
        fresh = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True, connector=fresh) as http:
            shell = self._shell = _Shell(self._site, self._call, self._voice, http, watch or _ignore)
            await shell.run()
            result = self._call.result()
            metrics = msgspec.structs.replace(result.metrics, late_ms=shell.late_ms)
            record, error = None, ""
            if not _stayed_in_menus(result):
                api = BridgeApi(http, self._site.url, self._site.api_key)
                record, error = await _final_record(api, self.call_sid)
        return msgspec.structs.replace(result, metrics=metrics, record=record, record_error=error)


class _Shell:
    """The clock, the sockets and the voice of one call."""

    def __init__(
        self, site: Site, call: CarrierCall, voice: Voice, http: aiohttp.ClientSession, watch: Callable[[Note], None]
    ) -> None:
        self._site = site
        self._call = call
        self._voice = voice
        self._http = http
        self._watch = watch
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._stirred = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: asyncio.Task[None] | None = None
        self._outbox: asyncio.Queue[Send | Close] = asyncio.Queue()
        self.late_ms = 0
        """How far this machine fell behind its own clock at the worst."""

    def tell(self, what: Callable[[CarrierCall, int], None]) -> None:
        """Do something to the call from outside."""
        what(self._call, self._now())
        self._stirred.set()

    def _now(self) -> int:
        return int((self._loop.time() - self._began) * 1000)

    async def run(self) -> None:
        """Live through the call."""
        async with asyncio.TaskGroup() as owner:
            self._call.begin(self._now())
            while not self._call.ended:
                for duty in self._call.outgoing():
                    self._do(duty, owner)
                await self._sleep_until(self._call.deadline())
                self._call.advance(self._now())
                for note in self._call.notes():
                    self._watch(note)
            if self._socket is not None:
                await asyncio.wait([self._socket], timeout=CLOSING_S)
            for task in self._tasks:
                task.cancel()

    async def _sleep_until(self, deadline: int | None) -> None:
        """Sleep until something happens, or the call has something to do."""
        if deadline is not None and not self._stirred.is_set():
            try:
                async with asyncio.timeout_at(self._began + deadline / 1000):
                    await self._stirred.wait()
            except TimeoutError:
                self.late_ms = max(self.late_ms, self._now() - deadline)
        self._stirred.clear()

    def _do(self, duty: Duty, owner: asyncio.TaskGroup) -> None:
        match duty:
            case Ask(id_, request):
                self._start(owner, self._ask(id_, request))
            case Speak(id_, text, language):
                self._start(owner, self._speak(id_, text, language))
            case Open(url, headers):
                self._outbox = asyncio.Queue()
                self._socket = self._start(owner, self._converse(url, headers, self._outbox))
            case Send(sound=True) if self._outbox.qsize() >= OUTBOX_MESSAGES:
                self._call.congested()
            case Send() | Close():
                self._outbox.put_nowait(duty)

    def _start(self, owner: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = owner.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._stirred.set())
        return task

    async def _ask(self, id_: int, request: Request) -> None:
        # As it stands, or what is sent would not be what was signed: a query may hold an address in its own quoting.
        url, body = URL(self._site.reach(request.url), encoded=True), request.body or None
        try:
            async with self._http.request(
                request.method, url, headers=request.headers, data=body, allow_redirects=False
            ) as answer:
                response = Response(
                    status=answer.status,
                    headers={name.lower(): value for name, value in answer.headers.items()},
                    body=await _body(answer),
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            self._call.unreachable(id_, http_code(error), sentence(error), self._now())
        else:
            self._call.answered(id_, response, self._now())

    async def _speak(self, id_: int, text: str, language: str) -> None:
        try:
            audio = await speak(self._voice, text, language.partition("-")[0])
        except Unavailable as error:
            self._call.unspoken(id_, str(error), self._now())
        else:
            self._call.spoken(id_, audio, self._now())

    async def _converse(self, url: str, headers: dict[str, str], outbox: "asyncio.Queue[Send | Close]") -> None:
        """Hold the media socket from its handshake to its close."""
        try:
            socket = await self._http.ws_connect(self._site.reach(url), headers=headers, max_msg_size=0)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._call.refused(Fault(socket_code(error), sentence(error)), self._now())
            return
        async with socket:
            self._call.opened(self._now())
            self._stirred.set()
            writer = asyncio.create_task(_write(socket, outbox))
            try:
                await self._read(socket)
                outbox.put_nowait(Close())
                await writer
            finally:
                writer.cancel()
            self._call.closed(socket.close_code or _ABNORMAL_CLOSURE, self._now())

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                self._call.received(message.data, self._now())
                self._stirred.set()


async def _write(socket: aiohttp.ClientWebSocketResponse, outbox: "asyncio.Queue[Send | Close]") -> None:
    """Send what waits, in order; the only writer of the socket."""
    while True:
        match await outbox.get():
            case Send(text):
                try:
                    await socket.send_str(text)
                except (ConnectionError, aiohttp.ClientError):
                    return  # the reader sees it too, and says with which code
            case Close():
                await socket.close()
                return


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """Read a body, but no more of it than shows that it is too large."""
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > DOCUMENT_BYTES:
            break
    return bytes(body)


async def _final_record(api: BridgeApi, carrier_id: str) -> tuple[Record | None, str]:
    """Fetch the bridge's record once it is finished; or say in a sentence why it cannot be had."""
    loop = asyncio.get_running_loop()
    until = loop.time() + RECORD_S
    try:
        while True:
            record = await api.record(carrier_id)
            if record is None:
                return None, "the bridge has no record of the call"
            if record.status not in LIVE or loop.time() >= until:
                return record, ""
            await asyncio.sleep(RECORD_POLL_S)
    except BridgeError as error:
        return None, str(error)


def _stayed_in_menus(result: CallResult) -> bool:
    """Tell whether a caller was with menus alone, of which the bridge keeps no record."""
    return Gather.__name__ in result.verbs and ConnectStream.__name__ not in result.verbs


def _new_hex() -> str:
    return uuid.uuid4().hex


def _ignore(_: Note) -> None:
    """Watch nothing."""
