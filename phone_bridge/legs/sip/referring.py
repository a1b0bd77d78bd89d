"""Being told whom to call (RFC 3515): what a REFER asks, and what is told of it to whoever has sent it.

The REFER is a subscription of its own (RFC 6665): each news of the call that it has us make is a NOTIFY with the status
that the call has come to, until one that is final. A peer that wants to hear nothing says so (RFC 4488).
"""

from urllib.parse import unquote

from msgspec import Struct
from sipmessage import URI, Address

from phone_bridge.errors import RemoteError
from phone_bridge.legs.sip.message import CRLF, MAX_FIELD_CHARS, PHRASES, Fields, Request
from phone_bridge.legs.sip.replacing import Replaces, read_replaces

SUBSCRIBED_S = 120
"""How long a peer is promised that it will be told; no call of its asking rings as long."""

LEAVE_MS = 5_000
"""How long whoever has put a caller through may take to hang up before we do."""

SIPFRAG = "message/sipfrag;version=2.0"
NO_SUBSCRIPTION: Fields = (("Refer-Sub", "false"),)

MAX_HEADERS = 8
"""Fields that a Refer-To may have put into our INVITE; all but ``Replaces`` are left out."""


class Referral(Struct, frozen=True, kw_only=True):
    """Whom we are asked to call: ``uri``, in the place of whoever has the dialog that ``replaces`` names there."""

    uri: URI
    replaces: Replaces | None = None
    by: str = ""
    """Who asks, as the ``Referred-By`` says it (RFC 3892), which is nobody's proof of anything; or empty."""
    silent: bool = False
    """Whether the peer wants to be told nothing of it."""
    id: int = 0
    """The number of the REFER, by which a dialog's subscriptions are told apart."""


def read_referral(request: Request) -> Referral:
    """Read a REFER; raises RemoteError ``malformed_sip``."""
    found = [value for name in ("Refer-To", "r") for value in request.headers.getlist(name)]
    if len(found) != 1:
        raise _malformed(f"with {len(found)} fields Refer-To")
    uri, headers = _target(found[0])
    replaces = [value for name, value in headers if name.lower() == "replaces"]
    if len(replaces) > 1:
        raise _malformed("whose Refer-To replaces more than one dialog")
    return Referral(
        uri=uri,
        replaces=read_replaces(replaces[0]) if replaces else None,
        by=_by(request),
        silent=(request.headers.get("Refer-Sub") or "").partition(";")[0].strip().lower() == "false",
        id=request.sequence,
    )


def _target(text: str) -> tuple[URI, list[tuple[str, str]]]:
    """Take an address apart into what is called, and the fields that it wants in the INVITE (RFC 3261, 19.1.1)."""
    if len(text) > MAX_FIELD_CHARS:
        raise _malformed(f"whose Refer-To is longer than {MAX_FIELD_CHARS} characters")
    _, bracket, rest = text.partition("<")
    inner = rest.partition(">")[0] if bracket else text
    inner, _, headers = inner.strip().partition("?")
    pairs = [pair.partition("=") for pair in headers.split("&")] if headers else []
    if len(pairs) > MAX_HEADERS:
        raise _malformed(f"whose Refer-To has more than {MAX_HEADERS} fields")
    try:
        return URI.parse(inner), [(unquote(name), unquote(value, errors="strict")) for name, _, value in pairs]
    except (ValueError, AssertionError, TypeError):
        raise _malformed("whose Refer-To is no address") from None


def _by(request: Request) -> str:
    text = request.headers.get("Referred-By") or request.headers.get("b") or ""
    if len(text) > MAX_FIELD_CHARS:
        raise _malformed(f"whose Referred-By is longer than {MAX_FIELD_CHARS} characters")
    if not text:
        return ""
    try:
        Address.parse(text)
    except (ValueError, AssertionError, TypeError):
        raise _malformed("whose Referred-By is no address") from None
    return text


def _malformed(what: str) -> RemoteError:
    return RemoteError(f"The peer sent a REFER {what}.", code="malformed_sip")


def news(referral: Referral, code: int, contact: str) -> tuple[Fields, bytes]:
    """Write what a NOTIFY tells: the status ``code`` of the call that was asked for; a final one is the last."""
    state = f"active;expires={SUBSCRIBED_S}" if code < 200 else "terminated;reason=noresource"
    fields: Fields = (
        ("Contact", contact),
        ("Event", f"refer;id={referral.id}"),
        ("Subscription-State", state),
        ("Content-Type", SIPFRAG),
    )
    return fields, f"SIP/2.0 {code} {PHRASES.get(code, 'Answered')}{CRLF}".encode()
