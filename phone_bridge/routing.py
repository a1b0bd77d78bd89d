"""Routes: which calls are whose. An operator's ``[[routes]]``, what is known of a call, and the first route that fits.

Nothing here knows a carrier or a session. A leg says what it knows of a call as ``Facts``; ``choose`` finds the route.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from urllib.parse import unquote

import msgspec

from phone_bridge import hours
from phone_bridge.errors import SettingsError
from phone_bridge.hours import many
from phone_bridge.menus import Menu

WITHHELD = "withheld"
"""What ``calling`` says of a number that the caller hides."""
REST = "*"
"""What a pattern ends with that fits whatever begins so."""
LANGUAGE_KEYS = "123456789"
"""Keys by which a caller may choose a language."""
MAX_ROUTES = 10_000
"""Most routes of a deployment; each call looks through them."""
MAX_CALL_SECONDS = 86_400
MAX_ANSWER_SECONDS = 120

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"\+(?:[1-9]\d{0,14}\*?|\*)", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_SIP = re.compile(r"sips?:(?:([^@?]*)@)?", re.IGNORECASE)
SIP_ADDRESS = r"sips?:[A-Za-z0-9._+~!-]{1,64}@[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?"
"""A SIP address that may be called: neither parameters nor header fields, which would steer the call."""


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``[[routes]]``: first which calls it is for, then what they are given.

    A condition that says nothing fits every call. What a call is given is empty (None where empty means something)
    where the deployment's own setting of that name counts.
    """

    name: str
    named: bool = False
    """True for a route that is taken only where it is named: by who hands a call over, or by a menu."""

    called: str | tuple[str, ...] = ()
    """Our number, in E.164, or the beginning of some with ``*`` (``+4930*``)."""
    calling: str | tuple[str, ...] = ()
    """The other side's number likewise, or ``withheld``."""
    sip_user: str | tuple[str, ...] = ()
    """The user of the SIP address that was called."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers of a SIP call with their values, which may end with ``*``."""
    hours: str | tuple[str, ...] = ()
    """Such as ``09:00-12:30``, the end not included; what goes over midnight belongs to the day on which it begins."""
    days: str | tuple[str, ...] = ()
    """Such as ``mon-fri`` or ``sat``."""
    closed: str | tuple[str, ...] = ()
    """Dates on which it takes no calls: ``12-25`` of every year, or ``2026-12-31``."""
    timezone: str = ""
    """Where those hours, days and dates are."""
    caller_language: str | tuple[str, ...] = ()
    """The language that the call came with, such as ``de``, which ``de-AT`` is, too."""

    user_id: str = ""
    session: str = ""
    session_url: str = ""
    session_key_env: str = ""
    """Names the environment variable that holds the session's key."""
    session_key_file: str = ""
    session_key: str = ""
    """Filled in when the routes are read; an operator never writes it down."""
    session_account: str = ""
    session_format: str = ""
    session_model: str = ""
    session_voice: str = ""
    session_instructions: str = ""
    session_shape: str = ""
    session_auth: str = ""
    session_api_version: str = ""
    session_turn_detection: str = ""
    session_transcriber: str = ""
    session_minutes: int = 0
    tools: tuple[str, ...] | None = None
    """What is offered, by names of tools or of groups; nothing at all where it is empty."""
    greeting: str = ""
    language: str = ""
    languages: Mapping[str, str] = MappingProxyType({})
    """Other languages that a caller may choose at the beginning, each by its key: ``{ 2 = "de" }``."""
    fallback: str = ""
    answer_seconds: int = 0
    auto_confirm: tuple[str, ...] | None = None
    """Tools that are done without asking, for this route's user."""
    record: bool | None = None
    """Whether its calls are recorded."""
    record_announce: bool | None = None
    """Whether its callers are told so first."""
    max_seconds: int = 0
    max_calls: int = 0
    menu: str = ""
    """The menu that its callers begin with; the assistant's at once when empty."""
    menus: Mapping[str, Menu] = MappingProxyType({})
    """Filled in when the routes are read: all of ``[[menus]]``."""
    numbers: str | tuple[str, ...] = ()
    """The numbers of those who may use it, as far as a caller ID goes: they are ``known``."""
    trust: Mapping[str, str] = MappingProxyType({})
    """Which tier opens what: by what a tool does (``read``, ``write``, ``outward``, ``destroy``), by its name, or
    ``enter`` for the assistant as a whole. Without it everything is open to everybody."""
    return_urls: tuple[str, ...] = ()
    """Where an IVR that hands a caller over may have it sent back to."""
    return_key_env: str = ""
    """Names the environment variable that holds the key which the result is signed with."""
    return_key_file: str = ""
    return_key: str = ""
    """Filled in when the routes are read, like ``session_key``."""

    def __repr__(self) -> str:
        return f"Route(name={self.name!r})"  # not its key


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a call before anybody is asked; addresses as the carrier gives them, None where withheld.

    ``called`` is our side of it and ``calling`` the other one, whoever began. Names of ``headers`` are lower case.
    """

    called: str | None = None
    calling: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    language: str = ""


# Which route a call is given


def choose(routes: Sequence[Route], facts: Facts, at: datetime) -> Route | None:
    """Find the first of ``routes`` that fits a call at the time ``at`` (with its offset); None without one."""
    return next((route for route in routes if not missed(route, facts, at)), None)


def missed(route: Route, facts: Facts, at: datetime) -> str:
    """Name the first condition of ``route`` that a call does not meet; empty where it meets them all."""
    return missed_by_address(route, facts) or ("" if hours.is_open(route, at) else "hours")


def missed_by_address(route: Route, facts: Facts) -> str:
    """Name the first condition that a call does not meet, whatever the time is."""
    if route.named:
        return "named"
    called, calling = number_of(facts.called), number_of(facts.calling) if facts.calling else WITHHELD
    if route.called and not _any_fits(route.called, called):
        return "called"
    if route.calling and not _any_fits(route.calling, calling):
        return "calling"
    if route.sip_user and sip_user_of(facts.called) not in many(route.sip_user):
        return "sip_user"
    if not all(_fits(value, facts.headers.get(name.lower())) for name, value in route.headers.items()):
        return "headers"
    if route.caller_language and not any(_speaks(facts.language, each) for each in many(route.caller_language)):
        return "caller_language"
    return ""


def number_of(address: str | None) -> str:
    """Give the telephone number of an address, ``+…`` or ``sip:+…@…``; empty for one that is none."""
    user = sip_user_of(address) or address or ""
    return user if _NUMBER.fullmatch(user) and not user.endswith(REST) else ""


def sip_user_of(address: str | None) -> str:
    """Give the user of a SIP address; empty without one."""
    found = _SIP.match(address or "")
    return unquote(found[1] or "").partition(";")[0] if found else ""


def sip_host(address: str) -> str:
    """Give the host of a SIP address that may be called, in small letters; empty for anything else."""
    if not re.fullmatch(SIP_ADDRESS, address):
        return ""
    return address.partition("@")[2].partition(":")[0].lower()


def _any_fits(patterns: str | tuple[str, ...], value: str) -> bool:
    return any(_fits(pattern, value) for pattern in many(patterns))


def _fits(pattern: str, value: str | None) -> bool:
    if value is None:
        return False
    return value.startswith(pattern[:-1]) if pattern.endswith(REST) else value == pattern


def _speaks(language: str, wanted: str) -> bool:
    spoken = language.lower().split("-")
    parts = wanted.lower().split("-")
    return spoken[: len(parts)] == parts


# What an operator may write


def check(routes: Sequence[Route], where: Sequence[str]) -> None:
    """Check routes by themselves; ``where`` says of each where it stands. Raises SettingsError with the mend."""
    if len(routes) > MAX_ROUTES:
        raise SettingsError(f"there are {len(routes)} of [[routes]], and {MAX_ROUTES} at most can be served")
    known: dict[str, str] = {}
    everything = ""
    for route, place in zip(routes, where, strict=True):
        if route.name in known:
            raise SettingsError(f"{place} has the name of {known[route.name]}: give each its own")
        if everything:
            raise SettingsError(
                f"{place} never gets a call, for {everything} before it takes every one: move it up, or give the "
                "other a condition such as called"
            )
        known[route.name] = place
        _check(route, place)
        if takes_every_call(route):
            everything = place


def takes_every_call(route: Route) -> bool:
    """Tell whether a route has no condition at all."""
    conditions = (route.called, route.calling, route.sip_user, route.headers, route.hours, route.days, route.closed)
    return not any(conditions) and not route.caller_language and not route.named


def _check(route: Route, place: str) -> None:
    if not _NAME.fullmatch(route.name):
        raise SettingsError(f"{place} needs a name of 1 to 64 letters, digits, dots, dashes or underscores")
    for secret in ("session_key", "return_key"):
        if getattr(route, secret):
            raise SettingsError(
                f"{place} has its {secret} in the clear: put it into an environment variable or a file, "
                f"and name that with {secret}_env or {secret}_file"
            )
    if route.menus:
        raise SettingsError(f"{place} has menus of its own: write them as [[menus]], and name one with menu")
    _check_addresses(route, place)
    _check_languages(route, place)
    hours.check(route, place)
    _check_limits(route, place)


def _check_addresses(route: Route, place: str) -> None:
    if wrong := [number for number in many(route.numbers) if not number_of(number) or number != number_of(number)]:
        raise SettingsError(f"{place} has {wrong[0]!r} in numbers: write each in full, as +493012345")
    for field, words in (("called", ()), ("calling", (WITHHELD,))):
        for pattern in many(getattr(route, field)):
            if not _NUMBER.fullmatch(pattern) and pattern not in words:
                hint = f", or {WITHHELD}" if words else ""
                raise SettingsError(
                    f"{place} has {pattern!r} in {field}: write numbers as +493012345, beginnings as +4930*{hint}"
                )
    if any(not user for user in many(route.sip_user)) or any(not name for name in route.headers):
        raise SettingsError(f"{place} has an empty sip_user, or a header without a name")


def _check_languages(route: Route, place: str) -> None:
    for field in ("caller_language", "language"):
        for each in many(getattr(route, field)):
            if each and not _LANGUAGE.fullmatch(each):
                raise SettingsError(f"{place} has {each!r} in {field}: write a language as de or de-AT")
    for key, language in route.languages.items():
        if len(key) != 1 or key not in LANGUAGE_KEYS or not _LANGUAGE.fullmatch(language):
            raise SettingsError(
                f"{place} has {key} = {language!r} in languages: write a key of {LANGUAGE_KEYS[0]} to "
                f'{LANGUAGE_KEYS[-1]} and the language that it chooses, such as {{ 2 = "de" }}'
            )


def _check_limits(route: Route, place: str) -> None:
    for field, most in (
        ("answer_seconds", MAX_ANSWER_SECONDS),
        ("max_seconds", MAX_CALL_SECONDS),
        ("max_calls", 1_000_000),
    ):
        if not 0 <= getattr(route, field) <= most:
            raise SettingsError(f"{place} has {field} = {getattr(route, field)}: it must be 1 to {most}")
