import asyncio
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta
from starlette.requests import Request
from starlette.types import Message

from phone_bridge.app import bodies
from phone_bridge.outbound.policy import Span
from phone_bridge.outbound.reminders import Number


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    to: Number
    quiet_hours: Span = ""
    digits: Annotated[str, Meta(pattern=bodies.KEYS)] = "1"


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b'{"to":"0171 123"}', "to", "A number begins with a plus"),
        (b'{"to":"+4930123456","quiet_hours":"late"}', "quiet_hours", "A span of hours"),
        (b'{"to":"+4930123456","digits":"E"}', "digits", "Keys are"),
        (b'{"to":1}', "to", "Expected `str`, got `int`."),
        (b"[]", "", "Expected `object`, got `array`."),
        (b"{", "", "The body is no JSON object."),
    ],
)
def test_a_body_that_is_wrong_is_refused_in_words_for_people(body: bytes, param: str, words: str) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    with pytest.raises(bodies.Invalid, match=words.replace("[", r"\[")) as refused:
        asyncio.run(bodies.read(Request({"type": "http", "headers": []}, receive), Asked))
    assert (refused.value.param, "regex" in str(refused.value)) == (param, False)
