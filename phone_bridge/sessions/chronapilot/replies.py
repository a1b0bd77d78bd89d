"""Which reply a message belongs to, also where the server gives replies no names."""

from collections import deque

from phone_bridge.call.events import Event, ReplyEnded, ReplyStarted

ENDED_REPLIES = 16
"""How many ended replies are remembered, to drop what comes late for them."""

_HOUSE_MARKS = ("#", "~")  # how names begin that the house gives: replies here, the bridge's own prompts in the call


class Replies:
    """The replies of one session: named by the server, or numbered here.

    The documents know ``audio.delta`` and ``response.done`` alone, without names, and do not say whether a cancelled
    response is ever done. So a nameless delta belongs to the newest open reply, and begins a new one after
    ``response.done``, but also after the caller's next turn: otherwise a server that never says "done" after a cancel
    would be muted for good.
    """

    def __init__(self) -> None:
        self._open: list[str] = []
        self._numbered: set[str] = set()  # those of the open ones that were named here
        self._cancelled: set[str] = set()  # those of the open ones that we cancelled
        self._ended: deque[str] = deque(maxlen=ENDED_REPLIES)
        self._count = 0
        self._next_is_new = False
        self.newest = ""
        """The reply that began last, while it is open and has a name of the server's."""

    @staticmethod
    def name(given: object) -> str:
        """Take a name that the server gave; "" for none, and for one that could pass for a name of the house."""
        return given if isinstance(given, str) and not given.startswith(_HOUSE_MARKS) else ""

    def turn(self) -> None:
        """Note that the caller took a turn, so that what comes nameless from now on is a new reply."""
        self._next_is_new = True

    def cancel(self, item: str) -> bool:
        """Note that we cancel ``item``; False when there is nothing left to cancel, or it is cancelled already."""
        if item not in self._open or item in self._cancelled:
            return False
        self._cancelled.add(item)
        return True

    def begin(self, name: str) -> list[Event]:
        """Begin the reply ``name``, or a numbered one; a numbered one that is still open ends with it."""
        if name in self._open or name in self._ended:
            return []
        events: list[Event] = []
        for item in [item for item in self._open if item in self._numbered]:
            events += self._end(item, "cancelled" if item in self._cancelled else "completed")
        if not name:
            self._count += 1
            name = f"#{self._count}"
            self._numbered.add(name)
            self.newest = ""
        else:
            self.newest = name
        self._open.append(name)
        self._next_is_new = False
        events.append(ReplyStarted(name))
        return events

    def part(self, name: str) -> tuple[str, list[Event]]:
        """Find the reply that a delta belongs to, and what its coming means; an empty one when it comes too late."""
        if name in self._open:
            return name, []
        if name in self._ended:
            return "", []
        if not name and self._open and not (self._next_is_new and self._may_be_over(self._open[-1])):
            return self._open[-1], []
        events = self.begin(name)
        return self._open[-1], events

    def _may_be_over(self, item: str) -> bool:
        return item in self._numbered or item in self._cancelled

    def end(self, name: str, status: str) -> list[Event]:
        """End the reply ``name``; where that is no open reply's name, the newest that has none of the server's."""
        if name in self._open:
            return self._end(name, status)
        if name in self._ended:
            return []
        nameless = [item for item in self._open if not name or item in self._numbered]
        return self._end(nameless[-1], status) if nameless else []

    def _end(self, item: str, status: str) -> list[Event]:
        self._open.remove(item)
        if item == self.newest:
            self.newest = ""
        self._numbered.discard(item)
        self._cancelled.discard(item)
        self._ended.append(item)
        return [ReplyEnded(item, status)]
