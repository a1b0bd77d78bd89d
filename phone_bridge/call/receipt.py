"""A receipt: what one caller was asked, heard and answered, as a value that anybody can check without us.

Every confirmed action leaves one; a declined, expired or unanswered question leaves none. It is issued when the answer
was given and once more, with the next ``revision``, when the outcome is known; between revisions nothing else changes.

What is signed, and what is hashed, is *canonical JSON* after RFC 8785: UTF-8, no spaces, the names of every object in
order, strings with the shortest escapes. Two things are simpler than the RFC: names are in the order of their code
points, and numbers stand as msgspec writes them (``1.0`` stays ``1.0``). A receipt's own numbers are all whole, so that
only the parameters of an action can hold one that another writer would spell differently.

The caller's number is personal and stands in no receipt. Its last two digits tell people which of a few callers it was;
a SHA-256 over the call's id and the number lets whoever knows a number check it, and keeps the receipts of one caller
from being joined by it. It is no secret: there are few enough numbers to try them all, so a receipt is to be handled
with the care that the call's record needs.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from phone_bridge.errors import RemoteError

VERSION = 2
FIRST_VERSION = 1
"""Of receipts that say nothing of how far it was known who the caller was."""
ID_PREFIX = "rcp_"
UNKNOWN = "unknown"
"""The outcome while the session has not told one."""

SHOWN_DIGITS = 2  # of the caller's number
ID_DIGITS = 24  # hexadecimal digits of a receipt's id: 96 bits

Whole = Annotated[int, msgspec.Meta(ge=0)]
By = Literal["digit", "speech", "none"]


class Caller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who was on the line, without saying the number; both are empty where none was known."""

    sha256: str
    last_digits: str

    @classmethod
    def of(cls, number: str | None, call_id: str) -> "Caller":
        """Hide ``number``: the SHA-256 of ``<call id>:<number>``, and its last two digits."""
        if not number:
            return cls(sha256="", last_digits="")
        tail = number[-SHOWN_DIGITS:]
        shown = tail if tail.isascii() and tail.isdecimal() else ""
        return cls(sha256=_sha256(f"{call_id}:{number}".encode()), last_digits=shown)


class OfCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which call, by our id and the carrier's."""

    id: str
    carrier_id: str


class Deed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The exact action: ``sha256`` is over the canonical JSON of its name and parameters."""

    id: str
    name: str
    parameters: dict[str, Any]
    sha256: str


class Asking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words that named the action, how long they sound, how much of them was heard, and when they began."""

    text: str
    ms: Whole
    heard_ms: Whole
    asked_at: str | None


class Reply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer: ``said`` is the key or the caller's words; ``by`` is none when nobody was asked."""

    by: By
    said: str
    answered_at: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of it: the session's word, and the SHA-256 of its result's canonical JSON where it gave one."""

    status: str
    result_sha256: str

    @classmethod
    def of(cls, outcome: str, result: Any) -> "Outcome":
        """Take the session's word, "" while there is none."""
        if outcome in ("", UNKNOWN):
            return cls(status=UNKNOWN, result_sha256="")
        return cls(status=outcome, result_sha256="" if result is None else _sha256(canonical(result)))


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One consent; times are ISO 8601 in UTC, ``signature`` is the base64url of Ed25519 over ``signed_bytes``.

    ``trust`` is how far it was known who the caller was when they answered: ``unknown``, ``known`` by their number,
    ``attested`` by its carrier, too, by a ``code`` that was sent to the user, by their ``pin``, or by both
    (``pin+code``). ``key_id`` and ``signature`` are empty while it is unsigned.
    Nothing has a default: a field that was taken out of a signed receipt must not come back by itself. ``trust``, which
    the first version had not, stays out where it is not there.
    """

    version: Whole
    id: str
    revision: Annotated[int, msgspec.Meta(ge=1)]
    key_id: str
    issued_at: str
    user_id: str
    caller: Caller
    trust: str | msgspec.UnsetType = msgspec.UNSET
    call: OfCall
    action: Deed
    question: Asking
    answer: Reply
    outcome: Outcome
    signature: str

    @classmethod
    def parse(cls, data: bytes | str) -> "Receipt":
        """Read a receipt's JSON, however it is laid out; raises RemoteError."""
        return cls.convert(read_json(data))

    @classmethod
    def convert(cls, document: Any) -> "Receipt":
        """Read a receipt that is JSON already read; raises RemoteError."""
        try:
            receipt = msgspec.convert(document, cls)
            receipt.signed_bytes()  # so that what can be read can be written, too: nothing is nested too deep for it
        except (msgspec.ValidationError, RecursionError) as error:
            raise RemoteError(f"This is no receipt: {error}.", code="receipt_malformed") from None
        return receipt

    def signed_bytes(self) -> bytes:
        """Write what the signature is over: the canonical JSON of everything but the signature."""
        content = msgspec.to_builtins(self)
        del content["signature"]
        return canonical(content)

    def settled(self, outcome: Outcome, issued_at: str) -> "Receipt | None":
        """Give the next revision, still unsigned, when ``outcome`` says more than this one; None when it does not."""
        told = outcome.status == self.outcome.status and outcome.result_sha256 in ("", self.outcome.result_sha256)
        if told or outcome.status == UNKNOWN:
            return None
        return msgspec.structs.replace(
            self, revision=self.revision + 1, outcome=outcome, issued_at=issued_at, key_id="", signature=""
        )


def canonical(value: Any) -> bytes:
    """Write ``value`` as canonical JSON."""
    return msgspec.json.encode(value, order="sorted")


def action_sha256(name: str, parameters: dict[str, Any]) -> str:
    """Name an action by its content: the SHA-256 of ``{"name":…,"parameters":…}``, in hexadecimal."""
    return _sha256(canonical({"name": name, "parameters": parameters}))


def receipt_id(call_id: str, action_id: str, at_ms: int) -> str:
    """Give the one id that the consent of that moment has, however often its receipt is made."""
    return ID_PREFIX + _sha256(canonical([call_id, action_id, at_ms]))[:ID_DIGITS]


def moment(began: str, ms: int) -> str:
    """Write the time ``ms`` after ``began`` (ISO 8601 in UTC), to the millisecond."""
    at = datetime.fromisoformat(began) + timedelta(milliseconds=ms)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Reading


def read_json(data: bytes | str) -> Any:
    """Read JSON in which no name stands twice, for readers differ in which they believe; raises RemoteError."""
    try:
        document = msgspec.json.decode(data)
        json.loads(data, object_pairs_hook=_each_once)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RemoteError(f"This cannot be read as JSON: {error}.", code="receipt_malformed") from None
    return document


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
