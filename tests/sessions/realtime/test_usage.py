from typing import Any

import pytest

from phone_bridge.call.events import TokensUsed
from phone_bridge.sessions.realtime.usage import MOST_TOKENS, read
from tests.sessions.realtime.samples import cases


def test_a_full_account_is_counted_by_kind() -> None:
    done = [case["response"] for case in cases("server_ga.jsonl") if case["type"] == "response.done"]
    assert read(done[0]["usage"]) == TokensUsed(
        input_text=119, input_audio=13, cached=64, output_text=30, output_audio=91
    )


@pytest.mark.parametrize(
    ("usage", "used"),
    [
        ({"input_tokens": 9, "output_tokens": 4}, TokensUsed(input_text=9, output_text=4)),
        ({"input_token_details": {"text_tokens": 2, "audio_tokens": 3}}, TokensUsed(input_text=2, input_audio=3)),
        ({"input_tokens": -1, "output_tokens": "7", "input_token_details": []}, None),
        ({"input_tokens": MOST_TOKENS + 1}, None),
        ({"input_tokens": True}, None),
        ({}, None),
        (None, None),
        ([1], None),
    ],
)
def test_what_is_missing_or_makes_no_sense_counts_as_nothing(usage: Any, used: TokensUsed | None) -> None:
    assert read(usage) == used


def test_so_many_tokens_are_believed() -> None:
    assert read({"input_tokens": MOST_TOKENS}) == TokensUsed(input_text=MOST_TOKENS)
