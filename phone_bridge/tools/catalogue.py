"""What an assistant may do: tools with their schema, effect and scope, and which of them ask before they act."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from phone_bridge.errors import LocalError, Refused
from phone_bridge.offers import Effect as Effect  # said again here: most who ask for it hold a tool


class Reach(StrEnum):
    """What a tool touches, in the words of ``action.proposed``; READ tools touch nothing."""

    NOTHING = "none"
    CALENDAR = "calendar_write"
    STATE = "state_write"
    MESSAGE = "outbound_message"
    DEVICE = "device"


class Policy(StrEnum):
    """Which tools wait for consent; readers never do."""

    DEFAULT = "default"  # calendars, messages and lasting settings
    ALL = "all"
    CALENDAR = "calendar"
    NONE = "none"


class Tool(Struct, frozen=True, kw_only=True):
    """One thing that can be done; ``schema`` (JSON Schema 2020-12, a closed object) describes its parameters."""

    name: str
    description: str
    schema: Mapping[str, Any]
    effect: Effect
    scope: str
    reach: Reach = Reach.NOTHING
    asks: bool = False
    """Whether it waits for consent under the default policy."""
    asks_if: str = ""
    """A switch among the parameters that makes it tell other people, and so ask under the default policy."""
    always_asks_if: str = ""
    """A parameter with which it asks under every policy."""

    def needs_consent(self, policy: Policy = Policy.DEFAULT, parameters: Mapping[str, Any] | None = None) -> bool:
        """Tell whether the tool, with these parameters, must be proposed before it is run."""
        given = parameters or {}
        if self.effect is Effect.READ:
            return False
        if self.always_asks_if and self.always_asks_if in given:
            return True
        if policy is Policy.DEFAULT and self.asks_if and given.get(self.asks_if) is True:
            return True
        if policy is Policy.CALENDAR:
            return self.reach is Reach.CALENDAR
        return self.asks if policy is Policy.DEFAULT else policy is Policy.ALL

    def reach_with(self, parameters: Mapping[str, Any]) -> Reach:
        """Say what the tool touches with these parameters."""
        return Reach.MESSAGE if self.asks_if and parameters.get(self.asks_if) is True else self.reach

    @property
    def reversible(self) -> bool:
        """Tell whether another tool can put things back as they were."""
        return self.effect in (Effect.READ, Effect.WRITE)


class Catalogue:
    """Tools by name, in a fixed order."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise LocalError(f"the tool {tool.name} was registered twice")
            self._tools[tool.name] = tool

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def find(self, name: str) -> Tool:
        """Find a tool; raises Refused (``invalid_parameter``) for a name that is not here."""
        try:
            return self._tools[name]
        except KeyError:
            raise Refused("There is no tool of that name.", code="invalid_parameter") from None

    def names(self) -> frozenset[str]:
        """Name all tools."""
        return frozenset(self._tools)

    def within(self, scopes: Iterable[str]) -> "Catalogue":
        """Keep the tools that ``scopes`` open."""
        granted = frozenset(scopes)
        return Catalogue(tool for tool in self if tool.scope in granted)
