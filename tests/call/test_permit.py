from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.call.events import Action
from phone_bridge.call.permit import PERMIT_MS, Permit, fingerprint
from phone_bridge.errors import LocalError

CANCEL = Action("cancel_event", {"event_id": "evt_1", "notify": False})

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
parameters = st.dictionaries(st.text(), values, max_size=4)


def test_a_permit_is_good_for_its_action_once() -> None:
    permit = Permit(CANCEL, 1_000)
    permit.use(Action("cancel_event", {"notify": False, "event_id": "evt_1"}), 1_000)
    with pytest.raises(LocalError, match="second time"):
        permit.use(CANCEL, 1_000)


@pytest.mark.parametrize("late", [0, 1])
def test_a_permit_is_good_for_thirty_seconds(late: int) -> None:
    permit = Permit(CANCEL, 1_000)
    if late:
        with pytest.raises(LocalError, match="30000 ms"):
            permit.use(CANCEL, 1_000 + PERMIT_MS + late)
    else:
        permit.use(CANCEL, 1_000 + PERMIT_MS)


@pytest.mark.parametrize(
    "other",
    [
        Action("cancel_event", {"event_id": "evt_2", "notify": False}),
        Action("cancel_event", {"event_id": "evt_1", "notify": True}),
        Action("cancel_event", {"event_id": "evt_1"}),
        Action("update_event", {"event_id": "evt_1", "notify": False}),
    ],
)
def test_a_permit_for_another_action_is_used_up_by_the_attempt(other: Action) -> None:
    permit = Permit(CANCEL, 0)
    with pytest.raises(LocalError, match="used for another"):
        permit.use(other, 0)
    with pytest.raises(LocalError, match="second time"):
        permit.use(CANCEL, 0)


@given(parameters, parameters)
def test_only_the_same_parameters_have_the_same_fingerprint(one: dict[str, Any], other: dict[str, Any]) -> None:
    turned = dict(reversed(one.items()))
    assert fingerprint(Action("x", one)) == fingerprint(Action("x", turned))
    if repr(sorted(one.items())) != repr(sorted(other.items())):
        same = fingerprint(Action("x", one)) == fingerprint(Action("x", other))
        assert not same or one == other


def test_parameters_that_are_no_json_have_none() -> None:
    with pytest.raises(LocalError, match="no JSON"):
        fingerprint(Action("x", {"a": object()}))


def test_permits_are_alike_when_they_permit_the_same() -> None:
    assert Permit(CANCEL, 5) == Permit(CANCEL, 5)
    assert hash(Permit(CANCEL, 5)) == hash(Permit(CANCEL, 5))
    assert Permit(CANCEL, 5) != Permit(CANCEL, 6)
    assert Permit(CANCEL, 5) != CANCEL
