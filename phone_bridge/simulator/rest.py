"""Twilio's REST API, played: calls that the bridge places are taken, ring, are answered or not, and told about.

Whom a number rings is a ``Callee``: somebody with a script, a machine with its greeting and beep, or nobody. What can
go wrong between the two programs is a ``Mood``: answers that never come though the call was taken, callbacks that come
late, doubled and in the wrong order. It runs in real time, for people and for tests.
"""

import asyncio
import uuid
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any, Literal

import aiohttp
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phone_bridge import exchange
from phone_bridge.legs.twilio.webhook import parse_form
from phone_bridge.runtime.voice import Voice
from phone_bridge.simulator.caller import Caller, Manners
from phone_bridge.simulator.carrier import LiveCall, Site, speak
from phone_bridge.simulator.carrier_call import CallPlan, CarrierCall
from phone_bridge.simulator.courier import REQUEST_MS
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import Say, Step
from phone_bridge.simulator.webhooks import API_VERSION, Dialling, Webhooks

MAX_TWIML_CHARS = 4_000
_OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_PATH = f"/{API_VERSION}/Accounts/{{account}}/Calls"

ERRORS: Mapping[int, tuple[int, str]] = MappingProxyType(
    {
        20003: (401, "Authenticate"),
        20404: (404, "The requested resource was not found"),
        20429: (429, "Too Many Requests"),
        21201: (400, "No 'To' number is specified"),
        21205: (400, "Url is not a valid URL"),
        21210: (400, "The source phone number provided is not yet verified for your account"),
        21213: (400, "No 'From' number is specified"),
        21215: (400, "Account not authorized to call this number"),
        21217: (400, "Phone number does not appear to be valid"),
        21220: (400, "Call is not in-progress. Cannot redirect."),
    }
)
"""Twilio's errors by number, with their HTTP status."""


class Callee(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at a number, and what they do; ``detected`` is what a detection of machines makes of them."""

    does: Literal["answer", "busy", "no-answer", "failed"] = "answer"
    ring_s: float = 0.0
    detected: str = "human"
    detect_s: float = 0.0
    script: tuple[Step, ...] = ()
    manners: Manners | None = None


class Mood(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong between the two programs.

    ``refuse`` answers with that error of Twilio's, ``silent`` takes the call and never says so, ``deaf`` neither takes
    nor answers it. ``callbacks`` come in ``order``, once more at the end (``doubled``), ``reversed``, or not at all.
    """

    refuse: int = 0
    silent: bool = False
    deaf: bool = False
    callbacks: Literal["order", "doubled", "reversed", "none"] = "order"


class Taken(msgspec.Struct, kw_only=True):
    """A call that was taken; ``form`` is the request as it came."""

    sid: str
    form: dict[str, list[str]]
    status: str = "queued"
    made: datetime
    live: LiveCall | None = None
    result: CallResult | None = None
    canceled: asyncio.Event

    def one(self, name: str, default: str = "") -> str:
        """Give a parameter."""
        return self.form.get(name, [default])[0]


class TwilioRest:
    """One account at a carrier that places calls to ``callee(number)`` for the bridge at ``site``.

    ``mood(number)`` is asked for each request that places a call. ``app`` is to be served; ``close`` ends every call.
    """

    def __init__(
        self,
        site: Site,
        voice: Voice,
        *,
        account_sid: str,
        auth_token: str,
        callee: Callable[[str], Callee],
        mood: Callable[[str], Mood] = lambda number: Mood(),
    ) -> None:
        self.calls: dict[str, Taken] = {}
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        """Every request: its method, its path and its form."""
        self.site = site
        self._voice = voice
        self._account = account_sid
        self._token = auth_token
        self._callee = callee
        self._mood = mood
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None
        self.app = Starlette(
            routes=[
                Route(f"{_PATH}.json", self._place, methods=["POST"]),
                Route(f"{_PATH}.json", self._list, methods=["GET"]),
                Route(f"{_PATH}/{{sid}}.json", self._update, methods=["POST"]),
                Route(f"{_PATH}/{{sid}}.json", self._fetch, methods=["GET"]),
            ]
        )

    async def close(self) -> None:
        """End every call and its callbacks."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    # The paths

    async def _place(self, request: Request) -> Response:
        form = await self._read(request)
        if not self._known(request):
            return _error(20003)
        mood = self._mood(form.get("To", [""])[0])
        if mood.deaf:
            await asyncio.sleep(REQUEST_MS / 1000)
            return Response(status_code=504)
        wrong = mood.refuse or _wrong(form)
        if wrong:
            return _error(wrong)
        call = Taken(sid=f"CA{uuid.uuid4().hex}", form=form, made=datetime.now(UTC), canceled=asyncio.Event())
        self.calls[call.sid] = call
        self._start(self._live(call, mood))
        if mood.silent:
            await asyncio.sleep(REQUEST_MS / 1000)
        return JSONResponse(self._resource(call), 201)

    async def _list(self, request: Request) -> Response:
        await self._read(request)
        if not self._known(request):
            return _error(20003)
        query = request.query_params
        found = [
            self._resource(call)
            for call in reversed(self.calls.values())
            if query.get("To") in (None, call.one("To")) and query.get("From") in (None, call.one("From"))
        ]
        return JSONResponse({"calls": found, "page": 0, "page_size": 50, "next_page_uri": None})

    async def _fetch(self, request: Request) -> Response:
        await self._read(request)
        call = self.calls.get(request.path_params["sid"])
        if not self._known(request) or call is None:
            return _error(20404 if call is None else 20003)
        return JSONResponse(self._resource(call))

    async def _update(self, request: Request) -> Response:
        form = await self._read(request)
        call = self.calls.get(request.path_params["sid"])
        if not self._known(request) or call is None:
            return _error(20404 if call is None else 20003)
        wanted, document = form.get("Status", [""])[0], form.get("Twiml", [""])[0]
        if call.status in _OVER or (document and call.live is None) or len(document) > MAX_TWIML_CHARS:
            return _error(21220)
        if document and call.live is not None:
            call.live.redirect(document.encode())
        elif wanted == "completed" and call.live is not None:
            call.live.drop()
        elif wanted in ("completed", "canceled") and call.live is None:
            call.canceled.set()
        return JSONResponse(self._resource(call))

    async def _read(self, request: Request) -> dict[str, list[str]]:
        given = parse_form(await request.body())
        form = {name: given.getlist(name) for name in given}
        self.asked.append((request.method, request.url.path, form))
        return form

    def _known(self, request: Request) -> bool:
        _, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = b64decode(given).decode().partition(":")
        except (NoBase64, UnicodeDecodeError):
            return False
        return (user, password) == (self._account, self._token) and request.path_params["account"] == self._account

    def _resource(self, call: Taken) -> dict[str, Any]:
        made = format_datetime(call.made)
        return {
            "sid": call.sid,
            "account_sid": self._account,
            "to": call.one("To"),
            "from": call.one("From"),
            "status": call.status,
            "direction": "outbound-api",
            "date_created": made,
            "date_updated": made,
            "start_time": None if call.status == "queued" else made,
            "duration": None,
            "answered_by": None,
            "queue_time": "0",
            "api_version": API_VERSION,
        }

    # A call

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, call: Taken, mood: Mood) -> None:
        """Ring, be answered or not, and tell of it."""
        callee = self._callee(call.one("To"))
        dialling = Dialling(
            account_sid=self._account,
            auth_token=self._token,
            from_number=call.one("From"),
            to_number=call.one("To"),
            direction="outbound-api",
        )
        teller = _Teller(self, call, Webhooks(dialling, call.sid, call.made, lambda: str(uuid.uuid4())), mood)
        await teller.tell("initiated")
        call.status = "ringing"
        await teller.tell("ringing")
        with suppress(TimeoutError):
            async with asyncio.timeout(callee.ring_s):
                await call.canceled.wait()
        if call.canceled.is_set():
            call.status = "canceled"
        elif callee.does != "answer":
            call.status = callee.does
        else:
            await self._talk(call, callee, dialling, teller)
        await teller.tell(call.status)
        await teller.rest()

    async def _talk(self, call: Taken, callee: Callee, dialling: Dialling, teller: "_Teller") -> None:
        digits = call.one("SendDigits")  # with which no machine is looked for
        looks, later = call.one("MachineDetection") and not digits, call.one("AsyncAmd") == "true"
        call.status = "in-progress"
        await teller.tell("in-progress")
        if looks and not later:
            await asyncio.sleep(callee.detect_s)
        speech = {step.text: await speak(self._voice, step.text) for step in callee.script if isinstance(step, Say)}
        plan = CallPlan(
            dialling=dialling,
            voice_url=call.one("Url"),
            answered=True,
            answered_by=callee.detected if looks and not later else "",
            send_digits=digits,
        )
        names = iter([call.sid[2:]])
        line = CarrierCall(
            plan,
            Caller(callee.script, speech, callee.manners),
            new_hex=lambda: next(names, uuid.uuid4().hex),
            started_at=datetime.now(UTC),
        )
        call.live = LiveCall(self.site, line, self._voice)
        if looks and later:
            self._start(teller.detected(callee))
        call.result = await call.live.play(self.http)
        call.live = None
        call.status = "completed"

    @property
    def http(self) -> aiohttp.ClientSession:
        """The connections to the bridge."""
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=REQUEST_MS / 1000)
            self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True))
        return self._http

    async def send(self, request: exchange.Request) -> None:
        """Send a callback; whether it is taken is the bridge's affair."""
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.request(
                request.method, self.site.reach(request.url), headers=request.headers, data=request.body
            ) as answer:
                await answer.read()


class _Teller:
    """Tells the bridge of one call, in the order and as often as its mood is."""

    def __init__(self, rest: TwilioRest, call: Taken, webhooks: Webhooks, mood: Mood) -> None:
        self._rest = rest
        self._call = call
        self._webhooks = webhooks
        self._mood = mood
        self._sequence = 0
        self._held: list[exchange.Request] = []

    async def tell(self, status: str) -> None:
        """Tell of a status, now or in the end."""
        url = self._call.one("StatusCallback")
        event = {"in-progress": "answered", "initiated": "initiated", "ringing": "ringing"}.get(status, "completed")
        if not url or event not in self._call.form.get("StatusCallbackEvent", ["completed"]):
            return
        at_ms = int((datetime.now(UTC) - self._call.made).total_seconds() * 1000)
        if event == "completed":
            result = self._call.result
            ms = result.duration_ms if result is not None else 0
            request = self._webhooks.call_status(url, status, ms, at_ms, self._sequence)
        else:
            request = self._webhooks.progress(url, status, self._sequence, at_ms)
        self._sequence += 1
        if self._mood.callbacks == "reversed":
            self._held.insert(0, request)
        elif self._mood.callbacks != "none":
            await self._rest.send(request)
            if self._mood.callbacks == "doubled":
                self._held.append(request)

    async def rest(self) -> None:
        """Tell what was held back."""
        for request in self._held:
            await self._rest.send(request)

    async def detected(self, callee: Callee) -> None:
        """Tell what has answered, once that is found out."""
        await asyncio.sleep(callee.detect_s)
        url = self._call.one("AsyncAmdStatusCallback")
        if url:
            await self._rest.send(self._webhooks.machine(url, callee.detected, int(callee.detect_s * 1000)))


def _wrong(form: dict[str, list[str]]) -> int:
    """Find what Twilio would not take, by its own number."""
    if not form.get("To"):
        return 21201
    if not form.get("From"):
        return 21213
    if not (form.get("Url") or form.get("Twiml") or form.get("ApplicationSid")):
        return 21205
    return 0


def _error(code: int) -> Response:
    status, message = ERRORS[code]
    body = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}"}
    return JSONResponse({**body, "status": status}, status)
