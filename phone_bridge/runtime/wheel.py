"""One timer for the turns of all calls: what is due in the same millisecond is done in one go.

A call that paces its own sound has a turn every 20 ms. With a timer for each, the loop wakes for every single one; here
it wakes for a slot, and all whose turn it is follow one another. A wheel that was held up rings late, once for each
that waits; how many frames that makes is for the call to say, by its own clock.
"""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

from phone_bridge.audio.frames import FRAME_MS

SLOT_MS = 2
"""A turn begins with one of these, so that calls share slots: ten of them to a frame. With fewer, a whole slot's calls
hold up what else there is to do for long; with more, the loop wakes for nearly every call."""

SPAN_MS = FRAME_MS
"""What is further off than a call's next turn is seldom shared, and goes to a timer of the loop's own."""


class Turns:
    """The slots of a frame, and how many calls have their turns in each."""

    def __init__(self) -> None:
        self._calls = [0] * (FRAME_MS // SLOT_MS)

    def take(self, now: int) -> int:
        """Give a call its first turn: in the next slot, at ``now`` or after it, that has no more than its share."""
        slots, every = len(self._calls), sum(self._calls)
        first = -(-now // SLOT_MS)
        turn = next(at for at in range(first, first + slots) if self._calls[at % slots] * slots <= every)
        self._calls[turn % slots] += 1
        return turn * SLOT_MS

    def give_back(self, turn: int) -> None:
        """Know that the call is over that was given ``turn``."""
        self._calls[turn // SLOT_MS % len(self._calls)] -= 1


class Alarm(Protocol):
    """What was asked for and may be taken back."""

    def cancel(self) -> None:
        """Take it back; doing so twice, or after it rang, is harmless."""
        ...


class _Turn:
    __slots__ = ("_wheel", "callback")

    def __init__(self, wheel: "Wheel", callback: Callable[[], object]) -> None:
        self._wheel = wheel
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self._wheel.dropped()


class Wheel:
    """Call back at whole milliseconds of ``clock``, which gives seconds; belongs to the loop that runs."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._slots: dict[int, list[_Turn]] = {}
        self._times: list[int] = []  # a heap of the slots' times
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._ringing = False

    def at(self, ms: int, callback: Callable[[], object]) -> Alarm:
        """Have ``callback`` called at ``ms``; a time that is over means the next millisecond."""
        slot = self._slots.get(ms)
        if slot is None:
            now = int(self._clock() * 1000)
            ms = max(ms, now + 1)  # uvloop spins on less than a millisecond
            if ms - now > SPAN_MS:
                return asyncio.get_running_loop().call_later((ms - now) / 1000, callback)
            slot = self._slots.get(ms) or self._open(ms, now)
        turn = _Turn(self, callback)
        self._waiting += 1
        slot.append(turn)
        return turn

    def _open(self, ms: int, now: int) -> list[_Turn]:
        slot = self._slots[ms] = []
        heappush(self._times, ms)
        if not self._ringing:
            self._arm(now)
        return slot

    def dropped(self) -> None:
        """Know that a turn was taken back; nobody's timer is left behind."""
        self._waiting -= 1
        if not self._waiting:
            self._slots.clear()
            self._times.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _arm(self, now: int) -> None:
        nearest = self._times[0]
        if self._timer is not None:
            if self._timer_at <= nearest:
                return
            self._timer.cancel()
        self._timer_at = nearest
        self._timer = asyncio.get_running_loop().call_later(max(1, nearest - now) / 1000, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = int(self._clock() * 1000)
        due: list[_Turn] = []
        while self._times and self._times[0] <= now:
            due += self._slots.pop(heappop(self._times))
        self._ringing = True
        for turn in due:  # what they ask for meanwhile is for another time, even where it is due already
            callback, turn.callback = turn.callback, None
            if callback is not None:
                self._waiting -= 1
                try:
                    callback()
                except Exception as error:  # noqa: BLE001 - the top of a callback: the others' turns come all the same
                    context = {"message": "what was due at its time failed", "exception": error}
                    asyncio.get_running_loop().call_exception_handler(context)
        self._ringing = False
        if self._times:
            self._arm(int(self._clock() * 1000))
