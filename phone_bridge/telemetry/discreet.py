"""Log lines that tell where something failed and not with which words.

The message of somebody else's exception may hold what it could not work with: a number, a caller's words, a token. Its
type and its place say enough to find it; the call's trace has the rest. Messages of our own are made not to tell.
"""

import logging
import traceback
from collections.abc import Iterator
from types import TracebackType

from phone_bridge.errors import BridgeError

WITHHELD = "(its message is withheld, for it may hold a caller's words)"

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {10: "\\n", 13: "\\r"}

_Error = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Discreet(logging.Formatter):
    """A formatter that writes exceptions without their messages, our own apart, and each message on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        others, record.exc_text = record.exc_text, None  # another formatter may have left its own words there
        try:
            return super().format(record)
        finally:
            record.exc_text = others

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Write the message on one line: what a peer sent can begin no line of its own, and paint no terminal."""
        return super().formatMessage(record).rstrip("\n").translate(_CONTROL)

    def formatException(self, ei: _Error) -> str:  # noqa: N802 - the library's name
        """Write an exception and what led to it, the first one first."""
        return "\n".join(reversed([_tell(error) for error in _chain(ei[1])]))


def _tell(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    message = str(error) if isinstance(error, BridgeError) else WITHHELD
    return "".join(
        ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__), name, ": ", message]
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error, then what it was raised from, or in the handling of what; of a group its members first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _chain(member)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
