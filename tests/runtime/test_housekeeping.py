"""What is done once an hour beside the calls."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phone_bridge.errors import Unavailable
from phone_bridge.runtime.housekeeping import PERIOD_SECONDS, keep_house
from phone_bridge.runtime.record import Records
from phone_bridge.runtime.traces import Traces

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z


class Noting(Records):
    """Records that only note what they are asked to do, and fail as they are told."""

    def __init__(self) -> None:
        self.swept: list[float] = []
        self.purged: list[str] = []
        self.failures: list[Exception] = []

    def sweep(self, now: float) -> None:
        self.swept.append(now)
        if self.failures:
            raise self.failures.pop(0)

    def purge(self, before: str) -> int:
        self.purged.append(before)
        return 3


async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    return work(*arguments)


def keep(records: Records, days: int, hours: int, traces: Traces | None = None) -> list[float]:
    """Keep house for some hours that pass at once, and give how long it slept."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == hours:
            raise asyncio.CancelledError

    async def story() -> None:
        house = keep_house(records, days, traces=traces, wall=lambda: NOON + sum(slept), sleep=sleep, in_thread=at_once)
        with pytest.raises(asyncio.CancelledError):
            await house

    asyncio.run(story())
    return slept


def test_once_an_hour_what_is_older_than_the_retention_time_is_purged(caplog: pytest.LogCaptureFixture) -> None:
    records = Noting()
    with caplog.at_level(logging.INFO):
        slept = keep(records, days=30, hours=3)
    assert slept == [PERIOD_SECONDS] * 3
    assert records.purged == ["2026-10-22T12:00:00.000Z", "2026-10-22T13:00:00.000Z", "2026-10-22T14:00:00.000Z"]
    assert records.swept == [NOON, NOON + 3_600, NOON + 7_200]
    assert "purged 3 calls that ended over 30 days ago" in caplog.text


def test_what_is_kept_for_ever_is_not_purged_and_used_tokens_go_all_the_same() -> None:
    records = Noting()
    keep(records, days=0, hours=2)
    assert (len(records.swept), records.purged) == (2, [])


class NotingTraces(Traces):
    def __init__(self) -> None:
        super().__init__(Path("nowhere"), "off")
        self.purged: list[float] = []

    def purge(self, before: float) -> int:
        self.purged.append(before)
        return 1


@pytest.mark.parametrize(("days", "purged"), [(30, [NOON - 30 * 86_400, NOON - 30 * 86_400 + 3_600]), (0, [])])
def test_traces_go_with_the_records_though_the_database_be_gone(days: int, purged: list[float]) -> None:
    records, traces = Noting(), NotingTraces()
    records.failures.append(Unavailable("gone", code="database"))
    keep(records, days, hours=2, traces=traces)
    assert traces.purged == purged


@pytest.mark.parametrize("failure", [Unavailable("gone", code="database"), ZeroDivisionError()])
def test_a_purge_that_fails_is_told_and_tried_again_in_an_hour(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    records = Noting()
    records.failures.append(failure)
    assert keep(records, days=1, hours=2) == [PERIOD_SECONDS] * 2
    assert records.purged == ["2026-11-20T13:00:00.000Z"]
    assert caplog.text.count("could not be purged") == 1
