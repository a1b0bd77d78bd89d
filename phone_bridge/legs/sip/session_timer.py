"""Session timers (RFC 4028): a call whose other side has vanished without a word ends by itself."""

from msgspec import Struct

from phone_bridge.legs.sip.message import Request, Response

MIN_SE_S = 90
"""The shortest interval that is agreed to (RFC 4028, 5)."""
MAX_SE_S = 86_400
"""The longest; a peer that wants it longer gets this."""
TIMER = "timer"
INTERVAL_TOO_SMALL = 422
EXPIRY_MARGIN_S = 32
"""How long before its end a session that was not refreshed is hung up on, at most (RFC 4028, 10)."""


class Wanted(Struct, frozen=True):
    """An interval, and who keeps the session up: ``uac``, ``uas``, or nobody yet."""

    interval_s: int
    refresher: str = ""


def wanted(message: Request | Response) -> Wanted | None:
    """Read what a message says of the session's time; None for nothing, or nothing that can be read."""
    text = message.headers.get("Session-Expires") or message.headers.get("x") or ""
    interval, _, parameters = text.partition(";")
    interval = interval.strip()
    if not (interval.isascii() and interval.isdigit() and len(interval) <= len(str(MAX_SE_S)) + 1):
        return None
    named = {part.strip().lower() for part in parameters.split(";")}
    refresher = next((name for name in ("uac", "uas") if f"refresher={name}" in named), "")
    return Wanted(min(int(interval), MAX_SE_S), refresher)


class SessionTimer:
    """The time of one session; ``ours`` where we keep it up, ``interval_s`` as agreed."""

    def __init__(self, interval_s: int, *, ours: bool, now: int) -> None:
        self.interval_s = interval_s
        self.ours = ours
        self._refreshed_at = now

    def refreshed(self, now: int) -> None:
        """Know that the session was refreshed."""
        self._refreshed_at = now

    def deadline(self) -> int:
        """Say when it has to be refreshed by us, or else is over: in half the time, or shortly before all of it."""
        if self.ours:
            return self._refreshed_at + self.interval_s * 500
        return self._refreshed_at + (self.interval_s - min(EXPIRY_MARGIN_S, self.interval_s // 3)) * 1000


def answer(request: Request, *, may_update: bool) -> Wanted | None:
    """Decide about the time of a session that a request asks for; None where there will be none.

    Whoever asks keeps it up, unless it wants us to, and can be told by UPDATE.
    """
    asked = wanted(request)
    if asked is None or TIMER not in request.options("Supported"):
        return None
    if asked.refresher == "uas":
        return asked if may_update else None
    return Wanted(asked.interval_s, "uac")


def too_small(request: Request) -> bool:
    """Tell whether a request asks for less than ``MIN_SE_S``."""
    asked = wanted(request)
    return asked is not None and asked.interval_s < MIN_SE_S
