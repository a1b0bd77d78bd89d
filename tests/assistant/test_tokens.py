from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from phone_bridge.assistant import tokens
from phone_bridge.assistant.problems import Problem

SECRET = b"s" * tokens.MIN_SECRET_BYTES
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CLAIMS = tokens.Claims(
    sid="hub_1",
    sub="usr_alice",
    scp=("events:read", "events:write"),
    iat=int(NOW.timestamp()),
    exp=int(NOW.timestamp()) + 300,
    jti="jti_1",
    act="cpa_1",
)


def forged(secret: bytes = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    payload = jwt.decode(tokens.sign(CLAIMS, SECRET), options={"verify_signature": False}) | changes
    return jwt.encode({key: value for key, value in payload.items() if value is not None}, secret, algorithm=algorithm)


def test_what_was_signed_is_read() -> None:
    assert tokens.read(tokens.sign(CLAIMS, SECRET), SECRET, NOW) == CLAIMS


def test_the_claims_have_the_names_of_the_dialect() -> None:
    token = tokens.sign(CLAIMS, SECRET)

    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert jwt.decode(token, options={"verify_signature": False}) == {
        "iss": "phone-bridge",
        "aud": "voice",
        "sub": "usr_alice",
        "sid": "hub_1",
        "scp": ["events:read", "events:write"],
        "act": "cpa_1",
        "iat": CLAIMS.iat,
        "exp": CLAIMS.exp,
        "jti": "jti_1",
    }


def test_a_token_lives_to_its_last_second_and_no_longer() -> None:
    token = tokens.sign(CLAIMS, SECRET)

    assert tokens.read(token, SECRET, NOW + timedelta(seconds=299.999)).sid == "hub_1"
    with pytest.raises(Problem) as caught:
        tokens.read(token, SECRET, NOW + timedelta(seconds=300))
    assert (caught.value.code, caught.value.status) == ("session_token_expired", 401)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "ünicode",
        tokens.sign(CLAIMS, SECRET) + "x",
        forged(b"t" * 32),
        forged(aud="phone"),
        forged(iss="somebody"),
        forged(aud=None),
        forged(sid=None),
        forged(sid=7),
        forged(exp=None),
        forged(exp="tomorrow"),
        forged(algorithm="HS512", secret=b"s" * 64),
        jwt.encode({"sid": "hub_1"}, "", algorithm="none"),
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(Problem) as caught:
        tokens.read(token, SECRET, NOW)
    assert (caught.value.code, caught.value.status) == ("authentication_failed", 401)
