"""The REST side of the simulated carrier: it takes what Twilio takes, and refuses by Twilio's own numbers."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

import msgspec

from phone_bridge import exchange
from phone_bridge.runtime.http import HttpClient
from phone_bridge.simulator.carrier import Site
from phone_bridge.simulator.rest import MAX_TWIML_CHARS, Callee, TwilioRest
from tests.app.premises import ACCOUNT, TOKEN, Tone
from tests.runtime.serving import serving, until

PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"
PLACING = {"To": "+12025550143", "From": "+12025550100", "Url": "http://127.0.0.1:9/voice"}


class Asker:
    def __init__(self, rest: TwilioRest, http: HttpClient, port: int) -> None:
        self.rest = rest
        self._http = http
        self._port = port

    async def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, token: str = TOKEN
    ) -> tuple[int, Any]:
        headers = {
            "Authorization": "Basic " + b64encode(f"{ACCOUNT}:{token}".encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        request = exchange.Request(
            method=method,
            url=f"http://127.0.0.1:{self._port}{path}",
            headers=headers,
            body=urlencode(form or {}).encode(),
        )
        answer = await self._http.exchange(request, timeout_ms=5_000)
        return answer.status, msgspec.json.decode(answer.body)


def tell(callee: Callee, story: Callable[[Asker], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        site = Site(url="http://127.0.0.1:9")
        rest = TwilioRest(site, Tone(), account_sid=ACCOUNT, auth_token=TOKEN, callee=lambda _: callee)
        http = HttpClient()
        async with serving(rest.app) as server:
            await story(Asker(rest, http, server.port))
            await rest.close()
            await http.close()

    asyncio.run(run())


def test_what_twilio_would_not_take_is_refused_by_its_number() -> None:
    async def story(asker: Asker) -> None:
        for missing, code in (("To", 21201), ("From", 21213), ("Url", 21205)):
            form = {name: value for name, value in PLACING.items() if name != missing}
            status, body = await asker.ask("POST", f"{PATH}.json", form)
            assert (status, body["code"], body["status"]) == (400, code, 400)
        for method, path in (("POST", f"{PATH}.json"), ("GET", f"{PATH}.json")):
            assert (await asker.ask(method, path, PLACING, token="wrong"))[0] == 401
        for method in ("GET", "POST"):
            status, body = await asker.ask(method, f"{PATH}/CA1.json")
            assert (status, body["code"]) == (404, 20404)
        assert asker.rest.calls == {}

    tell(Callee(), story)


def test_a_call_is_taken_listed_and_over() -> None:
    async def story(asker: Asker) -> None:
        status, made = await asker.ask("POST", f"{PATH}.json", PLACING)
        assert (status, made["status"], made["direction"]) == (201, "queued", "outbound-api")
        _, listed = await asker.ask("GET", f"{PATH}.json?To=%2B12025550143&From=%2B12025550100")
        assert [call["sid"] for call in listed["calls"]] == [made["sid"]]
        _, none = await asker.ask("GET", f"{PATH}.json?To=%2B1")
        assert none["calls"] == []
        await until(lambda: asker.rest.calls[made["sid"]].status == "busy")
        path = f"{PATH}/{made['sid']}.json"
        assert (await asker.ask("GET", path))[1]["status"] == "busy"
        for form in ({"Status": "completed"}, {"Twiml": "<Response/>"}):
            assert (await asker.ask("POST", path, form))[1]["code"] == 21220

    tell(Callee(does="busy"), story)


def test_a_call_that_rings_is_canceled_and_takes_no_document() -> None:
    async def story(asker: Asker) -> None:
        _, made = await asker.ask("POST", f"{PATH}.json", PLACING)
        path = f"{PATH}/{made['sid']}.json"
        assert (await asker.ask("POST", path, {"Twiml": "x" * (MAX_TWIML_CHARS + 1)}))[1]["code"] == 21220
        assert (await asker.ask("POST", path, {"Status": "canceled"}))[0] == 200
        await until(lambda: asker.rest.calls[made["sid"]].status == "canceled")

    tell(Callee(ring_s=60), story)
