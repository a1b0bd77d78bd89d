"""The responses of one session: which runs, what of it the caller was sent, and what of it was heard.

To the call a reply is one thing, to the server each of its messages is an item of its own. So what was heard of a
reply is told item by item: the one in which the caller spoke is cut there, and all later ones to nothing.
"""

from collections.abc import Iterator

import msgspec

from phone_bridge.audio.format import Format

KEPT_REPLIES = 32
"""How many replies are remembered after their end, for they may be playing still."""

_OURS = "?"  # how names begin that are given or changed here
_HOUSE_MARKS = ("#", "~", _OURS)  # how names of the house begin, such as those of the bridge's own prompts


class Cut(msgspec.Struct, frozen=True, gc=False):
    """What was heard of one item of the server's."""

    item_id: str
    content_index: int
    heard_ms: int


class _Item(msgspec.Struct):
    id: str
    content_index: int
    size: int = 0  # bytes of the leg's format that were passed on
    told_ms: int | None = None  # what the server was told of it


class _Reply(msgspec.Struct):
    items: list[_Item] = []
    heard_ms: int | None = None  # of the whole, where it was cut
    running: bool = True
    cancelled: bool = False
    worded: str = ""  # the item whose words came last


class Replies:
    """Keep the replies of one session; sound is counted in ``leg``'s format."""

    def __init__(self, leg: Format) -> None:
        self._leg = leg
        self._all: dict[str, _Reply] = {}
        self._nameless = 0
        self.active = ""
        """The reply that runs, "" while none does."""

    def name(self, given: str | None) -> str:
        """Take the server's name of a response; what has none belongs to the one that runs, or is numbered here.

        A name that could pass for one of the house is marked.
        """
        if given:
            return _OURS + given if given.startswith(_HOUSE_MARKS) else given
        if not self.active:
            self._nameless += 1
        return self.active or f"{_OURS}{_OURS}{self._nameless}"

    @staticmethod
    def own_name(name: str) -> str:
        """Give the server's own name back; "" where it has given none."""
        return "" if name.startswith(_OURS * 2) else name.removeprefix(_OURS)

    def begin(self, name: str) -> bool:
        """Begin the reply ``name``; False when it has begun already."""
        if name in self._all:
            return False
        self._all[name] = _Reply()
        self.active = name
        while len(self._all) > KEPT_REPLIES:
            del self._all[next(iter(self._all))]
        return True

    def is_over(self, name: str) -> bool:
        """Tell whether ``name`` has begun and ended."""
        reply = self._all.get(name)
        return reply is not None and not reply.running

    def sound(self, name: str, item_id: str, content_index: int, size: int) -> None:
        """Count ``size`` bytes that are passed on of an item of the reply."""
        items = self._all[name].items
        if not items or items[-1].id != item_id:
            items.append(_Item(item_id, content_index))
        items[-1].size += size

    def words(self, name: str, item_id: str) -> bool:
        """Note words of an item of the reply; True where they begin after another item's."""
        reply = self._all[name]
        another, reply.worded = reply.worded not in ("", item_id), item_id
        return another

    def end(self, name: str) -> bool:
        """End the reply; False when it has ended before, or never began."""
        reply = self._all.get(name)
        if self.active == name:
            self.active = ""
        if reply is None or not reply.running:
            return False
        reply.running = False
        return True

    def cancel(self, name: str) -> bool:
        """Note that ``name`` is cancelled, by us or by the server; False where there is nothing left to cancel."""
        reply = self._all.get(name)
        if reply is None or not reply.running or reply.cancelled:
            return False
        reply.cancelled = True
        return True

    def hear(self, name: str, heard_ms: int) -> None:
        """Note that the caller hears no more than ``heard_ms`` of the reply."""
        reply = self._all.get(name)
        if reply is not None:
            reply.heard_ms = heard_ms if reply.heard_ms is None else min(reply.heard_ms, heard_ms)

    def cuts(self, name: str) -> Iterator[Cut]:
        """Say what the server has to be told of the reply's items; nothing while it still makes them."""
        reply = self._all.get(name)
        if reply is None or reply.heard_ms is None or (reply.running and not reply.cancelled):
            return
        left = self._leg.size(reply.heard_ms)
        for item in reply.items:
            heard = max(0, min(left, item.size))
            left -= item.size
            heard_ms = self._leg.ms(heard)
            if heard < item.size and (item.told_ms is None or heard_ms < item.told_ms):
                item.told_ms = heard_ms
                yield Cut(item.id, item.content_index, heard_ms)
