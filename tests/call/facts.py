"""Any fact at all, made from the fields of its type, so that a new fact is tried without a word being added here."""

import types
import typing
from typing import Any

import msgspec
from hypothesis import strategies as st

from phone_bridge.call.events import Event

KINDS: tuple[type[Event], ...] = typing.get_args(Event)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
WHOLE = st.integers(-(2**40), 2**40)
SOUND = st.binary(max_size=200)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: WHOLE,
    bool: st.booleans(),
    bytes: SOUND,
    float: st.floats(allow_nan=False, allow_infinity=False),
    Any: ANYTHING,
    dict[str, Any]: st.dictionaries(TEXTS, ANYTHING, max_size=3),
    type(None): st.none(),
}


def facts_of(kind: Any) -> st.SearchStrategy[Any]:
    """Make values of ``kind``, a fact's type or that of one of its fields."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, types.UnionType):
        return st.one_of([facts_of(part) for part in typing.get_args(kind)])
    if typing.get_origin(kind) is tuple:
        return st.lists(facts_of(typing.get_args(kind)[0]), max_size=3).map(tuple)
    return st.builds(kind, **{field.name: facts_of(field.type) for field in msgspec.structs.fields(kind)})


FACTS: st.SearchStrategy[Event] = st.one_of([facts_of(kind) for kind in KINDS])


def silent(value: Any, silence: bytes) -> Any:
    """Give ``value``, a fact or a duty, with all its sound as silence of the same length."""
    if isinstance(value, bytes):
        return (silence * len(value))[: len(value)]
    if isinstance(value, tuple) and value and isinstance(value[0], bytes):
        return tuple(silent(part, silence) for part in value)
    if isinstance(value, msgspec.Struct) and {"audio", "parts"} & set(value.__struct_fields__):
        parts = {name: silent(getattr(value, name), silence) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **parts)
    return value
