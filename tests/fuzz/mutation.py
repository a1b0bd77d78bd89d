"""Messages that a peer could send and should not: real samples, changed in their structure or in their bytes.

What cuts, doubles and garbles the text of a sample in one place is in ``tests/conformance/door``, for every wire alike;
here the JSON itself is changed: fields dropped, doubled and retyped, numbers and nesting without end, halves of
characters, numbers that are none, and base64 that is not.
"""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

DEEP = 5_000  # levels, beyond what a recursive reader can follow
DIGITS = 4_300  # of a whole number, the most that Python writes out

HUGE = [2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, -(10**400), 10 ** (DIGITS - 1), -(10 ** (DIGITS - 1))]
TEXTS = [
    "",
    " ",
    "\x00",
    "~1.0",
    "#1",
    "0.1",
    "null",
    "NaN",
    "-1",
    "1e3",
    "0x10",
    "\u0661",
    "🂡",
    "x" * 3_000,
    "é\u202e",
]
WRONG_BASE64 = ["A", "AAA", "A===", "AA=A", "_-_-", "AA\n==", "AAAA=", "\u00ff\u00ff\u00ff\u00ff"]

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(HUGE),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(TEXTS),
    st.sampled_from(WRONG_BASE64),
    st.text(max_size=20),
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)

Raw = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e999",
        "-1e-999",
        "1" * (DIGITS + 100),
        "0" * 40,
        "01",
        "+1",
        "1.",
        '"\\ud800"',
        '"\\udfff\\ud800"',
        '"\ud800"',
        '"\\u00"',
        '"\x01"',
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        "[" * 400 + "]" * 400,
        "",
        "tru",
        "[1,]",
        "\ufeff{}",
    ]
)
"""Values that no writer of JSON writes, put in as they are."""

_HOLE = "@hole@"


def mutations(samples: Sequence[str]) -> st.SearchStrategy[str]:
    """Draw a sample, changed in one to three places."""
    whole = [json.loads(sample) for sample in samples if _has_fields(sample)]
    assert whole, "no sample has fields"
    return _mutation(whole) | st.sampled_from(list(samples))


def _has_fields(sample: str) -> bool:
    try:
        return bool(_places(json.loads(sample)))
    except (ValueError, RecursionError):
        return False


@st.composite
def _mutation(draw: st.DrawFn, samples: Sequence[Any]) -> str:
    message = json.loads(json.dumps(draw(st.sampled_from(samples))))
    donor = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 3))):
        place, key = draw(st.sampled_from(list(_places(message))))
        match draw(st.sampled_from(["drop", "retype", "retype", "swap", "add", "nest"])):
            case "drop":
                del place[key]
            case "retype":
                place[key] = draw(values)
            case "swap":  # the value of another field, of this sample or another
                there, name = draw(st.sampled_from(list(_places(donor))))
                place[key] = json.loads(json.dumps(there[name]))
            case "add":
                place[key] = {"more": draw(values), **place[key]} if isinstance(place[key], dict) else [place[key]]
            case _:
                place[key] = {str(key): place[key]}
        if not list(_places(message)):
            break
    return draw(_written(message))


@st.composite
def _written(draw: st.DrawFn, message: Any) -> str:
    """Write a message, at times with a value that cannot be, or with a field that comes twice."""
    places = list(_places(message))
    how = draw(st.integers(0, 3)) if places else 0
    if how == 1:
        place, key = draw(st.sampled_from(places))
        place[key] = _HOLE
        return json.dumps(message).replace(f'"{_HOLE}"', draw(Raw), 1)
    text = json.dumps(message, ensure_ascii=draw(st.booleans()))
    if how == 2:
        place, key = draw(st.sampled_from(places))
        if isinstance(place, dict):
            again = f"{json.dumps(key)}: {json.dumps(draw(values))}"
            first = f"{json.dumps(key)}: {json.dumps(place[key])}"
            pair = f"{first}, {again}" if draw(st.booleans()) else f"{again}, {first}"
            return json.dumps(message).replace(first, pair, 1)
    return text


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Name every place inside ``value``, however deep."""
    inside: list[tuple[Any, Any]] = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        inside.append((value, key))
        inside += _places(value[key])
    return inside
