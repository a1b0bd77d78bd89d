"""A program that hears: one utterance and what may be said in, words out.

PocketSphinx holds the interpreter while it decodes, up to a second, so it lives here and never in the server's process.
Run as ``python -m phone_bridge.assistant.hearing_worker``; ``worker`` has the pipe, ``hearing`` the other end of it.

The decoder first follows trigrams that were learned from sentences of the grammar; of its best sentences the first that
belongs to the grammar wins. Where none does, it searches the grammar's own network, which takes three times as long. A
second decoder hears phones in any order: a sentence that fits far worse than those is nonsense.
"""

import json
import random
import re
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Container
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx as ps  # type: ignore[import-untyped]  # ships no types

from phone_bridge.assistant.grammar import replies, wishes
from phone_bridge.assistant.language_model import arpa
from phone_bridge.assistant.network import Network
from phone_bridge.assistant.widening import widened
from phone_bridge.assistant.worker import serve
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.audio.whole import pcm16, samples

SENTENCES = 12_000
"""Sentences of the grammar that the trigrams are learned from; 5,000 hear worse, 30,000 no better."""

MIN_BYTES = 16_000 // 10 * 2
"""A tenth of a second: less says nothing, and the decoder fails on none at all."""

CANDIDATES = 100
"""How many of the decoder's best sentences are looked through for one that belongs to the grammar."""

GRAMMARS_KEPT = 8
"""Grammars of callers that are kept ready; each has a decoder of some 30 MB."""

SHORTEST_BYTES = LINEAR_16K.size(100)
"""Less sound than this has no word in it, and the decoder fails on none at all."""

NONSENSE_PER_FRAME = 16.0
"""How much worse than free phones, per frame, a sentence may fit before it counts as not understood."""

WEIGHTS = {"lw": 4.0, "fwdflatlw": 6.0, "bestpathlw": 6.0}
"""How much the trigrams weigh against the sound, in each of the decoder's passes."""

_TRIGRAMS, _NETWORK = "trigrams", "network"
_VARIANT = re.compile(r"\(\d+\)$")


class Hearer:
    """The decoders: one for each grammar in use, and one for phones in any order."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="hearing-")
        self._dictionary = _dictionary()
        phones = ps.get_model_path("en-us/en-us-phone.lm.bin")
        self._phones: Any = ps.Decoder(allphone=phones, lm=None, loglevel="FATAL", beam=1e-20, pbeam=1e-20, lw=2.0)
        self._ready: OrderedDict[str, tuple[Network, Any]] = OrderedDict()

    def unknown(self, words: list[str]) -> list[str]:
        """Name the words that have no pronunciation here."""
        return [word for word in words if word not in self._dictionary]

    def hear(self, sound: bytes, mood: str, phrases: list[str], spellings: dict[str, str]) -> tuple[str, float]:
        """Recognise ``sound`` (linear 16 kHz): the words, empty where none fit, and 0 to 1 how well they do."""
        network, decoder = self._grammar(mood, phrases, spellings)
        if len(sound) < SHORTEST_BYTES:
            return "", 0.0
        pcm = pcm16(widened(samples(sound)))
        _decode(decoder, pcm, _TRIGRAMS)
        text, score = _best(decoder, network)
        if not text:
            _decode(decoder, pcm, _NETWORK)
            text, score = _best(decoder, network)
        if not text:
            return "", 0.0
        _decode(self._phones, pcm)
        worse = (self._phones.hyp().score - score) / max(1, decoder.n_frames()) if self._phones.hyp() else 0.0
        return (text, _confidence(worse)) if worse < NONSENSE_PER_FRAME else ("", 0.0)

    def _grammar(self, mood: str, phrases: list[str], spellings: dict[str, str]) -> tuple[Network, Any]:
        name = json.dumps([mood, phrases, spellings], sort_keys=True)
        if name not in self._ready:
            while len(self._ready) >= GRAMMARS_KEPT:
                self._ready.popitem(last=False)
            network = Network(replies(phrases) if mood == "consent" else wishes(phrases))
            self._ready[name] = network, self._decoder(network, spellings)
        self._ready.move_to_end(name)
        return self._ready[name]

    def _decoder(self, network: Network, spellings: dict[str, str]) -> Any:
        """Make a decoder that knows the network's words and no others; what cannot be pronounced is left out."""
        known = {word: self._dictionary.get(word, [spellings.get(word, "")]) for word in sorted(network.words)}
        known = {word: ways for word, ways in known.items() if ways[0]}
        chance = random.Random(1)  # noqa: S311 - no secret: the same grammar is to be heard alike each time
        drawn = (network.sentence(chance) for _ in range(SENTENCES))
        model = arpa(words for words in drawn if all(word in known for word in words))
        dictionary, trigrams = Path(self._folder.name, "words.dict"), Path(self._folder.name, "words.lm")
        dictionary.write_text("".join(_entry(word, ways) for word, ways in known.items()))
        trigrams.write_text(model)
        decoder: Any = ps.Decoder(dict=str(dictionary), lm=None, loglevel="FATAL", **WEIGHTS)
        decoder.add_lm_file(_TRIGRAMS, str(trigrams))
        decoder.add_fsg(_NETWORK, decoder.create_fsg(_NETWORK, network.start, network.final, _steps(network, known)))
        return decoder


def _steps(network: Network, known: Container[str]) -> list[tuple[Any, ...]]:
    """Give the network's ways, equally likely from each state; a word without a pronunciation is passed over."""
    steps = network.steps()
    ways = Counter(state for state, _, _ in steps)
    return [
        (state, to, 1 / ways[state], word) if word in known else (state, to, 1 / ways[state])
        for state, to, word in steps
    ]


def _dictionary() -> dict[str, list[str]]:
    """Read the model's pronunciations of every word."""
    ways: dict[str, list[str]] = {}
    for line in Path(ps.get_model_path("en-us/cmudict-en-us.dict")).read_text().splitlines():
        word, _, phones = line.partition(" ")
        ways.setdefault(_VARIANT.sub("", word), []).append(phones)
    return ways


def _entry(word: str, ways: list[str]) -> str:
    return "".join(f"{word}{f'({number})' if number > 1 else ''} {way}\n" for number, way in enumerate(ways, 1))


def _decode(decoder: Any, pcm: bytes, search: str = "") -> None:
    if search:
        decoder.activate_search(search)
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


def _best(decoder: Any, network: Network) -> tuple[str, float]:
    """Give the first of the decoder's sentences that belongs to the grammar, with its score."""
    first = decoder.hyp()
    if first is None or not first.hypstr:
        return "", 0.0
    if network.accepts(first.hypstr.split()):
        return first.hypstr, first.score
    for other in islice(decoder.nbest(), CANDIDATES):
        if other.hypstr and network.accepts(other.hypstr.split()):
            return other.hypstr, first.score
    return "", 0.0


def _confidence(worse: float) -> float:
    return round(float(np.clip(1 - worse / NONSENSE_PER_FRAME, 0.0, 1.0)), 3)


def main() -> None:
    """Hear until there are no more utterances."""
    hearer = Hearer()

    def answer(request: bytes) -> bytes:
        head, _, sound = request.partition(b"\n")
        wish = json.loads(head)
        if "words" in wish:
            return json.dumps(hearer.unknown(wish["words"])).encode()
        text, confidence = hearer.hear(sound, wish["mood"], wish["phrases"], wish["spellings"])
        return json.dumps({"text": text, "confidence": confidence}).encode()

    serve(answer)


if __name__ == "__main__":
    main()
