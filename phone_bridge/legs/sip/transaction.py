"""The transactions of RFC 3261, 17: a request and its answers, through loss and repetition.

Each is a small machine: it is told of messages and of the time, gives what has to be sent, and says when it is due
again. Timers have the letters of the RFC (17, table 4); all times are whole milliseconds. What is ``reliable`` comes by
a connection: nothing is repeated there, and nothing needs to be waited for once an answer has gone or come.
"""

from enum import StrEnum

T1_MS = 500
"""An estimate of the way there and back."""
T2_MS = 4_000
"""The longest wait between two repetitions."""
T4_MS = 5_000
"""How long a message may stay in the network."""
LIFE_MS = 64 * T1_MS
"""Timers B, F, H, J and L: how long a transaction is worked at."""


class State(StrEnum):
    """Where a transaction stands; the names are those of the RFC, and ACCEPTED is that of RFC 6026."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class ServerTransaction:
    """A request that came in: INVITE (17.2.1, RFC 6026, 7.1) or any other (17.2.2)."""

    def __init__(self, *, invite: bool, reliable: bool = False) -> None:
        self.state = State.PROCEEDING if invite else State.TRYING
        self._invite = invite
        self._reliable = reliable
        self._answer = ""
        self._again: int | None = None  # timer G
        self._every = T1_MS
        self._over: int | None = None  # timers H, I, J and L

    def repeated(self) -> str:
        """Know that the request came again; gives the answer to repeat, or nothing."""
        return self._answer if self.state in (State.PROCEEDING, State.COMPLETED) else ""

    def answer(self, code: int, text: str, now: int) -> str:
        """Answer the request; gives what has to be sent, which is nothing once a final answer was given."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            return ""
        self._answer = text
        if code < 200:
            self.state = State.PROCEEDING
        elif self._invite and code < 300:
            self.state, self._over = State.ACCEPTED, now + LIFE_MS
        else:
            waits = self._invite or not self._reliable
            self.state, self._over = State.COMPLETED, now + LIFE_MS if waits else now
            self._again = now + T1_MS if self._invite and not self._reliable else None
        return text

    def acknowledged(self, now: int) -> None:
        """Know that the ACK of a refusal came."""
        if self.state is State.COMPLETED and self._invite:
            self.state, self._again, self._over = State.CONFIRMED, None, now if self._reliable else now + T4_MS

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        return self._again if self._again is not None else self._over

    def expire(self, now: int) -> str:
        """Do what is due; gives what has to be sent again, or nothing."""
        if self._over is not None and now >= self._over:
            self.state, self._again, self._over = State.TERMINATED, None, None
            return ""
        if self._again is None or now < self._again:
            return ""
        self._every = min(2 * self._every, T2_MS)
        self._again = now + self._every
        if self._over is not None:
            self._again = min(self._again, self._over)
        return self._answer


class ClientTransaction:
    """A request of ours that is no INVITE (17.1.2): repeated until it is answered, or for ``life_ms``."""

    def __init__(self, text: str, now: int, *, reliable: bool = False, life_ms: int = LIFE_MS) -> None:
        self.state = State.TRYING
        self._text = text
        self._reliable = reliable
        self._every = T1_MS
        self._again: int | None = None if reliable else now + T1_MS  # timer E
        self._over = now + life_ms  # timers F and K

    def answered(self, code: int, now: int) -> bool:
        """Know that an answer came; True for the first final one."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            return False
        if code < 200:
            self.state, self._every = State.PROCEEDING, T2_MS
            return False
        self.state, self._again, self._over = State.COMPLETED, None, now if self._reliable else now + T4_MS
        return True

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        if self.state is State.TERMINATED:
            return None
        return min(self._over, self._again) if self._again is not None else self._over

    def expire(self, now: int) -> str:
        """Do what is due; gives what has to be sent again, or nothing."""
        if now >= self._over:
            self.state, self._again = State.TERMINATED, None
            return ""
        if self._again is None or now < self._again:
            return ""
        if self.state is State.TRYING:
            self._every = min(2 * self._every, T2_MS)
        self._again = now + self._every
        return self._text


class InviteTransaction:
    """An INVITE of ours (17.1.1; RFC 6026, 7.2): repeated until anything is answered, then waited for in patience."""

    def __init__(self, text: str, now: int, *, reliable: bool = False) -> None:
        self.state = State.CALLING
        self._text = text
        self._reliable = reliable
        self._every = T1_MS
        self._again: int | None = None if reliable else now + T1_MS  # timer A
        self._over: int | None = now + LIFE_MS  # timers B, D and M
        self._given_up: int | None = None

    def answered(self, code: int, now: int) -> bool:
        """Know that an answer came; True for one that the call has to be told: any news, and every 200."""
        if self.state in (State.COMPLETED, State.TERMINATED):
            return False
        if code < 200:
            if self.state is State.ACCEPTED:
                return False
            self.state, self._again, self._over = State.PROCEEDING, None, self._given_up
        elif code < 300:
            if self.state is not State.ACCEPTED:
                self.state, self._again, self._over = State.ACCEPTED, None, now + LIFE_MS
        else:
            if self.state is State.ACCEPTED:
                return False
            self.state, self._again = State.COMPLETED, None
            self._over = now if self._reliable else now + LIFE_MS
        return True

    def give_up(self, now: int) -> None:
        """Ask no more, and wait no longer than ``LIFE_MS`` for who was told to stop (9.1) or is no use."""
        if self.state in (State.CALLING, State.PROCEEDING):
            self._again, self._over = None, now + LIFE_MS
            self._given_up = self._over

    def deadline(self) -> int | None:
        """Say when ``expire`` is due."""
        if self._again is None or self._over is None:
            return self._over
        return min(self._again, self._over)

    def expire(self, now: int) -> str:
        """Do what is due; gives what has to be sent again, or nothing."""
        if self._over is not None and now >= self._over:
            self.state, self._again, self._over = State.TERMINATED, None, None
            return ""
        if self._again is None or now < self._again:
            return ""
        self._every *= 2
        self._again = now + self._every
        return self._text


class Persistence:
    """Repeat the 200 to an INVITE until its ACK comes (13.3.1.4), which no transaction does."""

    def __init__(self, text: str, now: int) -> None:
        self._text = text
        self._every = T1_MS
        self._again = now + T1_MS
        self._over = now + LIFE_MS
        self.failed = False
        """Whether no ACK came within ``LIFE_MS``."""

    def deadline(self) -> int:
        """Say when ``expire`` is due."""
        return min(self._again, self._over)

    def expire(self, now: int) -> str:
        """Do what is due; gives what has to be sent again, or nothing."""
        if now >= self._over:
            self.failed = True
            return ""
        if now < self._again:
            return ""
        self._every = min(2 * self._every, T2_MS)
        self._again = now + self._every
        return self._text
