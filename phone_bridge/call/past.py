"""What an earlier part of the same call left behind: a call that was cut off goes on with it."""

import msgspec

from phone_bridge.call.trace import Asked, Said
from phone_bridge.call.trust import Tier


class Past(msgspec.Struct, frozen=True):
    """What was said, what was asked and answered, and what it cost; ``ms`` is how long ago the call first began.

    ``trust`` is how far the caller was known by its end, who has been on the line all the time; ``language`` what they
    chose to be spoken to in, empty for the route's own.
    """

    ms: int
    transcript: tuple[Said, ...] = ()
    actions: tuple[Asked, ...] = ()
    usage: dict[str, int] = {}
    trust: Tier = Tier.UNKNOWN
    language: str = ""
