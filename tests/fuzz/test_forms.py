"""Twilio's forms and signatures: every body is read or refused by name, in one piece and byte by byte alike."""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phone_bridge.app import voice
from phone_bridge.errors import Refused, RemoteError
from phone_bridge.legs.twilio.webhook import (
    MAX_FORM_BYTES,
    MAX_PARAMETERS,
    STATUSES,
    ConnectEnded,
    Form,
    IncomingCall,
    StatusChanged,
    StreamStatus,
    handshake_signed,
    parse_form,
    signed,
)
from phone_bridge.settings import Settings
from tests.fuzz.mutation import TEXTS
from tests.fuzz.profiles import examples
from tests.legs.twilio import samples

BODIES = [samples.raw("requests", name) for name in samples.names("requests")]
PAIRS = [parse_qsl(body.decode(), keep_blank_values=True) for body in BODIES]
NAMES = sorted({name for pairs in PAIRS for name, _ in pairs} | {"Timestamp", "SequenceNumber", "CallDuration"})
READERS: list[Callable[[Form], Any]] = [
    IncomingCall.parse,
    StatusChanged.parse,
    ConnectEnded.parse,
    StreamStatus.parse,
]
TOKEN = "the-auth-token"

odd = st.one_of(
    st.text(max_size=20),
    st.sampled_from(TEXTS),
    st.sampled_from(
        ["9" * 15, "9" * 16, "²", "Sat, 99 Foo 0000 99:99:99 +9999", " ", "Mon", "1 Jan", "sip:", "+266696687"]
    ),
    st.sampled_from(["Sat, 21 Nov 2026 10:00:00 +2400", "Sat, 21 Nov 999999 10:00:00 +0000", ",,,,", "0 0 0", "-1 -1"]),
)


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """Draw a request of Twilio's with parameters dropped, doubled, changed and added."""
    pairs = list(draw(st.sampled_from(PAIRS)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(pairs) - 1)) if pairs else 0
        match draw(st.integers(0, 3)):
            case 0 if pairs:
                del pairs[place]
            case 1 if pairs:
                pairs.insert(place, pairs[place])
            case 2 if pairs:
                pairs[place] = (pairs[place][0], draw(odd))
            case _:
                pairs.insert(place, (draw(st.sampled_from(NAMES)), draw(odd)))
    return urlencode(pairs, errors="replace").encode()


bodies = st.one_of(
    forms(),
    forms(),
    st.binary(max_size=60),
    st.sampled_from([b"&" * 5_000, b"a=%", b"%ff=%fe", b"=", b"a=%00", b"a;b", b"\xff\xfe", b"CallSid=%ED%A0%80"]),
)


@examples(400)
@given(bodies)
@example(b"a=1&" * (MAX_PARAMETERS + 1))
@example(b"a" * (MAX_FORM_BYTES + 1))
def test_a_body_is_a_form_or_refused_by_name(body: bytes) -> None:
    try:
        form = parse_form(body)
    except RemoteError as error:
        check_code(error, {"form_too_large"})
        return
    assert len(form) <= MAX_PARAMETERS
    for read in READERS:
        try:
            known = read(form)
        except RemoteError as error:
            check_code(error, {"missing_parameter", "unknown_status"})
            continue
        assert known.call_sid
        assert getattr(known, "status", "queued") in STATUSES.values()


def check_code(error: RemoteError, codes: set[str]) -> None:
    assert error.code in codes


@examples(300)
@given(forms(), st.text(max_size=40), st.text(max_size=60), st.sampled_from(["", "alg=SHA256", "alg=none", "alg", "²"]))
def test_a_signature_is_right_or_wrong_and_nothing_else(body: bytes, url: str, signature: str, scheme: str) -> None:
    form = parse_form(body)
    assert not signed(f"https://bridge.test/{url}", form, signature, [TOKEN], scheme)
    assert not signed(url, body, signature, [TOKEN], scheme)
    assert not handshake_signed("wss://bridge.test/twilio/media", signature, [TOKEN], scheme)


# By the network


class Desk:
    """As much of a bridge as reading a webhook needs."""

    settings = Settings()


async def read(request: Request) -> Response:
    _, form = await voice.read(request)
    return JSONResponse(form.pairs)


APP = Starlette(
    routes=[Route("/twilio/status", read, methods=["POST"])],
    exception_handlers={Refused: voice.unsigned, RemoteError: voice.malformed},
)
APP.state.bridge = Desk()


def answered(chunks: Iterable[bytes]) -> tuple[int, bytes]:
    """Post a body in these pieces, and give the status and body of the answer."""
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})
    told: list[dict[str, Any]] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/twilio/status",
        "raw_path": b"/twilio/status",
        "query_string": b"",
        "headers": [(b"host", b"bridge.test")],
    }
    asyncio.run(APP(scope, receive, send))
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


@examples(100)
@given(bodies, st.integers(1, 7))
def test_a_form_is_the_same_in_one_piece_and_in_many(body: bytes, step: int) -> None:
    whole = answered([body])
    assert whole[0] in (200, 400)
    assert answered(body[at : at + 1] for at in range(len(body))) == whole
    assert answered(body[at : at + step] for at in range(0, len(body), step)) == whole


def test_a_form_that_grows_too_long_is_refused_before_its_end() -> None:
    status, body = answered([b"a" * MAX_FORM_BYTES, b"b", b"never read"])
    assert status == 400
    assert re.search(rb"form_too_large", body)
