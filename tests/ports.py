"""Ports for programs that must be told one before they listen."""

import itertools
import os
import secrets
import socket
from contextlib import ExitStack

FIRST, LAST = 4_000, 10_000
"""Below those of sound, and of those that the system gives to whoever connects somewhere."""
WORKERS = 8
"""Of pytest-xdist, each with ports of its own."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_own = range(FIRST + 2 * _worker, LAST, 2 * WORKERS)
_ports = itertools.islice(itertools.cycle(_own), secrets.randbelow(len(_own)), None)


def free_port() -> int:
    """Find a port that nobody listens on, by TCP and UDP; nor on the one above it, where SIP has its TLS.

    A port that the system chose and that was closed again is soon given to one of the many connections that
    other tests open meanwhile; these are not, and none is given again soon.
    """
    for port in _ports:
        with ExitStack() as stack:
            try:
                for each in (port, port + 1):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        stack.enter_context(socket.socket(type=kind)).bind(("127.0.0.1", each))
            except OSError:
                continue
        return port
    raise AssertionError("the ports never end")
