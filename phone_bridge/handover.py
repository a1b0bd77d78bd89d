"""The way back: a caller whom somebody else's IVR hands over goes back to it, with a result that we sign.

Nothing here knows a carrier. A way back leads to an address that the operator allowed; it is never fetched, only told.
"""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from phone_bridge.errors import RemoteError, SettingsError

MAX_RETURN_URLS = 50
MAX_URL_CHARS = 512
"""Longer addresses of a way back are refused."""
MAX_REF_CHARS = 128
"""Longer references of the IVR's own are refused."""
MAX_ACTIONS = 10
"""Of more actions the last are told."""
MIN_KEY_BYTES = 32
"""The shortest key that a result is signed with."""
MAX_WORD_CHARS = 64
PREFIX = "pb_"
"""What the names of a result's parameters begin with, so that they meet none of the IVR's or the carrier's own."""
SIGNATURE = "pb_signature"

_PRINTABLE_URL = re.compile(r"[!-~]+")
_UNSAFE_PATH = re.compile(r"\\|%2e|%2f|%5c|/\.{1,2}(?:/|$)", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class WayBack(msgspec.Struct, frozen=True, kw_only=True):
    """Where a caller goes when the assistant is done, what the IVR wishes to find again, and the key of the result."""

    url: str
    key: str
    ref: str = ""
    route: str = ""
    """The route that allows it."""

    def __repr__(self) -> str:
        return f"WayBack(url={self.url!r})"  # not its key


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call: ``ended`` is why, ``actions`` each name with its verdict and its outcome, in order.

    ``call`` is our id of it, empty where there was no call; ``digits`` are the keys of the last answer that was given
    by any.
    """

    call_sid: str
    ended: str
    call: str = ""
    error: str = ""
    actions: Sequence[tuple[str, str, str]] = ()
    digits: str = ""


def address(back: WayBack, result: Result, now_epoch_s: int) -> str:
    """Write the address that a caller goes back to, with the result in its query, signed at ``now_epoch_s``.

    What is signed are the parameters ``pb_…`` but the signature, sorted by their names, each as ``name=value`` on a
    line of its own: HMAC with SHA-256, in hexadecimal digits.
    """
    pairs = {
        "pb_actions": ",".join(":".join(map(_word, action)) for action in result.actions[-MAX_ACTIONS:]),
        "pb_at": str(now_epoch_s),
        "pb_call": result.call,
        "pb_call_sid": result.call_sid,
        "pb_digits": result.digits,
        "pb_ended": result.ended,
        "pb_error": result.error,
        "pb_ref": back.ref,
    }
    told = {name: " ".join(value.split()) for name, value in pairs.items() if value}
    told[SIGNATURE] = sign(back.key, told)
    parts = urlsplit(back.url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(told))))))


def sign(key: str, told: dict[str, str]) -> str:
    """Sign the parameters ``told``."""
    text = "\n".join(f"{name}={told[name]}" for name in sorted(told))
    return hmac.new(key.encode(), text.encode(), sha256).hexdigest()


def way_back(urls: Sequence[str], key: str, url: str, ref: str = "") -> WayBack:
    """Give the way back to ``url``, if one of ``urls`` allows it.

    Raises RemoteError: ``return_url_not_allowed``, ``ref_malformed``.
    """
    if not any(_fits(each, url) for each in urls):
        raise RemoteError(
            f"The call was handed over with a return_url that its route does not allow ({_shown(url)}): "
            "write it into the route's return_urls.",
            code="return_url_not_allowed",
        )
    if len(ref) > MAX_REF_CHARS or not ref.isprintable():
        raise RemoteError(
            f"The call was handed over with a ref of more than {MAX_REF_CHARS} characters, or that cannot be read.",
            code="ref_malformed",
        )
    return WayBack(url=url, key=key, ref=ref)


def check(urls: Sequence[str], key: str, place: str) -> None:
    """Check what an operator allows; ``place`` says where it stands. Raises SettingsError with the mend."""
    if bool(urls) != bool(key):
        raise SettingsError(
            f"{place} needs both return_urls and their key (return_key_env or return_key_file), or neither"
        )
    if key and len(key.encode()) < MIN_KEY_BYTES:
        raise SettingsError(
            f"{place} has a return key of {len(key.encode())} bytes, {MIN_KEY_BYTES} at least are needed: "
            "make one with: openssl rand -hex 32"
        )
    if len(urls) > MAX_RETURN_URLS:
        raise SettingsError(f"{place} has {len(urls)} return_urls, {MAX_RETURN_URLS} at most may be allowed")
    for url in urls:
        if not _may_be_returned_to(url):
            raise SettingsError(
                f"{place} has {url!r} in return_urls: write it as https://host/path, without a user or a fragment, "
                f"in at most {MAX_URL_CHARS} characters (http is for this machine alone)"
            )


def _fits(allowed: str, url: str) -> bool:
    """Tell whether ``url`` is ``allowed``, which may say no query: then any will do."""
    if not _may_be_returned_to(url):
        return False
    ours, theirs = urlsplit(allowed), urlsplit(url)
    same = (ours.scheme, ours.netloc.lower(), ours.path) == (theirs.scheme, theirs.netloc.lower(), theirs.path)
    return same and (not ours.query or ours.query == theirs.query)


def _may_be_returned_to(url: str) -> bool:
    if not _PRINTABLE_URL.fullmatch(url) or len(url) > MAX_URL_CHARS or "#" in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    except ValueError:
        return False
    if not host or "@" in parts.netloc or _UNSAFE_PATH.search(parts.path):
        return False
    if any(name.startswith(PREFIX) for name in names):  # a result of their own making beside ours
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def _word(text: str) -> str:
    """Give a word in which nothing can be mistaken for what stands between words."""
    return re.sub(r"[^\w.-]", "_", text)[:MAX_WORD_CHARS]


def _shown(url: str) -> str:
    """Give as much of an address as may stand in a log."""
    return repr(url.partition("?")[0][:MAX_URL_CHARS])
