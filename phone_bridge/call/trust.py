"""Who is calling: how far that is known, and which tools it opens.

A caller ID is what the caller's side says of itself, and anybody can say anything; an attestation is its carrier's
word for it (STIR/SHAKEN, https://www.rfc-editor.org/rfc/rfc8588: ``A`` for a number that is the caller's own). A code
that was sent to the user's telephone says that the caller has it in their hand. Only a PIN is the caller's. A tier
opens what every lower one opens; whoever gave both has the highest.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

ATTESTED_BY_CARRIER = "TN-Validation-Passed-A"
"""The one word of a carrier's (Twilio's ``StirVerstat``) that is a full attestation; a call that was passed on
(``-Diverted``) has been with somebody in between, ``B`` and ``C`` say nothing of the number."""


class Tier(StrEnum):
    """How far it is known who is calling, the least first."""

    UNKNOWN = "unknown"
    KNOWN = "known"
    ATTESTED = "attested"
    CODE = "code"
    PIN = "pin"
    BOTH = "pin+code"

    def reaches(self, needed: "Tier") -> bool:
        """Tell whether this is as much as ``needed``, or more."""
        return _RANK[self] >= _RANK[needed]

    def lacks(self, needed: "Tier") -> "Tier | None":
        """Say what to ask for next, the PIN or a code, so that this becomes as much as ``needed``; None if it is."""
        if self.reaches(needed):
            return None
        return Tier.CODE if needed is Tier.CODE or self is Tier.PIN else Tier.PIN

    def plus(self, given: "Tier") -> "Tier":
        """Say how far a caller is known who has ``given`` the PIN or a code besides."""
        return Tier.BOTH if {self, given} == {Tier.CODE, Tier.PIN} else highest(self, given)


_RANK = {tier: rank for rank, tier in enumerate(Tier)}


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What one caller is known by when the call begins, and what each tool needs; without a rule all is open.

    ``tools`` says it by the tool's name, ``otherwise`` of any other tool, ``enter`` of talking to the session at all,
    ``enrol`` of setting a PIN by telephone where there is none yet: at ``PIN`` nobody may.
    """

    has: Tier = Tier.UNKNOWN
    tools: Mapping[str, Tier] = {}
    otherwise: Tier = Tier.UNKNOWN
    enter: Tier = Tier.UNKNOWN
    enrol: Tier = Tier.PIN

    @property
    def at_first(self) -> Tier:
        """How far whoever comes to talk to the session is known at least: who is not known enough has proven more."""
        tier = self.has
        while (lacking := tier.lacks(self.enter)) is not None:
            tier = tier.plus(lacking)
        return tier

    def needs(self, tool: str) -> Tier:
        """Say which tier opens ``tool``."""
        return self.tools.get(tool, self.otherwise)


def tier_of(number: str | None, numbers: frozenset[str], *, attested: bool) -> Tier:
    """Say how far a caller is known by ``number`` (None where it is withheld) alone; ``numbers`` are those known.

    An attestation of a number that nobody here knows is no more than a number that nobody knows.
    """
    if not number or number not in numbers:
        return Tier.UNKNOWN
    return Tier.ATTESTED if attested else Tier.KNOWN


def highest(*tiers: Tier) -> Tier:
    """Give the highest of ``tiers``; ``UNKNOWN`` for none."""
    return max(tiers, key=_RANK.__getitem__, default=Tier.UNKNOWN)
