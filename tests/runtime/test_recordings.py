"""Recordings: what stands in their files, what a call that is recorded loses by it (nothing), and what goes wrong."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from phone_bridge.audio.format import LINEAR_16K, PCMU_8K
from phone_bridge.audio.tape import HEADER_BYTES
from phone_bridge.call.rules import Rules
from phone_bridge.call.trace import Recorded, Trace
from phone_bridge.runtime.recordings import MAX_WAITING, MIN_FREE_BYTES, Recorder, Recordings
from tests.runtime.pumping import LINE_MS, Stage, sound_of, virtual

FRAME = b"a" * 160


def record(
    recordings: Recordings, trace: Trace, *, since: int, until: int, earlier: Recorded | None = None
) -> Recorder:
    """Record a caller who says one long letter, from ``since`` to ``until``."""
    recorder = recordings.open("call_1", PCMU_8K, trace, earlier)
    recorder.begin(since)
    for now in range(since + 20, until + 20, 20):
        recorder.heard(FRAME, now, 0)
    return recorder


def sound(path: Path) -> tuple[bytes, bytes]:
    """Give both sides of a file whose head is right."""
    content = path.read_bytes()
    assert int.from_bytes(content[54:58], "little") == len(content) - HEADER_BYTES
    both = content[HEADER_BYTES:]
    return both[0::2], both[1::2]


def test_a_recording_is_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    recordings, trace = Recordings(tmp_path / "r"), Trace(0)
    record(recordings, trace, since=500, until=4_000).close(4_000, 0)
    recordings.close()
    path = recordings.find("call_1")
    assert path is not None
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    left, right = sound(path)
    assert left == b"a" * 8 * 3_500
    assert right == PCMU_8K.silence * 8 * 3_500
    assert trace.recording == Recorded("kept", 500, 3_500)


def test_while_it_goes_on_the_file_can_be_played_and_holds_all_but_the_last_seconds(tmp_path: Path) -> None:
    recordings, trace = Recordings(tmp_path), Trace(0)
    record(recordings, trace, since=0, until=10_000)  # and the process is killed here
    recordings.close()
    path = recordings.find("call_1")
    assert path is not None
    assert len(sound(path)[0]) >= 8 * 8_000
    assert trace.recording == Recorded("recording", 0)


def test_a_call_that_came_back_goes_on_in_its_file_in_step(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path)
    record(recordings, Trace(0), since=500, until=2_500).close(2_500, 0)
    recordings.close()
    again, later = Recordings(tmp_path), Trace(0)
    record(again, later, since=5_500, until=6_500, earlier=Recorded("recording", 500)).close(6_500, 0)
    again.close()
    path = again.find("call_1")
    assert path is not None
    quiet = PCMU_8K.silence
    assert sound(path)[0] == b"a" * 16_000 + quiet * 24_000 + b"a" * 8_000
    assert later.recording == Recorded("kept", 500, 6_000)


def test_another_line_s_sound_is_not_put_into_a_file(tmp_path: Path) -> None:
    recordings, trace = Recordings(tmp_path), Trace(0)
    record(recordings, trace, since=0, until=2_000).close(2_000, 0)
    recordings.close()
    recorder = recordings.open("call_1", LINEAR_16K, trace, Recorded("kept", 0, 2_000))
    recorder.begin(3_000)
    for now in range(3_020, 6_000, 20):
        recorder.heard(bytes(640), now, 0)
    recordings.close()
    recorder.heard(bytes(640), 8_000, 0)
    recorder.close(8_000, 0)
    recordings.close()
    assert trace.recording is not None
    assert (trace.recording.state, trace.recording.reason) == ("broken", "other_format")


def test_a_disk_that_is_nearly_full_ends_the_recording_and_keeps_what_there_is(tmp_path: Path) -> None:
    free = [MIN_FREE_BYTES] * 4 + [MIN_FREE_BYTES - 1]
    recordings, trace = Recordings(tmp_path, free=lambda folder: free.pop(0) if len(free) > 1 else free[0]), Trace(0)
    recorder = record(recordings, trace, since=0, until=8_000)
    recordings.close()
    recorder.close(9_000, 0)
    recordings.close()
    assert trace.recording == Recorded("broken", 0, 3_000, "disk_full")
    path = recordings.find("call_1")
    assert path is not None
    assert len(sound(path)[0]) == 8 * 3_000


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="no folder is closed to root")
def test_a_folder_that_cannot_be_made_ends_the_recording_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    recordings, trace = Recordings(tmp_path / "file" / "r"), Trace(0)
    recorder = record(recordings, trace, since=0, until=2_000)
    recordings.close()
    recorder.close(3_000, 0)
    assert trace.recording == Recorded("broken", 0, 0, "disk_failed")
    assert "has ended early" in caplog.text


def test_a_disk_that_does_not_keep_up_ends_a_recording_and_holds_nobody(tmp_path: Path) -> None:
    stuck = threading.Event()

    def free(folder: Path) -> int:
        stuck.wait(10)
        return MIN_FREE_BYTES

    recordings, trace = Recordings(tmp_path, free=free), Trace(0)
    recorder = record(recordings, trace, since=0, until=1_000)
    for second in range(2, MAX_WAITING + 10):
        recorder.heard(FRAME, second * 1_000, 0)
    assert trace.recording is not None
    assert (trace.recording.state, trace.recording.reason) == ("broken", "disk_too_slow")
    stuck.set()
    recordings.close()


def test_what_is_private_is_silence(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path)
    recorder = recordings.open("call_1", PCMU_8K, Trace(0))
    recorder.begin(0)
    for now in range(20, 2_020, 20):
        recorder.heard(FRAME, now, 0, private=500 < now <= 1_500)
    recorder.close(2_000, 0)
    recordings.close()
    path = recordings.find("call_1")
    assert path is not None
    assert sound(path)[0] == b"a" * 4_000 + PCMU_8K.silence * 8_000 + b"a" * 4_000


def test_old_recordings_go_and_one_can_be_deleted(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path)
    for name, written in (("call_old", 1_000), ("call_new", 3_000)):
        (tmp_path / f"{name}.wav").write_bytes(b"x")
        os.utime(tmp_path / f"{name}.wav", (written, written))
    assert recordings.purge(2_000) == 1
    assert recordings.find("call_old") is None
    assert recordings.delete("call_new")
    assert not recordings.delete("call_new")
    assert recordings.find("../call_new") is None


# In a call


def names(side: bytes) -> bytes:
    return side.replace(PCMU_8K.silence, b"")


def test_what_was_heard_is_in_it_and_what_was_flushed_is_not(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path)

    @virtual
    async def story() -> None:
        stage = Stage(recordings=recordings)
        await stage.opened()
        stage.carrier.speak(FRAME)
        stage.assistant.reply("r1", sound_of("reply", 3_000))
        for _ in range(75):  # and the caller speaks on all the while, for 1.5 s
            await asyncio.sleep(0.02)
            stage.carrier.speak(FRAME)
        stage.assistant.tell('{"type": "speech.started"}')
        for _ in range(75):
            await asyncio.sleep(0.02)
            stage.carrier.speak(FRAME)
        stage.carrier.hang_up()
        await stage.over()

    story()
    recordings.close()
    path = recordings.find("call_1")
    assert path is not None
    left, right = sound(path)
    assert len(left) == len(right)
    replied = names(right).count(b"<reply>") * 7 / 8
    assert 1_480 <= replied <= 1_540, "1.5 s of it were heard, and 3 s were sent"


def test_nothing_is_recorded_before_the_announcement_was_heard_to_its_end(tmp_path: Path) -> None:
    recordings, traces = Recordings(tmp_path), list[Trace]()

    @virtual
    async def story() -> None:
        stage = Stage(rules=Rules(announce=True), recordings=recordings)
        traces.append(stage.call.trace)
        await stage.begin()
        for _ in range(200):
            await asyncio.sleep(0.02)
            stage.carrier.speak(FRAME)
        stage.carrier.hang_up()
        await stage.over()

    story()
    recordings.close()
    path = recordings.find("call_1")
    assert path is not None
    _, right = sound(path)
    assert b"announcement" not in right
    assert b"<greeting>" in right
    assert traces[0].recording is not None
    assert LINE_MS <= traces[0].recording.from_ms <= LINE_MS + 100


def test_a_caller_who_goes_before_it_was_announced_is_not_recorded(tmp_path: Path) -> None:
    recordings, traces = Recordings(tmp_path), list[Trace]()

    @virtual
    async def story() -> None:
        stage = Stage(rules=Rules(announce=True), recordings=recordings)
        traces.append(stage.call.trace)
        await stage.begin()
        stage.carrier.speak(*[FRAME] * 30)
        await asyncio.sleep(0.6)
        stage.carrier.hang_up()
        await stage.over()

    story()
    recordings.close()
    assert recordings.find("call_1") is None
    assert traces[0].recording == Recorded("not_announced")
