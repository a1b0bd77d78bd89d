import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
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


NAME, KEY = tokens.key_of(SECRET, NOW)


def forged(key: bytes = KEY, algorithm: str = "HS256", name: str | None = NAME, **changes: Any) -> str:
    payload = jwt.decode(tokens.sign(CLAIMS, SECRET), options={"verify_signature": False}) | changes
    claims = {claim: value for claim, value in payload.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": name} if name else {})


def test_what_was_signed_is_read() -> None:
    assert tokens.read(tokens.sign(CLAIMS, SECRET), SECRET, NOW) == CLAIMS


def test_the_claims_have_the_names_of_the_dialect() -> None:
    token = tokens.sign(CLAIMS, SECRET)

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": "voice-20261121", "typ": "JWT"}
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
        forged(algorithm="HS512", key=b"s" * 64),
        forged(key=SECRET),
        forged(name=None),
        forged(name="voice-20261122"),
        forged(tokens.key_of(SECRET, NOW - timedelta(days=2))[1], name="voice-20261119"),
        forged(jti=None),
        jwt.encode({"sid": "hub_1"}, "", algorithm="none"),
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(Problem) as caught:
        tokens.read(token, SECRET, NOW)
    assert (caught.value.code, caught.value.status) == ("authentication_failed", 401)


@pytest.mark.parametrize("name", [None, "", "voice-20261122", "other"])
def test_a_name_that_is_not_known_stands_for_no_key_at_all(name: str | None) -> None:
    """The library signs with no empty key, but a forger would."""
    header, claims, _ = forged(name=name).split(".")
    for key in (b"", b"None", b"\0" * 32):
        signature = hmac.digest(key, f"{header}.{claims}".encode(), "sha256")
        token = f"{header}.{claims}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        with pytest.raises(Problem):
            tokens.read(token, SECRET, NOW)


def test_a_forgery_that_differs_in_nothing_is_read() -> None:
    assert tokens.read(forged(), SECRET, NOW) == CLAIMS


def test_each_utc_day_has_a_key_of_its_own_and_yesterdays_still_holds() -> None:
    late = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    claims = msgspec.structs.replace(CLAIMS, iat=int(late.timestamp()), exp=int(late.timestamp()) + 1800)
    token = tokens.sign(claims, SECRET)
    assert jwt.get_unverified_header(token)["kid"] == "voice-20261120"
    for minutes in (0, 1, 29):
        assert tokens.read(token, SECRET, late + timedelta(minutes=minutes)) == claims
    assert len({tokens.key_of(SECRET, NOW + timedelta(days=day))[1] for day in range(100)}) == 100
    assert tokens.key_of(SECRET, NOW) != tokens.key_of(b"t" * 32, NOW)
