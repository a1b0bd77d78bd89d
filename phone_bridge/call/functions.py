"""The functions that a session's model has called: which are asked for, which run, and which it still waits for.

Each is run once at the most, and its result is given once, to the session that called it. One that runs when its
session is lost runs on: what came of it is known here, and the next session is told.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from phone_bridge.call import commands as c
from phone_bridge.call.events import Action
from phone_bridge.call.permit import Permit


def _told(code: str, message: str) -> str:
    return msgspec.json.encode({"ok": False, "error": {"code": code, "message": message}}).decode()


DECLINED = _told("declined", "The caller was asked and declined, by a key. Nothing was done, and must not be.")
ANSWERED_OTHERWISE = _told(
    "declined",
    "The caller was asked and did not agree. Nothing was done. The caller's own last words, which you have heard, "
    "say what is wanted instead, if anything is.",
)
EXPIRED = _told("expired", "The caller was asked and gave no answer in time. Nothing was done, and must not be.")
UNPROVEN = _told(
    "not_proven",
    "This needs a proof of who is calling. The line itself asked for it (a PIN, or a code by text message) and did not "
    "get the right one. Nothing was done or looked up, and must not be. Never ask for a PIN or a code yourself, and "
    "take none.",
)
ASKED_ALREADY = _told(
    "asked_already", "Exactly this is under way already. Wait for what comes of it; do not repeat it."
)
"""What a model is told of a function that did not run."""


class _Call(msgspec.Struct):
    session_id: str  # the session's name for it
    action: Action
    live: bool = True  # the session that waits for it is there
    preparing: bool = False
    running: bool = False
    began: int = 0


class Functions:
    """Keep the functions of one call under ids of its own; duties go to ``out``."""

    def __init__(self, out: list[c.Command], used: Iterable[str] = ()) -> None:
        self._out = out
        self._calls: dict[str, _Call] = {}
        self._seen: set[str] = set()  # the session's own names, of the present one
        self._used = set(used)  # ids of this call
        self.owed = False
        """Whether the session has called a function and not begun a reply since it has the results of all."""

    @property
    def working(self) -> bool:
        """Tell whether anything runs or is being prepared, so that the session waits for us."""
        return bool(self._calls)

    @property
    def running(self) -> frozenset[str]:
        """Name those that run."""
        return frozenset(name for name, call in self._calls.items() if call.running)

    def take(self, session_id: str, action: Action) -> str:
        """Take in what a session called; "" where it was taken before, and where exactly this is under way."""
        if session_id in self._seen:
            return ""
        self._seen.add(session_id)
        self.owed = True
        if any(call.live and _same(call.action, action) for call in self._calls.values()):
            self._out.append(c.GiveResult(session_id, ASKED_ALREADY))
            return ""
        own = session_id
        while own in self._used:  # by an earlier session, which named its calls in its own way
            own += "'"
        self._used.add(own)
        self._calls[own] = _Call(session_id, action)
        return own

    def prepare(self, id: str) -> None:
        """Have it found out what the function would do exactly."""
        self._calls[id].preparing = True
        self._out.append(c.PrepareTool(id, self._calls[id].action))

    def prepared(self, id: str) -> bool:
        """Know that a function is made ready; False where no session waits for that, or it was known before."""
        call = self._calls.get(id)
        if call is None or not (call.live and call.preparing) or call.running:
            return False
        call.preparing = False
        return True

    def run(self, id: str, action: Action, now: int, permit: Permit | None = None) -> None:
        """Run the function as ``action``."""
        self._calls[id].running, self._calls[id].began = True, now
        self._out.append(c.RunTool(id, action, permit))

    def ran_ms(self, id: str, now: int) -> int:
        """Tell how long a function has run."""
        return now - self._calls[id].began

    def give(self, id: str, result: str) -> None:
        """Give the function's result to the session that called it, if that is there."""
        call = self._calls.pop(id, None)
        if call is not None and call.live:
            self._out.append(c.GiveResult(call.session_id, result))

    def refuse(self, id: str, verdict: c.Verdict, by: c.AnsweredBy) -> None:
        """Tell the session that the caller did not consent."""
        if verdict is c.Verdict.EXPIRED:
            self.give(id, EXPIRED)
        else:
            self.give(id, ANSWERED_OTHERWISE if by is c.AnsweredBy.SPEECH else DECLINED)

    def reply_started(self) -> None:
        """Note that the session replies, which it owes no longer unless it waits for a result."""
        self.owed = any(call.live for call in self._calls.values())

    def lose(self) -> None:
        """Know that the session is gone, or waits for nothing any more; what runs goes on."""
        self._seen.clear()
        self.owed = False
        self._calls = {name: call for name, call in self._calls.items() if call.running}
        for call in self._calls.values():
            call.live = False


def _same(one: Action, other: Action) -> bool:
    return (one.name, one.parameters) == (other.name, other.parameters)


def readable(result: str) -> Any:
    """Read a result that is a JSON object or list, for the record; any other stays the text that it is."""
    if not result.startswith(("{", "[")):
        return result
    try:
        return msgspec.json.decode(result)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return result
