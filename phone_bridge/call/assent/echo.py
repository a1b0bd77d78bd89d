"""Our own prompt, heard back over a loudspeaker or a bad line."""

from phone_bridge.call.assent.hearing import Words

SHORTEST_ECHO = 2
"""Words; one word alone may be anybody's."""

SHORTEST_GARBLED_ECHO = 4
"""Words; a shorter likeness is chance."""

GARBLED_SHARE = 0.6
"""How much of a garbled echo must be ours: matches less misses and gaps, as a share of its words."""

WIDEST_GAP = 2
"""Words of the prompt that a recogniser may swallow in the middle of a short echo."""


def is_cut_out(words: Words, prompt: Words) -> bool:
    """Tell whether ``words``, two or more, stand in ``prompt`` just so."""
    size = len(words)
    return size >= SHORTEST_ECHO and any(words == prompt[at : at + size] for at in range(len(prompt) - size + 1))


def is_thinned(words: Words, prompt: Words) -> bool:
    """Tell whether ``words``, two or more, are a cut-out of ``prompt`` from which up to two words got lost."""
    if len(words) < SHORTEST_ECHO:
        return False
    windows = (prompt[at : at + len(words) + WIDEST_GAP] for at in range(len(prompt)))
    return any(_in_order(words, window) for window in windows)


def is_garbled(words: Words, prompt: Words) -> bool:
    """Tell whether ``words``, four or more, are a part of ``prompt`` with some of them heard wrongly.

    Uses the best local alignment: a match counts one, a wrong, missing or extra word takes one away.
    """
    if len(words) < SHORTEST_GARBLED_ECHO:
        return False
    best = 0
    above = [0] * (len(prompt) + 1)
    for word in words:
        row = [0]
        for at, ours in enumerate(prompt):
            row.append(max(0, above[at] + (1 if word == ours else -1), above[at + 1] - 1, row[at] - 1))
        best = max(best, *row)
        above = row
    return best >= GARBLED_SHARE * len(words)


def _in_order(words: Words, window: Words) -> bool:
    rest = iter(window)
    return all(word in rest for word in words)
