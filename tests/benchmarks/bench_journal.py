"""What a call's journal costs: ``python -m tests.benchmarks.bench_journal``.

Times are of the best of many rounds, with the loop that gives the facts taken off; trust the ratio to an empty method.
"""

import sys
import time
from collections.abc import Sequence
from random import Random

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call.events import AssistantSaid, AssistantSpoke, CallerHeard, Event, MarkReached
from phone_bridge.call.journal import Journal
from phone_bridge.call.rules import Rules
from tests.benchmarks.tables import table

FACTS = 5_000
ROUNDS = 20
FRAME = b"\xff" * 160
FRAME_MS = 20
HOUR_FRAMES = 3_600_000 // FRAME_MS

KINDS: dict[str, list[Event]] = {
    "the caller's frame": [CallerHeard(FRAME)] * FACTS,
    "the assistant's frame": [AssistantSpoke("item_0123456789", FRAME) for _ in range(FACTS)],
    "a frame of another size": [AssistantSpoke("item_0123456789", FRAME[: 150 + n % 2]) for n in range(FACTS)],
    "a mark in its turn": [MarkReached(f"3.{n}") for n in range(FACTS)],
    "some words": [AssistantSaid("item_0123456789", " of some words") for _ in range(FACTS)],
}


class _Nothing:
    """The peer: a journal that notes nothing."""

    def note(self, event: Event, now: int) -> None:
        pass


def best_us(facts: Sequence[Event], journal: type[Journal] | type[_Nothing]) -> float:
    """Return the microseconds that one note takes in the quietest round."""
    best = float("inf")
    for _ in range(ROUNDS):
        note = (Journal(PCMU_8K, Rules(), None, 0) if journal is Journal else _Nothing()).note
        start = time.perf_counter()
        now = 0
        for fact in facts:
            now += FRAME_MS
            note(fact, now)
        best = min(best, time.perf_counter() - start)
    return best / len(facts) * 1e6


def size(facts: Sequence[Event]) -> float:
    """Return the bytes that one note takes in the long run."""
    journal, other = Journal(PCMU_8K, Rules(), None, 0), Journal(PCMU_8K, Rules(), None, 0)
    for number, fact in enumerate(facts):
        journal.note(fact, number * FRAME_MS)
    other.note(facts[0], 0)
    return (journal.size - other.size) / (len(facts) - 1)


def hour_kb() -> tuple[float, float]:
    """Return the kilobytes of an hour in which both speak all the time: in memory, and as a file."""
    journal = Journal(PCMU_8K, Rules(), None, 0)
    late = Random(1)  # noqa: S311 - a network's whims
    heard, spoke = CallerHeard(FRAME), AssistantSpoke("item_0123456789", FRAME)
    for number in range(HOUR_FRAMES):
        now = number * FRAME_MS + late.randrange(5)  # each a little late in its own way
        journal.note(heard, now)
        journal.note(spoke, now + 5)
        if number % 5 == 0:
            journal.note(MarkReached(f"0.{number // 5}"), now + 6)
    return journal.size / 1000, len(journal.encode()) / 1000


def rows() -> list[tuple[str, ...]]:
    """Measure every kind of fact."""
    measured: list[tuple[str, ...]] = []
    for name, facts in KINDS.items():
        ours, bare = best_us(facts, Journal), best_us(facts, _Nothing)
        measured.append((name, f"{ours - bare:.2f}", f"{ours / bare:.1f}", f"{size(facts):.1f}"))
    return measured


def main() -> None:
    """Print the table."""
    told = table(("a note of", "us", "of an empty method", "bytes"), rows())
    memory, file = hour_kb()
    sys.stdout.write(f"{told}\nan hour of both speaking: {memory:.0f} KB in memory, {file:.0f} KB as a file\n")


if __name__ == "__main__":
    main()
