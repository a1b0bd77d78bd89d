"""Whole calls with marked secrets: none of them is found in a log line or an error's text, however a call goes."""

import asyncio
import io
import logging
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.app.door import MAX_FAILURES
from phone_bridge.legs.patience import MAX_TROUBLES
from phone_bridge.legs.twilio.pace import PacedStream
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.telemetry.discreet import Discreet
from phone_bridge.telemetry.logs import TEXT_FORMAT
from tests.app.premises import ACCOUNT, Premises, call_form, lose_database, play, signature
from tests.runtime.pumping import FRAME, Assistant, Carrier
from tests.runtime.serving import until

KEY, GUESS = "pb_marked-operators-key", "pb_marked-guess"
AUTH_TOKEN = "marked-auth-token"
SESSION_KEY = "sk_test_marked_session_key"
SESSION_TOKEN = "marked-session-token"
STREAM_TOKEN = "marked.stream.token"
FROM, TO = "+12025550167", "+12025550189"
SAID, TITLE, RESULT = "marzipan", "quokka", "xylophone"
SECRETS = (
    KEY,
    GUESS,
    AUTH_TOKEN,
    SESSION_KEY,
    SESSION_TOKEN,
    STREAM_TOKEN,
    FROM,
    TO,
    FROM[2:],
    TO[2:],
    SAID,
    TITLE,
    RESULT,
)
KEYS_PRESSED = ("#", "*")
"""Keys that no log line holds for another reason."""

SETTINGS = {"api_key": KEY, "twilio_auth_token": AUTH_TOKEN, "twilio_account_sid": ACCOUNT, "session_key": SESSION_KEY}
LOUD = b"\x90" * 160

Story = Callable[[Premises], Coroutine[Any, Any, None]]


class Ears:
    """Everything that is logged, as ``serve`` writes it, but from DEBUG on and from every logger."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(Discreet(TEXT_FORMAT))
        self.values: list[object] = []
        self.handler.addFilter(self._remember)
        self.tokens: list[str] = []

    def heard_nothing(self) -> None:
        text = self._stream.getvalue() + repr(self.values)
        assert "call call_" in text, "nothing was logged at all"
        for secret in (*SECRETS, *self.tokens):
            assert secret not in text, text
        for key in KEYS_PRESSED:  # lines of code, as a traceback shows them, may hold these
            assert key not in repr(self.values), self.values

    def _remember(self, record: logging.LogRecord) -> bool:
        """Keep the arguments and attributes, too, which other formatters may write."""
        self.values += [value for name, value in vars(record).items() if name not in _OWN]
        return True


_OWN = frozenset(vars(logging.makeLogRecord({}))) - {"args"}  # the exception is for the formatter to tell of


@pytest.fixture
def ears() -> Iterator[Ears]:
    ears, root = Ears(), logging.getLogger()
    before = root.level
    root.addHandler(ears.handler)
    root.setLevel(logging.DEBUG)
    yield ears
    root.removeHandler(ears.handler)
    root.setLevel(before)


async def ring(house: Premises, ears: Ears, call_sid: str) -> str:
    """Ring, and give the stream's token, which is a secret, too."""
    answer = await house.post("/twilio/voice", form(call_sid), token=AUTH_TOKEN)
    token = answer.body.decode().partition('name="token" value="')[2].partition('"')[0]
    assert token
    ears.tokens.append(token)
    return token


def form(call_sid: str, **more: str) -> list[tuple[str, str]]:
    return call_form(call_sid, From=FROM, To=TO, CallerName=SAID, **more)


async def open_stream(house: Premises, call_sid: str, token: str) -> Carrier:
    signed = {"X-Twilio-Signature": signature(house.bridge.settings.stream_url, [], AUTH_TOKEN)}
    return await house.open(call_sid, token=token, headers=signed)


async def connected(house: Premises, ears: Ears, call_sid: str = "CA1") -> tuple[Carrier, Assistant]:
    house.peers.mint_token = SESSION_TOKEN
    known = len(house.peers.live)
    carrier = await open_stream(house, call_sid, await ring(house, ears, call_sid))
    await until(lambda: len(house.peers.live) > known)
    return carrier, house.peers.live[-1]


async def over(house: Premises, carrier: Carrier) -> None:
    carrier.hang_up()
    await house.ended(carrier)


def listening(tmp_path: Path, ears: Ears, story: Story) -> None:
    play(tmp_path, story, **SETTINGS)
    ears.heard_nothing()


def test_a_call_that_goes_well_tells_nothing(tmp_path: Path, ears: Ears, capfd: pytest.CaptureFixture[str]) -> None:
    async def story(house: Premises) -> None:
        carrier, assistant = await connected(house, ears)
        carrier.speak(*[LOUD] * 20)
        assistant.tell(m.TranscriptPartial(SAID), m.TranscriptFinal(f"cancel the {SAID}"))
        assistant.reply("r1", FRAME * 5)
        action = m.ProposedAction(
            name="cancel_event", parameters={"event_id": TITLE}, affects=(m.AffectedThing(TITLE, TITLE, None),)
        )
        assistant.tell(m.ActionProposed(id="act_1", action=action))
        carrier.press("#*")
        await until(lambda: bool(carrier.marks))
        await asyncio.sleep(1)
        carrier.press("1")
        await until(lambda: any(isinstance(word, m.ActionConfirm) for word in assistant.words))
        assistant.tell(m.ActionExecuted(id="act_1", result={"title": RESULT}))
        await asyncio.sleep(0.1)
        for key in (KEY, GUESS):
            answer = await house.ask("GET", "/v1/calls", headers={"Authorization": f"Bearer {key}"})
            assert (key == KEY) is (TITLE.encode() in answer.body)
        await over(house, carrier)
        await house.post("/twilio/status", form("CA1", CallStatus="completed"), token=AUTH_TOKEN)

    listening(tmp_path, ears, story)
    assert not any(secret in text for text in capfd.readouterr() for secret in SECRETS)


async def nonsense_session(house: Premises, ears: Ears) -> None:
    carrier, assistant = await connected(house, ears)
    assistant.tell(*[f'{{"type":"transcript.final","text":7,"{SAID}":"{TITLE}"}}', f"{SAID} {SESSION_TOKEN}"] * 20)
    assistant.tell(m.ErrorMessage(m.ErrorBody(code="internal_error", message=f"{SAID} {FROM}")))
    await asyncio.sleep(0.2)
    await over(house, carrier)


async def lost_session(house: Premises, ears: Ears) -> None:
    carrier, assistant = await connected(house, ears)
    assistant.tell(m.TranscriptFinal(SAID))
    assistant.socket.close(1011, f"{SAID} {SESSION_TOKEN}")
    await asyncio.sleep(0.2)
    await over(house, carrier)


async def refused_session(house: Premises, ears: Ears) -> None:
    house.peers.mint_status = 401
    house.peers.mint_token = SESSION_TOKEN
    carrier = await open_stream(house, "CA1", await ring(house, ears, "CA1"))
    await house.ended(carrier)


async def refused_socket(house: Premises, ears: Ears) -> None:
    house.peers.refuses_sockets = True  # its address has the token
    house.peers.mint_token = SESSION_TOKEN
    carrier = await open_stream(house, "CA1", await ring(house, ears, "CA1"))
    _, record = await house.ended(carrier)
    assert record.error is not None


async def nonsense_carrier(house: Premises, ears: Ears) -> None:
    carrier, _ = await connected(house, ears)
    carrier.say(*[f'{{"event":"dtmf","dtmf":{{"digit":["{FROM}"]}}}}', f"{FROM} {STREAM_TOKEN}"] * MAX_TROUBLES)
    _, record = await house.ended(carrier)
    assert record.error == "malformed_stream"


async def strange_stream(house: Premises, ears: Ears) -> None:
    token = await ring(house, ears, "CA1")
    for shown in (STREAM_TOKEN, token[:-4], ""):
        carrier = await open_stream(house, "CA1", shown)
        await until(lambda carrier=carrier: carrier.code is not None)  # type: ignore[misc]


async def strange_webhooks(house: Premises, ears: Ears) -> None:
    await ring(house, ears, "CA1")
    for path in ("/twilio/voice", "/twilio/connect", "/twilio/status", "/twilio/stream"):
        for asked, token in (
            (form("CA1"), GUESS),
            ([("From", FROM), ("To", TO)], AUTH_TOKEN),
            (form("CA1", CallStatus=SAID), AUTH_TOKEN),
        ):
            answer = await house.post(f"{path}?caller=%2B{FROM[1:]}", asked, token=token)
            told = answer.body.decode() if answer.status != 200 else ""
            assert not any(secret in told for secret in SECRETS)


async def strange_programs(house: Premises, ears: Ears) -> None:
    await ring(house, ears, "CA1")
    for _ in range(MAX_FAILURES + 2):
        answer = await house.ask("GET", "/v1/calls", headers={"Authorization": f"Bearer {GUESS}"})
        assert not any(secret in answer.body.decode() for secret in SECRETS)


async def lost_database(house: Premises, ears: Ears) -> None:
    carrier, assistant = await connected(house, ears)
    folder = Path(house.bridge.settings.database_url.removeprefix("sqlite:///")).parent
    lose_database(house, folder)
    assistant.tell(m.TranscriptFinal(SAID))
    answer = await house.post("/twilio/voice", form("CA2"), token=AUTH_TOKEN)
    assert FROM not in answer.body.decode()
    assert (await house.ask("GET", "/v1/calls/x", headers={"Authorization": f"Bearer {KEY}"})).status == 503
    carrier.hang_up()
    await until(lambda: house.bridge.registry.live == 0)


async def bug(house: Premises, ears: Ears) -> None:
    carrier, _ = await connected(house, ears)

    def receive(_self: object, data: str | bytes, _now: int) -> list[Any]:
        raise ValueError(f"{SAID} {FROM} {data!r}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PacedStream, "receive", receive)
        carrier.speak(FRAME)
        _, record = await house.ended(carrier)
    assert record.error == "bridge_failed"


@pytest.mark.parametrize(
    "fault",
    [
        nonsense_session,
        lost_session,
        refused_session,
        refused_socket,
        nonsense_carrier,
        strange_stream,
        strange_webhooks,
        strange_programs,
        lost_database,
        bug,
    ],
    ids=lambda fault: fault.__name__,
)
def test_a_call_that_goes_wrong_tells_nothing(
    tmp_path: Path, ears: Ears, fault: Callable[[Premises, Ears], Coroutine[Any, Any, None]]
) -> None:
    listening(tmp_path, ears, lambda house: fault(house, ears))


def test_a_secret_would_be_found(ears: Ears) -> None:
    logging.getLogger("phone_bridge").debug("= call call_1", extra={"number": FROM})
    with pytest.raises(AssertionError):
        ears.heard_nothing()
