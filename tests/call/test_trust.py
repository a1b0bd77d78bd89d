"""How far a caller is known, and what that opens."""

from itertools import pairwise

import pytest

from phone_bridge.call.trust import Tier, Trust, highest, tier_of

MINE, OTHER = "+4917055500", "+4917055599"
KNOWN = frozenset({MINE})


def test_the_tiers_rise_in_their_order() -> None:
    assert [tier.value for tier in Tier] == ["unknown", "known", "attested", "code", "pin", "pin+code"]
    for lower, higher in pairwise(Tier):
        assert higher.reaches(lower)
        assert not lower.reaches(higher)
        assert lower.reaches(lower)


def test_the_highest_is_found_whatever_their_letters() -> None:
    assert highest(Tier.PIN, Tier.UNKNOWN, Tier.KNOWN) is Tier.PIN
    assert highest(Tier.UNKNOWN, Tier.ATTESTED) is Tier.ATTESTED
    assert highest() is Tier.UNKNOWN


@pytest.mark.parametrize("attested", [True, False])
@pytest.mark.parametrize("number", [None, "", OTHER, MINE[:-1], f"{MINE}0", f"sip:{MINE}@example.org"])
def test_a_number_that_is_withheld_or_not_exactly_known_is_none(number: str | None, attested: bool) -> None:
    assert tier_of(number, KNOWN, attested=attested) is Tier.UNKNOWN


def test_a_known_number_is_worth_more_where_its_carrier_vouches_for_it() -> None:
    assert tier_of(MINE, KNOWN, attested=False) is Tier.KNOWN
    assert tier_of(MINE, KNOWN, attested=True) is Tier.ATTESTED


def test_a_number_is_never_worth_a_pin() -> None:
    assert not any(tier_of(MINE, KNOWN, attested=attested) is Tier.PIN for attested in (True, False))


@pytest.mark.parametrize(
    ("has", "needed", "lacking"),
    [
        (Tier.PIN, Tier.CODE, None),
        (Tier.UNKNOWN, Tier.CODE, Tier.CODE),
        (Tier.UNKNOWN, Tier.PIN, Tier.PIN),
        (Tier.CODE, Tier.PIN, Tier.PIN),
        (Tier.UNKNOWN, Tier.KNOWN, Tier.PIN),
        (Tier.CODE, Tier.KNOWN, None),
        (Tier.ATTESTED, Tier.BOTH, Tier.PIN),
        (Tier.PIN, Tier.BOTH, Tier.CODE),
        (Tier.CODE, Tier.BOTH, Tier.PIN),
        (Tier.BOTH, Tier.BOTH, None),
    ],
)
def test_what_is_lacking_is_asked_for_one_after_the_other(has: Tier, needed: Tier, lacking: Tier | None) -> None:
    assert has.lacks(needed) is lacking
    while (next_one := has.lacks(needed)) is not None:
        assert not has.reaches(needed)
        has = has.plus(next_one)
    assert has.reaches(needed)


def test_only_both_together_are_both() -> None:
    assert Tier.PIN.plus(Tier.CODE) is Tier.CODE.plus(Tier.PIN) is Tier.BOTH
    assert Tier.KNOWN.plus(Tier.CODE) is Tier.CODE.plus(Tier.CODE) is Tier.CODE
    assert Tier.BOTH.plus(Tier.CODE) is Tier.BOTH


@pytest.mark.parametrize(
    ("has", "enter", "at_first"),
    [
        (Tier.UNKNOWN, Tier.UNKNOWN, Tier.UNKNOWN),
        (Tier.UNKNOWN, Tier.KNOWN, Tier.PIN),
        (Tier.KNOWN, Tier.CODE, Tier.CODE),
        (Tier.KNOWN, Tier.BOTH, Tier.BOTH),
        (Tier.BOTH, Tier.PIN, Tier.BOTH),
    ],
)
def test_whoever_comes_in_is_known_as_well_as_is_needed_for_that(has: Tier, enter: Tier, at_first: Tier) -> None:
    assert Trust(has=has, enter=enter).at_first is at_first


def test_a_tool_needs_what_the_rule_says_of_it_or_of_any_other() -> None:
    trust = Trust(tools={"get_next_event": Tier.KNOWN}, otherwise=Tier.PIN)
    assert trust.needs("get_next_event") is Tier.KNOWN
    assert trust.needs("of which nobody has heard") is Tier.PIN
    assert Trust().needs("anything") is Tier.UNKNOWN
