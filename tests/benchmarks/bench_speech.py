"""What the offline ear understands of other voices over a telephone, and how soon the answer begins.

``python -m tests.benchmarks.bench_speech [--every N] [--turns N]``: every Nth of the 408 commands is spoken by every
voice that this machine has (``offline_voices``), and the answers to questions are, which are heard once as what a
question expects, and once as if none had been asked. Then N turns are played in real time to a whole session with its
real ear, calendar and voice. The time counts from the last sound of the caller's words to the first sound of the
answer that the session sends, the silence that ends the turn included; what a carrier and its network add is not in it.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from phone_bridge.assistant.calendar.demo import ALICE
from phone_bridge.assistant.calendar.store import SqlKeeper
from phone_bridge.assistant.grammar import spoken
from phone_bridge.assistant.hearing import SphinxEar, Utterances
from phone_bridge.assistant.hearing_worker import Hearer
from phone_bridge.assistant.mind import CalendarMind
from phone_bridge.assistant.minting import random_id
from phone_bridge.assistant.performer import Clocks, Faculties, Grant
from phone_bridge.assistant.ports import Mood
from phone_bridge.assistant.session import VoiceSession
from phone_bridge.assistant.speaking import EspeakVoice
from phone_bridge.assistant.understanding import fragment, understand
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K
from phone_bridge.audio.level import dbfs
from phone_bridge.audio.path import path
from phone_bridge.call.assent import understand as judge
from phone_bridge.sessions.chronapilot import messages as m
from phone_bridge.sessions.chronapilot.keeper import ChronaPilotKeeper
from phone_bridge.tools.calendar import CALENDAR_TOOLS, CalendarTools
from tests.assistant.commands import corpus
from tests.assistant.commands.corpus import TITLES, Command
from tests.assistant.some_week import NOW
from tests.benchmarks.load import percentile
from tests.benchmarks.offline_voices import AFTER_MS, Say, by_phone, utterance, voices
from tests.benchmarks.tables import table

GOAL_P50_MS, GOAL_P95_MS = 400, 900
FRAME_MS = 20
QUIET_DBFS = -50.0
PATIENCE_SECONDS = 6.0
BETWEEN_TURNS_SECONDS = 0.5
EVERY, TURNS = 12, 24
PHRASES = sorted({spoken(title) for title in TITLES})
_HALVES = re.compile(r"\b([ap])[. ]m\b\.?")

ASKED = (
    "What is my next meeting?",
    "What do I have tomorrow?",
    "Am I free on Thursday at four?",
    "When is my dentist appointment?",
    "What is on my calendar today?",
    "Do I have anything on Friday?",
    "Where is my next meeting?",
    "What are my appointments next week?",
)
"""Wishes that are answered at once and leave nothing open."""


class Heard(msgspec.Struct):
    """What was understood of one voice."""

    commands: int = 0
    words: int = 0
    words_wrong: int = 0
    intents: int = 0
    whole: int = 0
    empty: int = 0
    cpu_ms: list[float] = []

    def add(self, said: Command, heard: str, cpu_ms: float) -> None:
        """Count one command; nonsense is understood where it is taken for no wish."""
        wish, slots = corpus.read(heard)
        reference = _words(said.text)
        self.commands += 1
        self.words += len(reference)
        self.words_wrong += min(len(reference), edits(reference, _words(heard)))
        self.intents += wish == said.wish
        self.whole += (wish, slots) == (said.wish, said.slots)
        self.empty += not heard and said.wish != "fragment"
        self.cpu_ms.append(cpu_ms)

    def row(self, name: str) -> tuple[str, ...]:
        """Show it."""
        wrong = self.commands - self.whole - self.empty
        shares = (1 - self.words_wrong / self.words, *(n / self.commands for n in (self.intents, self.whole)))
        less = (n / self.commands for n in (self.empty, wrong))
        times = (f"{percentile(self.cpu_ms, 0.5):.0f}", f"{percentile(self.cpu_ms, 0.95):.0f}")
        return (name, f"{self.commands}", *(f"{share:.0%}" for share in (*shares, *less)), *times)


def edits(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Count the words that must be put in, left out or changed (Levenshtein)."""
    costs = list(range(len(heard) + 1))
    for word in reference:
        before, costs[0] = costs[0], costs[0] + 1
        for at, other in enumerate(heard, 1):
            before, costs[at] = costs[at], min(costs[at] + 1, costs[at - 1] + 1, before + (word != other))
    return costs[-1]


def _words(text: str) -> list[str]:
    return spoken(_HALVES.sub(r"\1m", text)).split()


def accuracy(every: int) -> dict[str, Heard]:
    """Have every ``every``-th command spoken by every voice, and count what was understood."""
    hearer = Hearer()
    hearer.hear(b"", Mood.WISH.value, PHRASES, {})
    found: dict[str, Heard] = {}
    chosen = [command for part in ("seen", "held_out") for command in corpus.commands(part)][::every]
    for name, say in voices().items():
        found[name] = Heard(cpu_ms=[])
        for said in chosen:
            sound = utterance(say, said.text)
            began = time.process_time()
            heard, _ = hearer.hear(sound, Mood.WISH.value, PHRASES, {})
            found[name].add(said, heard, (time.process_time() - began) * 1000)
    return found


class Answered(msgspec.Struct):
    """How many answers were heard as they were said, or not at all; the rest was heard as something else."""

    said: int = 0
    right: int = 0
    empty: int = 0

    def add(self, said: str, heard: str) -> None:
        """Count one answer: right if it means the same, alone and as an answer."""
        self.said += 1
        self.right += bool(heard) and _meaning(heard) == _meaning(said)
        self.empty += not heard

    def cells(self) -> tuple[str, ...]:
        """Show the shares."""
        wrong = self.said - self.right - self.empty
        return tuple(f"{part / max(1, self.said):.0%}" for part in (self.right, self.empty, wrong))


def _meaning(text: str) -> tuple[object, ...]:
    today = NOW.date()
    return understand(text, today, TITLES), fragment(text, today), judge(text)


def answered() -> dict[Mood, tuple[Answered, Answered]]:
    """Have every answer spoken by every voice, and hear it as a wish and as what its question expects."""
    hearer = Hearer()
    found: dict[Mood, tuple[Answered, Answered]] = {
        mood: (Answered(), Answered()) for mood in Mood if mood not in (Mood.WISH, Mood.DIGITS)
    }
    for say in voices().values():
        for mood, said in corpus.answers():
            sound = utterance(say, said)
            for count, heard_as in zip(found[mood], (Mood.WISH, mood), strict=True):
                count.add(said, hearer.hear(sound, heard_as.value, PHRASES, {})[0])
    return found


def answered_table(found: dict[Mood, tuple[Answered, Answered]]) -> str:
    """Show both ways of hearing beside each other."""
    head = ("answers", "number", "unasked: right", "not heard", "misheard", "asked: right", "not heard", "misheard")
    rows = [(mood.value, f"{two[0].said}", *two[0].cells(), *two[1].cells()) for mood, two in found.items()]
    return table(head, rows)


def accuracy_table(found: dict[str, Heard]) -> str:
    """Show every voice and all of them."""
    everyone = Heard(cpu_ms=[ms for each in found.values() for ms in each.cpu_ms])
    for field in ("commands", "words", "words_wrong", "intents", "whole", "empty"):
        setattr(everyone, field, sum(getattr(each, field) for each in found.values()))
    head = ("voice", "commands", "words", "intent", "and slots", "not heard", "misheard", "ms p50", "ms p95")
    return table(head, [*(each.row(name) for name, each in found.items()), everyone.row("all")])


class Line:
    """The client's end of a session: what it is told, with the time."""

    def __init__(self) -> None:
        self.first_sound: asyncio.Future[float] | None = None
        self.done = asyncio.Event()
        self.attached: asyncio.Future[VoiceSession] = asyncio.get_running_loop().create_future()

    def attach(self, listener: VoiceSession) -> None:
        self.attached.set_result(listener)

    def send(self, message: str | bytes) -> None:
        kind = str(message)
        if '"type":"audio.delta"' in kind and self.first_sound is not None and not self.first_sound.done():
            self.first_sound.set_result(time.perf_counter())
        elif '"type":"response.done"' in kind:
            self.done.set()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Know that the session ended."""

    async def wait_writable(self) -> None:
        """Take everything at once."""

    async def ask(self, sound: bytes) -> float | None:
        """Say ``sound`` in real time; the milliseconds from its last word to the first sound of the answer."""
        listener = await self.attached
        self.first_sound = asyncio.get_running_loop().create_future()
        self.done.clear()
        step = LINEAR_24K.size(FRAME_MS)  # what a session takes that is told nothing else
        frames = [sound[at : at + step] for at in range(0, len(sound), step)]
        last = max(at for at, frame in enumerate(frames) if dbfs(frame) > QUIET_DBFS)
        began = time.perf_counter()
        for at, frame in enumerate(frames + [bytes(step)] * int(PATIENCE_SECONDS * 1000 / FRAME_MS)):
            await asyncio.sleep(max(0.0, began + (at + 1) * FRAME_MS / 1000 - time.perf_counter()))
            listener.message(m.encode(m.AudioAppend(frame)))
            if self.first_sound.done() and at > last:
                break
        else:
            return None
        ended = began + (last + 1) * FRAME_MS / 1000
        await self.done.wait()
        return (self.first_sound.result() - ended) * 1000


class Latency(msgspec.Struct, frozen=True):
    """How soon answers began, and what the calls cost."""

    first_ms: tuple[float, ...]
    unanswered: int
    seconds: float
    cpu_seconds: float

    @property
    def calls_a_core(self) -> float:
        """Tell how many such calls, turn after turn without a rest, one core could serve."""
        return self.seconds / self.cpu_seconds


async def latency(says: Sequence[Say], turns: int) -> Latency:
    """Play ``turns`` turns, one after the other, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        keeper = SqlKeeper(f"sqlite:///{folder}/calendar.db", new_id=random_id, now=_wall)
        keeper.prepare()
        ear, voice = SphinxEar(), EspeakVoice()
        faculties = Faculties(
            endpointer=Utterances,
            ear=ear,
            mind=CalendarMind(keeper, new_id=random_id, now=_wall),
            tools=CalendarTools(keeper, _wall),
            voice=voice,
        )
        until = _now() + 3_600_000
        grant = Grant("vs_bench", ALICE.id, CALENDAR_TOOLS.names(), _wall().replace(year=2100), until)
        keeping = ChronaPilotKeeper(random_id)
        session, line = VoiceSession(grant, faculties, Clocks(now=_now, wall=_wall), random_id, keeping), Line()
        serving = asyncio.create_task(session.serve(line))
        try:
            return await _played(line, says, turns)
        finally:
            session.closed(1000, "")
            await serving
            await asyncio.gather(ear.close(), voice.close())
            keeper.close()


async def _played(line: Line, says: Sequence[Say], turns: int) -> Latency:
    sounds = [by_phone(says[at % len(says)], ASKED[at % len(ASKED)]) for at in range(turns)]
    sounds = [sound[: len(sound) - LINEAR_16K.size(AFTER_MS - FRAME_MS)] for sound in sounds]
    sounds = [path(LINEAR_16K, LINEAR_24K).push(sound) for sound in sounds]
    await line.ask(sounds[0])  # what is learned once is not a turn's
    began, before, found = time.perf_counter(), cpu_seconds(), []
    for sound in sounds:
        found.append(await line.ask(sound))
        await asyncio.sleep(BETWEEN_TURNS_SECONDS)
    times = tuple(ms for ms in found if ms is not None)
    return Latency(times, len(found) - len(times), time.perf_counter() - began, cpu_seconds() - before)


def cpu_seconds() -> float:
    """Add up the processor time of this process and its programs."""
    mine = str(os.getpid())
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, fields = stat.parent.name, stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if mine in (pid, fields[1]):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def latency_table(found: Latency) -> str:
    """Hold the times against their goals."""
    rows = [
        ("turns answered", f"{len(found.first_ms)} of {len(found.first_ms) + found.unanswered}", "all"),
        ("end of speech to first sound, p50", f"{percentile(found.first_ms, 0.5):.0f} ms", f"{GOAL_P50_MS} ms"),
        ("end of speech to first sound, p95", f"{percentile(found.first_ms, 0.95):.0f} ms", f"{GOAL_P95_MS} ms"),
        ("processor time of a turn", f"{found.cpu_seconds / max(1, len(found.first_ms)) * 1000:.0f} ms", "-"),
        ("calls a core can serve, all talking without rest", f"{found.calls_a_core:.0f}", "-"),
    ]
    return table(("speech on", "measured", "goal"), rows)


def _now() -> int:
    return int(time.monotonic() * 1000)


def _wall() -> datetime:
    return datetime.now(UTC)


def main(every: int = EVERY, turns: int = TURNS) -> None:
    """Measure and print."""
    sys.stdout.write(accuracy_table(accuracy(every)) + "\n\n")
    sys.stdout.write(answered_table(answered()) + "\n\n")
    sys.stdout.flush()
    sys.stdout.write(latency_table(asyncio.run(latency(list(voices().values()), turns))) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_speech", description=__doc__)
    parser.add_argument("--every", type=int, default=EVERY, help="speak every Nth command")
    parser.add_argument("--turns", type=int, default=TURNS, help="turns in real time")
    options = parser.parse_args()
    main(options.every, options.turns)
