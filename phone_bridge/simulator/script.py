"""What a simulated caller is told to do: a list of steps, as values.

A step without ``after_ms`` is taken as a polite person would: when the other side has spoken and gone quiet. With
``after_ms`` it is taken that long after the caller last spoke or pressed a key, whatever the other side does.
"""

import msgspec

from phone_bridge.errors import Refused

KEYS = frozenset("0123456789*#ABCD")


class Say(msgspec.Struct, frozen=True):
    """Say ``text``."""

    text: str
    after_ms: int | None = None


class Press(msgspec.Struct, frozen=True):
    """Press the keys ``digits``, one after the other; raises Refused for what is no key."""

    digits: str
    after_ms: int | None = None

    def __post_init__(self) -> None:
        """Check the keys while the script is written, and not in the middle of the call."""
        if not self.digits or not KEYS.issuperset(self.digits):
            raise Refused(f"{self.digits!r} cannot be pressed: a telephone has 0 to 9, *, # and A to D", code="keys")


class Wait(msgspec.Struct, frozen=True):
    """Keep silent for ``ms``."""

    ms: int


class Listen(msgspec.Struct, frozen=True):
    """Listen until the other side has been heard for ``ms`` since the caller last spoke; then one can interrupt it."""

    ms: int


class HangUp(msgspec.Struct, frozen=True):
    """Hang up; what follows in the script is never done."""

    after_ms: int | None = None


Step = Say | Press | Wait | Listen | HangUp


def describe(step: Step) -> str:
    """Name a step in a few words, for reasons and reports."""
    match step:
        case Say(text):
            return f"say {text!r}"
        case Press(digits):
            return f"press {digits}"
        case Wait(ms):
            return f"wait {ms} ms"
        case Listen(ms):
            return f"listen for {ms} ms"
        case HangUp():
            return "hang up"
