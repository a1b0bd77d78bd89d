"""The two doors that tokens open: whatever is shown is the token that was issued, or refused by name."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from phone_bridge.assistant import tokens
from phone_bridge.assistant.problems import Problem
from phone_bridge.errors import Refused
from phone_bridge.legs.twilio.admission import AUDIENCE, ISSUER, Key, admit, issue
from tests.fuzz.mutation import HUGE, Raw, mutations, values
from tests.fuzz.profiles import examples

NOW = 1_800_000_000
OURS = Key("stream-1", b"k" * 64)
OTHER = Key("stream-2", b"o" * 64)
KEYS = {OURS.id: OURS, OTHER.id: OTHER}
TOKEN = issue(OURS, call_sid="CA1", account_sid="AC1", now_epoch_s=NOW, nonce="call_1")
CLAIMS = jwt.decode(TOKEN, options={"verify_signature": False})
CODES = {
    f"token_{why}"
    for why in (["missing", "malformed", "unknown_key", "algorithm", "signature", "audience", "expired", "wrong_call"])
}

SESSION_SECRET = b"s" * 32
SESSION = tokens.Claims(sid="hub_1", sub="usr_1", scp=("events:read",), iat=NOW, exp=NOW + 60, jti="jti_1")
SESSION_TOKEN = tokens.sign(SESSION, SESSION_SECRET)


def coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def parts(token: str) -> tuple[str, str, str]:
    header, claims, signature = token.split(".")
    return header, claims, signature


def plain(part: str) -> str:
    return base64.urlsafe_b64decode(part + "==").decode()


def forged(token: str) -> st.SearchStrategy[str]:
    """Draw tokens that look like ``token``: its parts changed inside, swapped, cut, garbled, or none at all."""
    header, claims, signature = parts(token)
    headers = mutations([plain(header), '{"alg":"none","kid":"stream-1"}', '{"alg":"HS256","kid":7,"crit":["a"]}'])
    part = st.one_of(
        st.sampled_from([header, claims, signature, ""]),
        headers.map(coded),
        mutations([plain(claims)]).map(coded),
        Raw.map(coded),
        st.text(max_size=10),
        st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    )
    return st.one_of(
        st.lists(part, max_size=5).map(".".join),
        st.tuples(headers.map(coded), st.just(claims), st.just(signature)).map(".".join),
        st.tuples(st.just(header), mutations([plain(claims)]).map(coded), st.just(signature)).map(".".join),
        st.text(max_size=40),
        st.integers(0, len(token)).map(lambda at: token[:at]),
    )


def refusal(token: str, now: int = NOW) -> str:
    """Give the code with which the media stream's door refuses; "" where it lets in."""
    try:
        let_in = admit(token, KEYS, call_sid="CA1", account_sid="AC1", now_epoch_s=now)
    except Refused as refused:
        return refused.code
    assert (let_in.call_sid, let_in.account_sid, let_in.jti) == ("CA1", "AC1", "call_1")
    return ""


@examples(500)
@given(forged(TOKEN))
def test_nobody_forges_a_way_into_a_stream(token: str) -> None:
    assume(token != TOKEN)
    assert refusal(token) in CODES


@examples(200)
@given(
    st.dictionaries(st.sampled_from(sorted(CLAIMS)), values | st.sampled_from(HUGE), max_size=4),
    st.sets(st.sampled_from(sorted(CLAIMS)), max_size=2),
    st.sampled_from(["HS256", "HS384", "HS512", "none"]),
    st.sampled_from([OURS, OTHER, Key("stream-1", b"x" * 64)]),
    st.sampled_from(["stream-1", "stream-2", "stream-3", None]),
)
def test_whatever_is_signed_only_the_call_s_own_token_is_let_in(
    changed: dict[str, Any], dropped: set[str], algorithm: str, key: Key, kid: str | None
) -> None:
    """Claims that we would never write, even where they are signed with our key."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if name not in dropped}
    try:
        secret = b"" if algorithm == "none" else key.secret
        token = jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": kid} if kid else {})
    except (TypeError, ValueError, jwt.PyJWTError):
        assume(False)  # the library itself writes no such claims
    code = refusal(token)
    assert code in CODES | {""}
    if not code:
        assert KEYS[kid or ""] == key
        assert algorithm == "HS256"
        same = {name: claims.get(name) for name in ("iss", "sub", "acc")}
        assert same == {"iss": ISSUER, "sub": "CA1", "acc": "AC1"}
        assert AUDIENCE in (claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]])
        assert claims["exp"] > NOW


@pytest.mark.parametrize("late", [0, 59, 60, 61, 10**6])
def test_the_token_itself_is_let_in_until_its_time(late: int) -> None:
    assert refusal(TOKEN, NOW + late) == ("" if late < 60 else "token_expired")


@examples(400)
@given(forged(SESSION_TOKEN))
def test_nobody_forges_a_session_token(token: str) -> None:
    assume(token != SESSION_TOKEN)
    with pytest.raises(Problem) as refused:
        tokens.read(token, SESSION_SECRET, datetime.fromtimestamp(NOW, UTC))
    assert refused.value.status == 401


def test_a_session_token_is_read_until_its_time() -> None:
    assert tokens.read(SESSION_TOKEN, SESSION_SECRET, datetime.fromtimestamp(NOW + 59, UTC)) == SESSION
    with pytest.raises(Problem) as refused:
        tokens.read(SESSION_TOKEN, SESSION_SECRET, datetime.fromtimestamp(NOW + 60, UTC))
    assert refused.value.code == "session_token_expired"


@examples(100)
@given(st.dictionaries(st.sampled_from(sorted(json.loads(plain(parts(SESSION_TOKEN)[1])))), values, max_size=3))
def test_a_session_token_of_another_shape_is_refused_though_it_is_signed(changed: dict[str, Any]) -> None:
    claims = {**json.loads(plain(parts(SESSION_TOKEN)[1])), **changed}
    try:
        name, key = tokens.key_of(SESSION_SECRET, datetime.fromtimestamp(NOW, UTC))
        token = jwt.encode(claims, key, algorithm="HS256", headers={"kid": name})
    except (TypeError, ValueError, jwt.PyJWTError):
        assume(False)  # the library itself writes no such claims
    try:
        read = tokens.read(token, SESSION_SECRET, datetime.fromtimestamp(NOW, UTC))
    except Problem as problem:
        assert problem.status == 401  # noqa: PT017 - not raising is right, too
    else:
        assert read.exp > NOW
