"""The functions that a model calls: put together from what is streamed, handed over once, and answered once."""

from collections.abc import Iterable

import msgspec

from phone_bridge.call.events import Action, Event, SessionTrouble, ToolCalled
from phone_bridge.errors import LocalError
from phone_bridge.sessions.realtime.messages import ArgumentsDelta, ArgumentsDone, Item

FUNCTION_CALL = "function_call"
MAX_ARGUMENTS_CHARS = 100_000
"""Longest arguments of one call; a model writes a few hundred."""

_read_arguments = msgspec.json.Decoder(dict[str, object])


def _failure(code: str, message: str) -> str:
    return msgspec.json.encode({"ok": False, "error": {"code": code, "message": message}}).decode()


NO_SUCH_TOOL = _failure("unknown_tool", "There is no tool of that name.")
BAD_ARGUMENTS = _failure("invalid_arguments", "The arguments are no JSON object.")


class Calls:
    """The function calls of one session; ``offered`` are the names that it may use."""

    def __init__(self, offered: Iterable[str]) -> None:
        self._offered = frozenset(offered)
        self._parts: dict[str, str] = {}  # arguments by their item, while they come
        self._taken: set[str] = set()
        self._open: set[str] = set()
        self.answered: list[tuple[str, str]] = []
        """Ids and results that are to be sent, and were not yet."""

    @property
    def waiting(self) -> bool:
        """Tell whether any call waits for its result."""
        return bool(self._open)

    def part(self, message: ArgumentsDelta | ArgumentsDone) -> None:
        """Put arguments together as they come."""
        if isinstance(message, ArgumentsDone):
            self._parts[message.item_id] = message.arguments[:MAX_ARGUMENTS_CHARS]
        elif len(self._parts.get(message.item_id, "")) < MAX_ARGUMENTS_CHARS:
            self._parts[message.item_id] = self._parts.get(message.item_id, "") + message.delta

    def whole(self, item: Item) -> list[Event]:
        """Take an item that is done; what is no function call, was broken off, or was taken before means nothing."""
        streamed = self._parts.pop(item.id or "", "")
        call_id = item.call_id or item.id or ""
        if (
            item.type != FUNCTION_CALL
            or item.status not in ("completed", None)
            or not call_id
            or call_id in self._taken
        ):
            return []
        self._taken.add(call_id)
        name = item.name or ""
        if name not in self._offered:
            self.answered.append((call_id, NO_SUCH_TOOL))
            return [SessionTrouble("unknown_tool")]
        try:
            parameters = _read_arguments.decode(item.arguments or streamed or "{}")
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self.answered.append((call_id, BAD_ARGUMENTS))
            return [SessionTrouble("invalid_arguments")]
        self._open.add(call_id)
        return [ToolCalled(call_id, Action(name, parameters))]

    def answer(self, call_id: str, output: str) -> None:
        """Take the result of a call; raises LocalError for a second one, or for a call that nobody made."""
        if call_id not in self._open:
            raise LocalError(f"a result was given to the function call {call_id}, which does not wait for one")
        self._open.discard(call_id)
        self.answered.append((call_id, output))
