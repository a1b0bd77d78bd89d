"""Calls in virtual time: the carrier and the bridge in one thread, joined in memory, with a clock that only we move.

A call of a minute takes milliseconds and goes the same way every time. The bridge's side is whatever a test puts there:
a function that answers webhooks, and an object that holds the far end of the media socket.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import numpy as np

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.audio.g711 import linear_to_ulaw
from phone_bridge.errors import LocalError
from phone_bridge.exchange import Request, Response
from phone_bridge.simulator.caller import Caller, Manners
from phone_bridge.simulator.carrier_call import CallPlan, CarrierCall, Note
from phone_bridge.simulator.duties import Ask, Close, Duty, Open, Send, Speak
from phone_bridge.simulator.faults import Code, Fault
from phone_bridge.simulator.result import CallResult
from phone_bridge.simulator.script import Say, Step
from phone_bridge.simulator.webhooks import Dialling

VIRTUAL_URL = "https://bridge.test"
MEDIA_URL = "wss://bridge.test/twilio/media"
HUM_HZ = 300
HUM_MS_PER_LETTER = 60
"""About how long speech takes: 15 letters a second."""
STEPS_WITHOUT_TIME = 10_000
"""So many rounds in one millisecond mean that the two sides will never come to rest."""


class Far(Protocol):
    """The bridge's end of a media socket. Time is an argument, in milliseconds on the virtual clock."""

    def receive(self, message: str, now: int) -> None:
        """Take one message of the carrier's."""
        ...

    def disconnected(self, now: int) -> None:
        """Learn that the carrier has closed the socket."""
        ...

    def outgoing(self) -> Sequence[str | bytes]:
        """Hand over the messages that wait to be sent."""
        ...

    def closing(self) -> int | None:
        """Say with which code to close the socket now, once ``outgoing`` is empty; None to keep it open."""
        ...

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        ...

    def expire(self, now: int) -> None:
        """Do what was due by ``now``."""
        ...


Web = Callable[[Request, int], Response | None]
"""Answers a webhook; None never answers."""
Socket = Callable[[str, dict[str, str], int], "Far | int"]
"""Accepts a media socket (its URL and headers), or refuses it with an HTTP status."""


def hum(text: str) -> bytes:
    """Stand in for a voice: a tone as long as ``text`` would take to say, mu-law at 8 kHz."""
    time = np.arange(PCMU_8K.size(HUM_MS_PER_LETTER * len(text))) / PCMU_8K.rate
    return linear_to_ulaw((8_000 * np.sin(2 * np.pi * HUM_HZ * time)).astype("<i2").tobytes())


def document(twiml: str) -> Response:
    """Answer a webhook with a TwiML document."""
    return Response(status=200, headers={"content-type": "text/xml"}, body=twiml.encode())


def straight_to_stream(_: Request, __: int) -> Response:
    """Answer every webhook as a bridge does that has nothing to say of its own."""
    return document(f'<Response><Connect><Stream url="{MEDIA_URL}"/></Connect></Response>')


class VirtualCarrier:
    """A whole call over ``plan`` in virtual time; ``delay_ms`` is what every message needs, either way.

    ``voice`` makes the sound of what the caller and ``<Say>`` say.
    """

    def __init__(
        self,
        script: Sequence[Step],
        socket: Socket,
        *,
        web: Web = straight_to_stream,
        plan: CallPlan | None = None,
        manners: Manners | None = None,
        voice: Callable[[str], bytes] = hum,
        delay_ms: int = 0,
    ) -> None:
        self.now = 0
        """The virtual clock, in milliseconds."""
        self.notes: list[Note] = []
        """What a bystander has seen so far."""
        self._web = web
        self._socket = socket
        self._voice = voice
        self._delay_ms = delay_ms
        self._far: Far | None = None
        self._order = itertools.count()
        self._under_way: list[tuple[int, int, Callable[[], None]]] = []
        speech = {step.text: voice(step.text) for step in script if isinstance(step, Say)}
        names = itertools.count(1)
        self._call = CarrierCall(
            plan or CallPlan(dialling=Dialling(account_sid=f"AC{0:032x}"), voice_url=f"{VIRTUAL_URL}/twilio/voice"),
            Caller(script, speech, manners),
            new_hex=lambda: f"{next(names):032x}",
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        self._call.begin(0)

    @property
    def call_sid(self) -> str:
        """The name of the call, ``CA…``."""
        return self._call.call_sid

    @property
    def ended(self) -> bool:
        """True when the call is over and all was told."""
        return self._call.ended

    def run(self, until: int | None = None) -> CallResult:
        """Let the call go on to its end, or to the millisecond ``until``; may be called again."""
        self._settle()
        while (not self.ended or self._under_way) and (due := self._next_due()) is not None:
            if until is not None and due > until:
                self._pass_to(until)
                break
            self._pass_to(max(due, self.now))
        return self._call.result()

    def hang_up(self) -> None:
        """Put the caller's receiver down now."""
        self._call.hang_up(self.now)
        self._settle()

    def _next_due(self) -> int | None:
        due = [self._call.deadline(), self._far.deadline() if self._far else None]
        due += [self._under_way[0][0]] if self._under_way else []
        return min((at for at in due if at is not None), default=None)

    def _pass_to(self, now: int) -> None:
        self.now = now
        self._call.advance(now)
        self._settle()

    def _settle(self) -> None:
        """Carry messages to and fro until both sides have nothing to say at this time."""
        for _ in range(STEPS_WITHOUT_TIME):
            if not (self._do_duties() | self._wake_far() | self._drain_far() | self._deliver()):
                self.notes += self._call.notes()
                return
        raise LocalError(f"after {STEPS_WITHOUT_TIME} rounds in one millisecond the two sides have not come to rest")

    def _do_duties(self) -> bool:
        duties = self._call.outgoing()
        for duty in duties:
            self._do(duty)
        return bool(duties)

    def _wake_far(self) -> bool:
        due = self._far.deadline() if self._far else None
        if self._far is None or due is None or due > self.now:
            return False
        self._far.expire(self.now)
        return True

    def _drain_far(self) -> bool:
        if self._far is None:
            return False
        messages = self._far.outgoing()
        for message in messages:
            self._send_on(partial(self._receive, message))
        code = self._far.closing()
        if code is not None:
            self._far = None
            self._send_on(lambda: self._call.closed(code, self.now))
        return bool(messages) or code is not None

    def _deliver(self) -> bool:
        delivered = False
        while self._under_way and self._under_way[0][0] <= self.now:
            heapq.heappop(self._under_way)[2]()
            delivered = True
        return delivered

    def _send_on(self, deliver: Callable[[], None]) -> None:
        heapq.heappush(self._under_way, (self.now + self._delay_ms, next(self._order), deliver))

    def _do(self, duty: Duty) -> None:
        match duty:
            case Ask(id_, request):
                self._send_on(lambda: self._ask(id_, request))
            case Speak(id_, text):
                self._send_on(lambda: self._call.spoken(id_, self._voice(text), self.now))
            case Open(url, headers):
                self._send_on(lambda: self._open(url, headers))
            case Send(text):
                self._send_on(lambda: self._far.receive(text, self.now) if self._far else None)
            case Close():
                self._send_on(self._close)

    def _ask(self, id_: int, request: Request) -> None:
        response = self._web(request, self.now)
        if response is not None:
            self._send_on(lambda: self._call.answered(id_, response, self.now))

    def _open(self, url: str, headers: dict[str, str]) -> None:
        answer = self._socket(url, headers, self.now)
        if isinstance(answer, int):
            fault = Fault(Code.STREAM_HANDSHAKE, f"the handshake was answered with the status {answer}")
            self._send_on(lambda: self._call.refused(fault, self.now))
        else:
            self._far = answer
            self._send_on(lambda: self._call.opened(self.now))

    def _receive(self, message: str | bytes) -> None:
        self._call.received(message, self.now)

    def _close(self) -> None:
        if self._far:
            self._far.disconnected(self.now)
            self._far = None
