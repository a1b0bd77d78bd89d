"""No address that comes from outside is ever fetched: a trap listens, and nobody calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from phone_bridge.app.routes import PATHS
from tests.app.premises import Premises, call_form, play
from tests.runtime.serving import until

NAMES = (
    "From", "To", "Caller", "Called", "CallerName", "ForwardedFrom", "Url", "RecordingUrl", "RecordingStatusCallback",
    "StreamUrl", "StreamName", "StreamError", "StreamSid", "StreamEvent", "StatusCallback", "Action", "Redirect",
    "SipHeader_Referred-By", "AnsweredBy", "DialCallStatus", "Digits", "ApiVersion", "AddOns",
)  # fmt: skip


class Trap:
    """A server that must stay alone."""

    def __init__(self) -> None:
        self.visits = 0

    @asynccontextmanager
    async def set_up(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._visit, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/trap"
        finally:
            server.close()

    async def _visit(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()


@pytest.fixture
def trap() -> Trap:
    return Trap()


def test_no_url_in_a_webhook_or_a_request_is_fetched(tmp_path: Path, trap: Trap) -> None:
    async def story(house: Premises) -> None:
        async with trap.set_up() as url:
            paths = [route.path.replace("{id}", "x") for route in PATHS]
            for number, path in enumerate(paths):
                form = call_form(f"CA{number}", **dict.fromkeys(NAMES, url))
                await house.post(f"{path}?url={url}&next={url}", form)
                if path.endswith("/events"):
                    continue  # a stream of events does not end by itself, and reads nothing but its call's id
                await house.ask(
                    "GET", f"{path}?url={url}", headers={"Origin": url, "Referer": url, "Host": "localhost"}
                )
            assert trap.visits == 0

    play(tmp_path, story)


def test_no_url_in_a_stream_is_fetched(tmp_path: Path, trap: Trap) -> None:
    async def story(house: Premises) -> None:
        async with trap.set_up() as url:
            token = (await house.ring("CA1")).parameters["token"]
            carrier = await house.open_only("CA1", token=token)
            carrier.codec.start.custom_parameters.update(url=url, session_url=url, callback=url)
            carrier.say(carrier.codec.connected(), carrier.codec.started())
            await until(lambda: house.bridge.registry.live == 1 and bool(house.peers.live))
            carrier.hang_up()
            await house.ended(carrier)
            assert trap.visits == 0

    play(tmp_path, story)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_session_that_sends_us_elsewhere_is_not_followed(tmp_path: Path, trap: Trap, status: int) -> None:
    async def story(house: Premises) -> None:
        async with trap.set_up() as url:
            house.peers.mint_status, house.peers.mint_headers = status, {"Location": url}
            carrier = await house.open("CA1", token=(await house.ring("CA1")).parameters["token"])
            _, record = await house.ended(carrier)
            assert house.peers.mints
            assert record.error is not None
            assert trap.visits == 0

    play(tmp_path, story)


def test_the_trap_itself_works(trap: Trap) -> None:
    async def run() -> None:
        async with trap.set_up() as url:
            _, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].partition("/")[0]))
            await until(lambda: trap.visits == 1)
            writer.close()

    asyncio.run(run())
