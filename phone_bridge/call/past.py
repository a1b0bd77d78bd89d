"""What an earlier part of the same call left behind: a call that was cut off goes on with it."""

import msgspec

from phone_bridge.call.trace import Asked, Said


class Past(msgspec.Struct, frozen=True):
    """What was said, what was asked and answered, and what it cost; ``ms`` is how long ago the call first began."""

    ms: int
    transcript: tuple[Said, ...] = ()
    actions: tuple[Asked, ...] = ()
    usage: dict[str, int] = {}
