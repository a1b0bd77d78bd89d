"""Those who have come in and have not said yet what they want: a bounded number, of whom the oldest goes first."""

from collections.abc import Callable, Hashable


class Waiting:
    """Who waits, oldest first; one more than ``limit`` has the oldest dropped.

    Whoever has something to say says it at once, so in a flood of silent ones it is they who make room.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._drops: dict[Hashable, Callable[[], None]] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._drops)

    def enter(self, who: Hashable, drop: Callable[[], None]) -> None:
        """Let ``who`` wait; ``drop`` is called if it has to go."""
        self._drops[who] = drop
        while len(self._drops) > self._limit:
            oldest = next(iter(self._drops))
            self.dropped += 1
            self._drops.pop(oldest)()

    def leave(self, who: Hashable) -> None:
        """Know that ``who`` does not wait any more; harmless for one that did not."""
        self._drops.pop(who, None)
