"""The whole error tree of the bridge.

::

    BridgeError            everything the bridge raises on purpose
    ├── LocalError         our bug: a promise inside the house was broken; raise loudly, never catch in passing
    ├── RemoteError        their words: a peer sent what its protocol does not allow
    ├── Unavailable        it did not work now and may work later: retry within a budget
    └── Refused            it was understood and declined: asking again changes nothing
        └── SettingsError  the operator's settings cannot work; says which and how to mend it

``code`` is a short snake_case word that programs may rely on; the message is one sentence on who did what.
"""


class BridgeError(Exception):
    """The root of every error raised on purpose; ``code`` names it for programs."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class LocalError(BridgeError):
    """A mistake of our own, such as a transition that the table does not have."""

    def __init__(self, message: str, *, code: str = "local_error") -> None:
        super().__init__(message, code=code)


class RemoteError(BridgeError):
    """A peer's message that its protocol does not allow."""

    def __init__(self, message: str, *, code: str = "protocol_error") -> None:
        super().__init__(message, code=code)


class Unavailable(BridgeError):
    """A peer that could not be reached or could not serve now; ``retry_after_ms`` is its own wish, if it gave one."""

    def __init__(self, message: str, *, code: str = "unavailable", retry_after_ms: int | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_ms = retry_after_ms


class Refused(BridgeError):
    """A request that was understood and declined; asking again changes nothing."""

    def __init__(self, message: str, *, code: str = "refused") -> None:
        super().__init__(message, code=code)


class SettingsError(Refused):
    """Settings that cannot work; the message names the setting and the mend."""

    def __init__(self, message: str, *, code: str = "settings") -> None:
        super().__init__(message, code=code)
