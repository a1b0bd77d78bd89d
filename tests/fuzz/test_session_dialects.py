"""The session's dialects, both sides of the table, and the answers to a mint: named errors are the only way out."""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call.permit import Permit
from phone_bridge.errors import BridgeError, LocalError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.offers import Offer
from phone_bridge.sessions.chronapilot import ChronaPilot
from phone_bridge.sessions.chronapilot.messages import (
    AudioAppend,
    SessionUpdate,
    read_client_message,
    read_server_message,
)
from phone_bridge.sessions.chronapilot.server import SAMPLE_RATES, ChronaPilotServerWire
from phone_bridge.sessions.realtime import Realtime
from phone_bridge.sessions.realtime import messages as realtime_messages
from phone_bridge.sessions.realtime.names import Shape
from tests.conformance.door import _hear as hear  # facts that are facts, or a RemoteError with a code
from tests.conformance.door import session_duties
from tests.fuzz.mutation import mutations, values
from tests.fuzz.profiles import examples
from tests.sessions.chronapilot import samples
from tests.sessions.realtime import samples as realtime

SERVER = [
    *samples.lines("server.jsonl"),
    *samples.lines("server_unknown.jsonl"),
    *(case["data"] for case in samples.cases("server_broken.jsonl") if isinstance(case["data"], str)),
]
CLIENT = [
    *samples.lines("client.jsonl"),
    *(case["data"] for case in samples.cases("client_broken.jsonl") if isinstance(case["data"], str)),
]
MINTED = ['{"id":"hub_1","session_token":"t.t.t"}', '{"error":{"type":"a","code":"b","retry_after_seconds":1}}']
DIALECTS = [
    ChronaPilot(base_url="http://test", key="sk_test_1", user_id="usr_1", output_format=each)
    for each in ("pcm16", "g711_ulaw")
]

server_said = mutations(SERVER)
client_said = mutations(CLIENT)
said = st.one_of(server_said, server_said, st.text(max_size=30), st.binary(max_size=30))
duties = st.sampled_from(session_duties(PCMU_8K))
VERDICTS = list(c.Verdict)


def check_code(error: BridgeError) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", error.code)
    if isinstance(error, Unavailable):
        assert error.retry_after_ms is None or error.retry_after_ms >= 0


@examples(150)
@given(
    st.sampled_from(DIALECTS),
    st.lists(st.tuples(st.sampled_from([0, 1, 20, 501, 90_000]), said | duties), max_size=12),
    st.sampled_from(VERDICTS),
)
def test_a_session_s_socket_gives_facts_or_a_named_error(
    dialect: ChronaPilot, talk: list[tuple[int, Any]], verdict: c.Verdict
) -> None:
    wire, now = dialect.wire(PCMU_8K), 1_000_000
    open_: dict[str, e.Action] = {}
    for wait, step in talk:
        now += wait
        if not isinstance(step, str | bytes):
            wire.send(step, now)
            continue
        for fact in hear(wire, step, now, PCMU_8K):
            if isinstance(fact, e.ConfirmationAsked):
                assert fact.id not in open_, "a proposal is asked once"
                open_[fact.id] = fact.action
            elif isinstance(fact, e.ActionSettled):
                open_.pop(fact.id, None)
    for name, action in open_.items():
        permit = Permit(action, now) if verdict is c.Verdict.CONFIRMED else None
        wire.send(c.Answer(name, action, verdict, c.AnsweredBy.DIGIT, "no", permit), now)
    assert all(isinstance(message, str) and json.loads(message) for message in wire.outgoing())


@examples(150)
@given(st.lists(client_said | st.text(max_size=30) | st.binary(max_size=30), max_size=8))
def test_a_client_s_message_is_read_or_refused_by_name(messages: list[str | bytes]) -> None:
    wire = ChronaPilotServerWire()
    for data in messages:
        try:
            message = wire.receive(data)
        except RemoteError as error:
            check_code(error)
            continue
        if isinstance(message, SessionUpdate):
            wire.apply(message.session)
            assert wire.output.rate in SAMPLE_RATES
            assert msgspec.json.encode(wire.state(id="hub_1"))
        elif isinstance(message, AudioAppend):
            assert len(message.audio) % 2 == 0


HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "content-type"]),
    st.sampled_from(["0", "1", "-1", "9" * 5_000, "1.5", "soon", "²", "Sat, 21 Nov 2026 10:00:00 GMT", ""]),
)


@examples(150)
@given(
    st.integers(100, 599) | st.sampled_from([200, 201, 400, 409, 429, 500, 503]),
    HEADERS,
    mutations(MINTED).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=40),
)
def test_an_answer_to_a_mint_is_a_ticket_or_a_named_error(status: int, headers: dict[str, str], body: bytes) -> None:
    try:
        ticket = DIALECTS[0].minted(Response(status=status, headers=headers, body=body))
    except (Unavailable, Refused, RemoteError) as error:
        check_code(error)
        return
    assert ticket.url.isascii()
    assert ticket.url.startswith("ws://test/v1/voice/realtime?session=")
    assert DIALECTS[0].farewell(ticket).url.isascii()


@examples(100)
@given(st.text(max_size=20), st.dictionaries(st.text(max_size=5), values, max_size=3))
def test_a_yes_to_what_nobody_proposed_is_our_own_mistake(name: str, parameters: dict[str, Any]) -> None:
    wire = DIALECTS[0].wire(PCMU_8K)
    wire.outgoing()
    action = e.Action("a", parameters)
    answer = c.Answer(name, action, c.Verdict.CONFIRMED, c.AnsweredBy.DIGIT, permit=Permit(action, 0))
    try:
        wire.send(answer, 0)
    except LocalError:
        assert wire.outgoing() == []
        return
    raise AssertionError("a yes went out to nothing")


@pytest.mark.parametrize(
    ("read", "kind"), [(read_client_message, "audio.append"), (read_server_message, "audio.delta")]
)
def test_sound_that_comes_twice_is_refused_by_name(read: Callable[[str], object], kind: str) -> None:
    with pytest.raises(RemoteError):
        read(f'{{"type":"{kind}","audio":"!!","audio":5}}')


# Realtime

REALTIME = {
    shape: mutations([*realtime.lines(f"server_{shape.value}.jsonl"), *realtime.lines("server_unknown.jsonl")])
    for shape in Shape
}
OFFER = Offer(name="create_event", description="Make it.", schema={"type": "object"})


@examples(150)
@given(
    st.sampled_from(Shape),
    st.data(),
    st.lists(st.tuples(st.sampled_from([0, 1, 20, 1_501, 90_000]), st.booleans()), max_size=12),
)
def test_a_realtime_socket_gives_facts_or_a_named_error_and_calls_once(
    shape: Shape, data: st.DataObject, talk: list[tuple[int, bool]]
) -> None:
    wire = Realtime(url="ws://test", shape=shape, offers=(OFFER,)).wire(PCMU_8K)
    now, waiting, called = 1_000_000, set[str](), set[str]()
    for wait, is_duty in talk:
        now += wait
        if is_duty:
            wire.send(data.draw(duties), now)
            continue
        for fact in hear(wire, data.draw(REALTIME[shape] | st.text(max_size=30)), now, PCMU_8K):
            if isinstance(fact, e.ToolCalled):
                assert fact.id not in called, "a function is called once"
                assert fact.action.name == OFFER.name, "nothing runs that was not offered"
                called.add(fact.id)
                waiting.add(fact.id)
        due = wire.deadline()
        if due is not None and due <= now:
            wire.expire(now)
    for name in waiting:
        wire.send(c.GiveResult(name, "{}"), now)
        with pytest.raises(LocalError):
            wire.send(c.GiveResult(name, "{}"), now)
    assert all(isinstance(message, str) and json.loads(message) for message in wire.outgoing())


@examples(100)
@given(st.lists(mutations(realtime.lines("client.jsonl")) | st.text(max_size=30) | st.binary(max_size=30), max_size=6))
def test_what_a_realtime_client_says_is_read_or_refused_by_name(messages: list[str | bytes]) -> None:
    for data in messages:
        try:
            message = realtime_messages.read_client_message(data)
        except RemoteError as error:
            check_code(error)
            continue
        assert realtime_messages.read_client_message(realtime_messages.encode(message)) == message
