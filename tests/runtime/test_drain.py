"""A process that is about to stop, looked after by a clock that is set by hand."""

from typing import cast

from phone_bridge.runtime.drain import GOODBYE_SECONDS, Drain
from phone_bridge.runtime.registry import Registry


class Calls:
    """What a drain knows of a registry."""

    def __init__(self) -> None:
        self.draining = False
        self.live = 1
        self.ended: list[str] = []

    @property
    def idle(self) -> bool:
        return not self.live

    def end_all(self, by: str) -> None:
        self.ended.append(by)


class Watch:
    def __init__(self, seconds: float = 600.0) -> None:
        self.now = 1_000.0
        self.calls = Calls()
        self.drain = Drain(cast("Registry", self.calls), seconds=seconds, clock=lambda: self.now)


def test_nothing_ends_before_it_was_asked_to() -> None:
    watch = Watch()
    watch.calls.live = 0
    assert not watch.drain.begun
    assert not watch.drain.step()
    assert not watch.calls.draining


def test_a_process_without_calls_may_go_at_once() -> None:
    watch = Watch()
    watch.calls.live = 0
    watch.drain.begin()
    assert watch.drain.begun
    assert watch.calls.draining
    assert watch.drain.step()


def test_live_calls_go_on_until_they_end() -> None:
    watch = Watch()
    watch.drain.begin()
    watch.now += 599.9
    assert not watch.drain.step()
    assert watch.calls.ended == []
    watch.calls.live = 0
    assert watch.drain.step()
    assert watch.calls.ended == []


def test_calls_that_are_left_are_asked_to_end_once_and_have_a_moment_for_their_goodbye() -> None:
    watch = Watch()
    watch.drain.begin()
    watch.now += 600
    assert not watch.drain.step()
    assert not watch.drain.step()
    assert watch.calls.ended == ["drain"]
    watch.now += GOODBYE_SECONDS - 0.1
    assert not watch.drain.step()
    watch.calls.live = 0
    assert watch.drain.step()


def test_no_goodbye_holds_the_end_up_for_ever() -> None:
    watch = Watch(seconds=0)
    watch.drain.begin()
    assert not watch.drain.step()
    watch.now += GOODBYE_SECONDS
    assert watch.drain.step()
    assert watch.calls.ended == ["drain"]


def test_beginning_again_gains_no_time() -> None:
    watch = Watch()
    watch.drain.begin()
    watch.now += 300
    watch.drain.begin()
    watch.now += 300
    watch.drain.step()
    assert watch.calls.ended == ["drain"]
