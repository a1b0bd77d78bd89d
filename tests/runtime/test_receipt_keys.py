import base64
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.receipt import Receipt
from phone_bridge.errors import RemoteError
from phone_bridge.runtime.receipt_keys import PublicKey, SigningKey, key_doubts, parse_keys
from tests.call.sample_receipt import sample

KEY = SigningKey("receipt-1", bytes(range(32)))
OTHER = SigningKey("receipt-2", bytes(32))
SIGNED = KEY.sign(sample())


def test_a_signed_receipt_is_the_same_receipt_with_a_key_and_a_signature() -> None:
    assert sample(key_id="receipt-1", signature=SIGNED.signature) == SIGNED
    assert KEY.public.signed(SIGNED)
    assert KEY.sign(SIGNED) == SIGNED


def test_it_is_still_signed_after_it_was_sent_as_json_and_laid_out_anew() -> None:
    sent = json.loads(msgspec.json.encode(SIGNED))
    turned = json.dumps(dict(reversed(sent.items())), indent=2)
    assert KEY.public.signed(Receipt.parse(turned))


def test_a_stranger_can_check_it_with_nothing_of_ours() -> None:
    content = json.loads(msgspec.json.encode(SIGNED))
    jwk = json.loads(json.dumps(KEY.public.jwk()))
    signature = base64.urlsafe_b64decode(content.pop("signature") + "==")
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "="))
    key.verify(signature, json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


# Tampering

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Name every place of a document, leaves and branches."""
    if path:
        yield path
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from places(each, (*path, key))


def changed(path: Path, value: Any) -> dict[str, Any]:
    """Give the signed receipt with another value in one place; ``...`` takes the place out."""
    document: dict[str, Any] = json.loads(msgspec.json.encode(SIGNED))
    at: Any = document
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


def found(path: Path) -> Any:
    at = json.loads(msgspec.json.encode(SIGNED))
    for step in path:
        at = at[step]
    return at


def holds(document: dict[str, Any]) -> bool:
    try:
        return not key_doubts(Receipt.convert(document), [KEY.public])
    except RemoteError:
        return False


PLACES = list(places(json.loads(msgspec.json.encode(SIGNED))))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are one; True is not 1, and 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def test_the_unchanged_document_holds() -> None:
    assert len(PLACES) > 30
    assert holds(changed(("version",), 2))


@given(path=st.sampled_from(PLACES), value=VALUES)
def test_any_other_value_in_any_place_is_noticed(path: Path, value: Any) -> None:
    assert holds(changed(path, value)) is same(found(path), value)


@given(path=st.sampled_from([path for path in PLACES if isinstance(found(path), str)]), data=st.data())
def test_one_other_character_in_any_text_is_noticed(path: Path, data: st.DataObject) -> None:
    text = found(path)
    at = data.draw(st.integers(0, len(text)))
    with_one_more = text[:at] + data.draw(st.characters(exclude_categories=["Cs"])) + text[at:]
    assert not holds(changed(path, with_one_more))
    assert not holds(changed(path, text[:at] + text[at + 1 :])) or at == len(text)


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_a_place_that_was_taken_out_is_noticed(path: Path) -> None:
    assert not holds(changed(path, ...))


@given(path=st.sampled_from([(), *PLACES]), name=st.text(max_size=5), value=VALUES)
def test_anything_that_was_put_in_is_noticed(path: Path, name: str, value: Any) -> None:
    inside = found(path)
    if isinstance(inside, dict) and name not in inside:
        assert not holds(changed((*path, name), value))
    elif isinstance(inside, list):
        assert not holds(changed(path, [*inside, value]))


@pytest.mark.parametrize("path", [path for path in PLACES if type(found(path)) is int], ids=str)
@pytest.mark.parametrize("step", [-1, 1])
def test_a_number_that_is_one_more_or_less_is_noticed(path: Path, step: int) -> None:
    assert not holds(changed(path, found(path) + step))


def test_a_signature_has_one_spelling() -> None:
    signed = next(signed for n in range(99) if "-" in (signed := KEY.sign(sample(revision=n))).signature)
    signature = signed.signature
    assert len(signature) == 86  # 64 bytes and four bits that say nothing
    loose = [f"{signature[:-1]}{chr(ord(signature[-1]) + 1)}", f"{signature}==", f"{signature} ", f"\n{signature}"]
    standard = signature.replace("-", "+").replace("_", "/")
    for other in [*loose, standard, "", "é" * 86, signature[:-4], "A" * 86]:
        assert not KEY.public.signed(msgspec.structs.replace(signed, signature=other))
    assert KEY.public.signed(signed)


# Keys


def test_another_keys_receipt_is_not_believed_whatever_name_it_bears() -> None:
    assert not OTHER.public.signed(SIGNED)
    forged = msgspec.structs.replace(OTHER.sign(sample()), key_id="receipt-1")
    assert not KEY.public.signed(forged)
    assert not KEY.public.signed(SigningKey("receipt-1", bytes(32)).sign(sample()))


def test_keys_stand_side_by_side_and_the_receipt_says_which() -> None:
    keys = [KEY.public, OTHER.public]
    assert key_doubts(KEY.sign(sample()), keys) == key_doubts(OTHER.sign(sample()), keys) == []
    (doubt,) = key_doubts(OTHER.sign(sample()), keys[:1])
    assert "'receipt-2', which is not among the keys" in doubt
    (doubt,) = key_doubts(SIGNED, [PublicKey("receipt-1", OTHER.public.raw)])
    assert "signature does not fit" in doubt
    assert key_doubts(SIGNED, [])


def test_a_key_without_a_name_is_tried() -> None:
    assert key_doubts(SIGNED, [PublicKey("", OTHER.public.raw), PublicKey("", KEY.public.raw)]) == []
    assert key_doubts(SIGNED, [PublicKey("", OTHER.public.raw)])


def test_a_key_is_written_as_the_standard_says() -> None:
    # RFC 8037, A.2: the public half of the seed of RFC 8032, 7.1, test 1
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = SigningKey("kid", seed).public
    assert public.jwk() == {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "kid",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "alg": "EdDSA",
        "use": "sig",
    }


def test_a_key_or_a_set_of_keys_is_read() -> None:
    jwks = [KEY.public.jwk(), OTHER.public.jwk()]
    assert parse_keys(jwks[0]) == [KEY.public]
    assert parse_keys({"keys": jwks}) == [KEY.public, OTHER.public]
    assert parse_keys({"kty": "OKP", "crv": "Ed25519", "x": jwks[0]["x"]}) == [PublicKey("", KEY.public.raw)]
    assert parse_keys({"keys": []}) == []


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "key",
        {},
        {"keys": [{}]},
        KEY.public.jwk() | {"kty": "EC"},
        KEY.public.jwk() | {"crv": "X25519"},
        KEY.public.jwk() | {"x": 1},
        KEY.public.jwk() | {"x": ""},
        KEY.public.jwk() | {"x": "AAAA"},
        KEY.public.jwk() | {"x": KEY.public.jwk()["x"] + "="},
    ],
)
def test_what_is_no_key_is_said_to_be_none(document: Any) -> None:
    with pytest.raises(RemoteError) as caught:
        parse_keys(document)
    assert caught.value.code == "key_malformed"
