"""A worker program that gives back what it is given, and does some things on request that a program should not."""

import sys
import time

from phone_bridge.assistant.worker import serve


def answer(request: bytes) -> bytes | None:
    if request == b"die":
        sys.exit(1)
    if request == b"hang":
        time.sleep(60)
    if request == b"print":
        sys.stdout.write("noise")
        sys.stdout.flush()
    return None if request == b"fail" else request


if __name__ == "__main__":
    serve(answer)
