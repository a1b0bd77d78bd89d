"""Which calls leave a file, who may read it, and how long and how many there are."""

import asyncio
import logging
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import events as e
from phone_bridge.call.journal import Journal
from phone_bridge.call.rules import Rules
from phone_bridge.errors import Refused, RemoteError
from phone_bridge.runtime.traces import MAX_PARTS, MAX_TRACES, MAX_WAITING, MODES, Traces, read


def journal() -> Journal:
    book = Journal(PCMU_8K, Rules(), None, 0)
    book.begin(0)
    book.note(e.DigitPressed("7"), 1)
    return book


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    umask = os.umask(0)  # so that only our own care keeps others out
    yield tmp_path / "data" / "traces"
    os.umask(umask)


def kept(folder: Path, mode: str = "all", *, failed: bool = True, calls: int = 1) -> list[str]:
    traces = Traces(folder, mode)
    for number in range(calls):
        traces.keep(f"call_{number}", journal(), failed=failed, error="leg_lost" if failed else "")
    traces.close()
    return sorted(path.name for path in folder.glob("*"))


@pytest.mark.parametrize(
    ("mode", "failed", "left"),
    [("failures", True, 1), ("failures", False, 0), ("all", True, 1), ("all", False, 1), ("off", True, 0)],
)
def test_which_calls_leave_a_trace(folder: Path, mode: str, failed: bool, left: int) -> None:
    assert mode in MODES
    assert kept(folder, mode, failed=failed) == ["call_0.trace"] * left
    assert Traces(folder, mode).wanted == (mode != "off")


def test_a_call_without_a_journal_leaves_none(folder: Path) -> None:
    traces = Traces(folder, "all")
    traces.keep("call_1", None, failed=True)
    traces.close()
    assert not folder.exists()


def test_a_trace_can_be_read_again_and_by_this_user_alone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        kept(folder)
    recording = read(folder / "call_0.trace")
    assert [given.fact for given in recording.given()] == [None, e.DigitPressed("7")]
    assert recording.error == "leg_lost"
    assert stat.S_IMODE((folder / "call_0.trace").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == f"= call call_0 ended with error leg_lost; its trace is {folder}/call_0.trace"


def test_a_call_that_went_well_is_told_of_quietly(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        kept(folder, failed=False)
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert "error none" in record.getMessage()


def test_a_call_that_was_cut_off_and_went_on_leaves_a_trace_of_each_part(folder: Path) -> None:
    assert kept(folder) + kept(folder) == ["call_0.trace", "call_0.2.trace", "call_0.trace"]


def test_the_parts_of_a_call_have_an_end(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(MAX_PARTS):
        kept(folder)
    before = kept(folder, "off")
    assert kept(folder) == before
    assert len(before) == MAX_PARTS
    assert "could not be written" in caplog.text


def test_there_are_never_more_than_so_many_and_the_oldest_go(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(MAX_TRACES + 3):
        old = folder / f"call_{number:04}x.trace"
        old.touch()
        os.utime(old, (1_000 + number, 1_000 + number))
    (folder / "notes.txt").touch()
    left = kept(folder)
    assert len(left) == MAX_TRACES + 1
    assert {"call_0.trace", "notes.txt", "call_0004x.trace"} <= set(left)
    assert "call_0003x.trace" not in left


def test_what_is_older_than_its_time_is_purged(folder: Path) -> None:
    kept(folder, calls=3)
    for number, written in enumerate((999, 1_000, 1_001)):
        os.utime(folder / f"call_{number}.trace", (written, written))
    (folder / "notes.txt").touch()
    os.utime(folder / "notes.txt", (1, 1))
    traces = Traces(folder, "failures")
    assert traces.purge(1_000) == 1
    assert traces.purge(1_000) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["call_1.trace", "call_2.trace", "notes.txt"]


def test_where_nothing_was_ever_kept_nothing_is_purged(folder: Path) -> None:
    assert Traces(folder, "failures").purge(1e12) == 0


def test_what_cannot_be_purged_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "call_1.trace").mkdir(parents=True)
    assert Traces(folder, "failures").purge(1e12) == 0
    assert "old traces cannot be deleted" in caplog.text


def test_a_folder_that_cannot_be_used_is_logged_and_harms_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "traces").write_text("a file is in the way")
    traces = Traces(tmp_path / "traces", "all")
    traces.keep("call_1", journal(), failed=False)
    traces.close()
    assert "the trace of call call_1 could not be written" in caplog.text


def test_a_disk_that_is_full_leaves_no_half_of_a_trace(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    opened = os.open

    def open_full(path: Path, flags: int, mode: int) -> int:
        os.close(opened(path, flags, mode))
        return full

    monkeypatch.setattr(os, "open", open_full)
    assert kept(folder) == []
    assert "No space left" in caplog.text


def test_a_slow_disk_holds_up_no_call_and_no_more_than_so_many_journals(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held, begun = threading.Event(), threading.Event()

    class Slow(Journal):
        __slots__ = ()

        def encode(self, error: str = "") -> bytes:
            begun.set()
            held.wait(10)
            return super().encode(error)

    traces = Traces(folder, "all")
    traces.keep("call_slow", Slow(PCMU_8K, Rules(), None, 0), failed=False)
    assert begun.wait(10)
    for number in range(MAX_WAITING):
        traces.keep(f"call_{number}", journal(), failed=False)
    assert f"call call_{MAX_WAITING - 1} leaves no trace" in caplog.text
    held.set()
    traces.close()
    assert len(list(folder.iterdir())) == MAX_WAITING


def test_traces_of_calls_in_a_loop_are_written_beside_it(folder: Path) -> None:
    async def story() -> None:
        traces = Traces(folder, "all")
        traces.keep("call_1", journal(), failed=False)
        await asyncio.to_thread(traces.close)
        traces.keep("call_2", journal(), failed=False)  # a call that ends later than everything else
        await asyncio.to_thread(traces.close)

    asyncio.run(story())
    assert sorted(path.name for path in folder.iterdir()) == ["call_1.trace", "call_2.trace"]


def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"none\.trace cannot be read: No such file"):
        read(tmp_path / "none.trace")
    with pytest.raises(Refused, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "other").write_bytes(b"RIFF")
    with pytest.raises(RemoteError, match="no journal"):
        read(tmp_path / "other")
