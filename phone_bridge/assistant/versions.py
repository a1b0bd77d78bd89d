"""The versions of the API that this server answers in, and which of them a request is answered in."""

import msgspec

from phone_bridge.assistant.problems import Problem
from phone_bridge.sessions.chronapilot.dialect import API_VERSION

VERSION_HEADER = "chronapilot-version"
DEPRECATION_HEADER = "chronapilot-deprecation-date"

CURRENT = API_VERSION

SUPERSEDED = {"2026-05-12": "2027-05-20"}
"""Older versions, and the day until which each is served: a year after the one that took its place."""


class Version(msgspec.Struct, frozen=True):
    """The version that a request is answered in; ``until`` is the last day of a superseded one."""

    name: str
    until: str = ""

    def headers(self) -> dict[str, str]:
        """Tell the client which version it got, and that it is an old one."""
        told = {VERSION_HEADER: self.name}
        return {**told, DEPRECATION_HEADER: self.until} if self.until else told


def is_served(name: str) -> bool:
    """Tell whether there is a version of that name."""
    return name == CURRENT or name in SUPERSEDED


def choose(pinned: str, asked: str) -> Version:
    """Take the version that a request asks for, or else the key's own; raises Problem for one that there is not."""
    name = asked or pinned
    if not is_served(name):
        served = ", ".join(sorted((CURRENT, *SUPERSEDED)))
        raise Problem(
            f"Chronapilot-Version must name a version that is served here ({served}), or be left out for the key's own",
            code="invalid_parameter",
            param="Chronapilot-Version",
        )
    return Version(name, SUPERSEDED.get(name, ""))
