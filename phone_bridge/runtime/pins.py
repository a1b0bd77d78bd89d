"""The PINs of users, of which only hashes are kept, and the count of tries, over all processes of a database.

A try is counted before the PIN is looked at, and given back where it was right: so no number of calls at a time, and no
process that dies in between, gives one try more. After ``FREE_TRIES`` wrong ones, by one number or for one user, the
next is not looked at before a delay has passed, which doubles with each up to ``LONGEST_DELAY_S``. A try that comes too
early is not counted, so that a stranger cannot make a user wait for longer than that.

A PIN is a million possibilities, and whoever has the database can try them all in a day: scrypt (RFC 7914) makes it a
day and not a second. Methods block and are called in a thread.
"""

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec
import sqlalchemy as sa

from phone_bridge.errors import Refused
from phone_bridge.runtime import database
from phone_bridge.runtime.record import Records, timestamp

MIN_DIGITS, MAX_DIGITS = 6, 12
FEWEST_DIFFERENT = 3
"""Different digits that a PIN must have."""
FREE_TRIES = 3
FIRST_DELAY_S = 30
LONGEST_DELAY_S = 3_600
"""So that, once the delays are at their longest, 24 PINs of a million can be tried in a day."""
FORGIVEN_S = 86_400
"""How long nobody must have tried for the wrong ones to be forgotten."""

COST_LOG2 = 15
"""scrypt's N as a power of two: 32 MiB and about a tenth of a second for each try."""
_BLOCK, _PARALLEL = 8, 1  # scrypt's r and p
_SALT_BYTES, _HASH_BYTES = 16, 32
_SPARE_BYTES = 1 << 20  # what scrypt may take besides its own
_NUMBERS = "pin-numbers"  # the name of the secret that hides numbers

_META = sa.MetaData()
_PINS = sa.Table(
    "pins",
    _META,
    sa.Column("user_id", sa.String(128), primary_key=True),
    sa.Column("hash", sa.String(160), nullable=False),
    sa.Column("set_at", sa.String(32), nullable=False),
)
_TRIES = sa.Table(
    "pin_tries",
    _META,
    sa.Column("subject", sa.String(160), primary_key=True),
    sa.Column("wrong", sa.Integer, nullable=False),
    sa.Column("tried_at", sa.BigInteger, nullable=False, index=True),  # seconds since 1970, as all of these
    sa.Column("locked_until", sa.BigInteger, nullable=False),
)


class Outcome(StrEnum):
    """What is told of a PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    MISSING = "missing"


class Kept(msgspec.Struct, frozen=True):
    """That a user has a PIN, since when, and how many wrong ones were tried lately; ``locked_s`` is left to wait."""

    user_id: str
    set_at: str
    wrong: int = 0
    locked_s: int = 0


class _TooEarly(Exception):
    """A try that does not count; takes back what was written on the way to it."""


class Pins:
    """Keep the PINs in the database of ``records``; ``clock`` is seconds since 1970.

    Methods raise Unavailable when the database fails: then nothing is looked at, and nothing is right.
    """

    def __init__(self, records: Records, clock: Callable[[], float] = time.time, *, cost_log2: int = COST_LOG2) -> None:
        self._records = records
        self._clock = clock
        self._cost_log2 = cost_log2
        records.create(_META)

    def set(self, user_id: str, pin: str) -> None:
        """Give a user a PIN, or another one, and forget wrong tries; raises Refused (``weak_pin``)."""
        check(pin)
        row = {"hash": hashed(pin, self._cost_log2), "set_at": timestamp(self._clock)}
        with self._records.transaction() as connection:
            new = database.insert(connection, _PINS).values(user_id=user_id, **row)
            connection.execute(new.on_conflict_do_update(index_elements=[_PINS.c.user_id], set_=row))
            connection.execute(sa.delete(_TRIES).where(_TRIES.c.subject == _of_user(user_id)))

    def enrol(self, user_id: str, pin: str) -> bool:
        """Give a user their first PIN; False where they have one by now, which stays. Raises Refused (``weak_pin``)."""
        check(pin)
        row = {"hash": hashed(pin, self._cost_log2), "set_at": timestamp(self._clock)}
        with self._records.transaction() as connection:
            new = database.insert(connection, _PINS).values(user_id=user_id, **row).on_conflict_do_nothing()
            return connection.execute(new.execution_options(preserve_rowcount=True)).rowcount == 1

    def has(self, user_id: str) -> bool:
        """Tell whether a user has a PIN."""
        return self._hash(user_id) is not None

    def is_the_same(self, user_id: str, pin: str) -> bool:
        """Tell whether ``pin`` is the user's already, to whoever has proven that they know it: it counts as no try."""
        kept = self._hash(user_id)
        return kept is not None and is_right(pin, kept)

    def remove(self, user_id: str) -> bool:
        """Take a user's PIN away; False where there was none."""
        with self._records.transaction() as connection:
            gone = connection.execute(sa.delete(_PINS).where(_PINS.c.user_id == user_id)).rowcount
            connection.execute(sa.delete(_TRIES).where(_TRIES.c.subject == _of_user(user_id)))
        return gone == 1

    def list(self) -> Sequence[Kept]:
        """List who has a PIN, by the user's id."""
        now = int(self._clock())
        with self._records.transaction() as connection:
            pins = connection.execute(sa.select(_PINS.c.user_id, _PINS.c.set_at).order_by(_PINS.c.user_id)).all()
            tries = {row.subject: row for row in connection.execute(sa.select(_TRIES))}
        found = []
        for user_id, set_at in pins:
            tried = tries.get(_of_user(user_id))
            wrong, until = (tried.wrong, tried.locked_until) if tried is not None else (0, 0)
            found.append(Kept(user_id, set_at, wrong, max(0, until - now)))
        return found

    def judge(self, user_id: str, number: str | None, pin: str) -> Outcome:
        """Look whether ``pin`` is the user's, for a caller from ``number`` (None where it is withheld)."""
        subjects = [_of_user(user_id), *self.subjects(number)]
        kept = self._hash(user_id)
        if kept is None:
            return Outcome.MISSING
        if not self.take_a_try(subjects):
            return Outcome.LOCKED
        if not is_right(pin, kept):
            return Outcome.WRONG
        self.give_back(subjects)
        return Outcome.RIGHT

    def subjects(self, number: str | None) -> Sequence[str]:
        """Name whom tries from ``number`` are counted for besides their user: nobody, where it is withheld."""
        return [self._of_number(number)] if number else []

    def _hash(self, user_id: str) -> str | None:
        with self._records.transaction() as connection:
            found: str | None = connection.execute(sa.select(_PINS.c.hash).where(_PINS.c.user_id == user_id)).scalar()
            return found

    def take_a_try(self, subjects: Sequence[str]) -> bool:
        """Count one try more for all of ``subjects``; False where one of them has to wait, and nothing is counted."""
        now = int(self._clock())
        try:
            with self._records.transaction() as connection:
                connection.execute(sa.delete(_TRIES).where(_TRIES.c.tried_at < now - FORGIVEN_S))
                for subject in sorted(subjects):  # in one order, so that no two wait for each other
                    self._count(connection, subject, now)
        except _TooEarly:
            return False
        return True

    def _count(self, connection: sa.Connection, subject: str, now: int) -> None:
        """Count one more; the row is this transaction's alone from here to its end."""
        new = database.insert(connection, _TRIES).values(subject=subject, wrong=1, tried_at=now, locked_until=0)
        one_more = new.on_conflict_do_update(index_elements=[_TRIES.c.subject], set_={"wrong": _TRIES.c.wrong + 1})
        connection.execute(one_more)
        mine = _TRIES.c.subject == subject
        row = connection.execute(sa.select(_TRIES.c.wrong, _TRIES.c.locked_until).where(mine)).one()
        if row.locked_until > now:
            raise _TooEarly
        changed = {"tried_at": now, "locked_until": now + delay_s(row.wrong)}
        connection.execute(sa.update(_TRIES).where(mine).values(changed))

    def give_back(self, subjects: Sequence[str]) -> None:
        """Forget the wrong tries for the first of ``subjects``, a user; of a number only this one.

        A number has others' PINs to answer for.
        """
        user, *numbers = subjects
        with self._records.transaction() as connection:
            connection.execute(sa.delete(_TRIES).where(_TRIES.c.subject == user))
            for number in numbers:
                one_less = {"wrong": _TRIES.c.wrong - 1, "locked_until": 0}
                connection.execute(sa.update(_TRIES).where(_TRIES.c.subject == number).values(one_less))

    def _of_number(self, number: str) -> str:
        return "number:" + hmac.digest(self._records.secret(_NUMBERS), number.encode(errors="replace"), "sha256").hex()


def users(url: str) -> frozenset[str]:
    """Name who has a PIN in the database at ``url``, where nothing is changed; raises Unavailable, SettingsError."""
    engine = database.engine(url)
    try:
        with database.transaction(engine) as connection:
            if not sa.inspect(connection).has_table(_PINS.name):
                return frozenset()
            return frozenset(connection.execute(sa.select(_PINS.c.user_id)).scalars())
    finally:
        engine.dispose()


def _of_user(user_id: str) -> str:
    return f"user:{user_id}"


def delay_s(wrong: int) -> int:
    """Say how long the next try has to wait after so many wrong ones, in seconds."""
    if wrong < FREE_TRIES:
        return 0
    return min(FIRST_DELAY_S << min(wrong - FREE_TRIES, 16), LONGEST_DELAY_S)


def check(pin: str) -> None:
    """Check that ``pin`` may be one; raises Refused, whose message does not show it."""
    if not (pin.isascii() and pin.isdigit() and MIN_DIGITS <= len(pin) <= MAX_DIGITS):
        raise Refused(f"A PIN has {MIN_DIGITS} to {MAX_DIGITS} digits and nothing else.", code="weak_pin")
    steps = {int(later) - int(earlier) for earlier, later in pairwise(pin)}
    if len(set(pin)) < FEWEST_DIFFERENT or steps in ({1}, {-1}):
        raise Refused(
            f"That PIN is among the first that anybody tries: take one of {FEWEST_DIFFERENT} different digits or more "
            "that do not just count up or down.",
            code="weak_pin",
        )
    if _is_date(pin):
        raise Refused("That PIN reads as a date, of which there are few: take other digits.", code="weak_pin")


def _is_date(pin: str) -> bool:
    """Tell whether the digits are a day of a year, in any of the orders in which people write one."""
    if len(pin) not in (6, 8):
        return False
    year = len(pin) - 4
    orders = ((pin[:2], pin[2:4], pin[4:]), (pin[2:4], pin[:2], pin[4:]), (pin[year + 2 :], pin[year:-2], pin[:year]))
    return any(
        1 <= int(day) <= 31 and 1 <= int(month) <= 12 and (len(years) == 2 or years[:2] in ("19", "20"))
        for day, month, years in orders
    )


def hashed(pin: str, cost_log2: int = COST_LOG2) -> str:
    """Hash a PIN: ``scrypt$<log2 N>$<salt>$<hash>``."""
    salt = os.urandom(_SALT_BYTES)
    return f"scrypt${cost_log2}${_base64(salt)}${_base64(_scrypt(pin, salt, cost_log2))}"


def is_right(pin: str, kept: str) -> bool:
    """Tell whether ``pin`` is the one that ``kept`` was made from."""
    _, cost_log2, salt, digest = kept.split("$")
    made = _scrypt(pin, base64.b64decode(salt), int(cost_log2))
    return hmac.compare_digest(made, base64.b64decode(digest))


def _scrypt(pin: str, salt: bytes, cost_log2: int) -> bytes:
    memory = 128 * _BLOCK * (1 << cost_log2) + _SPARE_BYTES
    return hashlib.scrypt(
        pin.encode(), salt=salt, n=1 << cost_log2, r=_BLOCK, p=_PARALLEL, maxmem=memory, dklen=_HASH_BYTES
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
