"""The callers of a soak: each is one whole call with something that happens in it, and says what was wrong with it."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from phone_bridge.exchange import Request
from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.runtime.http import HttpClient
from phone_bridge.runtime.websocket_client import dial
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.simulator.verbs import ConnectStream, parse
from phone_bridge.simulator.webhooks import Dialling, Webhooks
from tests.benchmarks.far_ends import ACCOUNT, TOKEN
from tests.legs.twilio import samples as twilio
from tests.sessions.chronapilot import samples as chronapilot
from tests.soak.ends import Assistant, Carrier, Sessions, Track, every_frame

PATIENCE_SECONDS = 20
QUIET_SECONDS = 0.6  # in which everything that is on its way arrives
REPLY_SECONDS = 3.0
NONSENSE = 12  # bad messages from each side, fewer than end a call
RECORD_SECONDS = 5.0

ACTION = m.ProposedAction(name="cancel_event", parameters={"event_id": "evt_1"}, summary="Cancel lunch.")
BAD_OF_CARRIER: list[str | bytes] = [b"\x00"]
BAD_OF_CARRIER += [twilio.text("broken", name) for name in twilio.names("broken")]
BAD_OF_SESSION = [case["data"] for case in chronapilot.cases("server_broken.jsonl") if isinstance(case["data"], str)]


class Tally:
    """What all calls come to."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.faults: list[str] = []
        self.sent = self.lost = self.wrong = 0

    def add(self, track: Track) -> None:
        """Add one direction of one call."""
        self.sent += track.sent
        self.lost += track.lost
        self.wrong += track.wrong


class Caller:
    """One call; ``port`` is the bridge's."""

    def __init__(self, port: int, http: HttpClient, sessions: Sessions, rng: random.Random) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.sid = "CA" + uuid4().hex
        self.assistant = sessions.of_call[self.sid] = Assistant()
        self.down = Track()
        self.rng = rng
        self.record: Any = None
        self._sessions = sessions
        self._http = http
        self._began = datetime.now(UTC)
        dialling = Dialling(account_sid=ACCOUNT, auth_token=TOKEN, from_number=f"+1202555{rng.randrange(10_000):04}")
        self._webhooks = Webhooks(dialling, self.sid, self._began, lambda: str(uuid4()))

    async def ring(self) -> Carrier:
        """Be answered, and talk once the session is there."""
        verb = await self._ask(self._webhooks.voice(f"{self.base}/twilio/voice", "POST", "ringing"))
        assert verb is not None, "the call was turned away"
        carrier = await self._open(verb)
        await self.assistant.session(1)
        return carrier

    async def come_back(self) -> Carrier | None:
        """Ask, as a carrier whose stream broke, what comes next; a new stream, if that is it."""
        verb = await self._ask(self._webhooks.voice(f"{self.base}/twilio/connect", "POST", "in-progress"))
        return await self._open(verb) if verb is not None else None

    async def say_goodbye(self) -> None:
        """Tell, as a carrier does, that the call is over."""
        ms = int((datetime.now(UTC) - self._began).total_seconds() * 1000)
        await self._http.exchange(
            self._webhooks.call_status(f"{self.base}/twilio/status", "completed", ms, ms), timeout_ms=5_000
        )
        del self._sessions.of_call[self.sid]

    async def kept(self) -> Any:
        """Wait for the record of the call as it is in the end."""
        deadline = asyncio.get_running_loop().time() + RECORD_SECONDS
        while True:
            found = await self._get(f"/v1/calls?carrier_id={self.sid}")
            if found["data"] and found["data"][0]["ended_at"]:
                return found["data"][0]
            if asyncio.get_running_loop().time() > deadline:
                return found["data"][0] if found["data"] else None
            await asyncio.sleep(0.1)

    async def end_by_api(self) -> None:
        """Have the call ended as a program does."""
        (known,) = (await self._get(f"/v1/calls?carrier_id={self.sid}"))["data"]
        url = f"{self.base}/v1/calls/{known['id']}/end"
        answer = await self._http.exchange(Request(method="POST", url=url), timeout_ms=5_000)
        assert answer.status == 202, answer

    def talk(self, carrier: Carrier, *, both: bool) -> None:
        """Speak one frame's time, and let the assistant speak, too."""
        carrier.speak(self.assistant.up.next())
        if both:
            self.assistant.say(m.AudioDelta(audio=self.down.next(), response_id="rsp_talk"))

    async def listen_and_talk(self, carrier: Carrier, seconds: float, *, both: bool = False) -> None:
        """Talk for so long."""
        await every_frame(seconds, lambda: self.talk(carrier, both=both))

    async def talk_until(self, carrier: Carrier, condition: Callable[[], bool]) -> None:
        """Talk until something has come, which a loaded machine may keep waiting for."""
        until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while not condition() and asyncio.get_running_loop().time() < until:
            await self.listen_and_talk(carrier, 0.1)

    async def _get(self, path: str) -> Any:
        answer = await self._http.exchange(Request(method="GET", url=self.base + path), timeout_ms=10_000)
        assert answer.status == 200, answer
        return msgspec.json.decode(answer.body)

    async def _ask(self, request: Request) -> ConnectStream | None:
        answer = await self._http.exchange(request, timeout_ms=PATIENCE_SECONDS * 1000)
        assert answer.status == 200, answer
        verb = next(iter(parse(answer.body).verbs), None)
        return verb if isinstance(verb, ConnectStream) else None

    async def _open(self, verb: ConnectStream) -> Carrier:
        headers = self._webhooks.handshake(verb.url)
        socket = await dial(verb.url, headers=headers, timeout_ms=PATIENCE_SECONDS * 1000)
        start = StreamStart(
            call_sid=self.sid,
            stream_sid="MZ" + uuid4().hex,
            account_sid=ACCOUNT,
            custom_parameters=verb.parameters,
        )
        carrier = Carrier(CarrierStream(start), socket, self.down)
        carrier.say(carrier.codec.connected())
        carrier.say(carrier.codec.started())
        return carrier


# What happens in a call


async def talks(caller: Caller) -> None:
    """Both talk all the time, and the caller hangs up."""
    carrier = await caller.ring()
    await caller.listen_and_talk(carrier, caller.rng.uniform(2, 6), both=True)
    await hang_up(caller, carrier)


async def confirms(caller: Caller) -> None:
    """The caller is asked, listens, and presses 1."""
    carrier = await caller.ring()
    await caller.listen_and_talk(carrier, 0.5)
    before = carrier.played_ms
    caller.assistant.say(m.ActionProposed(id="act_1", action=ACTION))
    while carrier.played_ms < before + 300:
        await caller.listen_and_talk(carrier, 0.2)
    await caller.listen_and_talk(carrier, 2.0)
    carrier.say(carrier.codec.dtmf("1"))
    await caller.listen_and_talk(carrier, 1.0)
    assert caller.assistant.confirmed == ["act_1"], f"confirmed {caller.assistant.confirmed}"
    await hang_up(caller, carrier)


async def interrupts(caller: Caller) -> None:
    """A long reply is cut short by the caller's voice."""
    carrier = await caller.ring()
    await caller.listen_and_talk(carrier, 2.0)  # the greeting is over
    reply = b"".join(caller.down.next() for _ in range(int(REPLY_SECONDS * 50)))
    caller.assistant.say(m.AudioDelta(audio=reply, response_id="rsp_1"))
    await caller.listen_and_talk(carrier, 0.5)
    clears = carrier.clears
    caller.assistant.say(m.SpeechStarted(), m.TranscriptFinal("wait"))
    await caller.talk_until(carrier, lambda: carrier.clears > clears)
    assert carrier.clears > clears, "the reply went on"
    await hang_up(caller, carrier)


async def drops(caller: Caller) -> None:
    """The carrier's socket breaks; the carrier asks what comes next, and goes on if it may."""
    carrier = await caller.ring()
    await caller.listen_and_talk(carrier, 1.0, both=True)
    carrier.socket.fail("broken")
    await carrier.gone.wait()
    caller.assistant.up.excuse()
    caller.down.excuse()
    known = caller.assistant.sessions
    again = await caller.come_back()
    if again is not None:
        await caller.assistant.session(known + 1)
        await caller.listen_and_talk(again, 1.0)
        await hang_up(caller, again)


async def loses_its_session(caller: Caller) -> None:
    """The session's socket breaks; another session goes on."""
    carrier = await caller.ring()
    await caller.listen_and_talk(carrier, 1.0)
    assert caller.assistant.socket is not None
    caller.assistant.socket.fail("broken")
    await caller.assistant.session(2)
    caller.assistant.up.excuse()
    await caller.listen_and_talk(carrier, 1.5)
    await hang_up(caller, carrier)


async def talks_nonsense(caller: Caller) -> None:
    """Both peers send what their protocols do not allow, in between."""
    carrier = await caller.ring()
    for _ in range(NONSENSE):
        await caller.listen_and_talk(carrier, 0.2, both=True)
        carrier.say(caller.rng.choice(BAD_OF_CARRIER))
        caller.assistant.tell(caller.rng.choice(BAD_OF_SESSION))
    await hang_up(caller, carrier)


async def is_ended(caller: Caller) -> None:
    """A program ends the call."""
    carrier = await caller.ring()
    await caller.listen_and_talk(carrier, 2.0)
    await asyncio.sleep(QUIET_SECONDS)
    caller.assistant.up.settle()
    await caller.end_by_api()
    await carrier.gone.wait()


async def hang_up(caller: Caller, carrier: Carrier) -> None:
    """Fall silent, so that nothing is on its way, count, and hang up."""
    await asyncio.sleep(QUIET_SECONDS)
    caller.assistant.up.settle()
    caller.down.settle()
    carrier.hang_up()
    await carrier.gone.wait()


STORIES: dict[str, tuple[Callable[[Caller], Awaitable[None]], str]] = {
    "talks": (talks, "caller"),
    "confirms": (confirms, "caller"),
    "interrupts": (interrupts, "caller"),
    "drops": (drops, ""),
    "loses its session": (loses_its_session, "caller"),
    "talks nonsense": (talks_nonsense, "caller"),
    "is ended": (is_ended, "api"),
}
"""Each with who ends it, where that is always the same."""


async def play(name: str, caller: Caller, tally: Tally) -> None:
    """Play one call, and hold its record against what happened."""
    story, ended_by = STORIES[name]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS * 3):
            await story(caller)
            await caller.say_goodbye()
            caller.record = await caller.kept()
            _check(name, caller, ended_by)
    except Exception as error:  # noqa: BLE001 - the top of a call's task: one that fails is one fault
        tally.faults.append(f"{name}: {type(error).__name__} {error}")
    tally.calls[name] += 1
    tally.add(caller.assistant.up)
    tally.add(caller.down)


def _check(name: str, caller: Caller, ended_by: str) -> None:
    record = caller.record
    assert record is not None, "there is no record"
    assert record["ended_at"], "the record has no end"
    assert record["status"] == "completed", f"the record says {record['status']}"
    assert record["ended_by"] == (ended_by or record["ended_by"]), f"the record says ended by {record['ended_by']}"
    assert ended_by == "" or record["error"] is None, f"the record says {record['error']}"
    assert record["transcript"], "the record has no words"
    if name == "confirms":
        assert [(each["verdict"], each["by"]) for each in record["actions"]] == [("confirmed", "digit")]
