"""A program that hears: one utterance and what may be said in, words out.

PocketSphinx holds the interpreter while it decodes, up to a second, so it lives here and never in the server's process.
Run as ``python -m phone_bridge.assistant.hearing_worker``; ``worker`` has the pipe, ``hearing`` the other end of it.

The decoder follows trigrams that were learned from sentences of the grammar, over the grammar's words alone; of its
best sentences the first that belongs to the grammar wins, but a yes or a no, and the choice of a menu, must be the best
itself. For a wish of which none does, the sentence of the grammar that sounds most like the best one is taken, where
little enough lies between them: what was no wish at all is far from any. An answer to a question is never mended in
that way, and decoys stand beside it, lest something that sounds like a yes be taken for one.
"""

import json
import random
import tempfile
from collections import OrderedDict
from collections.abc import Container, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx as ps  # type: ignore[import-untyped]  # ships no types
from msgspec import Struct

from phone_bridge.assistant.grammar import DECOYS, answers, choices, replies, wishes
from phone_bridge.assistant.language_model import arpa
from phone_bridge.assistant.nearest import Nearest
from phone_bridge.assistant.network import Network
from phone_bridge.assistant.widening import widened
from phone_bridge.assistant.worker import serve
from phone_bridge.audio.format import LINEAR_16K
from phone_bridge.audio.whole import pcm16, samples
from phone_bridge.call.assent import Assent
from phone_bridge.call.assent import understand as judge

WISH, CONSENT, CHOICE = "wish", "consent", "choice"
"""The moods in which nothing was asked, in which a proposal is open, and in which a menu was said."""

SENTENCES = 12_000
"""Sentences of the grammar that the trigrams are learned from; 5,000 hear worse, 30,000 no better."""

DECOY_SENTENCES = 2_000
"""Sentences of one to three decoys, drawn beside answers. Of 180 words by three voices that sound like a yes or no and
were not among them, none passed for a yes and 16 for a no, where half as many decoys let 8 and 23 pass; for that, 3 of
48 times a yes has to be said again. Wishes need none."""

CHOICE_DECOYS = 8_000
"""The same beside the words of a menu. Of 56 choices by four voices 39 were understood and 3 taken for another one, and
of 52 other sentences 2 for a choice, where 2,000 let 6 and 3 pass; numbers, which nearly all of those were taken for
that they were among the words, are left to the keys."""

DENIALS = 3
"""Of so many of the decoder's best sentences none may be a no where a yes was heard: "certainly" and "certainly not"
are near each other. Of 120 heard as a yes that were one this holds back 1, of 6 that said no it holds back 2."""

CANDIDATES = 100
"""How many of the decoder's best sentences are looked through for one that belongs to the grammar."""

GRAMMARS_KEPT = 8
"""Grammars of callers that are kept ready: some 10 MB each, or a third of a second of work when it is needed again."""

SHORTEST_BYTES = LINEAR_16K.size(100)
"""Less sound than this has no word in it, and the decoder fails on none at all."""

LINE_NOISE_RMS = 12.0
"""Noise (-69 dBFS) that is put under every utterance. Silence of all zeros, as a simulated line has, has no spectrum,
and a mean over such frames misleads the decoder: of 63 wishes 42 were right without this, 51 with it."""

FIRST_CONFIDENCE, LATER_CONFIDENCE = 0.9, 0.6
"""About how often the decoder's best sentence was right, and a later one that was the first in the grammar."""

FURTHEST = 0.12
"""The most that may lie between what was heard and a sentence of the grammar, for each word heard (see ``nearest``).
Of 102 commands by three voices, most of them outside the grammar, 0.16 hears 8 % and 0.12 hears 4 % as something else,
and both understand a third with every slot; of 54 short wishes 9 % and 6 %."""

WEIGHTS = {"lw": 4.0, "fwdflatlw": 6.0, "bestpathlw": 6.0}
ANSWER_WEIGHTS = {"lw": 6.5, "fwdflatlw": 8.0, "bestpathlw": 8.0}
"""How much the trigrams weigh against the sound, in each of the decoder's passes: more where a question was asked whose
answers are few. Not where consent is: of 121 words that sound like a yes or no, by four voices each, 64 and not 35
passed for a yes with these."""

EFFORT = {"maxhmmpf": 3_000, "fwdflatefwid": 8, "fwdflatsfwin": 10}
"""How much the decoder tries: less than it would by itself, which takes a fifth longer and hears no more."""

_TRIGRAMS = "trigrams"


class Grammar(Struct):
    """A grammar that is ready: its network, the decoder of its words, and what finds the nearest sentence."""

    network: Network
    decoder: Any
    nearest: Nearest | None


class Hearer:
    """The decoders, one for each grammar in use."""

    def __init__(self) -> None:
        self._ready: OrderedDict[str, Grammar] = OrderedDict()

    def unknown(self, words: list[str]) -> list[str]:
        """Name the words that have no pronunciation here."""
        there = _dictionary(words)
        return [word for word in words if word not in there]

    def hear(self, sound: bytes, mood: str, phrases: list[str], spellings: dict[str, str]) -> tuple[str, float]:
        """Recognise ``sound`` (linear 16 kHz): the words, empty where none fit, and 0 to 1 how far to trust them."""
        grammar = self._grammar(mood, phrases, spellings)
        if len(sound) < SHORTEST_BYTES:
            return "", 0.0
        heard = _decode(grammar.decoder, _prepared(sound))
        best = _best(grammar.decoder, grammar.network)
        if grammar.nearest is None:
            strict = mood == CHOICE or _is_verdict(best[0])
            sure = best[1] >= FIRST_CONFIDENCE and not _is_denied(best[0], grammar)
            return best if sure or not strict else ("", 0.0)
        if best[0]:
            return best
        found = grammar.nearest.find(heard.split())
        return (" ".join(found.words), LATER_CONFIDENCE) if found and found.cost <= FURTHEST else ("", 0.0)

    def _grammar(self, mood: str, phrases: list[str], spellings: dict[str, str]) -> Grammar:
        name = json.dumps([mood, phrases, spellings], sort_keys=True)
        if name not in self._ready:
            while len(self._ready) >= GRAMMARS_KEPT:
                self._ready.popitem(last=False)
            self._ready[name] = _made(mood, phrases, spellings)
        self._ready.move_to_end(name)
        return self._ready[name]


def _is_verdict(text: str) -> bool:
    """Tell whether ``text`` would settle a question; nobody's consent is taken from a second guess."""
    return judge(text) in (Assent.YES, Assent.NO)


def _is_denied(text: str, grammar: Grammar) -> bool:
    """Tell whether ``text`` is a yes beside which the decoder has thought of a no."""
    if judge(text) is not Assent.YES:
        return False
    others = [other.hypstr for other in islice(grammar.decoder.nbest(), DENIALS) if other and other.hypstr]
    return any(judge(other) is Assent.NO and grammar.network.accepts(other.split()) for other in others)


def _made(mood: str, phrases: list[str], spellings: dict[str, str]) -> Grammar:
    """Make what hears in a ``mood``; words nobody can pronounce are left out."""
    asked = mood in (CONSENT, CHOICE)
    network = Network(_grammar_of(mood, phrases))
    decoys = [word for word in DECOYS if word not in network.words] if asked else []
    words = network.words.union(decoys)
    known = {word: [phones] for word, phones in spellings.items() if word in words and phones} | _dictionary(words)
    model = _trigrams(network, known, decoys, CHOICE_DECOYS if mood == CHOICE else DECOY_SENTENCES)
    decoder = _decoder(known, model, WEIGHTS if mood in (WISH, CONSENT) else ANSWER_WEIGHTS)
    nearest = None if asked else Nearest(network, {word: ways[0] for word, ways in known.items()})
    return Grammar(network, decoder, nearest)


def _grammar_of(mood: str, phrases: list[str]) -> str:
    if mood == WISH:
        return wishes(phrases)
    if mood == CHOICE:
        return choices(phrases)
    return replies(phrases) if mood == CONSENT else answers(mood, phrases)


def _trigrams(network: Network, known: Container[str], decoys: list[str], count: int) -> str:
    chance = random.Random(1)  # noqa: S311 - no secret: the same grammar is to be heard alike each time
    drawn = [network.sentence(chance) for _ in range(SENTENCES)]
    drawn += [chance.choices(decoys, k=chance.randint(1, 3)) for _ in range(count if decoys else 0)]
    return arpa(sentence for sentence in drawn if all(word in known for word in sentence))


def _decoder(known: Mapping[str, list[str]], model: str, weights: Mapping[str, float]) -> Any:
    with tempfile.TemporaryDirectory(prefix="hearing-") as folder:  # the decoder reads them at once and whole
        dictionary, trigrams = Path(folder, "words.dict"), Path(folder, "words.lm")
        dictionary.write_text("".join(_entry(word, known[word]) for word in sorted(known)))
        trigrams.write_text(model)
        decoder: Any = ps.Decoder(dict=str(dictionary), lm=None, loglevel="FATAL", **weights, **EFFORT)
        decoder.add_lm_file(_TRIGRAMS, str(trigrams))
        decoder.activate_search(_TRIGRAMS)
    return decoder


def _decode(decoder: Any, pcm: bytes) -> str:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return best.hypstr or "" if best is not None else ""


def _dictionary(words: Container[str]) -> dict[str, list[str]]:
    """Read how the model pronounces ``words``; the whole dictionary would fill 40 MB, and reading takes a moment."""
    ways: dict[str, list[str]] = {}
    with Path(ps.get_model_path("en-us/cmudict-en-us.dict")).open() as lines:
        for line in lines:
            entry, _, phones = line.partition(" ")
            word = entry.partition("(")[0]  # its further ways are "word(2)"
            if word in words:
                ways.setdefault(word, []).append(phones.rstrip("\n"))
    return ways


def _entry(word: str, ways: list[str]) -> str:
    return "".join(f"{word}{f'({number})' if number > 1 else ''} {way}\n" for number, way in enumerate(ways, 1))


def _prepared(sound: bytes) -> bytes:
    """Make the sound of a telephone what the model expects."""
    heard = samples(sound)
    noise = np.random.default_rng(1).normal(0.0, LINE_NOISE_RMS, heard.size)  # the same sound is heard alike each time
    return pcm16(widened(heard + noise))


def _best(decoder: Any, network: Network) -> tuple[str, float]:
    """Give the first of the decoder's sentences that belongs to the grammar, and how far it can be trusted."""
    first = decoder.hyp()
    if first is None or not first.hypstr:
        return "", 0.0
    if not network.words.issuperset(first.hypstr.split()):
        return "", 0.0  # a decoy
    if network.accepts(first.hypstr.split()):
        return first.hypstr, FIRST_CONFIDENCE
    # the decoder gives None for a sentence of which it has lost the words
    others = (other.hypstr for other in islice(decoder.nbest(), CANDIDATES) if other and other.hypstr)
    text = next((other for other in others if network.accepts(other.split())), "")
    return text, LATER_CONFIDENCE if text else 0.0


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
