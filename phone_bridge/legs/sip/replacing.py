"""One dialog in the place of another (RFC 3891): how the other one is named, in a field or in an address."""

import re
from urllib.parse import quote

from msgspec import Struct

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import MAX_FIELD_CHARS, Request

REPLACES = "replaces"
"""The option tag."""

_CALL_ID = re.compile(r"(?:(?![;,<>\"])[!-~]){1,255}")
_TAG = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,255}")
_EARLY_ONLY = "early-only"


class Replaces(Struct, frozen=True, kw_only=True):
    """A dialog as whoever reads this knows it: ``to_tag`` is the reader's own tag."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False
    """Whether it is meant only as long as nobody has answered."""

    def written(self) -> str:
        """Write the field's value."""
        early = f";{_EARLY_ONLY}" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{early}"

    def escaped(self) -> str:
        """Write it as an address holds it (RFC 3261, 19.1.1)."""
        return quote(self.written(), safe="")


def read_replaces(text: str) -> Replaces:
    """Read a field's value; raises RemoteError ``malformed_sip``."""
    if len(text) > MAX_FIELD_CHARS:
        raise _malformed(f"is longer than {MAX_FIELD_CHARS} characters")
    call_id, *parameters = (part.strip() for part in text.split(";"))
    given: dict[str, str] = {}
    for parameter in parameters:
        name, _, value = (part.strip() for part in parameter.partition("="))
        if name.lower() in given:
            raise _malformed(f"has {name[:20]!r} twice")
        given[name.lower()] = value
    to_tag, from_tag = given.get("to-tag", ""), given.get("from-tag", "")
    if not (_CALL_ID.fullmatch(call_id) and _TAG.fullmatch(to_tag) and _TAG.fullmatch(from_tag)):
        raise _malformed("names no dialog by a Call-ID and both tags")
    return Replaces(call_id=call_id, to_tag=to_tag, from_tag=from_tag, early_only=_EARLY_ONLY in given)


def replaced(request: Request) -> Replaces | None:
    """Read whose place an INVITE is to take; None for nobody's. Raises RemoteError ``malformed_sip``."""
    found = request.headers.getlist("Replaces")
    if len(found) > 1:
        raise _malformed(f"stands there {len(found)} times")
    return read_replaces(found[0]) if found else None


def _malformed(what: str) -> RemoteError:
    return RemoteError(f"The peer sent a Replaces that {what}.", code="malformed_sip")
