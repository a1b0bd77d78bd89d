"""The items of one conversation as its server keeps them: in order, found by their ids, cut to what was heard."""

from collections.abc import Callable

import msgspec

from phone_bridge.sessions.realtime.messages import Content, InvalidMessage, Item
from phone_bridge.sessions.realtime.names import INVALID_VALUE, ITEM_NOT_FOUND

MAX_ITEMS = 2_000
"""Most items of a conversation; the oldest one goes for a new one."""

MAX_ID_CHARS = 64
"""Longest id that a client may give an item."""

ROOT = "root"
"""The previous item of a first one."""


class _Entry(msgspec.Struct):
    item: Item
    ms: int = 0  # of an assistant's speech


class Items:
    """The items by their ids; ``new_id`` makes the id of one that has none."""

    def __init__(self, new_id: Callable[[str], str]) -> None:
        self._new_id = new_id
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, item: Item, previous: str | None = None) -> tuple[Item, str | None]:
        """Add an item behind ``previous`` (``root``: as the first; None: as the last).

        Gives it as it is kept, and the id of the one before it. Raises InvalidMessage.
        """
        kept = msgspec.structs.replace(item, id=item.id or self._new_id("item"), object="realtime.item")
        name = kept.id or ""
        if len(name) > MAX_ID_CHARS:
            raise _invalid(f"an item's id has {MAX_ID_CHARS} characters at most", "item.id")
        if name in self._entries:
            raise _invalid(f"the conversation has an item {name} already", "item.id")
        order = list(self._entries)
        if previous is None:
            at = len(order)
        elif previous == ROOT:
            at = 0
        else:
            self._find(previous, "previous_item_id")
            at = order.index(previous) + 1
        self._insert(kept, at, order)
        return kept, order[at - 1] if at else None

    def _insert(self, item: Item, at: int, order: list[str]) -> None:
        entry = _Entry(item)
        if at == len(order):
            self._entries[item.id or ""] = entry
        else:
            entries = list(self._entries.items())
            self._entries = dict([*entries[:at], (item.id or "", entry), *entries[at:]])
        while len(self._entries) > MAX_ITEMS:
            del self._entries[next(iter(self._entries))]

    def find(self, name: str) -> Item:
        """Find an item; raises InvalidMessage."""
        return self._find(name, "item_id").item

    def last(self) -> str | None:
        """Give the id of the last item."""
        return next(reversed(self._entries), None)

    def before(self, name: str) -> str | None:
        """Give the id of the item before ``name``; None for the first, and for one that is not here."""
        previous = None
        for each in self._entries:
            if each == name:
                return previous
            previous = each
        return None

    def update(self, item: Item, ms: int = 0) -> None:
        """Put what an item has become in its place, unless it was deleted meanwhile; ``ms`` is its speech."""
        entry = self._entries.get(item.id or "")
        if entry is not None:
            entry.item, entry.ms = item, ms or entry.ms

    def transcribe(self, name: str, text: str) -> None:
        """Write what a turn's speech says into its item, unless that was deleted meanwhile."""
        entry = self._entries.get(name)
        if entry is not None:
            content = tuple(
                msgspec.structs.replace(part, transcript=text) if part.type == "input_audio" else part
                for part in entry.item.content or ()
            )
            entry.item = msgspec.structs.replace(entry.item, content=content)

    def delete(self, name: str) -> Item:
        """Take an item out; raises InvalidMessage."""
        item = self.find(name)
        del self._entries[name]
        return item

    def truncate(self, name: str, content_index: int, audio_end_ms: int) -> None:
        """Keep the first ``audio_end_ms`` of an assistant's speech, and none of its words; raises InvalidMessage."""
        entry = self._find(name, "item_id")
        item = entry.item
        if item.type != "message" or item.role != "assistant":
            raise _invalid("only an assistant's message can be truncated", "item_id")
        if content_index != 0:
            raise _invalid("an assistant's message has one part, of content_index 0", "content_index")
        if not 0 <= audio_end_ms <= entry.ms:
            raise _invalid(f"audio content of {entry.ms}ms is already shorter than {audio_end_ms}ms", "audio_end_ms")
        entry.ms = audio_end_ms
        entry.item = msgspec.structs.replace(
            item, content=tuple(msgspec.structs.replace(part, transcript="") for part in item.content or ())
        )

    def knows_call(self, call_id: str) -> bool:
        """Tell whether a function call of that id is here."""
        return any(e.item.type == "function_call" and e.item.call_id == call_id for e in self._entries.values())

    def last_words_of(self, role: str) -> str:
        """Give the words of the last message of ``role``; "" without one."""
        said = (entry.item for entry in reversed(self._entries.values()) if entry.item.role == role)
        return next((words(item) for item in said), "")

    def _find(self, name: str, param: str) -> _Entry:
        try:
            return self._entries[name]
        except KeyError:
            message = f"The conversation has no item {name[:MAX_ID_CHARS]}."
            raise InvalidMessage(message, code=ITEM_NOT_FOUND, param=param) from None


def words(item: Item) -> str:
    """Give the words of an item, as far as they are known."""
    return " ".join(filter(None, map(_words_of, item.content or ())))


def _words_of(part: Content) -> str:
    return (part.text or part.transcript or "").strip()


def _invalid(message: str, param: str) -> InvalidMessage:
    return InvalidMessage(f"{message[0].upper()}{message[1:]}.", code=INVALID_VALUE, param=param)
