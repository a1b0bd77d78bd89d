"""What clients send to a session in any dialect, and a Voice SDK to us: named errors are the only way out."""

import itertools
import json
import re
from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge import voice_sdk as w
from phone_bridge.audio.format import PCMU_8K
from phone_bridge.errors import BridgeError, Refused, RemoteError, Unavailable
from phone_bridge.exchange import Response
from phone_bridge.sessions import serving as s
from phone_bridge.sessions.chronapilot.keeper import ChronaPilotKeeper
from phone_bridge.sessions.realtime.names import Shape
from phone_bridge.sessions.realtime.server import Identity, RealtimeKeeper
from phone_bridge.sessions.voice_sdk import VoiceSdk, VoiceSdkKeeper
from tests.conformance.door import _hear as hear
from tests.fuzz.mutation import mutations
from tests.fuzz.profiles import examples
from tests.sessions.chronapilot import samples as chronapilot
from tests.sessions.realtime import samples as realtime
from tests.sessions.voice_sdk import samples as sdk

FACTS = get_args(s.ClientFact)
noise = st.text(max_size=30) | st.binary(max_size=30)
server_said = mutations(sdk.lines("server.jsonl"))


def new_ids() -> Callable[[str], str]:
    numbers = itertools.count(1)
    return lambda prefix: f"{prefix}_{next(numbers)}"


def realtime_keeper(shape: Shape) -> RealtimeKeeper:
    return RealtimeKeeper(shape, Identity("sess_1", "conv_1", 1), new_ids())


KEEPERS: dict[str, tuple[Callable[[], s.Keeper], list[str]]] = {
    "chronapilot": (lambda: ChronaPilotKeeper(new_ids()), chronapilot.lines("client.jsonl")),
    "realtime": (lambda: realtime_keeper(Shape.GA), realtime.lines("client.jsonl")),
    "realtime, beta": (lambda: realtime_keeper(Shape.BETA), realtime.lines("client.jsonl")),
    "voice_sdk": (lambda: VoiceSdkKeeper(w.FEATURES), sdk.lines("client.jsonl")),
}


def check_code(error: BridgeError) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", error.code)


@pytest.mark.parametrize("name", KEEPERS)
def test_a_client_s_message_is_facts_or_a_named_error(name: str) -> None:
    make, said = KEEPERS[name]

    @examples(80)
    @given(
        st.lists(mutations(said) | st.sampled_from(said) | st.text(max_size=30) | st.binary(max_size=30), max_size=8)
    )
    def whatever(messages: list[str | bytes]) -> None:
        keeper = make()
        for data in messages:
            try:
                facts = keeper.receive(data)
            except s.BadMessage as error:
                check_code(error)
                continue
            for fact in facts:
                assert type(fact) in FACTS
                if isinstance(fact, s.SoundCame):
                    assert len(fact.audio) % s.EAR.sample_bytes == 0
                if isinstance(fact, s.SettingsSent):
                    keeper.tell(s.SettingsTaken(()))
            assert keeper.voice(PCMU_8K).push(b"\x7f" * 160)
            assert keeper.manners.chunk_ms
        assert all(isinstance(each, bytes) or json.loads(each)["type"] for each in keeper.outgoing())

    whatever()


@examples(120)
@given(st.lists(st.tuples(st.sampled_from([0, 20, 700]), server_said | noise), max_size=10))
def test_a_voice_sdk_s_socket_gives_facts_or_a_named_error(talk: list[tuple[int, str | bytes]]) -> None:
    wire, now = VoiceSdk(base_url="http://test", key="key").wire(PCMU_8K), 1_000_000
    for wait, data in talk:
        now += wait
        hear(wire, data, now, PCMU_8K)
        wire.expire(now)


@examples(80)
@given(
    st.integers(100, 599) | st.sampled_from([200, 401, 403, 500]),
    mutations(['{"token":"t.t.t","ws_url":"wss://test/api/v1/sdk/ws"}']).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
    | st.binary(max_size=40),
)
def test_an_answer_to_a_voice_sdk_s_mint_is_a_ticket_or_a_named_error(status: int, body: bytes) -> None:
    try:
        ticket = VoiceSdk(base_url="http://test", key="key").minted(Response(status=status, body=body))
    except (Unavailable, Refused, RemoteError) as error:
        check_code(error)
        return
    assert w.read_hello(ticket.opening[0]).token
