"""Calls over ``[[lines]]``, from a carrier's webhook and socket to the session and back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest
import uvloop
from msgspec import structs

from phone_bridge.app import lines as door
from phone_bridge.app.lines import MAX_BODY_BYTES, MAX_OPENING_MESSAGES, AudioSocketDoor
from phone_bridge.call.events import Event
from phone_bridge.errors import Refused, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.legs import telnyx
from phone_bridge.runtime import audiosocket
from phone_bridge.runtime.lines import KINDS, Line
from phone_bridge.runtime.record import CallRecord
from phone_bridge.sessions.chronapilot.messages import ActionConfirm
from tests.app.premises import LINE_MS, Premises, lose_database, play, premises
from tests.ports import free_port
from tests.runtime.far_streams import PARAMETERS, FarStream, frame, url_of
from tests.runtime.serving import dial, until

SECRET = "a secret of the line's own"


def line(kind: str) -> Line:
    addresses = ("127.0.0.1",) if kind == "audiosocket" else ()
    return Line(name=kind, kind=kind, user_id="usr_line", secret=SECRET, addresses=addresses)


class Lines:
    """A bridge that is reached over lines, one of each kind."""

    def __init__(self, house: Premises, port: int) -> None:
        self.house = house
        self.port = port

    async def ask(self, kind: str, secret: str = SECRET, method: str = "POST", more: str = "") -> Response:
        query = urlencode({"secret": secret}) + more
        if method == "GET":
            return await self.house.ask("GET", f"/lines/{kind}/answer?{query}&{urlencode(PARAMETERS[kind])}")
        body, type_ = urlencode(PARAMETERS[kind]).encode(), "application/x-www-form-urlencoded"
        if kind in ("jambonz", "vonage"):
            body, type_ = msgspec.json.encode(PARAMETERS[kind]), "application/json"
        path = f"/lines/{kind}/answer?{query}"
        return await self.house.ask("POST", path, headers={"Content-Type": type_}, body=body)

    async def call(self, kind: str) -> FarStream:
        answered = await self.ask(kind)
        assert answered.status == 200, answered
        return await self.open(kind, answered.body.decode())

    async def open(self, kind: str, answer: str) -> FarStream:
        port = self.port if kind == "audiosocket" else self.house.running.port
        return await FarStream(kind).open(port, answer)

    def asks(self) -> bool:
        """Tell whether the caller has begun to hear a question."""
        registry = self.house.bridge.registry
        (pump,) = [registry.pump(record.id) for record, _ in registry.traces()]
        question = pump.view().question if pump is not None else None
        return question is not None and question.answerable

    async def ended(self) -> CallRecord:
        await until(lambda: self.house.bridge.registry.live == 0)
        return (await self.house.calls())[0]


@asynccontextmanager
async def lined(folder: Path, **settings: Any) -> AsyncIterator[Lines]:
    port = free_port()
    given = {"lines": tuple(map(line, KINDS)), "audiosocket_listen": f"tcp://127.0.0.1:{port}", **settings}
    async with premises(folder, **given) as house:
        yield Lines(house, port)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_call_goes_both_ways_and_is_an_ordinary_record(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            far = await there.call(kind)
            await until(lambda: bool(there.house.peers.live))
            assistant = there.house.peers.live[-1]
            for _ in range(5):
                far.speak(b"\x10" * far.format.size(20))
            await until(lambda: any(assistant.sound))
            assistant.reply("r1", bytes(range(256)) * 40)
            silence = far.format.silence
            await until(lambda: bytes(far.sound).replace(silence, b"") != b"")
            assistant.propose()
            await until(there.asks)
            far.press("1")
            await until(lambda: any(isinstance(word, ActionConfirm) for word in assistant.words))
            await far.hang_up()
            end = ("carrier", "leg_lost") if kind == "signalwire" else ("caller", None)  # Twilio's say stop first
            record = await there.ended()
            assert (record.status, record.ended_by, record.error) == ("completed", *end)
            assert (record.user_id, record.direction) == ("usr_line", "inbound")
            assert (record.from_number, record.to_number) == ("+4930123456", "+49301")
            assert [(action["verdict"], action["by"]) for action in record.actions] == [("confirmed", "digit")]

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["audiosocket", "chan_websocket", "plivo"])
def test_a_call_that_the_bridge_ends_hears_a_goodbye_and_a_word(kind: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            far = await there.call(kind)
            await until(lambda: bool(there.house.peers.live))
            (record,) = [record for record, _ in there.house.bridge.registry.traces()]
            assert there.house.bridge.registry.end(record.id, "api")
            await until(lambda: far.code is not None)
            assert bytes(far.sound).replace(far.format.silence, b""), "the goodbye"
            assert [said["command"] for said in far.said] == {"audiosocket": [0], "plivo": []}.get(kind, ["HANGUP"])
            await far.hang_up()
            assert (await there.ended()).ended_by == "api"

    asyncio.run(story())


def test_a_call_that_fails_is_apologised_for_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(leg: telnyx.TelnyxLeg, data: bytes | str, now: int) -> list[Event]:
        raise ZeroDivisionError

    async def story() -> None:
        async with lined(tmp_path) as there:
            far = await there.call("telnyx")
            await until(lambda: bool(there.house.peers.live))
            monkeypatch.setattr(telnyx.TelnyxLeg, "_read", fail)
            far.sound.clear()
            far.press("1")
            await until(lambda: far.code is not None)
            assert len(far.sound) == far.format.size(LINE_MS), "the whole of it, and nothing after it"
            record = await there.ended()
            assert (record.ended_by, record.error) == ("bridge", "bridge_failed")

    asyncio.run(story())


def test_whoever_does_not_know_the_secret_gets_no_answer(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        for kind in ("telnyx", "audiosocket", "nobody's"):
            for secret in ("", "another", SECRET + "x"):
                refused = await house.ask("POST", f"/lines/{kind}/answer?{urlencode({'secret': secret})}")
                assert refused.status == 403, (kind, secret)
        assert not await house.calls()

    play(tmp_path, story, lines=(line("telnyx"), structs.replace(line("audiosocket"), secret="")))


def test_an_answer_may_be_asked_for_by_get_and_as_an_address(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        there = Lines(house, 0)
        by_get = await there.ask("vonage", method="GET")
        assert urlsplit(url_of("vonage", by_get.body.decode())).path.startswith("/lines/vonage/media/")
        plain = await there.ask("telnyx", more="&as=url")
        assert plain.body.decode().startswith("wss://bridge.test/lines/telnyx/media/")
        again = await there.ask("telnyx")
        assert again.status == 200
        assert len(await house.calls()) == 2, "the same call of the carrier's is one call here"

    play(tmp_path, story, lines=tuple(map(line, KINDS)))


def test_a_webhook_that_says_nothing_of_its_call_is_answered_all_the_same(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        path = f"/lines/vonage/answer?{urlencode({'secret': SECRET})}"
        for body in (b"{", b'["a"]', b'{"from": 7}', b"x" * (MAX_BODY_BYTES + 1)):
            for type_ in ("application/json", "application/x-www-form-urlencoded"):
                assert (await house.ask("POST", path, headers={"Content-Type": type_}, body=body)).status == 200
        assert {record.from_number for record in await house.calls()} == {None}

    play(tmp_path, story, lines=(line("vonage"),))


def test_a_caller_for_whom_there_is_no_line_is_turned_away(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        there = Lines(house, 0)
        assert (await there.ask("telnyx")).status == 200
        assert (await there.ask("plivo")).status == 503
        house.bridge.registry.draining = True
        assert (await there.ask("vonage")).status == 503

    play(tmp_path, story, lines=tuple(map(line, KINDS)), max_calls=1)


def test_a_call_that_cannot_be_written_down_takes_up_no_line(tmp_path: Path) -> None:
    async def story(house: Premises) -> None:
        assert (await Lines(house, 0).ask("vonage")).status == 200
        lose_database(house, tmp_path)
        assert (await Lines(house, 0).ask("telnyx")).status == 503
        assert house.bridge.registry.announced("v2:T02") is None

    play(tmp_path, story, lines=tuple(map(line, KINDS)))


async def refused(there: Lines, url: str) -> bool:
    try:
        socket = await dial(f"ws://127.0.0.1:{there.house.running.port}{url}")
    except Refused as error:
        return error.code == "http_403"
    socket.close()
    return False


def test_a_token_admits_one_stream_of_its_own_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            path = urlsplit((await there.ask("telnyx", more="&as=url")).body.decode()).path
            assert await refused(there, path.replace("/telnyx/", "/plivo/"))
            assert await refused(there, path[:-3] + "abc")
            assert await refused(there, "/lines/telnyx/media")
            assert await refused(there, "/lines/nobodys/media?token=a")
            assert await refused(there, "/lines/audiosocket/media?token=a")
            far = await FarStream("telnyx").open(there.house.running.port, f"<R><Stream url='{path}'/></R>")
            await until(lambda: bool(there.house.peers.live))
            assert await refused(there, path)
            await far.hang_up()
            await there.ended()

    asyncio.run(story())


OPUS = '{"event":"start","start":{"media_format":{"encoding":"OPUS"}}}'


@pytest.mark.parametrize(("first", "code"), [("{", "malformed_stream"), (OPUS, "unsupported_media_format")])
def test_a_stream_that_begins_badly_is_a_failed_call(first: str, code: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            path = urlsplit((await there.ask("telnyx", more="&as=url")).body.decode()).path
            socket = await dial(f"ws://127.0.0.1:{there.house.running.port}{path}")
            socket.send(first)
            await socket.wait_closed()
            record = await there.ended()
            assert (record.status, record.error) == ("failed", code)

    asyncio.run(story())


def test_a_stream_that_does_not_begin_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "START_SECONDS", 0.05)

    async def story() -> None:
        async with lined(tmp_path) as there:
            for messages in (0, MAX_OPENING_MESSAGES + 1):
                path = urlsplit((await there.ask("telnyx", more="&as=url")).body.decode()).path
                socket = await dial(f"ws://127.0.0.1:{there.house.running.port}{path}")
                for _ in range(messages):
                    socket.send('{"event":"connected"}')
                await socket.wait_closed()
                assert (await there.ended()).error == "stream_not_started"

    asyncio.run(story())


def test_asterisk_needs_no_announcement_from_an_address_that_may_connect(tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            name = "e226e283-c90a-4ea9-9e37-389000b9ef47"
            far = await there.open("audiosocket", name)
            await until(lambda: bool(there.house.peers.live))
            second = await there.open("audiosocket", name)
            await until(lambda: second.code is not None)
            await second.hang_up()
            await far.hang_up()
            record = await there.ended()
            assert (record.carrier_id, record.user_id, record.from_number) == (name, "usr_line", None)
            assert (record.status, record.ended_by) == ("completed", "caller")

    asyncio.run(story())


def test_an_address_that_may_not_connect_is_dropped(tmp_path: Path) -> None:
    async def story() -> None:
        elsewhere = structs.replace(line("audiosocket"), addresses=("192.0.2.0/24",))
        async with lined(tmp_path, lines=(elsewhere,)) as there:
            far = await there.open("audiosocket", "e226e283-c90a-4ea9-9e37-389000b9ef47")
            await far.dropped()
            assert not await there.house.calls()

    asyncio.run(story())


def test_asterisk_is_heard_by_the_loop_that_serves(tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            far = await there.call("audiosocket")
            await until(lambda: bool(there.house.peers.live))
            far.speak(b"\x10" * far.format.size(20))
            await until(lambda: any(there.house.peers.live[-1].sound) and any(far.sound))
            await far.hang_up()
            assert (await there.ended()).ended_by == "caller"

    uvloop.run(story())


def test_a_connection_that_says_no_name_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiosocket, "NAME_SECONDS", 0.05)
    monkeypatch.setattr(audiosocket, "MAX_UNNAMED", 2)

    async def story() -> None:
        async with lined(tmp_path) as there:
            streams = [await asyncio.open_connection("127.0.0.1", there.port) for _ in range(4)]
            streams[0][1].write(frame(0x10, bytes(320)))
            for reader, writer in streams:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
            assert not await there.house.calls()

    asyncio.run(story())


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            other = AudioSocketDoor(there.house.bridge)
            with pytest.raises(Unavailable, match=f"127.0.0.1:{there.port}"):
                await other.open()
            await other.close()

    asyncio.run(story())


def test_a_bridge_that_stops_hangs_up_and_drops_the_unnamed(tmp_path: Path) -> None:
    async def story() -> None:
        async with lined(tmp_path) as there:
            _, writer = await asyncio.open_connection("127.0.0.1", there.port)
            await asyncio.sleep(0.01)
        writer.close()

    asyncio.run(story())
