"""How likely a word is after the two before it, learned from sentences: trigrams in the ARPA format.

Counts are lowered by a constant and what that leaves goes to the shorter context (interpolated absolute discounting),
so that words in an order that was never seen are unlikely, not impossible.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log10

ORDER = 3
DISCOUNT = 0.5
BEGIN, FINISH = "<s>", "</s>"
_FLOOR = 1e-12
_NEVER = 1e-10  # the sign of a beginning is never predicted

Gram = tuple[str, ...]


def arpa(sentences: Iterable[Sequence[str]]) -> str:
    """Write the trigrams of ``sentences`` as an ARPA file."""
    counts = _count(sentences)
    chances: list[dict[Gram, float]] = [_words(counts[0])]
    rests: list[dict[Gram, float]] = []
    for order in range(1, ORDER):
        longer, rest = _discounted(counts[order], chances[order - 1])
        chances.append(longer)
        rests.append(rest)
    return _written(chances, [*rests, {}])


def _count(sentences: Iterable[Sequence[str]]) -> list[Counter[Gram]]:
    counts: list[Counter[Gram]] = [Counter() for _ in range(ORDER)]
    for sentence in sentences:
        words = (BEGIN, *sentence, FINISH)
        for order in range(ORDER):
            counts[order].update(words[at : at + order + 1] for at in range(len(words) - order))
    return counts


def _words(counts: Counter[Gram]) -> dict[Gram, float]:
    total = sum(counts.values()) - counts[(BEGIN,)]
    return {gram: count / total if gram != (BEGIN,) else _NEVER for gram, count in counts.items()}


def _discounted(counts: Counter[Gram], shorter: dict[Gram, float]) -> tuple[dict[Gram, float], dict[Gram, float]]:
    """Give the chances of these grams, and of each context the share that is left to the shorter one."""
    total: defaultdict[Gram, int] = defaultdict(int)
    kinds: defaultdict[Gram, int] = defaultdict(int)
    for gram, count in counts.items():
        total[gram[:-1]] += count
        kinds[gram[:-1]] += 1
    rest = {context: DISCOUNT * kinds[context] / total[context] for context in total}
    chances = {
        gram: (count - DISCOUNT) / total[gram[:-1]] + rest[gram[:-1]] * shorter[gram[1:]]
        for gram, count in counts.items()
    }
    return chances, rest


def _written(chances: list[dict[Gram, float]], rests: list[dict[Gram, float]]) -> str:
    lines = ["\\data\\", *(f"ngram {order}={len(grams)}" for order, grams in enumerate(chances, 1))]
    for order, (grams, rest) in enumerate(zip(chances, rests, strict=True), 1):
        lines += ["", f"\\{order}-grams:"]
        for gram, chance in sorted(grams.items()):
            line = f"{log10(max(chance, _FLOOR)):.4f}\t{' '.join(gram)}"
            lines.append(f"{line}\t{log10(rest.get(gram, 1.0)):.4f}" if order < ORDER else line)
    return "\n".join([*lines, "", "\\end\\", ""])
