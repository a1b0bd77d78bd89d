"""A bridge that rings others, and the carrier's REST side that it asks: Twilio played by our own simulator."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from phone_bridge import exchange
from phone_bridge.simulator.carrier import Site
from phone_bridge.simulator.rest import Callee, Mood, TwilioRest
from tests.app.premises import ACCOUNT, PUBLIC, TOKEN, Premises, Tone, json_of, premises
from tests.outbound.schema import is_valid
from tests.runtime.serving import serving, until

TO = "+12025550143"
FROM = "+12025550100"
JSON = {"Content-Type": "application/json"}
PATIENCE_S = 30.0
ANYBODY = Callee()


class Telephone:
    """A bridge on its premises and the carrier that it rings through."""

    def __init__(self, house: Premises, rest: TwilioRest) -> None:
        self.house = house
        self.rest = rest

    async def post(self, path: str, body: Any, **headers: str) -> exchange.Response:
        """Send JSON."""
        given = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.house.ask("POST", path, headers=given, body=msgspec.json.encode(body))

    async def call(self, **body: Any) -> Any:
        """Have somebody called."""
        answer = await self.post("/v1/calls", {"to": TO, **body})
        assert answer.status == 201, answer
        return json_of(answer)

    async def until(self, path: str, wanted: Callable[[Any], bool]) -> Any:
        """Look at ``path`` until it is as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = json_of(await self.house.ask("GET", path))
                if wanted(found):
                    return found
                await asyncio.sleep(0.05)

    async def ended(self, call: Any) -> Any:
        """Wait for the end of a call, and show it."""
        return await self.until(f"/v1/calls/{call['id']}", lambda shown: shown["ended_at"] is not None)

    async def settled(self, call: Any) -> Any:
        """Wait until what came of a call is written down, and show it."""
        book = self.house.bridge.outbound.book

        def settled() -> bool:
            attempt = book.find(call["id"])
            return attempt is not None and attempt.settled_at is not None

        await until(settled, PATIENCE_S)
        return json_of(await self.house.ask("GET", f"/v1/calls/{call['id']}"))


@asynccontextmanager
async def telephone(
    folder: Path, callee: Callable[[str], Callee], mood: Callable[[str], Mood], **settings: Any
) -> AsyncIterator[Telephone]:
    """Run a bridge whose carrier is ours."""
    site = Site(url="http://127.0.0.1:1", public_url=PUBLIC)  # where the bridge listens is known once it does
    rest = TwilioRest(site, Tone(), account_sid=ACCOUNT, auth_token=TOKEN, callee=callee, mood=mood)
    async with serving(rest.app) as carrier:
        given = {
            "twilio_url": f"http://127.0.0.1:{carrier.port}",
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_phone_number": FROM,
            "destinations": "+1,+49",
            "calls_per_second": 50,
            **settings,
        }
        async with premises(folder, **given) as house:
            rest.site = Site(url=f"http://127.0.0.1:{house.running.port}", public_url=PUBLIC)
            try:
                yield Telephone(house, rest)
            finally:
                await rest.close()


def ring(
    folder: Path,
    story: Callable[[Telephone], Coroutine[Any, Any, None]],
    callee: Callee | Callable[[str], Callee] = ANYBODY,
    mood: Callable[[str], Mood] = lambda number: Mood(),
    **settings: Any,
) -> None:
    """Run a test's story with a carrier of our own."""
    whom = callee if callable(callee) else lambda number: callee

    async def run() -> None:
        async with telephone(folder, whom, mood, **settings) as phone:
            await story(phone)
            for method, path, form in phone.rest.asked:
                if method == "POST":
                    is_valid(form, "create" if path.endswith("/Calls.json") else "update")

    asyncio.run(run())
