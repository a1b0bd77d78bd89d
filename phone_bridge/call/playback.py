"""The ledger of playback: what was sent, what was played, what was cut, and so what the caller has heard.

Sound goes out in parcels of at most ``PARCEL_MS``, each followed by a mark that belongs to one item and one
generation. A mark proves its parcel only in its turn, and not before the parcel's length has passed: a carrier
returns marks at once when nothing is buffered, and all of them when the buffer is cleared, and neither means that
anybody heard.
"""

from collections import deque

import msgspec

from phone_bridge.audio.format import Format
from phone_bridge.call.commands import Play

PARCEL_MS = 100  # marks stand at most this far apart
TAIL_MS = 100  # an item that pauses gets a mark for what it has sent after this long
GAP_MS = 5  # a parcel in which sound was missing for longer gets its mark at once
LAG_WINDOW = 128  # marks whose lag is remembered: of 16 that come up to 150 ms late the least is still 37 ms off
CHANCE_MS = 20  # marks are late by chance, too: what a carrier seems to hold back for less is taken for that
CHANCE_MARKS = 32  # and all that it seems to hold back before so many came: the least of them is near the truth


class Cut(msgspec.Struct, frozen=True, gc=False):
    """How much of an item was heard when the buffer was cleared, and how much of that marks prove, in milliseconds."""

    item: str
    heard_ms: int
    sent_ms: int
    proven_ms: int = 0


class _Parcel(msgspec.Struct, gc=False):
    item: str
    mark: str
    size: int
    end: int  # when it can have been played at the earliest, on the byte clock
    gap: int = 0  # how long its sound was missing in between, on the byte clock
    due: int = 0  # when its mark can come back at the earliest, on the byte clock


class _Item(msgspec.Struct, gc=False):
    began: int  # when its first sound can have been played, ms
    sent: int = 0  # bytes
    proven: int = 0  # bytes whose marks came back in their turn
    doubtful: bool = False  # a mark of it came back out of its turn
    closed: bool = False  # no more sound will be added
    proven_at: int = 0  # when the last proven byte can have been heard, ms
    end: int = 0  # when its last sound can have been played at the earliest, on the byte clock


class Ledger:
    """Count one call's playback in the leg's ``format``.

    Inside, time is counted in bytes of that format (the "byte clock"), so that no rounding adds up over a long talk.
    """

    def __init__(self, format: Format) -> None:
        self._scale = format.bytes_per_ms
        self._room = format.size(PARCEL_MS)
        self._items: dict[str, _Item] = {}
        self._waiting: deque[_Parcel] = deque()  # marks that are due back, in their order
        self._line: deque[_Parcel] = deque()  # parcels that may be unplayed, in the order of their sound
        self._tail: _Parcel | None = None  # the parcel that has no mark yet
        self._tail_at = 0  # when the tail gets its mark if no more sound comes, ms
        self._generation = 0
        self._serial = 0
        self._end = 0  # when all that was sent can have been played, on the byte clock
        self._marks = 0  # that came back in their turn
        self._lags: deque[tuple[int, int]] = deque()  # the last of those, and how late: each later than all before it
        self._lag = 0  # the least of them: the way there, what the carrier holds back, and the way back, ms
        self._cleared: set[str] = set()  # the marks that were in the buffer when it was cleared last
        self._cleared_at = 0
        self._trip: int | None = None  # how long the first of those took: the way there and back, ms
        self.unheard_ms = 0
        """How much of what was sent nobody heard, when the buffer was cleared last."""

    # What goes out

    def play(self, item: str, audio: bytes, now: int) -> list[Play]:
        """Cut ``audio`` of ``item`` into parcels and give the duties that play them."""
        plays: list[Play] = []
        clock = now * self._scale
        tail = self._tail
        if tail is not None and tail.item == item and self._follows(tail, len(audio), clock, now):
            return [Play(audio)]
        if tail is not None and (tail.item != item or clock - tail.end + tail.gap > GAP_MS * self._scale):
            plays.append(Play(b"", self._close_tail(now)))
        entry = self._items.get(item)
        if entry is None:
            entry = self._items[item] = _Item(max(self._end, clock) // self._scale)
        played = clock - self._lag * self._scale
        while self._line and self._line[0].end <= played and self._line[0] is not self._tail:
            self._line.popleft()
        start, size = 0, len(audio)
        while start < size:
            tail = self._tail
            if tail is None:
                self._serial += 1
                tail = self._tail = _Parcel(item, f"{self._generation}.{self._serial}", 0, max(self._end, clock))
                self._line.append(tail)
            run = min(size - start, self._room - tail.size)
            tail.size += run
            if self._end < clock:
                tail.gap += clock - self._end if tail.size > run else 0
                self._end = clock
            tail.end = entry.end = self._end = self._end + run
            entry.sent += run
            mark = self._close_tail(now) if tail.size >= self._room else ""
            plays.append(Play(audio if run == size else audio[start : start + run], mark))
            start += run
        self._tail_at = now + TAIL_MS
        return plays

    def _follows(self, tail: _Parcel, size: int, clock: int, now: int) -> bool:
        """Put sound into the parcel that is being filled, where it follows in time and fits: the way of most frames."""
        late = clock - tail.end
        if tail.size + size >= self._room or late + tail.gap > GAP_MS * self._scale:
            return False
        if late > 0:
            tail.gap += late
            tail.end = clock
        tail.size += size
        tail.end += size
        entry = self._items[tail.item]
        entry.end = self._end = tail.end
        entry.sent += size
        self._tail_at = now + TAIL_MS
        return True

    def finish(self, item: str, now: int) -> list[Play]:
        """Say that ``item`` has no more sound; its last parcel gets its mark."""
        entry = self._items.get(item)
        if entry is None:
            return []
        entry.closed = True
        return [Play(b"", self._close_tail(now))] if self._tail is not None and self._tail.item == item else []

    def deadline(self) -> int | None:
        """Say when ``expire`` has a mark to set for a tail that has none."""
        return self._tail_at if self._tail is not None else None

    def expire(self, now: int) -> list[Play]:
        """Set the mark of a tail that has waited long enough for more sound."""
        return [Play(b"", self._close_tail(now))] if self._tail is not None and now >= self._tail_at else []

    def _close_tail(self, now: int) -> str:
        assert self._tail is not None  # noqa: S101 - an own invariant
        self._tail.due = max(self._tail.end, now * self._scale)
        self._waiting.append(self._tail)
        mark, self._tail = self._tail.mark, None
        return mark

    # What comes back

    def reached(self, mark: str, now: int) -> bool:
        """Count a mark that the carrier returned; False when it proves nothing: late, doubled or out of its turn."""
        waiting = self._waiting
        if waiting and waiting[0].mark == mark:
            parcel = waiting.popleft()
            entry = self._items[parcel.item]
            entry.proven += parcel.size
            entry.proven_at = max(now, -(-parcel.end // self._scale))
            self._late(max(0, now + parcel.due // -self._scale))
            return True
        if any(parcel.mark == mark for parcel in waiting):
            self._skip_to(mark)
        elif mark in self._cleared:
            self._cleared.clear()
            self._trip = now - self._cleared_at
        return False

    def _late(self, lag: int) -> None:
        """Keep the least lag of the last LAG_WINDOW marks, without looking at all of them each time."""
        lags = self._lags
        while lags and lags[-1][1] >= lag:
            lags.pop()
        self._marks += 1
        lags.append((self._marks, lag))
        if lags[0][0] <= self._marks - LAG_WINDOW:
            lags.popleft()
        self._lag = lags[0][1]

    def _skip_to(self, mark: str) -> None:
        """Give up the marks up to one that came ahead of its turn: neither it nor they can prove anything now."""
        while True:
            parcel = self._waiting.popleft()
            self._items[parcel.item].doubtful = True
            if parcel.mark == mark:
                return

    def flush(self, now: int) -> list[Cut]:
        """Forget what is buffered, whose marks prove nothing from here on; tell what was heard of the items cut.

        What was sent plays from the moment it arrives, and what stops it takes the same way. So the timeline of sending
        is right but for what the carrier holds back, and that is how much longer its quickest mark took than its
        answer to the last clearing. Until that is known, all of a mark's lag is taken for the way there and back.
        """
        held = self._lag - self._trip if self._trip is not None and self._marks >= CHANCE_MARKS else 0
        held = held if held > CHANCE_MS else 0
        cuts = [
            Cut(name, self._played_ms(name, now, held), entry.sent // self._scale, entry.proven // self._scale)
            for name, entry in self._items.items()
            if not self._over(entry, now)
        ]
        if cuts:
            self.unheard_ms = sum(cut.sent_ms - cut.heard_ms for cut in cuts)
        if self._waiting:
            self._cleared = {parcel.mark for parcel in self._waiting}
            self._cleared_at = now
        self._generation += 1
        self._waiting.clear()
        self._line.clear()
        self._tail = None
        self._items.clear()
        self._end = min(self._end, now * self._scale)
        return cuts

    # What is known

    @property
    def lag_ms(self) -> int:
        """How long the line is there and back, as far as the quickest of the last marks can tell."""
        return self._lag

    def heard_ms(self, item: str, now: int) -> int:
        """Estimate how much of ``item`` the caller had heard when what comes from the carrier now was on its way.

        The quickest of the last marks shows how long that is ago, counted from the sending of the sound: a slow mark
        tells of a busy socket, not of slow playing.
        """
        return self._played_ms(item, now, self._lag)

    def _played_ms(self, item: str, now: int, lag: int) -> int:
        """Estimate how much of ``item`` was played when playing trails sending by ``lag``; a mark may know better."""
        entry = self._items.get(item)
        if entry is None:
            return 0
        played = entry.sent - self._unplayed(item, now - lag)
        if entry.proven > played:
            played = max(played, min(entry.proven, entry.sent - self._unplayed(item, now)))
        return played // self._scale

    def _unplayed(self, item: str, now: int) -> int:
        """Count the bytes of ``item`` that the timeline of sending has not reached."""
        clock = now * self._scale
        unplayed = 0
        for parcel in reversed(self._line):
            if parcel.end <= clock:
                break
            if parcel.item == item:
                unplayed += min(parcel.size, parcel.end - clock)
        return unplayed

    def sent_ms(self, item: str) -> int:
        """Count how much of ``item`` was sent."""
        entry = self._items.get(item)
        return entry.sent // self._scale if entry is not None else 0

    def began(self, item: str, now: int) -> bool:
        """Tell whether the caller has begun to hear ``item``, by the carrier's own mark."""
        entry = self._items.get(item)
        return entry is not None and entry.proven > 0 and now > entry.began

    def heard_at(self, item: str) -> int | None:
        """Tell from when on ``item`` counts as heard to its end; None while a mark of it has not come in its turn."""
        entry = self._items.get(item)
        return entry.proven_at if entry is not None and not entry.doubtful and _complete(entry) else None

    def heard_to_end(self, item: str, now: int) -> bool:
        """Tell whether every mark of ``item`` came back in its turn and time enough has passed for it to be heard."""
        at = self.heard_at(item)
        return at is not None and now >= at

    def over(self, item: str, now: int) -> bool:
        """Tell whether nothing more is to be awaited of ``item``, heard or not."""
        entry = self._items.get(item)
        return entry is None or self._over(entry, now)

    def quiet_at(self) -> int:
        """Estimate when all that was sent will have been played."""
        return -(-self._end // self._scale) + self._lag

    def unheard(self, now: int) -> list[str]:
        """Name the items that are not over, in the order in which they began."""
        return [name for name, entry in self._items.items() if not self._over(entry, now)]

    def settles_at(self) -> int | None:
        """Say when the oldest item is over by the clock, where its marks came back before its sound can have ended."""
        for entry in self._items.values():
            if entry.doubtful and entry.closed:
                return entry.end // self._scale + self._lag
            return entry.proven_at if _complete(entry) else None
        return None

    def settle(self, now: int) -> list[Cut]:
        """Take out the items that are over, from the oldest on."""
        settled = []
        while self._items:
            name, entry = next(iter(self._items.items()))
            if not self._over(entry, now):
                break
            sent = entry.sent // self._scale
            settled.append(Cut(name, sent if not entry.doubtful else self.heard_ms(name, now), sent))
            del self._items[name]
            if entry.doubtful:  # the marks that it still has out prove nothing any more
                self._waiting = deque(parcel for parcel in self._waiting if parcel.item != name)
        return settled

    def _over(self, entry: _Item, now: int) -> bool:
        if entry.doubtful:
            return entry.closed and now >= entry.end // self._scale + self._lag
        return _complete(entry) and now >= entry.proven_at


def _complete(entry: _Item) -> bool:
    return entry.closed and entry.proven == entry.sent
