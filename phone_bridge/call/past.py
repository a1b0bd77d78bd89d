"""What an earlier part of the same call left behind: a call that was cut off goes on with it."""

import msgspec

from phone_bridge.call.trace import Asked, Said


class Past(msgspec.Struct, frozen=True):
    """What was said, what was asked and answered, and what it cost; ``ms`` is how long ago the call first began.

    ``language`` is what the caller chose to be spoken to in, empty for the route's own.
    ``lead_in`` is said, and told to the session, in place of the word that the call was cut off; ``owed`` says whether
    the session is to go on by itself, and not to wait for the caller.
    """

    ms: int
    transcript: tuple[Said, ...] = ()
    actions: tuple[Asked, ...] = ()
    usage: dict[str, int] = {}
    language: str = ""
    lead_in: str = ""
    owed: bool = True
