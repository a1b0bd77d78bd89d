"""Parameters of tools: a struct makes the JSON Schema and checks what comes in, so that there is one source of both."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

DateTime = Annotated[datetime, Meta(tz=True)]
DayOrTime = Annotated[str, Meta(extra_json_schema={"anyOf": [{"format": "date-time"}, {"format": "date"}]})]
Zone = Annotated[str, Meta(description="IANA time zone")]

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""The years that times may lie in."""


class Invalid(ValueError):
    """Parameters that break a rule between them; ``param`` is the one to mend."""

    def __init__(self, message: str, param: str, *, code: str = "invalid_parameter") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class Parameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every tool's parameters share: a closed object, and times in years that calendars can reckon with."""

    def __post_init__(self) -> None:
        for name, value in self.given().items():
            if isinstance(value, date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
                raise Invalid(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.", name)

    def given(self) -> dict[str, Any]:
        """Give the parameters that are there, by their names."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value is not UNSET}


def day_or_time(text: str, *, all_day: bool) -> date | datetime:
    """Read a date-time with its offset or, for an all-day event, a date; raises Invalid."""
    try:
        kind = date if all_day and len(text) == len("2026-01-31") else DateTime
        moment: date | datetime = msgspec.convert(text, kind)
    except msgspec.ValidationError:
        raise Invalid("start_time must be a date and time with an offset.", "start_time") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.", "start_time")
    return moment


def check_zone(zone: str | UnsetType) -> None:
    """Raise Invalid for a zone that is not in the IANA database."""
    if zone is UNSET:
        return
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):  # not found is a KeyError; a folder's name or a path out of it the others
        raise Invalid("timezone must be an IANA name.", "timezone") from None


P = TypeVar("P", bound=Parameters)
_FIELD = re.compile(r"`([^`$]+)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")


def read(kind: type[P], parameters: Mapping[str, Any]) -> P:
    """Check ``parameters`` and make them typed; raises Invalid."""
    try:
        return msgspec.convert(parameters, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, Invalid):
            raise error.__cause__ from None
        raise _invalid(str(error)) from None


def _invalid(message: str) -> Invalid:
    """Turn the decoder's message into the parameter it speaks of."""
    path = found.group(1) if (found := _PATH.search(message)) else ""
    bare = _PATH.sub("", message)
    missing, unknown = bare.startswith("Object missing"), bare.startswith("Object contains unknown")
    if (missing or unknown) and (name := _FIELD.search(bare)):
        path = f"{path}.{name.group(1)}" if path else name.group(1)
    return Invalid(f"{bare}.", path, code="missing_required_field" if missing else "invalid_parameter")


def schema_of(kind: type[Parameters]) -> dict[str, Any]:
    """Make the JSON Schema of a tool's parameters: one closed object without references."""
    (whole,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    schema: dict[str, Any] = _inlined(whole, parts)
    del schema["description"]
    return schema


def _inlined(node: Any, parts: Mapping[str, Any]) -> Any:
    """Put every part in the place of its reference, and leave out the names of our classes."""
    if isinstance(node, list):
        return [_inlined(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(parts[node["$ref"]], parts)
    return {key: _inlined(item, parts) for key, item in node.items() if not (key == "title" and isinstance(item, str))}
