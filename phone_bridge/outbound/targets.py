"""Whom a caller may be put through to: an operator's list of names, each for one number, address, queue or assistant.

``reception=+493012345, desk=sip:desk@pbx.example, sales=queue:sales, billing=assistant:billing, box=voicemail``. A
model is held to the list, for whoever talks it into a number of their own would be put through at the operator's cost.
A program with a key may name a number of its own, too, if the countries that may be dialled hold it.
"""

import re
from collections.abc import Container, Iterable, Mapping
from enum import StrEnum

import msgspec

from phone_bridge.errors import Refused, SettingsError
from phone_bridge.outbound.destinations import allowed, dialable

MAX_TARGETS = 50
"""Names on one list; a model is told all of them."""
MAX_ADDRESS_CHARS = 255

QUEUE, ASSISTANT, VOICEMAIL = "queue:", "assistant:", "voicemail"
"""What an address begins with, or is, that is neither a number nor a SIP address."""

_NAME = re.compile(r"[\w][\w .'-]{0,31}")
_SIP = re.compile(r"sips?:[A-Za-z0-9._~+-]{1,64}@[A-Za-z0-9.-]{1,128}(?::\d{1,5})?(?:;[A-Za-z0-9.=-]+)*", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class Kind(StrEnum):
    """What a target is."""

    NUMBER = "number"
    SIP = "sip"
    QUEUE = "queue"
    ASSISTANT = "assistant"
    VOICEMAIL = "voicemail"


class Target(msgspec.Struct, frozen=True):
    """Whom a caller is put through to: by which ``name`` they are spoken of, and where they are."""

    name: str
    kind: Kind
    address: str

    @property
    def rings(self) -> bool:
        """Whether somebody is rung, who can be told beforehand who calls."""
        return self.kind in (Kind.NUMBER, Kind.SIP)


def targets(text: str) -> dict[str, Target]:
    """Read a list of targets, by their names in lower case; raises SettingsError, which says how it is mended."""
    found: dict[str, Target] = {}
    for pair in (pair.strip() for pair in text.split(",")):
        if not pair:
            continue
        name, _, address = (part.strip() for part in pair.partition("="))
        target = _read(name, address)
        if name.lower() in found:
            raise SettingsError(f"two targets are named {name!r}: give each a name of its own")
        found[name.lower()] = target
    if len(found) > MAX_TARGETS:
        raise SettingsError(f"there are {len(found)} targets, and {MAX_TARGETS} at most can be told to a model")
    return found


def written(listed: Mapping[str, str]) -> str:
    """Write a table of targets as ``targets`` reads it; raises SettingsError for what would be read as another one."""
    for name, address in listed.items():
        if {",", "="} & {*name} or "," in address:
            raise SettingsError(f"{name!r} = {address!r} has a comma, or a name with an equals sign: leave them out")
    return ",".join(f"{name}={address}" for name, address in listed.items())


def named(wanted: str, listed: Mapping[str, Target]) -> Target:
    """Find a target by its name, or by its number or address; raises Refused with words that a model can use."""
    found = listed.get(wanted.strip().lower())
    if found is None:
        found = next((target for target in listed.values() if target.address == wanted.strip()), None)
    if found is None:
        names = ", ".join(target.name for target in listed.values()) or "nobody"
        raise Refused(
            f"Callers can be put through to {names}, and to nobody else. Tell the caller that.",
            code="target_not_listed",
        )
    return found


def asked_for(
    wanted: str, listed: Mapping[str, Target], prefixes: Iterable[str], domains: Container[str] = ()
) -> Target:
    """Find what a program asks for: a target of the list, or whom it may have called; raises Refused."""
    known = next((target for target in listed.values() if target.address == wanted), None)
    if known is not None:
        return known
    if not wanted.startswith(("+", "sip:", "sips:")):
        return named(wanted, listed)
    allowed(wanted, prefixes, domains)
    return Target("", Kind.NUMBER if wanted.startswith("+") else Kind.SIP, wanted)


def _read(name: str, address: str) -> Target:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} is no name for a target: write reception=+493012345, a name of 1 to 32 letters, digits, spaces"
        )
    if address == VOICEMAIL:
        return Target(name, Kind.VOICEMAIL, VOICEMAIL)
    for prefix, kind in ((QUEUE, Kind.QUEUE), (ASSISTANT, Kind.ASSISTANT)):
        if address.startswith(prefix) and _WORD.fullmatch(address.removeprefix(prefix)):
            return Target(name, kind, address.removeprefix(prefix))
    if _SIP.fullmatch(address) and len(address) <= MAX_ADDRESS_CHARS:
        return Target(name, Kind.SIP, address)
    try:
        dialable(address)
    except Refused as error:
        raise SettingsError(
            f"{name}={address!r} leads nowhere: write a number as +493012345, sip:user@host, queue:NAME, "
            f"assistant:ROUTE or voicemail. {error}"
        ) from None
    return Target(name, Kind.NUMBER, address)
