"""The parent of several processes at its end, with processes that the test ends."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from phone_bridge.runtime.supervisor import Supervisor


class Child:
    """One process in uvicorn's words; ``rounds`` is how often it is waited for before it ends."""

    def __init__(self, pid: int, rounds: int) -> None:
        self.pid = pid
        self.rounds = rounds
        self.exitcode: int | None = 0
        self.process = self
        self.when_joined: list[Any] = []
        self.asked_to_stop = 0

    def is_alive(self) -> bool:
        return self.rounds > 0

    def join(self, timeout: float) -> None:
        self.rounds -= 1
        for what in self.when_joined:
            what()

    def terminate(self) -> None:
        self.asked_to_stop += 1


class Socket:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


@pytest.fixture
def parent() -> Iterator[Any]:
    before = {number: signal.getsignal(number) for number in uvicorn.supervisors.multiprocess.SIGNALS}
    yield Supervisor(uvicorn.Config("x:y"), sockets=[Socket()])  # type: ignore[list-item]  # closed, and no more
    for number, handler in before.items():
        signal.signal(number, handler)


def test_every_process_is_waited_for(parent: Any, killed: list[tuple[int, int]]) -> None:
    parent.processes = [Child(1, 3), Child(2, 5)]
    parent.handle_term()
    parent.terminate_all()
    assert parent.should_exit.is_set()
    assert parent.sockets[0].closed  # or it would keep those who connect after its processes have gone
    parent.join_all()
    assert [child.rounds for child in parent.processes] == [0, 0]
    assert [child.asked_to_stop for child in parent.processes] == [1, 1]
    assert killed == []
    assert not parent.failed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_reaches_every_process_that_still_lives(
    parent: Any, killed: list[tuple[int, int]], number: int
) -> None:
    first, second, third = parent.processes = [Child(1, 1), Child(2, 2), Child(3, 1)]
    second.when_joined.append(lambda: parent.signal_queue.append(number) if second.rounds == 1 else None)
    parent.handle_term()
    parent.join_all()
    assert killed == [(2, signal.SIGTERM), (3, signal.SIGTERM)]
    assert first.rounds == third.rounds == 0


def test_two_signals_before_the_first_is_acted_upon_are_two(parent: Any, killed: list[tuple[int, int]]) -> None:
    parent.processes = [Child(1, 1)]
    parent.handle_term()
    parent.handle_int()
    parent.join_all()
    assert killed == [(1, signal.SIGTERM)]


def test_other_signals_hurry_nobody(parent: Any, killed: list[tuple[int, int]]) -> None:
    parent.processes = [Child(1, 2)]
    parent.processes[0].when_joined.append(lambda: parent.signal_queue.append(signal.SIGHUP))
    parent.join_all()
    assert killed == []


def test_a_process_that_could_not_start_is_told(parent: Any) -> None:
    parent.processes = [Child(1, 0), Child(2, 0)]
    parent.processes[1].exitcode = uvicorn.config.STARTUP_FAILURE
    assert parent.failed


def test_a_hangup_is_passed_on_to_those_who_live_and_ends_nobody(parent: Any, killed: list[tuple[int, int]]) -> None:
    parent.processes = children = [Child(1, 1), Child(2, 0), Child(3, 1)]
    parent.handle_hup()
    assert killed == [(1, signal.SIGHUP), (3, signal.SIGHUP)]
    assert [child.asked_to_stop for child in children] == [0, 0, 0]


def test_a_hangup_waits_in_whoever_starts_and_comes_to_the_parent(
    parent: Any, killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    inherited: list[set[int]] = []

    def start() -> None:
        inherited.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        parent.processes = [Child(1, 1)]
        signal.raise_signal(signal.SIGHUP)

    def look_after() -> None:
        inherited.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        parent.should_exit.set()

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    monkeypatch.setattr(parent, "init_processes", start)
    monkeypatch.setattr(parent, "keep_subprocess_alive", look_after)
    parent.run()
    assert killed == [(1, signal.SIGHUP)]
    assert all(signal.SIGHUP in mask for mask in inherited)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
