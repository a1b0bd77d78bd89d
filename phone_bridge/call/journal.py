"""A call's journal: every fact that a call was given, so that the same call can be run again from a file.

Sound is kept by its length alone, for the call never looks inside it, and comes back as silence. A frame costs one
byte as long as frames come as they came before: the code's upper two bits say what it is, the lower six how many
milliseconds later. All else is a code, the milliseconds as a varint, and what the code needs. ``recording`` reads it.
"""

import zlib
from typing import get_args

import msgspec

from phone_bridge.audio.format import Format
from phone_bridge.call.events import AssistantSpoke, CallerHeard, Event, MarkReached
from phone_bridge.call.past import Past
from phone_bridge.call.rules import Rules

MAGIC = b"phone_bridge journal 1\n"
MAX_JOURNAL_BYTES = 1_000_000  # of one call's facts: about two hours
MAX_SOUND_BYTES = 4_000_000  # of one fact: above a minute of the widest format
MAX_FILE_BYTES = 8_000_000  # of a journal with its head, unpacked

NEAR = 64  # milliseconds that fit into a code
SPOKE, MARK, FAR = 0x40, 0x80, 0xC0
BEGIN, TICK, HEARD_AGAIN, SPOKE_AGAIN, SPOKE_NEW, EVENT = range(FAR, FAR + 6)
VARINT_BYTES = 10  # of the longest number that is read

_SOUND_TYPES = (bytes, tuple[bytes, ...])

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
SOUND = {k: tuple(f.name for f in msgspec.structs.fields(k) if f.type in _SOUND_TYPES) for k in KINDS.values()}
"""The fields of each fact that hold sound."""
_NUMBERS = {kind: number for number, kind in enumerate(KINDS.values())}
_SMALL = [bytes((number,)) for number in range(0x80)]
_UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError)


class Head(msgspec.Struct):
    """What a call was made of (``past`` is a Past or null).

    ``kinds`` names the facts by their number; ``blind_ms`` says where the journal stopped, if it did.
    """

    format: Format
    rules: Rules
    past: msgspec.Raw
    began: int
    kinds: tuple[str, ...]
    blind_ms: int | None
    error: str


class Journal:
    """Write down what one call is given; the arguments are those that the call was made with.

    Never raises: a journal that is full, or is given what it cannot write, stops there and says so (``blind_at``).
    """

    __slots__ = (
        "_at",
        "_began",
        "_format",
        "_heard",
        "_item",
        "_log",
        "_mark",
        "_past",
        "_rules",
        "_spoke",
        "blind_at",
    )

    def __init__(self, format: Format, rules: Rules, past: Past | None, began: int) -> None:
        self._format = format
        self._rules = rules
        self._past = _past(past)  # as it is now: what the call makes of it later is the call's doing
        self._began = began
        self._log = bytearray()
        self._at = began
        self._heard = -1  # the size of the caller's last frame
        self._item = ""  # the assistant's last reply, and the size of its last run
        self._spoke = -1
        self._mark = ""  # the mark that comes next if none is left out
        self.blind_at: int | None = began if self._past is None else None
        """From when on nothing is written down, on the call's clock; None while everything is."""

    @property
    def size(self) -> int:
        """The bytes that it has taken so far."""
        return len(self._log)

    def begin(self, now: int) -> None:
        """Note that the call begins."""
        self._write(BEGIN, now)

    def tick(self, now: int) -> None:
        """Note that the call is told of the time."""
        self._write(TICK, now)

    def note(self, event: Event, now: int) -> None:
        """Note a fact that the call is given."""
        # The first lines are for frames of sound, which come a hundred a second: they make no object.
        later = now - self._at
        if type(event) is CallerHeard:
            if len(event.audio) == self._heard and 0 <= later < NEAR and len(self._log) < MAX_JOURNAL_BYTES:
                self._log.append(later)
                self._at = now
                return
        elif type(event) is AssistantSpoke:
            spoke = len(event.audio) == self._spoke and event.item == self._item
            if spoke and 0 <= later < NEAR and len(self._log) < MAX_JOURNAL_BYTES:
                self._log.append(SPOKE + later)
                self._at = now
                return
        self._note(event, now)

    def encode(self, error: str = "") -> bytes:
        """Give the journal as a file's content; ``error`` is how the call ended, where it ended badly."""
        blind_ms = None if self.blind_at is None else self.blind_at - self._began
        past = msgspec.Raw(self._past or b"null")
        head = Head(self._format, self._rules, past, self._began, tuple(KINDS), blind_ms, error)
        return MAGIC + zlib.compress(msgspec.json.encode(head) + b"\n" + self._log)

    def _note(self, event: Event, now: int) -> None:
        """Note what is not as it was before."""
        if isinstance(event, CallerHeard):
            if self._write(HEARD_AGAIN, now, _sized(event.audio)):
                self._heard = len(event.audio)
        elif isinstance(event, AssistantSpoke):
            if event.item == self._item and self._spoke >= 0:
                written = self._write(SPOKE_AGAIN, now, _sized(event.audio))
            else:
                written = self._write(SPOKE_NEW, now, _sized(event.audio), _text(event.item))
            if written:
                self._item, self._spoke = event.item, len(event.audio)
        elif isinstance(event, MarkReached) and event.mark == self._mark and 0 <= now - self._at < NEAR:
            if self._append(bytes((MARK + now - self._at,)), now):
                self._mark = next_mark(event.mark)
        elif self._write(EVENT, now, _fact(event)) and isinstance(event, MarkReached):
            self._mark = next_mark(event.mark)

    def _write(self, code: int, now: int, *parts: bytes | None) -> bool:
        """Append one entry whole, or stop here for good."""
        later = now - self._at
        entry = bytes((code,)) + (_unsigned(2 * later) if later >= 0 else _unsigned(-2 * later - 1))
        for part in parts:
            if part is None:
                self._stop(now)
                return False
            entry += part
        return self._append(entry, now)

    def _append(self, entry: bytes, now: int) -> bool:
        if self.blind_at is not None:
            return False
        if len(self._log) + len(entry) > MAX_JOURNAL_BYTES:
            self._stop(now)
            return False
        self._log += entry
        self._at = now
        return True

    def _stop(self, now: int) -> None:
        """Write no more: a journal with a hole would tell of another call."""
        if self.blind_at is None:
            self.blind_at = now
        self._heard = self._spoke = -1  # so that no frame passes by the first lines of ``note``


def _past(past: Past | None) -> bytes | None:
    """Write a call's past; None for what cannot be written."""
    try:
        return msgspec.json.encode(past)
    except _UNWRITABLE:
        return None


def _fact(event: Event) -> bytes | None:
    """Write a fact with its sound as lengths; None for what cannot be written."""
    kind = type(event)
    values = msgspec.structs.asdict(event)
    for field in SOUND[kind]:
        sound = values[field]
        values[field] = len(sound) if isinstance(sound, bytes) else [len(part) for part in sound]
        if (len(sound) if isinstance(sound, bytes) else sum(values[field])) > MAX_SOUND_BYTES:
            return None
    try:
        written = msgspec.json.encode(values)
    except _UNWRITABLE:
        return None
    return _unsigned(_NUMBERS[kind]) + _unsigned(len(written)) + written


def _sized(audio: bytes) -> bytes | None:
    return _unsigned(len(audio)) if len(audio) <= MAX_SOUND_BYTES else None


def _text(text: str) -> bytes | None:
    try:
        written = text.encode()
    except UnicodeEncodeError:
        return None
    return _unsigned(len(written)) + written


def next_mark(mark: str) -> str:
    """Guess the mark that follows: the ledger's are ``generation.serial``."""
    generation, dot, serial = mark.partition(".")
    return f"{generation}.{int(serial) + 1}" if dot and serial.isdecimal() and len(serial) < VARINT_BYTES else ""


def _unsigned(number: int) -> bytes:
    """Write a whole number as a varint: seven bits a byte, the lowest first."""
    if number < 0x80:
        return _SMALL[number]
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
