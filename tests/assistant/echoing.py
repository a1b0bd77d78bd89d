"""A worker program that gives back what it is given, and does some things on request that a program should not."""

import os
import sys
import time
from pathlib import Path

from phone_bridge.assistant.worker import LENGTH, MAX_BYTES, serve

FLOOD_BYTES = 1 << 20
ANSWERS = 3  # the file that `serve` keeps for them: the lowest that was free


def flood(told: Path) -> None:
    """Answer without an end, and tell once much of it was taken."""
    answers = os.fdopen(ANSWERS, "wb", buffering=0)
    answers.write(LENGTH.pack(MAX_BYTES))
    answers.write(bytes(FLOOD_BYTES))
    told.touch()
    while True:
        answers.write(bytes(FLOOD_BYTES))


def answer(request: bytes) -> bytes | None:
    if request == b"die":
        sys.exit(1)
    if request.startswith(b"flood "):
        flood(Path(request.removeprefix(b"flood ").decode()))
    if request == b"hang":
        time.sleep(60)
    if request == b"print":
        sys.stdout.write("noise")
        sys.stdout.flush()
    return None if request == b"fail" else request


if __name__ == "__main__":
    serve(answer)
