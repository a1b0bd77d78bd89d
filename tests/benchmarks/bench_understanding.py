"""How well commands and dates are understood, in text: ``python -m tests.benchmarks.bench_understanding``.

No clock is needed for the shares, which are the same everywhere; the time of one turn is for information.
"""

import sys
import time

from phone_bridge.assistant.understanding import understand
from tests.assistant import dates
from tests.assistant.commands import corpus
from tests.assistant.some_week import NOW
from tests.benchmarks.tables import table

PARTS = {"seen": "while the rules were made", "held_out": "unseen until then"}


def commands_table() -> str:
    """Show how many wishes, and how many with every slot, are understood."""
    rows = []
    for part, name in PARTS.items():
        found = corpus.score(part)
        cells = (f"{found.commands}", f"{found.wish_share:.1%}", f"{found.whole_share:.1%}", f"{found.wrong}")
        rows.append((name, *cells))
    return table(("commands", "number", "wish", "wish and every slot", "another wish"), rows)


def tools_table() -> str:
    """Show the shares of each wish, over both parts."""
    counts: dict[str, list[int]] = {}
    for command in (each for part in PARTS for each in corpus.commands(part)):
        wish, slots = corpus.read(command.text)
        count = counts.setdefault(command.wish, [0, 0, 0])
        for at, right in enumerate((True, wish == command.wish, (wish, slots) == (command.wish, command.slots))):
            count[at] += right
    rows = [(name, *(f"{number}" for number in count)) for name, count in sorted(counts.items())]
    return table(("wish", "number", "understood", "every slot"), rows)


def dates_table() -> str:
    """Show how many spoken dates are read rightly and wrongly."""
    found = dates.score()
    zones = len({str(said.now.tzinfo) for said in dates.spoken()})
    phrases = len({said.text for said in dates.spoken()})
    row = (f"{phrases}", f"{zones}", f"{found.right}/{found.phrases}", f"{found.wrong}")
    return table(("phrases", "zones", "right", "wrong"), [row])


def turn_us() -> float:
    """Measure what one turn costs, in microseconds."""
    turns = [each.text for part in PARTS for each in corpus.commands(part)]
    began = time.perf_counter()
    for text in turns:
        understand(text, NOW.date(), corpus.TITLES)
    return (time.perf_counter() - began) / len(turns) * 1e6


def main() -> None:
    """Print all of it."""
    parts = (commands_table(), tools_table(), dates_table(), f"{turn_us():.0f} us for one turn")
    sys.stdout.write("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
