"""The sentence of a network that sounds most like the words that were heard, without a second look at the sound.

Between the words and a sentence stand words said for others, words too many and words that are missing. What one word
for another costs is how far their phones are apart. All ways through the network are followed at once, word by word of
what was heard, and the cheapest one that ends is the sentence (a shortest path through words times states).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phone_bridge.assistant.network import Network

OTHER_WORD = 0.15
"""What every word that stands for another costs, beside the distance of their phones (0 to 1 of the longer one's)."""

MISSING_WORD, TOO_MANY = 0.25, 0.2
"""What a word costs that was not heard, or is not in the sentence, beside ``PHONE`` for each of its phones."""

PHONE = 0.11
OTHER_VOWEL = 0.5
"""One vowel for another; every other phone for another, and one more or less, is 1."""

MISSING_MAX = 2
"""How many words may be missing between two that were heard."""

_VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())  # noqa: SIM905 - read more easily
_UNSAID = "AH"  # stands for the phones of a word that nobody can pronounce

_Costs = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.int64]


class Found(NamedTuple):
    """A sentence of the network, and what lies between it and what was heard, for each word that was."""

    words: tuple[str, ...]
    cost: float


class Nearest:
    """Find sentences of ``network``, whose words sound as ``phones`` says (ARPABET)."""

    def __init__(self, network: Network, phones: Mapping[str, str]) -> None:
        words = sorted(network.words)
        self._words = words
        self._numbers = {word: number for number, word in enumerate(words)}
        self._sounds = _Sounds([phones.get(word) or _UNSAID for word in words])
        self._start = network.start
        self._ends = np.full(network.final + 1, np.inf)
        self._ends[[state for state, _, word in network.steps() if not word]] = 0.0
        ways = sorted((to, state, self._numbers[word]) for state, to, word in network.steps() if word)
        to, self._from, self._word = np.array(ways, dtype=np.int64).reshape(-1, 3).T
        self._to, self._first = np.unique(to, return_index=True)
        self._ways = np.diff(np.append(self._first, len(to)))
        self._missing = (MISSING_WORD + PHONE * self._sounds.lengths)[self._word]

    def find(self, heard: Sequence[str]) -> Found | None:
        """Find the sentence nearest to ``heard``, whose words the network does not know are passed over."""
        numbers = [self._numbers[word] for word in heard if word in self._numbers]
        if not numbers:
            return None
        costs = np.full(len(self._ends), np.inf)
        costs[self._start] = 0.0
        came = [_Came.nowhere(len(costs))]
        self._pass_over(costs, came[0])
        for number in numbers:
            costs = self._take(number, costs, came)
        end = int(np.argmin(costs + self._ends))
        cost = float(costs[end] + self._ends[end])
        return Found(self._walk(came, end), cost / len(numbers)) if np.isfinite(cost) else None

    def _take(self, number: int, costs: _Costs, came: list["_Came"]) -> _Costs:
        """Follow one word that was heard: as a word of the sentence, or as one too many."""
        back = _Came.nowhere(len(costs))
        taken: _Costs = costs + (TOO_MANY + PHONE * self._sounds.lengths[number])
        price = np.where(self._word == number, 0.0, OTHER_WORD + self._sounds.apart(number)[self._word])
        self._relax(costs, taken, price, back, 1)
        self._pass_over(taken, back)
        came.append(back)
        return taken

    def _pass_over(self, costs: _Costs, back: "_Came") -> None:
        """Follow words of the sentence that were not heard."""
        for _ in range(MISSING_MAX):
            self._relax(costs, costs, self._missing, back, 0)

    def _relax(self, before: _Costs, after: _Costs, price: _Costs, back: "_Came", heard: int) -> None:
        """Lower the costs ``after`` where a way from a state ``before`` is cheaper, and note that way."""
        by_way = before[self._from] + price
        least = np.minimum.reduceat(by_way, self._first)
        cheapest = np.flatnonzero(by_way == np.repeat(least, self._ways))
        which = np.searchsorted(self._first, cheapest, side="right") - 1
        cheapest = cheapest[np.unique(which, return_index=True)[1]]
        better = least < after[self._to]
        states = self._to[better]
        after[states] = least[better]
        back.way[states], back.heard[states] = cheapest[better], heard

    def _walk(self, came: Sequence["_Came"], state: int) -> tuple[str, ...]:
        """Go back from the end to the beginning, and say the words on the way."""
        words: list[str] = []
        at = len(came) - 1
        while at or state != self._start:
            way, heard = int(came[at].way[state]), int(came[at].heard[state])
            if way >= 0:
                words.append(self._words[self._word[way]])
                state = int(self._from[way])
            at -= heard
        return tuple(reversed(words))


class _Came(NamedTuple):
    """How each state was reached: by which way (-1 for none), and whether a heard word was used up."""

    way: _Numbers
    heard: _Numbers

    @staticmethod
    def nowhere(states: int) -> "_Came":
        return _Came(np.full(states, -1), np.ones(states, dtype=np.int64))


class _Sounds:
    """The phones of words, and how far apart two words are."""

    def __init__(self, spelled: Sequence[str]) -> None:
        split = [word.split() for word in spelled]
        phones = sorted({phone for word in split for phone in word})
        number = {phone: at for at, phone in enumerate(phones)}
        self.lengths = np.array([len(word) for word in split])
        self._phones = np.zeros((len(split), int(self.lengths.max(initial=1))), dtype=np.int64)
        for row, word in zip(self._phones, split, strict=True):
            row[: len(word)] = [number[phone] for phone in word]
        vowel = np.array([phone in _VOWELS for phone in phones])
        self._swap = np.where(vowel[:, None] & vowel, OTHER_VOWEL, 1.0)
        np.fill_diagonal(self._swap, 0.0)
        self._known: dict[int, _Costs] = {}

    def apart(self, number: int) -> _Costs:
        """Give the distance of every word from the one with this number: 0 to 1."""
        if number not in self._known:
            self._known[number] = self._measured(number)
        return self._known[number]

    def _measured(self, number: int) -> _Costs:
        """Measure by edits of phones (Levenshtein), all words at once."""
        words, longest = self._phones.shape
        costs = np.tile(np.arange(longest + 1.0), (words, 1))
        size = int(self.lengths[number])
        for phone in self._phones[number, :size]:
            after = np.empty_like(costs)
            after[:, 0] = costs[:, 0] + 1
            swapped = costs[:, :-1] + self._swap[phone][self._phones]
            for at in range(longest):
                after[:, at + 1] = np.minimum(np.minimum(costs[:, at + 1], after[:, at]) + 1, swapped[:, at])
            costs = after
        apart: _Costs = costs[np.arange(words), self.lengths] / np.maximum(self.lengths, size)
        return apart
