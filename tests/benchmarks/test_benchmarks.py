"""The benchmarks' own measuring, and the whole harness for a moment with a few calls over real sockets."""

import asyncio
import math
import sys

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from phone_bridge.assistant.ports import Mood
from phone_bridge.audio.format import LINEAR_16K, LINEAR_24K, PCMU_8K
from phone_bridge.legs.twilio.carrier import CarrierStream
from phone_bridge.legs.twilio.messages import StreamStart
from phone_bridge.simulator.playout import Playout
from phone_bridge.tools.calendar import CALENDAR_TOOLS
from tests.assistant.commands.corpus import Command
from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import bench_reminders, bench_speech, bench_understanding
from tests.benchmarks.bench_barge_in import Figures, figures_table, interrupt
from tests.benchmarks.bench_calls import Climb, Step, climb, steps_table, verdict
from tests.benchmarks.bench_keys import press
from tests.benchmarks.bench_pump import Bench
from tests.benchmarks.bench_tools import TOOLS, call_tools, tools_table
from tests.benchmarks.far_ends import bridge, relay
from tests.benchmarks.load import FRAME_MS, Drain, Track, coded_size, deltas, percentile, speech
from tests.benchmarks.offline_voices import utterance, voices
from tests.benchmarks.processes import Child
from tests.benchmarks.tables import table
from tests.benchmarks.tongues import REALTIME

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc")

CALLS = 3
FEW_SECONDS = 60


def step(calls: int, p99: float = 1.0, *, cpu: float = 0.5, lost: int = 0, kb: int = 90_000) -> Step:
    return Step(calls, (0.1, p99), (0.1, 0.2), cpu, 0.1, 0.0, kb, 0, lost)


def test_what_is_understood_is_told_for_every_tool() -> None:
    assert "held" not in bench_understanding.commands_table()
    lines = bench_understanding.tools_table().splitlines()
    assert {line.split()[0] for line in lines[1:]} > CALENDAR_TOOLS.names()
    assert bench_understanding.dates_table().split()[-1] == "0"
    assert bench_understanding.turn_us() > 0


class TestMatching:
    @given(st.binary(min_size=1, max_size=500))
    def test_a_message_s_length_tells_how_much_sound_it_carries(self, audio: bytes) -> None:
        codec = CarrierStream(StreamStart(call_sid="CA1", stream_sid="MZ1", account_sid="AC1"))
        empty = len(codec.media(b"", 0))
        codec = CarrierStream(StreamStart(call_sid="CA1", stream_sid="MZ1", account_sid="AC1"))
        message = codec.media(audio, 0)
        start = message.index('"payload":"') + len('"payload":"')
        short = message[start : message.index('"', start)]
        assert coded_size(f'{{"type":"audio.append","audio":"{short}"}}', 34) == len(audio)
        assert len(message) - empty == len(short)

    def test_a_frame_counts_once_it_is_whole(self) -> None:
        track = Track(160)
        track.sent()
        track.sent()
        assert list(track.arrived(159)) == []
        assert len(list(track.arrived(1))) == 1
        assert len(list(track.arrived(160))) == 1

    def test_more_sound_than_was_sent_matches_nothing(self) -> None:
        track = Track(160)
        track.sent()
        assert len(list(track.arrived(480))) == 1

    @given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), min_size=1, max_size=40))
    def test_the_short_cut_for_playing_gives_marks_back_when_the_exact_buffer_does(
        self, sends: list[tuple[int, int]]
    ) -> None:
        drain, exact, now = Drain(), Playout(0), 0
        due: dict[str, float] = {}
        reached: dict[str, float] = {}
        for pause, frames in sends:
            now += pause
            reached |= {mark.name: mark.sample / 8 for mark in exact.advance(now).marks}
            drain.play(frames * FRAME_MS, now)
            exact.play(bytes(frames * FRAME_MS * 8))
            name = str(len(due))
            due[name] = drain.reached(now)
            assert exact.mark(name) == ()
        reached |= {mark.name: mark.sample / 8 for mark in exact.advance(now + 10_000).marks}
        assert due == reached

    def test_sound_that_comes_too_late_is_a_gap(self) -> None:
        drain = Drain()
        assert [drain.play(20, 100), drain.play(20, 119), drain.play(20, 141)] == [False, False, True]


class TestReport:
    def test_percentiles_are_values_that_were_measured(self) -> None:
        assert percentile(range(1, 101), 0.99) == 100
        assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
        assert percentile([], 0.5) == math.inf

    def test_columns_are_as_wide_as_their_widest_cell(self) -> None:
        assert table(("a", "b"), [("long", "1"), ("x", "100")]) == "a       b\nlong    1\nx     100"

    def test_the_calls_held_are_those_before_the_first_step_over_the_limit(self) -> None:
        climbed = Climb("x", 80_000, [step(100), step(200, cpu=0.8), step(300, 20.5), step(400)])
        assert climbed.held.calls == 200
        assert climbed.held.calls_by_cpu == pytest.approx(250)
        assert verdict(climbed).startswith("x: 200 calls held, 250 by CPU")

    def test_a_step_that_lost_a_call_does_not_hold(self) -> None:
        climbed = Climb("x", 80_000, [step(100), step(200, lost=2)])
        assert climbed.held.calls == 100
        assert "2 sockets were lost at 200 calls" in verdict(climbed)

    def test_a_step_in_which_nothing_arrived_does_not_hold(self) -> None:
        assert not step(100, percentile([], 0.99)).held

    def test_memory_is_divided_at_the_first_step_with_so_many_calls(self) -> None:
        climbed = Climb("x", 80_000, [step(100), step(250, kb=105_000), step(300)])
        assert climbed.nearest(200).calls == 250
        assert climbed.kb_a_call(climbed.nearest(200)) == pytest.approx(100)

    def test_memory_is_not_taken_from_a_step_that_did_not_hold(self) -> None:
        assert Climb("x", 80_000, [step(100), step(200, 30.0)]).nearest(200).calls == 100

    def test_a_ratio_is_of_what_a_frame_costs_at_the_most_calls_that_both_held(self) -> None:
        ours = Climb("ours", 0, [step(100, cpu=0.5), step(150, cpu=0.7), step(200, 30.0, cpu=1.0)])
        ceiling = Climb("ceiling", 0, [step(100, cpu=0.25), step(200, cpu=0.4), step(400)])
        row = benchmarks.ratios([ours], ceiling).splitlines()[1].split()
        assert row == ["ours", "150", "100", "100.0", "50.0", "0.50"]

    def test_the_filter_keeps_what_it_promises(self) -> None:
        assert max(benchmarks.delays()) <= 2.0
        assert benchmarks.rejection_db() < -70


class TestHarness:
    def test_the_pump_s_benchmark_carries_every_frame_both_ways(self) -> None:
        async def scenario() -> tuple[int, int]:
            bench = Bench(PCMU_8K)
            task = await bench.open()
            bench.session.sent.clear()
            for at, frame in enumerate(speech()[:50]):
                bench.clock.now += FRAME_MS / 1000
                bench.carrier.listener.message(bench.codec.media(frame, at * FRAME_MS))
                bench.session.listener.message(deltas(PCMU_8K, "reply")[0])
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return len(bench.session.sent), len(bench.carrier.sent)

        assert asyncio.run(scenario()) == (50, 60)  # with a mark for every five frames

    @on_linux
    def test_a_child_is_measured_and_ends(self) -> None:
        async def scenario() -> None:
            url = "ws://127.0.0.1:1/"
            async with Child("tests.benchmarks.relay_process", core=None, kind="picows", session_url=url) as child:
                assert child.alive
                assert child.resident_kb() > 0
                assert child.cpu_seconds() >= 0
            assert not child.alive

        asyncio.run(scenario())

    @on_linux
    def test_the_whole_of_it_with_a_few_calls(self) -> None:
        async def scenario() -> tuple[Climb, Climb, Figures, list[float]]:
            async with (
                asyncio.timeout(FEW_SECONDS),
                bridge(PCMU_8K, core=None) as plain,
                bridge(PCMU_8K, core=None, told=True, character_ms=5) as telling,
                relay("picows", core=None) as bare,
            ):
                return await asyncio.gather(
                    climb("bridge", plain, (CALLS,), 0.8),
                    climb("relay", bare, (CALLS,), 0.8),
                    interrupt(telling, CALLS, 1, scale=0.3),
                    press(telling, CALLS, 1),
                )

        passed, ceiling, figures, keys_ms = uvloop.run(scenario())
        for climbed in (passed, ceiling):
            (measured,) = climbed.steps
            assert (measured.calls, measured.lost) == (CALLS, 0)
            assert 0 < measured.up_ms[0] <= measured.up_ms[1] < 1_000
            assert 0 < measured.down_ms[0] <= measured.down_ms[1] < 1_000
            assert 0 <= measured.cpu < 1.5
            assert len(steps_table(climbed).splitlines()) == 2
        assert figures.bytes_after_clear == 0
        assert len(figures.cuts) == CALLS
        assert sum(cut.untold for cut in figures.cuts) == 0
        assert figures.errors_ms
        assert max(abs(error) for error in figures.errors_ms) < 300
        assert "bytes of media after clear" in figures_table(figures)
        assert len(keys_ms) == CALLS
        assert max(keys_ms) < 1_000

    @on_linux
    def test_realtime_sessions_carry_calls_and_call_tools(self) -> None:
        async def scenario() -> tuple[Climb, dict[str, list[float]]]:
            async with asyncio.timeout(FEW_SECONDS), bridge(LINEAR_24K, core=None, tongue=REALTIME) as world:
                return await climb("Realtime", world, (CALLS,), 0.4), await call_tools(world, CALLS, 1)

        climbed, tools_ms = uvloop.run(scenario())
        assert climbed.steps[0].lost == 0
        assert 0 < climbed.steps[0].up_ms[0] < 1_000
        assert 0 < climbed.steps[0].down_ms[0] < 1_000
        assert {tool: len(took) for tool, took in tools_ms.items()} == dict.fromkeys(TOOLS, CALLS)
        assert len(tools_table(CALLS, tools_ms).splitlines()) == 1 + len(TOOLS)


@pytest.mark.speech
class TestSpeech:
    def test_words_are_counted_by_the_fewest_edits(self) -> None:
        said = "cancel the yoga class".split()  # noqa: SIM905
        assert bench_speech.edits(said, said) == 0
        assert bench_speech.edits(said, ["cancel", "yoga", "glass", "now"]) == 3
        assert bench_speech.edits(said, []) == 4
        assert bench_speech.edits([], said) == 4

    def test_a_voice_is_scored_by_words_intent_and_slots(self) -> None:
        heard = bench_speech.Heard(cpu_ms=[])
        cancel = Command("cancel the yoga class", "cancel_event", {"event": "class yoga"})
        heard.add(cancel, "cancel the yoga class", 100.0)
        heard.add(cancel, "cancel the team meeting", 100.0)
        heard.add(Command("am i free on friday", "check_availability", {"date": "2026-11-27"}), "", 100.0)
        assert (heard.commands, heard.intents, heard.whole, heard.empty) == (3, 2, 1, 1)
        shown = bench_speech.accuracy_table({"one": heard, "two": heard})
        assert shown.splitlines()[-1].split()[:2] == ["all", "6"]

    def test_nonsense_that_is_not_heard_is_understood(self) -> None:
        heard = bench_speech.Heard(cpu_ms=[])
        heard.add(Command("play some music", "fragment", {}), "", 100.0)
        assert (heard.intents, heard.whole, heard.empty) == (1, 1, 0)

    def test_answers_are_scored_by_what_they_mean(self) -> None:
        counted = bench_speech.Answered()
        for heard in ("the second one", "", "the seventh one"):
            counted.add("the second one", heard)
        assert counted.cells() == ("33%", "33%", "33%")
        shown = bench_speech.answered_table({Mood.WHICH: (counted, counted)})
        assert shown.splitlines()[-1].split()[:2] == ["which", "3"]

    def test_the_first_sound_is_held_against_its_goal(self) -> None:
        shown = bench_speech.latency_table(bench_speech.Latency((300.0, 500.0), 1, 10.0, 0.5))
        assert "2 of 3" in shown
        assert "20" in shown

    def test_a_voice_comes_over_the_line_as_one_utterance(self) -> None:
        say = next(iter(voices().values()))
        assert LINEAR_16K.ms(len(utterance(say, "Cancel my next meeting."))) > 800


def test_reminders_are_measured_on_an_empty_database(postgres: str) -> None:
    lines = dict(bench_reminders.measure(postgres, 4_000))
    assert len(lines) == 9
    assert lines["one at a time, as the API writes them"].endswith("a second")
