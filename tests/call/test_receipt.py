import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call import receipt as r
from phone_bridge.errors import RemoteError
from tests.call.sample_receipt import BEGAN, CALL_ID, NUMBER, sample

# Canonical JSON


def test_canonical_json_has_one_spelling() -> None:
    value = {"z": 1, "a": {"é": "ü\u2028\x7f", "b": [True, None, -2.5]}, "c": '\b\t\n\f\r"\\/\x1f'}
    assert r.canonical(value) == (
        b'{"a":{"b":[true,null,-2.5],"\xc3\xa9":"\xc3\xbc\xe2\x80\xa8\x7f"},"c":"\\b\\t\\n\\f\\r\\"\\\\/\\u001f","z":1}'
    )


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(value=PLAIN)
def test_any_other_writer_of_sorted_json_writes_the_same(value: Any) -> None:
    theirs = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert r.canonical(value) == theirs


@given(value=st.recursive(PLAIN | st.floats(allow_nan=False, allow_infinity=False), st.lists, max_leaves=5))
def test_what_was_written_is_written_the_same_after_it_was_read(value: Any) -> None:
    once = r.canonical(value)
    assert r.canonical(msgspec.json.decode(once)) == once


def test_an_action_is_named_by_its_content_whatever_the_order_of_its_parameters() -> None:
    expected = hashlib.sha256(b'{"name":"move","parameters":{"a":1,"b":"x"}}').hexdigest()
    assert r.action_sha256("move", {"b": "x", "a": 1}) == r.action_sha256("move", {"a": 1, "b": "x"}) == expected
    others: list[tuple[str, dict[str, Any]]] = [
        ("cancel", {"a": 1, "b": "x"}),
        ("move", {"a": "1", "b": "x"}),
        ("move", {"a": 1}),
        ("move", {}),
    ]
    assert expected not in [r.action_sha256(*other) for other in others]


# Its parts


def test_the_callers_number_is_hidden_but_can_be_checked_by_who_knows_it() -> None:
    caller = r.Caller.of(NUMBER, CALL_ID)
    assert caller.sha256 == hashlib.sha256(f"{CALL_ID}:{NUMBER}".encode()).hexdigest()
    assert caller.last_digits == "43"
    assert NUMBER[1:] not in r.canonical(sample()).decode()
    assert r.Caller.of(NUMBER, "call_2").sha256 != caller.sha256


@pytest.mark.parametrize("number", ["client:alice", "anonymous", "sip:bob@example.com", "+1202555014٣"])
def test_only_digits_of_a_number_are_shown(number: str) -> None:
    caller = r.Caller.of(number, CALL_ID)
    assert caller.last_digits == ""
    assert len(caller.sha256) == 64


@pytest.mark.parametrize("number", [None, ""])
def test_an_unknown_number_has_no_hash(number: str | None) -> None:
    assert r.Caller.of(number, CALL_ID) == r.Caller(sha256="", last_digits="")


def test_a_consent_has_one_id_and_another_consent_another() -> None:
    parts = ("call_1", "act_1", 1_000)
    assert r.receipt_id(*parts) == r.receipt_id(*parts)
    others = [
        ("call_2", "act_1", 1_000),
        ("call_1", "act_2", 1_000),
        ("call_1", "act_1", 1_001),
        ("call_1act_1", "", 1_000),
    ]
    assert len({r.receipt_id(*each) for each in [parts, *others]}) == 5
    assert len(r.receipt_id(*parts)) == len(r.ID_PREFIX) + r.ID_DIGITS


def test_a_moment_is_counted_from_the_calls_beginning() -> None:
    assert r.moment("2026-12-31T23:59:59.750Z", 251) == "2027-01-01T00:00:00.001Z"


def test_an_outcome_is_unknown_until_the_session_tells_it() -> None:
    assert r.Outcome.of("", None) == r.Outcome(status="unknown", result_sha256="")
    assert r.Outcome.of("", {"stray": 1}) == r.Outcome.of("unknown", {"stray": 1}) == r.Outcome.of("", None)
    assert r.Outcome.of("failed", None) == r.Outcome(status="failed", result_sha256="")
    expected = hashlib.sha256(b'{"ok":true}').hexdigest()
    assert r.Outcome.of("executed", {"ok": True}) == r.Outcome(status="executed", result_sha256=expected)


# Revisions


def test_the_outcome_makes_the_next_revision_and_changes_nothing_else() -> None:
    first = sample(outcome=r.Outcome.of("", None), signature="x", key_id="receipt-1")
    second = first.settled(r.Outcome.of("executed", {"ok": True}), "2026-11-21T10:01:00.000Z")
    assert second is not None
    assert (second.revision, second.signature, second.key_id) == (2, "", "")
    changed = {name for name in r.Receipt.__struct_fields__ if getattr(first, name) != getattr(second, name)}
    assert changed == {"revision", "outcome", "issued_at", "signature", "key_id"}


OK = {"ok": True}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("executed", None), ("executed", None)),
        (("executed", OK), ("executed", OK)),
        (("executed", OK), ("executed", None)),
        (("executed", OK), ("", None)),
        (("executed", OK), ("unknown", None)),
        (("", None), ("", None)),
        (("", None), ("unknown", None)),
    ],
)
def test_an_outcome_that_says_no_more_makes_none(before: tuple[str, Any], after: tuple[str, Any]) -> None:
    assert sample(outcome=r.Outcome.of(*before)).settled(r.Outcome.of(*after), BEGAN) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("", None), ("failed", None)),
        (("failed", None), ("executed", None)),
        (("executed", None), ("executed", OK)),
        (("executed", OK), ("executed", {"ok": False})),
    ],
)
def test_an_outcome_that_says_more_makes_one(before: tuple[str, Any], after: tuple[str, Any]) -> None:
    made = sample(outcome=r.Outcome.of(*before)).settled(r.Outcome.of(*after), BEGAN)
    assert made is not None
    assert made.outcome == r.Outcome.of(*after)


# Reading


def test_a_receipt_is_read_however_it_is_laid_out() -> None:
    laid_out = json.dumps(msgspec.to_builtins(sample()), indent=4)
    assert r.Receipt.parse(laid_out) == r.Receipt.parse(r.canonical(sample())) == sample()


def test_the_signature_is_no_part_of_what_is_signed() -> None:
    assert sample(signature="abc").signed_bytes() == sample().signed_bytes()
    assert sample(key_id="receipt-2").signed_bytes() != sample().signed_bytes()
    assert json.loads(sample().signed_bytes()).keys() == set(r.Receipt.__struct_fields__) - {"signature"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"no json",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        r.canonical(sample()).replace(b'"version":2', b'"version":2,"version":2'),
        r.canonical(sample()).replace(b'"event_id"', b'"reason":"none","event_id"'),
        r.canonical(sample()).replace(b'"ms":4210', b'"ms":-1'),
        r.canonical(sample()).replace(b'"ms":4210', b'"ms":4210.0'),
        r.canonical(sample()).replace(b'"revision":1', b'"revision":0'),
        r.canonical(sample()).replace(b'"speech"', b'"letter"'),
        r.canonical(sample()).replace(b'"version":2', b'"version":2,"more":1'),
        r.canonical(sample()).replace(b'"last_digits":"43"', b'"last_digits":"43","number":"1"'),
        r.canonical(sample()).decode().encode("utf-16"),
    ],
)
def test_anything_else_is_no_receipt(data: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        r.Receipt.parse(data)
    assert caught.value.code == "receipt_malformed"


@given(data=st.binary(max_size=200) | st.text(max_size=200))
def test_whatever_is_read_nothing_but_a_remote_error_comes_out(data: bytes | str) -> None:
    with pytest.raises(RemoteError):
        r.Receipt.parse(data)


@pytest.mark.parametrize("depth", [100, 300, 900, 950, 980, 990, 995, 1_000, 5_000])
def test_no_depth_breaks_the_reader(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    data = r.canonical(sample()).replace(b"[1,2.5,null]", nested)
    try:
        receipt = r.Receipt.parse(data)
    except RemoteError:
        assert depth > 500
    else:
        assert receipt.action.sha256 != r.action_sha256(receipt.action.name, receipt.action.parameters)
