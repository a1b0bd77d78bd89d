"""A journal that was read from a file, and the call of it run again."""

import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from phone_bridge.call.commands import Command
from phone_bridge.call.events import AssistantSpoke, CallerHeard, Event, MarkReached
from phone_bridge.call.journal import (
    BEGIN,
    EVENT,
    FAR,
    HEARD_AGAIN,
    KINDS,
    MAGIC,
    MARK,
    MAX_FILE_BYTES,
    MAX_SOUND_BYTES,
    NEAR,
    SOUND,
    SPOKE,
    SPOKE_AGAIN,
    SPOKE_NEW,
    TICK,
    VARINT_BYTES,
    Head,
    next_mark,
)
from phone_bridge.call.machine import Call
from phone_bridge.call.past import Past
from phone_bridge.errors import RemoteError

RATES = range(8_000, 48_001, 1_000)  # hertz


class Given(NamedTuple):
    """What a call was given at ``at``: a fact, its beginning, or nothing but the passing of time."""

    at: int
    fact: Event | None = None
    begins: bool = False

    def to(self, call: Call) -> list[Command]:
        """Give it to ``call``, and return the duties that come of it."""
        if self.fact is not None:
            return call.process(self.fact, self.at)
        return call.begin(self.at) if self.begins else call.expire(self.at)


class Step(NamedTuple):
    """One step of a call that is run again: when, which fact (None: time passed, or it began), and the duties."""

    now: int
    fact: Event | None
    duties: list[Command]


class Recording:
    """A journal that was read from a file."""

    def __init__(self, head: Head, past: Past | None, log: bytes) -> None:
        self.began = head.began
        self.blind_ms = head.blind_ms
        """How long after the call's beginning the journal stopped; None when it holds all of it."""
        self.error = head.error
        """How the recorded call ended, where it ended badly."""
        self.format = head.format
        """The format of the caller's line."""
        self._head = head
        self._past = past
        self._log = log

    def call(self) -> Call:
        """Make the call anew, as it was before it began."""
        head = self._head
        return Call(head.format, head.rules, head.began, self._past)

    def given(self) -> Iterator[Given]:
        """Go through all that the call was given, in its order."""
        return _Reader(self._head, self._log).entries()


def decode(data: bytes) -> Recording:
    """Read a journal's file; raises RemoteError, which says what is wrong with it."""
    if not data.startswith(MAGIC):
        if data.startswith(MAGIC.rpartition(b" ")[0]):
            version = data.partition(b"\n")[0].rpartition(b" ")[2][:10].decode(errors="replace")
            raise _unreadable(f"it is of version {version}, and this bridge reads version 1")
        raise _unreadable("it does not begin as a journal does")
    written, _, log = _unpacked(data[len(MAGIC) :]).partition(b"\n")
    try:
        head = msgspec.json.decode(written, type=Head)
        recording = Recording(head, msgspec.json.decode(head.past, type=Past | None), log)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"its head is not what it should be: {error}") from None
    if recording.format.rate not in RATES:
        raise _unreadable(f"no line has {recording.format.rate} samples a second")
    for _ in recording.given():  # so that whatever is broken is said now
        pass
    return recording


def replay(recording: Recording, call: Call) -> Iterator[Step]:
    """Run ``call`` as the recorded one was run; raises what the call raises."""
    for given in recording.given():
        yield Step(given.at, given.fact, given.to(call))


# Reading


class _Reader:
    """Reads a journal's entries."""

    def __init__(self, head: Head, log: bytes) -> None:
        self._silence = head.format.silence
        self._kinds = head.kinds
        self._log = log
        self._place = 0
        self._at = head.began
        self._heard: CallerHeard | None = None
        self._spoke: AssistantSpoke | None = None
        self._mark = ""

    def entries(self) -> Iterator[Given]:
        log = self._log
        while self._place < len(log):
            code = log[self._place]
            self._place += 1
            if code < FAR:
                self._at += code % NEAR
                yield Given(self._at, self._near(code))
            else:
                self._at += self._signed()
                yield Given(self._at, None if code <= TICK else self._new(code), code == BEGIN)

    def _near(self, code: int) -> Event:
        """Give what is as it was before."""
        if code >= MARK:
            return self._marked(MarkReached(self._mark))
        again: Event | None = self._heard if code < SPOKE else self._spoke
        if again is None:
            raise self._broken("a frame is to be like the last one, and is the first")
        return again

    def _new(self, code: int) -> Event:
        if code == HEARD_AGAIN:
            self._heard = CallerHeard(self._sound(self._number()))
            return self._heard
        if code == SPOKE_NEW or (code == SPOKE_AGAIN and self._spoke is not None):
            audio = self._sound(self._number())
            again = self._spoke if code == SPOKE_AGAIN else None
            self._spoke = AssistantSpoke(again.item if again is not None else self._text(), audio)
            return self._spoke
        if code == EVENT:
            return self._marked(self._fact())
        raise self._broken(f"no entry begins with {code}")

    def _marked(self, event: Event) -> Event:
        if isinstance(event, MarkReached):
            self._mark = next_mark(event.mark)
        return event

    def _fact(self) -> Event:
        place = self._number()
        name = self._kinds[place] if place < len(self._kinds) else str(place)
        kind = KINDS.get(name)
        if kind is None:
            raise self._broken(f"this bridge knows no fact {name}")
        try:
            values = msgspec.json.decode(self._bytes())
            for field in SOUND[kind]:
                values[field] = self._sounds(values[field])
            return msgspec.convert(values, kind)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise self._broken(f"a {name} is not what it should be: {error}") from None

    def _sounds(self, sizes: Any) -> bytes | list[bytes]:
        if not isinstance(sizes, list):
            return self._sound(sizes)
        if sum(sizes) > MAX_SOUND_BYTES:
            raise self._broken("a fact holds more sound than any does")
        return [self._sound(size) for size in sizes]

    def _sound(self, size: object) -> bytes:
        if not isinstance(size, int) or not 0 <= size <= MAX_SOUND_BYTES:
            raise self._broken("no run of sound is so long")
        return (self._silence * size)[:size]

    def _text(self) -> str:
        try:
            return self._bytes().decode()
        except UnicodeDecodeError:
            raise self._broken("a name is no text") from None

    def _bytes(self) -> bytes:
        size = self._number()
        run = self._log[self._place : self._place + size]
        if len(run) < size:
            raise self._broken("it ends in the midst of an entry")
        self._place += size
        return run

    def _signed(self) -> int:
        number = self._number()
        return number >> 1 if number % 2 == 0 else -(number >> 1) - 1

    def _number(self) -> int:
        number = 0
        for place, byte in enumerate(self._log[self._place : self._place + VARINT_BYTES]):
            number |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                self._place += place + 1
                return number
        raise self._broken("it ends in the midst of a number, or the number is too long")

    def _broken(self, what: str) -> RemoteError:
        return _unreadable(f"at byte {self._place} of its facts {what}")


def _unpacked(data: bytes) -> bytes:
    inflating = zlib.decompressobj()
    try:
        plain = inflating.decompress(data, MAX_FILE_BYTES)
    except zlib.error as error:
        raise _unreadable(f"it is damaged ({error})") from None
    if not inflating.eof:
        raise _unreadable("it is cut off" if len(plain) < MAX_FILE_BYTES else "it is too big")
    if inflating.unused_data:
        raise _unreadable("something follows its end")
    return plain


def _unreadable(why: str) -> RemoteError:
    return RemoteError(f"The file is no journal that can be read: {why}.", code="journal_unreadable")
