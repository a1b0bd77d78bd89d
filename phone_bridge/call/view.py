"""What can be seen of a call at one moment, for whoever shows it: a browser's leg, a monitor.

A view is looked at from outside and changes nothing: it is no duty, because a leg that shows nothing would have to be
taught to leave it alone, and the sound's way would carry what only a screen can use. Whoever watches is nudged by the
pump and takes a view when it wants one; where nobody watches, none is ever made.
"""

import msgspec

from phone_bridge.call.events import Action


class Line(msgspec.Struct, frozen=True):
    """Words that are being spoken; ``at_ms`` counts from the call's beginning and stays the line's own.

    ``heard_ms`` of the ``sent_ms`` of its sound were heard by now; both are 0 for the caller's words.
    """

    at_ms: int
    speaker: str
    text: str
    sent_ms: int = 0
    heard_ms: int = 0


class Open(msgspec.Struct, frozen=True):
    """The question that waits for its answer; ``answerable`` once the caller has begun to hear it.

    ``text`` names the action, ``left_ms`` is how long an answer is still waited for.
    """

    id: str
    action: Action
    text: str
    answerable: bool
    left_ms: int


class View(msgspec.Struct, frozen=True):
    """A call at ``ms`` after its beginning: what sounds, what the caller is saying, and the open question."""

    phase: str
    ms: int
    lines: tuple[Line, ...] = ()
    question: Open | None = None
