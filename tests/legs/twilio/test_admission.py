from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import LocalError, Refused
from phone_bridge.legs.twilio.admission import (
    AUDIENCE,
    ISSUER,
    MAX_PARAMETER_CHARS,
    MIN_KEY_BYTES,
    TOKEN_PARAMETER,
    TOKEN_SECONDS,
    Admission,
    Key,
    admit,
    issue,
    nonce,
)
from tests.legs.twilio.samples import ACCOUNT_SID, CALL_SID

NOW = 1_000_000  # long before the library's own clock, so that a look at that one would show
KEY = Key("2026-11", b"k" * MIN_KEY_BYTES)
KEYS = {KEY.id: KEY}
NONCE = "0123456789abcdef0123456789abcdef"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": CALL_SID,
    "acc": ACCOUNT_SID,
    "jti": NONCE,
    "exp": NOW + TOKEN_SECONDS,
}


def token(now: int = NOW, key: Key = KEY) -> str:
    return issue(key, call_sid=CALL_SID, account_sid=ACCOUNT_SID, now_epoch_s=now, nonce=NONCE)


def forged(claims: dict[str, Any], key: Key = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key.secret, algorithm, headers={"kid": key.id, **headers})


def check(text: str, now: int = NOW, call_sid: str = CALL_SID, account_sid: str = ACCOUNT_SID) -> Admission:
    return admit(text, KEYS, call_sid=call_sid, account_sid=account_sid, now_epoch_s=now)


def refusal(text: str, **how: Any) -> str:
    with pytest.raises(Refused) as caught:
        check(text, **how)
    return caught.value.code


def test_a_token_admits_its_call() -> None:
    assert check(token()) == Admission(NONCE, CALL_SID, ACCOUNT_SID, NOW + TOKEN_SECONDS)


def test_a_token_is_good_until_its_last_second_by_the_callers_clock() -> None:
    assert check(token(), now=NOW + TOKEN_SECONDS - 1).call_sid == CALL_SID
    assert refusal(token(), now=NOW + TOKEN_SECONDS) == "token_expired"


def test_a_clock_far_ahead_of_the_systems_is_believed() -> None:
    later = NOW + 10**10
    assert check(token(later), now=later).expires_at == later + TOKEN_SECONDS


def test_a_token_is_good_for_its_own_call_and_account_only() -> None:
    assert refusal(token(), call_sid="CAother") == "token_wrong_call"
    assert refusal(token(), account_sid="ACother") == "token_wrong_call"
    assert refusal(token(), account_sid="") == "token_wrong_call"


def test_a_token_of_another_key_is_refused() -> None:
    assert refusal(token(key=Key(KEY.id, b"x" * MIN_KEY_BYTES))) == "token_signature"
    assert refusal(token(key=Key("2026-10", b"k" * MIN_KEY_BYTES))) == "token_unknown_key"


def test_keys_stand_side_by_side_while_they_are_rotated() -> None:
    old = Key("2026-10", b"o" * MIN_KEY_BYTES)
    both = KEYS | {old.id: old}
    for key in (old, KEY):
        admission = admit(token(key=key), both, call_sid=CALL_SID, account_sid=ACCOUNT_SID, now_epoch_s=NOW)
        assert admission.jti == NONCE


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_another_algorithm_is_refused(algorithm: str) -> None:
    assert refusal(forged(CLAIMS, algorithm=algorithm)) == "token_algorithm"


def test_an_unsigned_token_is_refused() -> None:
    unsigned = jwt.encode(CLAIMS, "", "none", headers={"kid": KEY.id})
    assert refusal(unsigned) == "token_algorithm"


@pytest.mark.parametrize("change", [{"aud": "other"}, {"iss": "other"}, {"aud": ["other", "another"]}])
def test_a_token_for_something_else_is_refused(change: dict[str, Any]) -> None:
    assert refusal(forged(CLAIMS | change)) == "token_audience"


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_a_token_without_one_of_its_claims_is_refused(claim: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != claim}
    assert refusal(forged(claims)) == "token_malformed"


@pytest.mark.parametrize(
    "change", [{"acc": 7}, {"exp": True}, {"exp": "soon"}, {"exp": 1e300}, {"sub": 1}, {"jti": []}]
)
def test_a_token_with_claims_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    assert refusal(forged(CLAIMS | change)) == "token_malformed"


def test_a_stream_that_shows_no_token_is_refused() -> None:
    assert refusal("") == "token_missing"


@pytest.mark.parametrize("text", ["x", "a.b.c", "é.é.é", "\ud800", "..", "e30.e30.e30", "x" * MAX_PARAMETER_CHARS])
def test_what_is_no_token_is_refused(text: str) -> None:
    assert refusal(text) in {"token_malformed", "token_unknown_key"}


def test_no_byte_of_a_token_can_be_changed() -> None:
    good = token()
    for at, old in enumerate(good[:-1]):  # the last character has bits that base64 ignores
        new = "A" if old != "A" else "B"
        assert refusal(good[:at] + new + good[at + 1 :]).startswith("token_")


@given(st.text(), st.text(), st.text())
def test_nothing_but_a_refusal_comes_of_nonsense(header: str, payload: str, signature: str) -> None:
    assert refusal(f"{header}.{payload}.{signature}").startswith("token_")


@given(st.dictionaries(st.sampled_from(["kid", "crit", "b64", "typ"]), st.none() | st.booleans() | st.just(["b64"])))
def test_strange_headers_do_no_harm(headers: dict[str, Any]) -> None:
    try:
        text = jwt.encode(CLAIMS, KEY.secret, "HS256", headers=headers)
    except jwt.PyJWTError:
        return
    with pytest.raises(Refused):
        check(text)


def test_a_token_fits_into_a_parameter() -> None:
    assert len(TOKEN_PARAMETER) + len(token()) < MAX_PARAMETER_CHARS
    with pytest.raises(LocalError, match="no <Parameter> can hold"):
        issue(KEY, call_sid="CA" * 100, account_sid=ACCOUNT_SID, now_epoch_s=NOW, nonce=NONCE)


def test_a_key_that_is_too_short_is_not_made() -> None:
    with pytest.raises(LocalError, match=str(MIN_KEY_BYTES)):
        Key("short", b"k" * (MIN_KEY_BYTES - 1))


@pytest.mark.parametrize("part", [0, 1, 3, 999])
def test_a_token_names_the_call_and_the_part_of_it_that_its_stream_carries(part: int) -> None:
    admission = Admission(nonce("call_1", part), CALL_SID, ACCOUNT_SID, NOW)
    assert (admission.call_id, admission.part) == ("call_1", part)


@pytest.mark.parametrize(
    ("jti", "call_id"),
    [
        (NONCE, ""),
        ("", ""),
        ("call_1.", "call_1"),
        ("call_1.x", "call_1"),
        ("call_1.9999", "call_1"),
        ("a.b.\u0665", "a.b"),
    ],
)
def test_a_name_of_another_shape_is_no_later_part(jti: str, call_id: str) -> None:
    admission = Admission(jti, CALL_SID, ACCOUNT_SID, NOW)
    assert (admission.call_id, admission.part) == (call_id, 0)


def test_no_two_streams_have_the_same_name() -> None:
    names = {nonce(call, part) for call in ("call_1", "call_11", "call_1.1") for part in range(20)}
    assert len(names) == 60
