"""Which numbers may be dialled: those of countries that the operator named, and none whose owner earns by the call.

Toll fraud is a call to a number whose owner is paid by the minute. Whatever an operator allows, premium, shared-cost,
personal and satellite numbers are refused. The numbering plans of all countries come from libphonenumber's tables
(https://github.com/google/libphonenumber), which follow the regulators month by month; what stands here is what those
tables do not call expensive. A number that is longer than its range has is judged by its beginning, for exchanges
ignore digits that are dialled on top.
"""

import re
from collections.abc import Container, Iterable

import phonenumbers
from phonenumbers import PhoneNumberType, ValidationResult

from phone_bridge.errors import Refused, SettingsError
from phone_bridge.routing import sip_host, sip_user_of

MIN_DIGITS, MAX_DIGITS = 8, 15
"""Length of a number with its country code; ITU-T E.164 (11/2010), 6.2.1 says at most 15."""

MAX_PREFIX_DIGITS = 7
"""The longest prefix that may be allowed; E.164 keeps seven digits for telling where a call goes."""

GLOBAL: dict[str, str] = {
    "808": "international shared cost (+808)",
    "870": "satellite, Inmarsat (+870)",
    "878": "personal numbers (+878)",
    "881": "satellite (+881)",
    "882": "international networks and satellite (+882)",
    "883": "international networks (+883)",
    "888": "no country (+888)",
    "979": "international premium rate (+979)",
    "991": "no country (+991)",
    "999": "no country (+999)",
}
"""Codes that are no country's: ITU, List of ITU-T Recommendation E.164 assigned country codes (T-SP-E.164D)."""

PREMIUM: dict[str, str] = {
    "1600": "satellite and special services in Canada (+1 600)",
    "1700": "services of single carriers (+1 700)",
    "1900": "premium rate (+1 900)",
    "3389": "premium rate (+33 89)",
    "4470": "personal numbers (+44 70)",
    "449": "premium rate (+44 9)",
    "4487": "premium rate (+44 87)",
    "49900": "premium rate (+49 900)",
    "43900": "premium rate (+43 900)",
    "43930": "premium rate (+43 930)",
    "41900": "premium rate (+41 900)",
    "41901": "premium rate (+41 901)",
    "41906": "premium rate (+41 906)",
    "61190": "premium rate (+61 190)",
}
"""Ranges that are refused by their first digits alone, so that no wrong length and no old table opens them.

Sources: https://www.nanpa.com (900, 600, 700), Ofcom's National Telephone Numbering Plan (09, 087, 070), the numbering
plans of BNetzA (0900), RTR (0900, 0930), BAKOM (0900, 0901, 0906), Arcep (089) and ACMA (190).
"""

LOCAL_PREMIUM = re.compile("1[2-9][0-9]{2}976[0-9]*")
"""976 in any area of +1: the local premium services from before 900."""

ISLANDS: dict[str, str] = {
    "1242": "Bahamas",
    "1246": "Barbados",
    "1264": "Anguilla",
    "1268": "Antigua and Barbuda",
    "1284": "British Virgin Islands",
    "1345": "Cayman Islands",
    "1441": "Bermuda",
    "1473": "Grenada",
    "1649": "Turks and Caicos Islands",
    "1658": "Jamaica",
    "1664": "Montserrat",
    "1721": "Sint Maarten",
    "1758": "Saint Lucia",
    "1767": "Dominica",
    "1784": "Saint Vincent and the Grenadines",
    "1809": "Dominican Republic",
    "1829": "Dominican Republic",
    "1849": "Dominican Republic",
    "1868": "Trinidad and Tobago",
    "1869": "Saint Kitts and Nevis",
    "1876": "Jamaica",
}
"""Countries behind +1 that are billed as foreign ones, the ground of the one-ring fraud: ``+1`` does not open them.

Source: the area codes that FCC and FTC warn of ("one ring" scam), and https://www.nanpa.com for the whole list.
"""

_NUMBER = re.compile(rf"\+[1-9][0-9]{{{MIN_DIGITS - 1},{MAX_DIGITS - 1}}}")
_PREFIX = re.compile(rf"\+[1-9][0-9]{{0,{MAX_PREFIX_DIGITS - 1}}}")
_EXPENSIVE = {
    PhoneNumberType.PREMIUM_RATE: "premium rate",
    PhoneNumberType.SHARED_COST: "shared cost",
    PhoneNumberType.PERSONAL_NUMBER: "personal numbers",
}


def prefixes(text: str) -> tuple[str, ...]:
    """Read ``PHONE_BRIDGE_DESTINATIONS``, such as ``+49,+43``; raises SettingsError."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for prefix in found:
        if not _PREFIX.fullmatch(prefix):
            raise SettingsError(
                "PHONE_BRIDGE_DESTINATIONS holds country prefixes between commas, such as +49,+43,+1876, "
                f"each of 1 to {MAX_PREFIX_DIGITS} digits"
            )
    return found


def allowed(number: str, prefixes: Iterable[str], domains: Container[str] = ()) -> None:
    """Let ``number`` pass if one of ``prefixes`` opens it and nothing forbids it; an address, if ``domains`` has it.

    Raises Refused: ``destination_malformed``, ``destination_expensive``, ``destination_not_allowed``.
    """
    host = sip_host(number)
    if host:
        _allowed_address(number, host, prefixes, domains)
        return
    dialable(number)
    island = ISLANDS.get(number[1:5])
    for prefix in prefixes:
        if number.startswith(prefix) and (island is None or len(prefix) >= len("+1NPA")):
            return
    where = f"{island} (+1 {number[2:5]})" if island else "its country"
    raise Refused(
        f"PHONE_BRIDGE_DESTINATIONS does not allow the number: add the prefix of {where} to it.",
        code="destination_not_allowed",
    )


def _allowed_address(address: str, host: str, prefixes: Iterable[str], domains: Container[str]) -> None:
    """Let an address pass; one that stands for a number passes as that number does, and dials nothing in disguise."""
    if host not in domains:
        raise Refused(
            f"No trunk calls addresses of {host}: name it in the domains of one of [[sip_trunks]] with calls_out.",
            code="destination_not_allowed",
        )
    user = sip_user_of(address)
    digits = re.sub(r"[^0-9+]", "", user)
    if user.startswith("+"):
        allowed(user, prefixes)
    elif not re.search("[A-Za-z]", user) and len(digits) >= MIN_DIGITS:
        raise Refused(
            "The address may stand for a telephone number: write that with a plus and its country's code.",
            code="destination_malformed",
        )


def dialable(number: str) -> None:
    """Let ``number`` pass if it is one, and none that may never be dialled; for those that the operator wrote down.

    Raises Refused: ``destination_malformed``, ``destination_expensive``.
    """
    if not _NUMBER.fullmatch(number):
        raise Refused(
            f"The number is not in E.164 form: a plus and {MIN_DIGITS} to {MAX_DIGITS} digits, country code first.",
            code="destination_malformed",
        )
    named = _named(number[1:]) or _by_plan(number)
    if named:
        raise Refused(f"The number is in a range that is never dialled: {named}.", code="destination_expensive")
    if _wrong_length(number):
        raise Refused("The number is longer or shorter than any of its country.", code="destination_malformed")


def _named(digits: str) -> str:
    for table in (GLOBAL, PREMIUM):
        for length in range(3, 6):
            if digits[:length] in table:
                return table[digits[:length]]
    return "premium rate (+1 … 976)" if LOCAL_PREMIUM.fullmatch(digits) else ""


def _by_plan(number: str) -> str:
    """Name the expensive kind that a number is of, or would be with fewer digits; nothing for any other kind."""
    for end in range(len(number), MIN_DIGITS - 1, -1):
        kind = _kind(number[:end])
        if kind != PhoneNumberType.UNKNOWN:
            return _EXPENSIVE.get(kind, "")
    return ""


def _kind(number: str) -> int:
    try:
        return phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return PhoneNumberType.UNKNOWN


def _wrong_length(number: str) -> bool:
    try:
        verdict = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return True  # no country has this code
    return verdict != ValidationResult.IS_POSSIBLE
