from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant import client_secrets as c
from phone_bridge.assistant.problems import Problem

SECRET = b"s" * 32
NOW = datetime(2026, 11, 28, 23, 59, tzinfo=UTC)
STAMP = int(NOW.timestamp())
AGREED = c.Agreed("usr_alice", STAMP + 600, STAMP, {"type": "realtime", "instructions": "Be brief."})


def code(written: str, secret: bytes = SECRET, now: datetime = NOW) -> str:
    with pytest.raises(Problem) as refused:
        c.read(written, secret, now)
    return refused.value.code


def test_what_was_agreed_on_is_read_again_also_past_midnight() -> None:
    written = c.write(AGREED, SECRET)
    assert written.startswith("ek_")
    assert c.read(written, SECRET, NOW) == AGREED
    assert c.read(written, SECRET, NOW + timedelta(minutes=9)) == AGREED


def test_a_secret_is_good_until_its_time_and_not_longer() -> None:
    written = c.write(AGREED, SECRET)
    assert code(written, now=NOW + timedelta(seconds=600)) == "session_token_expired"


def test_a_secret_of_another_service_is_not_ours() -> None:
    assert code(c.write(AGREED, b"t" * 32)) == "authentication_failed"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_secret_that_was_changed_in_one_byte_opens_nothing(place: int, change: int) -> None:
    written = c.write(AGREED, SECRET).removeprefix("ek_")
    whole = bytearray(urlsafe_b64decode(written + "=" * (-len(written) % 4)))
    whole[place % len(whole)] ^= change
    assert code("ek_" + urlsafe_b64encode(whole).decode().rstrip("=")) == "authentication_failed"


@pytest.mark.parametrize(
    "written", ["", "ek_", "ek_nonsense", "ek_\u00e4", "x" * (c.MAX_SECRET_CHARS + 1), "ek_" + "A" * 100]
)
def test_nonsense_opens_nothing(written: str) -> None:
    assert code(written) == "authentication_failed"
