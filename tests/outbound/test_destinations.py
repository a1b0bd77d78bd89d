"""Which numbers may be dialled."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.errors import Refused, SettingsError
from phone_bridge.outbound.destinations import (
    GLOBAL,
    ISLANDS,
    MAX_DIGITS,
    MAX_PREFIX_DIGITS,
    MIN_DIGITS,
    PREMIUM,
    allowed,
    dialable,
    prefixes,
)

EVERYWHERE = tuple(f"+{digit}" for digit in range(1, 10))


def refusal(number: str, *open_prefixes: str) -> str:
    with pytest.raises(Refused) as caught:
        allowed(number, open_prefixes)
    assert number not in str(caught.value)
    return caught.value.code


# What the operator allows


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("+12025550143", "+1"),
        ("+14165550123", "+1416"),
        ("+4915112345678", "+49"),
        ("+493012345", "+4930"),
        ("+436641234567", "+43"),
        ("+442079460123", "+44"),
        ("+33612345678", "+33"),
        ("+18765551234", "+1876"),
        ("+800" + "12345678", "+800"),
    ],
)
def test_an_ordinary_number_is_dialled_where_its_country_is_allowed(number: str, prefix: str) -> None:
    allowed(number, ("+7", prefix))
    dialable(number)
    assert refusal(number) == refusal(number, "+7", "+99") == "destination_not_allowed"


def test_without_any_prefix_nothing_is_dialled() -> None:
    assert refusal("+493012345") == "destination_not_allowed"


@pytest.mark.parametrize("code", ISLANDS)
def test_an_island_behind_plus_one_is_dialled_only_where_it_is_named(code: str) -> None:
    number = f"+{code}5551234"
    assert refusal(number, "+1") == refusal(number, "+1" + code[1:3]) == "destination_not_allowed"
    allowed(number, ("+1", f"+{code}"))
    with pytest.raises(Refused, match=ISLANDS[code]):
        allowed(number, ("+1",))


# What nobody can allow


@pytest.mark.parametrize("code", GLOBAL)
def test_codes_of_no_country_are_never_dialled(code: str) -> None:
    for length in range(MIN_DIGITS, MAX_DIGITS + 1):
        assert refusal("+" + code.ljust(length, "1"), *EVERYWHERE) == "destination_expensive"


@pytest.mark.parametrize("start", PREMIUM)
def test_named_ranges_are_never_dialled_whatever_their_length(start: str) -> None:
    for length in range(MIN_DIGITS, MAX_DIGITS + 1):
        for filling in "0159":
            assert refusal("+" + start.ljust(length, filling), *EVERYWHERE, f"+{start}") == "destination_expensive"


@pytest.mark.parametrize(
    "number",
    [
        "+19005551234",  # North America
        "+14159761234",  # 976 in San Francisco
        "+2129760000".replace("+", "+1"),
        "+449051234567",  # United Kingdom
        "+447012345678",
        "+448712345678",
        "+448451234567",
        "+499001234567",  # Germany
        "+491805123456",
        "+33891234567",  # France
        "+33812345678",
        "+43900123456",  # Austria
        "+41900123456",  # Switzerland
        "+34806123456",  # Spain
        "+39899123456",  # Italy
        "+31906123456",  # the Netherlands
        "+3290212345",  # Belgium
        "+48701234567",  # Poland
        "+351760123456",  # Portugal
        "+3531580123456",  # Ireland
        "+61190012345",  # Australia
        "+81990123456",  # Japan
        "+870773123456",  # Inmarsat
        "+881612345678",  # Iridium
        "+88216123456",  # Thuraya
        "+979112345678",  # international premium rate
        "+16005551234",  # satellite in Canada
    ],
)
def test_numbers_whose_owner_earns_are_never_dialled(number: str) -> None:
    assert refusal(number, *EVERYWHERE) == "destination_expensive"


@pytest.mark.parametrize("number", ["+49900123456789", "+449051234567890", "+348061234567890", "+1900555123456"])
def test_digits_on_top_do_not_open_a_range(number: str) -> None:
    assert refusal(number, *EVERYWHERE) == "destination_expensive"


# What is no number


@pytest.mark.parametrize(
    "number",
    [
        "",
        "+",
        "112",
        "+112",
        "493012345",
        "00493012345",
        "+0493012345",
        "+49 30 12345",
        "+49(30)12345",
        "+4930123a5",
        "+493012345\n",
        "+493012345,,1#",
        "+٤٩٣٠١٢٣٤٥",
        "tel:+493012345",
        "+2105550143",  # a code of no country
        "+120255501",  # shorter than any of its country
        "+120255501439",  # longer than any
    ],
)
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(Refused) as caught:
        allowed(number, EVERYWHERE)
    assert caught.value.code == "destination_malformed"


@pytest.mark.parametrize("digits", [MIN_DIGITS - 1, MAX_DIGITS + 1])
def test_a_number_has_eight_to_fifteen_digits(digits: int) -> None:
    assert refusal("+" + "49301234567890123"[:digits], "+49") == "destination_malformed"
    for inside in (MIN_DIGITS, MAX_DIGITS):  # Germany has numbers of every length
        allowed("+" + "49301234567890123"[:inside], ("+49",))


@given(st.text() | st.from_regex(r"\+[0-9]{0,20}", fullmatch=True))
def test_a_refusal_is_the_only_way_out(number: str) -> None:
    with suppress(Refused):
        allowed(number, EVERYWHERE)
        assert number.startswith("+")
        assert MIN_DIGITS <= len(number) - 1 <= MAX_DIGITS


# The setting


def test_prefixes_stand_between_commas() -> None:
    assert prefixes("") == ()
    assert prefixes(" +49, +43 ,,+1876") == ("+49", "+43", "+1876")
    assert prefixes("+" + "1" * MAX_PREFIX_DIGITS) == ("+1111111",)


@pytest.mark.parametrize("text", ["49", "+", "+0", "+49 30", "DE", "+4x", "*", "+49;+43", "+" + "1" * 8])
def test_what_is_no_prefix_is_named_with_the_mend(text: str) -> None:
    with pytest.raises(SettingsError, match="PHONE_BRIDGE_DESTINATIONS holds country prefixes"):
        prefixes(text)


# SIP addresses


@pytest.mark.parametrize("address", ["sip:jane@pbx.example", "sips:100@pbx.example:5061", "sip:+493012345@pbx.example"])
def test_an_address_is_called_where_its_domain_is_a_trunks(address: str) -> None:
    allowed(address, ("+49",), {"pbx.example"})
    with pytest.raises(Refused) as caught:
        allowed(address, ("+49",), {"other.example"})
    assert caught.value.code == "destination_not_allowed"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("sip:+19005550100@pbx.example", "destination_expensive"),
        ("sip:+12025550143@pbx.example", "destination_not_allowed"),
        ("sip:00019005550100@pbx.example", "destination_malformed"),
        ("sip:0-900-123-4567@pbx.example", "destination_malformed"),
        ("sip:jane@pbx.example;user=phone", "destination_malformed"),
        ("sip:jane@pbx.example?Route=x", "destination_malformed"),
        ("sip:pbx.example", "destination_malformed"),
        ("tel:+493012345", "destination_malformed"),
    ],
)
def test_an_address_dials_no_number_in_disguise(address: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        allowed(address, ("+49",), {"pbx.example"})
    assert caught.value.code == code
